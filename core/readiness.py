"""Whether a model can be called at all, and by this person: its key, its switch, its access, its process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.accounts.groups import Groups
from core.accounts.users import User, load_user
from core.catalog.access import EVERYONE, Person, refuse_unusable
from core.catalog.health import ModelStatus
from core.catalog.models import ModelSpec
from core.errors import TurnRefused
from core.providers.direct_dialects import direct
from core.providers.endpoints import Keys
from core.providers.local_model import LocalModel
from core.store.database import Database


def person_of(user: User, groups: Groups) -> Person:
    """A user as far as access to models is concerned, as things are now. No query: the groups are held in memory."""
    names = frozenset(name.casefold() for name in groups.names_of(user.id))
    return Person(username=user.username, role=user.role, groups=names)


def lacks_key(model: ModelSpec, keys: Keys) -> bool:
    """Whether the provider of a model takes a key and has none."""
    variable = model.provider.key_variable
    return variable is not None and keys(variable) is None


def needs_litellm(models: Iterable[ModelSpec], keys: Keys) -> bool:
    """Whether a model that can be called goes through LiteLLM, whose import is slow and large."""
    return any(model.enabled and not direct(model) and not lacks_key(model, keys) for model in models)


def refuse_unready(model: ModelSpec, user_id: str, *, database: Database, groups: Groups, keys: Keys) -> None:
    """Raises TurnRefused for a model that is switched off, not open to this person, or without a key."""
    # Who asks only matters for a model that is not everyone's: most calls need no look at the store.
    if not model.enabled or EVERYONE not in model.access:
        refuse_unusable(model, person_of(load_user(database, user_id), groups))
    if lacks_key(model, keys):
        raise TurnRefused(
            "no_key",
            f"{model.label} cannot be used yet: its provider has no key.",
            next_step="Choose another model, or ask the administrator to set "
            f"{model.provider.key_variable}. Your message is kept in the box.",
        )


def local_status(local_model: LocalModel, passive: ModelStatus) -> ModelStatus:
    """How the model inside Switchboard is doing: `passive` is what its calls say."""
    status = local_model.status()
    match status.state:
        case "ready":
            return passive if passive.state != "unknown" else replace(passive, state="healthy", reason="ready")
        case "starting":
            return replace(passive, state="starting", reason="starting")
        case _:
            return replace(passive, state="down", reason=status.detail)
