"""Replay: stored buckets on another model's prices, with a measured range and what could not be served left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.catalog.models import Capability, Prices
from core.costs.frontier import frontier, standings
from core.costs.length_ratios import ASSUMED, LengthRatio, LengthRatios, measure_ratios
from core.costs.pricing import Cost
from core.costs.radar import retiring
from core.costs.replay import left_out_calls, replay
from core.costs.usage_filter import UsageFilter
from core.ids import new_id
from core.providers.events import Usage
from core.store.sql import load_queries
from core.store.views import create_views
from tests.support.attempts import add_attempt
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
EVER = UsageFilter(since=NOW - timedelta(days=365), until=NOW + timedelta(days=1))
NOTHING_MEASURED = LengthRatios({}, {})
CHEAP = Prices(input=Decimal(1), output=Decimal(2), cached_input=Decimal("0.1"))


@dataclass(frozen=True)
class Viewer:
    id: str = "boss"
    is_admin: bool = True


@pytest.fixture(name="database")
def _database(database):
    create_views(database)
    return database


@pytest.fixture(name="add")
def _add(database):
    def add(*, usd="0.5", read=1000, cached=0, tokens=100, images=0, ago=timedelta(hours=1), turn=None, **fields):
        amount = None if usd is None else Decimal(usd)
        usage = Usage(
            input_tokens=read, cached_input_tokens=cached, output_tokens=tokens, reasoning_tokens=0, image_tokens=images
        )
        cost = Cost(cost_usd=amount, code="computed", computed_cost_usd=amount, reported_cost_usd=None)
        add_attempt(
            database, ended_at=NOW - ago, usage=usage, cost=cost, **({"turn_id": turn} if turn else {}), **fields
        )

    return add


@pytest.fixture(name="ask_again")
def _ask_again(database, add):
    """One question answered by several models: (model, tokens read, tokens written)."""

    def ask_again(*answers):
        question = new_id()
        for name, read, tokens in answers:
            turn = new_id()
            database.execute(
                load_queries("turns")["insert_turn"],
                id=turn, conversation_id="c", user_id="ann", user_message_id=question, source="chat", use_case=None,
                requested_model=name, parameters="{}", now=NOW - timedelta(hours=1),
            )  # fmt: skip
            database.execute(load_queries("turns")["end_turn"], id=turn, status="completed", now=NOW)
            add(model=name, read=read, tokens=tokens, turn=turn)

    return ask_again


def on(database, target, *, chosen=EVER, viewer=None, ratios=NOTHING_MEASURED):
    return replay(database, chosen, target, viewer=viewer or Viewer(), ratios=ratios)


def test_the_stored_buckets_are_priced_with_the_other_models_prices(database, add):
    add(read=1_000_000, cached=400_000, tokens=500_000, usd="7")
    add(read=1_000_000, tokens=0, usd="1")

    found = on(database, model("cheap", prices=CHEAP))
    assert (found.calls, found.actual_usd, found.unpriced) == (1, Decimal(7), 0)
    assert found.low_usd == found.middle_usd == found.high_usd == Decimal("1.64")
    assert found.saved_usd == Decimal("5.36")


def test_a_model_against_itself_costs_what_it_cost(database, add):
    for number in range(1, 8):
        usage = Usage(input_tokens=number * 1234, output_tokens=number * 77)
        usd = (usage.input_tokens * CHEAP.input + usage.output_tokens * CHEAP.output) / 1_000_000
        add(read=usage.input_tokens, tokens=usage.output_tokens, usd=str(usd), model="cheap")

    found = on(database, model("cheap", prices=CHEAP))
    assert found.middle_usd == found.actual_usd
    assert [part.ratio.evidence for part in found.parts] == ["same model"]


def test_tiers_are_chosen_call_by_call_and_calls_have_their_price(database, add):
    tiered = Prices(input=Decimal(1), output=Decimal(0), request=Decimal("0.01")).with_tier(1000, input=Decimal(10))
    add(read=1000, tokens=1)
    add(read=1001, tokens=1)

    assert on(database, model("tiered", prices=tiered)).middle_usd == Decimal("0.001") + Decimal("0.01001") + Decimal(
        "0.02"
    )


def test_what_was_kept_probed_or_failed_is_no_call_to_replay(database, add):
    add(cached=0, source="probe")
    add(status="server", served_model=None, tokens=0)
    add(tokens=10)

    assert on(database, model("cheap", prices=CHEAP)).calls == 1


def test_unpriced_calls_are_said_and_an_unpriced_model_has_no_figure(database, add):
    add(usd=None)
    add(usd="2")

    found = on(database, model("dark", prices=None))
    assert (found.calls, found.unpriced, found.actual_usd) == (2, 1, Decimal(2))
    assert (found.low_usd, found.middle_usd, found.high_usd, found.saved_usd) == (None, None, None, None)


def test_what_the_other_model_cannot_serve_is_left_out_on_both_sides(database, add):
    add(read=5000, usd="1")
    add(images=300, usd="2")
    add(parameters={"response_format": "json_object"}, usd="4")
    add(parameters={"reasoning_effort": "high"}, usd="8")
    add(usd="16")
    small = model("small", prices=CHEAP, context_tokens=4000, capabilities=frozenset())

    found = on(database, small)
    assert (found.calls, found.actual_usd) == (1, Decimal(16))
    assert found.left_out == {"window": 1, "images": 1, "json": 1, "reasoning": 1}
    rows = left_out_calls(database, EVER, small, viewer=Viewer(), ratios=NOTHING_MEASURED)
    assert sorted(row["left_out"] for row in rows) == ["images", "json", "reasoning", "window"]
    able = frozenset({Capability.VISION, Capability.JSON, Capability.REASONING})
    assert on(database, model("able", prices=CHEAP, context_tokens=None, capabilities=able)).left_out == {}


def test_tokens_are_counted_as_the_other_model_counts_them_before_its_window_and_tiers(database, add):
    tiered = Prices(input=Decimal(1), output=Decimal(0)).with_tier(1000, input=Decimal(10))
    ratio = LengthRatio(output_low=1, output_middle=1, output_high=1, input=2, evidence="same questions", samples=10)
    ratios = LengthRatios({("gpt", "tiered"): ratio}, {})
    for read, name in ((500, "gpt"), (501, "gpt"), (501, "other"), (3000, "gpt")):
        add(read=read, tokens=1, model=name)

    found = on(database, model("tiered", prices=tiered, context_tokens=4256), ratios=ratios)
    assert found.middle_usd == Decimal("0.001") + Decimal("0.01002") + Decimal("0.000501")
    assert found.left_out == {"window": 1}


def test_the_newest_calls_left_out_are_found_however_long_ago_they_were(database, add):
    for days in (300, 1, 200, 2, 3):
        add(images=1, ago=timedelta(days=days), read=days)
    blind = model("blind", prices=CHEAP, capabilities=frozenset())
    year = replace(EVER, since=NOW - timedelta(days=360), until=NOW)

    def days_ago(limit):
        rows = left_out_calls(database, year, blind, viewer=Viewer(), ratios=NOTHING_MEASURED, limit=limit)
        return [row["input_tokens"] for row in rows]

    assert (days_ago(2), days_ago(3), days_ago(4), days_ago(9)) == (
        [1, 2], [1, 2, 3], [1, 2, 3, 200], [1, 2, 3, 200, 300]
    )  # fmt: skip


def test_a_member_replays_their_own_calls_only(database, add):
    add(usd="1", user_id="ann")
    add(usd="2", user_id="bob")

    assert on(database, model("cheap", prices=CHEAP), viewer=Viewer("ann", is_admin=False)).actual_usd == Decimal(1)


def test_the_range_comes_from_questions_that_both_answered(database, ask_again):
    for longer in range(10, 20):
        ask_again(("gpt", 100, 100), ("wordy", 120, 10 * longer))

    ratio = measure_ratios(database, database, now=NOW).between("gpt", "wordy")
    assert (ratio.evidence, ratio.samples, ratio.input) == ("same questions", 10, 1.2)
    assert (ratio.output_low, ratio.output_middle, ratio.output_high) == pytest.approx((1.225, 1.45, 1.675))


def test_the_range_follows_the_lengths(database, add):
    add(read=1_000_000, tokens=1_000_000)
    ratio = LengthRatio(output_low=0.5, output_middle=1, output_high=3, input=2, evidence="same questions", samples=10)
    ratios = LengthRatios({("gpt", "cheap"): ratio}, {})

    found = on(database, model("cheap", prices=CHEAP), ratios=ratios)
    assert (found.low_usd, found.middle_usd, found.high_usd) == (Decimal(3), Decimal(4), Decimal(8))


def test_few_pairs_give_way_to_all_answers_and_few_answers_to_the_same_length(database, add, ask_again):
    ask_again(("gpt", 100, 100), ("terse", 100, 50))
    for _ in range(20):
        add(model="gpt", tokens=200)
        add(model="terse", tokens=50)

    ratios = measure_ratios(database, database, now=NOW)
    ratio = ratios.between("gpt", "terse")
    assert (ratio.evidence, ratio.samples, ratio.output_middle) == ("all answers", 21, 0.25)
    assert ratios.between("gpt", "never asked") == ASSUMED


def test_the_frontier_names_who_beats_whom(database, add):
    for _ in range(20):
        add(model="cheap and fast", usd="0.1", lasted_s=1)
        add(model="dear and slow", usd="0.2", lasted_s=2)
        add(model="dear and fast", usd="0.3", lasted_s=0.5)
        add(model="unpriced", usd=None, lasted_s=0.1)
    add(model="hardly asked", usd="0.01")

    found = frontier(standings(database, EVER, viewer=Viewer()))
    assert [one.model_id for one in found.standings] == ["cheap and fast", "dear and slow", "dear and fast"]
    assert found.beaten_by == {"dear and slow": "cheap and fast"}
    assert not found.by_quality


def test_ratings_take_the_place_of_time_where_models_have_them(database, add):
    for _ in range(20):
        add(model="good", usd="0.2", lasted_s=9)
        add(model="bad", usd="0.3", lasted_s=1)

    found = frontier(standings(database, EVER, viewer=Viewer(), ratings={"good": 1100.0, "bad": 900.0}))
    assert (found.beaten_by, found.by_quality) == ({"bad": "good"}, True)


def test_dollars_per_win_are_the_cost_of_an_answer_over_the_share_of_votes_won(database, add):
    for _ in range(20):
        add(model="good", usd="0.2")
        add(model="never", usd="0.2")
        add(model="unvoted", usd="0.2")

    found = standings(database, EVER, viewer=Viewer(), win_shares={"good": 0.5, "never": 0.0})

    per_win = {one.model_id: one.cost_per_win_usd for one in found}
    assert per_win == {"good": Decimal("0.4"), "never": None, "unvoted": None}


def test_the_radar_names_models_in_use_that_retire_soon_and_their_successor(database, add):
    soon = (NOW + timedelta(days=60)).date()
    models = {
        "old": model("old", retires_on=soon, successor="cheap"),
        "idle": model("idle", retires_on=soon),
        "later": model("later", retires_on=(NOW + timedelta(days=300)).date()),
        "cheap": model("cheap", prices=CHEAP),
    }
    add(model="old", usd="3", read=1_000_000, tokens=1, user_id="ann")
    add(model="old", usd="4", ago=timedelta(days=31))
    add(model="later")
    ratios = measure_ratios(database, database, now=NOW)

    (found,) = retiring(database, models, scope=EVER, viewer=Viewer(), ratios=lambda: ratios, now=NOW)
    assert (found.model.id, found.retires_on, found.calls, found.people) == ("old", soon, 1, 1)
    assert (found.cost_usd, found.successor.id, found.instead.middle_usd) == (
        Decimal(3),
        "cheap",
        Decimal("1.000002"),
    )


def test_nothing_retires_without_a_query(database):
    assert retiring(database, {}, scope=EVER, viewer=Viewer(), ratios=None, now=NOW) == []
