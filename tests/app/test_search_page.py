"""The search page and the list of conversations under AppTest: found, opened, ticked, brought back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services
from core.chat.organise import add_tags, archive, delete_conversations, pin
from core.chat.store import list_conversations, load_conversation
from core.clock import utc_now
from tests.support.conversations import make_conversation
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="ada")
def _ada(services: Services):
    return add_person(services.database, "ada")


@pytest.fixture(name="plan")
def _plan(services, ada):
    return make_conversation(
        services.database, ada.id, "A plan for Zürich", "Take *the* train", now=utc_now() - timedelta(days=2)
    )


@pytest.fixture(name="page")
def _page(app: AppTest, ada) -> AppTest:
    # A first run on the page of the start: AppTest would run another one without its frame.
    return sign_in_app(app, ada).run()


def _search(page: AppTest, text: str = "") -> AppTest:
    page.switch_page("pages/search_page.py").run()
    return page.text_input(key="search_query").set_value(text).run() if text else page


def _button(page: AppTest, key: str):
    return next(button for button in page.button if button.key == key)


def _keys(page: AppTest, start: str) -> list[str]:
    return [button.key for button in page.button if (button.key or "").startswith(start)]


def _captions(page: AppTest) -> list[str]:
    return [caption.value.replace("\\", "") for caption in page.caption]


def test_a_message_is_found_with_its_words_marked_and_opens(page, services, ada, plan):
    _search(page, "TRAIN")

    (key,) = _keys(page, "hit_")
    assert _button(page, key).label == r"Take \*the\* :primary-background[train]"

    _button(page, key).click().run()

    assert not page.exception
    assert page.query_params["c"] in (plan, [plan])
    assert len(page.chat_message) == 2


def test_titles_are_found_beside_messages(page, plan):
    _search(page, "zurich")

    assert _keys(page, "found_") == [f"found_{plan}"]
    assert {"In titles", "In messages"} <= set(_captions(page))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere", "No message holds all of this"),
        ("tag:nothing", "No conversation fits"),
    ],
)
def test_nothing_found_says_what_to_do(page, plan, text, words):
    _search(page, text)

    assert any(words in caption for caption in _captions(page))


def test_a_query_that_cannot_be_read_says_so(page, plan):
    _search(page, "before:soon")

    assert "needs a date such as" in page.warning[0].value
    assert not _keys(page, "found_")


def test_somebody_elses_conversation_is_not_found(page, services):
    bob = add_person(services.database, "bob")
    make_conversation(services.database, bob.id, "A secret train")

    _search(page, "train")

    assert not _keys(page, "hit_")
    assert not _keys(page, "found_")


def test_what_was_searched_for_is_still_there_on_the_way_back(page, plan):
    _search(page, "train")
    page.switch_page("pages/chat_page.py").run()

    page.switch_page("pages/search_page.py").run()

    assert page.text_input(key="search_query").value == "train"


def test_ticked_ones_are_deleted_together_and_brought_back(page, services, ada, plan):
    other = make_conversation(services.database, ada.id, "Another", now=utc_now())
    _search(page)
    _button(page, "tick_all").click().run()
    _button(page, "ticked_delete").click().run()

    assert list_conversations(services.database, user_id=ada.id, limit=9) == []
    assert "Deleted 2 conversations" in _captions(page)

    _button(page, "undo").click().run()

    assert not page.exception
    assert _keys(page, "found_") == [f"found_{other}", f"found_{plan}"]


def test_a_deleted_one_is_listed_and_brought_back_later(page, services, ada, plan):
    delete_conversations(services.database, conversation_ids=[plan], user_id=ada.id)
    _search(page)
    page.button_group(key="search_archived").set_value("Deleted").run()

    assert not _keys(page, "found_")
    assert any("for 30 days" in caption for caption in _captions(page))
    _button(page, f"bring_back_{plan}").click().run()

    assert not page.exception
    assert "Nothing is deleted." in _captions(page)
    assert load_conversation(services.database, conversation_id=plan, user_id=ada.id).deleted_at is None


def test_ticked_ones_are_pinned_tagged_and_archived(page, services, ada, plan):
    for key in ("ticked_pin", "ticked_archive"):
        _search(page)
        page.checkbox(key=f"tick_{plan}").check().run()
        _button(page, key).click().run()

    stored = load_conversation(services.database, conversation_id=plan, user_id=ada.id)
    assert stored.pinned_at is not None
    assert stored.archived_at is not None
    assert any("No conversations yet" in caption for caption in _captions(page))
    page.button_group(key="search_archived").set_value("Archived").run()
    assert _keys(page, "found_") == [f"found_{plan}"]


def test_tags_are_added_to_what_is_ticked_and_lead_to_it(page, services, ada, plan):
    make_conversation(services.database, ada.id, "Another")
    _search(page)
    page.checkbox(key=f"tick_{plan}").check().run()
    page.text_input(key="tag_ticked").set_value("Travel, work")
    next(button for button in page.button if button.label == "Add").click().run()

    assert load_conversation(services.database, conversation_id=plan, user_id=ada.id).tags == "travel work"
    _button(page, "tag_work").click().run()

    assert page.text_input(key="search_query").value == "tag:work"
    assert _keys(page, "found_") == [f"found_{plan}"]


def test_too_many_tags_are_refused_in_words(page, plan):
    _search(page)
    page.checkbox(key=f"tick_{plan}").check().run()
    page.text_input(key="tag_ticked").set_value(",".join(f"t{number}" for number in range(11)))
    next(button for button in page.button if button.label == "Add").click().run()

    assert not page.exception
    assert "can have 10 tags" in page.warning[0].value


def test_only_a_page_of_many_is_listed(page, services, ada):
    for number in range(35):
        make_conversation(services.database, ada.id, f"Number {number}")

    _search(page)
    assert len(_keys(page, "found_")) == 30
    _button(page, "more_found").click().run()

    assert len(_keys(page, "found_")) == 35


def test_the_sidebar_groups_by_day_with_the_pinned_first_and_without_the_archived(page, services, ada, plan):
    now = utc_now()
    for title, days in (("Fresh", 0), ("Week", 5), ("Old", 90), ("Away", 0)):
        made = make_conversation(services.database, ada.id, title, now=now - timedelta(days=days))
        if title == "Old":
            pin(services.database, conversation_ids=[made], user_id=ada.id, pinned=True)
        if title == "Away":
            archive(services.database, conversation_ids=[made], user_id=ada.id, archived=True)

    page.run()

    labels = [button.label for button in page.sidebar.button if (button.key or "").startswith("open_0")]
    assert labels == ["Old", "Fresh", "A plan for Zürich", "Week"]
    headings = [caption for caption in _captions(page) if caption in {"Pinned", "Today", "Previous 7 days", "Older"}]
    assert headings == ["Pinned", "Today", "Previous 7 days"]


def test_tags_and_the_archive_are_said_in_the_header(page, services, ada, plan):
    add_tags(services.database, conversation_ids=[plan], user_id=ada.id, tags=["work"])
    archive(services.database, conversation_ids=[plan], user_id=ada.id, archived=True)

    page.query_params["c"] = plan
    page.run()

    (header,) = [element.value for element in page.markdown if element.value.startswith("**A plan")]
    assert ":gray-badge[work]" in header
    assert "archived" in header


@pytest.mark.parametrize("path", ["models", "settings"])
def test_other_pages_lead_to_the_search_too(page, path):
    page.switch_page(f"pages/{path}_page.py").run()

    _button(page, "open_search").click().run()

    assert not page.exception
    assert page.text_input(key="search_query").value == ""


def test_the_search_page_does_not_lead_to_itself(page):
    _search(page)

    assert not _keys(page, "open_search")


@pytest.mark.parametrize("place", ["search", "compare", "costs", "models", "settings"])
def test_a_new_chat_begins_from_every_page(page, services, ada, plan, place):
    _search(page, "TRAIN")
    _button(page, _keys(page, "hit_")[0]).click().run()
    page.switch_page(f"pages/{place}_page.py").run()

    _button(page, "new_chat").click().run()

    assert "What can I help with?" in [heading.value for heading in page.subheader]
    assert "c" not in page.query_params
