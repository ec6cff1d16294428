"""The finished attempts of a running turn as text, kept with its checkpoint until they go to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from core.costs.ledger import Attempt

_ATTEMPTS = TypeAdapter(tuple[Attempt, ...])


def to_json(attempts: Sequence[Attempt]) -> str | None:
    """The attempts as JSON, exact to the billionth of a dollar; None when there are none."""
    if not attempts:
        return None
    # What the provider reported stands in the cost, cleaned; here it may be no number at all.
    plain = [replace(attempt, usage=replace(attempt.usage, reported_cost_usd=None)) for attempt in attempts]
    return _ATTEMPTS.dump_json(tuple(plain)).decode()


def from_json(text: str | None) -> tuple[Attempt, ...]:
    """The attempts that `to_json` wrote. Raises ValueError for anything else."""
    return _ATTEMPTS.validate_json(text) if text else ()
