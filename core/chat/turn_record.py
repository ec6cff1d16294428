"""A turn in the store: begun, checkpointed, ended. Each in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.chat.admission import TurnRequest, busy
from core.chat.conversation import Message, ToolStep
from core.chat.kept_steps import to_json as steps_to_json
from core.chat.kept_tries import to_json
from core.chat.store import insert_conversation, insert_message
from core.costs.ledger import Attempt, record_attempt, record_attempts
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("turns")
_REPLICAS_SQL = load_queries("replicas")
# From so many rows on, one statement for all takes less time than one for each (measured).
_MANY_ROWS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnIds:
    """The identity of a turn and of what it makes."""

    turn: str
    conversation: str
    question: str
    answer: str


def begin_turn(
    database: Database,
    request: TurnRequest,
    *,
    ids: TurnIds,
    question: Message | None,
    now: datetime,
    owner: str | None = None,
) -> None:
    """Store the question and the running turn; from here nothing that was typed can be lost.

    `question` is None when a message that is already stored is answered again. `owner` is the replica that answers,
    where there are several. Raises TurnRefused when the conversation is already being answered, from whichever tab,
    thread or replica.
    """

    def work(cur: Cursor) -> None:
        # A conversation that this turn makes cannot have another; every statement is time the provider is not asked.
        if not _is_first(request, question):
            _refuse_second_turn(cur, ids)
        if request.temporary is None:
            _store_place(cur, request, ids, question, now)
            cur.execute(_SQL["insert_turn"], **_turn_row(request, ids), now=now)
        else:
            cur.execute(_SQL["insert_temporary_turn"], **_temporary_row(request, ids, now))
        if owner is not None:
            _own(cur, ids, request, owner)

    database.transaction(work)


def _is_first(request: TurnRequest, question: Message | None) -> bool:
    """Whether the turn makes its conversation; what a script sends is one of its own, named for this call alone."""
    return request.call is not None or (request.conversation_id is None and question is not None)


@dataclass(frozen=True, slots=True)
class ScriptTurn:
    """A turn of a script (`request.call`): nobody else can begin one in its conversation."""

    request: TurnRequest
    ids: TurnIds
    now: datetime


def begin_script_turns(database: Database, turns: Sequence[ScriptTurn]) -> Sequence[None]:
    """Store that these turns run, for a store that this process has to itself. In one statement, however many."""
    rows = [_temporary_row(turn.request, turn.ids, turn.now) for turn in turns]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    database.execute(_SQL["insert_temporary_turns"], **columns)
    return [None] * len(turns)


def _own(cur: Cursor, ids: TurnIds, request: TurnRequest, owner: str) -> None:
    cur.execute(
        _REPLICAS_SQL["own_turn"],
        turn_id=ids.turn,
        conversation_id=ids.conversation,
        answer_message_id=ids.answer,
        continues=request.continues,
        owner=owner,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a running turn has brought so far.

    `tries` are the attempts that have ended, oldest first. `model_id` is asked now, since `started_at`: None while the
    turn waits for its next attempt or runs tools. `steps` are what these have brought.
    """

    text: str = ""
    reasoning: str = ""
    model_id: str | None = None
    started_at: datetime | None = None
    first_token_at: datetime | None = None
    tries: Sequence[Attempt] = ()
    steps: Sequence[ToolStep] = ()


def checkpoint_turn(database: Database, checkpoint: Checkpoint, *, turn_id: str, now: datetime) -> None:
    """Keep what a running turn has brought, for the case that this process dies."""
    database.execute(
        _SQL["checkpoint_turn"],
        id=turn_id,
        partial_text=checkpoint.text,
        partial_reasoning=checkpoint.reasoning,
        answering_model=checkpoint.model_id,
        attempt_started_at=checkpoint.started_at,
        first_token_at=checkpoint.first_token_at,
        tries=to_json(checkpoint.tries),
        partial_steps=steps_to_json(checkpoint.steps),
        now=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How a turn ends: the answer, and the ledger rows of its attempts, oldest first, at least one.

    `answer` is None for a turn of a temporary chat: no text of it is stored. `owned`: it began with an owner.
    """

    turn_id: str
    status: str
    answer: Message | None
    attempts: Sequence[Attempt]
    owned: bool = False


def end_turns(database: Database, ends: Sequence[TurnEnd]) -> Sequence[bool]:
    """Store the answer, the ledger rows and the end of each of these turns, all together.

    Leaves a turn alone that has ended already, so that it may be tried again after a failure whose effect is unknown.
    Returns which ones this call has ended.
    """
    chained = [replace(end, attempts=_chained(end.turn_id, end.attempts)) for end in ends]

    def work(cur: Cursor) -> list[bool]:
        ended = [_store_end(cur, end) for end in chained]
        rows = [row for end, just_now in zip(chained, ended, strict=True) if just_now for row in end.attempts]
        if len(rows) >= _MANY_ROWS:
            record_attempts(cur, rows)
        else:
            for row in rows:
                record_attempt(cur, row)
        return ended

    return database.transaction(work)


def _store_end(cur: Cursor, end: TurnEnd) -> bool:
    """Store the end of a turn but for its rows; False for one that has ended already."""
    ended = _end(cur, end.turn_id, status=end.status, now=end.attempts[-1].ended_at)
    if ended and end.answer is not None:
        insert_message(cur, end.answer)
    if end.owned:
        # Also where somebody else has ended it meanwhile: who took it over a moment too late would own it for ever.
        cur.execute(_REPLICAS_SQL["disown_turn"], turn_id=end.turn_id)
    return ended


def _end(cur: Cursor, turn_id: str, *, status: str, now: datetime) -> bool:
    """Mark a running turn as ended; False for one that has ended already."""
    # A server does not say how many rows a statement changed.
    if cur.shared and not cur.fetch_one(_SQL["running_turn"], id=turn_id):
        return False
    return cur.update(_SQL["end_turn"], id=turn_id, status=status, now=now) != 0


def _chained(turn_id: str, attempts: Sequence[Attempt]) -> list[Attempt]:
    # Ids made within one millisecond have no order of their own, and the ledger is read in the order of ids. The first
    # attempt has the turn's id, which the file then keeps once (docs/adr/0017), unless the clock went back meanwhile.
    ids = sorted(new_id() for _ in attempts)
    if all(turn_id < later for later in ids[1:]):
        ids[:1] = [turn_id]
    parents = [None, *ids]
    return [
        replace(attempt, id=own, parent_id=parent) for attempt, own, parent in zip(attempts, ids, parents, strict=False)
    ]


def _store_place(cur: Cursor, request: TurnRequest, ids: TurnIds, question: Message | None, now: datetime) -> None:
    if question is not None:
        _store_question(cur, request, question)
    else:
        _keep_order(cur, ids, now)


def _store_question(cur: Cursor, request: TurnRequest, question: Message) -> None:
    if request.conversation_id is None:
        insert_conversation(
            cur,
            conversation_id=question.conversation_id,
            user_id=request.user_id,
            first_text=question.content or " ".join(attached.name for attached in question.attachments),
            model_id=request.model_id,
            now=question.created_at,
            leaf_message_id=question.id,
            comparison_id=request.begins.comparison_id if request.begins else None,
            use_case=request.use_case,
        )
    insert_message(cur, question, show=request.conversation_id is not None)


def _refuse_second_turn(cur: Cursor, ids: TurnIds) -> None:
    if cur.fetch_one(_SQL["running_turn_of_conversation"], conversation_id=ids.conversation):
        raise busy()


def _keep_order(cur: Cursor, ids: TurnIds, now: datetime) -> None:
    # Writing the conversation's row makes two simultaneous turns conflict, so that the second one sees the first.
    cur.execute(
        load_queries("conversations")["touch_conversation"],
        id=ids.conversation,
        leaf_message_id=ids.question,
        now=now,
    )


def _turn_row(request: TurnRequest, ids: TurnIds) -> dict[str, object]:
    return {
        "id": ids.turn,
        "conversation_id": ids.conversation,
        "user_id": request.user_id,
        "user_message_id": ids.question,
        "source": request.source,
        "use_case": request.use_case,
        "requested_model": request.model_id,
        "parameters": json.dumps(dict(request.parameters), sort_keys=True),
    }


def _temporary_row(request: TurnRequest, ids: TurnIds, now: datetime) -> dict[str, object]:
    return {**_turn_row(request, ids), "token_id": request.token_id, "now": now}
