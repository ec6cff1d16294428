"""Who may use which model, and what to take instead of one that is gone.

`access` of a model holds words: "everyone", a role ("member", "admin") or a username. Administrators may use every
model that is switched on: they could change its access anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalog.models import ModelSpec
from core.errors import TurnRefused

EVERYONE = "everyone"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as far as access is concerned."""

    username: str
    role: str


def may_use(model: ModelSpec, person: Person) -> bool:
    """Whether the model is switched on and this person is among those who may use it."""
    if not model.enabled:
        return False
    words = set(model.access)
    return EVERYONE in words or person.role == ADMIN or bool(words & {person.role, person.username})


def offered(models: Mapping[str, ModelSpec], person: Person) -> dict[str, ModelSpec]:
    """The models this person may choose, in the order given."""
    return {model_id: model for model_id, model in models.items() if may_use(model, person)}


def refuse_unusable(model: ModelSpec, person: Person) -> None:
    """Raises TurnRefused("disabled") for a model that is switched off or not open to this person."""
    if not model.enabled:
        raise TurnRefused(
            "disabled",
            f"{model.label} is switched off.",
            next_step="Choose another model. Your message is kept in the box.",
        )
    if not may_use(model, person):
        raise TurnRefused(
            "disabled",
            f"{model.label} is not open to you.",
            next_step="Choose another model, or ask an administrator. Your message is kept in the box.",
        )


def propose_successor(
    model: ModelSpec | None, choices: Mapping[str, ModelSpec], *, preferred: Iterable[str] = ()
) -> ModelSpec | None:
    """The model to propose in place of `model` (None: one nobody knows any more) among `choices`.

    In this order: its stated successor, its fallbacks, `preferred`, the first choice with a use case in common, the
    first choice. None when there is no choice at all.
    """
    named = [] if model is None else [model.successor or "", *model.fallbacks]
    for model_id in (*named, *preferred):
        if model_id in choices:
            return choices[model_id]
    wanted = set() if model is None else set(model.use_cases)
    alike = (choice for choice in choices.values() if wanted & set(choice.use_cases))
    return next(alike, next(iter(choices.values()), None))
