"""For which use cases the team votes blind: nothing until an administrator switches it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.accounts.preferences import load_team_defaults, save_team_default
from core.catalog.models import ModelSpec
from core.store.database import Database

_NAME = "blind_use_cases"


def blind_use_cases(database: Database) -> tuple[str, ...]:
    """The use cases that are switched on, in the order they were chosen."""
    stored = load_team_defaults(database).get(_NAME)
    return tuple(name for name in stored if isinstance(name, str)) if isinstance(stored, list) else ()


def set_blind_use_cases(database: Database, use_cases: Sequence[str], *, actor_id: str) -> None:
    """Switch blind votes on for these use cases and off for all others. Leaves an audit row."""
    save_team_default(database, name=_NAME, value=list(use_cases) or None, actor_id=actor_id)


def candidates(models: Mapping[str, ModelSpec], use_case: str) -> dict[str, ModelSpec]:
    """Of the models that somebody may call, those that suit a use case; all of them where fewer than two do."""
    suited = {name: model for name, model in models.items() if use_case in model.use_cases}
    return suited if len(suited) > 1 else dict(models)
