"""What calls models: the gateway, the engine, and what they hear, count and allow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from core.accounts.users import load_user
from core.catalog.access import offered
from core.catalog.health import Cooling
from core.catalog.models import ModelSpec
from core.catalog.rate_limits import HeardLimits
from core.chat.allowance import Allowance
from core.chat.elsewhere import Elsewhere
from core.chat.summariser import Summariser
from core.chat.titles import Titler
from core.chat.turns import EngineSetup, TurnEngine
from core.costs.call_metrics import CallMetrics
from core.costs.output_lengths import KeptLengths
from core.costs.refusals import RefusalLog
from core.foundation import Foundation
from core.providers.circuit import Circuits
from core.providers.endpoints import resolve_endpoint
from core.providers.gateways import Gateways, build_gateways
from core.providers.local_model import LocalModel
from core.readiness import lacks_key, person_of, refuse_unready
from core.sharing import turns_elsewhere
from core.tools.toolbox import load_tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """The engine and what stands around it."""

    local_model: LocalModel | None
    gateway: Gateways
    limits: HeardLimits
    lengths: KeptLengths
    refusals: RefusalLog
    metrics: CallMetrics
    elsewhere: Elsewhere
    engine: TurnEngine

    def cooling(self, model_id: str) -> Cooling | None:
        """Until when and why a model is left alone; None for one that is not."""
        circuit = self.engine.circuit.state(model_id)
        return None if circuit.open_until is None else Cooling(circuit.open_until, circuit.reason)

    def summariser(self, base: Foundation) -> Summariser:
        """What shortens long conversations, on the engine's loop."""
        return Summariser(
            base.database,
            gateway=self.gateway,
            run_aside=self.engine.run_aside,
            files=base.files,
            limits=self.engine.limits,
            price_at=base.book.price_at,
        )


def build_calling(base: Foundation) -> Calling:
    """Start the local model, where it is wanted, and the engine."""
    local_model = _start_local_model(base)
    limits, metrics = HeardLimits(journal=base.journal), CallMetrics()
    lengths, refusals = KeptLengths(base.database), RefusalLog(base.database)
    gateway = _build_gateway(base, local_model, limits)
    circuits = Circuits(journal=base.journal)

    def stop_here(turn_id: str) -> None:
        engine.stop_by_id(turn_id)

    elsewhere = turns_elsewhere(base.sharing, base.database, find_model=base.registry.find, stop_here=stop_here)
    allowance = Allowance(
        base.budgets,
        candidates=partial(_askable, base, circuits),
        lengths=lengths.current,
        refusals=refusals,
        price_at=base.book.price_at,
        hear=metrics.count,
        tokens=base.tokens,
    )
    engine = _build_engine(base, gateway=gateway, allowance=allowance, circuits=circuits, elsewhere=elsewhere)
    return Calling(
        local_model=local_model,
        gateway=gateway,
        limits=limits,
        lengths=lengths,
        refusals=refusals,
        metrics=metrics,
        elsewhere=elsewhere,
        engine=engine,
    )


def _start_local_model(base: Foundation) -> LocalModel | None:
    if base.settings.local_model == "off":
        return None
    local_model = LocalModel(data_dir=base.settings.data_dir)
    local_model.start()
    return local_model


def _build_gateway(base: Foundation, local_model: LocalModel | None, limits: HeardLimits) -> Gateways:
    local = None if local_model is None else local_model.endpoint
    resolve = partial(resolve_endpoint, keys=base.keys, local=local)
    return build_gateways(resolve=resolve, read_file=base.files.read, hear_headers=limits.hear)


def _askable(base: Foundation, circuits: Circuits, user_id: str) -> dict[str, ModelSpec]:
    """The models that a person may use and that can be asked now."""
    models = offered(base.registry.current().models, person_of(load_user(base.database, user_id), base.groups))
    return {
        name: model
        for name, model in models.items()
        if not lacks_key(model, base.keys) and circuits.state(name).open_until is None
    }


def _build_engine(
    base: Foundation, *, gateway: Gateways, allowance: Allowance, circuits: Circuits, elsewhere: Elsewhere
) -> TurnEngine:
    titler = Titler(
        base.database,
        gateway=gateway,
        candidates=partial(_askable, base, circuits),
        limits=allowance,
        price_at=base.book.price_at,
    )
    setup = EngineSetup(
        database=base.database,
        gateway=gateway,
        find_model=base.registry.find,
        refuse=partial(refuse_unready, database=base.database, groups=base.groups, keys=base.keys),
        stall_s=base.settings.stall_s,
        on_close=gateway.aclose,
        files=base.files,
        price_at=base.book.price_at,
        tools=load_tools(),
        after_answer=titler.title if base.settings.titles == "on" else None,
        limits=allowance,
        circuits=circuits,
        elsewhere=elsewhere,
    )
    return TurnEngine(setup)
