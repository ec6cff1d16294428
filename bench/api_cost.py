"""`python -m bench.api_cost`: what a call of the HTTP API takes of the server's processor beside its stream.

Streamed answers of 5 tokens and of 150, at 1 client and at 20 at once: from the two follow milliseconds of processor
for the beginning and the end of a call, and for a token. What the server takes while nobody asks is taken off. For
comparisons on one machine, before and after a change; there is no target.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import processes, provider
from bench.api import Target, ask, cpu_s, ours
from bench.stats import median, percentile

_SHORT, _LONG = 5, 150
_MODELS = {tokens: provider.model_name(tokens, rate=50, first_ms=200) for tokens in (_SHORT, _LONG)}
_CLIENTS = (1, 20)
_CALLS = 20
_IDLE_S = 5.0


def main() -> int:
    """Measure and print; 0 when every answer was whole."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of every number of clients")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-api-") as folder,
        provider.running(Path(folder)) as upstream,
        ours(Path(folder), upstream, models=list(_MODELS.values())) as target,
    ):
        for clients in _CLIENTS:  # warmed up
            ask(target, _MODELS[_SHORT], _SHORT, clients=clients, each=1)
        idle = _idle_share(target)
        print(f"idle: {idle * 1000:.1f} ms of processor a second")
        whole = [_measure(target, clients, rounds=options.rounds, idle=idle) for clients in _CLIENTS]
        return 0 if all(whole) else 1


def _idle_share(target: Target) -> float:
    processes.wait_until_quiet(timeout_s=_IDLE_S)
    before = cpu_s(target.pid)
    time.sleep(_IDLE_S)
    return (cpu_s(target.pid) - before) / _IDLE_S


def _measure(target: Target, clients: int, *, rounds: int, idle: float) -> bool:
    ms: dict[int, list[float]] = {_SHORT: [], _LONG: []}
    waits_ms: list[float] = []
    whole = True
    for _ in range(rounds):
        for tokens, found in ms.items():
            began = time.monotonic()
            # Few long answers one after the other: they take three seconds each.
            each = max(1, (_CALLS if tokens == _SHORT else _CALLS // 5) // clients)
            answers, used = ask(target, _MODELS[tokens], tokens, clients=clients, each=each)
            found.append((used - idle * (time.monotonic() - began)) / len(answers) * 1000)
            waits_ms += [(answer["first_s"] - answer["asked_s"]) * 1000 for answer in answers]
            whole = whole and all(answer["whole"] for answer in answers)
    print(_told(clients, ms, waits_ms), flush=True)
    return whole


def _told(clients: int, ms: dict[int, list[float]], waits_ms: Sequence[float]) -> str:
    short, long = median(ms[_SHORT]), median(ms[_LONG])
    token = (long - short) / (_LONG - _SHORT)
    cost = f"{short - _SHORT * token:5.1f} ms of processor a call and {token * 1000:4.0f} us a token"
    first = f"p50 {median(waits_ms):.0f} ms, p95 {percentile(waits_ms, 0.95):.0f} ms (200 are the provider's)"
    return f"{clients:>4} clients: {cost}; first token {first}"


if __name__ == "__main__":
    sys.exit(main())
