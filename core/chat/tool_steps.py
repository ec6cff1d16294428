"""The tools that a turn's model calls: what it is offered, running them, and telling it what they brought."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.catalog.models import Capability, ModelSpec
from core.chat.attempt import Answer
from core.chat.conversation import Attachment, Message, ToolStep, ToolUse
from core.chat.live_turn import LiveTurn
from core.chat.outcome import Outcome
from core.chat.plain_text import with_visible_controls
from core.clock import Clock, monotonic_ms
from core.ids import new_id
from core.providers.events import ToolReturned
from core.providers.parts import ToolCall, ToolOffer
from core.tools.tool import TOOL_LIMITS, Interrupt, Tool, ToolContext, ToolLimits
from core.tools.toolbox import ToolOutcome, run_tool, tools_for

log = logging.getLogger(__name__)

# Where a model cannot be offered tools (any more), it reads in words what they brought, and this after it: providers
# refuse a conversation that ends with an answer.
_ANSWER_NOW = "These are the results. No more tools can be called. Answer the question now, with what is there."
_NOT_RUN = "Not run: the limit of {calls} calls for an answer is reached."
# How a call may end that has tools in it: some providers say "stop" all the same.
_WHOLE = frozenset({"tool_calls", "stop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRunner:
    """The tools there are and what they may take. `threads` run them: no tool holds up a stream."""

    threads: Executor
    tools: Sequence[Tool] = ()
    limits: ToolLimits = TOOL_LIMITS


def files_of(history: Sequence[Message]) -> list[Attachment]:
    """Every file of a history, the newest last."""
    return [attached for message in history for attached in message.attachments]


def tools_of_turn(runner: ToolRunner, history: Sequence[Message], *, wanted: bool) -> Sequence[Tool]:
    """The tools that a turn's models may call."""
    return tools_for(runner.tools, files_of(history)) if wanted else ()


def offers_for(live: LiveTurn, model: ModelSpec) -> Sequence[ToolOffer]:
    """The tools that the next call of a turn offers `model`."""
    return () if live.out_of_calls else offers(live.tools, model)


def offers(tools: Sequence[Tool], model: ModelSpec) -> Sequence[ToolOffer]:
    """The tools as `model` is offered them; none where it cannot call any."""
    return [tool.offer for tool in tools] if Capability.TOOLS in model.capabilities else ()


def said_so_far(live: LiveTurn, *, offered: bool, now: datetime) -> Sequence[Message]:
    """The history of the next call: that of the turn, and what its model has done since."""
    if not live.steps:
        return live.history
    done = Message(
        id=live.ids.answer,
        conversation_id=live.ids.conversation,
        parent_id=live.ids.question,
        turn_id=live.ids.turn,
        role="assistant",
        content="",
        status="complete",
        created_at=now,
        served_model=live.completion.model.id,
        steps=tuple(live.steps),
    )
    if offered:
        return [*live.history, done]
    return [*live.history, done, replace(done, id=new_id(), role="user", content=_ANSWER_NOW, steps=())]


def calls_of(live: LiveTurn, outcome: Outcome) -> Sequence[ToolCall]:
    """The calls that an answer ended with and that are to be made; none of one that was cut off.

    Those of a script's own tools are the script's to make.
    """
    answer = live.answer
    usable = live.request.call is None and outcome.complete and live.completion.tools and answer.finish_reason in _WHOLE
    return tuple(answer.calls) if usable else ()


async def use_tools(
    runner: ToolRunner, live: LiveTurn, calls: Sequence[ToolCall], *, clock: Clock, told: Callable[[Answer], None]
) -> None:
    """Make the calls of the answer that has just ended, one after the other; what they bring goes to `live.steps`.

    `told` hears of the answer before it gives way to the next. A cancellation ends the tool that is running.
    """
    answer = live.answer
    live.thought_ms += answer.thought_until(answer.first_token_at or answer.started_at)
    told(answer)
    live.answer = Answer(started_at=clock(), after_steps=True)
    before = sum(len(step.uses) for step in live.steps)
    live.steps.append(
        ToolStep(
            text="".join(answer.text),
            thoughts="".join(answer.reasoning),
            reasoning=answer.signed,
            uses=tuple(ToolUse(name=call.name, arguments=call.arguments) for call in calls),
        )
    )
    for place in range(len(calls)):
        if before + place >= runner.limits.calls:
            live.out_of_calls = True
        await _use(runner, live, place, clock=clock)
    live.out_of_calls = live.out_of_calls or before + len(calls) >= runner.limits.calls


async def _use(runner: ToolRunner, live: LiveTurn, place: int, *, clock: Clock) -> None:
    step = live.steps[-1]
    use, started_ms = step.uses[place], monotonic_ms()
    if live.out_of_calls:
        outcome = ToolOutcome(_NOT_RUN.format(calls=runner.limits.calls), failed=True)
    else:
        outcome = await _outcome(runner, live, use, now=clock())
    text, took_ms = with_visible_controls(outcome.text), round(monotonic_ms() - started_ms, 1)
    done = replace(use, result=text, failed=outcome.failed, duration_ms=took_ms)
    live.steps[-1] = replace(step, uses=(*step.uses[:place], done, *step.uses[place + 1 :]))
    live.buffer.append(ToolReturned(text=text, failed=outcome.failed, duration_ms=took_ms))


async def _outcome(runner: ToolRunner, live: LiveTurn, use: ToolUse, *, now: datetime) -> ToolOutcome:
    interrupt = Interrupt()
    context = ToolContext(
        files=files_of(live.history),
        now=now,
        time_zone=live.request.time_zone,
        limits=runner.limits,
        on_interrupt=interrupt.register,
    )
    work = partial(run_tool, live.tools, use.name, use.arguments, context)
    running = asyncio.get_running_loop().run_in_executor(runner.threads, work)
    try:
        async with asyncio.timeout(runner.limits.seconds):
            return await running
    except TimeoutError:
        log.warning("the tool %s took longer than %g s", use.name, runner.limits.seconds)
        return ToolOutcome(f"It took longer than {runner.limits.seconds:g} seconds and was stopped.", failed=True)
    finally:
        if not running.done() or running.cancelled():
            interrupt.fire()
