"""What the models can be searched and filtered by, and in which order they are offered. Pure: no page, no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from core.catalog.health import ModelStatus
from core.catalog.models import Capability, ModelSpec, Prices
from core.catalog.recommend import recommend
from core.chat.alternatives import alternatives

FREE, CHEAP, FAST = "free", "cheap", "fast"

# A dollar per million tokens at three read for one written, the mix that price comparisons use: the small models of
# the large makers are under it, their large ones far above.
_CHEAP_USD = Decimal(1)
_INPUT_SHARE = Decimal("0.75")
# Half of the second after which people feel that they wait.
_FAST_MS = 500
_RECOMMENDED = 8
_RIVALS = 2

# Taking text in a stream, with a system prompt, is what every model of a chat does: no filter.
_FILTERED = tuple(
    capability for capability in Capability if capability not in {Capability.STREAMING, Capability.SYSTEM_PROMPT}
)
_CAPABILITY_NAMES = {Capability.JSON: "JSON", Capability.PDF: "PDF", Capability.PROMPT_CACHE: "prompt cache"}
_PROVIDER_NAMES = {
    "anthropic": "Anthropic",
    "azure": "Azure",
    "bedrock": "Bedrock",
    "deepseek": "DeepSeek",
    "gemini": "Google",
    "groq": "Groq",
    "local": "This machine",
    "mistral": "Mistral",
    "ollama": "Ollama",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "xai": "xAI",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter. `group` is "price", "use case", "capability" or "provider"; ids are unique over all groups."""

    id: str
    label: str
    group: str


def capability_name(capability: Capability) -> str:
    """A capability in people's words."""
    return _CAPABILITY_NAMES.get(capability, capability.value.replace("_", " "))


def shown_capabilities(model: ModelSpec) -> list[Capability]:
    """What sets this model apart, always in the same order."""
    return [capability for capability in _FILTERED if capability in model.capabilities]


def provider_name(provider_id: str) -> str:
    """A provider in people's words; an endpoint of one's own under the name it was given."""
    return _PROVIDER_NAMES.get(provider_id, provider_id)


def by_provider(models: Mapping[str, ModelSpec]) -> list[ModelSpec]:
    """All models, those of a provider together; providers and their models in the order of the registry."""
    places = {provider: place for place, provider in enumerate(_providers(models))}
    return sorted(models.values(), key=lambda model: places[model.provider.id])


def search_text(model: ModelSpec) -> str:
    """Everything a model is found by: label, id, provider, use cases."""
    provider = model.provider.id
    return " ".join((model.label, model.id, provider_name(provider), provider, *model.use_cases))


def all_chips(models: Mapping[str, ModelSpec]) -> list[Chip]:
    """The filters that can find something among these models."""
    use_cases = dict.fromkeys(chain.from_iterable(model.use_cases for model in models.values()))
    present = frozenset(chain.from_iterable(model.capabilities for model in models.values()))
    return [
        *(Chip(name, name, "price") for name in (FREE, FAST, CHEAP)),
        *(Chip(f"use:{name}", name, "use case") for name in use_cases),
        *(Chip(f"can:{item}", capability_name(item), "capability") for item in _FILTERED if item in present),
        *(Chip(f"by:{provider}", provider_name(provider), "provider") for provider in _providers(models)),
    ]


def chips_of(model: ModelSpec) -> frozenset[str]:
    """The ids of the filters that this model passes whatever is measured; "fast" is measured (`is_fast`)."""
    return frozenset(
        (
            f"by:{model.provider.id}",
            *(f"use:{name}" for name in model.use_cases),
            *(f"can:{capability}" for capability in shown_capabilities(model)),
            *_price_chips(model.prices),
        )
    )


def is_fast(model: ModelSpec, status: ModelStatus) -> bool:
    """First token within half a second as measured lately; where nothing is measured, what the registry says."""
    if status.first_token_ms is not None:
        return status.first_token_ms <= _FAST_MS
    return FAST in model.use_cases


# A use case and the models for it in our order -> the same in the order of the team's evidence (ui/advice.py).
Order = Callable[[str, Sequence[str]], Sequence[str]]


def our_order(_use_case: str, model_ids: Sequence[str]) -> Sequence[str]:
    """The order as it is."""
    return model_ids


def recommended(
    models: Mapping[str, ModelSpec],
    statuses: Mapping[str, ModelStatus],
    use_case: str,
    *,
    limit: int = _RECOMMENDED,
    order: Order = our_order,
) -> list[str]:
    """The ids of the models that the registry names for a use case, the first to try first.

    What can be called comes first, in the order of core.catalog.recommend and then of the evidence, as everywhere in
    the app; then the rest, the more promising states and the cheaper first.
    """
    found = [one.model_id for one in recommend(models, statuses, use_case)]
    best = list(order(use_case, found))[:limit]
    if len(best) == limit:
        return best
    placed = set(best)
    rest = [model for name, model in models.items() if use_case in model.use_cases and name not in placed]
    rest.sort(key=lambda model: _preference(model, statuses[model.id]))
    return [*best, *(model.id for model in rest[: limit - len(best)])]


def rivals(
    model: ModelSpec,
    models: Mapping[str, ModelSpec],
    statuses: Mapping[str, ModelStatus],
    *,
    use_case: str | None,
    limit: int = _RIVALS,
    order: Order = our_order,
) -> list[str]:
    """The ids of the models to compare one with: the best for the use case, then what is asked when it fails.

    Where the model is not for `use_case`, or that is not known, what it is for first counts.
    """
    wanted = use_case if use_case in model.use_cases else next(iter(model.use_cases), use_case)
    best = order(wanted, [one.model_id for one in recommend(models, statuses, wanted)]) if wanted else ()
    states = {name: status.state for name, status in statuses.items()}
    instead = [other.id for other in alternatives(model, models, states=states, tried=[model.id])]
    return [name for name in dict.fromkeys([*best, *instead]) if name != model.id][:limit]


def _providers(models: Mapping[str, ModelSpec]) -> Sequence[str]:
    return list(dict.fromkeys(model.provider.id for model in models.values()))


def _price_chips(prices: Prices | None) -> list[str]:
    if prices is None:
        return []
    if prices.free:
        return [FREE, CHEAP]
    return [CHEAP] if _blended_usd(prices) <= _CHEAP_USD else []


def _blended_usd(prices: Prices) -> Decimal:
    return prices.input * _INPUT_SHARE + prices.output * (1 - _INPUT_SHARE)


_STATE_PREFERENCE = {"healthy": 0, "unknown": 1, "slow": 2, "starting": 3, "down": 4, "no_key": 5}


def _preference(model: ModelSpec, status: ModelStatus) -> tuple[int, bool, Decimal]:
    price = _blended_usd(model.prices) if model.prices else Decimal(0)
    return _STATE_PREFERENCE.get(status.state, 1), model.prices is None, price
