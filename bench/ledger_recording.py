"""How long recording a turn takes while people look at the cost pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from bench.ledger_reports import reports
from core.chat.admission import TurnRequest
from core.chat.conversation import Message
from core.chat.turn_record import TurnEnd, TurnIds, begin_turn, end_turns
from core.clock import utc_now
from core.costs.ledger import Attempt
from core.costs.pricing import Cost
from core.ids import new_id
from core.providers.events import Usage
from core.store.database import Database
from core.store.reader import Reader

SESSIONS = 20
READERS = 2
_BETWEEN_TURNS_S = 1.0
_BETWEEN_PAGES_S = 2.0


def record_while_read(database: Database, ledger: Reader, *, seconds: float, readers: int) -> list[float]:
    """Milliseconds for the end of each turn: answer, ledger row and turn in one transaction.

    20 sessions end a turn every second each, while so many readers open the overview of `ledger` every two seconds.
    """
    over = threading.Event()
    with ThreadPoolExecutor(SESSIONS + readers) as pool:
        reading = [pool.submit(_repeat, over, _BETWEEN_PAGES_S, _page(database, ledger)) for _ in range(readers)]
        sessions = []
        for number in range(SESSIONS):
            time.sleep(_BETWEEN_TURNS_S / SESSIONS)
            sessions.append(pool.submit(_repeat, over, _BETWEEN_TURNS_S, partial(_turn, database, number)))
        over.wait(seconds)
        over.set()
        for reader in reading:
            reader.result()
        return [sample for session in sessions for sample in session.result()]


def _repeat(over: threading.Event, every_s: float, work: Callable[[], float]) -> list[float]:
    samples, due = [], time.monotonic()
    while not over.is_set():
        samples.append(work())
        due += every_s
        over.wait(max(0.0, due - time.monotonic()))
    return samples


def _page(database: Database, ledger: Reader) -> Callable[[], float]:
    def look() -> float:
        started = time.perf_counter()
        overview = reports(utc_now())["overview, 30 days"]
        with database.cursor() as store:
            ledger.snapshot(lambda cur: overview(cur, store))
        return time.perf_counter() - started

    return look


def _turn(database: Database, session: int) -> float:
    now = utc_now()
    ids = TurnIds(turn=new_id(), conversation=new_id(), question=new_id(), answer=new_id())
    user_id = f"session-{session}"
    request = TurnRequest(user_id=user_id, conversation_id=None, text="What is new?", model_id="openai-00")
    begin_turn(database, request, ids=ids, question=_message(ids, "user", now), now=now)
    started = time.perf_counter()
    answer, attempt = _message(ids, "assistant", now), _attempt(ids, user_id, now)
    end_turns(database, [TurnEnd(turn_id=ids.turn, status="completed", answer=answer, attempts=[attempt])])
    return (time.perf_counter() - started) * 1000


def _message(ids: TurnIds, role: str, now: datetime) -> Message:
    asked = role == "user"
    return Message(
        id=ids.question if asked else ids.answer,
        conversation_id=ids.conversation,
        parent_id=None if asked else ids.question,
        turn_id=ids.turn,
        role="user" if asked else "assistant",
        content="What is new?" if asked else "An answer of some length. " * 40,
        status="complete",
        created_at=now,
    )


def _attempt(ids: TurnIds, user_id: str, now: datetime) -> Attempt:
    return Attempt(
        id=new_id(),
        turn_id=ids.turn,
        user_id=user_id,
        conversation_id=ids.conversation,
        source="chat",
        use_case=None,
        requested_model="openai-00",
        served_model="openai-00",
        upstream_model=None,
        provider="openai",
        parameters={},
        started_at=now,
        first_token_at=now,
        ended_at=now,
        usage=Usage(input_tokens=900, output_tokens=120),
        cost=Cost(cost_usd=None, code="unpriced", computed_cost_usd=None, reported_cost_usd=None),
        price_version=None,
        status="ok",
    )
