"""Asking the models of a turn: every attempt with the history and parameters of the model it goes to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from core.catalog.effective import legal_parameters
from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest, check_window
from core.chat.allowance import Limits, Unlimited
from core.chat.answer_cache import AnswerCache, KeptAnswer
from core.chat.attachment_contents import check_seen
from core.chat.attempt import Answer, run_attempt
from core.chat.cap_of_turn import within_limit
from core.chat.conversation import Message
from core.chat.live_turn import LiveTurn, Try
from core.chat.metering import meter_of
from core.chat.outcome import Outcome, failed_try, no_model_answered, outcome_of
from core.chat.portability import to_messages
from core.chat.script_call import completion_of
from core.chat.tool_steps import ToolRunner, calls_of, offers_for, said_so_far, use_tools
from core.clock import Clock
from core.costs.call import Kind
from core.costs.pricing import PriceAt, own_price
from core.errors import LimitReached, ProviderError, SwitchboardError
from core.providers.circuit import Circuits
from core.providers.events import Retrying
from core.providers.gateway import CompletionRequest, Gateway
from core.providers.parts import ToolOffer
from core.providers.routing import Steps, Tried, Walked, capabilities_needed, fallbacks_of, walk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What it takes to ask models. `sleep` takes seconds; `chance` gives the jitter of waits, in [0, 1]."""

    gateway: Gateway
    cache: AnswerCache
    circuits: Circuits
    find_model: Callable[[str], ModelSpec | None]
    refuse: Callable[[ModelSpec, str], None]
    clock: Clock
    stall_s: float
    sleep: Callable[[float], Awaitable[object]]
    chance: Callable[[], float]
    tools: ToolRunner
    limits: Limits = field(default_factory=Unlimited)
    price_at: PriceAt = own_price


def completion_for(
    request: TurnRequest, history: Sequence[Message], *, model: ModelSpec, tools: Sequence[ToolOffer] = ()
) -> CompletionRequest:
    """The call of a turn as one model takes it. Raises TurnRefused for what it does not take."""
    if request.call is not None:
        return completion_of(
            request.call,
            model=model,
            system_prompt=request.system_prompt,
            parameters=legal_parameters(model, request.parameters),
        )
    return CompletionRequest(
        model=model,
        messages=to_messages(history, model=model, system_prompt=request.system_prompt, tools=bool(tools)),
        parameters=legal_parameters(model, request.parameters),
        tools=tools,
    )


async def ask(asking: Asking, live: LiveTurn) -> Outcome:
    """Ask until a model has answered or the person must be told; tools that it calls in between are run.

    What arrives goes to `live.answer` and the buffer, a try that another one follows to `live.tries`, what tools bring
    to `live.steps`. Raises what a gateway should not, anything but ProviderError, and TurnRefused when what the tools
    brought is too much for the model or for the limit in dollars.
    """
    while True:
        outcome = await _ask(asking, live)
        calls = calls_of(live, outcome)
        if not calls:
            return outcome
        told = partial(_keep_call, asking, live, outcome)
        await use_tools(asking.tools, live, calls, clock=asking.clock, told=told)
        # Counting a long history takes a while: on a thread it holds up no other turn.
        live.completion = await asyncio.to_thread(_next_call, asking, live, live.completion.model)
        live.answer = _fresh(asking, live)
        await asyncio.to_thread(_hold, asking, live, "more")


def _keep_call(asking: Asking, live: LiveTurn, outcome: Outcome, answer: Answer) -> None:
    live.tries.append(Try(live.completion, answer, outcome, asking.clock()))


def _next_call(asking: Asking, live: LiveTurn, model: ModelSpec) -> CompletionRequest:
    """The next call of a turn to `model`. Raises TurnRefused when it is more than the model or the money allows."""
    offered = offers_for(live, model)
    history = said_so_far(live, offered=bool(offered), now=asking.clock())
    completion = completion_for(live.request, history, model=model, tools=offered)
    check_window(completion.messages, model=model)
    return within_limit(completion, live, now=asking.clock(), price_at=asking.price_at)


def _fresh(asking: Asking, live: LiveTurn) -> Answer:
    return Answer(started_at=asking.clock(), after_steps=bool(live.steps))


async def _ask(asking: Asking, live: LiveTurn) -> Outcome:
    """Walk the chain of a turn until one model answers, which may be by calling tools, or none can."""
    # Before the walk: a kept answer says nothing about how the model is doing.
    if await _from_cache(asking, live):
        return outcome_of(live.answer)
    walked = await walk(
        live.completion.model if live.steps else live.model,
        fallbacks=partial(_fallbacks, asking, live),
        circuits=asking.circuits,
        steps=Steps(
            attempt=partial(_attempt, asking, live),
            tell=partial(_go_on, asking, live),
            sleep=asking.sleep,
            chance=asking.chance,
        ),
    )
    return _outcome(live, walked)


def kept_answer(cache: AnswerCache, request: TurnRequest, completion: CompletionRequest) -> KeptAnswer | None:
    """The answer that is kept for exactly this request. It blocks: not for an event loop."""
    # Who asks again wants another answer, which then takes the place of the kept one.
    if completion.model.cache is None or request.answer_again is not None or request.continues is not None:
        return None
    return cache.find(completion, user_id=request.user_id)


async def _from_cache(asking: Asking, live: LiveTurn) -> bool:
    if live.completion.model.cache is None:
        return False
    kept = await asyncio.to_thread(kept_answer, asking.cache, live.request, live.completion)
    if kept is None:
        return False
    live.answer.cached = True
    for event in kept.events():
        live.answer.take(event, now=asking.clock)
        live.buffer.append(event)
    return True


async def _fallbacks(asking: Asking, live: LiveTurn) -> Sequence[ModelSpec]:
    # What a model has said to people is never gone on with by another one. Results of tools anybody can go on with.
    named = live.model.fallbacks if live.request.fallbacks is None else live.request.fallbacks
    if live.fallback != "automatic" or not named or any(step.text.strip() for step in live.steps):
        return ()
    # Counting a long history and looking up who may use what takes a while: on a thread it holds up no other turn.
    accepts = partial(_accepts, asking, live)
    try:
        return await asyncio.to_thread(
            fallbacks_of, replace(live.model, fallbacks=named), find=asking.find_model, accepts=accepts
        )
    except Exception:
        # The person is told what the model said, and not that looking for another one failed.
        log.exception("turn %s has no fallbacks", live.ids.turn)
        return ()


def _accepts(asking: Asking, live: LiveTurn, model: ModelSpec) -> bool:
    only = live.request.only_models
    if only is not None and model.id not in only:
        return False
    if not capabilities_needed(live.request.parameters) <= model.capabilities:
        return False
    try:
        asking.refuse(model, live.request.user_id)
        check_seen(live.history[-1], model=model)
        # A parameter that somebody set is never left out in silence: a model that does not take it is not asked.
        completion = _next_call(asking, live, model)
    except SwitchboardError:
        return False
    return asking.limits.fits(live.ids.turn, live.request, completion)


async def _attempt(asking: Asking, live: LiveTurn, model: ModelSpec) -> Tried:
    another = model.id != live.completion.model.id
    if another:
        live.completion = _next_call(asking, live, model)
    live.answer = _fresh(asking, live)
    if another and await _from_cache(asking, live):
        return Tried(asked=False)
    if another or not live.held:
        await asyncio.to_thread(_hold, asking, live, "instead" if live.held else "first")
    try:
        await run_attempt(
            asking.gateway,
            live.completion,
            answer=live.answer,
            emit=live.buffer.append,
            now=asking.clock,
            stall_s=asking.stall_s,
            meter=meter_of(
                asking.limits,
                live.request,
                live.completion,
                turn_id=live.ids.turn,
                covered_tokens=live.covered_tokens,
            ),
        )
    except ProviderError as error:
        if live.ending:
            # The turn was ended while a client library swallowed the cancellation: nobody may be asked any more.
            raise asyncio.CancelledError from error
        live.error = error
        return Tried(error, visible=live.answer.pieces > 0)
    except (SystemExit, KeyboardInterrupt) as error:
        # asyncio lets these two through: they would end the loop and every turn on it.
        raise RuntimeError(f"{type(error).__name__} in a gateway") from error
    return Tried()


def _hold(asking: Asking, live: LiveTurn, kind: Kind) -> None:
    """Hold what the call about to be made may cost. Raises SwitchboardError when others have taken it meanwhile."""
    try:
        live.covered_tokens = asking.limits.admit(live.ids.turn, live.request, live.completion, kind=kind)
        live.held = True
    except LimitReached as refused:
        raise SwitchboardError(refused.user_message, next_step="Try again, or choose a cheaper model.") from refused


def _go_on(asking: Asking, live: LiveTurn, event: Retrying) -> None:
    if live.error is not None:
        outcome = failed_try(live.error)
        live.tries.append(Try(live.completion, live.answer, outcome, asking.clock()))
        live.answer, live.error = _fresh(asking, live), None
    live.buffer.append(event)


def _outcome(live: LiveTurn, walked: Walked) -> Outcome:
    if walked.answered:
        return outcome_of(live.answer)
    outcome = outcome_of(live.answer, error=walked.failures[-1].error)
    if len({failure.model.id for failure in walked.failures}) == 1 or live.answer.pieces:
        return outcome
    return replace(outcome, summary=no_model_answered([failure.error for failure in walked.failures]))
