"""The composition root: what builds real dependencies, on core.foundation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from core.accounts.users import load_user
from core.arena.boards import Boards
from core.arena.evidence import KeptEvidence, measure_evidence_regularly
from core.arena.set_runner import SetRunner
from core.catalog.access import offered
from core.catalog.health import Cooling
from core.catalog.models import ModelSpec
from core.catalog.passive_health import PassiveHealth, keep_history
from core.catalog.probes import Prober
from core.catalog.rate_limits import HeardLimits
from core.chat.allowance import Allowance
from core.chat.attachment_care import sweep_regularly
from core.chat.completion_probe import CompletionProbe
from core.chat.elsewhere import Elsewhere
from core.chat.import_job import ImportJobs
from core.chat.purge import purge_regularly
from core.chat.search import index_regularly
from core.chat.summariser import Summariser
from core.chat.takeover import watch_regularly
from core.chat.titles import Titler
from core.chat.turns import TurnEngine
from core.costs.budgets import recount_regularly
from core.costs.call_metrics import CallMetrics, watch_lag
from core.costs.output_lengths import KeptLengths, measure_regularly
from core.costs.refusals import RefusalLog
from core.demo.fill import demo_present
from core.foundation import Foundation, open_foundation
from core.providers.circuit import Circuits
from core.providers.endpoints import Keys, resolve_endpoint
from core.providers.gateways import Gateways, build_gateways
from core.providers.local_model import LocalModel
from core.readiness import lacks_key, person_of, refuse_unready
from core.services import Services
from core.settings import Settings, load_settings
from core.sharing import Kept, start_sharing, turns_elsewhere
from core.store.files import FileStore
from core.store.ledger_copy import LedgerCopy, refresh_regularly
from core.tools.toolbox import load_tools

__all__ = ["Services", "build_services", "close_services", "open_services"]


def build_services(settings: Settings) -> Services:
    """Build everything from settings. Raises SwitchboardError when something cannot be opened."""
    base = open_foundation(settings)
    database, files, keys, book = base.database, base.files, base.keys, base.book
    registry, sharing, journal = base.registry, base.sharing, base.journal
    local_model = _start_local_model(settings)
    limits, lengths, refusals = HeardLimits(journal=journal), KeptLengths(database), RefusalLog(database)
    gateway = _build_gateway(keys, local_model, files=files, limits=limits)
    metrics = CallMetrics()
    allowance = partial(
        Allowance,
        base.budgets,
        lengths=lengths.current,
        refusals=refusals,
        price_at=book.price_at,
        hear=metrics.count,
        tokens=base.tokens,
    )

    def stop_here(turn_id: str) -> None:
        engine.stop_by_id(turn_id)

    elsewhere = turns_elsewhere(sharing, database, find_model=registry.find, stop_here=stop_here)
    circuits = Circuits(journal=journal)
    engine = _build_engine(base, gateway=gateway, allowance=allowance, circuits=circuits, elsewhere=elsewhere)
    health = PassiveHealth(database, cooling=partial(_cooling, engine), run_aside=engine.run_aside)
    ledger = LedgerCopy(database, settings.data_dir / "ledger-copy.duckdb")
    evidence = KeptEvidence(database, Boards(database))
    complete = CompletionProbe(
        database,
        gateway=gateway,
        make_ready=gateway.make_ready,
        circuits=engine.circuit,
        limits=engine.limits,
        price_at=book.price_at,
    )
    prober = Prober(
        database,
        keys=keys,
        run_aside=engine.run_aside,
        complete=complete if settings.probes == "on" else None,
        done=health.probed,
        enabled=settings.probes != "off",
        journal=journal,
    )
    set_runner = SetRunner(database, engine, members=sharing.members)
    kept = Kept(
        budgets=base.budgets,
        tokens=base.tokens,
        registry=registry,
        prices=book,
        groups=base.groups,
        engine=engine,
        set_runner=set_runner,
    )
    watch = start_sharing(sharing, elsewhere, kept, database=database, files=files)
    regular_work: list[Callable[[], Coroutine[Any, Any, None]]] = [
        engine.save_regularly,
        partial(keep_history, health, turn=sharing.turn),
        partial(index_regularly, database, turn=sharing.turn),
        partial(sweep_regularly, database, files, turn=sharing.turn),
        partial(purge_regularly, database, files, turn=sharing.turn),
        partial(recount_regularly, base.budgets.recount_if_changed, base.tokens.recount_if_changed),
        partial(watch_lag, partial(metrics.late, "engine")),
        partial(measure_regularly, lengths),
        partial(refresh_regularly, ledger),
        partial(measure_evidence_regularly, evidence),
        *([] if watch is None else [partial(watch_regularly, watch)]),
    ]
    for work in regular_work:
        engine.run_aside(work)
    set_runner.resume_all()
    return Services(
        settings=settings,
        database=database,
        ledger=ledger,
        registry=registry,
        prices=book,
        sign_in=base.sign_in,
        groups=base.groups,
        engine=engine,
        imports=ImportJobs(database, files),
        health=health,
        prober=prober,
        limits=limits,
        budgets=base.budgets,
        refusals=refusals,
        lengths=lengths,
        summaries=Summariser(
            database,
            gateway=gateway,
            run_aside=engine.run_aside,
            files=files,
            limits=engine.limits,
            price_at=book.price_at,
        ),
        keys=keys,
        local_model=local_model,
        files=files,
        demo=demo_present(database),
        set_runner=set_runner,
        boards=evidence.boards,
        evidence=evidence,
        sharing=sharing,
        metrics=metrics,
    )


def _start_local_model(settings: Settings) -> LocalModel | None:
    if settings.local_model == "off":
        return None
    local_model = LocalModel(data_dir=settings.data_dir)
    local_model.start()
    return local_model


def _build_gateway(keys: Keys, local_model: LocalModel | None, *, files: FileStore, limits: HeardLimits) -> Gateways:
    local = None if local_model is None else local_model.endpoint
    resolve = partial(resolve_endpoint, keys=keys, local=local)
    return build_gateways(resolve=resolve, read_file=files.read, hear_headers=limits.hear)


def _build_engine(
    base: Foundation,
    *,
    gateway: Gateways,
    allowance: Callable[..., Allowance],
    circuits: Circuits,
    elsewhere: Elsewhere,
) -> TurnEngine:
    settings, database, registry, groups, keys = base.settings, base.database, base.registry, base.groups, base.keys

    def askable(user_id: str) -> dict[str, ModelSpec]:
        """The models that a person may use and that can be asked now."""
        models = offered(registry.current().models, person_of(load_user(database, user_id), groups))
        return {
            name: model
            for name, model in models.items()
            if not lacks_key(model, keys) and engine.circuit.state(name).open_until is None
        }

    limits = allowance(candidates=askable)
    titler = Titler(database, gateway=gateway, candidates=askable, limits=limits, price_at=base.book.price_at)
    engine = TurnEngine(
        database=database,
        gateway=gateway,
        find_model=registry.find,
        refuse=partial(refuse_unready, database=database, groups=groups, keys=keys),
        stall_s=settings.stall_s,
        on_close=gateway.aclose,
        files=base.files,
        price_at=base.book.price_at,
        tools=load_tools(),
        after_answer=titler.title if settings.titles == "on" else None,
        limits=limits,
        circuits=circuits,
        elsewhere=elsewhere,
    )
    return engine


def _cooling(engine: TurnEngine, model_id: str) -> Cooling | None:
    circuit = engine.circuit.state(model_id)
    return None if circuit.open_until is None else Cooling(circuit.open_until, circuit.reason)


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
