"""What routing adds to a call: `.venv/bin/python -m bench.routing`. No server and no network; a few seconds.

Every case walks with attempts that end at once, so that all the time is ours. Ends with code 1 when the median of a
call that is answered at once, the usual one, is above the target.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial

from bench.stats import median, percentile
from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError
from core.providers.circuit import Circuits
from core.providers.routing import Steps, Tried, fallbacks_of, walk

ROUNDS = 3000
TARGET_US = 1000.0
MODELS = 500
HOME = ProviderSpec(id="bench", kind="openai")
# Not tried again, so that every failure is a step to the next model.
GONE = ProviderError(ErrorClass.NOT_FOUND, "Gone.")


def model(number: int) -> ModelSpec:
    fallbacks = tuple(f"m{(number + step) % MODELS}" for step in (1, 2, 3))
    name = f"m{number}"
    return ModelSpec(id=name, label=name, provider=HOME, upstream=name, context_tokens=128_000, fallbacks=fallbacks)


async def no_wait(_seconds: float) -> None:
    """Waits are the provider's, not ours."""


async def call(registry: dict[str, ModelSpec], circuits: Circuits, *, failing: frozenset[str]) -> None:
    chosen = registry["m0"]

    async def attempt(spec: ModelSpec) -> Tried:
        return Tried(GONE if spec.id in failing else None)

    async def fallbacks() -> Sequence[ModelSpec]:
        return fallbacks_of(chosen, find=registry.get, accepts=lambda _spec: True)

    steps = Steps(attempt=attempt, tell=lambda _event: None, sleep=no_wait, chance=lambda: 0.0)
    await walk(chosen, fallbacks=fallbacks, circuits=circuits, steps=steps)


async def measure(failing: frozenset[str]) -> list[float]:
    """Microseconds per call, in a process that has called every model some times before."""
    registry = {f"m{number}": model(number) for number in range(MODELS)}
    circuits = Circuits()
    for name in registry:
        for _ in range(100):
            circuits.succeed(name)
    once = partial(call, registry, circuits, failing=failing)
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        await once()
        found.append((time.perf_counter_ns() - began) / 1000)
    return found


def main() -> None:
    cases = {
        "answered at once": frozenset[str](),
        "answered by the third fallback": frozenset({"m0", "m1", "m2"}),
    }
    results = {name: asyncio.run(measure(failing)) for name, failing in cases.items()}
    for name, times in results.items():
        print(f"{name:<32} median {median(times):7.1f} us   p95 {percentile(times, 0.95):7.1f} us")
    sys.exit(median(results["answered at once"]) > TARGET_US)


if __name__ == "__main__":
    main()
