"""`python -m bench.admission`: what budgets cost a call, and what they take to start, at a million rows of ledger."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from itertools import count
from pathlib import Path

from bench import ledger_rows
from bench.stats import median, percentile
from core.accounts.audiences import Audiences
from core.accounts.audit import record
from core.accounts.groups import Groups
from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.chat.admission import TurnRequest
from core.chat.allowance import Allowance, Limits, Unlimited
from core.chat.turns import EngineSetup, TurnEngine
from core.clock import utc_now
from core.costs.budgets import Budgets
from core.costs.limits import Budget, RateLimit, Whom
from core.costs.output_lengths import OutputLengths
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.scripted import ScriptedGateway, answer
from core.store.database import Database

TARGET_MS = 2.0
_CALLS = 2_000
_TURNS = 200
_HISTORY = tuple(ChatMessage("user", "A question of some length, as people ask them. " * 20) for _ in range(40))
_MODEL = ModelSpec(
    id="bench",
    label="Bench",
    provider=ProviderSpec(id="bench", kind="scripted"),
    upstream="bench",
    prices=Prices(input=Decimal(3), output=Decimal(15)),
)


def main() -> int:
    """Build, measure, print; 1 when half of the admissions take longer than the target."""
    parser = argparse.ArgumentParser(prog="python -m bench.admission", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="attempts in the ledger")
    rows = parser.parse_args().rows
    trace = ledger_rows.find_trace()
    if trace is None:
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-admission-") as folder:
        database = ledger_rows.build(Path(folder) / "store.duckdb", rows=rows, until=utc_now(), trace=trace)
        try:
            return _measure(database, rows)
        finally:
            database.close()


def _measure(database: Database, rows: int) -> int:
    user_id = str((database.fetch_one("select id from users order by id limit 1") or {})["id"])
    budgets = _budgets(database, user_id)
    allowance = Allowance(budgets, lengths=OutputLengths)
    print(f"{rows:,} attempts; 4 budgets and 2 limits per minute bind the person")
    print(f"summing the ledger: {min(_times(budgets.recount, 5)):.1f} ms (best of 5)")
    admitted = _admissions(allowance, user_id)
    p50, p99 = median(admitted), percentile(admitted, 0.99)
    print(f"letting a call with 40 messages of history pass, and go: p50 {p50:.3f} ms, p99 {p99:.3f} ms")
    without, with_budgets = _starts(database, Unlimited(), user_id), _starts(database, allowance, user_id)
    print(
        f"starting a turn: p50 {without:.2f} ms without, {with_budgets:.2f} ms with: {with_budgets / without:.2f} times"
    )
    return 0 if p50 < TARGET_MS else 1


def _budgets(database: Database, user_id: str) -> Budgets:
    groups = Groups(database)
    group = groups.create("Bench", member_ids=[user_id], actor_id=None)
    budgets = Budgets(database, people=Audiences(database, groups), record=record, zone=lambda: UTC)
    budget = Budget(id="", whom=Whom(), period="month", amount_usd=Decimal(100_000_000))
    limit = RateLimit(id="", whom=Whom(), requests_per_minute=1_000_000, tokens_per_minute=1_000_000_000)
    whole = Whom(shared=True)
    own = (Whom(audience="role", subject="member"), Whom(audience="group", subject=group, shared=True))
    for made in (budget, replace(budget, whom=whole), *(replace(budget, whom=whom, period="day") for whom in own)):
        budgets.save(made, actor_id=None)
    for bound in (limit, replace(limit, whom=whole, model_id=_MODEL.id)):
        budgets.save(bound, actor_id=None)
    return budgets


def _admissions(allowance: Allowance, user_id: str) -> list[float]:
    """Milliseconds of admitting and releasing, while twenty other turns are under way."""
    request = TurnRequest(user_id=user_id, model_id=_MODEL.id)
    completion = CompletionRequest(model=_MODEL, messages=_HISTORY)
    for number in range(20):
        allowance.admit(f"other {number}", request, completion)
    numbers = count()

    def once() -> None:
        turn_id = str(next(numbers))
        allowance.admit(turn_id, request, completion)
        allowance.release(turn_id)

    return _times(once, _CALLS)


def _starts(database: Database, limits: Limits, user_id: str) -> float:
    """The median milliseconds until a turn has begun, in the best of three rounds."""
    rounds = []
    for _ in range(3):
        with _engine(database, limits) as engine:
            request = TurnRequest(user_id=user_id, model_id=_MODEL.id, text="Hello?")
            rounds.append(median(_times(lambda: _start(engine, request), _TURNS)))  # noqa: B023 - called at once
    return min(rounds)


@contextmanager
def _engine(database: Database, limits: Limits) -> Iterator[TurnEngine]:
    gateway = ScriptedGateway(fallback=lambda _request: answer("Hello"))
    find_model = {_MODEL.id: _MODEL}.get
    engine = TurnEngine(EngineSetup(database=database, gateway=gateway, find_model=find_model, limits=limits))
    try:
        yield engine
    finally:
        engine.close()


def _start(engine: TurnEngine, request: TurnRequest) -> float:
    started = time.perf_counter()
    live = engine.start(request)
    took_ms = (time.perf_counter() - started) * 1000
    live.buffer.wait_until_ended(timeout_s=10)
    return took_ms


def _times(work: Callable[[], float | None], repetitions: int) -> list[float]:
    """Milliseconds of each repetition, by the clock or as `work` itself says."""
    found = []
    for _ in range(repetitions):
        started = time.perf_counter()
        said = work()
        found.append((time.perf_counter() - started) * 1000 if said is None else said)
    return found


if __name__ == "__main__":
    sys.exit(main())
