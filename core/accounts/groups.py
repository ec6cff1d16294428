"""Groups of people, which the access of models may name.

Every change is one transaction with its audit row. What is stored is also held in memory, so that asking who is in
which group costs no query: one process uses a store at a time, and a change counts as soon as it is made.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.accounts.audit import record
from core.accounts.users import User
from core.clock import Clock, utc_now
from core.errors import AccountError, NotFound
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

MAXIMUM_NAME = 60

_SQL = load_queries("groups")
# What else changes with a name, inside the same transaction: given the old one and the new one.
Renamed = Callable[[Cursor, str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group. `created_at` is naive UTC."""

    id: str
    name: str
    created_at: datetime
    member_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    groups: tuple[Group, ...]
    names: Mapping[str, tuple[str, ...]]  # by person
    claims: Mapping[str, datetime]  # by person


class Groups:
    """The groups of a running process."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        """Read them from the store."""
        self._database = database
        self._clock = clock
        self._changing = threading.Lock()
        self._state = _load(database)

    def current(self) -> tuple[Group, ...]:
        """Every group with its members, by name."""
        return self._state.groups

    def names_of(self, user_id: str) -> tuple[str, ...]:
        """The names of the groups somebody is in, in order. No query."""
        return self._state.names.get(user_id, ())

    def reload(self) -> None:
        """Read them anew: another replica has changed them."""
        with self._changing:
            self._state = _load(self._database)

    def create(self, name: str, *, member_ids: Collection[str] = (), actor_id: str | None) -> str:
        """Add a group and return its id. Raises AccountError for a bad or taken name, NotFound for a member."""
        checked, group_id = check_group_name(name), new_id()

        def work(cur: Cursor) -> None:
            _refuse_taken(cur, checked)
            cur.execute(_SQL["insert_group"], id=group_id, name=checked, name_key=_key(checked), now=self._clock())
            added = _add(cur, group_id, member_ids, self._clock())
            self._record(cur, "group.create", checked, actor_id, after={"members": added})

        self._change(work)
        return group_id

    def rename(self, group_id: str, name: str, *, actor_id: str | None, followed_by: Renamed | None = None) -> None:
        """Give a group another name. Raises AccountError for a bad or taken name, NotFound."""
        checked = check_group_name(name)

        def work(cur: Cursor) -> None:
            before = _load_name(cur, group_id)
            if before == checked:
                return
            _refuse_taken(cur, checked, but=group_id)
            cur.execute(_SQL["rename_group"], id=group_id, name=checked, name_key=_key(checked))
            self._record(cur, "group.rename", checked, actor_id, before={"name": before}, after={"name": checked})
            if followed_by is not None:
                followed_by(cur, before, checked)

        self._change(work)

    def change_members(
        self, group_id: str, *, add: Collection[str] = (), remove: Collection[str] = (), actor_id: str | None
    ) -> None:
        """Add and remove people by id. Who is in it already, or is not, stays so. Raises NotFound."""

        def work(cur: Cursor) -> None:
            name = _load_name(cur, group_id)
            removed = _remove(cur, group_id, remove)
            added = _add(cur, group_id, add, self._clock())
            if added or removed:
                before, after = {"members": removed}, {"members": added}
                self._record(cur, "group.members", name, actor_id, before=before, after=after)

        self._change(work)

    def delete(self, group_id: str, *, used_by: Sequence[str] = (), actor_id: str | None) -> None:
        """Delete a group. `used_by` are the labels of the models whose access names it.

        Raises AccountError while there is such a model, NotFound.
        """

        def work(cur: Cursor) -> None:
            name = _load_name(cur, group_id)
            if used_by:
                raise AccountError(
                    f"{name} decides who may use {_in_words(used_by)}. It was not deleted.",
                    next_step="Change who may use that on the Models page or in the registry file first.",
                )
            members = [row["username"] for row in cur.fetch_all(_SQL["load_members"], group_id=group_id)]
            cur.execute(_SQL["delete_members"], group_id=group_id)
            cur.execute(_SQL["delete_group"], id=group_id)
            self._record(cur, "group.delete", name, actor_id, before={"members": members})

        self._change(work)

    def follow(self, user: User, claimed: Collection[str], *, claimed_at: datetime) -> None:
        """Let somebody's groups follow what the identity provider said when they signed in there (naive UTC).

        Only groups that exist here count, and a membership that an administrator gave stays. An older word than the
        last one changes nothing. Costs a query only when there is a newer one.
        """
        last = self._state.claims.get(user.id)
        if last is not None and last >= claimed_at:
            return
        wanted = {_key(name) for name in claimed}

        def work(cur: Cursor) -> None:
            row = cur.fetch_one(_SQL["load_claim"], user_id=user.id)
            if row is not None and row["claimed_at"] >= claimed_at:
                return
            cur.execute(_SQL["save_claim"], user_id=user.id, claimed_at=claimed_at)
            left, joined = _follow(cur, user.id, wanted, self._clock())
            if left or joined:
                before, after = {"groups": left}, {"groups": joined}
                self._record(cur, "group.follow", user.username, None, before=before, after=after)

        self._change(work)

    def _change(self, work: Callable[[Cursor], None]) -> None:
        def locked(cur: Cursor) -> None:
            cur.execute(_SQL["lock_groups"])
            work(cur)

        # One at a time: the one that reads last has then seen every change, and none has to be tried again.
        with self._changing:
            self._database.transaction(locked)
            self._state = _load(self._database)

    def _record(
        self,
        cur: Cursor,
        action: str,
        subject: str,
        actor_id: str | None,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        record(cur, actor_id=actor_id, action=action, subject=subject, before=before, after=after, clock=self._clock)


def group_names(database: Database, user_id: str) -> list[str]:
    """The names of the groups somebody is in, as the store has them."""
    rows = database.fetch_all(_SQL["groups_of_person"], user_id=user_id)
    return [row["name"] for row in rows if row["source"] is not None]


def check_group_name(name: str) -> str:
    """The name as it is kept: composed, trimmed, runs of white space made one space. Raises AccountError."""
    checked = " ".join(unicodedata.normalize("NFC", name).split())
    if not checked:
        raise AccountError("The group has no name.", next_step="Type one, such as Legal.")
    if len(checked) > MAXIMUM_NAME or not checked.isprintable():
        raise AccountError(
            "That name cannot be used.", next_step=f"Take at most {MAXIMUM_NAME} characters, all of them visible."
        )
    return checked


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _in_words(labels: Sequence[str]) -> str:
    *others, last = labels
    return f"{', '.join(others)} and {last}" if others else last


def _load(database: Database) -> _State:
    with database.cursor() as cur:
        rows, members = cur.fetch_all(_SQL["list_groups"]), cur.fetch_all(_SQL["list_members"])
        claims = cur.fetch_all(_SQL["list_claims"])
    of_group: defaultdict[str, set[str]] = defaultdict(set)
    for member in members:
        of_group[member["group_id"]].add(member["user_id"])
    groups = tuple(Group(**row, member_ids=frozenset(of_group[row["id"]])) for row in rows)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for group in groups:
        for user_id in group.member_ids:
            names[user_id].append(group.name)
    return _State(
        groups=groups,
        names={user_id: tuple(held) for user_id, held in names.items()},
        claims={row["user_id"]: row["claimed_at"] for row in claims},
    )


def _load_name(cur: Cursor, group_id: str) -> str:
    row = cur.fetch_one(_SQL["load_group"], id=group_id)
    if row is None:
        raise NotFound("There is no such group.", next_step="Go back to the list of groups.")
    return str(row["name"])


def _refuse_taken(cur: Cursor, name: str, *, but: str | None = None) -> None:
    row = cur.fetch_one(_SQL["find_group"], name_key=_key(name))
    if row is not None and row["id"] != but:
        raise AccountError(f"There is a group {row['name']} already.", next_step="Choose another name.")


def _add(cur: Cursor, group_id: str, user_ids: Collection[str], now: datetime) -> list[str]:
    """Add who is not in it yet; returns their usernames in order."""
    members = {row["id"] for row in cur.fetch_all(_SQL["load_members"], group_id=group_id)}
    usernames = {row["id"]: row["username"] for row in cur.fetch_all(_SQL["usernames"])}
    if not usernames.keys() >= set(user_ids):
        raise NotFound("One of these people is not here any more.", next_step="Go back to the list of groups.")
    new = sorted(set(user_ids) - members, key=lambda user_id: str(usernames[user_id]))
    rows = [{"group_id": group_id, "user_id": user_id, "source": "admin", "now": now} for user_id in new]
    cur.execute_many(_SQL["add_member"], rows)
    return [usernames[user_id] for user_id in new]


def _remove(cur: Cursor, group_id: str, user_ids: Collection[str]) -> list[str]:
    """Remove who is in it; returns their usernames in order."""
    members = cur.fetch_all(_SQL["load_members"], group_id=group_id)
    gone = [row for row in members if row["id"] in user_ids]
    cur.execute_many(_SQL["remove_member"], [{"group_id": group_id, "user_id": row["id"]} for row in gone])
    return [row["username"] for row in gone]


def _follow(cur: Cursor, user_id: str, wanted: Collection[str], now: datetime) -> tuple[list[str], list[str]]:
    """Join and leave groups as the identity provider says; returns the names of those left and joined."""
    left, joined = [], []
    for row in cur.fetch_all(_SQL["groups_of_person"], user_id=user_id):
        if row["source"] is None and row["name_key"] in wanted:
            cur.execute(_SQL["add_member"], group_id=row["id"], user_id=user_id, source="oidc", now=now)
            joined.append(row["name"])
        elif row["source"] == "oidc" and row["name_key"] not in wanted:
            cur.execute(_SQL["remove_member"], group_id=row["id"], user_id=user_id)
            left.append(row["name"])
    return left, joined
