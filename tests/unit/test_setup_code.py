"""The one-time code opens once, for whoever reads the terminal."""

from __future__ import annotations

import re

import pytest

from core.accounts.setup_code import WRONG_TRIES, SetupCode
from core.errors import AccountError


@pytest.fixture(name="announced")
def _announced():
    return []


@pytest.fixture(name="code")
def _code(announced):
    return SetupCode(announced.append)


def test_it_is_announced_once(code, announced):
    code.show()
    code.show()

    assert len(announced) == 1
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", announced[0])


def test_the_right_code_runs_the_work_and_ends(code, announced):
    code.show()

    assert code.redeem(announced[0], lambda: "done") == "done"
    with pytest.raises(AccountError, match="not right"):
        code.redeem(announced[0], lambda: "again")


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code}\n"])
def test_it_may_be_typed_loosely(code, announced, typed):
    code.show()

    assert code.redeem(typed(announced[0]), lambda: True)


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA", "ß" * 9, "🔑"])
def test_a_wrong_code_runs_nothing(code, typed):
    ran = []

    with pytest.raises(AccountError, match="not right"):
        code.redeem(typed, lambda: ran.append(1))

    assert ran == []


def test_ten_wrong_codes_bring_a_new_one(code, announced):
    code.show()
    for _ in range(WRONG_TRIES - 1):
        with pytest.raises(AccountError, match="not right"):
            code.redeem("wrong", lambda: None)
    with pytest.raises(AccountError, match="wrong too often"):
        code.redeem("wrong", lambda: None)

    assert len(announced) == 2
    with pytest.raises(AccountError, match="not right"):
        code.redeem(announced[0], lambda: None)
    assert code.redeem(announced[1], lambda: True)


def test_work_that_fails_leaves_the_code_alive(code, announced):
    def refuse() -> None:
        raise AccountError("That password is too short.")

    code.show()
    with pytest.raises(AccountError, match="too short"):
        code.redeem(announced[0], refuse)

    assert code.redeem(announced[0], lambda: True)
