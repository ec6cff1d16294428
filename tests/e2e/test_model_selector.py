"""The model selector as a person uses it: search, filters, keyboard, favourites, with five models and with 500."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in, sign_in, sign_out
from tests.support.chatting import choose_model, composer, messages
from tests.support.live_server import LiveServer
from tests.support.provider_server import port_nobody_listens_on

PHONE = {"width": 390, "height": 844}
LONG_LABEL = "A model whose name was written by a committee that could not agree on one, 80ch"
FEW = [
    {"id": "alpha-1", "label": "Alpha", "price": {"input": 1, "output": 2}, "use_cases": ["coding"]},
    {"id": "alpha-large", "label": "Alpha Large", "price": {"input": 9, "output": 30},
     "use_cases": ["coding", "writing"], "capabilities": ["vision", "tools"]},
    {"id": "beta", "label": "Béta", "price": "free", "use_cases": ["writing"], "capabilities": ["vision"]},
    {"id": "long", "label": LONG_LABEL, "capabilities": ["pdf", "audio", "reasoning", "json", "tools", "vision"]},
    {"id": "keyless", "call": "anthropic/claude-sonnet-4-5", "label": "Keyless", "capabilities": []},
]  # fmt: skip
MANY = [
    {
        "id": f"vendor{number % 12}-model-{number}",
        "call": f"vendor{number % 12}/model-{number}",
        "label": f"Vendor {number % 12} Model {number} Preview",
        "price": {"input": 0.25 + number, "output": 2 + number},
        "use_cases": ["coding", "writing", "everyday"][: number % 4],
        "capabilities": ["vision", "tools", "json"][: number % 3],
    }
    for number in range(500)
]
# A switch sends the page without the list of models.
MOST_BYTES_OF_A_SWITCH = 30_000


def _registry(path: Path, models: list[dict]) -> Path:
    base = f"http://127.0.0.1:{port_nobody_listens_on()}/v1"
    entry = {"kind": "openai", "api_base": base, "api_key": "none"}
    providers = dict.fromkeys(("loop", *(f"vendor{number}" for number in range(12))), entry)
    listed = [{"call": f"loop/{model['id']}", "context_tokens": 400_000, **model} for model in models]
    # JSON is YAML.
    path.write_text(json.dumps({"providers": providers, "models": listed}), encoding="utf-8")
    return path


@pytest.fixture(name="start_with", scope="module")
def _start_with(start, browser, tmp_path_factory):
    def start_with(models: list[dict]) -> LiveServer:
        registry = _registry(tmp_path_factory.mktemp("registry") / "models.yaml", models)
        return start(SWITCHBOARD_MODELS=str(registry), admin=True)

    return start_with


@pytest.fixture(name="few", scope="module")
def _few(start_with) -> LiveServer:
    return start_with(FEW)


@pytest.fixture(name="many", scope="module")
def _many(start_with) -> LiveServer:
    return start_with(MANY)


def _open(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    expect(selector(page)).not_to_have_value("")
    return page


@pytest.fixture(name="chat")
def _chat(page: Page, few: LiveServer) -> Page:
    return _open(page, few)


def selector(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Model", exact=True)


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Models").get_by_role("option")


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Filter models").get_by_role("button", name=name, exact=True)


def test_a_model_is_chosen_with_the_keyboard_alone(chat: Page) -> None:
    composer(chat).press("Control+m")
    expect(selector(chat)).to_be_focused()
    chat.keyboard.type("writing large")
    expect(options(chat)).to_have_count(1)
    chat.keyboard.press("Enter")

    expect(selector(chat)).to_have_value("Alpha Large")
    expect(chat.get_by_role("listbox", name="Models")).to_be_hidden()
    expect(chat.get_by_test_id("stSidebar")).to_contain_text("$9.00 in, $30.00 out per million")
    expect(selector(chat)).to_be_focused()


def test_typing_opens_the_list_and_keeps_every_letter(chat: Page) -> None:
    selector(chat).focus()
    chat.keyboard.press("Control+a")
    chat.keyboard.type("alpha l")
    expect(selector(chat)).to_have_value("alpha l")
    chat.keyboard.press("Enter")

    expect(selector(chat)).to_have_value("Alpha Large")


def test_arrows_move_and_escape_leaves_the_choice_alone(chat: Page) -> None:
    before = selector(chat).input_value()
    selector(chat).press("ArrowDown")
    selector(chat).press("ArrowDown")
    active = selector(chat).get_attribute("aria-activedescendant")
    expect(chat.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    chat.keyboard.type("nothing like it")
    expect(chat.get_by_text("No model matches")).to_be_visible()
    chat.keyboard.press("Enter")
    chat.keyboard.press("Escape")

    expect(chat.get_by_role("listbox", name="Models")).to_be_hidden()
    expect(selector(chat)).to_have_value(before)


@pytest.mark.parametrize(
    ("typed", "first"),
    [("Alpha", "Alpha"), ("alpha-1", "Alpha"), ("alpha l", "Alpha Large"), ("beta", "Béta"), ("anthropic", "Keyless")],
)
def test_typing_finds_by_label_id_and_provider_the_nearest_first(chat: Page, typed: str, first: str) -> None:
    selector(chat).fill(typed)

    expect(options(chat).first.locator(".name")).to_have_text(first)


def test_only_one_option_is_marked_after_the_list_has_changed(chat: Page) -> None:
    selector(chat).fill("large")
    expect(options(chat)).to_have_count(1)
    selector(chat).fill("")

    expect(options(chat)).to_have_count(len(FEW))
    expect(chat.get_by_role("option", selected=True)).to_have_count(1)


def test_filters_narrow_the_list_and_are_cleared(chat: Page) -> None:
    selector(chat).click()
    expect(options(chat)).to_have_count(len(FEW))
    chip(chat, "writing").click()
    expect(options(chat)).to_have_count(2)
    expect(chat.get_by_role("group", name="Recommended for writing (our suggestion)")).to_be_visible()
    chip(chat, "free").click()
    expect(options(chat)).to_have_count(1)
    expect(options(chat)).to_contain_text("Béta")
    expect(selector(chat)).to_be_focused()
    chip(chat, "Clear").click()

    expect(options(chat)).to_have_count(len(FEW))


def test_filters_work_with_the_keyboard(chat: Page) -> None:
    selector(chat).press("ArrowDown")
    chat.keyboard.press("Tab")
    expect(chip(chat, "free")).to_be_focused()
    chat.keyboard.press("Space")
    expect(chip(chat, "free")).to_have_attribute("aria-pressed", "true")
    expect(chip(chat, "free")).to_be_focused()
    chat.keyboard.press("ArrowRight")
    chat.keyboard.press("ArrowRight")
    expect(chip(chat, "cheap")).to_be_focused()
    chat.keyboard.press("ArrowDown")
    chat.keyboard.press("Enter")

    expect(selector(chat)).to_have_value("Béta")


def test_a_model_without_a_key_says_so_in_the_list(chat: Page) -> None:
    selector(chat).fill("keyless")

    expect(options(chat)).to_have_count(1)
    expect(options(chat)).to_contain_text("no key: set ANTHROPIC_API_KEY")
    expect(options(chat).locator(".dot")).to_have_class("dot no_key")


def test_a_click_elsewhere_closes_the_list(chat: Page) -> None:
    selector(chat).click()
    expect(chat.get_by_role("listbox", name="Models")).to_be_visible()
    chat.get_by_text("What can I help with?").click()

    expect(chat.get_by_role("listbox", name="Models")).to_be_hidden()


def test_a_favourite_comes_first_and_stays_after_signing_out(chat: Page) -> None:
    choose_model(chat, "Keyless")
    chat.locator(".st-key-favourite_keyless label").click()
    selector(chat).click()
    expect(chat.get_by_role("group", name="Favourites").get_by_role("option")).to_contain_text("Keyless")
    selector(chat).press("Escape")
    sign_out(chat)
    sign_in(chat)
    expect(selector(chat)).not_to_have_value("")
    selector(chat).click()

    expect(options(chat).first).to_contain_text("Keyless")
    assert options(chat).count() == len(FEW)


def test_the_choice_survives_another_page_and_is_that_of_the_conversation(chat: Page) -> None:
    choose_model(chat, "Béta")
    # Until the card shows it: leaving earlier may reach Streamlit while it is still taking in the choice.
    expect(chat.locator(".st-key-favourite_beta")).to_be_attached()
    chat.get_by_role("link", name="Settings").click()
    expect(chat.get_by_role("heading", name="Settings")).to_be_visible()
    chat.get_by_role("link", name="Chat", exact=True).click()

    expect(selector(chat)).to_have_value("Béta")


def test_the_details_are_drawn_when_asked_for(chat: Page) -> None:
    choose_model(chat, "Alpha Large")
    expect(chat.get_by_text("Context window")).to_have_count(0)
    chat.get_by_role("button", name="Details").click()

    expect(chat.get_by_text("400,000 tokens")).to_be_visible()
    expect(chat.get_by_text("not used")).to_be_visible()


def test_details_open_and_close_with_the_keyboard_and_the_focus_stays(chat: Page) -> None:
    choose_model(chat, "Alpha Large")
    details = chat.get_by_role("button", name="Details")
    details.focus()
    expect(details).to_be_focused()
    chat.keyboard.press("Enter")
    expect(chat.get_by_text("400,000 tokens")).to_be_visible()
    chat.keyboard.press("Escape")

    expect(chat.get_by_text("400,000 tokens")).to_have_count(0)
    expect(details).to_be_focused()
    chat.keyboard.press("Tab")
    expect(chat.get_by_role("button", name="Compare")).to_be_focused()


def test_on_a_phone_a_choice_in_the_sidebar_closes_it(chat: Page) -> None:
    new_chat = chat.locator(".st-key-new_chat button")
    chat.set_viewport_size(PHONE)
    chat.reload()
    composer(chat).wait_for()
    # From then on the scripts of the sidebar run; that of the list of models is the last of them.
    expect(selector(chat)).not_to_have_value("")
    chat.get_by_role("button", name="Expand sidebar").click()
    expect(new_chat).to_be_in_viewport()
    new_chat.click()
    expect(new_chat).not_to_be_in_viewport()
    chat.get_by_role("button", name="Expand sidebar").click()
    expect(new_chat).to_be_in_viewport()
    # Nor does it lie over what the address leads to.
    chat.reload()
    composer(chat).wait_for()
    expect(selector(chat)).not_to_have_value("")
    expect(new_chat).not_to_be_in_viewport()
    chat.get_by_role("button", name="Expand sidebar").click()
    chat.get_by_role("link", name="Settings").click()

    expect(chat.get_by_role("heading", name="Settings")).to_be_visible()
    expect(chat.get_by_role("link", name="Settings")).not_to_be_in_viewport()


def test_five_hundred_models_are_all_there_and_a_switch_does_not_send_them(many: LiveServer, page: Page) -> None:
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    _open(page, many)
    selector(page).click()
    expect(options(page)).to_have_count(500)
    expect(page.get_by_text("500 of 500 models")).to_be_visible()
    selector(page).fill("vendor 5 47")
    expect(options(page).first.locator(".name")).to_have_text("Vendor 5 Model 473 Preview")
    selector(page).fill("vendor5-model-473")
    expect(options(page)).to_have_count(1)
    received.clear()
    selector(page).press("Enter")

    expect(page.get_by_test_id("stSidebar")).to_contain_text("$473.25 in")
    expect(selector(page)).to_have_value("Vendor 5 Model 473 Preview")
    assert 0 < sum(received) < MOST_BYTES_OF_A_SWITCH
    expect(messages(page)).to_have_count(0)
