"""The parameter form under AppTest: generated per model, with its origins, and refusing what a model does not take."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.chat.kept_parameters import keep_for_model, keep_for_team, load_layers
from core.chat.presets import list_presets, save_preset
from core.chat.store import list_conversations
from tests.support.chatting import run_with_echo
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

ANSWERS = {"swift": "A short answer.", "steady": "Another answer."}


@pytest.fixture(name="chat")
def _chat(ada) -> AppTest:
    """The chat page with the form open."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["parameters"] = True
    return sign_in_app(app, ada).run()


def number(app, name, model_id="swift"):
    return app.number_input(key=f"parameter_{model_id}_{name}")


def with_form(app, *, shown):
    app.session_state["parameters"] = shown
    return app.run()


def captions(app):
    return [element.value for element in app.caption]


def button(app, label):
    return next(found for found in app.button if found.label == label)


def said(app):
    return " ".join(element.value for element in (*app.error, *app.warning)).replace("\\", "")


def send(app, text="Hello"):
    return app.chat_input[0].set_value(text).run()


def sent(provider):
    return provider.requests[-1].body


def test_the_form_shows_what_the_model_takes(chat):
    assert not chat.exception
    assert {number(chat, name).label for name in ("temperature", "max_tokens", "seed")} == {
        "Temperature",
        "Longest answer (tokens)",
        "Seed",
    }
    assert number(chat, "temperature").value is None
    assert (number(chat, "temperature").min, number(chat, "temperature").max) == (0.0, 2.0)
    assert number(chat, "max_tokens").max == 100_000


def test_closed_it_draws_nothing(ada):
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()

    assert not app.exception
    assert list(app.number_input) == []


def test_what_is_set_before_the_first_message_is_sent_and_stays_with_the_conversation(chat, services, ada, provider):
    number(chat, "temperature").set_value(0.3).run()
    assert "This conversation" in captions(chat)
    chat.text_area(key="parameter_swift_system_prompt").set_value("Answer in German.").run()
    send(chat)

    assert not chat.exception
    assert sent(provider)["temperature"] == 0.3
    assert sent(provider)["messages"][0] == {"role": "system", "content": "Answer in German."}
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=5)
    layers = load_layers(services.database, user_id=ada.id, model_id="swift", conversation_id=conversation.id)
    assert layers.conversation == {"temperature": 0.3, "system_prompt": "Answer in German."}

    button(chat, "New chat").click().run()
    assert number(chat, "temperature").value is None


def test_reset_takes_back_the_value_in_force_where_it_was_set(chat, services, ada):
    keep_for_team(services.database, model_id="swift", values={"temperature": 0.1}, actor_id=ada.id)
    keep_for_model(services.database, user_id=ada.id, model_id="swift", values={"temperature": 0.2})
    number(chat, "temperature").set_value(0.3).run()

    shown = []
    for _ in range(2):
        shown.append((number(chat, "temperature").value, captions(chat)[-1]))
        chat.button(key="reset_swift_temperature").click().run()
    shown.append((number(chat, "temperature").value, captions(chat)[-1]))

    assert not chat.exception
    origins = [value for value in captions(chat) if value in {"The team's default", "Mine, for this model"}]
    assert [value for value, _ in shown] == [0.3, 0.2, 0.1]
    assert origins == ["The team's default"]
    # Only administrators take back what holds for everybody.
    assert not [found for found in chat.button if found.key == "reset_swift_temperature"]


def test_keeping_for_the_model_moves_the_values_out_of_the_conversation(chat, services, ada):
    number(chat, "seed").set_value(7).run()
    button(chat, "Keep for this model").click().run()

    layers = load_layers(services.database, user_id=ada.id, model_id="swift", conversation_id=None)
    assert layers.mine == {"seed": 7}
    assert "Mine, for this model" in captions(chat)
    assert button(chat, "Keep for this model").disabled


def test_what_a_browser_says_again_of_a_closed_form_is_not_set_for_the_conversation(chat):
    number(chat, "top_p").set_value(0.5).run()
    button(chat, "Keep for this model").click().run()
    widget_id = number(chat, "top_p").proto.id
    with_form(chat, shown=False)
    run_with_echo(chat, widget_id, double_value=0.5)
    with_form(chat, shown=True)

    assert not chat.exception
    assert "Mine, for this model" in captions(chat)


def test_what_was_reset_is_not_back_with_the_next_click(chat):
    number(chat, "top_p").set_value(0.5).run()
    widget_id = number(chat, "top_p").proto.id
    chat.button(key="reset_swift_top_p").click().run()
    run_with_echo(chat, widget_id, double_value=0.5)

    assert not chat.exception
    assert number(chat, "top_p").value is None


def test_a_preset_that_a_browser_says_again_is_not_applied_again(chat, services, ada):
    save_preset(services.database, owner_id=ada.id, name="Warm", model_id="swift", parameters={"temperature": 0.9})
    chat.run().selectbox(key="preset").select_index(0).run()
    number(chat, "temperature").set_value(0.2).run()
    preset = chat.selectbox(key="preset").proto
    with_form(chat, shown=False)
    run_with_echo(chat, preset.id, string_value=preset.options[0])
    with_form(chat, shown=True)

    assert not chat.exception
    assert number(chat, "temperature").value == 0.2


def test_a_value_the_model_does_not_take_is_shown_and_refused_and_the_message_kept(chat, services, ada, provider):
    keep_for_model(services.database, user_id=ada.id, model_id="swift", values={"temperature": 9.0, "verbosity": "low"})
    before = len(provider.requests)
    chat.run()
    assert "Swift takes a number from 0 to 2 as temperature, not 9.0." in said(chat)
    assert "Swift takes no verbosity." in said(chat)

    send(chat, "Do not lose me")
    assert len(provider.requests) == before
    assert chat.chat_input[0].proto.value == "Do not lose me"

    chat.button(key="reset_swift_temperature").click().run()
    chat.button(key="reset_swift_verbosity").click().run()
    send(chat)
    assert not chat.exception
    assert "temperature" not in sent(provider)


def test_a_preset_brings_its_model_prompt_and_parameters(chat, services, ada, provider):
    values = {"system_prompt": "Be blunt.", "temperature": 0.9}
    save_preset(services.database, owner_id=ada.id, name="Blunt", model_id="steady", parameters=values)
    chat.run()
    chat.selectbox(key="preset").select_index(0).run()

    assert not chat.exception
    assert number(chat, "temperature", "steady").value == 0.9
    send(chat)
    assert (sent(provider)["model"], sent(provider)["temperature"]) == ("steady", 0.9)
    assert sent(provider)["messages"][0]["content"] == "Be blunt."


def test_a_preset_whose_model_is_gone_says_so_and_keeps_the_model(chat, services, ada):
    save_preset(services.database, owner_id=ada.id, name="Old", model_id="gone", parameters={"seed": 1})
    chat.run()
    chat.selectbox(key="preset").select_index(0).run()

    assert number(chat, "seed").value == 1
    assert "its model gone is not offered" in " ".join(toast.value for toast in chat.toast)


def test_saving_sharing_and_deleting_a_preset(chat, services, ada):
    number(chat, "seed").set_value(3).run()
    chat.text_input(key="preset_name").set_value("Three").run()
    button(chat, "Save preset").click().run()
    (preset,) = list_presets(services.database, user_id=ada.id)
    assert (preset.name, preset.model_id, preset.parameters, preset.shared) == ("Three", "swift", {"seed": 3}, False)

    chat.selectbox(key="preset").select_index(0).run()
    chat.toggle(key=f"share_{preset.id}").set_value(True).run()
    assert [found.shared for found in list_presets(services.database, user_id=ada.id)] == [True]
    button(chat, "Delete preset").click().run()
    assert list_presets(services.database, user_id=ada.id) == []
    assert not chat.exception


def test_a_preset_without_a_name_is_refused(chat, services, ada):
    button(chat, "Save preset").click().run()

    assert "A preset needs a name." in said(chat)
    assert list_presets(services.database, user_id=ada.id) == []


def test_only_administrators_set_the_teams_defaults(chat, services):
    assert "Make these the team's defaults" not in [found.label for found in chat.button]

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["parameters"] = True
    root = add_person(services.database, "root", role="admin")
    sign_in_app(app, root).run()
    number(app, "seed").set_value(5).run()
    button(app, "Make these the team's defaults").click().run()

    chat.run()
    assert number(chat, "seed").value == 5
    assert "The team's default" in captions(chat)
