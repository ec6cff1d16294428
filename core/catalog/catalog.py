"""The models of a running process: the registry file, what endpoints report, and what administrators changed.

For every field of a model the first of these that says something decides:

1. the administrator's override, kept in the store (core.catalog.overrides);
2. the registry file (core.catalog.registry);
3. what the endpoint reports when it is asked for its models (core.catalog.discovery);
4. LiteLLM's price map (core.catalog.price_map).

What a model costs is decided by the price book, which takes the prices of these sources in (core.costs.price_book).

A model that the file names and its endpoint reports is one model, under the file's id. Each source keeps its last good
state by itself: a broken file, an endpoint that is down or a new version of the file never takes another source's part
away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from core.catalog.discovery import Discovery, EndpointState, discovered_model
from core.catalog.models import ModelSpec, Prices
from core.catalog.overrides import Override, Overrides, apply_override
from core.catalog.registry import LiveRegistry, Registry
from core.store.database import Cursor


def with_reported(base: Registry, endpoints: Mapping[str, EndpointState]) -> Registry:
    """The registry with what endpoints report: their own models come after the file's, in the order they list them.

    Endpoints that the file no longer asks are left out.
    """
    models = dict(base.models)
    by_call = {(model.provider.id, model.upstream): model for model in base.models.values()}
    for endpoint in endpoints.values():
        provider = endpoint.provider
        if base.providers.get(provider.id) != provider:
            continue
        for reported in endpoint.models:
            named = by_call.get((provider.id, reported.name))
            if named is None:
                model = discovered_model(provider, reported)
                models[model.id] = model
            elif reported.context_tokens and named.id not in base.windows_stated:
                models[named.id] = replace(models[named.id], context_tokens=reported.context_tokens)
    return replace(base, models=MappingProxyType(models))


def with_overrides(registry: Registry, overrides: Mapping[str, Override]) -> Registry:
    """The registry with what administrators changed. Overrides of models that are not there wait for them."""
    models = {
        model_id: apply_override(model, overrides[model_id]) if model_id in overrides else model
        for model_id, model in registry.models.items()
    }
    return replace(registry, models=MappingProxyType(models))


class PricesInForce(Protocol):
    """The price book as the catalog needs it."""

    def follow(self, models: Iterable[ModelSpec]) -> None:
        """Take in the prices that the sources say."""

    def prices(self) -> Mapping[str, Prices | None]:
        """The prices in force by model; the same mapping until that changes."""


class SourcePrices:
    """No book: a model costs what its source says."""

    def follow(self, models: Iterable[ModelSpec]) -> None:
        """Nothing is kept."""

    def prices(self) -> Mapping[str, Prices | None]:
        """Nothing is in force besides."""
        return _NO_PRICES


_NO_PRICES: Mapping[str, Prices | None] = MappingProxyType({})


def with_prices(registry: Registry, prices: Mapping[str, Prices | None]) -> Registry:
    """The registry with the prices in force (None: ended); a model that they do not name costs what its source says."""
    models = {
        model_id: replace(model, prices=prices[model_id]) if model_id in prices else model
        for model_id, model in registry.models.items()
    }
    return replace(registry, models=MappingProxyType(models))


class Catalog:
    """What `current()` gives is always one consistent registry; it is made anew only when a source has changed."""

    def __init__(
        self,
        file: LiveRegistry,
        *,
        discovery: Discovery,
        overrides: Overrides,
        book: PricesInForce = SourcePrices(),  # noqa: B008 - it has no state
    ) -> None:
        self._file = file
        self._book = book
        self._discovery = discovery
        self._overrides = overrides
        # The sources as they were, and what came of them: replaced as a whole, so that threads need no lock.
        self._reported: tuple[tuple[object, ...], Registry] | None = None
        self._merged: tuple[tuple[object, ...], Registry, Registry] | None = None

    @property
    def problem(self) -> str | None:
        """Why the registry file as it stands now is not in use; None when it is."""
        return self._file.problem

    def current(self) -> Registry:
        """The models in force, disabled ones included."""
        return self._sources()[1]

    def find(self, model_id: str) -> ModelSpec | None:
        """The model of this id as it is now; None where there is none."""
        return self.current().get(model_id)

    def unchanged(self, model_id: str) -> ModelSpec | None:
        """A model as it would be without the administrator's changes."""
        return self._sources()[0].get(model_id)

    def offered(self) -> Registry:
        """The models with the prices that their sources say, whatever the price book holds."""
        base = self._file.current()
        sources = (base, self._discovery.states(base.providers.values()))
        kept = self._reported
        if kept is None or _changed(kept[0], sources):
            kept = (sources, with_reported(*sources))
            self._book.follow(kept[1].models.values())
            self._reported = kept
        return kept[1]

    def override(self, model_id: str) -> Override:
        """What administrators changed about a model."""
        return self._overrides.current().get(model_id, Override())

    def endpoints(self) -> list[EndpointState]:
        """What is known of every endpoint that is asked for its models, in the order of the file."""
        providers = self._file.current().providers
        states = self._discovery.states(providers.values())
        asked = [provider for provider in providers.values() if provider.discover]
        return [
            state if (state := states.get(provider.id)) and state.provider == provider else EndpointState(provider)
            for provider in asked
        ]

    def save_override(self, model_id: str, override: Override, *, actor_id: str | None) -> None:
        """Change a model for everybody. Raises RegistryError when a value breaks a rule."""
        # A fallback that is in force stays allowed while its endpoint is away.
        known = [*self.current().models, *(self.override(model_id).fallbacks or ())]
        self._overrides.save(model_id, override, actor_id=actor_id, known=known)

    def rename_group(self, cur: Cursor, old: str, new: str, *, actor_id: str | None) -> None:
        """Let what administrators changed follow a group's new name, inside the caller's transaction.

        Call `read_overrides` once that transaction has landed. The registry file keeps the old name.
        """
        self._overrides.rename_group(cur, old, new, actor_id=actor_id)

    def read_overrides(self) -> None:
        """Read what administrators changed anew."""
        self._overrides.reload()

    def reload(self) -> Registry:
        """Read the file and the overrides now, and ask the endpoints again in the background."""
        self._file.reload()
        self._overrides.reload()
        self._discovery.ask_again()
        return self.current()

    def wait_for_endpoints(self, timeout_s: float) -> bool:
        """Wait until no endpoint is being asked; False when it took longer."""
        return self._discovery.wait(timeout_s)

    def close(self) -> None:
        """Ask no endpoint any more."""
        self._discovery.close()

    def _sources(self) -> tuple[Registry, Registry]:
        sources = (self.offered(), self._overrides.current(), self._book.prices())
        merged = self._merged
        if merged is None or _changed(merged[0], sources):
            offered, overrides, prices = sources
            priced = with_prices(offered, prices)
            merged = (sources, priced, with_overrides(priced, overrides))
            self._merged = merged
        return merged[1], merged[2]


def _changed(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    return any(old is not new for old, new in zip(before, now, strict=True))
