"""Finding a message again, and chats that are not stored, in Chromium."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from core.accounts.users import create_user
from core.chat.store import insert_message, load_conversation
from core.clock import utc_now
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.browsing import ADMIN, PASSWORD, open_signed_in
from tests.support.chatting import ask, composer, messages, wait_until_answered, write_registry
from tests.support.conversations import chain, make_conversation
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

LONG = [f"Message {number} about the plan. " + "Some more words. " * 12 for number in range(30)]


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    """A server whose administrator has a long conversation: "zebra" stands where a branch left behind begins."""
    directory = tmp_path_factory.mktemp("finding")
    (directory / "data").mkdir()
    database = Database(f"duckdb:{directory / 'data' / 'switchboard.duckdb'}")
    migrate(database)
    user = create_user(database, username=ADMIN, display_name="Ada", password=PASSWORD, role="admin")
    _fork(database, user.id)
    database.close()
    registry = write_registry(directory / "models.yaml", provider)
    return start(directory=directory, SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_TITLES="on")


def _fork(database: Database, user_id: str) -> None:
    started = utc_now() - timedelta(days=3)
    conversation_id = make_conversation(database, user_id, "The long plan", "Yes.", model="swift", now=started)
    leaf = load_conversation(database, conversation_id=conversation_id, user_id=user_id).leaf_message_id
    old = chain(conversation_id, ("A Zébra?", *LONG), parent_id=leaf, model="swift", now=started)
    new = chain(conversation_id, ("Something else", "Fine."), parent_id=leaf, model="swift", now=started + timedelta(1))
    database.transaction(lambda cur: [insert_message(cur, message) for message in (*old, *new)])


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def test_search_lands_on_the_message_on_its_branch_with_the_words_marked(chat: Page) -> None:
    chat.get_by_role("button", name="Search").wait_for()
    chat.keyboard.press("Control+k")
    box = chat.get_by_role("searchbox", name="Search all conversations")
    expect(box).to_be_focused()
    box.fill("zebra")
    hit = chat.get_by_role("button", name="A Zébra?")

    hit.click()

    found = chat.locator(".st-key-found_message")
    expect(found).to_contain_text("A Zébra?")
    expect(found).to_be_in_viewport()
    chat.wait_for_function("CSS.highlights.get('found')?.size === 1")
    expect(messages(chat).filter(has_text="Message 29")).to_have_count(1)
    expect(messages(chat).filter(has_text="Something else")).to_have_count(0)


def test_a_temporary_chat_is_gone_after_a_reload(chat: Page) -> None:
    chat.get_by_role("button", name="Temporary chat").click()
    expect(chat.locator(".st-key-temporary_mark")).to_contain_text("Nothing said here is stored")
    ask(chat, "A xylophone")
    wait_until_answered(chat, 2)
    expect(messages(chat).nth(1)).to_contain_text(re.compile(r"Swift · \d+ in"))

    chat.reload()

    expect(chat.get_by_text("What can I help with?")).to_be_visible()
    expect(messages(chat)).to_have_count(0)
    expect(chat.locator(".st-key-conversations")).not_to_contain_text("xylophone")


def test_a_title_comes_by_itself_after_the_first_answer(chat: Page) -> None:
    ask(chat, "How do trains stay on their rails?")
    wait_until_answered(chat, 2)

    # The model that names conversations says what it always says.
    expect(chat.locator(".st-key-conversations")).to_contain_text("A short answer")
