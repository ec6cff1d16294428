"""What a running Switchboard consists of. Only core.bootstrap makes one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from core.accounts.first_admin import SignIn
from core.accounts.groups import Groups
from core.accounts.users import User
from core.arena.asking import Arena
from core.arena.boards import Boards
from core.arena.evidence import KeptEvidence
from core.arena.foresight import Foresight
from core.arena.set_runner import SetRunner
from core.catalog.access import models_for_group, offered
from core.catalog.catalog import Catalog
from core.catalog.health import ModelStatus, headroom
from core.catalog.models import ModelSpec
from core.catalog.passive_health import PassiveHealth
from core.catalog.probes import Prober
from core.catalog.rate_limits import HeardLimits
from core.catalog.recommend import callable_now
from core.chat.import_job import ImportJobs
from core.chat.summariser import Summariser
from core.chat.turns import TurnEngine
from core.costs.budgets import Budgets
from core.costs.call_metrics import CallMetrics
from core.costs.output_lengths import KeptLengths
from core.costs.price_book import PriceBook
from core.costs.refusals import RefusalLog
from core.providers.circuit import Circuits
from core.providers.endpoints import Keys
from core.providers.local_model import LocalModel
from core.readiness import lacks_key, local_status, person_of
from core.settings import Settings
from core.sharing import Sharing
from core.store.database import Database
from core.store.files import FileStore
from core.store.ledger_copy import LedgerCopy


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a page, a route or a command may use. Built once per process."""

    settings: Settings
    database: Database
    ledger: LedgerCopy  # what reports read; what protects money reads the store itself
    registry: Catalog
    prices: PriceBook
    sign_in: SignIn
    groups: Groups
    engine: TurnEngine
    imports: ImportJobs
    health: PassiveHealth
    prober: Prober
    limits: HeardLimits
    budgets: Budgets
    refusals: RefusalLog
    lengths: KeptLengths
    summaries: Summariser
    keys: Keys
    local_model: LocalModel | None
    files: FileStore
    # Whether the store holds the made-up team: only a command puts it in or takes it out, while no server runs.
    demo: bool
    boards: Boards
    set_runner: SetRunner
    evidence: KeptEvidence
    sharing: Sharing
    metrics: CallMetrics

    @property
    def circuit(self) -> Circuits:
        """Which models are left alone for now, until when and why: `circuit.state(model_id)`."""
        return self.engine.circuit

    @property
    def arena(self) -> Arena:
        """Comparisons of models."""
        foresight = Foresight(budgets=self.budgets, lengths=self.lengths.current, refusals=self.refusals)
        return Arena(self.database, self.engine, find_model=self.registry.find, foresight=foresight)

    def model_status(self, model: ModelSpec) -> ModelStatus:
        """How a model is doing: can it be called at all, how did its calls go lately, what its limits leave."""
        if lacks_key(model, self.keys):
            return ModelStatus("no_key", f"no key: set {model.provider.key_variable}")
        passive = self.health.status(model.id)
        if self.local_model is not None and model.provider.kind == "local":
            return local_status(self.local_model, passive)
        left = headroom(passive.figures, model, reported=self.limits.headroom(model.id))
        return passive if left is None else replace(passive, headroom=left)

    def offered_models(self, user: User) -> dict[str, ModelSpec]:
        """The models this person may choose, in the registry's order."""
        return offered(self.registry.current().models, person_of(user, self.groups))

    def askable_models(self, user: User) -> dict[str, ModelSpec]:
        """Those of them that can be asked now."""
        models = self.offered_models(user)
        return {name: model for name, model in models.items() if callable_now(self.model_status(model))}

    def rename_group(self, group_id: str, name: str, *, actor_id: str | None) -> None:
        """Give a group another name. What administrators set for models follows it; the registry file does not.

        Raises AccountError for a bad or taken name, NotFound.
        """
        follow = partial(self.registry.rename_group, actor_id=actor_id)
        self.groups.rename(group_id, name, actor_id=actor_id, followed_by=follow)
        self.registry.read_overrides()

    def delete_group(self, group_id: str, *, actor_id: str | None) -> None:
        """Delete a group that no model's access names. Raises AccountError naming the models, NotFound."""
        name = next((group.name for group in self.groups.current() if group.id == group_id), "")
        used_by = [model.label for model in models_for_group(self.registry.current().models.values(), name)]
        self.groups.delete(group_id, used_by=used_by, actor_id=actor_id)

    def close(self) -> None:
        """Let go of everything, in the reverse order of building."""
        self.registry.close()
        self.imports.close()
        self.set_runner.close()
        self.engine.close()
        self.sharing.close()
        if self.local_model is not None:
            self.local_model.stop()
        self.ledger.close()
        self.database.close()
