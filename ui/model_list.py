"""The models as the browser gets them: the list, which hardly ever changes, and the facts of the moment. Pure.

Both are JSON texts. The list is some 150 bytes a model and is sent once: Streamlit sends an unchanged message again
only as its hash. What changes from run to run (the choice, favourites, status) is sent beside it and stays small: it
names models by their place in the list, and only those of which there is something to say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from core.catalog.health import ModelStatus
from core.catalog.models import Capability, ModelSpec
from ui import formats
from ui.model_card import measured, reason
from ui.model_filter import (
    Order,
    all_chips,
    by_provider,
    capability_name,
    chips_of,
    is_fast,
    our_order,
    provider_name,
    recommended,
    search_text,
    shown_capabilities,
)

# Names of Material symbols.
CAPABILITY_ICONS: Mapping[Capability, str] = {
    Capability.VISION: "visibility",
    Capability.TOOLS: "build",
    Capability.REASONING: "psychology",
    Capability.JSON: "data_object",
    Capability.PDF: "picture_as_pdf",
    Capability.AUDIO: "graphic_eq",
    Capability.PROMPT_CACHE: "cached",
}
# Said once for all, in the page or by provider.
_SILENT = frozenset({"unknown", "no_key"})


@dataclass(frozen=True, slots=True)
class ModelList:
    """The list as sent, its version, and the order that places in it refer to."""

    text: str
    version: str
    order: Sequence[str]


def build_list(models: Mapping[str, ModelSpec]) -> ModelList:
    """What is known of the models from the registry alone."""
    ordered, chips = by_provider(models), all_chips(models)
    places = {chip.id: place for place, chip in enumerate(chips)}
    providers = list(dict.fromkeys(model.provider.id for model in ordered))
    content = {
        "chips": [[chip.id, chip.label, chip.group] for chip in chips],
        "providers": [provider_name(provider) for provider in providers],
        "capabilities": {item: [CAPABILITY_ICONS[item], capability_name(item)] for item in CAPABILITY_ICONS},
        "models": [_row(model, providers, places) for model in ordered],
    }
    version = hashlib.blake2b(json.dumps(content).encode(), digest_size=6).hexdigest()
    return ModelList(_json({"version": version, **content}), version, [model.id for model in ordered])


def _row(model: ModelSpec, providers: Sequence[str], places: Mapping[str, int]) -> list[object]:
    return [
        model.id,
        model.label,
        providers.index(model.provider.id),
        formats.short_price(model.prices),
        formats.window(model.context_tokens).removesuffix(" context"),
        shown_capabilities(model),
        sorted(places[chip] for chip in chips_of(model) if chip in places),
        search_text(model),
    ]


def build_facts(
    listed: ModelList,
    models: Mapping[str, ModelSpec],
    statuses: Mapping[str, ModelStatus],
    *,
    chosen: str,
    favourites: Collection[str],
    use_case: str | None,
    zone: tzinfo,
    order: Order = our_order,
    judged: Collection[str] = (),
) -> str:
    """What is true of the models at this moment for this person, with times on the clock of `zone`.

    `judged` are the use cases that `order` had evidence for; it may be filled while the order is asked.
    """
    places = {model_id: place for place, model_id in enumerate(listed.order)}
    use_cases = dict.fromkeys(name for model in models.values() for name in model.use_cases)
    recommendations = {
        name: [places[i] for i in recommended(models, statuses, name, order=order)] for name in use_cases
    }
    return _json(
        {
            "version": listed.version,
            "chosen": places[chosen],
            "favourites": [places[name] for name in favourites if name in places],
            "useCase": use_case if use_case in use_cases else None,
            "recommended": recommendations,
            "judged": sorted(judged),
            "fast": [place for name, place in places.items() if is_fast(models[name], statuses[name])],
            "keyless": _keyless(listed, models, statuses),
            "states": {
                places[name]: _state(status, zone)
                for name, status in statuses.items()
                if status.state not in _SILENT or status.first_token_ms is not None
            },
        }
    )


def _keyless(listed: ModelList, models: Mapping[str, ModelSpec], statuses: Mapping[str, ModelStatus]) -> dict[str, str]:
    """Name of the provider -> what is missing: a key belongs to a provider, not to each of its models."""
    return {
        provider_name(models[name].provider.id): statuses[name].reason
        for name in listed.order
        if statuses[name].state == "no_key"
    }


def _state(status: ModelStatus, zone: tzinfo) -> list[str]:
    return [status.state, reason(status, zone), *measured(status)]


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
