"""The same rows and the same questions in SQLite and PostgreSQL, for ratios: neither is a product of this project.

PostgreSQL is Debian's, started in a temporary folder on loopback as a user without rights; where it is not installed it
is left out. Both get an index on the time of a call, which is what their users would make.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from core.store.database import Database

Ask = Callable[[str], float]

_COLUMNS = (
    "started_at, user_id, conversation_id, served_model, provider, source, status, "
    "input_tokens, output_tokens, cost_usd"
)
_TABLE = """create table attempts (started_at {time}, user_id text, conversation_id text, served_model text,
    provider text, source text, status text, input_tokens bigint, output_tokens bigint, cost_usd {money})"""
_INDEX = "create index attempts_by_time on attempts (started_at)"


# What the pages ask most, in SQL that all three understand.
_QUESTIONS = {
    "cost by model, all": """select served_model, sum(cost_usd), count(*), count(*) - count(cost_usd)
        from attempts group by served_model""",
    "cost by model, 30 days": """select served_model, sum(cost_usd), count(*), count(*) - count(cost_usd)
        from attempts where started_at >= SINCE group by served_model""",
    "cost by person and source, all": """select user_id, source, sum(cost_usd), count(*)
        from attempts group by user_id, source""",
    "tokens by provider and status, all": """select provider, status, sum(input_tokens), sum(output_tokens)
        from attempts group by provider, status""",
    "dearest conversations, 30 days": """select conversation_id, sum(cost_usd) as cost, count(*)
        from attempts where started_at >= SINCE group by conversation_id order by cost desc limit 10""",
}


def questions(now: datetime) -> dict[str, str]:
    """Questions by name, with the moment in them that the last 30 days begin."""
    since = f"'{now - timedelta(days=30):%Y-%m-%d %H:%M:%S}'"
    return {name: sql.replace("SINCE", since) for name, sql in _QUESTIONS.items()}


def compare(database: Database, folder: Path, *, now: datetime, repetitions: int) -> dict[str, dict[str, float]]:
    """Milliseconds by question and engine, the least of several runs each."""
    rows = folder / "attempts.csv"
    with database.cursor() as cur:
        cur.execute(f"copy (select {_COLUMNS} from attempts) to '{rows}'")  # noqa: S608 - our own path
        asked = {
            name: {"duckdb": _best(lambda sql: _ours(database, sql), sql, repetitions)}
            for name, sql in questions(now).items()
        }
    rows.chmod(0o644)
    for engine, opened in (("sqlite", _sqlite(folder, rows)), ("postgresql", _postgresql(rows))):
        with opened as ask:
            if ask is not None:
                for name, sql in questions(now).items():
                    asked[name][engine] = _best(ask, sql, repetitions)
    return asked


def _best(ask: Ask, sql: str, repetitions: int) -> float:
    return min(ask(sql) for _ in range(repetitions))


def _ours(database: Database, sql: str) -> float:
    started = time.perf_counter()
    database.fetch_all(sql)
    return (time.perf_counter() - started) * 1000


@contextmanager
def _sqlite(folder: Path, rows: Path) -> Iterator[Ask | None]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.execute(_TABLE.format(time="text", money="numeric"))
        marks = ", ".join("?" * len(_COLUMNS.split(",")))
        with rows.open(encoding="utf-8") as file:
            next(file)
            # No cell of these has a comma in it; an empty one is no value.
            cells = ([cell or None for cell in line.rstrip("\n").split(",")] for line in file)
            connection.executemany(f"insert into attempts values ({marks})", cells)  # noqa: S608 - question marks
        connection.execute(_INDEX)
        connection.execute("analyze")
        connection.commit()

        def ask(sql: str) -> float:
            started = time.perf_counter()
            connection.execute(sql).fetchall()
            return (time.perf_counter() - started) * 1000

        yield ask


@contextmanager
def _postgresql(rows: Path) -> Iterator[Ask | None]:
    programs = _programs()
    if programs is None:
        yield None
        return
    # A folder of its own: its user may not read the bench's.
    home = Path(f"/tmp/bench-postgresql-{os.getpid()}")  # noqa: S108 - made with a mode of its own, for another user
    home.mkdir(mode=0o700)
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        port = _free_port()
        _run(programs, "initdb", "-D", str(home / "data"), "-U", "bench", "--auth=trust", "--no-sync")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c shared_buffers=1GB -c work_mem=64MB"
        _run(programs, "pg_ctl", "-D", str(home / "data"), "-l", str(home / "log"), "-w", "-o", options, "start")
        try:
            yield _asking(programs, port, rows)
        finally:
            _run(programs, "pg_ctl", "-D", str(home / "data"), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _asking(programs: Path, port: int, rows: Path) -> Ask:
    def psql(*commands: str, stdin: Path | None = None) -> str:
        given = [part for command in commands for part in ("-c", command)]
        database = ["-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
        return _run(programs, "psql", *database, *given, stdin=stdin)

    psql(_TABLE.format(time="timestamp", money="numeric(18,9)"))
    psql(f"copy attempts ({_COLUMNS}) from stdin (format csv, header)", stdin=rows)
    psql(_INDEX, "vacuum analyze attempts")

    def ask(sql: str) -> float:
        found = re.findall(r"^Time: ([\d.]+) ms", psql(r"\timing on", sql), re.MULTILINE)
        return float(found[-1])

    return ask


def _run(programs: Path, name: str, *arguments: str, stdin: Path | None = None) -> str:
    # PostgreSQL refuses to run as root.
    other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with (stdin or Path(os.devnull)).open(encoding="utf-8") as given:
        done = subprocess.run(
            [*other, str(programs / name), *arguments], stdin=given, capture_output=True, text=True, check=True, cwd="/"
        )
    return done.stdout


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    programs = found[-1].parent if found else Path(on_path).parent if on_path else None
    return programs if programs and "nobody" in {entry.pw_name for entry in pwd.getpwall()} else None


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
