"""What a model accepts beside the messages, as values; and which value is in force, and where it comes from.

What is offered rests on LiteLLM's price map (reasoning, its levels, sampling, JSON) and on a table per wire format. The
table is ours and not `litellm.get_supported_openai_params`: that needs an import of seconds, names parameters without
ranges, and lists some that a provider ignores. A test holds the table against LiteLLM for every model that ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.catalog.models import Capability, ModelSpec, ParameterValue
from core.catalog.price_map import PriceMap, find_entry, installed_map

Kind = Literal["float", "int", "choice", "text", "list", "flag"]

SYSTEM_PROMPT = "system_prompt"
# A limit in dollars: no provider knows it, it becomes an output limit (core.chat.money_cap).
MOST_USD = "max_cost_usd"
# What is kept with the parameters and is none of the provider's.
OURS = frozenset({SYSTEM_PROMPT, MOST_USD})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSpec:
    """One parameter of one model. `minimum` and `maximum` are inclusive; None: no bound.

    `default` is what the provider takes when nothing is sent; None where it does not say. `unset` says in words what
    holds then, where no provider decides. `maximum` of a list counts its entries.
    """

    name: str
    label: str
    kind: Kind
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    default: ParameterValue | None = None
    unit: str = ""
    unset: str = ""


_CATALOGUE: Mapping[str, ParameterSpec] = {
    spec.name: spec
    for spec in (
        ParameterSpec(
            name=SYSTEM_PROMPT,
            label="System prompt",
            kind="text",
            help="Instructions that come before the conversation. An empty one means none.",
        ),
        ParameterSpec(
            name="reasoning_effort",
            label="Reasoning effort",
            kind="choice",
            help="How long the model thinks before it answers. More costs more and takes longer.",
        ),
        ParameterSpec(
            name="verbosity",
            label="Verbosity",
            kind="choice",
            choices=("low", "medium", "high"),
            default="medium",
            help="How long answers are.",
        ),
        ParameterSpec(
            name="max_tokens",
            label="Longest answer",
            kind="int",
            minimum=1,
            step=256,
            unit="tokens",
            help="The answer is cut off there. Reasoning counts too.",
        ),
        ParameterSpec(
            name=MOST_USD,
            label="Most for an answer",
            kind="float",
            minimum=0.0001,
            maximum=1000,
            step=0.01,
            unit="USD",
            unset="No limit",
            help="The answer is cut off where it would cost more; Continue goes on with as much again.",
        ),
        ParameterSpec(
            name="temperature",
            label="Temperature",
            kind="float",
            minimum=0,
            maximum=2,
            step=0.1,
            help="Low: the likely words, much the same every time. High: more varied.",
        ),
        ParameterSpec(
            name="top_p",
            label="Top p",
            kind="float",
            minimum=0,
            maximum=1,
            step=0.05,
            help="Only the likeliest words that together reach this share. Set this or temperature, not both.",
        ),
        ParameterSpec(
            name="frequency_penalty",
            label="Frequency penalty",
            kind="float",
            minimum=-2,
            maximum=2,
            step=0.1,
            default=0.0,
            help="Above zero: fewer repetitions of the same words.",
        ),
        ParameterSpec(
            name="presence_penalty",
            label="Presence penalty",
            kind="float",
            minimum=-2,
            maximum=2,
            step=0.1,
            default=0.0,
            help="Above zero: more new topics.",
        ),
        ParameterSpec(
            name="seed",
            label="Seed",
            kind="int",
            minimum=0,
            maximum=2**31 - 1,
            step=1,
            help="The same seed and message give much the same answer.",
        ),
        ParameterSpec(
            name="stop",
            label="Stop at",
            kind="list",
            maximum=4,
            help="The answer ends before any of these texts. Four at most.",
        ),
        ParameterSpec(
            name="json_mode",
            label="JSON only",
            kind="flag",
            default=False,
            help="The answer is one JSON object. Ask for JSON in your message as well.",
        ),
    )
}

_BASE = frozenset({"temperature", "top_p", "max_tokens", "stop"})
_PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
_OPENAI = _BASE | _PENALTIES | {"seed", "json_mode"}
_SAMPLING = _PENALTIES | {"temperature", "top_p"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """What a wire format takes: names, its highest temperature, and what its reasoning models do not take."""

    names: frozenset[str] = _BASE
    temperature: float = 2
    default_temperature: float | None = 1.0
    not_reasoning: frozenset[str] = frozenset()


# Sources: the providers' API references for chat completions (temperature: OpenAI, Gemini, xAI and DeepSeek to 2,
# Mistral to 1.5, Anthropic and Amazon to 1; Groq: no penalties; xAI: reasoning models take neither penalties nor stop;
# DeepSeek: sampling has no effect while it thinks), and `get_supported_openai_params` of LiteLLM's transformations.
_FORMATS: Mapping[str, _Format] = {
    "openai": _Format(names=_OPENAI, not_reasoning=_PENALTIES | {"stop"}),
    "azure": _Format(names=_OPENAI, not_reasoning=_PENALTIES | {"stop"}),
    "anthropic": _Format(temperature=1),
    "bedrock": _Format(temperature=1),
    "gemini": _Format(names=_BASE | {"seed", "json_mode"}),
    "mistral": _Format(names=_BASE | {"seed", "json_mode"}, temperature=1.5, default_temperature=None),
    "codestral": _Format(names=_BASE | {"seed"}, temperature=1.5, default_temperature=None),
    "groq": _Format(names=_OPENAI - _PENALTIES),
    "xai": _Format(names=_OPENAI, not_reasoning=_PENALTIES | {"stop"}),
    "deepseek": _Format(names=_OPENAI - {"seed"}, not_reasoning=_SAMPLING),
    "openrouter": _Format(names=_OPENAI, default_temperature=None),
    "ollama": _Format(names=_BASE | {"seed", "json_mode"}, default_temperature=0.8),
    "ollama_chat": _Format(names=_BASE | {"seed", "json_mode"}, default_temperature=0.8),
    "local": _Format(names=_BASE | _PENALTIES | {"seed"}, default_temperature=0.8),
    "hosted_vllm": _Format(names=_OPENAI, default_temperature=None),
    "lm_studio": _Format(names=_OPENAI, default_temperature=None),
    "llamafile": _Format(names=_OPENAI, default_temperature=None),
    "litellm_proxy": _Format(names=_OPENAI, default_temperature=None),
    "scripted": _Format(names=_OPENAI),
}
_OTHER = _Format(default_temperature=None)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_USUAL_EFFORTS = ("low", "medium", "high")
# They think before sampling or not at all: their sampling parameters hold only where thinking is off.
_THINKS_OR_SAMPLES = frozenset({"openai", "azure"})


def accepted_parameters(model: ModelSpec, *, price_map: PriceMap | None = None) -> tuple[ParameterSpec, ...]:
    """Every parameter this model takes, in the order of a form. `price_map` is LiteLLM's, by default the installed."""
    entry = _map_entry(model, price_map)
    names = _names(model, entry)
    return tuple(_fitted(spec, model, entry) for name, spec in _CATALOGUE.items() if name in names)


def conflict(model: ModelSpec, values: Mapping[str, Any], *, price_map: PriceMap | None = None) -> str | None:
    """Why legal values do not go together at this provider, as a sentence; None when they do.

    OpenAI refuses sampling while its model reasons; Anthropic refuses it with reasoning, and temperature with top p.
    """
    kind = model.provider.kind
    sampled = [name for name in ("temperature", "top_p") if name in values]
    if not sampled:
        return None
    first = _CATALOGUE[sampled[0]].label.lower()
    effort = values.get("reasoning_effort")
    if kind == "anthropic" and len(sampled) > 1:
        return f"{model.label} takes a temperature or a top p, not both."
    if kind == "anthropic" and effort not in {None, "none"}:
        return f"{model.label} takes no {first} together with a reasoning effort."
    if kind in _THINKS_OR_SAMPLES and Capability.REASONING in model.capabilities:
        thinks = effort or _map_entry(model, price_map).get("default_reasoning_effort")
        if thinks != "none":
            return f"{model.label} takes no {first} unless its reasoning effort is none."
    return None


def parameter_label(name: str) -> str:
    """The name of a parameter as people read it."""
    return _CATALOGUE[name].label if name in _CATALOGUE else name


def _map_entry(model: ModelSpec, price_map: PriceMap | None) -> Mapping[str, Any]:
    # As in the registry: somebody's own endpoint may serve any model under any name.
    if model.provider.id != model.provider.kind:
        return {}
    known = installed_map() if price_map is None else price_map
    return find_entry(known, kind=model.provider.kind, upstream=model.upstream)


def _names(model: ModelSpec, entry: Mapping[str, Any]) -> frozenset[str]:
    kind = model.provider.kind
    form = _FORMATS.get(kind, _OTHER)
    names = set(form.names) | OURS
    if Capability.REASONING in model.capabilities:
        names -= form.not_reasoning
        names |= {"reasoning_effort"} if _efforts(model, entry) else set()
        if kind in _THINKS_OR_SAMPLES:
            names -= set() if entry.get("supports_none_reasoning_effort") is True else _SAMPLING
            names |= {"verbosity"} if model.upstream.startswith("gpt-") else set()
    if entry.get("supports_sampling_params") is False:
        names -= _SAMPLING
    if Capability.JSON not in model.capabilities:
        names.discard("json_mode")
    return frozenset(names)


def _efforts(model: ModelSpec, entry: Mapping[str, Any]) -> tuple[str, ...]:
    listed = entry.get("reasoning_effort_levels")
    if isinstance(listed, list):
        return tuple(level for level in _EFFORTS if level in listed)
    if model.provider.kind == "groq" and "gpt-oss" not in model.upstream:
        return ()  # its other models know "none" and "default" only
    return tuple(
        level for level in _EFFORTS if entry.get(f"supports_{level}_reasoning_effort", level in _USUAL_EFFORTS) is True
    )


def _fitted(spec: ParameterSpec, model: ModelSpec, entry: Mapping[str, Any]) -> ParameterSpec:
    form = _FORMATS.get(model.provider.kind, _OTHER)
    match spec.name:
        case "temperature":
            return replace(spec, maximum=form.temperature, default=form.default_temperature)
        case "max_tokens":
            return replace(spec, maximum=model.max_output_tokens or model.context_tokens)
        case "reasoning_effort":
            return replace(spec, choices=_efforts(model, entry), default=entry.get("default_reasoning_effort"))
        case _:
            return spec
