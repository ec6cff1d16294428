"""Who may use which model, and what is proposed instead of one that is gone."""

from __future__ import annotations

import pytest

from core.catalog.access import Person, may_use, offered, propose_successor, refuse_unusable
from core.errors import TurnRefused
from tests.support.turns import model

ADA = Person("ada", "member")
ROOT = Person("root", "admin")


@pytest.mark.parametrize(
    ("access", "expected"),
    [(("everyone",), True), (("member",), True), (("ada",), True), (("bob", "ada"), True), (("admin",), False)],
)
def test_access_names_everyone_roles_and_people(access, expected):
    assert may_use(model(access=access), ADA) is expected
    assert may_use(model(access=access), ROOT)


def test_nobody_may_use_a_model_that_is_switched_off():
    assert not may_use(model(enabled=False), ADA)
    assert not may_use(model(enabled=False), ROOT)


def test_what_is_offered_keeps_its_order():
    models = {name: model(name) for name in ("c", "a", "b")} | {"off": model("off", enabled=False)}

    assert list(offered(models, ADA)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("changes", "words"), [({"enabled": False}, "switched off"), ({"access": ("bob",)}, "open to")]
)
def test_a_refusal_says_which_model_and_what_to_do(changes, words):
    with pytest.raises(TurnRefused, match=f"GPT is .*{words}") as refused:
        refuse_unusable(model(**changes), ADA)
    assert refused.value.code == "disabled"
    assert "kept" in refused.value.next_step


def test_nothing_is_refused_that_may_be_used():
    refuse_unusable(model(), ADA)


def test_a_successor_is_the_stated_one_then_a_fallback_then_the_preferred_then_one_alike_then_the_first():
    gone = model("old", successor="next", fallbacks=("back",), use_cases=("coding",))
    choices = {name: model(name) for name in ("first", "next", "back", "mine")}
    choices["alike"] = model("alike", use_cases=("coding",))

    for expected in ("next", "back", "mine", "alike", "first"):
        found = propose_successor(gone, choices, preferred=["mine"])
        assert found is not None
        assert found.id == expected
        del choices[expected]
    assert propose_successor(gone, choices) is None


def test_a_model_nobody_knows_any_more_has_a_successor_too():
    assert propose_successor(None, {"a": model("a")}).id == "a"
