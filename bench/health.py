"""`python -m bench.health`: how long the status of every model takes over a ledger of a million attempts.

The ledger is made inside DuckDB in some seconds, spread evenly over the days, in the order of time as the application
writes it. Target: at most 50 ms for a look at the calls (every two seconds at most, while pages ask).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from core.catalog.call_figures import CallFigures
from core.catalog.health import judge
from core.catalog.passive_health import PassiveHealth, read_usual
from core.clock import utc_now
from core.store.attempt_rows import take_rows
from core.store.database import Database
from core.store.migrate import migrate

TARGET_MS = 50.0
_BETWEEN_LOOKS = timedelta(seconds=2)

# 96 of 100 calls work; 40 models; waits of 0.2 to 1.2 s; answers of 20 to 420 tokens in 1 to 8 s.
_FILL = """
select
    lpad(i::varchar, 12, '0') as id, id as turn_id, null as parent_id, 'conversation-' || i % 50000 as conversation_id,
    'user-' || i % 50 as user_id, 'chat' as source, null as use_case, 'model-' || i * 7919 % 40 as requested_model,
    requested_model as served_model, null as upstream_model, 'bench' as provider, '{}' as parameters,
    ended_at - to_milliseconds(wait + busy) as started_at,
    case when i % 100 < 96 then ended_at - to_milliseconds(busy) end as first_token_at,
    ended_at,
    900 as input_tokens, 0 as cached_input_tokens, 0 as cache_write_tokens, 0 as image_tokens,
    20 + i * 31 % 400 as output_tokens, 0 as reasoning_tokens,
    0.00012 as computed_cost_usd, null as reported_cost_usd, 0.00012 as cost_usd, 'computed' as cost_code,
    'bench' as price_version,
    case when i % 100 < 96 then 'ok' when i % 100 < 98 then 'rate_limit' else 'server' end as status,
    case when i % 100 >= 96 then 'The model failed. Try again.' end as error_message, null as fallback_of,
    false as cached
from (
    select
        i,
        $now::timestamp - to_milliseconds((($rows - i) * $days * 86400000.0 / $rows)::bigint) as ended_at,
        200 + i * 13 % 1000 as wait,
        1000 + i * 17 % 7000 as busy
    from range(1, $rows + 1) as numbers(i)
) as numbered"""


def main() -> int:
    """Build, measure, print; 1 when the target is missed."""
    options = _options()
    now = utc_now()
    with tempfile.TemporaryDirectory(prefix="bench-health-") as folder:
        database = Database(f"duckdb:{Path(folder) / 'bench.duckdb'}")
        migrate(database)
        started = time.perf_counter()
        database.transaction(lambda cur: take_rows(cur, f"({_FILL})", now=now, rows=options.rows, days=options.days))
        database.execute("checkpoint")
        print(f"{options.rows:,} attempts over {options.days} days in {time.perf_counter() - started:.1f} s")
        median_ms = _measure(database, now, options.repetitions)
        database.close()
    return 1 if median_ms > TARGET_MS else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.health", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="attempts in the ledger")
    parser.add_argument("--days", type=int, default=30, help="the time they are spread over")
    parser.add_argument("--repetitions", type=int, default=91, help="looks, two seconds apart")
    return parser.parse_args()


def _measure(database: Database, now: datetime, repetitions: int) -> float:
    usual = read_usual(database, now=now)
    calls = CallFigures(database)
    _timed("the first look, which sums up the day", 1, lambda: calls.read(now=now, usual=usual))
    # Every look two seconds after the one before, as pages ask: the minutes pass, and what is old is summed up.
    looks = count(1)
    refresh_ms = _timed(
        "a look at the calls", repetitions, lambda: calls.read(now=now + next(looks) * _BETWEEN_LOOKS, usual=usual)
    )
    figures = calls.read(now=now, usual=usual)
    _timed("the usual times of 7 days, every 10 minutes", 5, lambda: read_usual(database, now=now))
    _timed(
        "judging 500 models", repetitions, lambda: [judge(next(iter(figures.values())), now=now) for _ in range(500)]
    )
    _timed("a page's question in between", repetitions, _asking(PassiveHealth(database)))
    return refresh_ms


def _asking(health: PassiveHealth) -> Callable[[], object]:
    health.status("model-1")
    return lambda: [health.status(f"model-{number}") for number in range(500)]


def _timed(name: str, repetitions: int, work: Callable[[], object]) -> float:
    samples = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        samples.append((time.perf_counter() - started) * 1000)
    print(f"{name}: {statistics.median(samples):.1f} ms ({min(samples):.1f} to {max(samples):.1f})")
    return statistics.median(samples)


if __name__ == "__main__":
    sys.exit(main())
