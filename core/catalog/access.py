"""Who may use which model, and what to take instead of one that is gone.

`access` of a model holds words: "everyone", a role ("member", "admin"), a username, or a group ("group:Legal", in any
case). Administrators may use every model that is switched on: they could change its access anyway. A group that does
not exist has no members, so nobody gets access through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalog.models import GROUP, ModelSpec
from core.errors import TurnRefused

EVERYONE = "everyone"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as far as access is concerned. `groups` holds the names of theirs, casefolded."""

    username: str
    role: str
    groups: frozenset[str] = frozenset()


def may_use(model: ModelSpec, person: Person) -> bool:
    """Whether the model is switched on and this person is among those who may use it."""
    if not model.enabled:
        return False
    if person.role == ADMIN or EVERYONE in model.access:
        return True
    return any(_means(word, person) for word in model.access)


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
            next_step=f"Choose another model, or ask an administrator{_to_do(model)}. Your message is kept in the box.",
        )


def group_of(word: str) -> str | None:
    """The name of the group that a word of `access` means, or None when it means something else."""
    return word.removeprefix(GROUP) if word.startswith(GROUP) else None


def access_words(words: Iterable[str]) -> str:
    """What stands in `access`, as people read it: `ada, group Legal`."""
    return ", ".join(word if (name := group_of(word)) is None else f"group {name}" for word in words)


def models_for_group(models: Iterable[ModelSpec], name: str) -> list[ModelSpec]:
    """The models whose access names this group, in the order given."""
    wanted = name.casefold()
    return [model for model in models if wanted in _groups(model)]


def unknown_groups(models: Iterable[ModelSpec], known: Iterable[str]) -> dict[str, list[ModelSpec]]:
    """The groups that models name and that do not exist, as first written, each with its models."""
    there = {name.casefold() for name in known}
    missing: dict[str, tuple[str, list[ModelSpec]]] = {}
    for model in models:
        for key, name in _groups(model).items():
            if key not in there:
                missing.setdefault(key, (name, []))[1].append(model)
    return dict(missing.values())


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


def _means(word: str, person: Person) -> bool:
    group = group_of(word)
    return word in {person.role, person.username} if group is None else group.casefold() in person.groups


def _groups(model: ModelSpec) -> dict[str, str]:
    """The groups in a model's access by casefolded name, as written."""
    return {name.casefold(): name for word in model.access if (name := group_of(word)) is not None}


def _to_do(model: ModelSpec) -> str:
    # Not which group: its name may say more than somebody outside should know.
    return " to add you to a group that may use it" if _groups(model) else ""
