"""The names on the cost pages, and what their filters offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.accounts.users import User, list_users
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.costs.reports.known_values import known_values
from core.costs.usage_filter import UsageFilter
from core.store.reader import Reader
from ui.costs_filter import Values
from ui.costs_names import CODES, SOURCES, Names

# A model or a use case that was never called before is offered with the next look.
_LIVE_S = 60


def load_names(services: Services, user: User) -> Names:
    """The names of models, and for administrators of people; members need their own alone."""
    people = list_users(services.database) if user.is_admin else [user]
    return Names(
        models=labels_apart(services.registry.current().models),
        people=told_apart(people),
    )


def told_apart(people: Sequence[User]) -> dict[str, str]:
    """The names of people by id; those who share one have their user name after it."""
    counts = Counter(person.display_name for person in people)
    return {
        person.id: f"{person.display_name} ({person.username})"
        if counts[person.display_name] > 1
        else person.display_name
        for person in people
    }


def labels_apart(models: Mapping[str, ModelSpec]) -> dict[str, str]:
    """The labels of models by id; those who share one, such as one model of two providers, have their id after it."""
    counts = Counter(model.label for model in models.values())
    return {
        name: f"{model.label} ({name})" if counts[model.label] > 1 else model.label for name, model in models.items()
    }


def offered_values(
    services: Services, user: User, since: datetime, until: datetime, *, hidden: tuple[str, ...] = ()
) -> Values:
    """What each list of the filter offers: what there was in the time chosen, and what there can be."""
    chosen = UsageFilter(since=since, until=until, hidden=hidden)
    known = _known(services.ledger, looker=_Looker(user.id, user.is_admin), chosen=chosen)
    registry = [name for name in services.registry.current().models if name in known["models"]]
    people = sorted(list_users(services.database), key=lambda person: person.display_name.casefold())
    return {
        **known,
        "users": [person.id for person in people] if user.is_admin else [],
        "models": list(dict.fromkeys([*registry, *known["models"]])),
        "sources": list(SOURCES),
        "codes": list(CODES),
    }


@dataclass(frozen=True)
class _Looker:
    """Who looks, as a key of the cache."""

    id: str
    is_admin: bool


@st.cache_data(ttl=_LIVE_S, max_entries=200, show_spinner=False)
def _known(_ledger: Reader, *, looker: _Looker, chosen: UsageFilter) -> dict[str, list[str]]:
    return _ledger.snapshot(lambda cur: known_values(cur, chosen, viewer=looker))
