"""Which model a chat uses: the conversation's own, else the person's default, else the team's, else the best guess."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.catalog.access import propose_successor
from core.catalog.models import ModelSpec, Prices

Reason = Literal["conversation", "successor", "mine", "team", "automatic"]

# How well a model can be asked now; anything else ("healthy", "unknown") can.
_WORSE = {"slow": 1, "starting": 2, "down": 3, "no_key": 4}
# A chat reads about three times as many tokens as it writes.
_INPUT_SHARE = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and why. `missing` is the conversation's own model when that is no longer offered."""

    model_id: str
    reason: Reason
    missing: str | None = None


def choose_model(
    models: Mapping[str, ModelSpec],
    *,
    states: Mapping[str, str],
    conversation_model: str | None = None,
    own_default: str | None = None,
    team_default: str | None = None,
    hidden: Collection[str] = (),
    known: Mapping[str, ModelSpec] | None = None,
) -> Choice | None:
    """The model that the next message goes to; None when no model is offered.

    `models` are the ones this person may use, in the order of the registry; `states` the state of each by its id.
    A default is taken also while its model is down: the person asked for it, and a fallback may answer. `known` holds
    every model, also those no longer offered, so that a successor can be named. Changes nothing anywhere.
    """
    if conversation_model in models:
        return Choice(str(conversation_model), "conversation")
    missing = conversation_model or None
    if missing is not None:
        preferred = [name for name in (own_default, team_default) if name]
        successor = propose_successor((known or {}).get(missing), models, preferred=preferred)
        return None if successor is None else Choice(successor.id, "successor", missing)
    if own_default in models:
        return Choice(str(own_default), "mine")
    if team_default in models:
        return Choice(str(team_default), "team")
    found = cheapest_usable(models, states=states, hidden=hidden)
    return None if found is None else Choice(found, "automatic")


def without_hidden(models: Mapping[str, ModelSpec], *, hidden: Collection[str], kept: str) -> dict[str, ModelSpec]:
    """The models to list for somebody who hides some of them; the one in use (`kept`) is always listed."""
    return {model_id: model for model_id, model in models.items() if model_id == kept or model_id not in hidden}


def cheapest_usable(
    models: Mapping[str, ModelSpec], *, states: Mapping[str, str], hidden: Collection[str] = ()
) -> str | None:
    """The id of the cheapest model that can be asked now; of equals the first. None when there is none.

    Models with a known price come before unpriced ones. The model that runs inside Switchboard comes after every other
    that can be asked: it is free, and a toy.
    """
    candidates = [model_id for model_id in models if model_id not in hidden] or list(models)

    def rank(model_id: str) -> tuple[int, bool, bool, Decimal]:
        model = models[model_id]
        worse = _WORSE.get(states.get(model_id, "unknown"), 0)
        # Below a model that is merely slow, above one that is down.
        toy = model.provider.kind == "local"
        return max(worse, 1) if toy else worse, toy, model.prices is None, usual_price(model.prices)

    return min(candidates, key=rank, default=None)


def usual_price(prices: Prices | None) -> Decimal:
    """What to compare models by: USD for three million tokens read and one million written; 0 where nobody knows."""
    return Decimal(0) if prices is None else _INPUT_SHARE * prices.input + prices.output
