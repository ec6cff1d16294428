"""Which value of a parameter is in force, where it comes from, and whether the model takes it.

A value of the conversation counts before one's own for the model, that before the team's, that before the registry
entry's. What is in force and not legal is a problem to be solved by the person: it is never sent and never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.catalog.models import ModelSpec, ParameterValue
from core.catalog.parameters import OURS, SYSTEM_PROMPT, ParameterSpec, accepted_parameters, conflict, parameter_label
from core.catalog.price_map import PriceMap
from core.errors import TurnRefused

Origin = Literal["model", "team", "mine", "conversation"]
Values = Mapping[str, ParameterValue]

_NEXT_STEP = "Change or reset it under Parameters. Your message is kept in the box."


@dataclass(frozen=True, slots=True)
class Effective:
    """A value and who set it."""

    value: ParameterValue
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """What was set at each place, from the weakest to the strongest; the registry entry's own values lie below."""

    team: Values = field(default_factory=dict)
    mine: Values = field(default_factory=dict)
    conversation: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What is in force for one model, and a sentence for every value of it that cannot be sent."""

    values: Mapping[str, Effective]
    problems: Mapping[str, str]

    def chosen(self) -> dict[str, ParameterValue]:
        """The values that people set, without those of the registry entry."""
        return {name: found.value for name, found in self.values.items() if found.origin != "model"}


def resolve(model: ModelSpec, layers: Layers, *, price_map: PriceMap | None = None) -> Resolution:
    """The values in force for `model`, with their origin, and what is wrong with them."""
    entry = dict(model.parameters) | ({SYSTEM_PROMPT: model.system_prompt} if model.system_prompt else {})
    placed: tuple[tuple[Origin, Values], ...] = (
        ("model", entry),
        ("team", layers.team),
        ("mine", layers.mine),
        ("conversation", layers.conversation),
    )
    values = {name: Effective(value, origin) for origin, layer in placed for name, value in layer.items()}
    specs = {spec.name: spec for spec in accepted_parameters(model, price_map=price_map)}
    problems = {
        name: sentence
        for name, found in values.items()
        # The administrator answers for the entry: it may hold what only this endpoint takes.
        if found.origin != "model" and (sentence := problem_with(model, specs.get(name), name, found.value))
    }
    if not problems:
        problems = _conflicts(model, values, price_map)
    return Resolution(values=values, problems=problems)


def problem_with(model: ModelSpec, spec: ParameterSpec | None, name: str, value: Any) -> str | None:
    """Why the model does not take this value, as a sentence; None when it does. `spec` None: it takes none at all."""
    if spec is None:
        return f"{model.label} takes no {parameter_label(name).lower()}."
    wanted = _wanted(spec, value)
    return None if wanted is None else f"{model.label} takes {wanted} as {spec.label.lower()}, not {_shown(value)}."


def legal_parameters(
    model: ModelSpec, chosen: Values, *, price_map: PriceMap | None = None
) -> dict[str, ParameterValue]:
    """What goes to the provider: the registry entry's values below the chosen ones.

    Raises TurnRefused("parameter") for a chosen value that the model does not take.
    """
    resolution = resolve(model, Layers(conversation=chosen), price_map=price_map)
    refuse_problems(resolution)
    return {name: found.value for name, found in resolution.values.items() if name not in OURS}


def refuse_problems(resolution: Resolution) -> None:
    """Raises TurnRefused("parameter") with the first problem, if there is one."""
    for sentence in resolution.problems.values():
        raise TurnRefused("parameter", sentence, next_step=_NEXT_STEP)


def _conflicts(model: ModelSpec, values: Mapping[str, Effective], price_map: PriceMap | None) -> dict[str, str]:
    sentence = conflict(model, {name: found.value for name, found in values.items()}, price_map=price_map)
    set_by_people = [name for name in ("temperature", "top_p", "reasoning_effort") if _by_people(values.get(name))]
    return {set_by_people[0]: sentence} if sentence and set_by_people else {}


def _by_people(found: Effective | None) -> bool:
    return found is not None and found.origin != "model"


def _wanted(spec: ParameterSpec, value: Any) -> str | None:
    """What the parameter takes, when the value is something else."""
    match spec.kind:
        case "float" | "int":
            return None if _is_number(spec, value) else _range(spec)
        case "choice":
            return None if value in spec.choices else " or ".join(spec.choices)
        case "flag":
            return None if isinstance(value, bool) else "yes or no"
        case "text":
            return None if isinstance(value, str) else "text"
        case "list":
            return None if _is_list(spec, value) else f"one to {spec.maximum:.0f} texts"


def _is_number(spec: ParameterSpec, value: Any) -> bool:
    kinds = (int,) if spec.kind == "int" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    low = float("-inf") if spec.minimum is None else spec.minimum
    high = float("inf") if spec.maximum is None else spec.maximum
    return low <= value <= high and abs(value) != float("inf")


def _is_list(spec: ParameterSpec, value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and 0 < len(value) <= (spec.maximum or len(value))
        and all(isinstance(item, str) and item for item in value)
    )


def _range(spec: ParameterSpec) -> str:
    number = "a whole number" if spec.kind == "int" else "a number"
    if spec.maximum is None:
        return number if spec.minimum is None else f"{number} from {spec.minimum:,g}"
    return f"{number} from {spec.minimum:,.10g} to {spec.maximum:,.10g}"


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return f"{len(value)} texts"
        case str():
            return repr(value[:40])
        case _:
            return str(value)
