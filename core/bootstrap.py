"""The composition root: builds the services of a process, on core.foundation and core.calling."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from core.arena.boards import Boards
from core.arena.evidence import KeptEvidence, measure_evidence_regularly
from core.arena.set_runner import SetRunner
from core.calling import Calling, build_calling
from core.catalog.passive_health import PassiveHealth, keep_history
from core.catalog.probes import Prober
from core.chat.attachment_care import sweep_regularly
from core.chat.completion_probe import CompletionProbe
from core.chat.import_job import ImportJobs
from core.chat.purge import purge_regularly
from core.chat.search import index_regularly
from core.chat.takeover import watch_regularly
from core.costs.budgets import recount_regularly
from core.costs.call_metrics import watch_lag
from core.costs.output_lengths import measure_regularly
from core.demo.fill import demo_present
from core.foundation import Foundation, open_foundation
from core.services import Services
from core.settings import Settings, load_settings
from core.sharing import Kept, start_sharing
from core.store.ledger_copy import LedgerCopy, refresh_regularly

__all__ = ["Services", "build_services", "close_services", "open_services"]


def build_services(settings: Settings) -> Services:
    """Build everything from settings. Raises SwitchboardError when something cannot be opened."""
    base = open_foundation(settings)
    calling = build_calling(base)
    services = _gather(base, calling)
    for work in _regular_work(base, calling, services):
        calling.engine.run_aside(work)
    services.set_runner.resume_all()
    return services


def _gather(base: Foundation, calling: Calling) -> Services:
    database, engine = base.database, calling.engine
    health = PassiveHealth(database, cooling=calling.cooling, run_aside=engine.run_aside)
    evidence = KeptEvidence(database, Boards(database))
    return Services(
        settings=base.settings,
        database=database,
        ledger=LedgerCopy(database, base.settings.data_dir / "ledger-copy.duckdb"),
        registry=base.registry,
        prices=base.book,
        sign_in=base.sign_in,
        groups=base.groups,
        engine=engine,
        imports=ImportJobs(database, base.files),
        health=health,
        prober=_build_prober(base, calling, health),
        limits=calling.limits,
        budgets=base.budgets,
        refusals=calling.refusals,
        lengths=calling.lengths,
        summaries=calling.summariser(base),
        keys=base.keys,
        local_model=calling.local_model,
        files=base.files,
        demo=demo_present(database),
        set_runner=SetRunner(database, engine, members=base.sharing.members),
        boards=evidence.boards,
        evidence=evidence,
        sharing=base.sharing,
        metrics=calling.metrics,
    )


def _build_prober(base: Foundation, calling: Calling, health: PassiveHealth) -> Prober:
    complete = CompletionProbe(
        base.database,
        gateway=calling.gateway,
        make_ready=calling.gateway.make_ready,
        circuits=calling.engine.circuit,
        limits=calling.engine.limits,
        price_at=base.book.price_at,
    )
    return Prober(
        base.database,
        keys=base.keys,
        run_aside=calling.engine.run_aside,
        complete=complete if base.settings.probes == "on" else None,
        done=health.probed,
        enabled=base.settings.probes != "off",
        journal=base.journal,
    )


def _regular_work(
    base: Foundation, calling: Calling, services: Services
) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    """What goes on beside the turns, on the engine's loop."""
    database, files, turn = base.database, base.files, base.sharing.turn
    watch = start_sharing(base.sharing, calling.elsewhere, _kept(base, services), database=database, files=files)
    return [
        calling.engine.save_regularly,
        partial(keep_history, services.health, turn=turn),
        partial(index_regularly, database, turn=turn),
        partial(sweep_regularly, database, files, turn=turn),
        partial(purge_regularly, database, files, turn=turn),
        partial(recount_regularly, base.budgets.recount_if_changed, base.tokens.recount_if_changed),
        partial(watch_lag, partial(calling.metrics.late, "engine")),
        partial(measure_regularly, calling.lengths),
        partial(refresh_regularly, services.ledger),
        partial(measure_evidence_regularly, services.evidence),
        *([] if watch is None else [partial(watch_regularly, watch)]),
    ]


def _kept(base: Foundation, services: Services) -> Kept:
    return Kept(
        budgets=base.budgets,
        tokens=base.tokens,
        registry=base.registry,
        prices=base.book,
        groups=base.groups,
        engine=services.engine,
        set_runner=services.set_runner,
    )


# One per process: a page cache that somebody clears must not lead to a second engine on the same store.
_lock = threading.Lock()
_opened: list[Services] = []


def open_services(settings: Settings | None = None) -> Services:
    """The services of this process, built on the first call, by default from the environment."""
    with _lock:
        if not _opened:
            _opened.append(build_services(load_settings() if settings is None else settings))
        return _opened[0]


def close_services() -> None:
    """Close the services of this process, if any were opened. The next `open_services` builds new ones."""
    with _lock:
        while _opened:
            _opened.pop().close()
