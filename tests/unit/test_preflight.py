"""What a switch of the model costs: the figures, when they are said, and when the person is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability, Prices
from core.chat.conversation import Attachment, ToolStep, ToolUse
from core.chat.history_size import HistorySize
from core.chat.preflight import MOST_TURNS, Dropped, Side, breaks_even, dropped, middle, preflight
from core.costs.estimate import UNPRICED, CostRange, estimate_cost
from core.costs.output_lengths import OutputLength
from core.providers.parts import SignedReasoning
from tests.support.conversations import chain
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
UNTIL = NOW + timedelta(minutes=2)
LENGTH = OutputLength(low=100, high=300, basis="model", answers=40)
DEAR = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))
CHEAP = Prices(input=Decimal(1), output=Decimal(5), cached_input=Decimal("0.1"))
USD = st.decimals(0, 100, places=6, allow_nan=False)


def side(name: str, prices: Prices | None, tokens: int, cached: int = 0, **fields) -> Side:
    size = HistorySize(
        tokens=tokens, cached_at_best=cached, cached_surely=cached, cached_until=UNTIL if cached else None
    )
    return Side(model=model(name, prices=prices, **fields), size=size, length=LENGTH)


def switched(old: Side, new: Side, history=()):
    return preflight(history, old=old, new=new, now=NOW)


def test_the_next_answer_reads_everything_at_full_price_and_later_ones_from_the_cache() -> None:
    found = switched(side("old", DEAR, 50_000, cached=49_000), side("new", CHEAP, 50_000))

    full = estimate_cost(CHEAP, input_tokens=50_000, output_low=100, output_high=300)
    later = estimate_cost(CHEAP, input_tokens=50_270, cached_input_tokens=50_000, output_low=100, output_high=300)
    assert (found.next_new, found.later_new) == (full, later)
    assert found.next_old.low_usd == Decimal("0.0192")
    assert found.cache_lost == 49_000
    # $0.0319 dearer at once, then some $0.011 cheaper with every answer.
    assert found.breaks_even == 4


def test_a_dearer_model_never_breaks_even_and_a_cheaper_one_at_once() -> None:
    dear, cheap = side("dear", DEAR, 50_000), side("cheap", CHEAP, 50_000)

    assert switched(cheap, dear).breaks_even is None
    assert switched(dear, cheap).breaks_even == 1


def test_writing_to_a_cache_costs_what_it_costs() -> None:
    writing = replace(CHEAP, cache_write=Decimal("1.25"))
    new = side("new", writing, 50_000, capabilities=frozenset({Capability.PROMPT_CACHE}))

    assert switched(side("old", DEAR, 50_000), new).next_new.low_usd == Decimal("0.063")


@pytest.mark.parametrize(
    ("old", "new", "speaks", "confirms"),
    [
        (side("old", CHEAP, 1000), side("new", CHEAP, 1000), False, False),
        (side("old", CHEAP, 30_001), side("new", CHEAP, 30_001), True, False),
        (side("old", CHEAP, 10_000), side("new", DEAR, 10_000), True, False),
        (side("old", DEAR, 10_000), side("new", CHEAP, 10_000), True, False),
        (side("old", None, 10_000), side("new", DEAR, 10_000), False, False),
        (side("old", CHEAP, 100_001), side("new", CHEAP, 100_001), True, True),
        (side("old", CHEAP, 100_000), side("new", CHEAP, 100_000), True, False),
    ],
    ids=["nothing", "long", "dearer", "cheaper", "unpriced", "very long", "just not very long"],
)
def test_when_it_speaks_and_when_it_asks(old, new, speaks, confirms) -> None:
    found = switched(old, new)

    assert (found.speaks, found.confirms) == (speaks, confirms)


def test_without_a_price_there_are_no_figures() -> None:
    found = switched(side("old", None, 40_000), side("new", DEAR, 40_000))

    assert (found.next_old, found.difference_usd, found.breaks_even) == (UNPRICED, None, None)


IMAGE = Attachment(name="a", kind="image", media_type="image/png", content_hash="0", size_bytes=1, width=9, height=9)
STEP = ToolStep(
    uses=(ToolUse(name="add", arguments="{}", result="3"), ToolUse(name="now", arguments="{}")),
    reasoning=SignedReasoning(text="hm", signature="s"),
)
ABLE = model("able", capabilities=frozenset({Capability.VISION, Capability.TOOLS}))
PLAIN = model("plain", capabilities=frozenset())


def test_what_is_dropped_is_counted() -> None:
    question, answer = chain("c", ("what is this", "that"), model="able", now=NOW)
    history = [replace(question, attachments=(IMAGE, IMAGE)), replace(answer, steps=(STEP,))]

    assert dropped(history, old=ABLE, new=PLAIN) == Dropped(images=2, tool_calls=2, reasoning=1)
    assert dropped(history, old=ABLE, new=replace(ABLE, id="other")) == Dropped(reasoning=1)
    assert not dropped(history, old=PLAIN, new=ABLE).anything
    small = (
        side("able", CHEAP, 100, capabilities=ABLE.capabilities),
        side("plain", CHEAP, 100, capabilities=frozenset()),
    )
    assert switched(*small, history=history).speaks


@given(st.lists(st.tuples(USD, USD), min_size=2, max_size=12))
def test_from_the_break_even_on_the_new_model_has_never_cost_more(pairs) -> None:
    old, new = ([CostRange(low_usd=usd, high_usd=usd) for usd in column] for column in zip(*pairs, strict=True))

    found = breaks_even(old, new)

    sums = [sum(one - other for one, other in pairs[: count + 1]) for count in range(len(pairs))]
    if found is None:
        assert sums[-1] < 0
    else:
        assert all(total >= 0 for total in sums[found - 1 :])
        assert found == 1 or sums[found - 2] < 0


@given(st.integers(0, 500_000), st.integers(0, 500_000))
def test_the_figures_are_in_order(tokens, cached) -> None:
    found = switched(side("old", DEAR, tokens, cached=min(tokens, cached)), side("new", CHEAP, tokens))

    for cost in (found.next_old, found.next_new, found.later_old, found.later_new):
        assert 0 <= cost.low_usd <= middle(cost) <= cost.high_usd
    assert found.cache_lost <= tokens
    assert found.breaks_even is None or 1 <= found.breaks_even <= MOST_TURNS
