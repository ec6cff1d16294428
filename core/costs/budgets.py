"""Budgets and rate limits at work: what a call has to pass before it is made, and how everybody stands.

Every call passes `admit`, whoever asks for it: answers, comparisons, titles, probes and the API. Nothing here asks the
store for a message: the limits and what has been spent are held in memory (core.costs.spending). When the ledger or
the limits cannot be read again, what was read last goes on to hold, with what was spent since: a fault of the store
neither opens nor closes anything. It cannot hide a cost either, because an answer whose rows cannot be written keeps
what it held.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import partial

from core.clock import Clock, utc_now
from core.costs.call import Call, Kind
from core.costs.counters import Counters, Entry
from core.costs.estimate import CostRange
from core.costs.ledger import Attempt
from core.costs.limit_rows import (
    Author,
    Record,
    count_ledger,
    delete_limit,
    load_limits,
    save_budget,
    save_rate_limit,
)
from core.costs.limits import Budget, People, RateLimit, concerns, in_force, payers, whom_words
from core.costs.periods import period_end
from core.costs.rates import Full, Lane
from core.costs.recounting import Recounting
from core.costs.refusals import refuse_budget, refuse_rate, refuse_unpriced, stop_for_budget
from core.costs.spending import Balance, Paid, Purse
from core.costs.standing import Level, Standing
from core.errors import LimitReached
from core.shared.journal import ALONE, Journal
from core.store.database import Database

_LEVELS: tuple[Level, ...] = ("spent", "warned", "fine")
_RECOUNTED_EVERY_S = 60.0


async def recount_regularly(*works: Callable[[], None], every_s: float = _RECOUNTED_EVERY_S) -> None:
    """Follow changes of the ledger that came another way than by a turn: corrections, imports. For the background."""
    while True:
        await asyncio.sleep(every_s)
        for work in works:
            await asyncio.to_thread(work)


class Budgets:
    """The budgets and rate limits of a running process. Safe to use from any thread."""

    def __init__(
        self,
        database: Database,
        *,
        people: People,
        record: Record,
        zone: Callable[[], tzinfo],
        clock: Clock = utc_now,
        journal: Journal = ALONE,
    ) -> None:
        """Read the limits and what has been spent. Raises StoreError.

        `zone` reads the team's time zone; the `journal` tells other replicas what is spent and held here.
        """
        self._database = database
        self.people = people
        self._record = record
        self._read_zone = zone
        self._clock = clock
        self._admitting = threading.Lock()
        self.counters = Counters(zone=zone(), journal=journal)
        self._spending = self.counters.spending
        self._recounting = Recounting(database, self._count, of="what people have spent")
        self.budgets, self.rate_limits = load_limits(database)
        self.recount()

    @property
    def zone(self) -> tzinfo:
        """The team's time zone, whose midnights begin the periods."""
        return self._spending.zone

    def admit(self, call: Call, *, kind: Kind = "first") -> bool:
        """Let a call pass and hold its estimate; to be followed by `settle` or `release` of its turn.

        True when it may cost no more than that without `grow`: a hard budget pays. `kind`: "instead" of the turn's last
        call, which failed, or one "more" of the same turn. Raises LimitReached (budget, rate_limit); nothing is held
        then that was not held before.
        """
        now = self._clock()
        lanes = [lane for lane in self._lanes(call) if kind != "instead" or lane.model_id is not None]
        # What costs nothing needs nobody's money.
        hard = [] if call.cost.free or call.cost.high_usd == 0 else self._hard(call.user_id)
        entry = Entry(
            turn_id=call.turn_id,
            user_id=call.user_id,
            cost_usd=None if call.cost.free else call.cost.high_usd or None,
            tokens=call.tokens,
            at=now,
            lanes=lanes,
            instead=kind == "instead",
        )
        with self._admitting:
            self.counters.enter(entry, check=partial(self._check, call, entry, hard), binding=bool(lanes or hard))
        return bool(hard) and not call.cost.unpriced

    def grow(self, turn_id: str, user_id: str, *, most_usd: Decimal) -> Decimal:
        """Hold up to `most_usd` more for a call that turns out dearer than its estimate; how much it is now.

        What other calls hold stays theirs. Raises LimitReached (budget) when nothing is left. It blocks, as `admit`.
        """

        def more() -> Decimal:
            least = self.tightest(user_id)
            if least is not None and least.balance.left_usd <= 0:
                raise stop_for_budget(least, people=self.people, zone=self.zone)
            return most_usd if least is None else min(most_usd, least.balance.left_usd)

        with self._admitting:
            return self.counters.grow(turn_id, user_id=user_id, at=self._clock(), more=more)

    def settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        """The rows of a turn are in the ledger: what they cost takes the place of what the turn held."""
        rows = [Paid(row.user_id, row.started_at, row.cost.cost_usd) for row in attempts]
        tokens: Counter[str] = Counter()
        for row in attempts:
            if not row.cached and row.served_model is not None:
                tokens[row.served_model] += row.usage.input_tokens + row.usage.output_tokens
        self.counters.settle(turn_id, rows, tokens=tokens)

    def release(self, turn_id: str) -> None:
        """The turn was never made."""
        self.counters.release(turn_id)

    def fits(self, call: Call) -> bool:
        """Whether the budgets would let a call pass in place of its turn's last one. Holds nothing."""
        if call.cost.free:
            return True
        if call.cost.high_usd is None:
            return all(budget.allow_unpriced for budget in self._hard(call.user_id))
        left_usd = self.left_usd(call.user_id, besides=call.turn_id)
        return left_usd is None or call.cost.high_usd <= left_usd

    def left_usd(self, user_id: str, *, besides: str | None = None) -> Decimal | None:
        """What a person's next call may cost: the least that is left of a hard budget; None without one.

        `besides` is a turn whose last call's hold counts as free.
        """
        now = self._clock()
        balances = [self._spending.balance(self._purse(one, user_id), now=now) for one in self._hard(user_id)]
        freed = self._spending.last_held_usd(besides) if besides else Decimal(0)
        return min((balance.left_usd + freed for balance in balances), default=None)

    def check_together(self, user_id: str, costs: Sequence[CostRange], *, turn: str = "These answers") -> None:
        """Whether a whole line-up of calls fits what is left to a person now. Holds nothing.

        Each call passes `admit` on its own afterwards. Raises LimitReached (budget) with the sum of the estimates.
        """
        cost_usd = sum((cost.high_usd for cost in costs if cost.high_usd is not None), Decimal(0))
        if not cost_usd:
            return
        now = self._clock()
        standings = self._standings_of(self._hard(user_id), user_id, now)
        short = [standing for standing in standings if cost_usd > standing.balance.left_usd]
        if short:
            least = min(short, key=lambda standing: standing.balance.left_usd)
            raise refuse_budget(least, cost_usd, people=self.people, zone=self.zone, what=turn)

    def standings(self, user_id: str) -> list[Standing]:
        """The budgets that bind a person: what is spent first, then what warns, and of these the least left first."""
        found = self._standings_of(in_force(self.budgets, user_id, self.people), user_id, self._clock())
        return sorted(found, key=lambda standing: (_LEVELS.index(standing.level), standing.balance.left_usd))

    def tightest(self, user_id: str) -> Standing | None:
        """The hard budget of a person with the least left; None without one."""
        found = self._standings_of(self._hard(user_id), user_id, self._clock())
        return min(found, key=lambda standing: standing.balance.left_usd, default=None)

    def everybody(self) -> list[Standing]:
        """How every shared budget stands, and every other one for whoever has spent of it; the most used first."""
        now = self._clock()
        shared = [budget for budget in self.budgets if budget.whom.shared and budget.whom.audience != "user"]
        found = [self._standing(budget, None, now) for budget in shared]
        named = {budget.whom.subject for budget in self.budgets if budget.whom.audience == "user"}
        for user_id in self._spending.people(now=now) | named:
            own = [budget for budget in in_force(self.budgets, user_id, self.people) if budget not in shared]
            found += self._standings_of(own, user_id, now)
        return sorted(found, key=lambda standing: standing.share, reverse=True)

    def save(self, limit: Budget | RateLimit, *, actor_id: str | None) -> Budget | RateLimit:
        """Add (without an id) or change a budget or a rate limit. It counts at once. Raises BudgetError, NotFound."""
        by = self._author(limit, actor_id)
        saved: Budget | RateLimit = (
            save_budget(self._database, limit, by)
            if isinstance(limit, Budget)
            else save_rate_limit(self._database, limit, by)
        )
        self.reload()
        return saved

    def delete(self, limit: Budget | RateLimit, *, actor_id: str | None) -> None:
        """Remove a budget or a rate limit. It binds nobody any more. Raises NotFound."""
        delete_limit(self._database, limit, self._author(limit, actor_id))
        self.reload()

    def reload(self) -> None:
        """Read the budgets and rate limits anew: somebody has changed them, perhaps on another replica."""
        self.budgets, self.rate_limits = load_limits(self._database)

    def recount(self) -> None:
        """Read from the ledger what was spent, with the team's time zone as it is now. Raises what the store raises."""
        self._recounting.now()

    def recount_if_changed(self) -> None:
        """Recount when anything was written since the last time; a failure is logged and what is known stays."""
        self._recounting.if_changed()

    def _count(self) -> None:
        self._spending.recount(
            lambda zone: count_ledger(self._database, zone=zone, now=self._clock()), zone=self._read_zone()
        )

    def _author(self, limit: Budget | RateLimit, actor_id: str | None) -> Author:
        subject = whom_words(limit.whom, self.people)
        return Author(actor_id=actor_id, subject=subject, record=self._record, now=self._clock())

    def _check(self, call: Call, entry: Entry, hard: Sequence[Budget]) -> None:
        """Raise LimitReached for a call that a window or a budget has no room for."""
        full = self.counters.windows.full(entry.lanes, tokens=call.tokens, now=entry.at)
        if full is not None:
            raise self._too_fast(call, full)
        if call.cost.high_usd is None:
            closed = next((budget for budget in hard if not budget.allow_unpriced), None)
            if closed is not None:
                raise refuse_unpriced(closed, call.model_label, people=self.people)
            return
        balances = self._spending.short(
            call.turn_id,
            user_id=call.user_id,
            cost_usd=call.cost.high_usd,
            purses=[self._purse(budget, call.user_id) for budget in hard],
            now=entry.at,
            instead=entry.instead,
        )
        if balances is not None:
            place = min(range(len(hard)), key=lambda index: balances[index].left_usd)
            tightest = self._told(hard[place], balances[place], call.user_id, entry.at)
            raise refuse_budget(tightest, call.cost.high_usd, people=self.people, zone=self.zone)

    def _hard(self, user_id: str) -> list[Budget]:
        return [budget for budget in in_force(self.budgets, user_id, self.people) if budget.hard]

    def _purse(self, budget: Budget, user_id: str | None) -> Purse:
        return Purse(budget.period, payers(budget.whom, user_id or "", self.people), budget.amount_usd)

    def _standings_of(self, budgets: Sequence[Budget], user_id: str, now: datetime) -> list[Standing]:
        return [self._standing(budget, user_id, now) for budget in budgets]

    def _standing(self, budget: Budget, user_id: str | None, now: datetime) -> Standing:
        return self._told(budget, self._spending.balance(self._purse(budget, user_id), now=now), user_id, now)

    def _told(self, budget: Budget, balance: Balance, user_id: str | None, now: datetime) -> Standing:
        renews_at = period_end(now, budget.period, self.zone)
        return Standing(budget=budget, balance=balance, renews_at=renews_at, user_id=user_id)

    def _lanes(self, call: Call) -> list[Lane]:
        return [
            Lane(
                limit_id=limit.id,
                user_id="" if limit.whom.shared else call.user_id,
                model_id=limit.model_id,
                requests=limit.requests_per_minute,
                tokens=limit.tokens_per_minute,
            )
            for limit in self.rate_limits
            if limit.model_id in {None, call.model_id}
            # What nobody asked for takes no place in a person's own minute.
            and not (call.background and not limit.whom.shared)
            and concerns(limit.whom, call.user_id, self.people)
        ]

    def _too_fast(self, call: Call, full: Full) -> LimitReached:
        limit = next(limit for limit in self.rate_limits if limit.id == full.lane.limit_id)
        return refuse_rate(limit, full, call_tokens=call.tokens, model_label=call.model_label, people=self.people)
