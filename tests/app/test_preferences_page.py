"""The Settings page under AppTest: defaults, presets and one's own data."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.audit import list_audit
from core.accounts.preferences import load_preferences, load_team_defaults, save_preference, save_team_default
from core.bootstrap import close_services, open_services
from core.chat.presets import list_presets, save_preset
from core.chat.store import list_conversations, load_conversation
from core.settings import Settings
from tests.support.chatting import run_with_echo, write_registry
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    with ProviderServer() as provider:
        for name in ("swift", "steady"):
            provider.behave(name, say("A short answer."))
        registry = write_registry(tmp_path / "models.yaml", provider)
        yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
        close_services()


def open_app(user) -> AppTest:
    """A new browser of this person, on the chat page."""
    return sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), user).run()


def open_settings(user) -> AppTest:
    return open_app(user).switch_page("pages/settings_page.py").run()


def chosen_model(app: AppTest) -> str:
    return app.session_state["active_model"]


def button(app, label):
    return next(found for found in app.button if found.label == label)


def test_what_a_browser_says_again_of_the_settings_is_not_saved_again(services, ada):
    settings = open_settings(ada)
    box = settings.selectbox(key="preference_fallback").set_value("never").run().selectbox(key="preference_fallback")
    words, chat = box.options[box.index], settings.switch_page("pages/chat_page.py").run()
    # Another browser of theirs.
    save_preference(services.database, user_id=ada.id, name="fallback", value="ask")
    run_with_echo(chat, box.proto.id, string_value=words)

    assert not chat.exception
    assert not chat.toast
    assert load_preferences(services.database, ada.id)["fallback"] == "ask"


def test_defaults_are_kept_and_found_again_in_another_browser(services, ada):
    settings = open_settings(ada)
    settings.selectbox(key="preference_default_model").set_value("steady").run()
    settings.multiselect(key="preference_favourites").set_value(["html", "swift"]).run()
    settings.selectbox(key="preference_fallback").set_value("never").run()
    settings.selectbox(key="preference_time_zone").set_value("Asia/Tokyo").run()
    assert not settings.exception

    assert load_preferences(services.database, ada.id) == {
        "default_model": "steady",
        "favourites": ["html", "swift"],
        "fallback": "never",
        "time_zone": "Asia/Tokyo",
    }
    again = open_settings(ada)
    assert again.selectbox(key="preference_default_model").value == "steady"
    assert again.multiselect(key="preference_favourites").value == ["html", "swift"]
    assert chosen_model(again) == "steady"


def test_emptying_a_choice_unsets_it(services, ada):
    save_preference(services.database, user_id=ada.id, name="default_model", value="steady")
    settings = open_settings(ada)
    settings.selectbox(key="preference_default_model").set_value(None).run()

    assert load_preferences(services.database, ada.id) == {}


def test_a_favourite_that_is_not_offered_now_is_not_lost(services, ada):
    save_preference(services.database, user_id=ada.id, name="favourites", value=["gone", "swift"])
    settings = open_settings(ada)
    assert settings.multiselect(key="preference_favourites").value == ["swift"]
    settings.multiselect(key="preference_favourites").set_value(["html"]).run()

    assert load_preferences(services.database, ada.id)["favourites"] == ["html", "gone"]


def test_a_hidden_model_is_not_listed_unless_it_is_in_use(services, ada):
    settings = open_settings(ada)
    settings.multiselect(key="preference_hidden_models").set_value(["steady", "swift"]).run()
    save_preference(services.database, user_id=ada.id, name="default_model", value="swift")

    listed = next(
        part.proto.json for part in open_app(ada).get("bidi_component") if "model_selector" in str(part.proto)
    )

    assert load_preferences(services.database, ada.id)["hidden_models"] == ["steady", "swift"]
    assert "Swift" in listed
    assert "Steady" not in listed


def test_new_chats_take_the_default_and_old_ones_keep_their_own(services, ada):
    first = open_app(ada)
    first.chat_input[0].set_value("Hello").run()
    (old,) = list_conversations(services.database, user_id=ada.id, limit=5)
    save_preference(services.database, user_id=ada.id, name="default_model", value="steady")
    save_preference(services.database, user_id=ada.id, name="fallback", value="ask")

    app = open_app(ada)
    assert chosen_model(app) == "steady"
    app.button(key=f"open_{old.id}").click().run()
    assert chosen_model(app) == "swift"
    button(app, "New chat").click().run()
    assert chosen_model(app) == "steady"
    assert load_preferences(services.database, ada.id)["default_model"] == "steady"

    app.chat_input[0].set_value("Hello again").run()
    newest = list_conversations(services.database, user_id=ada.id, limit=5)[0]
    kept = load_conversation(services.database, conversation_id=newest.id, user_id=ada.id)
    assert (kept.model_id, kept.fallback) == ("steady", "ask")
    assert not app.exception


def test_the_teams_default_holds_for_those_who_chose_none(services, ada):
    root = add_person(services.database, "root", role="admin")
    settings = open_settings(root)
    settings.selectbox(key="team_default_model").set_value("html").run()

    assert load_team_defaults(services.database) == {"default_model": "html"}
    assert chosen_model(open_app(ada)) == "html"
    assert [entry.subject for entry in list_audit(services.database) if entry.action == "team.default"] == [
        "default_model"
    ]
    assert not [found for found in open_settings(ada).selectbox if found.key == "team_default_model"]


def test_times_are_shown_in_the_preferred_zone(services, ada):
    save_preference(services.database, user_id=ada.id, name="time_zone", value="Pacific/Kiritimati")

    def zone():
        from datetime import datetime  # noqa: PLC0415

        import streamlit as st  # noqa: PLC0415 - the body of an AppTest script

        from core.accounts.users import find_user  # noqa: PLC0415
        from core.bootstrap import open_services as find  # noqa: PLC0415
        from ui.times import follow_time_zone, local_time, viewer_zone  # noqa: PLC0415

        user = find_user(find().database, "ada")
        follow_time_zone(find(), user)
        st.text(local_time(datetime(2026, 1, 1, 12), viewer_zone()).isoformat())  # noqa: DTZ001

    app = AppTest.from_function(zone).run()

    assert not app.exception
    expected = datetime(2026, 1, 2, 2, tzinfo=ZoneInfo("Pacific/Kiritimati"))
    assert app.text[0].value == expected.isoformat()


def test_presets_are_listed_shared_and_deleted(services, ada):
    bob = add_person(services.database, "bob")
    save_preset(services.database, owner_id=bob.id, name="Bob's", model_id=None, parameters={}, shared=True)
    mine = save_preset(services.database, owner_id=ada.id, name="Mine", model_id="swift", parameters={"seed": 1})
    settings = open_settings(ada)
    listed = "\n".join(element.value.replace("\\", "") for element in settings.markdown)
    assert "**Mine**  \nSwift, 1 value" in listed
    assert "**Bob's · by Bob**  \nany model, 0 values" in listed

    settings.toggle(key=f"share_{mine}").set_value(True).run()
    assert [preset.name for preset in list_presets(services.database, user_id=bob.id)] == ["Bob's", "Mine"]
    button(settings, "Delete preset").click().run()
    assert [preset.name for preset in list_presets(services.database, user_id=ada.id)] == ["Bob's"]
    assert not settings.exception


def test_data_is_deleted_only_after_the_username_was_typed(services, ada):
    save_team_default(services.database, name="default_model", value="steady", actor_id=None)
    app = open_app(ada)
    app.chat_input[0].set_value("Hello").run()
    settings = app.switch_page("pages/settings_page.py").run()
    button(settings, "Delete my data").click().run()
    assert "That is not your username. Nothing was deleted." in settings.error[0].value.replace("\\", "")
    assert list_conversations(services.database, user_id=ada.id, limit=5)

    settings.text_input(key="delete_data_username").set_value(" Ada ")
    button(settings, "Delete my data").click().run()

    assert not settings.exception
    assert list_conversations(services.database, user_id=ada.id, limit=5) == []
    assert services.database.fetch_all("select * from messages") == []
    assert len(services.database.fetch_all("select * from attempts")) == 1
    assert not settings.switch_page("pages/chat_page.py").run().exception


def _compact(app: AppTest) -> bool:
    rules = (ROOT / "ui" / "compact.css").read_text(encoding="utf-8").strip()
    return any(rules in found.proto.body for found in app.get("html"))


def test_the_density_of_chats_is_ones_own_else_the_teams(services, ada):
    save_team_default(services.database, name="density", value="compact", actor_id=None)
    settings = open_settings(ada)
    assert _compact(settings)

    settings.selectbox(key="preference_density").set_value("comfortable").run()

    assert load_preferences(services.database, ada.id)["density"] == "comfortable"
    assert not _compact(settings)
    assert not _compact(open_app(ada))
    settings.selectbox(key="preference_density").set_value("compact").run()
    assert _compact(open_app(ada))


def test_an_administrator_sets_the_density_of_the_team(services):
    boss = add_person(services.database, "boss", role="admin")

    open_settings(boss).selectbox(key="team_density").set_value("compact").run()

    assert load_team_defaults(services.database) == {"density": "compact"}
    assert _compact(open_app(boss))
