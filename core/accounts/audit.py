"""Who changed what, and when. A row is written in the same transaction as the change, so neither exists alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import Clock, utc_now
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change. `before` and `after` hold only what changed, never a secret."""

    id: str
    happened_at: datetime
    actor_id: str | None
    actor: str | None
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record(
    cur: Cursor,
    *,
    actor_id: str | None,
    action: str,
    subject: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    clock: Clock = utc_now,
) -> None:
    """Write one row inside the caller's transaction. `actor_id` None: the installation itself."""
    cur.execute(
        _SQL["record_audit"],
        id=new_id(),
        happened_at=clock(),
        actor_id=actor_id,
        action=action,
        subject=subject,
        before=_to_json(before),
        after=_to_json(after),
    )


def list_audit(database: Database, *, limit: int = 200) -> list[AuditEntry]:
    """The newest `limit` changes, newest first."""
    return [_to_entry(row) for row in database.fetch_all(_SQL["list_audit"], limit=limit)]


def _to_entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(**{**row, "before": _from_json(row["before"]), "after": _from_json(row["after"])})


def _to_json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _from_json(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
