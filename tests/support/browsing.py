"""What every browser test does: create the administrator, sign in, sign out."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from core.accounts.session_secret import load_session_secret
from core.accounts.sessions import start_session, write_token
from core.accounts.users import User, create_user
from core.store.database import Database
from tests.support.fresh_stores import lay_data_dir
from tests.support.live_server import LiveServer, wait_for
from tests.support.people import QUICK

ADMIN = "ada"
PASSWORD = "correct horse battery"
COOKIE = "switchboard_session"

# The sessions of those who have signed in on a server of these tests, by its process and their name.
_SESSIONS: dict[tuple[int, str], list[Any]] = {}


def field(page: Page, label: str):
    """A text field by its exact label."""
    return page.get_by_role("textbox", name=label, exact=True)


def create_admin(page: Page, server: LiveServer, *, username: str = ADMIN, password: str = PASSWORD) -> None:
    """Open a fresh installation and create its administrator; ends signed in, with the cookie written."""
    page.goto(server.url)
    field(page, "One-time code").wait_for()
    fill_setup(page, code=server.setup_code(), username=username, password=password)
    page.get_by_role("button", name="Create and sign in").click()
    wait_until_signed_in(page)
    _SESSIONS[server.process.pid, username] = page.context.cookies()


def add_admin(data_dir: Path) -> User:
    """Put the administrator into the store of a server that has not been started yet."""
    data_dir.mkdir(parents=True)
    lay_data_dir(data_dir)
    with closing(Database(f"duckdb:{data_dir / 'switchboard.duckdb'}")) as database:
        return create_user(
            database, username=ADMIN, display_name=ADMIN.title(), password=PASSWORD, role="admin", rounds=QUICK
        )


def keep_session(server: LiveServer, user: User) -> None:
    """Let `open_signed_in` find a session of this person, as if they had signed in before."""
    token = write_token(start_session(user), secret=load_session_secret(server.data_dir))
    _SESSIONS[server.process.pid, user.username] = [{"name": COOKIE, "value": token, "url": server.url}]


def open_signed_in(page: Page, server: LiveServer, *, username: str = ADMIN, password: str = PASSWORD) -> None:
    """Open the app signed in, as a browser that kept its session does; by the form where there is none.

    For tests of something else than signing in: the form and its cookie take seconds.
    """
    page.context.add_cookies(_SESSIONS.get((server.process.pid, username), []))
    page.goto(server.url)
    either = page.get_by_role("button", name=re.compile("^Sign (in|out)$"))
    expect(either).to_be_visible(timeout=20_000)
    if either.inner_text().endswith("in"):
        sign_in(page, username, password)
        _SESSIONS[server.process.pid, username] = page.context.cookies()


def empty_profile(context: BrowserContext) -> None:
    """Close its pages and forget all that they kept, but for the cache of files."""
    for page in context.pages:
        devtools = context.new_cdp_session(page)
        address = urlsplit(page.url)
        kept = {"origin": f"{address.scheme}://{address.netloc}", "storageTypes": "all"}
        devtools.send("Storage.clearDataForOrigin", kept)
        page.close()
    context.clear_cookies()
    context.clear_permissions()


def fill_setup(page: Page, *, code: str, username: str = ADMIN, password: str = PASSWORD, again: str = "") -> None:
    """Fill in the form of the first administrator."""
    field(page, "One-time code").fill(code)
    field(page, "Your name").fill(username.title())
    field(page, "Username").fill(username)
    field(page, "Password").fill(password)
    field(page, "Password again").fill(again or password)


def sign_in(page: Page, username: str = ADMIN, password: str = PASSWORD) -> None:
    """Sign in on the card that is on show; ends with the cookie written."""
    before = session_cookie(page)
    submit_sign_in(page, username, password)
    wait_until_signed_in(page, before=before)


def submit_sign_in(page: Page, username: str, password: str) -> None:
    """Fill in and send the sign-in form, whatever comes of it."""
    field(page, "Username").fill(username)
    field(page, "Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    """Sign out and wait for the card and for the cookie to go."""
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(field(page, "Username")).to_be_visible()
    wait_for(lambda: not session_cookie(page), what="the session cookie to go")


def wait_until_signed_in(page: Page, *, before: str = "") -> None:
    """Wait for the frame of the pages and for a cookie other than `before`: from then on a reload stays signed in."""
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(timeout=20_000)
    wait_for(lambda: session_cookie(page) not in {"", before}, what="the session cookie")


def session_cookie(page: Page) -> str:
    """The session that the browser keeps, or an empty string."""
    kept = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE]
    return kept[0] if kept else ""
