"""Parcels into the store, many at a time, so that importing the same file again adds nothing.

Ids come from the source: a conversation of our own export keeps its id unless somebody else has it, and every other
one gets an id made from the person, the source and the id there. What is in the store already is left as it is; only
messages that the source has gained since are added. Imported messages never get rows in the ledger: nothing was spent
here.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.chat.attachment_rows import to_json as attachments_to_json
from core.chat.conversation import Message
from core.chat.exchange import MESSAGE_FIELDS, UNKNOWN_TIME, Parcel, Source
from core.chat.import_tree import parents_first
from core.chat.kept_parameters import to_json
from core.chat.kept_steps import to_json as steps_to_json
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("exchange")
_NAMESPACE = uuid.UUID("6f0a4c1e-7d2b-5c39-9a58-3a0f2d6be417")
_COLUMNS = ("conversation_id", "reasoning_ms", *MESSAGE_FIELDS)
_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of some parcels: conversations that are new, that gained messages, that were there already."""

    added: int = 0
    updated: int = 0
    known: int = 0
    messages: int = 0

    def __add__(self, other: Written) -> Written:
        """Both together."""
        return Written(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


def write_parcels(database: Database, parcels: Sequence[Parcel], *, user_id: str, clock: Clock = utc_now) -> Written:
    """Store conversations for a person in one transaction."""
    now = clock()
    # An export may hold a conversation twice: the last one is the newest.
    unique = list({(parcel.source, parcel.id): parcel for parcel in parcels}.values())

    def work(cur: Cursor) -> Written:
        return _write(cur, _with_own_ids(cur, unique, user_id), user_id, now)

    return database.transaction(work) if unique else Written()


def own_id(source: Source, source_id: str, *, user_id: str) -> str:
    """The id that a conversation of another source gets for this person: always the same one."""
    return str(uuid.uuid5(_NAMESPACE, f"{user_id}/{source}/{source_id}"))


def own_message_id(conversation_id: str, source_id: str) -> str:
    """The id that a message gets in a conversation that got its id from `own_id`."""
    return str(uuid.uuid5(uuid.UUID(conversation_id), f"message/{source_id}"))


def _write(cur: Cursor, parcels: Sequence[Parcel], user_id: str, now: datetime) -> Written:
    own_rows = cur.fetch_all(_SQL["own_conversations"], ids=[parcel.id for parcel in parcels], user_id=user_id)
    own = {row["id"]: row for row in own_rows}
    fresh = [parcel for parcel in parcels if parcel.id not in own]
    dated = {parcel.id: _dated(parcel, now) for parcel in parcels}
    missing = _missing(cur, [message for messages in dated.values() for message in messages])
    _insert(cur, "insert_conversations", [_row(parcel, dated[parcel.id], now) for parcel in fresh], user_id=user_id)
    _insert(cur, "insert_messages", [_message_row(message) for message in missing])
    kept = [{"conversation_id": one.id, "parameters": to_json(one.parameters)} for one in fresh if one.parameters]
    _insert(cur, "insert_parameters", kept, user_id=user_id, now=now)
    gained = {message.conversation_id for message in missing} & set(own)
    for parcel in parcels:
        if parcel.id in own:
            _continue(cur, parcel, now, gained=parcel.id in gained, leaf=own[parcel.id]["leaf_message_id"])
    back = {name for name, row in own.items() if row["deleted_at"] is not None and name not in gained}
    return Written(
        added=len(fresh) + len(back),
        updated=len(gained),
        known=len(own) - len(gained) - len(back),
        messages=len(missing),
    )


def _missing(cur: Cursor, messages: Sequence[Message]) -> list[Message]:
    rows = cur.fetch_all(_SQL["known_messages"], ids=[message.id for message in messages])
    known = {row["id"] for row in rows}
    return [message for message in messages if message.id not in known]


def _continue(cur: Cursor, parcel: Parcel, now: datetime, *, gained: bool, leaf: str | None) -> None:
    """Bring a conversation that is there, on show up to `leaf`, up to date: undeleted, and onto what it gained."""
    if not gained:
        cur.execute(_SQL["bring_back"], id=parcel.id)
        return
    # Somebody who went on here stays where they are: what came is a branch beside it.
    follows = leaf in {message.id for message in parcel.messages}
    end = (parcel.leaf_message_id or parcel.messages[-1].id) if follows else None
    cur.execute(_SQL["continue_conversation"], id=parcel.id, leaf_message_id=end, now=now)


def _insert(cur: Cursor, statement: str, rows: Sequence[dict[str, Any]], **same: Any) -> None:
    """Insert many rows in one statement, a list per column: a hundred times faster than one by one."""
    if rows:
        cur.execute(_SQL[statement], **{name: [row[name] for row in rows] for name in rows[0]}, **same)


def _message_row(message: Message) -> dict[str, Any]:
    return {
        **{name: getattr(message, name) for name in _COLUMNS},
        "attachments": attachments_to_json(message.attachments),
        "steps": steps_to_json(message.steps),
    }


def _row(parcel: Parcel, messages: Sequence[Message], now: datetime) -> dict[str, Any]:
    created = parcel.created_at or min((message.created_at for message in messages), default=now)
    return {
        "id": parcel.id,
        "title": parcel.title,
        "title_source": parcel.title_source,
        "model_id": parcel.model_id,
        "leaf_message_id": parcel.leaf_message_id,
        "created_at": created,
        "updated_at": parcel.updated_at or max((message.created_at for message in messages), default=created),
        "fallback": parcel.fallback,
        "pinned_at": parcel.pinned_at,
        "archived_at": parcel.archived_at,
        "tags": parcel.tags or None,
        "tools": None if parcel.tools else False,
        "use_case": parcel.use_case,
    }


def _dated(parcel: Parcel, now: datetime) -> list[Message]:
    """The messages with a time each, every one later than the one it follows: lists are read in the order of time.

    A message without a time takes the conversation's. Other programs count whole seconds, so that a question and its
    answer may share one. Our own times are exact and stay.
    """
    start = parcel.created_at or now
    times: dict[str | None, datetime] = {}
    for number, message in enumerate(parents_first(parcel.messages)):
        known = start + number * _STEP if message.created_at == UNKNOWN_TIME else message.created_at
        before = times.get(message.parent_id)
        exact = parcel.source == "switchboard"
        times[message.id] = known if exact or before is None else max(known, before + _STEP)
    return [replace(message, created_at=times[message.id]) for message in parcel.messages]


def _with_own_ids(cur: Cursor, parcels: Sequence[Parcel], user_id: str) -> list[Parcel]:
    """The parcels with the ids they have here, conversations and messages."""
    ours = [parcel for parcel in parcels if parcel.source == "switchboard"]
    if not ours:
        return [_renamed(parcel, user_id) for parcel in parcels]
    ids = [parcel.id for parcel in ours]
    taken = {row["id"] for row in cur.fetch_all(_SQL["taken_ids"], ids=ids, user_id=user_id)}
    message_ids = [message.id for parcel in ours for message in parcel.messages]
    places = {row["id"]: row["conversation_id"] for row in cur.fetch_all(_SQL["known_messages"], ids=message_ids)}
    kept = {parcel.id for parcel in ours if parcel.id not in taken and _is_free(parcel, places)}
    return [
        _kept(parcel) if parcel.source == "switchboard" and parcel.id in kept else _renamed(parcel, user_id)
        for parcel in parcels
    ]


def _is_free(parcel: Parcel, places: dict[str, str]) -> bool:
    """Whether the ids are ids of ours and no message of another conversation has one of them."""
    names = [parcel.id, *(message.id for message in parcel.messages)]
    if len(set(names)) != len(names) or not all(_is_uuid(name) for name in names):
        return False
    return all(places.get(message.id, parcel.id) == parcel.id for message in parcel.messages)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _kept(parcel: Parcel) -> Parcel:
    turns = {message.id: message.turn_id or message.id for message in parcel.messages}
    messages = [replace(one, conversation_id=parcel.id, turn_id=turns[one.id]) for one in parcel.messages]
    return replace(parcel, messages=tuple(messages))


def _renamed(parcel: Parcel, user_id: str) -> Parcel:
    base = own_id(parcel.source, parcel.id, user_id=user_id)
    names = {message.id: own_message_id(base, message.id) for message in parcel.messages}
    messages = {
        names[one.id]: replace(
            one,
            id=names[one.id],
            conversation_id=base,
            # Below a parent that is not there, a branch of its own begins.
            parent_id=None if one.parent_id is None else names.get(one.parent_id),
            turn_id=str(uuid.uuid5(uuid.UUID(base), f"turn/{one.turn_id or one.id}")),
        )
        for one in parcel.messages
    }
    leaf = None if parcel.leaf_message_id is None else names.get(parcel.leaf_message_id)
    return replace(parcel, id=base, messages=tuple(messages.values()), leaf_message_id=leaf)
