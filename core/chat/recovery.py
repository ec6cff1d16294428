"""After a crash: the turns that were running become answers that say they were interrupted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace

from core.catalog.models import ModelSpec, ProviderSpec
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.conversation import branch, by_id
from core.chat.outcome import answer_message, attempt_row, outcome_of
from core.chat.portability import to_messages
from core.chat.store import messages_of
from core.chat.turn_record import TurnIds, end_turn
from core.clock import Clock, utc_now
from core.ids import new_id
from core.providers.gateway import CompletionRequest
from core.store.database import Database, Row
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_UNKNOWN = ProviderSpec(id="unknown", kind="unknown")


def recover_turns(database: Database, *, find_model: Callable[[str], ModelSpec | None], clock: Clock = utc_now) -> int:
    """End the turns that a crash left running: their checkpoint becomes the answer, marked interrupted.

    Returns how many there were. What had been written is priced by our own count; a model that is no longer in the
    registry keeps its name and is unpriced.
    """
    rows = database.fetch_all(load_queries("turns")["interrupted_turns"])
    recovered = 0
    for row in rows:
        try:
            _recover(database, row, find_model(_answering(row)) or _removed_model(row), clock)
            recovered += 1
        except Exception:
            # One damaged turn must not keep the others, or the whole start, from going on.
            log.exception("turn %s could not be recovered", row["id"])
    return recovered


def _recover(database: Database, row: Row, model: ModelSpec, clock: Clock) -> None:
    ids = TurnIds(turn=row["id"], conversation=row["conversation_id"], question=row["user_message_id"], answer=new_id())
    answer, request = _answer(row), _request(row)
    outcome = outcome_of(answer, ended="interrupted")
    completion = _completion(database, ids, model, request)
    end_turn(
        database,
        turn_id=ids.turn,
        status=outcome.turn_status,
        answer=replace(
            answer_message(ids, model, answer, outcome, now=clock()), requested_model=row["requested_model"]
        ),
        attempts=[
            attempt_row(ids, request, completion, answer, outcome, ended_at=row["checkpoint_at"] or row["started_at"])
        ],
    )


def _answer(row: Row) -> Answer:
    text, reasoning = row["partial_text"], row["partial_reasoning"]
    return Answer(
        started_at=row["started_at"],
        text=[text] if text else [],
        reasoning=[reasoning] if reasoning else [],
        sent=True,  # nothing says that it was not, and a provider may have billed it
    )


def _request(row: Row) -> TurnRequest:
    return TurnRequest(
        user_id=row["user_id"],
        model_id=row["requested_model"],
        conversation_id=row["conversation_id"],
        parameters=json.loads(row["parameters"]),
        source=row["source"],
        use_case=row["use_case"],
    )


def _completion(database: Database, ids: TurnIds, model: ModelSpec, request: TurnRequest) -> CompletionRequest:
    with database.cursor() as cur:
        messages = messages_of(cur, ids.conversation)
    history = branch(by_id(messages), leaf_id=ids.question)
    return CompletionRequest(
        model=model,
        messages=to_messages(history, model=model),
        parameters={**model.parameters, **request.parameters},
    )


def _answering(row: Row) -> str:
    """The model whose text the checkpoint holds; the chosen one when nothing had come."""
    return str(row["answering_model"] or row["requested_model"])


def _removed_model(row: Row) -> ModelSpec:
    name = _answering(row)
    return ModelSpec(id=name, label=name, provider=_UNKNOWN, upstream=name)
