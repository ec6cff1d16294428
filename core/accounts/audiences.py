"""Who has which role and is in which group, held in memory: what limits for several people ask at every message."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from core.accounts.groups import Groups
from core.store.database import Database
from core.store.sql import load_queries

_SQL = load_queries("users")
_GONE = "(no longer here)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    version: int = -1
    roles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    holders: Mapping[str, Collection[str]] = field(default_factory=dict)


class Audiences:
    """The people of a running process. Safe to use from any thread.

    Asking for a role looks at one number, which every change of a person raises: in the store itself where others write
    to it as well. Groups cost no query.
    """

    def __init__(self, database: Database, groups: Groups) -> None:
        self._database = database
        self._groups = groups
        self._reading = threading.Lock()
        self._known = _Known()

    def role_of(self, user_id: str) -> str | None:
        """The role of a person; None for nobody that is known."""
        return self._current().roles.get(user_id)

    def groups_of(self, user_id: str) -> Collection[str]:
        """The ids of the groups somebody is in."""
        return [group.id for group in self._groups.current() if user_id in group.member_ids]

    def holders_of(self, role: str) -> Collection[str]:
        """The ids of the people with this role, disabled ones included: what they spent was spent."""
        return self._current().holders.get(role, ())

    def members_of(self, group_id: str) -> Collection[str]:
        """The ids of the people in a group now; nobody for one that is gone."""
        return next((group.member_ids for group in self._groups.current() if group.id == group_id), ())

    def name_of(self, audience: str, subject: str) -> str:
        """What a role, group or person is called; a group or person that is gone says so."""
        if audience == "role":
            return {"admin": "administrator"}.get(subject, subject)
        if audience == "group":
            names = {group.id: group.name for group in self._groups.current()}
            return names.get(subject, f"a group {_GONE}")
        return self._current().names.get(subject, f"a person {_GONE}")

    def _current(self) -> _Known:
        version = self._version()
        if self._known.version != version:
            with self._reading:
                self._known = self._read(version)
        return self._known

    def _version(self) -> int:
        # In a file nobody else writes: there the look is for nothing.
        if (version := self._database.version_of("users")) is not None:
            return version
        row = self._database.fetch_one(_SQL["people_version"])
        return 0 if row is None else int(row["version"])

    def _read(self, version: int) -> _Known:
        rows = self._database.fetch_all(_SQL["roles_and_names"])
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            holders[row["role"]].add(row["id"])
        return _Known(
            version=version,
            roles={row["id"]: row["role"] for row in rows},
            names={row["id"]: row["display_name"] for row in rows},
            holders=holders,
        )
