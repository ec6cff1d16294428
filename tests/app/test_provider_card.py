"""The card and the gate where an identity provider is configured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.accounts.changes import disable_user, sign_out_everywhere
from core.accounts.users import count_users, find_user
from core.clock import utc_now
from tests.support.people import PASSWORD, add_person

PROVIDER = {"client_id": "x", "client_secret": "x", "server_metadata_url": "http://127.0.0.1:9/metadata"}
SHARED = {"redirect_uri": "http://127.0.0.1:8501/oauth2callback", "cookie_secret": "x" * 40}


@pytest.fixture(name="configured")
def _configured(app):
    app.secrets = {"auth": {**SHARED, **PROVIDER}}
    return app


def _came(app, *, ago: timedelta = timedelta(), **claims):
    issued = datetime.now(UTC) - ago
    app.user = {
        "is_logged_in": True,
        "iss": "https://id.example.org",
        "sub": "1",
        "iat": int(issued.timestamp()),
        "email": "grace@example.org",
        "name": "Grace",
        **claims,
    }
    return app.run()


def _labels(app):
    return [button.label for button in app.button]


def test_the_provider_is_offered_in_place_of_the_form_and_of_the_set_up(configured):
    configured.run()

    assert not configured.exception
    assert _labels(configured) == ["Continue with single sign-on"]
    assert not configured.text_input


def test_each_named_provider_has_its_button(app):
    app.secrets = {"auth": {**SHARED, "google": PROVIDER, "acme": PROVIDER}}

    assert _labels(app.run()) == ["Continue with Google", "Continue with Acme"]


def test_people_with_a_password_keep_their_way_in(configured, services):
    add_person(services.database, "ada", role="admin")
    configured.run()
    configured.text_input(key="sign_in_username").set_value("ada")
    configured.text_input(key="sign_in_password").set_value(PASSWORD)
    next(button for button in configured.button if button.label == "Sign in").click().run()

    assert "Sign out" in [button.label for button in configured.sidebar.button]


def test_the_first_to_come_is_created_as_administrator(configured, services):
    _came(configured)
    configured.run()

    assert "Sign out" in [button.label for button in configured.sidebar.button]
    assert find_user(services.database, "grace@example.org").is_admin
    assert count_users(services.database) == 1


def test_an_ended_session_is_said_and_a_later_one_counts(configured, services):
    _came(configured, ago=timedelta(minutes=5))
    grace = find_user(services.database, "grace@example.org")
    sign_out_everywhere(services.database, user_id=grace.id, actor_id=None, clock=_a_minute_ago)
    configured.run()
    assert "Your session has ended" in configured.info[0].value
    assert not configured.sidebar.button

    _came(configured)
    assert "Sign out" in [button.label for button in configured.sidebar.button]


def test_a_disabled_person_is_told_so(configured, services):
    add_person(services.database, "ada", role="admin")
    _came(configured)
    disable_user(services.database, user_id=find_user(services.database, "grace@example.org").id, actor_id=None)
    configured.run()

    assert "This account is disabled" in configured.info[0].value
    assert not configured.sidebar.button


@pytest.mark.parametrize("missing", ["iss", "sub", "iat"])
def test_a_provider_that_leaves_out_a_required_claim_signs_nobody_in(configured, services, missing):
    _came(configured, **{missing: None})

    assert not configured.exception
    assert not configured.sidebar.button
    assert count_users(services.database) == 0


def _a_minute_ago() -> datetime:
    return utc_now() - timedelta(minutes=1)
