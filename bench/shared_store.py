"""`python -m bench.shared_store`: what a store on PostgreSQL answers with DuckDB: reports and the search.

The ledger of `bench.ledger` and the messages of `bench.search` are made in a file and copied, as `core store copy` does
it, to a PostgreSQL of its own on loopback, the one of the tests, which does not sync its files. Each search is
measured on the file too. Target: the copy of the ledger takes in 10,000 new rows within 300 ms.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench import ledger_rows, search
from bench.ledger_copying import measure_copy
from core.clock import utc_now
from core.store.copying import copy_store
from core.store.database import Database
from core.store.ledger_copy import LedgerCopy
from core.store.migrate import migrate
from tests.support.postgres import PostgresServer, running_postgres


def main() -> int:
    """Build, copy, measure, print; 1 when the copy of the ledger misses its target."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-shared-") as name, running_postgres() as server:
        folder = Path(name)
        fresh = options.only == "search" or _ledger(server, folder, options)
        if options.only != "ledger":
            _search(server, folder, options)
    return 0 if fresh else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.shared_store", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="attempts in the ledger")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--only", choices=("ledger", "search"))
    return parser.parse_args()


def _ledger(server: PostgresServer, folder: Path, options: argparse.Namespace) -> bool:
    trace = ledger_rows.find_trace()
    if trace is None:
        return True
    path = folder / "ledger.duckdb"
    ledger_rows.build(path, rows=options.rows, until=utc_now(), trace=trace).close()
    with _moved(server, path) as database:
        file = folder / "copy.duckdb"
        with closing(LedgerCopy(database, file)) as copy:
            return measure_copy(database, copy, file, repetitions=options.repetitions)


def _search(server: PostgresServer, folder: Path, options: argparse.Namespace) -> None:
    path = folder / "search.duckdb"
    with closing(Database(f"duckdb:{path}")) as database:
        migrate(database)
        words = search.fill(database, people=1)
    with _moved(server, path) as shared, closing(Database(f"duckdb:{path}")) as alone:
        with shared.cursor() as cur:
            # As autovacuum does it on a server that is not ours.
            cur.on_server("analyze")
        for text in search.searches(words):
            for name, database in (("file", alone), ("server", shared)):
                print(f"{name}: ", end="")
                search.measure(database, text, options.repetitions)


@contextmanager
def _moved(server: PostgresServer, path: Path) -> Iterator[Database]:
    """The store of a file in a database of the server."""
    with closing(Database(f"duckdb:{path}")) as source, closing(Database(server.create())) as target:
        started = time.monotonic()
        rows = sum(copy_store(source, target).values())
        print(f"copied and compared {rows:,} rows in {time.monotonic() - started:.0f} s", flush=True)
        migrate(target)
        yield target


if __name__ == "__main__":
    sys.exit(main())
