"""Prices that are entered late: the calls of the past get corrections, and their own rows stay as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.audit import list_audit, record
from core.catalog.models import Hours, OffPeak, Prices, ServicePrices
from core.costs.price_book import PriceBook
from core.costs.price_sheets import NewPrice
from core.costs.pricing import Cost, cache_saving, compute_cost, price_attempt
from core.costs.repricing import correct, effects, slices_of
from core.providers.events import Usage
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.attempts import add_attempt, delete_attempts
from tests.support.moving_clock import MovingClock

HOUR = timedelta(hours=1)
PRICES = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))
USAGE = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=400)
COST = Decimal("0.00342")


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="book")
def _book(database, clock):
    return PriceBook(database, record=record, clock=clock)


def call(database, name, *, ended_at, usage=USAGE, prices=None, **fields):
    given = {
        "usage": usage,
        "cost": price_attempt(usage, prices, counted_by_us=False, partial=False),
        "price_version": None if prices is None else "book 0",
    }
    add_attempt(database, id=name, ended_at=ended_at, **{**given, **fields})


def late(clock, *, hours=10, prices=PRICES, **fields):
    return NewPrice(
        model_id="gpt", prices=prices, valid_from=clock() - hours * HOUR, **{"reason": "the invoice", **fields}
    )


def ledger(database):
    rows = database.fetch_all("select id, cost_usd, cost_code, price_version from ledger order by id")
    return {row.pop("id"): tuple(row.values()) for row in rows}


def figures(database):
    rows = database.fetch_all("select id, computed_cost_usd, cache_saved_usd from ledger order by id")
    return {row.pop("id"): tuple(row.values()) for row in rows}


def adjustments(database):
    return database.fetch_one("select count(*) as n from adjustments")["n"]


def test_unpriced_calls_get_the_price_of_their_time(book, database, clock):
    call(database, "a", ended_at=clock() - 11 * HOUR)
    call(database, "b", ended_at=clock() - 10 * HOUR)
    call(database, "c", ended_at=clock() - HOUR, counted_by_us=True)
    call(database, "d", ended_at=clock() - HOUR, status="stopped")
    call(database, "e", ended_at=clock() - HOUR, model="other", requested_model="other", served_model="other")
    before = database.fetch_all("select * from attempts order by id")

    effect = book.effect(late(clock))
    book.enter(late(clock), offered=None, actor_id="ann")

    assert ledger(database) == {
        "a": (None, "unpriced", None),
        "b": (COST, "computed", "book 1"),
        "c": (COST, "estimated", "book 1"),
        "d": (COST, "partial", "book 1"),
        "e": (None, "unpriced", None),
    }
    assert (effect.calls, effect.unpriced, effect.corrected, effect.before_usd, effect.after_usd) == (
        3,
        3,
        3,
        0,
        3 * COST,
    )
    assert database.fetch_all("select * from attempts order by id") == before


def test_a_price_that_was_wrong_is_corrected_by_the_difference(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR, prices=replace(PRICES, output=Decimal(10)))

    assert book.effect(late(clock)).difference_usd == Decimal("0.0005")
    book.enter(late(clock), offered=None, actor_id="ann")

    row = database.fetch_one("select * from adjustments")
    assert (row["delta_usd"], row["reason"], row["actor"], row["price_version"]) == (
        Decimal("0.0005"),
        "the invoice",
        "ann",
        "book 1",
    )
    assert ledger(database)["a"][0] == COST


def test_entering_the_same_again_corrects_nothing(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR)
    book.enter(late(clock), offered=None, actor_id="ann")

    again = book.effect(late(clock))
    book.enter(late(clock), offered=None, actor_id="ann")

    assert (again.calls, again.corrected, again.difference_usd) == (1, 0, 0)
    assert adjustments(database) == 1


def test_another_late_price_corrects_the_corrected(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR)
    book.enter(late(clock), offered=None, actor_id="ann")
    book.enter(late(clock, prices=replace(PRICES, output=Decimal(10))), offered=None, actor_id="ann")

    assert ledger(database)["a"] == (COST - Decimal("0.0005"), "computed", "book 2")
    assert adjustments(database) == 2


def test_what_providers_bill_and_what_caches_gave_keeps_its_cost(book, database, clock):
    billed = replace(USAGE, reported_cost_usd=Decimal("0.5"))
    call(database, "a", ended_at=clock() - HOUR, usage=billed)
    kept = Cost(cost_usd=Decimal(0), code="cached", computed_cost_usd=None, reported_cost_usd=None)
    call(database, "b", ended_at=clock() - HOUR, cost=kept, cached=True)

    effect = book.effect(late(clock))
    book.enter(late(clock), offered=None, actor_id="ann")

    assert (effect.calls, effect.corrected, effect.beside, effect.difference_usd) == (0, 0, 2, 0)
    assert ledger(database) == {"a": (Decimal("0.5"), "reported", "book 1"), "b": (0, "cached", "book 1")}
    # What the prompt cache saved is 400 tokens at 2.70 less; what was kept here saved the whole of the call.
    assert figures(database) == {"a": (COST, Decimal("0.00108")), "b": (COST, COST)}


def test_our_own_figure_and_what_a_cache_saved_follow_the_price(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR, prices=replace(PRICES, cached_input=None))
    call(database, "b", ended_at=clock() - HOUR)

    book.enter(late(clock), offered=None, actor_id="ann")

    assert figures(database) == dict.fromkeys("ab", (COST, Decimal("0.00108")))
    # A correction from before these were kept: what was computed is what the call cost.
    database.execute("update adjustments set computed_cost_usd = null, cache_saved_usd = null")
    assert figures(database) == {"a": (COST, Decimal(0)), "b": (COST, None)}


def test_a_price_from_now_on_does_not_reach_back(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR)

    book.enter(replace(late(clock), valid_from=clock()), offered=None, actor_id="ann")

    assert adjustments(database) == 0


def test_a_period_that_ended_is_all_that_is_corrected(book, database, clock):
    for name, hours in (("a", 9), ("b", 5), ("c", 1)):
        call(database, name, ended_at=clock() - hours * HOUR)

    book.enter(late(clock, valid_to=clock() - 3 * HOUR), offered=None, actor_id="ann")

    assert [name for name, row in ledger(database).items() if row[1] == "computed"] == ["a", "b"]


def test_free_is_a_price_too(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR)

    book.enter(late(clock, prices=Prices(input=Decimal(0), output=Decimal(0))), offered=None, actor_id="ann")

    assert ledger(database)["a"] == (Decimal(0), "free", "book 1")


def test_a_level_of_service_without_a_price_stays_unpriced(book, database, clock):
    half = ServicePrices(service="batch", prices=Prices(input=Decimal("1.5"), output=Decimal("7.5")))
    call(database, "a", ended_at=clock() - HOUR, usage=replace(USAGE, service_tier="batch"))
    call(database, "b", ended_at=clock() - HOUR, usage=replace(USAGE, service_tier="priority"))

    book.enter(late(clock, prices=replace(PRICES, services=(half,))), offered=None, actor_id="ann")

    assert ledger(database) == {"a": (Decimal("0.00225"), "computed", "book 1"), "b": (None, "unpriced", None)}


def test_off_peak_hours_of_the_past_cost_less(book, database, clock):
    night = OffPeak(hours=(Hours(since=0, until=60),), prices=Prices(input=Decimal(1), output=Decimal(5)))
    midnight = clock().replace(hour=0, minute=0, second=0, microsecond=0)
    prices = replace(PRICES, cached_input=None, off_peak=night)
    moments = {"a": midnight - HOUR, "b": midnight, "c": midnight + HOUR - HOUR / 3600, "d": midnight + HOUR}
    for name, moment in moments.items():
        call(database, name, ended_at=moment)

    book.enter(late(clock, hours=40, prices=prices), offered=None, actor_id="ann")

    day, cheap = (Decimal("0.0045"), "computed", "book 1"), (Decimal("0.0015"), "computed", "book 1 off-peak")
    assert ledger(database) == {"a": day, "b": cheap, "c": cheap, "d": day}


def test_the_audit_says_what_was_entered(book, database, clock):
    book.enter(late(clock), offered=None, actor_id="ann")

    (entry,) = list_audit(database)
    assert (entry.action, entry.actor_id, entry.subject) == ("price.enter", "ann", "gpt")
    assert entry.after["valid_from"] == (clock() - 10 * HOUR).isoformat()


def test_the_effect_on_many_models_is_asked_for_once(book, database, clock):
    call(database, "a", ended_at=clock() - HOUR, prices=PRICES)
    call(database, "b", ended_at=clock() - HOUR, served_model="other", requested_model="gpt", prices=PRICES)
    since = clock() - 2 * HOUR
    dearer = [
        part
        for name in ("gpt", "other")
        for part in slices_of(name, replace(PRICES, output=Decimal(30)), since=since, until=clock())
    ]

    found = effects(database, dearer, since=since, until=clock())

    assert {name: effect.difference_usd for name, effect in found.items()} == {
        "gpt": Decimal("0.0015"),
        "other": Decimal("0.0015"),
    }


TOKENS = st.integers(0, 3_000_000)
# Prices with nine decimals, so that half a billionth of a dollar comes up.
PRICE = st.decimals(0, 200, places=9) | st.sampled_from([Decimal("0.0005"), Decimal("0.000000001"), Decimal(0)])
FLAT = {
    name: PRICE if name in {"input", "output"} else st.none() | PRICE
    for name in (
        "input",
        "output",
        "cached_input",
        "cache_write",
        "cache_write_1h",
        "reasoning",
        "image",
        "audio",
        "audio_output",
    )
}
USAGES = st.builds(
    Usage,
    input_tokens=TOKENS,
    output_tokens=TOKENS,
    cached_input_tokens=TOKENS,
    cache_write_tokens=TOKENS,
    cache_write_1h_tokens=TOKENS,
    reasoning_tokens=TOKENS,
    image_tokens=TOKENS,
    audio_tokens=TOKENS,
    audio_output_tokens=TOKENS,
)


@st.composite
def prices(draw):
    """Prices with up to two tiers and a price per call."""
    found = draw(st.builds(Prices, **FLAT, request=st.none() | st.decimals(0, 1, places=6)))
    for above_tokens in sorted(draw(st.sets(st.integers(1, 3_000_000), max_size=2))):
        found = found.with_tier(above_tokens, **draw(st.fixed_dictionaries({}, optional=FLAT)))
    return found


@pytest.fixture(name="empty", scope="module")
def _empty(tmp_path_factory):
    database = Database(f"duckdb:{tmp_path_factory.mktemp('repricing') / 'store.duckdb'}")
    migrate(database)
    yield database
    database.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(usages=st.lists(USAGES, min_size=1, max_size=3), prices=prices())
def test_the_sql_agrees_with_the_arithmetic_to_the_last_digit(empty, usages, prices):
    noon = datetime(2026, 11, 2, 12)  # noqa: DTZ001 - naive UTC is the store's own form
    delete_attempts(empty)
    empty.execute("delete from adjustments")
    for number, usage in enumerate(usages):
        call(empty, f"{number}", ended_at=noon + number * HOUR, usage=usage)

    until = noon + len(usages) * HOUR
    slices = slices_of("gpt", prices, since=noon, until=until)
    (effect,) = effects(empty, slices, since=noon, until=until).values()
    correcting = {"reason": "a test", "actor_id": None, "now": until}
    empty.transaction(lambda cur: correct(cur, slices, since=noon, until=until, **correcting))

    costs = [compute_cost(usage, prices) for usage in usages]
    assert effect.after_usd == sum(costs)
    assert list(figures(empty).values()) == [
        (cost, cache_saving(usage, prices)) for cost, usage in zip(costs, usages, strict=True)
    ]
