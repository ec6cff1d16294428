"""Signing in and out as a person does it, in Chromium."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import (
    ADMIN,
    COOKIE,
    PASSWORD,
    create_admin,
    field,
    fill_setup,
    session_cookie,
    sign_in,
    sign_out,
    submit_sign_in,
    wait_until_signed_in,
)
from tests.support.live_server import wait_for

DAY_S = 86_400


def test_the_administrator_is_created_once_with_the_code_of_the_terminal(start, open_profile):
    server = start()
    first, second = open_profile(), open_profile()
    first.goto(server.url)
    second.goto(server.url)
    expect(field(second, "One-time code")).to_be_visible()
    fill_setup(first, code="AAAA-AAAA")
    first.get_by_role("button", name="Create and sign in").click()
    expect(first.get_by_text("That code is not right.")).to_be_visible()

    fill_setup(first, code=server.setup_code(), again="something else")
    first.get_by_role("button", name="Create and sign in").click()
    expect(first.get_by_text("The two passwords differ.")).to_be_visible()

    code = server.setup_code()
    fill_setup(first, code=code)
    first.get_by_role("button", name="Create and sign in").dblclick()
    wait_until_signed_in(first)

    fill_setup(second, code=code, username="eve")
    second.get_by_role("button", name="Create and sign in").click()
    expect(second.get_by_text("The administrator has been created already.")).to_be_visible()
    expect(field(second, "One-time code")).to_have_count(0)


@pytest.mark.parametrize("path", ["admin", "settings"])
def test_a_deep_link_as_the_very_first_visit_shows_the_card_and_nothing_else(start, page, path):
    server = start(SWITCHBOARD_ADMIN_PASSWORD=PASSWORD)
    page.goto(f"{server.url}/{path}")

    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    _expect_nothing_of_the_pages(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    submit_sign_in(page, "admin", PASSWORD)
    wait_until_signed_in(page)
    expect(page.get_by_role("heading", name=path.title())).to_be_visible()


def test_the_file_name_of_a_page_as_the_very_first_visit_shows_nothing_of_it(start, page):
    # The address that Streamlit's discovery of pages/ would serve by the page's script alone.
    server = start(SWITCHBOARD_ADMIN_PASSWORD=PASSWORD)
    page.goto(f"{server.url}/admin_page")

    expect(page.get_by_role("textbox", name="Username", exact=True, include_hidden=True)).to_have_count(1)
    expect(page.get_by_text("Add a person")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()


def test_signing_in_survives_reloads_and_signing_out_does_too(server, page):
    page.goto(server.url)
    for _ in range(3):
        sign_in(page)
        page.reload()
        wait_until_signed_in(page)
        sign_out(page)
        page.reload()
        expect(field(page, "Username")).to_be_visible()
        _expect_nothing_of_the_pages(page)


def test_a_reload_right_after_signing_out_stays_out(server, page):
    page.goto(server.url)
    sign_in(page)
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == COOKIE)
    sign_out(page)

    # The browser's part may come late or never: the server has ended the session.
    page.context.add_cookies([cookie])
    page.reload()
    expect(field(page, "Username")).to_be_visible()


def test_a_page_opened_by_its_address_is_there_at_once(server, page):
    page.goto(server.url)
    sign_in(page)
    page.goto(f"{server.url}/settings")

    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)


def test_the_cookie_ends_after_thirty_days_and_stays_on_this_site(server, page):
    page.goto(server.url)
    sign_in(page)
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == COOKIE)

    assert cookie["sameSite"] == "Strict"
    assert abs(cookie["expires"] - time.time() - 30 * DAY_S) < DAY_S / 24


def test_a_made_up_cookie_is_nobody(server, page):
    page.context.add_cookies([{"name": COOKIE, "value": "a.b.c", "url": server.url}])
    page.goto(server.url)

    expect(field(page, "Username")).to_be_visible()
    sign_in(page)
    page.reload()
    wait_until_signed_in(page)


def test_signing_out_everywhere_ends_the_other_browser_on_its_next_click(server, open_profile):
    here, there = open_profile(), open_profile()
    for page in (here, there):
        page.goto(f"{server.url}/settings")
        sign_in(page)
    there.get_by_role("button", name="Sign out everywhere").click()
    expect(field(there, "Username")).to_be_visible()

    here.get_by_role("link", name="Chat").click()
    expect(here.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
    _expect_nothing_of_the_pages(here)
    here.reload()
    expect(field(here, "Username")).to_be_visible()
    sign_in(here)


def test_signing_out_ends_the_other_tab_of_the_same_browser(server, page):
    page.goto(f"{server.url}/settings")
    sign_in(page)
    other = page.context.new_page()
    other.goto(f"{server.url}/settings")
    expect(other.get_by_role("heading", name="Settings")).to_be_visible()
    sign_out(page)

    other.get_by_role("button", name="Save name").click()
    expect(field(other, "Username")).to_be_visible()


def test_a_changed_password_keeps_this_browser_and_ends_the_other(start, open_profile):
    server = start()
    here, there = open_profile(), open_profile()
    create_admin(here, server)
    there.goto(f"{server.url}/settings")
    sign_in(there)
    before = session_cookie(here)

    here.goto(f"{server.url}/settings")
    field(here, "Current password").fill(PASSWORD)
    field(here, "New password").fill("battery staple")
    field(here, "New password again").fill("battery staple")
    here.get_by_role("button", name="Change password").click()
    expect(here.get_by_text("Password changed.")).to_be_visible()
    wait_until_signed_in(here, before=before)
    here.reload()
    wait_until_signed_in(here)

    there.get_by_role("button", name="Save name").click()
    expect(field(there, "Username")).to_be_visible()
    submit_sign_in(there, ADMIN, PASSWORD)
    expect(there.get_by_text("The name or the password is not right.")).to_be_visible()
    sign_in(there, ADMIN, "battery staple")


def test_five_wrong_passwords_lock_the_name(server, page):
    page.goto(server.url)
    for _ in range(4):
        submit_sign_in(page, "mallory", "wrong wrong")
        expect(page.get_by_text("Check both and try again.")).to_be_visible()
        expect(field(page, "Password")).to_have_value("")
    submit_sign_in(page, "mallory", "wrong wrong")
    expect(page.get_by_text("try again in 30 seconds")).to_be_visible()
    submit_sign_in(page, "mallory", PASSWORD)
    expect(page.get_by_text("Too many failed tries for this name.")).to_be_visible()


def test_a_new_person_chooses_a_password_and_is_out_on_the_next_click_when_disabled(server, open_profile):
    admin, person = open_profile(), open_profile()
    admin.goto(f"{server.url}/admin")
    sign_in(admin)
    one_time = _add_person(admin, "bob")

    person.goto(f"{server.url}/settings")
    submit_sign_in(person, "bob", one_time)
    expect(person.get_by_text("Choose your own password.")).to_be_visible()
    _expect_nothing_of_the_pages(person)
    _choose_password(person, "bob has his own")
    expect(person.get_by_role("link", name="Admin")).to_have_count(0)

    _manage(admin, "Bob (bob)", "Disable")
    expect(admin.get_by_text("Bob can no longer sign in.")).to_be_visible()
    person.get_by_role("button", name="Save name").click()
    expect(field(person, "Username")).to_be_visible()
    _expect_nothing_of_the_pages(person)
    submit_sign_in(person, "bob", "bob has his own")
    expect(person.get_by_text("This account is disabled.")).to_be_visible()


def test_a_member_cannot_open_the_administrators_page(server, open_profile):
    admin, person = open_profile(), open_profile()
    admin.goto(f"{server.url}/admin")
    sign_in(admin)
    one_time = _add_person(admin, "carol")
    person.goto(server.url)
    _first_sign_in(person, "carol", one_time)

    person.goto(f"{server.url}/admin")
    expect(person.get_by_text("This page is for administrators.")).to_be_visible()
    expect(person.get_by_role("tab", name="People")).to_have_count(0)


def test_nothing_of_one_person_is_left_for_the_next_in_the_same_tab(server, open_profile):
    admin = open_profile()
    admin.goto(f"{server.url}/admin")
    sign_in(admin)
    one_time = _add_person(admin, "dora")
    admin.get_by_role("link", name="Settings").click()
    field(admin, "Name that others see").fill("a secret of Ada")
    admin.keyboard.press("Tab")
    sign_out(admin)
    _first_sign_in(admin, "dora", one_time)

    admin.get_by_role("link", name="Settings").click()
    expect(field(admin, "Name that others see")).to_have_value("Dora")
    expect(admin.get_by_text("secret of Ada")).to_have_count(0)


def _expect_nothing_of_the_pages(page: Page) -> None:
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)
    expect(page.get_by_role("heading")).to_have_text(["Switchboard"])
    expect(page.get_by_test_id("stChatInput")).to_have_count(0)


def _add_person(admin: Page, username: str) -> str:
    admin.get_by_role("button", name="Add a person").click()
    field(admin, "Name that others see").fill(username.title())
    field(admin, "Username").fill(username)
    admin.get_by_role("button", name="Add", exact=True).click()
    expect(admin.get_by_text(f"One-time password of {username}.")).to_be_visible()
    password = admin.get_by_test_id("stCode").inner_text().strip()
    admin.get_by_role("button", name="Done", exact=True).click()
    expect(admin.get_by_test_id("stCode")).to_have_count(0)
    return password


def _manage(admin: Page, title: str, action: str) -> None:
    admin.get_by_role("combobox", name="Manage").click()
    admin.get_by_role("option", name=title).click()
    admin.get_by_role("button", name=action, exact=True).click()


def _first_sign_in(page: Page, username: str, one_time: str) -> None:
    submit_sign_in(page, username, one_time)
    _choose_password(page, f"own words of {username}")


def _choose_password(page: Page, password: str) -> None:
    field(page, "Password again").wait_for()
    # The one-time password's own cookie may still be on its way: taken for the next one, it is revoked a moment later.
    wait_for(lambda: session_cookie(page), what="the cookie of the one-time password")
    before = session_cookie(page)
    field(page, "Password").fill(password)
    field(page, "Password again").fill(password)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("button", name="Save and go on")).to_have_count(0)
    wait_until_signed_in(page, before=before)
