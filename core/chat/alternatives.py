"""Which models to offer a person whose model did not answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.catalog.choice import cheapest_usable
from core.catalog.models import ModelSpec

MOST_OFFERED = 3
_UNUSABLE = frozenset({"down", "no_key", "starting"})


def alternatives(
    asked: ModelSpec | None,
    models: Mapping[str, ModelSpec],
    *,
    states: Mapping[str, str],
    tried: Collection[str],
) -> list[ModelSpec]:
    """Up to three of `models` to ask instead: the fallbacks of `asked` (None: no longer known), then the cheapest.

    `states` holds the state of each model by its id. What was tried, or cannot be asked now, is not offered.
    """
    left = {name: model for name, model in models.items() if name not in tried and states.get(name) not in _UNUSABLE}
    found = [left.pop(name) for name in (asked.fallbacks if asked else ()) if name in left]
    while left and len(found) < MOST_OFFERED:
        found.append(left.pop(cheapest_usable(left, states=states) or ""))
    return found[:MOST_OFFERED]
