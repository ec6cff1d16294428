"""Line-ups: which models are compared, each with its own parameters; saved under a name, private to their owner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.catalog.effective import Values
from core.chat.kept_parameters import from_json, to_json
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

FEWEST, MOST = 2, 8
NAME_LIMIT = 80

_SQL = load_queries("line_ups")
# The one in use, kept between visits: no person can give this name.
_IN_USE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model of a line-up. `parameters` are what is set for it here, its system prompt among them."""

    model_id: str
    parameters: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUp:
    """A saved line-up."""

    id: str
    name: str
    entries: Sequence[Entry]


def list_line_ups(database: Database, *, user_id: str) -> list[LineUp]:
    """A person's saved line-ups, by name."""
    return [_line_up(row) for row in database.fetch_all(_SQL["list_line_ups"], owner_id=user_id)]


def save_line_up(
    database: Database, *, user_id: str, name: str, entries: Sequence[Entry], clock: Clock = utc_now
) -> str:
    """Save a line-up, or replace the one of that name in any case; returns its id.

    Raises SwitchboardError for an empty or overlong name.
    """
    cleaned = " ".join(clean_text(name).split())
    if not cleaned:
        raise SwitchboardError("A line-up needs a name.", next_step="Type at least one character.")
    if len(cleaned) > NAME_LIMIT:
        raise SwitchboardError(f"A line-up's name has at most {NAME_LIMIT} characters.", next_step="Shorten it.")
    return _save(database, user_id, cleaned, entries, clock)


def delete_line_up(database: Database, *, user_id: str, line_up_id: str) -> None:
    """Delete a saved line-up; one of somebody else stays."""
    database.execute(_SQL["delete_line_up"], owner_id=user_id, id=line_up_id)


def keep_in_use(database: Database, *, user_id: str, entries: Sequence[Entry], clock: Clock = utc_now) -> None:
    """Keep the line-up that a person has chosen, for their next visit."""
    _save(database, user_id, _IN_USE, entries, clock)


def load_in_use(database: Database, *, user_id: str) -> Sequence[Entry]:
    """The line-up that this person used last; empty before the first."""
    row = database.fetch_one(_SQL["find_line_up"], owner_id=user_id, name=_IN_USE)
    return () if row is None else _line_up(row).entries


def _save(database: Database, user_id: str, name: str, entries: Sequence[Entry], clock: Clock) -> str:
    text = to_text(entries)

    def work(cur: Cursor) -> str:
        found = cur.fetch_one(_SQL["find_line_up"], owner_id=user_id, name=name)
        line_up_id = str(found["id"]) if found else new_id()
        statement = _SQL["replace_line_up" if found else "insert_line_up"]
        cur.execute(statement, id=line_up_id, owner_id=user_id, name=name, entries=text, now=clock())
        return line_up_id

    return database.transaction(work)


def to_text(entries: Sequence[Entry]) -> str:
    """A line-up as stored: a JSON list."""
    return json.dumps(
        [{"model_id": entry.model_id, "parameters": json.loads(to_json(entry.parameters))} for entry in entries]
    )


def from_text(text: str) -> list[Entry]:
    """A line-up as stored by `to_text`; what is none is left out."""
    stored = json.loads(text)
    return [entry for held in stored if (entry := _entry(held))] if isinstance(stored, list) else []


def _entry(held: Any) -> Entry | None:
    match held:
        case {"model_id": str(model_id), "parameters": dict(parameters)}:
            return Entry(model_id=model_id, parameters=from_json(json.dumps(parameters)))
        case _:
            return None


def _line_up(row: Row) -> LineUp:
    return LineUp(id=row["id"], name=row["name"], entries=from_text(row["entries"]))
