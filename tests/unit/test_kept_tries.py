"""The attempts of a running turn come back from their text exactly as they went."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.kept_tries import from_json, to_json
from core.costs.ledger import Attempt
from core.costs.pricing import Cost
from core.providers.events import Usage

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - naive UTC is the store's own form
TOKENS = st.integers(0, 10**9)
USD = st.none() | st.decimals(-1000, 1000, places=9)
ATTEMPTS = st.builds(
    Attempt,
    id=TEXT,
    turn_id=TEXT,
    user_id=TEXT,
    conversation_id=st.none() | TEXT,
    source=TEXT,
    use_case=st.none() | TEXT,
    requested_model=TEXT,
    served_model=st.none() | TEXT,
    upstream_model=st.none() | TEXT,
    provider=TEXT,
    parameters=st.dictionaries(
        TEXT,
        TEXT
        | st.integers(-(10**9), 10**9)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans()
        | st.lists(TEXT, max_size=3).map(tuple),
        max_size=4,
    ),
    started_at=TIMES,
    first_token_at=st.none() | TIMES,
    ended_at=TIMES,
    usage=st.builds(Usage, input_tokens=TOKENS, output_tokens=TOKENS, cached_input_tokens=TOKENS),
    cost=st.builds(
        Cost,
        cost_usd=USD,
        code=st.sampled_from(["computed", "partial", "unpriced"]),
        computed_cost_usd=USD,
        reported_cost_usd=USD,
        cache_saved_usd=USD,
    ),
    price_version=st.none() | TEXT,
    status=TEXT,
    error_message=st.none() | TEXT,
    fallback_of=st.none() | TEXT,
    cached=st.booleans(),
)


@given(st.lists(ATTEMPTS, max_size=3))
def test_attempts_come_back_as_they_were(attempts):
    assert from_json(to_json(attempts)) == tuple(attempts)


@given(ATTEMPTS, st.sampled_from(["NaN", "Infinity", "0.01"]))
def test_what_a_provider_reported_is_kept_in_the_cost_only(attempt, reported):
    told = replace(attempt, usage=replace(attempt.usage, reported_cost_usd=Decimal(reported)))

    assert from_json(to_json([told])) == (attempt,)


def test_no_attempts_are_no_text():
    assert to_json([]) is None
    assert from_json(None) == ()


@pytest.mark.parametrize("text", ["{", "{}", "[{}]", "null"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r"tuple|JSON|missing"):
        from_json(text)
