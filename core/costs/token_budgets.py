"""What API tokens may spend in a calendar month (UTC), beside the budgets of their owners.

Budgets and tokens are counted in the same way (core.costs.budgets): a call holds its estimate before it is made and
asks for more where it turns out longer, so that many at once end where the money does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from core.clock import Clock, utc_now
from core.costs.call import Call, Kind, TokenBudget
from core.costs.counters import Counters, Entry
from core.costs.ledger import Attempt
from core.costs.periods import period_start
from core.costs.recounting import Recounting
from core.costs.spending import Balance, Counted, Paid, Purse, Sum
from core.costs.words import apart, money
from core.errors import LimitReached
from core.shared.journal import ALONE, Journal
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("token_use")
# A turn that ended longer ago has settled.
_SETTLES_WITHIN = timedelta(minutes=10)
_RENEWED = "Wait for the next month, or make a token with a higher budget."


class TokenBudgets:
    """The budgets of the tokens of a running process. Safe to use from any thread."""

    def __init__(self, database: Database, *, clock: Clock = utc_now, journal: Journal = ALONE) -> None:
        """Read what has been spent. Raises StoreError."""
        self._database = database
        self._clock = clock
        # In place of people it counts tokens.
        self.counters = Counters(zone=UTC, journal=journal, of="token_")
        self._spending = self.counters.spending
        self._admitting = threading.Lock()
        # Whose the turns are that hold something.
        self._tokens: dict[str, str] = {}
        self._recounting = Recounting(database, self._count, of="what tokens have spent")
        self.recount()

    def admit(self, call: Call, *, kind: Kind = "first") -> bool:
        """Let a call pass and hold its estimate, to be followed by `settle` or `release`.

        True when it may cost no more than that without `grow`. Raises LimitReached (budget); nothing is held then that
        was not held before. Free calls need no money; those without a price pass as long as any is left.
        """
        token, cost_usd = call.token, call.cost.high_usd
        if token is None or call.cost.free or cost_usd == 0:
            return False
        now = self._clock()
        if cost_usd is None:
            self._refuse_spent(token, now)
            return False
        entry = Entry(
            turn_id=call.turn_id, user_id=token.id, cost_usd=cost_usd, tokens=0, at=now, instead=kind == "instead"
        )
        with self._admitting:
            self.counters.enter(entry, check=partial(self._check, token, entry, cost_usd), binding=True)
            self._tokens[call.turn_id] = token.id
        return True

    def grow(self, turn_id: str, token: TokenBudget, *, most_usd: Decimal) -> Decimal:
        """Hold up to `most_usd` more for a call that is longer than it was expected to be; how much it is now.

        Raises LimitReached (budget) when nothing is left.
        """
        now = self._clock()

        def more() -> Decimal:
            left_usd = self._balance(token, now).left_usd
            if left_usd <= 0:
                raise _stopped(token)
            return min(most_usd, left_usd)

        with self._admitting:
            return self.counters.grow(turn_id, user_id=token.id, at=now, more=more)

    def left_usd(self, token: TokenBudget | None, *, besides: str | None = None) -> Decimal | None:
        """What a token's next call may cost; None without a budget. `besides`: a turn whose last hold is free then."""
        if token is None:
            return None
        freed = self._spending.last_held_usd(besides) if besides else Decimal(0)
        return self._balance(token, self._clock()).left_usd + freed

    def settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        """The rows of a turn are in the ledger: what they cost takes the place of what the turn held."""
        token_id = self._tokens.pop(turn_id, None)
        if token_id is not None:
            rows = [Paid(token_id, row.started_at, row.cost.cost_usd) for row in attempts]
            self.counters.settle(turn_id, rows, tokens={})

    def release(self, turn_id: str) -> None:
        """The turn was never made."""
        if self._tokens.pop(turn_id, None) is not None:
            self.counters.release(turn_id)

    def recount(self) -> None:
        """Read from the ledger what was spent. Raises what the store raises."""
        self._recounting.now()

    def recount_if_changed(self) -> None:
        """Recount when anything was written since the last time; a failure is logged and what is known stays."""
        self._recounting.if_changed()

    def _count(self) -> None:
        self._spending.recount(lambda _zone: _count(self._database, now=self._clock()))

    def _check(self, token: TokenBudget, entry: Entry, cost_usd: Decimal) -> None:
        short = self._spending.short(
            entry.turn_id,
            user_id=token.id,
            cost_usd=cost_usd,
            purses=[_purse(token)],
            now=entry.at,
            instead=entry.instead,
        )
        if short is not None:
            raise _refused(token, short[0], cost_usd)

    def _refuse_spent(self, token: TokenBudget, now: datetime) -> None:
        balance = self._balance(token, now)
        if balance.left_usd <= 0:
            raise _refused(token, balance, Decimal(0))

    def _balance(self, token: TokenBudget, now: datetime) -> Balance:
        return self._spending.balance(_purse(token), now=now)


def _purse(token: TokenBudget) -> Purse:
    return Purse("month", (token.id,), token.usd)


def _refused(token: TokenBudget, balance: Balance, cost_usd: Decimal) -> LimitReached:
    whole = f"{money(token.usd)} a month (UTC)"
    if balance.left_usd > 0:
        cost, left = apart(cost_usd, balance.left_usd)
        said = f"This call would cost about {cost}, and {left} is left of the token's {whole}."
    elif balance.spent.usd < token.usd:
        said = f"Calls under way may take what is left of the token's {whole}."
    else:
        said = f"This token has spent {money(balance.spent.usd)} of its {money(token.usd)} this month (UTC)."
    return LimitReached("budget", said, limit_id=token.id, next_step=_RENEWED)


def _stopped(token: TokenBudget) -> LimitReached:
    said = f"The answer was stopped: nothing is left of the token's {money(token.usd)} a month (UTC)."
    return LimitReached("budget", f"{said} What had arrived is kept.", limit_id=token.id, next_step=_RENEWED)


def _count(database: Database, *, now: datetime) -> Counted:
    month = period_start(now, "month", UTC)

    def work(cur: Cursor) -> Counted:
        rows = cur.fetch_all(_SQL["spent_by_tokens"], since=month)
        turns = cur.fetch_all(_SQL["token_turns_since"], since=now - _SETTLES_WITHIN)
        sums = {row["token_id"]: Sum(row["cost_usd"] or Decimal(0), row["unpriced"]) for row in rows}
        return Counted(sums={("month", month): sums}, turns=frozenset(row["id"] for row in turns))

    return database.snapshot(work)
