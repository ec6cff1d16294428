"""Ledgers of all kinds of calls, for tests that add them up: priced and not, cached, stopped, failed, corrected."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from core.costs.pricing import Cost
from core.ids import new_id
from core.providers.events import Usage
from core.store.database import Database
from tests.support.attempts import add_attempt

PEOPLE = ("ann", "bob", "eve", "switchboard")
MODELS = tuple(f"model-{number:02}" for number in range(12))
_STATUSES = ("ok", "ok", "ok", "ok", "stopped", "rate_limit", "server", "stall")


def fill_ledger(database: Database, *, seed: int, since: datetime, until: datetime, calls: int = 150) -> None:
    """Write `calls` random attempts that end between two moments (naive UTC), the same for the same seed."""
    dice = random.Random(seed)
    before: str | None = None
    for _ in range(calls):
        ended_at = since + (until - since) * dice.random()
        before = _add(database, dice, ended_at.replace(microsecond=0), before)


def _add(database: Database, dice: random.Random, ended_at: datetime, before: str | None) -> str | None:
    attempt_id, status, cached = new_id(), dice.choice(_STATUSES), dice.random() < 0.1
    cost = _cost(dice, cached=cached)
    tokens = dice.randrange(5000)
    usage = Usage(input_tokens=tokens, cached_input_tokens=tokens // 3, output_tokens=tokens // 7, reasoning_tokens=3)
    add_attempt(
        database,
        id=attempt_id,
        ended_at=ended_at,
        model=dice.choice(MODELS),
        provider=dice.choice(("lab", "home")),
        status=status,
        first_token_ms=None if status == "rate_limit" else 300,
        user_id=dice.choice(PEOPLE),
        conversation_id=dice.choice((None, *(f"talk-{number}" for number in range(20)))),
        source=dice.choice(("chat", "api", "title", "compare")),
        use_case=dice.choice((None, "coding", "everyday")),
        parent_id=before if dice.random() < 0.7 else None,
        cached=cached,
        usage=usage,
        cost=cost,
    )
    for _ in range(dice.choice((0, 0, 0, 1, 2))):
        _correct(database, dice, attempt_id, ended_at - timedelta(seconds=2.5), unpriced=cost.cost_usd is None)
    return attempt_id if status not in {"ok", "stopped"} else None


def _cost(dice: random.Random, *, cached: bool) -> Cost:
    usd = Decimal(dice.randrange(1, 3_000_000_000)).scaleb(-9)
    if cached:
        return Cost(
            cost_usd=Decimal(0), code="cached", computed_cost_usd=usd, reported_cost_usd=None, cache_saved_usd=usd
        )
    if dice.random() < 0.15:
        return Cost(cost_usd=None, code="unpriced", computed_cost_usd=None, reported_cost_usd=None)
    saved = (usd / 10).quantize(Decimal("0.000000001"))
    return Cost(cost_usd=usd, code="computed", computed_cost_usd=usd, reported_cost_usd=None, cache_saved_usd=saved)


def _correct(database: Database, dice: random.Random, attempt_id: str, started_at: datetime, *, unpriced: bool) -> None:
    delta = Decimal(dice.randrange(1, 1_000_000_000)).scaleb(-9)
    database.execute(
        "insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, price_version, "
        "reason, actor) values ($id, $attempt, $at, $at, $delta, $code, null, 'a price came late', null)",
        id=new_id(),
        attempt=attempt_id,
        at=started_at,
        delta=delta,
        code="computed" if unpriced else None,
    )
