"""How the models' states changed, kept for 30 days: the strip of the models page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.catalog.health import ModelStatus
from core.clock import Clock, utc_now
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_KEPT = timedelta(days=30)
_WORST_FIRST = ("down", "slow", "healthy")

_SQL = load_queries("health")


@dataclass(frozen=True, slots=True)
class KnownState:
    """A state that was written down, why, and since when (naive UTC)."""

    state: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time during which a model's state stayed the same, naive UTC, `until` excluded."""

    state: str
    reason: str
    since: datetime
    until: datetime


def status_history(database: Database, *, hours: int = 24, clock: Clock = utc_now) -> dict[str, tuple[Stretch, ...]]:
    """The stretches of the last `hours` by model id, oldest first, without gaps from the first known state to now.

    A model that was never called nor probed within 30 days is left out: unknown all the time.
    """
    until = clock()
    since = until - timedelta(hours=hours)
    changes: dict[str, list[KnownState]] = {}
    for row in database.fetch_all(_SQL["changes_since"], since=since):
        changes.setdefault(row["model_id"], []).append(KnownState(row["state"], row["reason"], row["changed_at"]))
    return {model_id: stretches(known, since=since, until=until) for model_id, known in changes.items()}


def stretches(changes: Sequence[KnownState], *, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """The stretches between `since` and `until` that follow from changes in the order of time."""
    ends = [*(change.since for change in changes[1:]), until]
    cut = (
        Stretch(change.state, change.reason, max(change.since, since), min(end, until))
        for change, end in zip(changes, ends, strict=True)
    )
    return tuple(stretch for stretch in cut if stretch.since < stretch.until)


def load_states(database: Database) -> dict[str, KnownState]:
    """The state that each model was last known to be in."""
    rows = database.fetch_all(_SQL["newest_states"])
    return {row["model_id"]: KnownState(row["state"], row["reason"], row["changed_at"]) for row in rows}


def record_change(database: Database, model_id: str, status: ModelStatus, *, at: datetime) -> KnownState:
    """Write down that a model's state is another one from `at` on."""
    change: Mapping[str, object] = {"state": status.state, "reason": status.reason, "changed_at": at}
    database.execute(_SQL["insert_change"], id=new_id(), model_id=model_id, **change)
    return KnownState(status.state, status.reason, at)


def purge_history(database: Database, *, now: datetime) -> None:
    """Forget changes and probes of more than 30 days ago; the state that each model is in stays known."""

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["purge_changes"], before=now - _KEPT)
        cur.execute(_SQL["purge_probes"], before=now - _KEPT)

    database.transaction(work)


def strip(found: Sequence[Stretch], *, until: datetime, hours: int = 24) -> tuple[str, ...]:
    """The worst state of each of the last `hours`, oldest first: down, slow, healthy, and unknown where nothing is."""
    begun = [until - timedelta(hours=hours - number) for number in range(hours)]
    return tuple(_worst(found, since=hour, until=hour + timedelta(hours=1)) for hour in begun)


def _worst(found: Sequence[Stretch], *, since: datetime, until: datetime) -> str:
    states = [stretch.state for stretch in found if stretch.since < until and stretch.until > since]
    return next((state for state in _WORST_FIRST if state in states), "unknown")
