"""Signing in through an identity provider, in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.accounts.groups import Groups
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.live_server import free_port
from tests.support.oidc_provider import oidc_provider, write_secrets

FIRST = "grace@example.org"
SECOND = "linus@example.org"


@pytest.fixture(name="app_url", scope="module")
def _app_url(start, tmp_path_factory):
    home = tmp_path_factory.mktemp("oidc")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    _add_group(home / "data", "Laboratory")
    with oidc_provider(FIRST, SECOND, groups=["laboratory", "Elsewhere"]) as provider:
        write_secrets(home, app=url, provider=provider)
        start(directory=home, port=port, SWITCHBOARD_OIDC_GROUPS="groups")
        yield url


def test_people_come_through_the_provider_and_can_be_shut_out(app_url, open_profile):
    admin, person = open_profile(), open_profile()
    admin.goto(app_url)
    expect(admin.get_by_role("textbox", name="Password")).to_have_count(0)
    _through_provider(admin, FIRST)
    expect(admin.get_by_role("link", name="Admin")).to_be_visible()

    person.goto(app_url)
    _through_provider(person, SECOND)
    expect(person.get_by_role("link", name="Admin")).to_have_count(0)
    person.reload()
    expect(person.get_by_role("button", name="Sign out", exact=True)).to_be_visible()

    _manage(admin, "Linus", "Sign out everywhere")
    expect(admin.get_by_text("Every session of Linus has ended.")).to_be_visible()
    person.get_by_role("link", name="Settings").click()
    expect(person.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
    person.reload()
    expect(person.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
    _through_provider(person, SECOND)

    _manage(admin, "Linus", "Disable")
    expect(admin.get_by_text("Linus can no longer sign in.")).to_be_visible()
    person.get_by_role("link", name="Settings").click()
    expect(person.get_by_text("This account is disabled.")).to_be_visible()


def test_groups_follow_the_provider(app_url, page):
    page.goto(app_url)
    _through_provider(page, FIRST)
    page.goto(f"{app_url}/settings")

    expect(page.get_by_text("in the group Laboratory.")).to_be_visible()


def test_signing_out_stays_out_and_nothing_is_left(app_url, page):
    page.goto(app_url)
    _through_provider(page, FIRST)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="End session").click()  # the provider asks too
    expect(page.get_by_role("button", name="Continue with single sign-on")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Continue with single sign-on")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()


def _add_group(data_dir: Path, name: str) -> None:
    data_dir.mkdir()
    database = Database(f"duckdb:{data_dir / 'switchboard.duckdb'}")
    migrate(database)
    Groups(database).create(name, actor_id=None)
    database.close()


def _through_provider(page: Page, who: str) -> None:
    page.get_by_role("button", name="Continue with single sign-on").click()
    page.get_by_placeholder("sub").fill(who)
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(timeout=20_000)


def _manage(admin: Page, name: str, action: str) -> None:
    admin.get_by_role("link", name="Admin").click()
    admin.get_by_role("combobox", name="Manage").click()
    admin.get_by_role("option", name=name).click()
    admin.get_by_role("button", name=action, exact=True).click()
