"""Which model is asked, how often, and who is asked instead: pure decisions, and the walk that follows them.

The figures are the field's: two retries within a model, then at most three other models; nothing after the first
visible token, and nothing for what another try cannot cure.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from core.catalog.models import Capability, ModelSpec, ParameterValue
from core.errors import ErrorClass, ProviderError
from core.providers.circuit import Circuits
from core.providers.events import Retrying

RETRIES = 2
MOST_FALLBACKS = 3
_LONGEST_RETRY_AFTER_S = 60.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_JITTER_S = 0.75

# The caller's own: they go to the person, whoever else might answer.
_FINAL = frozenset(
    {ErrorClass.BAD_REQUEST, ErrorClass.AUTHENTICATION, ErrorClass.PERMISSION, ErrorClass.CONTENT_POLICY}
)
# Not cured by asking the same model again: it does not exist, cannot read that much, has a mistake of ours in the way,
# or a person has already waited for it as long as the stall limit or a start takes.
_ONCE = frozenset(
    {
        ErrorClass.NOT_FOUND,
        ErrorClass.CONTEXT_LENGTH,
        ErrorClass.INTERNAL,
        ErrorClass.STALL,
        ErrorClass.STARTING,
    }
)

_CAPABILITY_OF = {
    "tools": Capability.TOOLS,
    "response_format": Capability.JSON,
    "reasoning_effort": Capability.REASONING,
    "thinking": Capability.REASONING,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: what went wrong, if anything, and whether something visible had arrived before.

    `asked` is False when an answer was kept, which says nothing about how the model is doing.
    """

    error: ProviderError | None = None
    visible: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed, and the model it asked."""

    model: ModelSpec
    error: ProviderError


@dataclass(frozen=True, slots=True)
class Walked:
    """The end of a walk: the failures in order, and whether the last attempt answered after them."""

    failures: Sequence[Failure]
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a walk does with the world.

    `attempt` calls a model once. `tell` hears before every attempt but the first what the wait is for. `sleep` takes
    seconds, `chance` gives the jitter in [0, 1].
    """

    attempt: Callable[[ModelSpec], Awaitable[Tried]]
    tell: Callable[[Retrying], None]
    sleep: Callable[[float], Awaitable[object]]
    chance: Callable[[], float]


def retryable(error_class: ErrorClass) -> bool:
    """Whether the same model is asked again."""
    return error_class not in _FINAL | _ONCE


def replaceable(error_class: ErrorClass) -> bool:
    """Whether another model is asked."""
    return error_class not in _FINAL


def wait_s(retry: int, *, retry_after_s: float | None, chance: float) -> float:
    """Seconds to wait before retry number `retry` (from 0); `chance` is in [0, 1].

    What the provider asks for when it is at most a minute; else 0.5 * 2^retry, at most 8, and up to 0.75 of jitter.
    """
    if retry_after_s is not None and 0 <= retry_after_s <= _LONGEST_RETRY_AFTER_S:
        return retry_after_s
    return min(_FIRST_WAIT_S * 2.0**retry, _LONGEST_WAIT_S) + _JITTER_S * chance


def capabilities_needed(parameters: Mapping[str, ParameterValue]) -> frozenset[Capability]:
    """What the parameters of a request ask of whoever answers it."""
    return frozenset(capability for name, capability in _CAPABILITY_OF.items() if name in parameters)


def fallbacks_of(
    chosen: ModelSpec, *, find: Callable[[str], ModelSpec | None], accepts: Callable[[ModelSpec], bool]
) -> list[ModelSpec]:
    """The models that may answer instead of `chosen`: those of its registry entry that exist and are accepted."""
    named = dict.fromkeys(model_id for model_id in chosen.fallbacks if model_id != chosen.id)
    found = (model for model_id in named if (model := find(model_id)) is not None and accepts(model))
    return [model for model, _ in zip(found, range(MOST_FALLBACKS), strict=False)]


def larger(model: ModelSpec, *, than: ModelSpec) -> bool:
    """Whether a model is known to read more than another one."""
    return (model.context_tokens or 0) > (than.context_tokens or 0) > 0


async def walk(
    chosen: ModelSpec,
    *,
    fallbacks: Callable[[], Awaitable[Sequence[ModelSpec]]],
    circuits: Circuits,
    steps: Steps,
) -> Walked:
    """Ask `chosen`, again where that helps, then its fallbacks, until one answers or the person must be told.

    A model whose circuit is open is passed over while another one is left, and asked all the same when none is.
    `fallbacks` is awaited only when it is needed. What an attempt raises ends the walk.
    """
    failures: list[Failure] = []
    async with aclosing(_candidates(chosen, fallbacks=fallbacks, circuits=circuits, failures=failures)) as candidates:
        async for model in candidates:
            if failures or model is not chosen:
                steps.tell(Retrying(model.label, _why(failures, chosen), instead=True))
            last = await _ask(model, circuits=circuits, steps=steps, failures=failures)
            if last.error is None:
                return Walked(failures, answered=True)
            if last.visible or not replaceable(last.error.error_class):
                break
    return Walked(failures, answered=False)


async def _candidates(
    chosen: ModelSpec,
    *,
    fallbacks: Callable[[], Awaitable[Sequence[ModelSpec]]],
    circuits: Circuits,
    failures: Sequence[Failure],
) -> AsyncGenerator[ModelSpec, None]:
    """The models to ask, in order; `failures` grows while they are asked."""
    passed_over = []
    if circuits.enter(chosen.id):
        yield chosen
    else:
        passed_over.append(chosen)
    for model in await fallbacks():
        if not _reads_enough(model, failures):
            continue
        if circuits.enter(model.id):
            yield model
        else:
            passed_over.append(model)
    for model in passed_over:
        if _reads_enough(model, failures):
            yield model


async def _ask(model: ModelSpec, *, circuits: Circuits, steps: Steps, failures: list[Failure]) -> Tried:
    """Call one model, with its retries."""
    for retry in range(RETRIES + 1):
        tried = await _report(model, circuits=circuits, attempt=steps.attempt)
        if tried.error is None:
            return tried
        failures.append(Failure(model, tried.error))
        if retry == RETRIES or tried.visible or not retryable(tried.error.error_class):
            return tried
        seconds = wait_s(retry, retry_after_s=tried.error.retry_after_s, chance=steps.chance())
        steps.tell(Retrying(model.label, _what(tried.error), wait_s=seconds))
        await steps.sleep(seconds)
    raise AssertionError("unreachable")


async def _report(model: ModelSpec, *, circuits: Circuits, attempt: Callable[[ModelSpec], Awaitable[Tried]]) -> Tried:
    """Call a model once and tell its circuit how it went."""
    try:
        tried = await attempt(model)
    except BaseException:
        circuits.leave(model.id)
        raise
    if not tried.asked:
        circuits.leave(model.id)
    elif tried.error is None:
        circuits.succeed(model.id)
    else:
        circuits.fail(model.id, tried.error.error_class, retry_after_s=tried.error.retry_after_s)
    return tried


def _reads_enough(model: ModelSpec, failures: Sequence[Failure]) -> bool:
    too_small = [failed.model for failed in failures if failed.error.error_class is ErrorClass.CONTEXT_LENGTH]
    return all(larger(model, than=small) for small in too_small)


def _why(failures: Sequence[Failure], chosen: ModelSpec) -> str:
    return _what(failures[-1].error) if failures else f"{chosen.label} failed a moment ago"


def _what(error: ProviderError) -> str:
    return error.user_message.rstrip(".")
