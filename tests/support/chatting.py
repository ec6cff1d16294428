"""What every browser test of the chat does, and a registry file that leads to the loopback provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from tests.support.live_server import LiveServer
from tests.support.provider_server import ProviderServer, port_nobody_listens_on

# id -> (the loopback provider's name for it, label)
MODELS: Mapping[str, tuple[str, str]] = {
    "swift": ("swift", "Swift"),
    "steady": ("steady", "Steady"),
    "html": ("html", "Html"),
    "refused-401": ("fault-401", "Wrong key"),
    "limited": ("fault-429", "Limited"),
    "failing": ("fault-500", "Failing"),
    "stalling": ("fault-stall", "Stalling"),
    "truncated": ("fault-truncated", "Truncated"),
    "dropped": ("fault-dropped", "Dropped"),
}


def write_registry(path: Path, provider: ProviderServer) -> Path:
    """A registry of the loopback provider's models: a dollar per million in, two out; `away` has no server."""
    lines = [
        "providers:",
        f"  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}",
        f"  away: {{kind: openai, api_base: 'http://127.0.0.1:{port_nobody_listens_on()}/v1', api_key: none}}",
        "models:",
        *(
            f"  - {{id: {name}, call: loop/{upstream}, label: {label}, price: {{input: 1, output: 2}}, "
            "context_tokens: 100000}"
            for name, (upstream, label) in MODELS.items()
        ),
        "  - {id: away, call: away/nothing, label: Away, price: {input: 1, output: 2}}",
        "  - {id: keyless, call: anthropic/claude-sonnet-4-5, label: Keyless}",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def choose_in_menu(page: AppTest, choice: str) -> AppTest:
    """What the browser sends when an entry of the menu is chosen, which AppTest itself cannot."""
    (menu,) = page.get("menu_button")
    assert choice in menu.proto.options
    states = page._tree.get_widget_states()
    states.widgets.add(id=menu.proto.id).string_trigger_value.data = choice
    return page._run(states)


def click_again(page: AppTest, button_id: str) -> AppTest:
    """The second click of a double click, on a button that may have gone by now."""
    states = page._tree.get_widget_states()
    states.widgets.add(id=button_id).trigger_value = True
    return page._run(states)


def double_click(page: AppTest, label: str) -> AppTest:
    """Two clicks on a button: with the second one the browser still sends what it held at the first."""
    next(button for button in page.button if button.label == label).click()
    clicked = page._tree.get_widget_states()
    again = type(clicked)()
    again.CopyFrom(clicked)
    page._run(clicked)
    return page._run(again)


def run_with_echo(page: AppTest, widget_id: str, **value: Any) -> AppTest:
    """A run in which the browser says once more what a widget held that was taken out of it, or off the page.

    `value` is a field of Streamlit's WidgetState.
    """
    states = page._tree.get_widget_states()
    others = [state for state in states.widgets if state.id != widget_id]
    del states.widgets[:]
    states.widgets.extend(others)
    states.widgets.add(id=widget_id, **value)
    return page._run(states)


def composer(page: Page) -> Locator:
    """The box where one types."""
    return page.get_by_placeholder("Ask anything")


def ask(page: Page, text: str) -> None:
    """Type and send."""
    composer(page).fill(text)
    composer(page).press("Enter")


def messages(page: Page) -> Locator:
    """The messages on show, in order."""
    return page.get_by_test_id("stChatMessage")


def stop_button(page: Page) -> Locator:
    """Our button that is there while an answer is written.

    Streamlit has one of the same name in the header, which our style hides once it has been loaded.
    """
    return page.locator(".st-key-stop").get_by_role("button", name="Stop", exact=True)


def wait_until_answered(page: Page, count: int) -> None:
    """Wait until `count` messages are on show and none is being written any more."""
    expect(messages(page)).to_have_count(count, timeout=60_000)
    expect(stop_button(page)).to_have_count(0, timeout=60_000)


def choose_model(page: Page, label: str) -> None:
    """Choose a model in the sidebar by typing its label, with the keyboard alone."""
    selector = page.get_by_role("combobox", name="Model", exact=True)
    selector.click()
    selector.fill(label)
    page.get_by_role("option").filter(has_text=label).first.wait_for()
    selector.press("Enter")
    expect(selector).to_have_value(re.compile(re.escape(label)))
    # Until the card shows it, too: what is sent in between may reach Streamlit while it is still taking in the choice.
    for name in (name for name, (_, known) in MODELS.items() if known == label):
        expect(page.locator(f".st-key-favourite_{name}")).to_be_attached()


def choose_in_app(app: AppTest, model_id: str) -> AppTest:
    """What the browser sends when a model is chosen in the list, also one that is not in it."""
    return send_from_component(app, "model_selector", event="chosen", value=model_id)


def send_from_component(app: AppTest, name: str, *, event: str, value: Any, key: str = "") -> AppTest:
    """Run the app with an event of a component on the page, which AppTest itself cannot cause.

    `key` says which one, where there are several of that name.
    """
    named = (part for part in app.get("bidi_component") if part.proto.component_name == name)
    component = next(part for part in named if key in part.proto.id)
    states = app._tree.get_widget_states()
    # The id that Streamlit gives to the events of a component (components/v2/bidi_component/main.py).
    events = states.widgets.add(id=f"$$STREAMLIT_INTERNAL_KEY_{component.proto.id}__events")
    events.json_trigger_value = json.dumps([{"event": event, "value": value}])
    return app._run(states)


def menu(page: Page, choice: str) -> None:
    """Choose from the menu of the open conversation."""
    page.locator(".st-key-conversation_menu button").first.click()
    page.get_by_text(choice, exact=True).click()


def stored(server: LiveServer, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    """Rows of the store of a server that has been stopped."""
    database = Database(f"duckdb:{server.data_dir / 'switchboard.duckdb'}")
    try:
        return database.fetch_all(sql, **parameters)
    finally:
        database.close()


def cost(tokens_in: int, tokens_out: int) -> Decimal:
    """What the models of `write_registry` cost."""
    return (Decimal(tokens_in) + 2 * Decimal(tokens_out)) / 1_000_000
