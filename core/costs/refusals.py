"""What somebody is told whose call does not pass, and the record of it for administrators."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from core.clock import Clock, utc_now
from core.costs.limit_rows import Refusal, add_refusal, list_refusals
from core.costs.limits import Budget, People, RateLimit, budget_words, rate_words
from core.costs.rates import Full
from core.costs.standing import Standing
from core.costs.words import apart
from core.errors import LimitReached
from core.ids import new_id
from core.store.database import Database

log = logging.getLogger(__name__)

KEPT = "Your message is kept in the box."
# A script that does not stop when it is told to must not fill the store.
_KEPT_EVERY = timedelta(minutes=1)


def refuse_budget(
    standing: Standing, cost_usd: Decimal, *, people: People, zone: tzinfo, what: str = "This message"
) -> LimitReached:
    """A call that costs more than is left of a budget."""
    budget, left_usd = standing.budget, standing.balance.left_usd
    whole = f"the budget of {budget_words(budget, people)}"
    renews = f"It renews on {local_moment(standing.renews_at, zone)}."
    one = what.startswith("This")
    less = None
    if left_usd > 0:
        less = "Shorten the conversation" if one else "Take a model out"
        would = "would cost" if one else "would cost together"
        cost, left = apart(cost_usd, left_usd)
        sentence = f"{what} {would} about {cost}, and {left} is left of {whole}. {renews}"
    elif standing.balance.spent.usd < budget.amount_usd:
        sentence = f"Answers under way may take what is left of {whole}. {renews}"
    else:
        sentence = f"{whole[0].upper()}{whole[1:]} is spent. {renews}"
    return LimitReached("budget", sentence, limit_id=budget.id, next_step=next_step(None, less=less))


def stop_for_budget(standing: Standing, *, people: People, zone: tzinfo) -> LimitReached:
    """An answer that is longer than was expected, and has used what was left of a budget."""
    budget = standing.budget
    return LimitReached(
        "budget",
        f"The answer was stopped: nothing is left of the budget of {budget_words(budget, people)}. "
        f"It renews on {local_moment(standing.renews_at, zone)}. What had arrived is kept.",
        limit_id=budget.id,
        next_step="Go on with a free model, or ask an administrator to raise the budget.",
    )


def refuse_unpriced(budget: Budget, model_label: str, *, people: People) -> LimitReached:
    """A call whose price nobody knows, where a budget allows none."""
    return LimitReached(
        "budget",
        f"Nobody knows what {model_label} costs, and the budget of {budget_words(budget, people)} "
        "allows only models with a known price.",
        limit_id=budget.id,
        next_step=f"Choose another model, or ask an administrator to set its price. {KEPT}",
    )


def refuse_rate(limit: RateLimit, full: Full, *, call_tokens: int, model_label: str, people: People) -> LimitReached:
    """A call that comes too soon, or is larger than a whole minute allows."""
    allowed = rate_words(limit, people, model=model_label)
    if full.wait_s is None:
        return LimitReached(
            "rate_limit",
            f"This message and its answer take about {call_tokens:,} tokens, more than the limit of {allowed}.",
            limit_id=limit.id,
            next_step=f"Shorten it, start a new chat, or ask an administrator. {KEPT}",
        )
    seconds = max(1, math.ceil(full.wait_s))
    used = full.what.removesuffix("s") if full.used == 1 else full.what
    return LimitReached(
        "rate_limit",
        f"The limit of {allowed} is reached ({full.used:,} {used} in the last minute).",
        limit_id=limit.id,
        retry_after_s=full.wait_s,
        next_step=f"Try again in {seconds} {'second' if seconds == 1 else 'seconds'}. {KEPT}",
    )


def next_step(instead_label: str | None, *, less: str | None = None) -> str:
    """What to do about a budget; `instead_label` names a model that would still answer, `less` how to need less."""
    if instead_label is None:
        return f"{f'{less}, or ask' if less else 'Ask'} an administrator to raise the budget. {KEPT}"
    return f"Use {instead_label}, which still fits, or ask an administrator to raise the budget. {KEPT}"


def local_moment(moment: datetime, zone: tzinfo) -> str:
    """`Tue 1 Dec, 00:00 (Europe/Berlin)`: budgets renew on the team's calendar, wherever the reader is."""
    local = moment.replace(tzinfo=UTC).astimezone(zone)
    return f"{local:%a} {local.day} {local:%b, %H:%M} ({zone})"


class RefusalLog:
    """Who was refused of late, in the store: once a minute for each person and limit. Safe to use from any thread."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._last: dict[tuple[str, str], datetime] = {}

    def keep(self, refused: LimitReached, *, user_id: str, model_id: str, source: str) -> None:
        """Keep that somebody was refused. A failure is logged: the refusal itself stands."""
        now, key = self._clock(), (user_id, refused.limit_id)
        last = self._last.get(key)
        if last is not None and now - last < _KEPT_EVERY:
            return
        self._last[key] = now
        row = Refusal(
            id=new_id(),
            refused_at=now,
            user_id=user_id,
            source=source,
            model_id=model_id,
            code=refused.code,
            limit_id=refused.limit_id,
            reason=refused.user_message,
        )
        try:
            add_refusal(self._database, row)
        except Exception:
            log.exception("a refusal could not be kept")

    def newest(self, *, limit: int = 200) -> list[Refusal]:
        """The newest refusals, newest first."""
        return list_refusals(self._database, limit=limit)
