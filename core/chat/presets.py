"""Presets: a model, parameters and a system prompt under a name, one's own or shared with the team."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.effective import Values
from core.chat.kept_parameters import from_json, to_json
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

NAME_LIMIT = 80

_SQL = load_queries("presets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One preset. `model_id` None: for whatever model is chosen. `parameters` hold the system prompt as well.

    `own`: made by the person it was listed for; only they may change it. `owner_name` is None for somebody who is gone.
    """

    id: str
    name: str
    model_id: str | None
    parameters: Values
    shared: bool
    own: bool
    owner_name: str | None


def list_presets(database: Database, *, user_id: str) -> list[Preset]:
    """One's own presets and those others share, one's own first, by name."""
    return [_to_preset(row, user_id) for row in database.fetch_all(_SQL["list_presets"], user_id=user_id)]


def save_preset(
    database: Database,
    *,
    owner_id: str,
    name: str,
    model_id: str | None,
    parameters: Values,
    shared: bool = False,
    clock: Clock = utc_now,
) -> str:
    """Make a preset, or replace one's own of that name in any case; returns its id.

    Raises SwitchboardError for an empty or overlong name.
    """
    cleaned = _check_name(name)
    values = {"name": cleaned, "model_id": model_id, "parameters": to_json(parameters), "shared": shared}

    def work(cur: Cursor) -> str:
        found = cur.fetch_one(_SQL["find_preset_by_name"], owner_id=owner_id, name=cleaned)
        preset_id = str(found["id"]) if found else new_id()
        statement = _SQL["replace_preset" if found else "insert_preset"]
        cur.execute(statement, id=preset_id, owner_id=owner_id, now=clock(), **values)
        return preset_id

    return database.transaction(work)


def share_preset(database: Database, *, owner_id: str, preset_id: str, shared: bool, clock: Clock = utc_now) -> None:
    """Show a preset to the team, or to its owner only. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        _check_own(cur, owner_id, preset_id)
        cur.execute(_SQL["share_preset"], id=preset_id, owner_id=owner_id, shared=shared, now=clock())

    database.transaction(work)


def delete_preset(database: Database, *, owner_id: str, preset_id: str) -> None:
    """Delete a preset. Conversations keep what they took from it. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        _check_own(cur, owner_id, preset_id)
        cur.execute(_SQL["delete_preset"], id=preset_id, owner_id=owner_id)

    database.transaction(work)


def _check_own(cur: Cursor, owner_id: str, preset_id: str) -> None:
    if cur.fetch_one(_SQL["load_own_preset"], id=preset_id, owner_id=owner_id) is None:
        raise NotFound("This preset was not found.", next_step="Reload the page and choose another one.")


def _check_name(name: str) -> str:
    cleaned = " ".join(clean_text(name).split())
    if not cleaned:
        raise SwitchboardError("A preset needs a name.", next_step="Type at least one character.")
    if len(cleaned) > NAME_LIMIT:
        raise SwitchboardError(f"A preset's name has at most {NAME_LIMIT} characters.", next_step="Shorten it.")
    return cleaned


def _to_preset(row: Row, user_id: str) -> Preset:
    return Preset(
        id=row["id"],
        name=row["name"],
        model_id=row["model_id"],
        parameters=from_json(row["parameters"]),
        shared=row["shared"],
        own=row["owner_id"] == user_id,
        owner_name=row["owner_name"],
    )
