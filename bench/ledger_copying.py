"""How long the copy of the ledger takes: to be made, compared after a start, and to take in rows and corrections."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.clock import utc_now
from core.ids import new_id
from core.store.attempt_rows import take_rows
from core.store.database import Cursor, Database
from core.store.ledger_copy import LedgerCopy

NEW_ROWS = 10_000
CORRECTIONS = 1_000
TARGET_MS = 300.0

_NEW_CALLS = """
select * replace (uuid()::text as id, $now::timestamp + to_microseconds(row_number() over ()) as started_at,
    $now::timestamp + interval 3 second as first_token_at, $now::timestamp + interval 9 second as ended_at)
from (select * from attempts order by started_at desc limit $rows)"""
_NEW_CORRECTIONS = """
insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, reason)
select $id || id, id, started_at, $now, 0.000000007, 'computed', 'bench'
from (select id, started_at from attempts using sample reservoir($rows rows) repeatable (7))"""


def measure_copy(database: Database, copy: LedgerCopy, path: Path, *, repetitions: int) -> bool:
    """Print all of it; whether 10,000 new rows are taken in within the target."""
    rows = _rows(database)
    first_ms = _timed(copy.refresh)
    size = path.stat().st_size / rows
    copy.close()
    start_ms = _timed(copy.refresh)
    idle_ms = min(_timed(copy.refresh) for _ in range(repetitions))
    new_ms = min(_after(database, copy, _call_again) for _ in range(repetitions))
    corrected_ms = min(_after(database, copy, _correct) for _ in range(repetitions))
    print(
        f"copy: made in {first_ms / 1000:.1f} s, {size:.0f} bytes a row; compared after a start in {start_ms:.0f} ms; "
        f"nothing new {idle_ms:.1f} ms, {NEW_ROWS:,} new rows {new_ms:.0f} ms (target {TARGET_MS:.0f}), "
        f"{CORRECTIONS:,} corrections {corrected_ms:.0f} ms"
    )
    return new_ms <= TARGET_MS


def _after(database: Database, copy: LedgerCopy, change: Callable[[Cursor], None]) -> float:
    database.transaction(change)
    return _timed(copy.refresh)


def _call_again(cur: Cursor) -> None:
    take_rows(cur, f"({_NEW_CALLS.replace('$rows', str(NEW_ROWS))})", now=utc_now())


def _correct(cur: Cursor) -> None:
    cur.execute(_NEW_CORRECTIONS.replace("$rows", str(CORRECTIONS)), now=utc_now(), id=new_id())


def _rows(database: Database) -> int:
    row = database.fetch_one("select count(*) as rows from attempts")
    return int(row["rows"]) if row else 0


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
