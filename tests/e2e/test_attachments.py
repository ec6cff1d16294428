"""Files in messages as a person adds them, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import choose_model, composer, messages, wait_until_answered, write_registry
from tests.support.files import picture
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

SEER = "\n  - {id: seer, call: loop/seer, label: Seer, price: {input: 3, output: 6}, capabilities: [vision]}\n"
CAT = {"name": "cat.png", "mimeType": "image/png", "buffer": picture(400, 200)}
FIGURES = {"name": "<b>figures :red[x].csv", "mimeType": "text/csv", "buffer": b"month,usd\n1,12\n"}


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("seer", say("A cat and a table."))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    registry.write_text(registry.read_text() + SEER)
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def attach(page: Page, *files: dict[str, object]) -> None:
    """Choose files in the composer and wait until all of them are uploaded."""
    page.locator('[data-testid="stChatInput"] input[type="file"]').set_input_files(list(files))
    for file in files:
        expect(page.get_by_role("button", name=f"Remove {file['name']}")).to_be_visible()
    expect(page.get_by_test_id("stChatInput").get_by_role("progressbar")).to_have_count(0)


def thumbnail(page: Page) -> Locator:
    return messages(page).get_by_role("img", name="cat.png")


def test_files_wait_for_a_model_that_can_take_them_and_are_shown_with_their_message(chat: Page, provider) -> None:
    choose_model(chat, "Swift")
    attach(chat, CAT, FIGURES)
    composer(chat).fill("What is this?")
    composer(chat).press("Enter")

    expect(chat.get_by_text("Swift cannot see images, and your message has one.")).to_be_visible()
    expect(composer(chat)).to_have_value("What is this?")
    chat.get_by_role("button", name="Use Seer").click()
    expect(chat.get_by_role("button", name="Use Seer")).to_have_count(0)
    expect(composer(chat)).to_have_value("What is this?")
    composer(chat).press("Enter")
    wait_until_answered(chat, 2)

    expect(thumbnail(chat)).to_be_visible()
    expect(thumbnail(chat)).to_have_js_property("naturalWidth", 400)
    content = provider.requests[-1].body["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["image_url", "text", "text"]
    assert "month,usd" in content[1]["text"]
    with chat.expect_download() as downloading:
        chat.get_by_role("button", name="<b>figures :red[x].csv (15 bytes)").click()
    assert downloading.value.path().read_bytes() == FIGURES["buffer"]

    chat.reload()
    expect(thumbnail(chat)).to_be_visible()


def test_an_image_is_pasted(chat: Page) -> None:
    choose_model(chat, "Seer")
    composer(chat).focus()
    chat.evaluate(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "cat.png", {type: "image/png"}));
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        list(CAT["buffer"]),
    )
    expect(chat.get_by_role("button", name="Remove cat.png")).to_be_visible()
    composer(chat).fill("And this?")
    composer(chat).press("Enter")
    wait_until_answered(chat, 2)

    expect(thumbnail(chat)).to_be_visible()
