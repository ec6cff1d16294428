"""Every figure on every cost page, against sums made another way: row by row in Python, from the two tables.

What a call costs today is what its row says plus its corrections; its day is that of the viewer's clock.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.costs.local_days import grain_for
from core.costs.reports.calls import load_calls
from core.costs.reports.distribution import load_distribution, load_percentiles
from core.costs.reports.download import download_calls
from core.costs.reports.explorer import NOTHING, TIMES, explore, narrowed
from core.costs.reports.overview import dearest, load_overview
from core.costs.reports.reliability import load_reliability
from core.costs.reports.statements import GROUPS
from core.costs.reports.totals import Spent, total
from core.costs.usage_filter import UsageFilter
from core.costs.usage_period import span_of
from core.store.database import Database
from core.store.ledger_copy import LedgerCopy
from core.store.migrate import migrate
from tests.support.random_ledger import MODELS, fill_ledger

pytestmark = pytest.mark.slow

# On both sides of a change of the clocks: Berlin on 25 October, New York on 1 November, Lord Howe by half an hour on 4
# October; Kathmandu is 5:45 ahead all year.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
FIRST, LAST = date(2026, 10, 3), date(2026, 11, 3)
NOW = datetime(2026, 11, 3, 15, 30)  # noqa: DTZ001 - naive UTC, as everywhere in the store


@dataclass(frozen=True)
class Viewer:
    id: str = "ann"
    is_admin: bool = True


@pytest.fixture(name="filled", params=ZONES, scope="module")
def _filled(request, tmp_path_factory):
    """A store for each zone: nothing here writes to it."""
    zone = ZoneInfo(request.param)
    database = Database(f"duckdb:{tmp_path_factory.mktemp('ledger') / 'store.duckdb'}")
    migrate(database)
    since, until = span_of(FIRST - timedelta(days=3), LAST + timedelta(days=3), zone=zone)
    fill_ledger(database, seed=ZONES.index(request.param), since=since, until=until)
    copy = LedgerCopy(database)
    copy.refresh()
    yield database, copy, zone
    copy.close()
    database.close()


@pytest.fixture(name="ledger")
def _ledger(filled):
    return Ledger(*filled)


class Ledger:
    """The rows as Python sees them, and the filter that the pages get."""

    def __init__(self, database, copy: LedgerCopy, zone: ZoneInfo) -> None:
        self.database, self.copy, self.zone = database, copy, zone
        since, until = span_of(FIRST, LAST, zone=zone)
        self.chosen = UsageFilter(since=since, until=until, zone=zone)
        adjustments = defaultdict(list)
        for row in database.fetch_all("select * from adjustments order by id"):
            adjustments[row["attempt_id"]].append(row)
        self.every = [self._row(row, adjustments[row["id"]]) for row in database.fetch_all("select * from attempts")]

    def _row(self, row: dict, adjustments: list[dict]) -> dict:
        cost, code = row["cost_usd"], row["cost_code"]
        for adjustment in adjustments:
            cost = (cost or Decimal(0)) + adjustment["delta_usd"]
            code = adjustment["new_code"] or code
        local = row["started_at"].replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)
        return {
            **row,
            "cost": cost,
            "code": code,
            "model": row["served_model"] or row["requested_model"],
            "person": row["user_id"],
            "use_case": row["use_case"] or "",
            "day": datetime.combine(local.date(), datetime.min.time()),
            "local": local,
        }

    def rows(self, keep: Callable[[dict], bool] = lambda _row: True) -> list[dict]:
        inside = [row for row in self.every if self.chosen.since <= row["started_at"] < self.chosen.until]
        return [row for row in inside if keep(row)]

    def read(self, load, **options):
        """A report as a page gets it, from the copy; it is the same from the store."""
        options = {"viewer": Viewer(), **options}
        found = self.copy.snapshot(lambda cur: load(cur, self.chosen, **options))
        assert found == self.database.snapshot(lambda cur: load(cur, self.chosen, **options))
        return found


def spent(rows: Iterable[dict]) -> Spent:
    rows = list(rows)
    return Spent(
        calls=len(rows),
        cost_usd=sum((row["cost"] for row in rows if row["cost"] is not None), Decimal(0)),
        unpriced=sum(row["cost"] is None for row in rows),
    )


def grouped(rows: Iterable[dict], *names: str) -> dict:
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return {key[0] if len(names) == 1 else key: spent(part) for key, part in found.items()}


def test_the_overview_adds_up_to_the_ledger(ledger):
    overview = ledger.read(load_overview, by="model", now=NOW)
    rows = ledger.rows()

    assert overview.totals.spent == spent(rows)
    assert {name: totals.spent for name, totals in overview.models.items()} == grouped(rows, "model")
    assert overview.people == grouped(rows, "person")
    assert overview.totals.input_tokens == sum(row["input_tokens"] for row in rows)
    assert overview.totals.cached_input_tokens == sum(row["cached_input_tokens"] for row in rows)
    assert overview.totals.output_tokens == sum(row["output_tokens"] for row in rows)
    assert overview.totals.reasoning_tokens == sum(row["reasoning_tokens"] for row in rows)
    assert overview.totals.kept_answers == sum(row["cached"] for row in rows)
    assert overview.totals.saved_usd == sum((row["cache_saved_usd"] or 0 for row in rows), Decimal(0))


def test_the_dearest_and_all_others_are_everybody(ledger):
    overview = ledger.read(load_overview, by="model", now=NOW)

    rows, others = dearest(overview.people, limit=2)

    assert total([others, *(found for _, found in rows)]) == overview.totals.spent


def test_conversations_add_up_to_all_calls(ledger):
    found = ledger.read(load_overview, by="model", now=NOW).conversations
    by_conversation = grouped(ledger.rows(), "conversation_id")
    outside = by_conversation.pop(None)
    ranked = sorted(by_conversation, key=lambda key: (-by_conversation[key].cost_usd, key))

    assert [item.id for item in found.dearest] == ranked[:10]
    assert [item.spent for item in found.dearest] == [by_conversation[key] for key in ranked[:10]]
    assert found.others == total(by_conversation[key] for key in ranked[10:])
    assert found.other_count == len(ranked) - 10
    assert found.outside == outside


@pytest.mark.parametrize("by", ["model", "provider", "person", "use_case", "source"])
def test_columns_are_the_days_of_the_viewers_clock(ledger, by):
    assert grain_for(ledger.chosen.since, ledger.chosen.until) == "day"

    columns = ledger.read(load_overview, by=by, now=NOW).columns

    groups = grouped(ledger.rows(), by)
    dear = sorted(groups, key=lambda name: (-groups[name].cost_usd, -groups[name].calls, name))[:9]
    expected = defaultdict(Spent)
    for (at, name), found in grouped(ledger.rows(), "day", by).items():
        expected[at, name if name in dear else None] += found
    assert {(column.at, column.name): column.spent for column in columns} == expected


def test_so_far_is_compared_with_as_far_before(ledger):
    lately = ledger.read(load_overview, by="model", now=NOW).lately
    now = NOW.replace(tzinfo=UTC).astimezone(ledger.zone).replace(tzinfo=None)
    today = now.date()
    midnight = now.replace(hour=0, minute=0)

    def between(since: datetime, until: datetime) -> Spent:
        return spent(row for row in ledger.every if since <= row["local"] < until)

    tomorrow = midnight + timedelta(days=1)
    monday = midnight - timedelta(days=today.weekday())
    month, last_month = midnight.replace(day=1), datetime(today.year, today.month - 1, 1)  # noqa: DTZ001 - local
    assert lately.today.now == between(midnight, tomorrow)
    assert lately.today.before == between(midnight - timedelta(days=1), now - timedelta(days=1))
    assert lately.week.now == between(monday, tomorrow)
    assert lately.week.before == between(monday - timedelta(days=7), now - timedelta(days=7))
    assert lately.month.now == between(month, tomorrow)
    assert lately.month.before == between(last_month, last_month + (now - month))
    assert lately.last_month == between(last_month, month)


@pytest.mark.parametrize("second", [NOTHING, "person", "status", "code", "use_case"])
@pytest.mark.parametrize("first", ["model", "provider", "day", "source"])
def test_the_explorers_table_and_chart_agree_with_the_ledger(ledger, first, second):
    found = ledger.read(explore, first=first, second=second, page_rows=10_000)
    names = (first,) if second == NOTHING else (first, second)
    expected = grouped(ledger.rows(), *names)

    table = {cell.first if second == NOTHING else (cell.first, cell.second): cell.totals.spent for cell in found.rows}
    assert table == expected
    assert found.groups == len(expected)
    assert found.totals.spent == spent(ledger.rows())
    assert total(cell.totals.spent for cell in found.chart) == found.totals.spent


def test_pages_of_the_table_hold_every_group_once(ledger):
    pages = [ledger.read(explore, first="person", second="model", page=page, page_rows=7) for page in range(1, 20)]

    cells = [(cell.first, cell.second) for page in pages for cell in page.rows]

    assert len(cells) == len(set(cells)) == pages[0].groups


def test_a_chart_folds_what_it_cannot_show(ledger):
    found = ledger.read(explore, first="day", second="model")

    shown = {cell.second for cell in found.chart}

    assert len(MODELS) > 9
    assert len(shown) == 10
    assert None in shown


@pytest.mark.parametrize("group", [*GROUPS, "day"])
def test_the_calls_behind_a_group_are_its_calls(ledger, group):
    for cell in ledger.read(explore, first=group).rows[:5]:
        calls = ledger.copy.snapshot(
            lambda cur, cell=cell: load_calls(
                cur, narrowed(ledger.chosen, group, cell.first), viewer=Viewer(), page_rows=1000
            )
        )
        assert calls.count == len(calls.rows) == cell.totals.calls
        assert sum((call.cost_usd or 0 for call in calls.rows), Decimal(0)) == cell.totals.cost_usd


def test_hours_and_weeks_are_those_of_the_viewers_clock(ledger):
    weeks = ledger.read(explore, first="week", page_rows=1000).rows
    hours = ledger.read(explore, first="hour", page_rows=10_000).rows
    by_week, by_hour = defaultdict(list), defaultdict(list)
    for row in ledger.rows():
        by_week[row["day"] - timedelta(days=row["day"].weekday())].append(row)
        by_hour[row["local"].replace(minute=0, second=0, microsecond=0)].append(row)

    assert set(TIMES) == {"hour", "day", "week"}
    assert {cell.first: cell.totals.spent for cell in weeks} == {at: spent(rows) for at, rows in by_week.items()}
    assert {cell.first: cell.totals.spent for cell in hours} == {at: spent(rows) for at, rows in by_hour.items()}


@pytest.mark.parametrize(
    ("item", "column", "values"),
    [
        ("users", "person", ("ann", "eve")),
        ("models", "model", MODELS[:3]),
        ("providers", "provider", ("lab",)),
        ("use_cases", "use_case", ("", "coding")),
        ("sources", "source", ("api",)),
        ("statuses", "status", ("stall", "ok")),
        ("codes", "code", ("unpriced", "cached")),
    ],
)
def test_every_list_of_the_filter_keeps_what_it_names(ledger, item, column, values):
    ledger.chosen = UsageFilter(
        since=ledger.chosen.since, until=ledger.chosen.until, zone=ledger.zone, **{item: values}
    )

    found = ledger.read(load_overview, by="model", now=NOW)

    assert found.totals.spent == spent(ledger.rows(lambda row: row[column] in values))


@pytest.mark.parametrize("asked_for", [(), ("eve",), ("ann", "eve")])
def test_a_member_finds_their_own_calls_whatever_they_ask_for(ledger, asked_for):
    ledger.chosen = UsageFilter(since=ledger.chosen.since, until=ledger.chosen.until, zone=ledger.zone, users=asked_for)
    member = Viewer("bob", is_admin=False)
    own = spent(ledger.rows(lambda row: row["person"] == "bob"))

    overview = ledger.read(load_overview, viewer=member, by="person", now=NOW)
    calls = ledger.read(load_calls, viewer=member, page_rows=1000)

    assert overview.totals.spent == overview.people["bob"] == own
    assert {call.user_id for call in calls.rows} == {"bob"}
    assert ledger.read(explore, viewer=member, first="model").totals.spent == own
    assert ledger.read(load_reliability, viewer=member).totals == own


def test_calls_of_hidden_conversations_are_in_no_figure(ledger):
    member, hidden = Viewer("bob", is_admin=False), ("talk-1", "talk-2")
    every = ledger.read(load_calls, viewer=member, page_rows=1000).rows
    ledger.chosen = replace(ledger.chosen, hidden=hidden)

    found = ledger.read(load_calls, viewer=member, page_rows=1000)

    assert found.rows == [call for call in every if call.conversation_id not in hidden]
    assert found.count == ledger.read(explore, viewer=member, first="model").totals.calls < len(every)


def test_percentiles_are_those_of_the_values(ledger):
    groups = ledger.read(load_percentiles, by="provider", measured="duration")
    costs = ledger.read(load_distribution, measured="cost")
    values = sorted(float(row["cost"]) for row in ledger.rows() if row["cost"] is not None)
    cuts = statistics.quantiles(values, n=100, method="inclusive")

    assert costs.percentiles.count == len(values)
    assert costs.percentiles.p50 == pytest.approx(cuts[49])
    assert costs.percentiles.p95 == pytest.approx(cuts[94])
    assert costs.percentiles.p99 == pytest.approx(cuts[98])
    assert costs.most == pytest.approx(values[-1])
    assert sum(item.calls for item in costs.bins) + costs.zeros == len(values)
    assert all(item.calls == sum(item.low <= value < item.high for value in values) for item in costs.bins)
    for provider, found in groups.items():
        rows = ledger.rows(lambda row, provider=provider: row["provider"] == provider)
        assert found.count == sum(row["status"] == "ok" and not row["cached"] for row in rows)
        assert found.p50 == 2500


def test_failures_stops_and_detours_are_those_of_the_ledger(ledger):
    found = ledger.read(load_reliability)
    rows = ledger.rows()
    failed = {row["id"]: row for row in rows if row["status"] not in {"ok", "stopped"}}
    followers = [row for row in ledger.every if row["parent_id"] in failed]
    pairs = [(failed[row["parent_id"]], row) for row in followers if row["started_at"] >= ledger.chosen.since]

    assert found.outcomes == grouped(rows, "model", "status")
    assert found.failures == grouped(failed.values(), "status")
    assert total(column.spent for column in found.columns) == spent(failed.values())
    assert found.tax == spent(before for before, _ in pairs)
    lost = sum(((after["started_at"] - before["started_at"]).total_seconds() for before, after in pairs), 0.0)
    assert found.lost_ms == pytest.approx(lost * 1000)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_downloaded_file_holds_the_same_money(ledger, file_format, tmp_path):
    path = tmp_path / f"calls.{file_format}"
    known = ledger.rows()[0]["user_id"]
    asked = {"viewer": Viewer(), "file_format": file_format, "usernames": {"gone": "eve", known: "ada"}}
    path.write_bytes(download_calls(ledger.copy, ledger.chosen, **asked))

    reader = "read_csv($path, types = {'cost_usd': 'decimal(18,9)'})" if file_format == "csv" else "read_parquet($path)"
    row = ledger.database.fetch_one(
        "select count(*) as calls, sum(cost_usd) as cost_usd, "  # noqa: S608 - one of two texts above
        "count_if(username = 'ada') = count_if(user_id = $known) and count(username) = count_if(user_id = $known) "
        f"as named from {reader}",
        path=str(path),
        known=known,
    )

    assert row == {"calls": len(ledger.rows()), "cost_usd": spent(ledger.rows()).cost_usd, "named": True}
