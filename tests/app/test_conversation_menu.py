"""The menu of the open conversation under AppTest."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services
from core.chat.organise import set_tags
from core.chat.store import list_conversations, load_conversation, set_use_case
from tests.support.chatting import choose_in_menu
from tests.support.conversations import make_conversation
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="ada")
def _ada(services: Services):
    return add_person(services.database, "ada")


@pytest.fixture(name="plan")
def _plan(services, ada):
    return make_conversation(services.database, ada.id, "A plan", "Fine.")


@pytest.fixture(name="page")
def _page(app: AppTest, ada, plan) -> AppTest:
    page = sign_in_app(app, ada)
    page.query_params["c"] = plan
    return page.run()


def _stored(services, ada, plan):
    return load_conversation(services.database, conversation_id=plan, user_id=ada.id)


@pytest.mark.parametrize(
    ("choice", "back", "field"),
    [("Pin", "Unpin", "pinned_at"), ("Archive", "Take out of the archive", "archived_at")],
)
def test_pinning_and_archiving_and_their_way_back(page, services, ada, plan, *, choice, back, field):
    choose_in_menu(page, choice)
    assert getattr(_stored(services, ada, plan), field) is not None

    choose_in_menu(page, back)
    assert getattr(_stored(services, ada, plan), field) is None
    assert not page.exception


def test_deleting_offers_the_way_back(page, services, ada, plan):
    choose_in_menu(page, "Delete")
    assert list_conversations(services.database, user_id=ada.id, limit=5) == []
    assert any("Deleted A plan" in caption.value for caption in page.caption)

    next(button for button in page.button if button.key == "undo").click().run()

    assert len(page.chat_message) == 2


def test_tags_are_shown_as_they_are_typed(page, services, ada, plan):
    set_tags(services.database, conversation_id=plan, user_id=ada.id, tags=("work", "q3"))

    choose_in_menu(page, "Tags")

    assert not page.exception
    (typed,) = [box.value for box in page.text_input if box.label.startswith("Tags, separated")]
    assert typed == "work, q3"


def test_what_a_chat_is_for_is_corrected(page, services, ada, plan):
    set_use_case(services.database, conversation_id=plan, user_id=ada.id, use_case="writing")

    choose_in_menu(page, "What it is for")

    # The page has set its own `use_case` in the session by now: the form must not be of that name.
    assert "use_case" in page.session_state
    assert not page.exception
    assert [radio.value for radio in page.radio] == ["writing"]
