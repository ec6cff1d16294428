"""The main pages on a store in a PostgreSQL, which goes away and comes back in the middle."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browsing import sign_in
from tests.support.chatting import ask, choose_model, messages, wait_until_answered, write_registry
from tests.support.live_server import start_server
from tests.support.postgres import running_postgres
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

PASSWORD = "correct horse battery"


def test_chat_comparison_and_costs_outlive_the_database_and_the_server(page: Page, tmp_path, postgres) -> None:
    with running_postgres() as database, ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("html", say("Another answer."))
        settings = {
            "SWITCHBOARD_STORE": database.create(),
            "SWITCHBOARD_ADMIN_PASSWORD": PASSWORD,
            "SWITCHBOARD_MODELS": str(write_registry(tmp_path / "models.yaml", provider)),
        }
        server = start_server(tmp_path, **settings)
        try:
            page.goto(server.url)
            sign_in(page, "admin", PASSWORD)
            choose_model(page, "Swift")
            ask(page, "Will you remember?")
            wait_until_answered(page, 2)

            database.stop()
            page.reload()
            expect(page.get_by_text("does not answer").first).to_be_visible(timeout=20_000)
            database.start()
            page.reload()
            choose_model(page, "Html")
            ask(page, "And now?")
            wait_until_answered(page, 4)
            address = page.url
        finally:
            server.stop()

        server = start_server(tmp_path, port=int(server.url.rpartition(":")[2]), **settings)
        try:
            page.goto(address)
            expect(messages(page).nth(1)).to_contain_text("A short answer.")
            expect(messages(page).nth(3)).to_contain_text("Another answer.")
            page.get_by_role("link", name="Costs").click()
            expect(page.get_by_text("in 2 calls").first).to_be_visible(timeout=20_000)
            page.get_by_role("link", name="Compare").click()
            box = page.get_by_placeholder(re.compile("^Ask (all of them|them more)$"))
            box.fill("Why?")
            box.press("Enter")
            expect(page.locator('.st-key-compare_columns [class*="st-key-column_"]').first).to_contain_text(
                "answer.", timeout=20_000
            )
        finally:
            server.stop()
