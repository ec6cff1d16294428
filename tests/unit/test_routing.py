"""Which model is asked, how often and after which wait, and who is asked instead."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability
from core.errors import ErrorClass, ProviderError
from core.providers.circuit import Circuits
from core.providers.events import Retrying
from core.providers.routing import (
    Steps,
    Tried,
    capabilities_needed,
    fallbacks_of,
    replaceable,
    retryable,
    wait_s,
    walk,
)
from tests.support.moving_clock import MovingClock
from tests.support.turns import model

FINAL = {"bad_request", "authentication", "permission", "content_policy"}
AGAIN = {"connection", "rate_limit", "server", "truncated"}


def failed(error_class, **fields):
    return ProviderError(ErrorClass(error_class), f"It was {error_class}.", **fields)


class World:
    """What a walk meets: per model id, what its attempts bring (an error class, or anything else for an answer)."""

    def __init__(self, **scripts):
        self.clock = MovingClock()
        self.circuits = Circuits(clock=self.clock)
        self.scripts = {name: list(script) for name, script in scripts.items()}
        self.asked, self.waits, self.told, self.wanted_fallbacks = [], [], [], 0

    async def attempt(self, spec):
        self.asked.append(spec.id)
        script = self.scripts.get(spec.id, [])
        step = script.pop(0) if script else "ok"
        if isinstance(step, BaseException) and not isinstance(step, ProviderError):
            raise step
        if isinstance(step, Tried):
            return step
        return Tried(step if isinstance(step, ProviderError) else None if step == "ok" else failed(step))

    async def sleep(self, seconds):
        self.waits.append(seconds)

    async def walk(self, *chain):
        specs = [spec if not isinstance(spec, str) else model(spec, context_tokens=8000) for spec in chain]

        async def fallbacks():
            self.wanted_fallbacks += 1
            return specs[1:]

        steps = Steps(attempt=self.attempt, tell=self.told.append, sleep=self.sleep, chance=lambda: 0.0)
        return await walk(specs[0], fallbacks=fallbacks, circuits=self.circuits, steps=steps)


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_what_is_tried_again_and_what_goes_to_the_person(error_class):
    assert retryable(error_class) == (error_class in AGAIN)
    assert replaceable(error_class) == (error_class not in FINAL)


@given(st.integers(0, 100), st.one_of(st.none(), st.floats(allow_nan=True)), st.floats(0, 1))
def test_a_wait_is_never_negative_and_at_most_a_minute(retry, retry_after_s, chance):
    assert 0 <= wait_s(retry, retry_after_s=retry_after_s, chance=chance) <= 60


@given(st.integers(0, 100), st.floats(0, 1))
def test_waits_double_up_to_eight_seconds_with_three_quarters_of_jitter(retry, chance):
    base = min(0.5 * 2**retry, 8.0)

    assert wait_s(retry, retry_after_s=None, chance=chance) == base + 0.75 * chance
    assert wait_s(retry, retry_after_s=61, chance=chance) == base + 0.75 * chance


@given(st.integers(0, 100), st.floats(0, 60), st.floats(0, 1))
def test_up_to_a_minute_the_providers_own_wait_counts(retry, retry_after_s, chance):
    assert wait_s(retry, retry_after_s=retry_after_s, chance=chance) == retry_after_s


async def test_an_answer_at_once_asks_for_nothing_else():
    world = World()

    walked = await world.walk("a", "b")

    assert (walked.answered, list(walked.failures)) == (True, [])
    assert (world.asked, world.waits, world.told, world.wanted_fallbacks) == (["a"], [], [], 0)


async def test_a_model_gets_two_more_tries_then_the_next_one_is_asked():
    world = World(a=["server"] * 3, b=["server", "ok"])

    walked = await world.walk("a", "b", "c")

    assert walked.answered
    assert world.asked == ["a", "a", "a", "b", "b"]
    assert world.waits == [0.5, 1.0, 0.5]
    assert [(told.model_label, told.wait_s, told.instead) for told in world.told] == [
        ("A", 0.5, False),
        ("A", 1.0, False),
        ("B", 0.0, True),
        ("B", 0.5, False),
    ]
    assert world.told[2] == Retrying("B", "It was server", instead=True)


async def test_a_429_waits_as_long_as_the_provider_says():
    world = World(a=[failed("rate_limit", retry_after_s=7.0), "ok"])

    assert (await world.walk("a", "b")).answered
    assert (world.asked, world.waits) == (["a", "a"], [7.0])


@pytest.mark.parametrize("error_class", sorted(FINAL))
def test_the_callers_own_mistakes_are_tried_once(error_class):
    world = World(a=[error_class])

    walked = asyncio.run(world.walk("a", "b"))

    assert not walked.answered
    assert world.asked == ["a"]
    assert walked.failures[-1].error.error_class == error_class


@pytest.mark.parametrize("error_class", ["stall", "not_found", "internal", "starting"])
async def test_some_failures_lead_to_the_next_model_without_another_try(error_class):
    world = World(a=[error_class])

    assert (await world.walk("a", "b")).answered
    assert (world.asked, world.waits) == (["a", "b"], [])


async def test_nothing_follows_the_first_visible_token():
    world = World(a=[Tried(failed("server"), visible=True)])

    walked = await world.walk("a", "b")

    assert (walked.answered, world.asked, world.told) == (False, ["a"], [])


async def test_a_conversation_that_is_too_long_goes_to_larger_windows_only():
    world = World(a=["context_length"])
    chain = ("same", 8000), ("unknown", None), ("small", 4000), ("large", 16_000)

    walked = await world.walk("a", *(model(name, context_tokens=tokens) for name, tokens in chain))

    assert walked.answered
    assert world.asked == ["a", "large"]


async def test_an_open_circuit_is_passed_over_and_asked_last():
    world = World(b=["server"] * 3)
    world.circuits.fail("a", ErrorClass.RATE_LIMIT)

    walked = await world.walk("a", "b")

    assert walked.answered
    assert world.asked == ["b", "b", "b", "a"]
    assert world.told[0] == Retrying("B", "A failed a moment ago", instead=True)


async def test_when_every_circuit_is_open_everything_is_tried_anyway():
    world = World(a=["stall"], b=["ok"])
    for name in ("a", "b"):
        world.circuits.fail(name, ErrorClass.RATE_LIMIT)

    assert (await world.walk("a", "b")).answered
    assert world.asked == ["a", "b"]


async def test_a_model_alone_is_asked_although_its_circuit_is_open():
    world = World()
    world.circuits.fail("a", ErrorClass.RATE_LIMIT)

    assert (await world.walk("a")).answered
    assert (world.asked, world.told) == (["a"], [])


async def test_what_happens_is_reported_to_the_circuits():
    world = World(a=[failed("rate_limit", retry_after_s=90.0)] * 3)

    await world.walk("a", "b")

    assert world.circuits.state("a").reason == "429"
    assert world.circuits.state("b").open_until is None


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncio.CancelledError()])
async def test_what_an_attempt_raises_ends_the_walk_and_frees_the_trial(error):
    world = World(a=[error])
    world.circuits.fail("a", ErrorClass.RATE_LIMIT)
    world.clock.advance(seconds=31)

    with pytest.raises(type(error)):
        await world.walk("a", "b")

    assert world.asked == ["a"]
    assert world.circuits.enter("a")


async def test_an_answer_that_was_kept_frees_the_trial_and_proves_nothing():
    world = World(a=[Tried(asked=False), "server"])
    world.circuits.fail("a", ErrorClass.RATE_LIMIT, retry_after_s=30)
    world.clock.advance(seconds=31)

    assert (await world.walk("a")).answered

    # Still half-open: one call may try it, and no second one beside it.
    assert world.circuits.enter("a")
    assert not world.circuits.enter("a")


async def test_all_failures_are_told_in_order():
    world = World(a=["stall"], b=["not_found"], c=["server"] * 3)

    walked = await world.walk("a", "b", "c")

    assert [failure.model.id for failure in walked.failures] == ["a", "b", "c", "c", "c"]
    assert not walked.answered


def test_fallbacks_are_those_that_exist_and_are_accepted_at_most_three():
    known = {name: model(name) for name in "abcdefg"}
    chosen = model("a", fallbacks=("gone", "a", "b", "b", "c", "d", "e", "f"))

    found = fallbacks_of(chosen, find=known.get, accepts=lambda spec: spec.id != "c")

    assert [spec.id for spec in found] == ["b", "d", "e"]


def test_parameters_ask_for_capabilities():
    assert capabilities_needed({"temperature": 1.0}) == frozenset()
    assert capabilities_needed({"tools": "[]", "reasoning_effort": "low"}) == {Capability.TOOLS, Capability.REASONING}
