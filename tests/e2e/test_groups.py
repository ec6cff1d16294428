"""A model opened to a group: who is in it uses the model, who is not is refused, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core.store.database import Database
from core.store.migrate import migrate
from tests.support.browsing import field, open_signed_in
from tests.support.chatting import ask, choose_model, composer, messages, wait_until_answered
from tests.support.live_server import LiveServer
from tests.support.people import PASSWORD, add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

MARKER_PX, FIRST_ROW_PX = 18, 52
# One for each try: what a first one left half done must not be in the way of a second.
GROUPS = iter(("Scientists", "Researchers"))


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory) -> LiveServer:
    home = tmp_path_factory.mktemp("groups")
    with ProviderServer() as provider:
        provider.behave("lab", say("From the laboratory."))
        registry = home / "models.yaml"
        registry.write_text(
            f"providers:\n  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}\n"
            "models:\n"
            "  - {id: lab, call: loop/lab, label: Laboratory, price: free}\n"
            "  - {id: other, call: loop/lab, label: Other, price: free}\n",
            encoding="utf-8",
        )
        _add_people(home / "data", "bob", "eve")
        yield start(directory=home, SWITCHBOARD_MODELS=str(registry))


def test_a_model_for_a_group_is_used_inside_and_refused_outside(server, open_profile) -> None:
    eve = _signed_in(open_profile(), server, "eve")
    composer(eve).wait_for()
    choose_model(eve, "Laboratory")

    admin = _signed_in(open_profile(), server, "ada")
    group = next(GROUPS)
    _add_group(admin, group, "Bob")
    _restrict_first_model(admin, f"group {group}")

    # Her page still shows the model: what she sends is refused by the server, and kept.
    ask(eve, "What is in the test tube?")
    expect(eve.get_by_text("Laboratory is not open to you.")).to_be_visible()
    expect(composer(eve)).to_have_value("What is in the test tube?")
    expect(messages(eve)).to_have_count(0)
    selector = eve.get_by_role("combobox", name="Model", exact=True)
    selector.click()
    expect(eve.get_by_role("option").filter(has_text="Other")).to_be_visible()
    expect(eve.get_by_role("option").filter(has_text="Laboratory")).to_have_count(0)

    bob = _signed_in(open_profile(), server, "bob")
    composer(bob).wait_for()
    choose_model(bob, "Laboratory")
    ask(bob, "What is in the test tube?")
    wait_until_answered(bob, 2)
    expect(messages(bob).last).to_contain_text("From the laboratory.")


def _add_people(data_dir, *members: str) -> None:
    data_dir.mkdir()
    database = Database(f"duckdb:{data_dir / 'switchboard.duckdb'}")
    migrate(database)
    add_person(database, "ada", role="admin")
    for username in members:
        add_person(database, username)
    database.close()


def _signed_in(page: Page, server: LiveServer, username: str) -> Page:
    open_signed_in(page, server, username=username, password=PASSWORD)
    return page


def _add_group(admin: Page, name: str, member: str) -> None:
    admin.get_by_role("link", name="Admin").click()
    admin.get_by_role("tab", name="Groups").click()
    admin.get_by_role("button", name="Add a group").click()
    field(admin, "Name of the group").fill(name)
    admin.get_by_role("combobox", name="Members").click()
    admin.get_by_role("option", name=member).click()
    admin.keyboard.press("Escape")
    admin.get_by_role("button", name="Add group", exact=True).click()
    expect(admin.get_by_text(f"Members of {name}")).to_be_visible()


def _restrict_first_model(admin: Page, word: str) -> None:
    admin.get_by_role("link", name="Models").click()
    expect(admin.get_by_role("heading", name="Models")).to_be_visible()
    table = admin.get_by_test_id("stDataFrame").get_by_role("grid", include_hidden=True)
    expect(table).to_have_attribute("aria-rowcount", "3")
    admin.locator(".dvn-scroller").click(position={"x": MARKER_PX, "y": FIRST_ROW_PX})
    expect(admin.get_by_role("heading", name="Laboratory")).to_be_visible()
    access = admin.get_by_role("combobox", name="Who may use it")
    access.click()
    access.press("Backspace")
    access.fill(word)
    admin.get_by_role("option", name=word, exact=True).wait_for()
    # By the keyboard: taking a word out moves the field, and its list may then hang below the window.
    access.press("Enter")
    admin.keyboard.press("Escape")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("Differs from the registry: access.")).to_be_visible()
