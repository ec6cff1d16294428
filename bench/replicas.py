"""`python -m bench.replicas`: what one or two replicas carry, as the capacity table of docs/operations.md has it.

PostgreSQL, Redis, the load balancer of `deploy/` and the replicas run on loopback; API streams come through the
balancer at once, under a hard budget, so that every call is agreed on. All of it shares the machine's processors with
the provider and the clients: figures are what is left for the replicas.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx
import psutil

from bench import processes, provider
from bench.stats import percentile
from core.accounts.audit import record
from core.accounts.token_commands import TokenCommand, run_command
from core.clock import utc_now
from core.costs.limit_rows import Author, save_budget
from core.costs.limits import Budget, Whom
from core.store.database import Database
from tests.support.balancer import balancer, nginx
from tests.support.live_server import LiveServer, free_port, start_server
from tests.support.postgres import running_postgres
from tests.support.redis_server import redis_server

_TOKENS = 500
_RATE = 50
_FIRST_MS = 200
_HEADING = (
    "| replicas | clients | tokens a second (of what the models send) | added to the first token, p50 / p95 "
    "| processor seconds per 1,000 tokens | memory a replica |\n| ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """One answer as a client saw it, in seconds since it asked."""

    first_s: float
    last_s: float


def main() -> int:
    """Measure and print one row of the table per number of clients; 1 when a call failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.replicas", description=__doc__)
    parser.add_argument("--replicas", type=int, default=2, choices=(1, 2), metavar="N", help="1 or 2")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 20, 50, 100], metavar="N")
    options = parser.parse_args()
    print(f"{_TOKENS} tokens at {_RATE}/s after {_FIRST_MS} ms, through the balancer, on {os.cpu_count()} cores\n")
    print(_HEADING, flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with cluster(folder, options.replicas) as (url, replicas, token):
            asyncio.run(_together(url, token, 2))  # warm
            for clients in options.clients:
                row, lost = _measured(url, replicas, token, clients)
                print(row, flush=True)
                failed += lost
    if failed:
        print(f"\n{failed} calls failed: the figures are of those that did not.")
    return 1 if failed else 0


@contextmanager
def cluster(folder: Path, count: int) -> Iterator[tuple[str, list[LiveServer], str]]:
    """Running replicas: the balancer's URL, they themselves, and an API token."""
    program = nginx()
    if program is None:
        raise SystemExit("There is no nginx on this machine: run scripts/install-services.")
    with ExitStack() as stack:
        upstream = stack.enter_context(provider.running(folder))
        store = stack.enter_context(running_postgres()).create()
        redis = stack.enter_context(redis_server(folder))
        settings = {
            "SWITCHBOARD_STORE": store,
            "SWITCHBOARD_REDIS": redis.url,
            "SWITCHBOARD_SESSION_SECRET": "5e" * 32,
            "SWITCHBOARD_FILES": str(folder / "files"),
            "SWITCHBOARD_ADMIN_PASSWORD": "only for the bench",
            "SWITCHBOARD_MODELS": str(_registry(folder / "models.yaml", upstream.api_base)),
            "SWITCHBOARD_PROBES": "off",
        }
        with ThreadPoolExecutor(count) as threads:
            replicas = list(threads.map(partial(_start, folder, settings), range(count)))
        for replica in replicas:
            stack.callback(replica.stop)
        token = _prepare(store)
        # The shipped file names two: a single replica is both.
        addresses = [replicas[number % count].url.removeprefix("http://") for number in range(2)]
        yield stack.enter_context(balancer(program, folder, addresses)), replicas, token


def _start(folder: Path, settings: dict[str, str], number: int) -> LiveServer:
    own = folder / str(number)
    own.mkdir()
    return start_server(own, port=free_port(), **settings)


def _registry(path: Path, api_base: str) -> Path:
    upstream = provider.model_name(_TOKENS, rate=_RATE, first_ms=_FIRST_MS)
    path.write_text(
        f"providers:\n  loop: {{kind: openai, api_base: '{api_base}', api_key: none}}\n"
        f"models:\n  - {{id: bench, call: loop/{upstream}, price: {{input: 1, output: 2}}, context_tokens: 100000}}\n",
        encoding="utf-8",
    )
    return path


def _prepare(store: str) -> str:
    """A hard budget for everybody and a token; the replicas notice both within seconds."""
    database = Database(store)
    try:
        author = Author(actor_id=None, subject="everybody", record=record, now=utc_now())
        budget = Budget(id="", whom=Whom(), period="month", amount_usd=Decimal(100_000), hard=True)
        save_budget(database, budget, author)
        made = run_command(database, TokenCommand(action="create", user="admin", name="bench"))
        time.sleep(4)
        return str(made.token)
    finally:
        database.close()


def _measured(url: str, replicas: list[LiveServer], token: str, clients: int) -> tuple[str, int]:
    """A row, and how many calls failed."""
    before = _cpu_s(replicas)
    streams = asyncio.run(_together(url, token, clients))
    cpu_s, lost = _cpu_s(replicas) - before, clients - len(streams)
    if not streams:
        return f"| {len(replicas)} | {clients} | every call failed | | | |", lost
    tokens = len(streams) * _TOKENS
    ideal = tokens / (_FIRST_MS / 1000 + _TOKENS / _RATE)
    added = [(stream.first_s * 1000) - _FIRST_MS for stream in streams]
    memory = max(processes.resident_mb(replica.process.pid) for replica in replicas)
    speed = tokens / max(stream.last_s for stream in streams)
    first = f"{percentile(added, 0.5):.0f} / {percentile(added, 0.95):.0f} ms"
    row = (
        f"| {len(replicas)} | {clients} | {speed:,.0f} ({speed / ideal:.0%}) | {first} "
        f"| {1000 * cpu_s / tokens:.3f} | {memory:.0f} MB |"
    )
    return row, lost


async def _together(url: str, token: str, clients: int) -> list[Stream]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=limits) as client:
        asked = await asyncio.gather(*(_ask(client, token) for _ in range(clients)), return_exceptions=True)
    for error in asked:
        if isinstance(error, BaseException):
            print(f"a call failed: {type(error).__name__} {error}", file=sys.stderr)
    return [stream for stream in asked if isinstance(stream, Stream)]


async def _ask(client: httpx.AsyncClient, token: str) -> Stream:
    body = {"model": "bench", "messages": [{"role": "user", "content": "Tell a story."}], "stream": True}
    asked_at = time.monotonic()
    first_s = last_s = 0.0
    headers = {"authorization": f"Bearer {token}"}
    async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("data: {") and _words(line):
                last_s = time.monotonic() - asked_at
                first_s = first_s or last_s
    return Stream(first_s, last_s)


def _words(line: str) -> bool:
    chunk = json.loads(line.removeprefix("data: "))
    if error := chunk.get("error"):
        raise RuntimeError(error["message"])
    choices = chunk["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


def _cpu_s(replicas: list[LiveServer]) -> float:
    spent = [psutil.Process(replica.process.pid).cpu_times() for replica in replicas]
    return float(sum(times.user + times.system for times in spent))


if __name__ == "__main__":
    raise SystemExit(main())
