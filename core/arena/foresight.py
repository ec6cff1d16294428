"""What a line-up of calls may cost together, before any of them is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.catalog.effective import Values
from core.catalog.models import ModelSpec
from core.catalog.parameters import SYSTEM_PROMPT
from core.chat.conversation import Attachment, Message
from core.chat.history_size import attachment_tokens, measure_history
from core.chat.price_strip import Quote, quote
from core.clock import Clock, utc_now
from core.costs.budgets import Budgets
from core.costs.estimate import CostRange
from core.costs.output_lengths import OutputLengths
from core.costs.refusals import RefusalLog
from core.costs.token_count import estimate_tokens
from core.errors import LimitReached


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A call to come: the model, what is set for it, and what it reads before the message."""

    model: ModelSpec
    parameters: Values
    history: Sequence[Message] = ()


def quote_prospect(prospect: Prospect, *, lengths: OutputLengths, use_case: str | None, now: datetime) -> Quote:
    """What the next message costs, by the length of its input."""
    model = prospect.model
    prompt, most = prospect.parameters.get(SYSTEM_PROMPT), prospect.parameters.get("max_tokens")
    size = measure_history(prospect.history, model=model, system_prompt=prompt if isinstance(prompt, str) else None)
    length = lengths.of(model.id, use_case).within(model.max_output_tokens)
    return quote(model, size, length.within(most if isinstance(most, int) else None), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """Looks at what calls may cost together against what is left to a person."""

    budgets: Budgets
    lengths: Callable[[], OutputLengths]
    clock: Clock = utc_now
    refusals: RefusalLog | None = None

    def limited(self, user_id: str) -> bool:
        """Whether a budget binds this person at all: most need no look at the histories."""
        return self.budgets.left_usd(user_id) is not None

    def check(
        self,
        user_id: str,
        prospects: Sequence[Prospect],
        *,
        text: str,
        attachments: Sequence[Attachment] = (),
        use_case: str | None = None,
    ) -> None:
        """Raises LimitReached when the calls together do not fit what is left of a budget; it is kept then."""
        costs = [self._cost(prospect, text, attachments, use_case) for prospect in prospects]
        try:
            self.budgets.check_together(user_id, costs)
        except LimitReached as refused:
            if self.refusals is not None:
                models = ", ".join(dict.fromkeys(prospect.model.id for prospect in prospects))
                self.refusals.keep(refused, user_id=user_id, model_id=models, source="compare")
            raise

    def _cost(
        self, prospect: Prospect, text: str, attachments: Sequence[Attachment], use_case: str | None
    ) -> CostRange:
        now = self.clock()
        quoted = quote_prospect(prospect, lengths=self.lengths(), use_case=use_case, now=now)
        draft = estimate_tokens(text) + sum(attachment_tokens(one, prospect.model) for one in attachments)
        return quoted.cost(draft, now=now)
