"""The token of a session: ours is read back exactly, everything else is nothing."""

from __future__ import annotations

from datetime import datetime

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.sessions import SESSION_LIFE, Session, read_token, write_token

SECRET = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
NOW = datetime(2026, 11, 23, 9, 0, 0, 123456)  # noqa: DTZ001 - naive UTC


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)), st.text(min_size=1))  # noqa: DTZ001
def test_a_session_comes_back_to_the_microsecond(issued_at, username):
    session = Session(id="abc", username=username, issued_at=issued_at)

    assert read_token(write_token(session, secret=SECRET), secret=SECRET) == session


def test_the_library_can_read_it():
    claims = jwt.decode(
        write_token(Session(id="abc", username="ada", issued_at=NOW), secret=SECRET), SECRET, algorithms=["HS256"]
    )

    assert {"username", "exp_date"} <= set(claims)
    assert Session(id="abc", username="ada", issued_at=NOW).expires_at == NOW + SESSION_LIFE


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "none",
        write_token(Session(id="abc", username="ada", issued_at=NOW), secret=OTHER),
        jwt.encode({"username": "ada", "exp_date": 4e9}, SECRET, algorithm="HS256"),
        jwt.encode({"username": "ada", "exp_date": 1e300, "jti": "x"}, SECRET, algorithm="HS256"),
        jwt.encode({"username": "ada", "exp_date": "soon", "jti": "x"}, SECRET, algorithm="HS256"),
        jwt.encode({"username": "ada", "exp_date": None, "jti": "x"}, SECRET, algorithm="HS256"),
        jwt.encode({"username": "ada", "exp_date": 4e9, "jti": "x"}, None, algorithm="none"),
    ],
)
def test_anything_else_is_no_session(token):
    assert read_token(token, secret=SECRET) is None


@given(st.text())
def test_no_text_breaks_it(token):
    assert read_token(token, secret=SECRET) is None
