"""Replay, the frontier, the radar and budgets against sums made another way: row by row in Python, from the two tables.

The ledger holds corrected, unpriced, kept and failed calls on both sides of a change of the clocks. The other pages of
the costs are compared in test_cost_reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.catalog.models import Prices
from core.costs.frontier import standings
from core.costs.length_ratios import LengthRatios
from core.costs.limit_rows import count_ledger
from core.costs.radar import retiring
from core.costs.replay import replay
from core.costs.usage_filter import UsageFilter
from core.costs.usage_period import span_of
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.random_ledger import PEOPLE, fill_ledger
from tests.support.turns import model

pytestmark = pytest.mark.slow

ZONES = ("Europe/Berlin", "America/New_York")
FIRST, LAST = date(2026, 10, 20), date(2026, 11, 3)
NOW = datetime(2026, 11, 3, 15, 30)  # noqa: DTZ001 - naive UTC, as everywhere in the store
WIDE = replace(model("other"), prices=Prices(input=Decimal(3), output=Decimal(11)), context_tokens=None)


@dataclass(frozen=True)
class Viewer:
    id: str
    is_admin: bool


TEAM, BOB = Viewer("boss", is_admin=True), Viewer("bob", is_admin=False)


@pytest.fixture(name="ledger", params=ZONES, scope="module")
def _ledger(request, tmp_path_factory):
    """A store for each zone, its rows with what each costs today, and the time that is looked at."""
    zone = ZoneInfo(request.param)
    database = Database(f"duckdb:{tmp_path_factory.mktemp('ledger') / 'store.duckdb'}")
    migrate(database)
    since, until = span_of(FIRST, LAST, zone=zone)
    fill_ledger(database, seed=len(request.param), since=since - timedelta(days=3), until=until, calls=700)
    yield database, rows_of(database), UsageFilter(since=since, until=until, zone=zone)
    database.close()


def rows_of(database: Database) -> list[dict]:
    corrected = defaultdict(Decimal)
    for row in database.fetch_all("select attempt_id, delta_usd from adjustments"):
        corrected[row["attempt_id"]] += row["delta_usd"]
    found = database.fetch_all("select * from attempts")
    for row in found:
        if row["id"] in corrected:
            row["cost_usd"] = (row["cost_usd"] or Decimal(0)) + corrected[row["id"]]
    return found


def cost(rows: Iterable[dict]) -> Decimal:
    return sum((row["cost_usd"] for row in rows if row["cost_usd"] is not None), Decimal(0))


def answered(rows: Iterable[dict], chosen: UsageFilter, viewer: Viewer) -> list[dict]:
    return [
        row
        for row in rows
        if chosen.since <= row["started_at"] < chosen.until
        and (viewer.is_admin or row["user_id"] == viewer.id)
        and row["served_model"] is not None
        and not row["cached"]
        and row["source"] != "probe"
        and row["output_tokens"] > 0
    ]


@pytest.mark.parametrize("viewer", [TEAM, BOB], ids=["team", "member"])
def test_replay_compares_with_what_the_calls_cost_in_the_ledger(ledger, viewer):
    database, rows, chosen = ledger
    expected = answered(rows, chosen, viewer)

    found = replay(database, chosen, WIDE, viewer=viewer, ratios=LengthRatios({}, {}))

    assert not found.left_out
    assert found.calls == len(expected) > 0
    assert found.actual_usd == cost(expected)
    assert found.unpriced == sum(row["cost_usd"] is None for row in expected)
    bought = sum(3 * row["input_tokens"] + 11 * row["output_tokens"] for row in expected)
    assert found.low_usd == found.middle_usd == found.high_usd == Decimal(bought) / 1_000_000
    assert {part.model_id: part.calls for part in found.parts} == count(expected, lambda row: row["served_model"])


@pytest.mark.parametrize("viewer", [TEAM, BOB], ids=["team", "member"])
def test_the_frontier_has_the_mean_cost_of_the_answers(ledger, viewer):
    database, rows, chosen = ledger
    whole = [row for row in answered(rows, chosen, viewer) if row["status"] == "ok"]
    by_model = {
        name: [row for row in whole if row["served_model"] == name]
        for name, answers in count(whole, lambda row: row["served_model"]).items()
        if answers >= 20
    }

    found = standings(database, chosen, viewer=viewer)

    assert found or viewer is BOB
    assert {one.model_id: one.answers for one in found} == {name: len(part) for name, part in by_model.items()}
    for one in found:
        priced = [row for row in by_model[one.model_id] if row["cost_usd"] is not None]
        assert one.cost_per_answer_usd == pytest.approx(cost(priced) / len(priced), abs=Decimal("0.000000001"))
        assert one.unpriced == one.answers - len(priced)


@pytest.mark.parametrize("viewer", [TEAM, BOB], ids=["team", "member"])
def test_the_radar_counts_the_use_of_a_model_that_retires(ledger, viewer):
    database, rows, chosen = ledger
    old = replace(model("model-00"), retires_on=NOW.date())
    used = [
        row
        for row in rows
        if NOW - timedelta(days=30) <= row["started_at"] < NOW
        and row["served_model"] == "model-00"
        and (viewer.is_admin or row["user_id"] == viewer.id)
    ]

    [found] = retiring(
        database, {old.id: old}, scope=chosen, viewer=viewer, ratios=lambda: LengthRatios({}, {}), now=NOW
    )

    assert (found.calls, found.cost_usd) == (len(used), cost(used))
    assert found.people == len({row["user_id"] for row in used})
    assert found.unpriced == sum(row["cost_usd"] is None for row in used)


def test_budgets_count_the_days_weeks_and_months_of_their_calendar(ledger):
    database, rows, chosen = ledger
    local = NOW.replace(tzinfo=UTC).astimezone(chosen.zone)
    monday = local.date() - timedelta(days=local.weekday())
    begins = {"day": local.date(), "week": monday, "month": local.date().replace(day=1)}

    sums = count_ledger(database, zone=chosen.zone, now=NOW).sums

    for period, day in begins.items():
        midnight = datetime.combine(day, datetime.min.time(), tzinfo=chosen.zone).astimezone(UTC).replace(tzinfo=None)
        for person in PEOPLE:
            own = [row for row in rows if row["user_id"] == person and row["started_at"] >= midnight]
            counted = sums[period, midnight].get(person)
            usd, unpriced = (counted.usd, counted.unpriced) if counted else (Decimal(0), 0)
            assert (usd, unpriced) == (cost(own), sum(row["cost_usd"] is None for row in own))


def count(rows: Iterable[dict], name: Callable[[dict], str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[name(row)] += 1
    return dict(found)
