"""Conversations come in from a file, go out as one, and are shared by a link; prompts land in the message box."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import field, open_signed_in, sign_in
from tests.support.chatting import composer, messages
from tests.support.exports import chatgpt

TITLE = "Trip to Lisbon"


def settings(page: Page) -> None:
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Import")).to_be_visible()


def in_menu(page: Page, choice: str) -> None:
    """Choose from the menu of the open conversation."""
    page.locator(".st-key-conversation_menu button:visible").first.click()
    page.get_by_text(choice, exact=True).click()


def link_on_show(page: Page) -> Locator:
    return page.get_by_test_id("stCode").filter(has_text="/shared?share=")


def bring(page: Page, tmp_path) -> None:
    """Import a conversation beside a damaged one."""
    export = tmp_path / "conversations.json"
    export.write_text(f"[{{broken, {json.dumps(chatgpt(title=TITLE))}]", encoding="utf-8")
    settings(page)
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(str(export))
    start = page.get_by_role("button", name="Import", exact=True)
    expect(start).to_be_enabled()
    start.click()
    expect(page.get_by_text("1 problem: see below.")).to_be_visible()


def test_a_conversation_is_imported_exported_shared_and_revoked(page: Page, open_profile, server, tmp_path) -> None:
    open_signed_in(page, server)
    bring(page, tmp_path)
    page.get_by_role("link", name="Chat").click()
    page.get_by_role("button", name=TITLE).first.click()
    expect(messages(page)).to_have_count(2)

    in_menu(page, "Export")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Export as JSON").click()
    exported = json.loads(downloading.value.path().read_text(encoding="utf-8"))
    assert downloading.value.suggested_filename == f"{TITLE}.json"
    assert [one["content"] for one in exported["conversations"][0]["messages"]] == ["Where to?", "To Lisbon."]
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    in_menu(page, "Share")
    page.get_by_role("button", name="Create link").click()
    expect(link_on_show(page)).to_have_count(1)
    link = link_on_show(page).inner_text().strip()

    stranger = open_profile()
    stranger.goto(server.url)
    stranger.goto(link)
    expect(field(stranger, "Username")).to_be_visible()
    expect(stranger.get_by_text("To Lisbon.")).to_have_count(0)
    sign_in(stranger)
    stranger.goto(link)
    expect(stranger.get_by_text("To Lisbon.")).to_be_visible()
    expect(composer(stranger)).to_have_count(0)

    page.get_by_role("button", name="Revoke").click()
    expect(link_on_show(page)).to_have_count(0)
    stranger.goto(link)
    expect(stranger.get_by_text("This shared conversation was not found.")).to_be_visible()


def test_a_prompt_is_filled_in_and_waits_in_the_message_box(page: Page, server) -> None:
    open_signed_in(page, server)
    settings(page)
    page.get_by_text("Write a prompt").click()
    field(page, "Name").fill("Summary")
    field(page, "Text").fill("Sum up {{text}}\nfor {{audience}}.")
    page.get_by_role("button", name="Save prompt").click()
    expect(page.get_by_role("button", name="Delete prompt")).to_be_visible()

    page.get_by_role("link", name="Chat").click()
    page.get_by_role("button", name="Prompts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    composer(page).press("/")
    page.get_by_role("combobox", name="Prompt", exact=True).click()
    page.get_by_role("option", name="Summary").click()
    field(page, "text").fill("one line\nand another")
    field(page, "audience").fill("children")
    page.get_by_role("button", name="Use prompt").click()

    expect(composer(page)).to_have_value("Sum up one line\nand another\nfor children.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(messages(page)).to_have_count(0)
