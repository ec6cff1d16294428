"""A limit in dollars as a limit in tokens: what is billed never exceeds it, and no token is given away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.catalog.models import Capability, Prices, ProviderSpec
from core.chat.money_cap import LEAST_ANSWER_TOKENS, capped, cut_by_cap, usable_cap
from core.costs.cap import affordable_output
from core.costs.pricing import compute_cost
from core.errors import TurnRefused
from core.providers.events import Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
PRICE = st.decimals(0, 1000, places=4, allow_nan=False)
MAYBE = st.none() | PRICE
PRICES = st.builds(
    Prices, input=PRICE, output=PRICE, cached_input=MAYBE, cache_write=MAYBE, reasoning=MAYBE, request=MAYBE
)
CAPS = st.decimals("0.0001", 100, places=4, allow_nan=False)
DEAR = Prices(input=Decimal(3), output=Decimal(15))


@given(PRICES, st.integers(0, 500_000), CAPS, st.data())
def test_an_answer_within_the_limit_is_never_billed_above_it(prices, tokens, most_usd, data) -> None:
    limit = affordable_output(prices, input_tokens=tokens, most_usd=most_usd)
    assume(limit is None or limit >= 0)
    out = data.draw(st.integers(0, 1_000_000 if limit is None else limit))
    reasoning = data.draw(st.integers(0, out))
    # A cached price above the plain one is no discount, and not what "cached" promises.
    cached = data.draw(st.integers(0, tokens)) if (prices.cached_input or 0) <= prices.input else 0

    usage = Usage(input_tokens=tokens, cached_input_tokens=cached, output_tokens=out, reasoning_tokens=reasoning)

    assert compute_cost(usage, prices) <= most_usd


@given(PRICES, st.integers(0, 500_000), CAPS)
def test_one_token_more_could_be_billed_above_the_limit(prices, tokens, most_usd) -> None:
    limit = affordable_output(prices, input_tokens=tokens, most_usd=most_usd)
    assume(limit is not None and limit >= 0)
    longer = Usage(input_tokens=tokens, output_tokens=limit + 1)

    dearest = max(compute_cost(longer, prices), compute_cost(replace(longer, reasoning_tokens=limit + 1), prices))

    # Costs are rounded to a billionth of a dollar.
    assert dearest > most_usd - Decimal("0.000000002")


@given(PRICES, st.integers(0, 500_000), CAPS)
def test_input_that_costs_more_than_the_limit_leaves_no_answer(prices, tokens, most_usd) -> None:
    assume(compute_cost(Usage(input_tokens=tokens, output_tokens=0), prices) > most_usd)

    assert affordable_output(prices, input_tokens=tokens, most_usd=most_usd) == -1


def call(found=None, words: int = 100, **parameters):
    found = model(prices=DEAR, max_output_tokens=8000) if found is None else found
    return CompletionRequest(model=found, messages=(ChatMessage("user", "word " * words),), parameters=parameters)


def limited(completion, usd="0.01"):
    return capped(completion, most_usd=Decimal(usd), now=NOW)


def test_a_limit_becomes_the_longest_answer_it_pays_for() -> None:
    found = limited(call())

    # 101 tokens with a margin of a fifth for the count, at $3 a million; the rest at $15.
    assert found.parameters["max_tokens"] == 642
    assert cut_by_cap(found, {})


def test_what_people_set_stays_where_it_is_shorter() -> None:
    found = limited(call(max_tokens=50))

    assert (found.parameters, cut_by_cap(found, {"max_tokens": 50})) == ({"max_tokens": 50}, False)


@pytest.mark.parametrize("prices", [None, Prices(input=Decimal(0), output=Decimal(0)), DEAR])
def test_nothing_changes_where_no_limit_can_hold_or_bind(prices) -> None:
    completion = call(model(prices=prices, max_output_tokens=400))

    assert limited(completion) == completion
    assert capped(completion, most_usd=None, now=NOW) == completion


def test_a_model_at_other_prices_gets_another_limit() -> None:
    cheap = model("cheap", prices=Prices(input=Decimal(1), output=Decimal(5)))

    assert limited(call(cheap)).parameters["max_tokens"] > 3 * 600


def test_input_above_the_limit_is_refused_with_both_figures() -> None:
    with pytest.raises(
        TurnRefused, match=r"takes up to \$0\.037, and your limit for an answer is \$0\.01\."
    ) as refused:
        limited(call(words=10_000))

    assert refused.value.code == "cap"
    assert "kept in the box" in refused.value.next_step


def test_a_limit_too_small_for_an_answer_is_a_refusal_too() -> None:
    with pytest.raises(TurnRefused):
        limited(call(), usd=str(Decimal(122 * 3 + LEAST_ANSWER_TOKENS * 14) / 1_000_000))


THINKER = model(
    prices=DEAR,
    capabilities=frozenset({Capability.REASONING}),
    provider=ProviderSpec(id="lab", kind="anthropic"),
    max_output_tokens=64_000,
)


@pytest.mark.parametrize(
    ("usd", "effort", "left"),
    [("1", "high", "high"), ("0.1", "high", "medium"), ("0.05", "high", "low"), ("0.01", "high", None)],
)
def test_reasoning_is_lowered_until_it_leaves_half_for_the_answer(usd, effort, left) -> None:
    found = limited(call(THINKER, reasoning_effort=effort), usd=usd)

    assert found.parameters.get("reasoning_effort") == left


@pytest.mark.parametrize(
    ("held", "usd"),
    [("0.05", "0.05"), (0.05, "0.05"), ("0", None), ("-1", None), ("NaN", None), ("", None), (None, None)],
)
def test_only_a_positive_amount_is_a_limit(held, usd) -> None:
    assert usable_cap(held) == (None if usd is None else Decimal(usd))
