"""How the asking of a turn ends: with an answer, with a failure, or because somebody stopped it."""

from __future__ import annotations

import asyncio
import logging

from core.chat.asking import Asking, ask
from core.chat.live_turn import LiveTurn
from core.chat.outcome import Outcome, outcome_of
from core.errors import SwitchboardError

log = logging.getLogger(__name__)

# How long a gateway may take to close its connection before the turn ends without it: "stop" means within a second.
_LET_GO_S = 0.5


async def answer_or_end(asking: Asking, live: LiveTurn) -> Outcome:
    """Ask until somebody has answered or the turn is ended early. What a gateway should not raise ends it as well."""
    live.answer.started_at = asking.clock()
    if live.ending:
        return outcome_of(live.answer, ended=live.ending)
    # A task of its own: stopping cancels the asking and never the turn, which still has its end to store.
    answering = asyncio.create_task(ask(asking, live))
    stop = asyncio.create_task(live.ended_early.wait())
    await asyncio.wait({answering, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if answering.done():
        return _outcome_of_done(live, answering)
    answering.cancel()
    if not (await asyncio.wait({answering}, timeout=_LET_GO_S))[0]:
        log.error("turn %s ended, but its gateway does not let go of the connection", live.ids.turn)
    return outcome_of(live.answer, ended=live.ending)


def _outcome_of_done(live: LiveTurn, asking: asyncio.Task[Outcome]) -> Outcome:
    if asking.cancelled():
        # Nobody asked for that: a client library let a cancellation of its own escape.
        return outcome_of(live.answer, error=RuntimeError("the gateway was cancelled from inside"))
    error = asking.exception()
    if error is None:
        return asking.result()
    if not isinstance(error, SwitchboardError):
        # A gateway promises ProviderError only; a bug in one must end this turn and no other.
        log.error("turn %s failed inside the gateway", live.ids.turn, exc_info=error)
    return outcome_of(live.answer, error=error)
