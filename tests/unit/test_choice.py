"""Which model a chat uses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.choice import Choice, cheapest_usable, choose_model, without_hidden
from core.catalog.models import Prices, ProviderSpec
from tests.support.turns import model

LOCAL = ProviderSpec(id="local", kind="local")
FREE = Prices(input=Decimal(0), output=Decimal(0))


def priced(model_id: str, usd: int | None, **changes):
    prices = None if usd is None else Prices(input=Decimal(usd), output=Decimal(usd))
    return model(model_id, prices=prices, **changes)


def offered(*models):
    return {spec.id: spec for spec in models}


TEAM = offered(priced("dear", 9), priced("cheap", 1), priced("middle", 3))
IDS = [*TEAM, "gone", None]


@pytest.mark.parametrize(
    ("conversation", "mine", "team", "chosen"),
    [
        ("dear", "cheap", "middle", Choice("dear", "conversation")),
        (None, "dear", "middle", Choice("dear", "mine")),
        (None, "gone", "middle", Choice("middle", "team")),
        (None, None, "middle", Choice("middle", "team")),
        (None, None, "gone", Choice("cheap", "automatic")),
        (None, None, None, Choice("cheap", "automatic")),
        ("gone", None, None, Choice("dear", "successor", "gone")),
        ("gone", "middle", None, Choice("middle", "successor", "gone")),
        ("gone", None, "middle", Choice("middle", "successor", "gone")),
    ],
)
def test_the_order_is_conversation_mine_team_cheapest(conversation, mine, team, chosen):
    found = choose_model(TEAM, states={}, conversation_model=conversation, own_default=mine, team_default=team)

    assert found == chosen


def test_a_model_that_is_gone_names_its_successor():
    known = {**TEAM, "old": model("old", successor="middle", enabled=False)}

    assert choose_model(TEAM, states={}, conversation_model="old", own_default="dear", known=known) == Choice(
        "middle", "successor", "old"
    )


@given(
    conversation=st.sampled_from(IDS),
    mine=st.sampled_from(IDS),
    team=st.sampled_from(IDS),
    states=st.dictionaries(st.sampled_from(list(TEAM)), st.sampled_from(["healthy", "down", "no_key", "slow"])),
)
def test_what_is_chosen_is_offered_and_the_conversations_own_always_wins(conversation, mine, team, states):
    found = choose_model(
        TEAM, states=states, conversation_model=conversation, own_default=mine, team_default=team, hidden=["cheap"]
    )

    assert found is not None
    assert found.model_id in TEAM
    assert (found.missing == conversation) == (conversation == "gone") or conversation is None
    if conversation in TEAM:
        assert found.model_id == conversation


@pytest.mark.parametrize(
    ("models", "states", "hidden", "chosen"),
    [
        ([priced("a", 3), priced("b", 1)], {}, [], "b"),
        ([priced("a", 3), priced("b", 1)], {"b": "no_key"}, [], "a"),
        ([priced("a", 3), priced("b", 1)], {"b": "down"}, [], "a"),
        ([priced("a", 3), priced("b", 1)], {"b": "slow"}, [], "a"),
        ([priced("a", 3), priced("b", 1)], {}, ["b"], "a"),
        ([priced("a", 3)], {}, ["a"], "a"),
        ([priced("a", None), priced("b", 9)], {}, [], "b"),
        ([priced("a", 1), priced("b", 1)], {}, [], "a"),
        ([model("toy", provider=LOCAL, prices=FREE), priced("a", 9)], {}, [], "a"),
        ([model("toy", provider=LOCAL, prices=FREE), priced("a", 9)], {"a": "down"}, [], "toy"),
        ([model("toy", provider=LOCAL, prices=FREE), priced("a", 9)], {"a": "no_key", "toy": "starting"}, [], "toy"),
        ([], {}, [], None),
    ],
    ids=[
        "cheapest",
        "no key",
        "down",
        "slow",
        "hidden",
        "all hidden",
        "unpriced last",
        "equals keep their order",
        "the toy last",
        "the toy before one that is down",
        "the toy before one without a key",
        "none",
    ],
)
def test_the_cheapest_that_can_be_asked(models, states, hidden, chosen):
    assert cheapest_usable(offered(*models), states=states, hidden=hidden) == chosen


def test_no_model_no_choice():
    assert choose_model({}, states={}, conversation_model="gone") is None
    assert choose_model({}, states={}, own_default="gone") is None


def test_hidden_models_are_not_listed_but_for_the_one_in_use():
    assert list(without_hidden(TEAM, hidden=["cheap", "dear", "gone"], kept="dear")) == ["dear", "middle"]
