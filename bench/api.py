"""`python -m bench.api`: the HTTP API beside a LiteLLM proxy, both on the same provider on loopback, in one run.

Clients ask for streamed answers of 150 tokens at 50 a second, all at once; each asks twice. Measured per number of
clients: the time to the first text beyond what the provider itself takes when it is asked directly, tokens a second
over all, processor time of the server and its children per 1,000 tokens, and its resident memory. Provider and clients
are processes of their own. Targets, at 20 clients: twice the proxy's tokens per processor second, and a third of its
p95 of added time to the first token.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench import processes, provider, proxy_environment
from bench.apps import Switchboard
from bench.stats import median, percentile
from tests.support.litellm_proxy import MASTER_KEY, LiteLLMProxy, Served

CLIENTS = (1, 20, 100)
JUDGED_AT = 20
TWICE, THIRD = 2.0, 1 / 3
_TOKENS, _RATE, _FIRST_MS = 150, 50, 200
_EACH = 2
_MODEL = provider.model_name(_TOKENS, rate=_RATE, first_ms=_FIRST_MS)
_QUIET_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """Something to ask. `pid` None: its cost is not measured."""

    name: str
    api_base: str
    key: str
    pid: int | None = None


@dataclass(slots=True)
class Seen:
    """What some rounds of one target brought. `waits_ms`: from asking to the first text. `broken`: answers."""

    waits_ms: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    cpu_s_per_1000: list[float] = field(default_factory=list)
    resident_mb: float = 0.0
    broken: int = 0


def main() -> int:
    """Measure and print; 1 when a target is missed, 0 also where there is no proxy to compare with."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of every number of clients")
    parser.add_argument("--clients", type=int, action="append", help="may be repeated; 1, 20 and 100 by default")
    parser.add_argument("--ours-only", action="store_true", help="without the proxy")
    options = parser.parse_args()
    missing = None if options.ours_only else proxy_environment.make()
    if missing:
        print(f"No LiteLLM proxy to compare with. {missing}")
    with tempfile.TemporaryDirectory(prefix="bench-api-") as folder, ExitStack() as stack:
        upstream = stack.enter_context(provider.running(Path(folder)))
        targets = [Target("provider", upstream.api_base, "none")]
        targets.append(stack.enter_context(ours(Path(folder), upstream, models=[_MODEL])))
        if not (missing or options.ours_only):
            targets.append(stack.enter_context(_proxy(Path(folder), upstream)))
        return _measure(targets, clients=options.clients or CLIENTS, rounds=options.rounds)


@contextmanager
def ours(folder: Path, upstream: provider.Provider, *, models: Sequence[str]) -> Iterator[Target]:
    """Switchboard with these models of the provider, within the block."""
    app = Switchboard(folder / "ours", upstream)
    app.prepare(models=models)
    key = app.make_token()
    app.start()
    try:
        processes.wait_until_healthy(app.server)
        yield Target("ours", f"http://127.0.0.1:{app.server.port}/v1", key, app.server.process.pid)
    finally:
        app.stop()


@contextmanager
def _proxy(folder: Path, upstream: provider.Provider) -> Iterator[Target]:
    prices = {"input_cost_per_token": 0.25e-6, "output_cost_per_token": 2e-6}
    models = [Served(name=_MODEL, upstream=_MODEL, prices=prices)]
    with LiteLLMProxy(folder / "proxy", api_base=upstream.api_base, models=models) as proxy:
        yield Target("proxy", proxy.api_base, MASTER_KEY, proxy.pid)


def _measure(targets: Sequence[Target], *, clients: Sequence[int], rounds: int) -> int:
    for target in targets:
        for count in (1, JUDGED_AT):  # warmed up
            _round(target, count, Seen())
    held = True
    for count in clients:
        seen = {target.name: Seen() for target in targets}
        for _ in range(rounds):
            for target in targets:
                processes.wait_until_quiet(timeout_s=_QUIET_WITHIN_S)
                _round(target, count, seen[target.name])
        held = _print(count, seen) and held
    return 0 if held else 1


def _round(target: Target, clients: int, seen: Seen) -> None:
    answers, used = ask(target, _MODEL, _TOKENS, clients=clients, each=_EACH)
    whole = [answer for answer in answers if answer["whole"]]
    seen.broken += len(answers) - len(whole)
    if not whole:
        return
    seconds = max(answer["last_s"] for answer in whole) - min(answer["asked_s"] for answer in whole)
    seen.waits_ms += [(answer["first_s"] - answer["asked_s"]) * 1000 for answer in whole]
    seen.speeds.append(len(whole) * _TOKENS / seconds)
    seen.cpu_s_per_1000.append(used / (len(whole) * _TOKENS) * 1000)
    seen.resident_mb = 0.0 if target.pid is None else processes.resident_mb(target.pid)


def ask(target: Target, model: str, tokens: int, *, clients: int, each: int) -> tuple[list[dict[str, Any]], float]:
    """Answers of so many tokens to clients that ask at once, as `api_clients` tells them; processor seconds used."""
    command = [sys.executable, "-m", "bench.api_clients", "--api-base", target.api_base, "--key", target.key]
    command += ["--model", model, "--tokens", str(tokens), "--clients", str(clients), "--each", str(each)]
    before = cpu_s(target.pid)
    done = subprocess.run(command, cwd=processes.ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), cpu_s(target.pid) - before


def cpu_s(pid: int | None) -> float:
    """Processor seconds of a process, its children and those that have ended."""
    if pid is None:
        return 0.0
    parent = psutil.Process(pid)
    return float(sum(sum(process.cpu_times()[:4]) for process in [parent, *parent.children(recursive=True)]))


def _print(clients: int, seen: dict[str, Seen]) -> bool:
    direct_ms = median(seen["provider"].waits_ms)
    for name, found in seen.items():
        if not found.waits_ms:
            print(f"{clients:>4} clients  {name:<9} no answer was whole")
            return False
        added = [wait - direct_ms for wait in found.waits_ms]
        line = f"{clients:>4} clients  {name:<9} added to the first token p50 {median(added):7.1f} ms, "
        line += f"p95 {percentile(added, 0.95):7.1f} ms; {median(found.speeds):7.0f} tokens/s"
        if name != "provider":
            line += f"; {median(found.cpu_s_per_1000):.3f} s of processor per 1,000 tokens; {found.resident_mb:.0f} MB"
        print(line + (f"; {found.broken} answers were not whole" if found.broken else ""), flush=True)
    if "proxy" not in seen or clients != JUDGED_AT:
        return not any(found.broken for name, found in seen.items() if name == "ours")
    return _judge(seen["ours"], seen["proxy"], direct_ms)


def _judge(ours: Seen, proxy: Seen, direct_ms: float) -> bool:
    cheaper = median(proxy.cpu_s_per_1000) / median(ours.cpu_s_per_1000)
    mine, theirs = (percentile(seen.waits_ms, 0.95) - direct_ms for seen in (ours, proxy))
    sooner = mine / theirs
    told = {True: "held", False: "missed"}
    cheap, soon = cheaper >= TWICE, sooner <= THIRD
    print(f"     {cheaper:.2f} times the proxy's tokens per processor second (at least {TWICE:g}: {told[cheap]})")
    print(f"     {sooner:.2f} of its p95 added to the first token (at most {THIRD:.2f}: {told[soon]})")
    return cheap and soon and not ours.broken


if __name__ == "__main__":
    sys.exit(main())
