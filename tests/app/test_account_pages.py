"""The Settings and Admin pages."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.changes import disable_user, sign_out_everywhere
from core.accounts.preferences import save_team_default
from core.accounts.sign_in import authenticate
from core.accounts.tokens import find_bearer, list_tokens
from core.accounts.users import find_user, list_users, load_user
from tests.support.chatting import double_click
from tests.support.live_server import ROOT
from tests.support.people import PASSWORD, add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="settings_page")
def _settings_page(ada):
    return sign_in_app(AppTest.from_file(str(ROOT / "pages" / "settings_page.py"), default_timeout=20), ada).run()


@pytest.fixture(name="admin_page")
def _admin_page(ada):
    return sign_in_app(AppTest.from_file(str(ROOT / "pages" / "admin_page.py"), default_timeout=20), ada).run()


def _click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_a_name_is_saved_or_refused(settings_page, services, ada):
    settings_page.text_input(key="settings_display_name").set_value("Ada Lovelace")
    _click(settings_page, "Save name")
    assert load_user(services.database, ada.id).display_name == "Ada Lovelace"
    assert settings_page.toast[0].value == "Name saved\\."

    settings_page.text_input(key="settings_display_name").set_value(" ")
    _click(settings_page, "Save name")
    assert "A name is missing" in settings_page.error[0].value
    assert load_user(services.database, ada.id).display_name == "Ada Lovelace"


def test_a_password_is_changed_and_the_person_stays(settings_page, services):
    for current, new, again, problem in (
        (PASSWORD, "battery staple", "battery stable", "differ"),
        ("wrong wrong", "battery staple", "battery staple", "not right"),
        (PASSWORD, "short", "short", "too short"),
    ):
        _fill_password(settings_page, current, new, again)
        assert problem in settings_page.error[0].value
    _fill_password(settings_page, PASSWORD, "battery staple", "battery staple")

    assert not settings_page.error
    assert settings_page.text_input(key="settings_new_password").value == ""
    assert authenticate(services.database, username="ada", password="battery staple")
    assert settings_page.run().title


def test_what_a_revoked_person_clicks_does_nothing(settings_page, services, ada):
    sign_out_everywhere(services.database, user_id=ada.id, actor_id=None)
    settings_page.text_input(key="settings_display_name").set_value("Mallory")
    _click(settings_page, "Save name")

    assert load_user(services.database, ada.id).display_name == "Ada"
    assert not settings_page.title


def test_signing_out_everywhere_ends_this_session_too(settings_page):
    _click(settings_page, "Sign out everywhere")

    assert not settings_page.exception
    assert not settings_page.title


def test_a_person_is_added_with_a_password_shown_until_done(admin_page, services):
    admin_page.text_input(key="people_name").set_value("Bob")
    admin_page.text_input(key="people_username").set_value("BOB")
    _click(admin_page, "Add")
    password = admin_page.code[0].value

    assert not admin_page.exception
    bob = authenticate(services.database, username="bob", password=password)
    assert bob.password_is_one_time
    assert list(admin_page.dataframe[0].value["Status"]) == ["Active", "Has a one-time password"]
    _click(admin_page, "Done")
    assert not admin_page.code


def test_a_double_click_adds_a_person_and_finds_no_name_taken(admin_page, services):
    admin_page.text_input(key="people_name").set_value("Bob")
    admin_page.text_input(key="people_username").set_value("bob")
    double_click(admin_page, "Add")

    assert not admin_page.exception
    assert not admin_page.error
    assert [user.username for user in list_users(services.database)] == ["ada", "bob"]


def test_a_person_that_cannot_be_added_is_said(admin_page, services):
    admin_page.text_input(key="people_name").set_value("Another Ada")
    admin_page.text_input(key="people_username").set_value("ada")
    _click(admin_page, "Add")

    assert "The username ada is taken" in admin_page.error[0].value.replace("\\", "")
    assert not admin_page.code


def test_a_person_is_promoted_reset_disabled_and_enabled(admin_page, services):
    bob = add_person(services.database, "bob")
    admin_page.run()
    admin_page.selectbox(key="people_chosen").set_value(bob.id).run()

    _click(admin_page, "Make an administrator")
    assert load_user(services.database, bob.id).is_admin
    _click(admin_page, "Make a member")
    _click(admin_page, "Reset password")
    assert authenticate(services.database, username="bob", password=admin_page.code[0].value)
    _click(admin_page, "Disable")
    assert load_user(services.database, bob.id).disabled_at is not None
    _click(admin_page, "Enable")
    assert load_user(services.database, bob.id).disabled_at is None
    _click(admin_page, "Sign out everywhere")

    assert list(admin_page.dataframe[1].value["What"])[:6] == [
        "Signed out everywhere",
        "Enabled",
        "Disabled",
        "Password set",
        "Role changed",
        "Role changed",
    ]
    assert list(admin_page.dataframe[1].value["Details"])[5] == "Member → Administrator"


def test_the_audit_says_who_opened_others_conversations_and_from_what(admin_page, services, ada):
    save_team_default(services.database, name="inspection", value="on", actor_id=ada.id)

    [row] = admin_page.run().dataframe[1].value.to_dict("records")[:1]

    assert (row["What"], row["Whom or what"], row["Details"]) == (
        "Team's setting changed",
        "inspection",
        "not set → on",
    )


def test_the_only_administrator_stays(admin_page, services, ada):
    admin_page.selectbox(key="people_chosen").set_value(ada.id).run()
    _click(admin_page, "Make a member")

    assert "only administrator" in admin_page.error[0].value
    assert find_user(services.database, "ada").is_admin


def test_a_demoted_administrators_click_does_nothing(admin_page, services, ada):
    eve = add_person(services.database, "eve", role="admin")
    disable_user(services.database, user_id=ada.id, actor_id=eve.id)
    admin_page.text_input(key="people_name").set_value("Bob")
    admin_page.text_input(key="people_username").set_value("bob")
    _click(admin_page, "Add")

    assert find_user(services.database, "bob") is None
    assert not admin_page.code


def _fill_password(page: AppTest, current: str, new: str, again: str) -> None:
    page.text_input(key="settings_current_password").set_value(current)
    page.text_input(key="settings_new_password").set_value(new)
    page.text_input(key="settings_repeated_password").set_value(again)
    _click(page, "Change password")


def test_a_token_is_made_shown_once_and_revoked(settings_page, services, ada):
    settings_page.text_input(key="token_name").set_value("nightly")
    settings_page.text_input(key="token_budget").set_value("a lot")
    _click(settings_page, "Make token")
    assert "is no amount" in settings_page.error[0].value
    settings_page.text_input(key="token_budget").set_value("$2.50")
    _click(settings_page, "Make token")
    [token] = list_tokens(services.database, user_id=ada.id)
    assert (token.name, str(token.budget_usd)) == ("nightly", "2.500000000")
    [shown] = [block.value for block in settings_page.code if block.value.startswith("sb-")]
    assert find_bearer(services.database, shown).user.id == ada.id

    _click(settings_page, "I have copied it")
    assert not [block for block in settings_page.code if block.value.startswith("sb-")]
    _click(settings_page, "Revoke it")
    assert find_bearer(services.database, shown) is None


def test_a_double_click_makes_one_token(settings_page, services, ada):
    settings_page.text_input(key="token_name").set_value("nightly")
    double_click(settings_page, "Make token")

    assert not settings_page.exception
    assert [token.name for token in list_tokens(services.database, user_id=ada.id)] == ["nightly"]


def test_a_token_that_was_just_made_is_not_shown_to_who_signs_in_next(settings_page, services):
    settings_page.text_input(key="token_name").set_value("nightly")
    _click(settings_page, "Make token")
    assert [block for block in settings_page.code if block.value.startswith("sb-")]

    bob = sign_in_app(settings_page, add_person(services.database, "bob")).run()
    assert not [block for block in bob.code if block.value.startswith("sb-")]
