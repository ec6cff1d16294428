"""Prompts, links and imports on the pages, under AppTest."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.chat.import_upload import Upload
from core.chat.prompts import list_prompts, save_prompt
from core.chat.sharing import list_shares, load_share, share_conversation
from core.chat.store import list_conversations
from core.errors import NotFound
from tests.support.exports import chatgpt, roles_and_parts
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="bob")
def _bob(services):
    return add_person(services.database, "bob")


def open_page(user, page: str, **query: str) -> AppTest:
    """A new browser of this person on a page."""
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), user).run()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(f"pages/{page}_page.py").run()


def bring(services, user, *entries) -> None:
    services.imports.start([Upload(name="a.json", data=json.dumps(entries).encode())], user_id=user.id)
    services.imports.wait(user.id, timeout_s=30)


def button(app, label):
    return next(found for found in app.button if found.label == label)


def texts(elements) -> str:
    return "\n".join(element.value for element in elements).replace("\\", "")


def test_a_prompt_is_written_shared_changed_and_deleted(services, ada, bob):
    settings = open_page(ada, "settings")
    settings.text_input(key="prompt_name").set_value("Summary")
    settings.text_area(key="prompt_body").set_value("Sum up {{text}}.")
    settings = button(settings, "Save prompt").click().run()
    (prompt,) = list_prompts(services.database, user_id=ada.id)
    assert (prompt.name, prompt.body, prompt.shared) == ("Summary", "Sum up {{text}}.", False)
    assert settings.text_input(key="prompt_name").value == ""

    settings.toggle(key=f"share_prompt_{prompt.id}").set_value(True).run()
    assert [found.name for found in list_prompts(services.database, user_id=bob.id)] == ["Summary"]
    assert "**Summary · by Ada**" in texts(open_page(bob, "settings").markdown)

    settings = settings.button(key=f"edit_prompt_{prompt.id}").click().run()
    assert settings.text_area(key="prompt_body").value == "Sum up {{text}}."
    settings.text_area(key="prompt_body").set_value("Shorter: {{text}}")
    settings = button(settings, "Save prompt").click().run()
    (prompt,) = list_prompts(services.database, user_id=ada.id)
    assert (prompt.body, prompt.shared) == ("Shorter: {{text}}", True)

    settings = settings.button(key=f"delete_prompt_{prompt.id}").click().run()
    assert list_prompts(services.database, user_id=ada.id) == []
    assert not settings.exception


def test_a_prompt_without_a_name_is_refused_and_stays_in_the_form(services, ada):
    settings = open_page(ada, "settings")
    settings.text_area(key="prompt_body").set_value("Something long")
    settings = button(settings, "Save prompt").click().run()

    assert "A prompt needs a name." in texts(settings.error)
    assert settings.text_area(key="prompt_body").value == "Something long"


def test_another_persons_prompt_cannot_be_changed(services, ada, bob):
    prompt_id = save_prompt(services.database, owner_id=ada.id, name="Hers", body="x", shared=True)
    settings = open_page(bob, "settings")

    assert "**Hers · by Ada**" in texts(settings.markdown)
    assert not [found for found in settings.button if prompt_id in str(found.key)]


def test_a_link_is_read_by_others_and_ends_when_it_is_revoked(services, ada, bob):
    bring(services, ada, chatgpt())
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=9)
    link = share_conversation(services.database, user_id=ada.id, conversation_id=conversation.id)

    page = open_page(bob, "shared", share=link)
    assert page.title[0].value == "Trip"
    assert "Shared by Ada on " in texts(page.caption)
    shown = texts(page.markdown)
    assert "Where to?" in shown
    assert "To Lisbon." in shown

    settings = open_page(ada, "settings")
    settings = settings.button(key=f"revoke_{link}").click().run()
    assert list_shares(services.database, user_id=ada.id) == []
    with pytest.raises(NotFound):
        load_share(services.database, share_id=link, viewer_id=bob.id)
    assert "was not found" in texts(open_page(bob, "shared", share=link).error)
    assert not settings.exception


def test_a_shared_conversation_is_for_people_who_are_signed_in(services, ada):
    bring(services, ada, chatgpt())
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=9)
    link = share_conversation(services.database, user_id=ada.id, conversation_id=conversation.id)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params["share"] = link
    app.run()
    page = app.switch_page("pages/shared_page.py").run()

    assert "Lisbon" not in texts(page.markdown)
    assert not page.title


def test_going_on_from_a_shared_conversation_makes_a_copy(services, ada, bob):
    bring(services, ada, chatgpt())
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=9)
    link = share_conversation(services.database, user_id=ada.id, conversation_id=conversation.id)

    page = button(open_page(bob, "shared", share=link), "Continue in my chats").click().run()

    (copy,) = list_conversations(services.database, user_id=bob.id, limit=9)
    assert copy.id in page.query_params["c"]
    assert "To Lisbon." in texts(page.markdown)
    assert not page.exception


def test_what_came_of_an_import_is_said_until_it_is_closed(services, ada):
    bring(services, ada, chatgpt(), roles_and_parts(), {"title": "Empty"})
    settings = open_page(ada, "settings")
    assert "2 conversations imported. 1 problem: see below." in texts(settings.success)
    assert "a.json, entry 3 “Empty”: it holds no messages." in texts(settings.markdown)

    settings = settings.button(key="import_close").click().run()
    assert not settings.success
    assert not settings.exception


def test_an_import_is_seen_by_nobody_else(services, ada, bob):
    bring(services, ada, chatgpt())
    assert not open_page(bob, "settings").success


def test_a_file_is_imported_from_the_page(services, ada):
    settings = open_page(ada, "settings")
    assert button(settings, "Import").disabled
    uploader = settings.file_uploader[0]
    uploader.upload("export.json", json.dumps([chatgpt()]).encode(), "application/json")
    settings = settings.run()
    settings = button(settings, "Import").click().run()
    services.imports.wait(ada.id, timeout_s=30)

    assert [found.title for found in list_conversations(services.database, user_id=ada.id, limit=9)] == ["Trip"]
    assert not settings.exception
