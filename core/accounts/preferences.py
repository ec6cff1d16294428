"""What a person prefers, kept between visits: one JSON value per name. And what administrators prefer for the team.

The typed view is `Preferences`. A stored value that no longer fits (an older version wrote it) reads as not set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from decimal import Decimal
from functools import partial
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.accounts.audit import record
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database, Row
from core.store.kept import KeptReads
from core.store.sql import load_queries

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]
Fallback = Literal["automatic", "ask", "never"]
Density = Literal["comfortable", "compact"]
Switch = Literal["on", "off"]
RecommendBy = Literal["quality", "balanced", "speed", "price"]

_SQL = load_queries("preferences")
# Asked for several times in every run of every page.
_KEPT: KeptReads[dict[str, JSON]] = KeptReads(most=1000, tables=("preferences", "team_defaults"), may_lag=True)
_CHOICES = {
    "fallback": get_args(Fallback),
    "density": get_args(Density),
    "titles": get_args(Switch),
    "inspection": get_args(Switch),
    "recommend_by": get_args(RecommendBy),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """One person's choices, or the team's. None and empty: not set.

    `fallback`: what happens when the chosen model fails before it has said anything. `time_zone` is an IANA name; None
    follows the browser. `density` is how close together the messages of a chat stand, `titles` whether a model names
    conversations. `answer_cap_usd` is the most that one answer may cost, as text, so that it stays exact.
    `recommend_by` is what recommendations go by, "balanced" where it is not set.
    `inspection` is the team's alone: whether administrators may read others' conversations; nobody may unless it is
    "on". The field names are the names in the store.
    """

    default_model: str | None = None
    favourites: tuple[str, ...] = ()
    hidden_models: tuple[str, ...] = ()
    fallback: Fallback | None = None
    use_case: str | None = None
    recommend_by: RecommendBy | None = None
    time_zone: str | None = None
    density: Density | None = None
    titles: Switch | None = None
    answer_cap_usd: str | None = None
    inspection: Switch | None = None


def answer_cap_usd(mine: Preferences) -> Decimal | None:
    """The most that one answer of this person may cost, in dollars; None: no limit."""
    try:
        amount = Decimal(mine.answer_cap_usd or "")
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def load_preferences(database: Database, user_id: str) -> dict[str, JSON]:
    """Everything this person has set, by name."""
    read = partial(database.fetch_all, _SQL["load_preferences"], user_id=user_id)
    return dict(_KEPT.read(database, user_id, lambda: _by_name(read())))


def load_team_defaults(database: Database) -> dict[str, JSON]:
    """Everything administrators have set for the team, by name."""
    read = partial(database.fetch_all, _SQL["load_team_defaults"])
    return dict(_KEPT.read(database, None, lambda: _by_name(read())))


def load_team_zone(database: Database) -> tzinfo:
    """The time zone of the team, whose midnights begin its days, weeks and months: UTC unless one was chosen."""
    row = database.fetch_one(_SQL["load_team_default"], name="time_zone")
    name = None if row is None else json.loads(row["value"])
    try:
        return ZoneInfo(name if isinstance(name, str) else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        # An older or another machine's list of zones.
        return UTC


def read_preferences(stored: Mapping[str, JSON]) -> Preferences:
    """The typed view of stored values."""
    values = {field.name: _read(field.name, stored.get(field.name)) for field in fields(Preferences)}
    return Preferences(**{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def density_in_force(mine: Preferences, team: Preferences) -> Density:
    """A person's own choice, else the team's, else "comfortable"."""
    return mine.density or team.density or "comfortable"


def titles_wanted(mine: Preferences, team: Preferences) -> bool:
    """Whether a model names a person's conversations. The team pays: where it says "off", nobody's are named."""
    return "off" not in {mine.titles, team.titles}


def save_preference(database: Database, *, user_id: str, name: str, value: JSON, clock: Clock = utc_now) -> None:
    """Set one preference, replacing what it was; None unsets it.

    Raises TypeError or ValueError for a value that JSON cannot hold (NaN included: no other reader takes it).
    """
    text = _to_json(value)
    if value is None:
        database.execute(_SQL["drop_preference"], user_id=user_id, name=name)
        return
    database.transaction(
        lambda cur: cur.execute(_SQL["save_preference"], user_id=user_id, name=name, value=text, now=clock())
    )


def save_team_default(
    database: Database, *, name: str, value: JSON, actor_id: str | None, clock: Clock = utc_now
) -> None:
    """Set one default of the team, replacing what it was; None unsets it. Leaves an audit row. Raises as above."""
    text = _to_json(value)

    def work(cur: Cursor) -> None:
        row = cur.fetch_one(_SQL["load_team_default"], name=name)
        before = None if row is None else json.loads(row["value"])
        if before == value:
            return
        if value is None:
            cur.execute(_SQL["drop_team_default"], name=name)
        else:
            cur.execute(_SQL["save_team_default"], name=name, value=text, now=clock())
        changed = {"before": {"value": before}, "after": {"value": value}}
        record(cur, actor_id=actor_id, action="team.default", subject=name, clock=clock, **changed)

    database.transaction(work)


def _by_name(rows: Sequence[Row]) -> dict[str, JSON]:
    return {row["name"]: json.loads(row["value"]) for row in rows}


def _to_json(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _read(name: str, value: JSON) -> str | tuple[str, ...] | None:
    if name in {"favourites", "hidden_models"}:
        return tuple(cast("list[str]", value)) if _is_texts(value) else None
    if not isinstance(value, str) or not value:
        return None
    return value if value in _CHOICES.get(name, (value,)) else None


def _is_texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
