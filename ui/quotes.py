"""What the next message costs on the models that the chat page speaks of, read once per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.parameters import MOST_USD, SYSTEM_PROMPT
from core.catalog.recommend import callable_now
from core.chat.conversation import Message
from core.chat.history_size import HistorySize, count_texts, measure_history
from core.chat.money_cap import usable_cap
from core.chat.price_strip import Quote, others_to_show, quote
from core.costs.standing import Standing
from ui import file_state, state
from ui.parameter_changes import load_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """The chosen model's quote, those of up to four others, and the person's limit for an answer in dollars.

    `tightest` is the hard budget with the least left, if any binds the person.
    """

    own: Quote
    others: Sequence[Quote]
    most_usd: Decimal | None
    tightest: Standing | None = None

    @property
    def all(self) -> list[Quote]:
        """The chosen model's, then the others in their places."""
        return [self.own, *self.others]


def read_quotes(
    services: Services, user: User, messages: Sequence[Message], model: ModelSpec, *, now: datetime
) -> Quotes:
    """What the next message costs on the chosen model and on up to four others."""
    preferences = read_preferences(load_preferences(services.database, user.id))
    state.set_use_case(preferences.use_case)
    state.set_answer_cap(preferences.answer_cap_usd)
    chosen = load_sheet(services, user, model).resolution.chosen()
    prompt, most = chosen.get(SYSTEM_PROMPT), chosen.get("max_tokens")
    texts = count_texts(messages)
    own = measure_history(messages, model=model, system_prompt=prompt if isinstance(prompt, str) else None, texts=texts)
    others = others_to_show(
        model.id,
        services.offered_models(user),
        favourites=preferences.favourites,
        use_case=preferences.use_case,
        hidden=preferences.hidden_models,
        usable=lambda other: callable_now(services.model_status(other)),
        images=any(attached.kind == "image" for attached in _files(messages)),
        tokens=own.tokens,
    )
    lengths = services.lengths.current()

    def quoted(other: ModelSpec, size: HistorySize) -> Quote:
        length = lengths.of(other.id, preferences.use_case).within(other.max_output_tokens)
        return quote(other, size, length.within(most if isinstance(most, int) else None), now=now)

    return Quotes(
        own=quoted(model, own),
        others=[quoted(other, measure_history(messages, model=other, texts=texts)) for other in others],
        most_usd=usable_cap(chosen.get(MOST_USD) or preferences.answer_cap_usd),
        tightest=services.budgets.tightest(user.id),
    )


def _files(messages: Sequence[Message]) -> list[Any]:
    sent = [attached for message in messages for attached in message.attachments]
    return [*sent, *file_state.waiting()]
