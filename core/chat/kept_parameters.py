"""Parameters as people keep them: for the team, for oneself and a model, for a conversation."""

from __future__ import annotations

import json
from typing import Any

from core.accounts.preferences import JSON, save_preference, save_team_default
from core.catalog.effective import Layers, Values
from core.catalog.models import ParameterValue
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.store.database import Database
from core.store.kept import KeptReads
from core.store.sql import load_queries

_SQL = load_queries("parameters")
_TABLES = ("team_defaults", "preferences", "conversation_parameters")
_KEPT: KeptReads[Layers] = KeptReads(most=1000, tables=_TABLES, may_lag=True)


def load_layers(database: Database, *, user_id: str, model_id: str, conversation_id: str | None) -> Layers:
    """What the team, this person and this conversation set, for one model."""
    wanted = {"name": _name(model_id), "user_id": user_id, "conversation_id": conversation_id or ""}

    def read() -> Layers:
        rows = database.fetch_all(_SQL["load_layers"], **wanted)
        return Layers(**{row["layer"]: from_json(row["value"]) for row in rows})

    return _KEPT.read(database, tuple(wanted.values()), read)


def keep_for_conversation(
    database: Database, *, user_id: str, conversation_id: str, values: Values, clock: Clock = utc_now
) -> None:
    """Replace what a conversation sets. Does nothing for a conversation of somebody else."""
    database.execute(
        _SQL["save_conversation_parameters"],
        conversation_id=conversation_id,
        user_id=user_id,
        parameters=to_json(values),
        now=clock(),
    )


def keep_for_model(database: Database, *, user_id: str, model_id: str, values: Values) -> None:
    """Replace what a person sets for a model in all conversations."""
    save_preference(database, user_id=user_id, name=_name(model_id), value=_plain(values) or None)


def keep_for_team(database: Database, *, model_id: str, values: Values, actor_id: str) -> None:
    """Replace what the team sets for a model. Leaves an audit row."""
    save_team_default(database, name=_name(model_id), value=_plain(values) or None, actor_id=actor_id)


def to_json(values: Values) -> str:
    """Values as stored: a JSON object. Control characters in texts are made visible: no store takes all of them."""
    return json.dumps(_plain(values), sort_keys=True, allow_nan=False)


def from_json(text: str) -> dict[str, ParameterValue]:
    """Values as stored by `to_json`; what is no parameter's value is left out."""
    stored = json.loads(text)
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {name: value for name, held in pairs if (value := _value(held)) is not None}


def _name(model_id: str) -> str:
    return f"parameters:{model_id}"


def _plain(values: Values) -> dict[str, JSON]:
    return {name: _cleaned(value) for name, value in values.items()}


def _cleaned(value: ParameterValue) -> JSON:
    match value:
        case str():
            return clean_text(value)
        case tuple():
            return [clean_text(item) for item in value]
        case _:
            return value


def _value(held: Any) -> ParameterValue | None:
    if isinstance(held, list):
        return tuple(str(item) for item in held)
    return held if isinstance(held, (str, int, float)) else None
