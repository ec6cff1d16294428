from __future__ import annotations

from datetime import datetime

import jwt

from core.accounts.sessions import Session, read_token, write_token
from core.accounts.token_commands import TokenCommand, read_signed, sign

SECRET, OTHER = "a" * 64, "b" * 64
COMMAND = TokenCommand(action="create", user="ann", name="x", expires_at=datetime.fromisoformat("2030-01-01"))


def test_a_signed_command_comes_back_whole() -> None:
    assert read_signed(sign(COMMAND, secret=SECRET), secret=SECRET) == COMMAND


def test_what_is_signed_otherwise_too_old_or_damaged_is_none() -> None:
    text = sign(COMMAND, secret=SECRET)
    assert read_signed(text, secret=OTHER) is None
    assert read_signed(text[:-3], secret=SECRET) is None
    claims = jwt.decode(text, SECRET, algorithms=["HS256"], audience="switchboard-token-command")
    assert read_signed(jwt.encode({**claims, "exp": 1}, SECRET, algorithm="HS256"), secret=SECRET) is None
    endless = {name: value for name, value in claims.items() if name != "exp"}
    assert read_signed(jwt.encode(endless, SECRET, algorithm="HS256"), secret=SECRET) is None


def test_a_session_is_no_command_and_a_command_no_session() -> None:
    session = write_token(
        Session(id="i", username="ann", issued_at=datetime.fromisoformat("2099-01-01")), secret=SECRET
    )
    assert read_signed(session, secret=SECRET) is None
    assert read_token(sign(COMMAND, secret=SECRET), secret=SECRET) is None
