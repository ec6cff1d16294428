"""Who may use which model, and what is proposed instead of one that is gone."""

from __future__ import annotations

import pytest

from core.catalog.access import (
    Person,
    group_of,
    may_use,
    models_for_group,
    offered,
    propose_successor,
    refuse_unusable,
    unknown_groups,
)
from core.errors import TurnRefused
from tests.support.turns import model

ADA = Person("ada", "member")
ROOT = Person("root", "admin")
EVE = Person("eve", "member", frozenset({"legal", "straße".casefold()}))


@pytest.mark.parametrize(
    ("access", "expected"),
    [(("everyone",), True), (("member",), True), (("ada",), True), (("bob", "ada"), True), (("admin",), False)],
)
def test_access_names_everyone_roles_and_people(access, expected):
    assert may_use(model(access=access), ADA) is expected
    assert may_use(model(access=access), ROOT)


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (("group:Legal",), True),
        (("group:LEGAL", "bob"), True),
        (("group:STRASSE",), True),
        (("group:Design",), False),
        (("group:",), False),
        (("legal",), False),
        (("group:member",), False),
        (("group:eve",), False),
        (("group:everyone",), False),
    ],
)
def test_access_names_groups_in_any_case_and_a_group_is_nobody_else(access, expected):
    assert may_use(model(access=access), EVE) is expected
    assert not may_use(model(access=("group:Legal",)), ADA)
    assert may_use(model(access=access), ROOT)


def test_a_person_named_like_a_group_is_not_in_it():
    assert not may_use(model(access=("group:legal",)), Person("legal", "member"))


def test_a_group_is_told_from_other_words():
    assert group_of("group:Legal team") == "Legal team"
    assert group_of("ada") is None


def test_the_models_of_a_group_are_found_in_any_case():
    models = [model("a", access=("group:Legal",)), model("b"), model("c", access=("ada", "group:legal"))]

    assert [found.id for found in models_for_group(models, "LEGAL")] == ["a", "c"]
    assert models_for_group(models, "Design") == []


def test_groups_that_do_not_exist_are_named_with_their_models():
    models = [
        model("a", access=("group:Legal", "group:Gone")),
        model("b", access=("group:gone",)),
        model("c", access=("ada",)),
    ]

    missing = unknown_groups(models, ["legal"])
    assert {name: [found.id for found in named] for name, named in missing.items()} == {"Gone": ["a", "b"]}
    assert unknown_groups(models, ["Legal", "GONE"]) == {}


def test_a_refusal_over_a_group_says_what_to_ask_for_and_not_which():
    with pytest.raises(TurnRefused, match="not open to you") as refused:
        refuse_unusable(model(access=("group:Secret project",)), ADA)
    assert "add you to a group" in refused.value.next_step
    assert "Secret" not in str(refused.value)


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
