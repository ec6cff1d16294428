"""Turns that other replicas answer: followed from their checkpoints in the store, and stopped from here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from core.catalog.models import ModelSpec, ProviderSpec
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.conversation import Message, ToolStep
from core.chat.kept_steps import from_json
from core.chat.live_turn import LiveTurn
from core.chat.store import messages_of
from core.chat.turn_record import TurnIds
from core.providers.events import Event, ReasoningDelta, TextDelta, ToolCalled, ToolReturned
from core.providers.gateway import CompletionRequest
from core.providers.parts import ToolCall
from core.shared.journal import ALONE, Journal
from core.store.database import Database, Row
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_SQL = load_queries("replicas")
_UNKNOWN = ProviderSpec(id="unknown", kind="unknown")


class Elsewhere(Protocol):
    """What the engine asks about turns that it does not run itself. Safe to use from any thread."""

    owner: str | None  # the id of this replica; None: no other process uses the store

    def find(self, conversation_id: str) -> LiveTurn | None:
        """The turn that another replica answers in a conversation, to be read like one's own."""

    def running(self) -> frozenset[str]:
        """The conversations that other replicas are answering in."""

    def stop(self, live: LiveTurn) -> None:
        """Have another replica stop a turn. Returns when it has been asked."""


class Nowhere:
    """There is no other replica."""

    owner: str | None = None

    def find(self, conversation_id: str) -> LiveTurn | None:  # noqa: ARG002 - nothing is there
        """None."""
        return None

    def running(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def stop(self, live: LiveTurn) -> None:
        """It has ended."""


class TurnsElsewhere:
    """The running turns of the other replicas, as the store said when `look` was last called."""

    def __init__(
        self,
        database: Database,
        *,
        owner: str,
        find_model: Callable[[str], ModelSpec | None],
        stop_here: Callable[[str], None],
        journal: Journal = ALONE,
    ) -> None:
        """`stop_here` stops a turn of this replica by its id. Through the `journal` a stop arrives at once."""
        self.owner: str | None = owner
        self._database = database
        self._find_model = find_model
        self._stop_here = stop_here
        self._journal = journal
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._followed: dict[str, _Followed] = {}
        journal.on("stop", lambda event, _by: stop_here(event["turn"]))

    def find(self, conversation_id: str) -> LiveTurn | None:
        """The turn that another replica answers in a conversation, to be read like one's own."""
        row = self._rows.get(conversation_id)
        if row is None:
            return None
        with self._lock:
            followed = self._followed.get(row["turn_id"])
            if followed is None:
                stored = self._database.fetch_one(_SQL["followed_turn"], turn_id=row["turn_id"])
                if stored is None or stored["status"] != "running":
                    return None
                followed = self._followed[row["turn_id"]] = _Followed(self._as_live(row, stored))
                followed.take(stored["partial_text"], stored["partial_reasoning"], from_json(stored["partial_steps"]))
        return followed.live

    def running(self) -> frozenset[str]:
        """The conversations that other replicas are answering in."""
        return frozenset(self._rows)

    def stop(self, live: LiveTurn) -> None:
        """Have another replica stop a turn."""
        self._journal.tell({"kind": "stop", "turn": live.ids.turn})
        self._database.execute(_SQL["ask_to_stop"], turn_id=live.ids.turn)

    def look(self) -> Collection[str]:
        """Read what the others answer, and pass on what was written since. Returns who owns running turns."""
        rows = self._database.fetch_all(_SQL["owned_turns"])
        for row in rows:
            if row["owner"] == self.owner and row["stop_asked"]:
                self._stop_here(row["turn_id"])
        self._rows = {row["conversation_id"]: row for row in rows if row["owner"] != self.owner}
        with self._lock:
            followed = list(self._followed.values())
        for one in followed:
            self._follow(one)
        return {row["owner"] for row in rows}

    def _follow(self, followed: _Followed) -> None:
        stored = self._database.fetch_one(_SQL["followed_turn"], turn_id=followed.live.ids.turn)
        if stored is not None and stored["status"] == "running":
            followed.take(stored["partial_text"], stored["partial_reasoning"], from_json(stored["partial_steps"]))
            return
        answer = self._answer(followed.live)
        if answer is not None:
            followed.take(answer.content, answer.reasoning or "", answer.steps)
        followed.live.result = answer
        with self._lock:
            del self._followed[followed.live.ids.turn]
        self._rows.pop(followed.live.ids.conversation, None)
        followed.live.buffer.end()

    def _answer(self, live: LiveTurn) -> Message | None:
        with self._database.cursor() as cur:
            found = messages_of(cur, live.ids.conversation)
        return next((message for message in found if message.id == live.ids.answer), None)

    def _as_live(self, row: Row, stored: Row) -> LiveTurn:
        asked, answering = stored["requested_model"], stored["answering_model"] or stored["requested_model"]
        return LiveTurn(
            ids=TurnIds(
                turn=row["turn_id"],
                conversation=row["conversation_id"],
                # Who reads a turn asks for what it makes, not for what it answers.
                question="",
                answer=row["answer_message_id"],
            ),
            request=TurnRequest(
                user_id=stored["user_id"],
                model_id=asked,
                conversation_id=row["conversation_id"],
                continues=row["continues"],
                source=stored["source"],
                use_case=stored["use_case"],
            ),
            model=self._model(asked),
            started_at=stored["started_at"],
            completion=CompletionRequest(model=self._model(answering), messages=()),
            answer=Answer(started_at=stored["started_at"]),
        )

    def _model(self, name: str) -> ModelSpec:
        return self._find_model(name) or ModelSpec(id=name, label=name, provider=_UNKNOWN, upstream=name)


@dataclass(slots=True)
class _Followed:
    """A turn of another replica and what of it is in the buffer by now."""

    live: LiveTurn
    _texts: dict[tuple[str, int], str] = field(default_factory=dict)
    _told: set[tuple[str, int, int]] = field(default_factory=set)

    def take(self, text: str, reasoning: str, steps: Collection[ToolStep]) -> None:
        """Append what a checkpoint has more than the one before."""
        for place, step in enumerate(steps):
            self._grow("thoughts", place, step.thoughts)
            self._grow("text", place, step.text)
            for number, use in enumerate(step.uses):
                call = ToolCall(id=f"{place}-{number}", name=use.name, arguments=use.arguments)
                self._once("called", place, number, ToolCalled(call))
            for number, use in enumerate(step.uses):
                if use.result is not None:
                    returned = ToolReturned(text=use.result, failed=use.failed, duration_ms=use.duration_ms or 0.0)
                    self._once("returned", place, number, returned)
        self._grow("thoughts", len(steps), reasoning)
        self._grow("text", len(steps), text)

    def _grow(self, kind: str, place: int, now: str) -> None:
        before = self._texts.get((kind, place), "")
        if len(now) > len(before) and now.startswith(before):
            more = now[len(before) :]
            self._texts[kind, place] = now
            self.live.buffer.append(TextDelta(more) if kind == "text" else ReasoningDelta(more))

    def _once(self, kind: str, place: int, number: int, event: Event) -> None:
        if (kind, place, number) not in self._told:
            self._told.add((kind, place, number))
            self.live.buffer.append(event)
