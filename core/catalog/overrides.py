"""What administrators changed about models: kept in the store, on top of whatever the registry says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from core.catalog.access import group_of
from core.catalog.models import GROUP, ModelSpec
from core.clock import Clock, utc_now
from core.errors import RegistryError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("catalog")
_LONGEST_LABEL = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The fields of a ModelSpec that an administrator has set; None: as the registry says."""

    enabled: bool | None = None
    label: str | None = None
    use_cases: tuple[str, ...] | None = None
    fallbacks: tuple[str, ...] | None = None
    access: tuple[str, ...] | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None

    def set_fields(self) -> dict[str, Any]:
        """Only what is set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def apply_override(model: ModelSpec, override: Override) -> ModelSpec:
    """The model with what is set in its place."""
    return replace(model, **override.set_fields())


def difference(model: ModelSpec, wanted: Override) -> Override:
    """What of `wanted` differs from the registry's own `model`: only that needs to be kept."""
    changed = {name: value for name, value in wanted.set_fields().items() if value != getattr(model, name)}
    return Override(**changed)


class Overrides:
    """The overrides of a running process: read once from the store, then kept in step with it."""

    def __init__(self, database: Database, *, record: Callable[..., None], clock: Clock = utc_now) -> None:
        """Read them. `record` writes an audit row inside a transaction (core.accounts.audit.record)."""
        self._database = database
        self._record = record
        self._clock = clock
        self._reading = threading.Lock()
        self._current = _load(database)

    def current(self) -> Mapping[str, Override]:
        """Every override by model id. The same mapping until something changes."""
        return self._current

    def reload(self) -> None:
        """Read them anew."""
        # Of two changes at the same time, the one that reads last has seen both.
        with self._reading:
            self._current = _load(self._database)

    def save(self, model_id: str, override: Override, *, actor_id: str | None, known: Sequence[str] = ()) -> None:
        """Replace a model's override, with an audit row of what changed; an empty one goes back to the registry.

        `known` are the ids that may stand in `fallbacks`. Raises RegistryError when a value breaks a rule.
        """
        check(model_id, override, known=known)

        def work(cur: Cursor) -> None:
            before = _load_one(cur, model_id)
            if before == override:
                return
            self._replace(cur, model_id, before, override, actor_id=actor_id)

        self._database.transaction(work)
        self.reload()

    def rename_group(self, cur: Cursor, old: str, new: str, *, actor_id: str | None) -> None:
        """Let the overrides that name a group follow its new name, inside the caller's transaction.

        `reload` is the caller's too, once that transaction has landed.
        """
        for row in cur.fetch_all(_SQL["load_overrides"]):
            before = _read(row["value"])
            after = _with_group_renamed(before, old, new)
            if after != before:
                self._replace(cur, row["model_id"], before, after, actor_id=actor_id)

    def _replace(self, cur: Cursor, model_id: str, before: Override, after: Override, *, actor_id: str | None) -> None:
        _write(cur, model_id, after, self._clock)
        old, new = _changes(before, after)
        self._record(
            cur, actor_id=actor_id, action="model.change", subject=model_id, before=old, after=new, clock=self._clock
        )


def check(model_id: str, override: Override, *, known: Sequence[str]) -> None:
    """Raises RegistryError for an override that no registry file could hold either."""
    label = override.label
    if label is not None and not (label.strip() and len(label) <= _LONGEST_LABEL and label.isprintable()):
        raise RegistryError(
            "That label cannot be used.", next_step=f"Take 1 to {_LONGEST_LABEL} characters, all of them visible."
        )
    if override.access is not None and not override.access:
        raise RegistryError(
            "Nobody could use this model.", next_step="Name somebody under access, or switch the model off."
        )
    for fallback in override.fallbacks or ():
        if fallback == model_id or fallback not in known:
            raise RegistryError(f"{fallback} cannot be a fallback here.", next_step="Choose other models.")
    if any(limit is not None and limit <= 0 for limit in (override.rpm_limit, override.tpm_limit)):
        raise RegistryError("A limit is a number above 0.", next_step="Correct it, or leave it empty.")


def _with_group_renamed(override: Override, old: str, new: str) -> Override:
    if override.access is None:
        return override
    return replace(override, access=tuple(dict.fromkeys(_renamed(word, old, new) for word in override.access)))


def _renamed(word: str, old: str, new: str) -> str:
    group = group_of(word)
    return word if group is None or group.casefold() != old.casefold() else f"{GROUP}{new}"


def _write(cur: Cursor, model_id: str, override: Override, clock: Clock) -> None:
    values = override.set_fields()
    if values:
        text = json.dumps(values, ensure_ascii=False, sort_keys=True)
        cur.execute(_SQL["save_override"], model_id=model_id, value=text, now=clock())
    else:
        cur.execute(_SQL["drop_override"], model_id=model_id)


def _changes(before: Override, after: Override) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, old and new; None stands for "as the registry says"."""
    old, new = asdict(before), asdict(after)
    changed = [name for name in old if old[name] != new[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def _load(database: Database) -> Mapping[str, Override]:
    rows = database.fetch_all(_SQL["load_overrides"])
    return MappingProxyType({row["model_id"]: _read(row["value"]) for row in rows})


def _load_one(cur: Cursor, model_id: str) -> Override:
    row = cur.fetch_one(_SQL["load_override"], model_id=model_id)
    return Override() if row is None else _read(row["value"])


def _read(text: str) -> Override:
    # A field that a later version has written and this one does not know is left alone in the store.
    known = {field.name for field in fields(Override)}
    values: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in known}
    for name, value in values.items():
        values[name] = tuple(value) if isinstance(value, list) else value
    return Override(**values)
