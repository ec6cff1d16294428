"""The probe that costs: a completion of one token, for a model whose provider has no free question.

It goes the way of every call: through the gateway, past the circuit (as its trial, when one is due), into the ledger
with its exact cost. There it belongs to nobody and to no conversation, with the source "probe". One that is not
answered in time says nothing there, nor to the circuit: the prober asks again before anybody is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.catalog.models import ModelSpec
from core.catalog.patience import patiently
from core.catalog.probe_cost import LONGEST_ANSWER_TOKENS, QUESTION
from core.catalog.probes import LIMIT_S, Finding
from core.chat.admission import TurnRequest
from core.chat.allowance import Limits, Unlimited
from core.chat.attempt import Answer, run_attempt
from core.chat.outcome import Outcome, attempt_row, failed_try, outcome_of
from core.chat.turn_record import TurnIds
from core.clock import Clock, utc_now
from core.costs.ledger import NOBODY, record_attempt
from core.costs.pricing import PriceAt, own_price
from core.errors import ErrorClass, LimitReached, ProviderError
from core.ids import new_id
from core.providers.circuit import Circuits
from core.providers.gateway import ChatMessage, CompletionRequest, Gateway
from core.store.database import Database

# The limit of a probe is counted another way (core.catalog.patience).
_NEVER_S = 3600.0
# What says that the model cannot be used. The rest is about the question, or passes by itself (429, a start).
_DOWN = frozenset(
    {
        ErrorClass.AUTHENTICATION,
        ErrorClass.CONNECTION,
        ErrorClass.NOT_FOUND,
        ErrorClass.PERMISSION,
        ErrorClass.SERVER,
        ErrorClass.STALL,
        ErrorClass.TRUNCATED,
    }
)


async def _at_once(_model: ModelSpec) -> None:
    """Nothing has to be made ready."""


class CompletionProbe:
    """Asks models for one token. Call it on the engine's loop.

    `make_ready` does what the first call of a model would wait for, an import: that is not the provider's time.
    """

    def __init__(
        self,
        database: Database,
        *,
        gateway: Gateway,
        make_ready: Callable[[ModelSpec], Awaitable[object]] = _at_once,
        circuits: Circuits,
        limits: Limits | None = None,
        limit_s: float = LIMIT_S,
        clock: Clock = utc_now,
        price_at: PriceAt = own_price,
    ) -> None:
        self._price_at = price_at
        self._limits = limits or Unlimited()
        self._database = database
        self._gateway = gateway
        self._make_ready = make_ready
        self._circuits = circuits
        self._limit_s = limit_s
        self._clock = clock

    async def __call__(self, model: ModelSpec) -> Finding:
        """Ask, and write what it took; says nothing when the model's circuit is open or no budget is left for it."""
        await self._make_ready(model)
        if not self._circuits.enter(model.id):
            return Finding(silent=True)
        completion = CompletionRequest(
            model=model,
            messages=(ChatMessage("user", QUESTION),),
            parameters={"max_tokens": LONGEST_ANSWER_TOKENS},
        )
        turn_id, request = new_id(), TurnRequest(user_id=NOBODY, model_id=model.id, source="probe")
        try:
            self._limits.admit(turn_id, request, completion)
        except LimitReached:
            self._circuits.leave(model.id)
            return Finding(silent=True)
        try:
            return await self._probe(turn_id, completion)
        except BaseException:
            self._limits.release(turn_id)
            raise

    async def _probe(self, turn_id: str, completion: CompletionRequest) -> Finding:
        model, answer = completion.model, Answer(started_at=self._clock())
        try:
            error = await self._ask(completion, answer)
        except BaseException:
            self._circuits.leave(model.id)
            # The end of the process, mostly: no thread is waited for any more, and what was sent is paid for.
            self._record(turn_id, completion, answer, outcome_of(answer, ended="interrupted"))
            raise
        unanswered = error is not None and error.error_class is ErrorClass.STALL
        if unanswered:
            self._circuits.leave(model.id)
        else:
            self._report(model, error)
        outcome = outcome_of(answer, ended="interrupted") if unanswered else _outcome(answer, error)
        await asyncio.to_thread(self._record, turn_id, completion, answer, outcome)
        return _finding(error)

    async def _ask(self, completion: CompletionRequest, answer: Answer) -> ProviderError | None:
        try:
            asking = run_attempt(
                self._gateway,
                completion,
                answer=answer,
                emit=lambda _event: None,
                now=self._clock,
                stall_s=_NEVER_S,
            )
            await patiently(asking, limit_s=self._limit_s)
        except ProviderError as error:
            return error
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets these two through: they would end the loop and every turn on it.
            raise RuntimeError(f"{type(error).__name__} in a gateway") from error
        except TimeoutError:
            return None if answer.finish_reason else self._too_slow(completion.model)
        return None

    def _too_slow(self, model: ModelSpec) -> ProviderError:
        return ProviderError(
            ErrorClass.STALL,
            f"{model.label} did not answer within {self._limit_s:g} seconds.",
            next_step="Choose another model for now.",
        )

    def _report(self, model: ModelSpec, error: ProviderError | None) -> None:
        if error is None:
            self._circuits.succeed(model.id)
        else:
            self._circuits.fail(model.id, error.error_class, retry_after_s=error.retry_after_s)

    def _record(self, turn_id: str, completion: CompletionRequest, answer: Answer, outcome: Outcome) -> None:
        ids = TurnIds(turn=turn_id, conversation="", question="", answer="")
        request = TurnRequest(user_id=NOBODY, model_id=completion.model.id, source="probe")
        row = attempt_row(ids, request, completion, answer, outcome, ended_at=self._clock(), price_at=self._price_at)
        attempt = replace(row, conversation_id=None)
        self._database.transaction(lambda cur: record_attempt(cur, attempt))
        self._limits.settle(turn_id, [attempt])


def _outcome(answer: Answer, error: ProviderError | None) -> Outcome:
    return outcome_of(answer) if error is None else failed_try(error)


def _finding(error: ProviderError | None) -> Finding:
    if error is None:
        return Finding()
    unanswered = error.error_class is ErrorClass.STALL
    return Finding(error.user_message, unanswered=unanswered) if error.error_class in _DOWN else Finding(silent=True)
