"""After a crash: the turns that were running become answers that say they were interrupted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.chat.admission import TurnRequest
from core.chat.attachment_contents import with_contents
from core.chat.attempt import Answer
from core.chat.continuation import as_read
from core.chat.conversation import branch, by_id
from core.chat.kept_steps import from_json as from_json_steps
from core.chat.kept_tries import from_json
from core.chat.outcome import answer_message, attempt_row, outcome_of
from core.chat.portability import to_messages
from core.chat.store import messages_of
from core.chat.turn_record import TurnEnd, TurnIds, end_turns
from core.clock import Clock, utc_now
from core.costs.ledger import Attempt
from core.costs.pricing import PriceAt, own_price
from core.ids import new_id
from core.providers.gateway import CompletionRequest
from core.store.database import Database, Row
from core.store.files import FileStore
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_UNKNOWN = ProviderSpec(id="unknown", kind="unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A turn that nobody answers any more: the id that its answer was to have, and whether it had an owner."""

    answer_message_id: str | None = None
    owned: bool = False


def recover_turns(
    database: Database,
    *,
    find_model: Callable[[str], ModelSpec | None],
    files: FileStore | None = None,
    clock: Clock = utc_now,
    price_at: PriceAt = own_price,
    settled: Callable[[str, Sequence[Attempt]], None] = lambda _turn_id, _attempts: None,
    take_over: Callable[[str], TakenOver | None] | None = None,
) -> int:
    """End the turns that a crash left running: their checkpoint becomes the answer, marked interrupted.

    Returns how many there were. The attempts that had ended go to the ledger as they were. What had been written since
    is priced by our own count; a model that is no longer in the registry keeps its name, and its price if `price_at`
    knows it. A turn whose text is not kept (a temporary chat's, a script's) has what it cost in its checkpoint, and
    brings no answer. `settled` hears what each turn cost. Where replicas share the store, `take_over` says by id which
    turns are nobody's any more, and takes them.
    """
    rows = database.fetch_all(load_queries("turns")["interrupted_turns"])
    recovered = 0
    for row in rows:
        try:
            taken = take_over(row["id"]) if take_over is not None else TakenOver()
            if taken is None:
                continue
            attempts = _recover(
                database, row, taken, find_model=find_model, files=files, clock=clock, price_at=price_at
            )
            if attempts is not None:
                settled(row["id"], attempts)
                recovered += 1
        except Exception:
            # One damaged turn must not keep the others, or the whole start, from going on.
            log.exception("turn %s could not be recovered", row["id"])
    return recovered


def _recover(
    database: Database,
    row: Row,
    taken: TakenOver,
    *,
    find_model: Callable[[str], ModelSpec | None],
    files: FileStore | None,
    clock: Clock,
    price_at: PriceAt,
) -> Sequence[Attempt] | None:
    """The rows of the turn; None where whoever answered it has ended it meanwhile, with rows of its own."""
    ids = TurnIds(
        turn=row["id"],
        conversation=row["conversation_id"],
        question=row["user_message_id"],
        answer=taken.answer_message_id or new_id(),
    )
    answer, steps, attempts = _answer(row), from_json_steps(row["partial_steps"]), _tries(row)
    outcome = outcome_of(answer, ended="interrupted")
    asked = _model(row["requested_model"], find_model)
    answering = _model(row["answering_model"], find_model) if row["answering_model"] else asked
    # A turn that was waiting for its next attempt had none under way.
    if row["attempt_started_at"] or not attempts:
        request = _request(row)
        completion = _completion(database, ids, answering, request, files)
        ended_at = row["checkpoint_at"] or row["started_at"]
        # Where no text is kept, and no checkpoint came about, nobody can count what it cost.
        priced = _unpriced if row["temporary"] else price_at
        attempt = attempt_row(ids, request, completion, answer, outcome, ended_at=ended_at, price_at=priced)
        attempts = [*attempts, attempt]
    served = answering if answer.pieces or steps else asked
    message = answer_message(ids, served, answer, outcome, now=clock(), asked=asked, steps=steps)
    end = TurnEnd(
        turn_id=ids.turn,
        status=outcome.turn_status,
        answer=None if row["temporary"] else message,
        attempts=attempts,
        owned=taken.owned,
    )
    [ended] = end_turns(database, [end])
    return attempts if ended else None


def _unpriced(_model: ModelSpec, _moment: datetime) -> Prices | None:
    return None


def _tries(row: Row) -> Sequence[Attempt]:
    try:
        return from_json(row["tries"])
    except ValueError:
        # Written by another version, perhaps. The answer and its last attempt are worth more than the tries before.
        log.exception("the tries of turn %s could not be read", row["id"])
        return ()


def _answer(row: Row) -> Answer:
    text, reasoning = row["partial_text"], row["partial_reasoning"]
    return Answer(
        started_at=row["attempt_started_at"] or row["started_at"],
        text=[text] if text else [],
        reasoning=[reasoning] if reasoning else [],
        first_token_at=row["first_token_at"],
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


def _completion(
    database: Database, ids: TurnIds, model: ModelSpec, request: TurnRequest, files: FileStore | None
) -> CompletionRequest:
    with database.cursor() as cur:
        messages = messages_of(cur, ids.conversation)
    history = with_contents(files, as_read(branch(by_id(messages), leaf_id=ids.question)))
    return CompletionRequest(
        model=model,
        messages=to_messages(history, model=model),
        parameters={**model.parameters, **request.parameters},
    )


def _model(name: str, find_model: Callable[[str], ModelSpec | None]) -> ModelSpec:
    return find_model(name) or ModelSpec(id=name, label=name, provider=_UNKNOWN, upstream=name)
