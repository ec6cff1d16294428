"""The sign-in card, the gate behind it and the guards inside the pages."""

from __future__ import annotations

import ast
import re

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.changes import disable_user, reset_password, set_role, sign_out_everywhere
from core.accounts.users import count_users, find_user, load_user
from tests.support.live_server import ROOT
from tests.support.people import PASSWORD, QUICK, add_person
from tests.support.signed_in import sign_in_app

PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py"))


def _texts(app: AppTest) -> list[str]:
    # Texts are escaped for Markdown.
    return [element.value.replace("\\", "") for element in (*app.error, *app.info, *app.markdown)]


def _labels(app: AppTest) -> list[str]:
    return [field.label for field in app.text_input]


def _submit_sign_in(app: AppTest, username: str, password: str) -> AppTest:
    app.text_input(key="sign_in_username").set_value(username)
    app.text_input(key="sign_in_password").set_value(password)
    return _button(app, "Sign in").click().run()


def _button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def _assert_signed_out(app: AppTest) -> None:
    assert not app.exception
    assert "Sign in" in [button.label for button in app.button]
    assert not app.sidebar.button
    assert not app.title
    assert not app.chat_input


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


def test_the_first_visitor_creates_the_administrator(app, services, capsys):
    app.run()
    code = re.search(r"one-time code[^:]*: (\S+)", capsys.readouterr().out)[1]
    assert _labels(app) == ["One-time code", "Your name", "Username", "Password", "Password again"]

    app.text_input(key="setup_code").set_value("wrong")
    app.text_input(key="setup_display_name").set_value("Ada L")
    app.text_input(key="setup_username").set_value("Ada")
    app.text_input(key="setup_password").set_value(PASSWORD)
    app.text_input(key="setup_repeated").set_value(PASSWORD)
    _button(app, "Create and sign in").click().run()
    assert any("That code is not right" in text for text in _texts(app))
    assert count_users(services.database) == 0

    app.text_input(key="setup_code").set_value(code)
    _button(app, "Create and sign in").click().run()
    assert not app.exception
    assert find_user(services.database, "ada").is_admin
    assert "Sign out" in [button.label for button in app.sidebar.button]


def test_signing_in_and_out_by_the_form(app, ada):
    _submit_sign_in(app.run(), "ada", "wrong wrong")
    assert any("The name or the password is not right" in text for text in _texts(app))
    assert app.text_input(key="sign_in_password").value == ""
    assert app.text_input(key="sign_in_username").value == "ada"

    _submit_sign_in(app, "ada", PASSWORD)
    assert not app.exception
    assert not app.text_input

    app.session_state["something_private"] = "of ada"
    app.sidebar.button(key="sign_out").click().run()
    _assert_signed_out(app)
    assert "something_private" not in app.session_state


def test_a_session_counts_from_one_run_to_the_next_and_no_longer(app, services, ada):
    add_person(services.database, "root", role="admin")
    sign_in_app(app, ada).run()
    assert app.sidebar.button(key="sign_out")

    sign_out_everywhere(services.database, user_id=ada.id, actor_id=None)
    app.session_state["something_private"] = "of ada"
    app.run()
    _assert_signed_out(app)
    assert "Your session has ended" in app.info[0].value
    assert "something_private" not in app.session_state


def test_a_disabled_person_is_out_on_the_next_run(app, services, ada):
    bob = add_person(services.database, "bob")
    sign_in_app(app, bob).run()
    disable_user(services.database, user_id=bob.id, actor_id=ada.id)

    app.run()
    _assert_signed_out(app)


def test_somebody_with_a_one_time_password_gets_no_further_than_choosing_one(app, services, ada):
    reset_password(services.database, user_id=ada.id, new="KQF7-92MD-AAAA", actor_id=None, rounds=QUICK)
    _submit_sign_in(app.run(), "ada", "KQF7-92MD-AAAA")
    assert _labels(app) == ["Password", "Password again"]
    assert not app.chat_input

    for password, again, problem in (
        ("KQF7-92MD-AAAA", "KQF7-92MD-AAAA", "one-time password"),
        ("short", "short", "too short"),
        ("battery staple", "battery stable", "differ"),
    ):
        app.text_input(key="setup_password").set_value(password)
        app.text_input(key="setup_repeated").set_value(again)
        _button(app, "Save and go on").click().run()
        assert any(problem in text for text in _texts(app))
    app.text_input(key="setup_repeated").set_value("battery staple")
    _button(app, "Save and go on").click().run()
    assert not app.text_input
    assert not load_user(services.database, ada.id).password_is_one_time


@pytest.mark.parametrize("page", PAGES)
def test_a_page_run_without_app_py_shows_nothing_and_ends(services, ada, page):
    alone = AppTest.from_file(str(ROOT / "pages" / page), default_timeout=20).run()

    assert not alone.exception
    assert not alone.main.children
    assert not alone.sidebar.children


def test_every_page_begins_with_a_guard():
    for page in PAGES:
        body = ast.parse((ROOT / "pages" / page).read_text(encoding="utf-8")).body
        first = next(statement for statement in body if not _is_preamble(statement))
        assert re.fullmatch(r"(\w+ = )?require_(user|admin)\(\)", ast.unparse(first)), page


def _is_preamble(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr | ast.Assign) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Import | ast.ImportFrom)


def test_the_administrators_page_stops_a_member(services, ada):
    bob = add_person(services.database, "bob")
    alone = sign_in_app(AppTest.from_file(str(ROOT / "pages" / "admin_page.py"), default_timeout=20), bob)

    alone.run()
    assert [error.value for error in alone.error] == ["This page is for administrators."]
    assert not alone.tabs

    set_role(services.database, user_id=bob.id, role="admin", actor_id=ada.id)
    alone.run()
    assert [tab.label for tab in alone.tabs] == ["People", "Groups", "Budgets", "Prices", "Audit"]
