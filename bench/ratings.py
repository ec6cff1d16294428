"""How long ratings take: 100,000 votes, 40 models, 200 bootstraps, with and without style. `python -m bench.ratings`.

From the store, as the page asks for them: the votes are written to a store in a temporary folder first, which is not
counted. Target: each board in at most 5 s; then again from what is kept, in at most 50 ms.
Ends with code 1 when a target is missed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from core.arena.boards import Boards
from core.store.database import Database
from core.store.migrate import migrate

VOTES, MODELS = 100_000, 40
TARGET_MS, KEPT_TARGET_MS = 5_000.0, 50.0

# People who know the models' strengths, a step of 0.1 from one to the next, and toss a coin by them; a fifth are ties.
_MAKE = f"""
insert into votes (
    id, user_id, pair, comparison_id, use_case, left_model, right_model, left_message_id, right_message_id, outcome,
    left_characters, left_list_items, left_headers, right_characters, right_list_items, right_headers, created_at
)
select printf('vote-%06d', n), 'ann', printf('pair-%06d', n), 'c', case n % 3 when 0 then 'coding' else 'writing' end,
    'model-' || one, 'model-' || two, 'l' || n, 'r' || n,
    case when random() < 0.2 then 'tie' when random() < 1 / (1 + exp(0.1 * (two - one))) then 'left' else 'right' end,
    (random() * 4000)::int, (random() * 10)::int, (random() * 4)::int,
    (random() * 4000)::int, (random() * 10)::int, (random() * 4)::int,
    timestamp '2026-01-01' + to_minutes(n)
from (
    select n, one, (one + 1 + (random() * {MODELS - 2})::int) % {MODELS} as two
    from (select unnest(range({VOTES})) as n, (random() * {MODELS - 1})::int as one)
)
"""  # noqa: S608 - numbers of this module


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        database = Database(f"duckdb:{Path(folder) / 'ratings.duckdb'}")
        try:
            migrate(database)
            make_votes(database)
            boards = Boards(database)
            held = [_measure("all votes", boards.board, TARGET_MS)]
            held += [_measure("all votes, with style", lambda: boards.board(style=True), TARGET_MS)]
            held += [_measure("the same again", lambda: boards.board(style=True), KEPT_TARGET_MS)]
            held += [_measure("head to head", boards.head_to_head, TARGET_MS)]
        finally:
            database.close()
    return 0 if all(held) else 1


def make_votes(database: Database) -> None:
    """Write the votes; the same ones every time."""
    with database.cursor() as cur:
        cur.execute("select setseed(0.5)")
        cur.execute(_MAKE)


def _measure(name: str, work: Callable[[], object], target_ms: float) -> bool:
    began = time.perf_counter()
    work()
    took_ms = (time.perf_counter() - began) * 1000
    held = took_ms <= target_ms
    print(f"{name:<24} {took_ms:8.1f} ms   at most {target_ms:g}: {'ok' if held else 'not ok'}")
    return held


if __name__ == "__main__":
    sys.exit(main())
