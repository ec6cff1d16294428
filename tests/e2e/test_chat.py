"""The chat as a person uses it, against a provider on loopback."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import (
    ask,
    choose_model,
    composer,
    menu,
    messages,
    stop_button,
    wait_until_answered,
    write_registry,
)
from tests.support.live_server import LiveServer, wait_for
from tests.support.provider_behaviour import RATE_LIMITED, say
from tests.support.provider_server import ProviderServer

SHORT = say("A **bold** answer with `code`.\n\n```python\nprint('hi')\n```\n\nIt costs $5 and $E = mc^2$.")
# Longer than a busy machine takes for a reload: the tests stop it.
ENDLESS = " ".join(f"word{number}" for number in range(4000))
HTML = "Before <script>document.title = 'hacked'</script><img src=x onerror=\"document.title='hacked'\"> after."


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", SHORT)
        provider.behave("steady", say(ENDLESS, tokens_per_second=40))
        provider.behave("html", say(HTML))
        # Asked again at once: how long it waits otherwise is a matter of the tests of routing.
        provider.behave("fault-429", replace(RATE_LIMITED, retry_after="0"))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    return start(SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_STALL_S="2", admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    """A page signed in, on a new chat."""
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def test_an_answer_shows_its_markdown_and_what_it_took(chat: Page) -> None:
    ask(chat, "Hello there")
    wait_until_answered(chat, 2)

    answer = messages(chat).nth(1)
    expect(answer.locator("strong").first).to_have_text("bold")
    expect(answer.locator("pre code")).to_contain_text("print('hi')")
    expect(answer.locator(".katex")).to_have_count(1)
    expect(answer).to_contain_text("It costs $5")
    expect(answer).to_contain_text(re.compile(r"Swift · \d+ in · \d+ out · \$0\.0\d+ · \d+\.\d s to first token"))


def test_a_suggestion_starts_a_conversation_and_is_asked_once(chat: Page, provider: ProviderServer) -> None:
    # Longer than the 5 s after which the status line wants to be drawn again: that run must not ask once more.
    provider.behave("swift", say(" ".join(f"word{number}" for number in range(140)), tokens_per_second=20))
    before = len(provider.requests)
    try:
        chat.get_by_role("button", name="Plan five simple dinners").click()
        expect(messages(chat).nth(1)).to_contain_text("word139", timeout=20_000)
        wait_until_answered(chat, 2)

        assert not provider.wait_for(lambda requests: len(requests) > before + 1, timeout_s=3.0)
        expect(messages(chat).nth(0)).to_contain_text("Plan five simple dinners")
    finally:
        provider.behave("swift", SHORT)


def test_the_url_opens_the_conversation_after_a_reload_and_in_another_tab(chat: Page) -> None:
    ask(chat, "Remember me")
    wait_until_answered(chat, 2)
    expect(chat).to_have_url(re.compile(r"\?c=[0-9a-f-]{36}"))

    chat.reload()
    expect(messages(chat)).to_have_count(2)
    other = chat.context.new_page()
    other.goto(chat.url)

    expect(messages(other).nth(0)).to_contain_text("Remember me")


def test_an_answer_goes_on_while_the_person_looks_elsewhere(chat: Page, provider: ProviderServer) -> None:
    provider.behave("steady", say(" ".join(f"word{number}" for number in range(240)), tokens_per_second=40))
    try:
        choose_model(chat, "Steady")
        ask(chat, "Take your time")
        expect(messages(chat).nth(1)).to_contain_text("word20")

        chat.get_by_role("link", name="Settings").click()
        expect(chat.get_by_role("heading", name="Settings")).to_be_visible()
        chat.get_by_role("link", name="Chat", exact=True).click()

        expect(messages(chat).nth(1)).to_contain_text("word239", timeout=20_000)
        wait_until_answered(chat, 2)
    finally:
        provider.behave("steady", say(ENDLESS, tokens_per_second=40))


def test_a_reload_in_mid_answer_finds_it_running(chat: Page) -> None:
    choose_model(chat, "Steady")
    ask(chat, "Keep going")
    expect(messages(chat).nth(1)).to_contain_text("word20")

    chat.reload()

    expect(stop_button(chat)).to_be_visible()
    expect(messages(chat).nth(1)).to_contain_text("word60")
    stop_button(chat).click()
    wait_until_answered(chat, 2)


def test_stop_closes_the_connection_within_a_second_and_keeps_the_text(chat: Page, provider: ProviderServer) -> None:
    choose_model(chat, "Steady")
    ask(chat, "Stop me")
    expect(messages(chat).nth(1)).to_contain_text("word10")
    before = len(provider.requests)

    stop_button(chat).click()

    assert provider.wait_for(lambda requests: requests[before - 1].disconnected_at is not None, timeout_s=1.0)
    wait_until_answered(chat, 2)
    expect(messages(chat).nth(1)).to_contain_text("word10")
    expect(messages(chat).nth(1)).to_contain_text("Steady · stopped")
    expect(messages(chat).nth(1)).to_contain_text("about $0.0")
    expect(chat.get_by_role("button", name="Try again")).to_be_visible()


def test_a_second_message_at_the_same_time_is_refused_and_kept(chat: Page) -> None:
    choose_model(chat, "Steady")
    ask(chat, "First")
    expect(messages(chat).nth(1)).to_contain_text("word5")
    second = chat.context.new_page()
    second.goto(chat.url)
    expect(messages(second).nth(1)).to_contain_text("word5")

    ask(second, "Second, from another tab")

    expect(second.get_by_text("still being written")).to_be_visible()
    expect(composer(second)).to_have_value("Second, from another tab")
    stop_button(second).click()
    wait_until_answered(second, 2)


def test_every_message_says_who_answered_after_a_switch(chat: Page) -> None:
    ask(chat, "One")
    wait_until_answered(chat, 2)
    choose_model(chat, "Html")
    ask(chat, "Two")
    wait_until_answered(chat, 4)

    expect(messages(chat).nth(1)).to_contain_text("Swift ·")
    expect(messages(chat).nth(3)).to_contain_text("Html ·")
    chat.reload()
    expect(messages(chat)).to_have_count(4)
    expect(chat.get_by_role("combobox", name="Model", exact=True)).to_have_value(re.compile("Html"))


def test_markup_shows_as_text_and_never_runs(chat: Page) -> None:
    choose_model(chat, "Html")
    images = "![x](http://127.0.0.1:1/?q=secret) ![a [b]](http://127.0.0.1:1/?q=secret)"
    ask(chat, f"<script>document.title = 'hacked'</script> {images}")
    wait_until_answered(chat, 2)

    expect(messages(chat).nth(0)).to_contain_text("<script>document.title = 'hacked'</script>")
    expect(messages(chat).nth(1)).to_contain_text("<img src=x onerror=")
    expect(messages(chat).locator("img")).to_have_count(0)
    assert "hacked" not in chat.title()


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("Away", "cannot be reached"),
        ("Wrong key", "key"),
        ("Limited", "rate limit"),
        ("Failing", "Try again"),
        ("Stalling", "sent nothing for 2 seconds"),
        ("Truncated", "kept"),
        ("Dropped", "kept"),
    ],
)
def test_a_fault_ends_in_a_plain_sentence_and_a_way_on(chat: Page, label: str, sentence: str) -> None:
    choose_model(chat, label)
    ask(chat, "Try this")
    wait_until_answered(chat, 2)

    expect(messages(chat).nth(1)).to_contain_text(re.compile(sentence, re.IGNORECASE))
    expect(messages(chat).nth(1)).not_to_contain_text("sk-abcd")
    choose_model(chat, "Swift")
    chat.get_by_role("button", name="Try again").click()
    wait_until_answered(chat, 2)
    expect(messages(chat).nth(1)).to_contain_text("A bold answer")


def test_a_model_without_a_key_refuses_and_keeps_the_draft(chat: Page) -> None:
    choose_model(chat, "Keyless")
    ask(chat, "A precious draft")

    expect(chat.get_by_text("its provider has no key")).to_be_visible()
    expect(composer(chat)).to_have_value("A precious draft")


def test_a_message_of_a_megabyte_is_refused_and_kept(chat: Page) -> None:
    text = "many words " * 95_000
    composer(chat).fill(text)
    composer(chat).press("Enter")

    expect(chat.get_by_text(re.compile(r"about [\d,]+ tokens; Swift takes 100,000"))).to_be_visible(timeout=20_000)
    assert len(composer(chat).input_value()) == len(text)


def test_a_conversation_is_renamed_deleted_and_brought_back(chat: Page) -> None:
    ask(chat, "A title to change")
    wait_until_answered(chat, 2)

    menu(chat, "Rename")
    chat.get_by_role("textbox", name="Title").fill("Quarterly plan")
    chat.get_by_role("button", name="Save").click()
    sidebar = chat.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("button", name="Quarterly plan")).to_be_visible()
    menu(chat, "Delete")
    expect(sidebar.get_by_role("button", name="Quarterly plan")).to_have_count(0)
    sidebar.get_by_role("button", name="Undo").click()

    expect(sidebar.get_by_role("button", name="Quarterly plan")).to_be_visible()
    expect(messages(chat)).to_have_count(2)


def test_new_chat_leaves_the_old_one_in_the_list(chat: Page) -> None:
    ask(chat, "An old conversation")
    wait_until_answered(chat, 2)

    chat.get_by_role("button", name="New chat").click()
    expect(chat.get_by_text("What can I help with?")).to_be_visible()
    chat.get_by_test_id("stSidebar").get_by_role("button", name="An old conversation").first.click()

    expect(messages(chat)).to_have_count(2)


def test_somebody_elses_conversation_is_not_found(chat: Page, server: LiveServer) -> None:
    chat.goto(f"{server.url}/?c=01900000-0000-7000-8000-000000000000")

    expect(chat.get_by_text("This conversation was not found.")).to_be_visible()
    chat.get_by_test_id("stMain").get_by_role("button", name="New chat").click()
    expect(composer(chat)).to_be_visible()


def test_the_page_asks_nobody_but_its_own_server(page: Page, server: LiveServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    open_signed_in(page, server)
    ask(page, "Hello")
    wait_until_answered(page, 2)

    wait_for(lambda: asked, what="requests")
    elsewhere = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == []
