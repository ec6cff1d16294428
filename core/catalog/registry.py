"""Which models there are: the registry file, completed with what LiteLLM's map knows.

The file decides; the map fills in what the file leaves out. A price that neither knows stays unknown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from core.catalog.known_providers import KEY_VARIABLES, NEED_ADDRESS
from core.catalog.models import CacheRule, Capability, ModelSpec, Prices, ProviderSpec
from core.catalog.price_entry import PriceEntry, misplaced_tier, to_prices
from core.catalog.price_map import Facts, PriceMap, find_facts, installed_map
from core.catalog.registry_file import ModelEntry, ProviderEntry, RegistryText, suggest
from core.clock import monotonic_ms
from core.errors import RegistryError

_CHECK_EVERY_MS = 2000
_ALWAYS = frozenset({Capability.STREAMING, Capability.SYSTEM_PROMPT})


@dataclass(frozen=True, slots=True)
class Registry:
    """Every model and provider, in the order of the file.

    `windows_stated` are the ids of the models whose context window stands in the file itself.
    """

    models: Mapping[str, ModelSpec]
    providers: Mapping[str, ProviderSpec]
    windows_stated: frozenset[str] = frozenset()

    def get(self, model_id: str) -> ModelSpec | None:
        """The model of that id, or None."""
        return self.models.get(model_id)

    @property
    def default(self) -> ModelSpec | None:
        """The first model of the file; None when every model of the file is left out."""
        return next(iter(self.models.values()), None)


def load_registry(path: Path, *, price_map: PriceMap | None = None, local_models: bool = True) -> Registry:
    """Read the registry file.

    `price_map` is LiteLLM's, by default the installed one. `local_models=False` leaves out the models that run on this
    machine inside Switchboard, also as fallbacks.
    Raises RegistryError naming file, line, field and what was expected.
    """
    text = RegistryText.read(path)
    known = installed_map() if price_map is None else price_map
    providers = _providers(text, known)
    _check_names(text)
    models = [_model(text, number, providers, known) for number in range(len(text.entries.models))]
    kept = models if local_models else _without_local(models)
    used = {model.provider.id: model.provider for model in kept}
    return Registry(
        models=MappingProxyType({model.id: model for model in kept}),
        providers=MappingProxyType({**providers, **used}),
        windows_stated=frozenset(entry.id for entry in text.entries.models if entry.context_tokens is not None),
    )


def _providers(text: RegistryText, price_map: PriceMap) -> dict[str, ProviderSpec]:
    kinds = {*KEY_VARIABLES, *NEED_ADDRESS, *(str(entry.get("litellm_provider")) for entry in price_map.values())}
    return {name: _provider(text, name, entry, kinds) for name, entry in text.entries.providers.items()}


def _provider(text: RegistryText, name: str, entry: ProviderEntry, kinds: set[str]) -> ProviderSpec:
    kind = entry.kind or name
    if kind not in kinds:
        place = ("providers", name, "kind") if entry.kind else ("providers", name)
        text.refuse(place, f"expected a kind that LiteLLM knows, found {kind}{suggest(kind, kinds)}")
    if entry.api_base is None:
        _check_without_address(text, name, entry, kind)
    return ProviderSpec(
        id=name,
        kind=kind,
        api_base=entry.api_base,
        key_variable=_key_variable(entry, kind),
        discover=entry.discover,
        discovered_prices=_prices(text, ("providers", name), entry.price),
        gateway=entry.gateway,
    )


def _check_without_address(text: RegistryText, name: str, entry: ProviderEntry, kind: str) -> None:
    place = ("providers", name)
    if entry.discover:
        text.refuse((*place, "discover"), "expected an api_base beside it: the address to ask for its models")
    if kind in NEED_ADDRESS:
        text.refuse(place, f"expected an api_base: a server of the kind {kind} has no address of its own")
    if entry.gateway == "direct":
        text.refuse((*place, "gateway"), "expected an api_base beside direct: the address to call")


def _key_variable(entry: ProviderEntry, kind: str) -> str | None:
    match entry.api_key:
        case None:
            return KEY_VARIABLES.get(kind) or NEED_ADDRESS.get(kind)
        case "none":
            return None
        case variable:
            return variable.removeprefix("env:")


def _check_names(text: RegistryText) -> None:
    seen: dict[str, int] = {}
    for number, entry in enumerate(text.entries.models):
        if entry.id in seen:
            text.refuse(("models", number, "id"), f"{entry.id} is given twice, first as model {seen[entry.id] + 1}")
        seen[entry.id] = number
    for number, entry in enumerate(text.entries.models):
        for position, fallback in enumerate(entry.fallbacks):
            place = ("models", number, "fallbacks", position)
            if fallback not in seen:
                text.refuse(place, f"expected the id of a model, found {fallback}{suggest(fallback, seen)}")
            if fallback == entry.id:
                text.refuse(place, "expected another model, found the model itself")
        if entry.successor is not None and entry.successor not in seen.keys() - {entry.id}:
            close = suggest(entry.successor, seen.keys() - {entry.id})
            text.refuse(
                ("models", number, "successor"), f"expected the id of another model, found {entry.successor}{close}"
            )


def _model(text: RegistryText, number: int, providers: Mapping[str, ProviderSpec], price_map: PriceMap) -> ModelSpec:
    entry = text.entries.models[number]
    name, upstream = entry.call.split("/", 1)
    provider = providers.get(name) or _known_provider(text, number, name, providers)
    # Somebody's own endpoint may serve any model under any name at any price.
    named_by_litellm = provider.id == provider.kind
    facts = find_facts(price_map, kind=provider.kind, upstream=upstream) if named_by_litellm else Facts()
    return ModelSpec(
        id=entry.id,
        label=entry.label or entry.id,
        provider=provider,
        upstream=upstream,
        context_tokens=entry.context_tokens or facts.context_tokens,
        max_output_tokens=entry.max_output_tokens or facts.max_output_tokens,
        prices=_prices(text, ("models", number), entry.price) or facts.prices,
        capabilities=_capabilities(entry, facts),
        parameters=dict(entry.parameters),
        system_prompt=entry.system_prompt,
        use_cases=tuple(entry.use_cases),
        fallbacks=tuple(entry.fallbacks),
        access=tuple(entry.access),
        note=entry.note,
        rpm_limit=entry.limits.rpm,
        tpm_limit=entry.limits.tpm,
        enabled=entry.enabled,
        retires_on=entry.retires_on or facts.retires_on,
        successor=entry.successor,
        cache=None if entry.cache is None else CacheRule(minutes=entry.cache.minutes, shared=entry.cache.shared),
    )


def _known_provider(text: RegistryText, number: int, name: str, providers: Mapping[str, ProviderSpec]) -> ProviderSpec:
    if name not in KEY_VARIABLES:
        closest = suggest(name, [*providers, *KEY_VARIABLES]) or "; list it under providers with its kind and api_key"
        text.refuse(("models", number, "call"), f"expected a known provider before the slash, found {name}{closest}")
    return ProviderSpec(id=name, kind=name, key_variable=KEY_VARIABLES[name])


def _prices(text: RegistryText, owner: tuple[str | int, ...], entry: PriceEntry | None) -> Prices | None:
    if entry is None:
        return None
    number = misplaced_tier(entry)
    if number is not None:
        before, found = (entry.tiers[place].above_tokens for place in (number - 1, number))
        place = (*owner, "price", "tiers", number, "above_tokens")
        text.refuse(place, f"expected more than the {before} of the tier before, found {found}")
    return to_prices(entry)


def _capabilities(entry: ModelEntry, facts: Facts) -> frozenset[Capability]:
    return facts.capabilities if entry.capabilities is None else _ALWAYS | frozenset(entry.capabilities)


def _without_local(models: Sequence[ModelSpec]) -> list[ModelSpec]:
    gone = {model.id for model in models if model.provider.kind == "local"}
    return [
        replace(
            model,
            fallbacks=tuple(name for name in model.fallbacks if name not in gone),
            successor=None if model.successor in gone else model.successor,
        )
        for model in models
        if model.id not in gone
    ]


class LiveRegistry:
    """The registry of a running process: follows the file, and stays on the last good one when it is broken."""

    def __init__(
        self,
        path: Path,
        *,
        price_map: PriceMap | None = None,
        local_models: bool = True,
        now_ms: Callable[[], float] = monotonic_ms,
    ) -> None:
        """Load the file. Raises RegistryError: at the start there is no last good one."""
        self._now_ms = now_ms
        self._path = path
        self._price_map = price_map
        self._local_models = local_models
        self._lock = threading.Lock()
        self._problem: str | None = None
        self._stamp = _stamp(path)
        self._registry = self._load()
        self._checked_ms = now_ms()

    @property
    def problem(self) -> str | None:
        """Why the file as it stands now is not in use; None when it is."""
        return self._problem

    def current(self) -> Registry:
        """The registry in force. Looks at the file at most every 2 s."""
        # Whoever comes while another thread looks takes the registry as it is: no page waits for a file.
        if self._now_ms() - self._checked_ms >= _CHECK_EVERY_MS and self._lock.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._lock.release()
        return self._registry

    def reload(self) -> Registry:
        """Read the file now and return the registry in force; `problem` says whether the file was taken."""
        with self._lock:
            self._stamp = None
            self._follow()
        return self._registry

    def _follow(self) -> None:
        stamp, self._checked_ms = _stamp(self._path), self._now_ms()
        if stamp == self._stamp and stamp is not None:
            return
        self._stamp = stamp
        try:
            self._registry = self._load()
            self._problem = None
        except RegistryError as error:
            self._problem = str(error)

    def _load(self) -> Registry:
        return load_registry(self._path, price_map=self._price_map, local_models=self._local_models)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
