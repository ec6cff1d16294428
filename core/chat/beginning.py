"""How a turn begins: its place, what is sent, whether it may be, and the question in the store before it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest, check_window
from core.chat.asking import Asking, completion_for, kept_answer
from core.chat.attachment_contents import check_seen, check_there
from core.chat.attempt import Answer
from core.chat.live_turn import LiveTurn
from core.chat.money_cap import capped
from core.chat.placement import Placement, place_turn
from core.chat.sent_history import sent_history
from core.chat.tool_steps import offers, tools_of_turn
from core.chat.turn_record import ScriptTurn, begin_turn
from core.clock import Clock
from core.store.database import Database
from core.store.files import FileStore
from core.store.together import Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What it takes to begin turns. `owner` names this replica where there are several, `files` what is attached.

    `script_turns` begins those of scripts, where this process has the store to itself: many may come at once.
    """

    database: Database
    files: FileStore | None
    asking: Asking
    clock: Clock
    owner: str | None
    script_turns: Together[ScriptTurn, None]

    def begin(self, request: TurnRequest, model: ModelSpec, *, conversation_id: str) -> LiveTurn:
        """Store the question of a turn; what the turn may cost is held of the limits from then on.

        Raises TurnRefused, LimitReached, NotFound or what the store raises; then nothing is stored and nothing held.
        """
        now = self.clock()
        place = place_turn(self.database, request, conversation_id=conversation_id, now=now)
        live = self._prepared(request, model, place, now=now)
        self._admit(live)
        try:
            self._store(request, place, now=now)
        except BaseException:
            self.asking.limits.release(place.ids.turn)
            raise
        return live

    def _store(self, request: TurnRequest, place: Placement, *, now: datetime) -> None:
        if request.call is not None and self.owner is None:
            self.script_turns.add(ScriptTurn(request, place.ids, now))
        else:
            begin_turn(self.database, request, ids=place.ids, question=place.question, now=now, owner=self.owner)

    def _prepared(self, request: TurnRequest, model: ModelSpec, place: Placement, *, now: datetime) -> LiveTurn:
        """The turn with what is sent for it. Raises TurnRefused for what the model cannot take."""
        check_there(request.attachments, self.files)
        history, left_out = sent_history(self.files, place.history, request, model=model)
        check_seen(history[-1], model=model)
        tools = tools_of_turn(self.asking.tools, history, wanted=place.tools)
        completion = completion_for(request, history, model=model, tools=offers(tools, model))
        check_window(completion.messages, model=model)
        return LiveTurn(
            ids=place.ids,
            request=request,
            model=model,
            started_at=now,
            completion=capped(completion, most_usd=request.most_usd, now=now),
            answer=Answer(started_at=now),
            history=history,
            left_out=left_out,
            fallback=place.fallback,
            tools=tools,
        )

    def _admit(self, live: LiveTurn) -> None:
        """Let the turn's call pass. Raises LimitReached, unless the answer is kept: then nobody is asked."""
        if kept_answer(self.asking.cache, live.request, live.completion) is None:
            live.covered_tokens = self.asking.limits.admit(live.ids.turn, live.request, live.completion)
            live.held = True
