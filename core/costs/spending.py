"""What has been spent in the current day, week and month, and what calls under way may still cost. All in memory.

Every sum is the ledger's: read from it at the start and again when it was changed from elsewhere, and in between moved
by each turn as its rows are written. A call holds its estimate before it is made, so that many at once cannot each
count on the same money; the hold goes in the moment in which the cost takes its place.

`hold`, `settle` and `release` are each one step. Several replicas keep one of these each and tell one another every
step (core.costs.counters); a hold then says whose turn it is for, so that it goes when that replica is gone.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from core.costs.periods import PERIODS, Period, period_start

# What comes late comes within seconds.
_SETTLED_KEPT = 10_000

# A period by when it began (naive UTC).
Key = tuple[Period, datetime]


@dataclass(frozen=True, slots=True)
class Sum:
    """Dollars, and how many calls beside them have no known price."""

    usd: Decimal = Decimal(0)
    unpriced: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Both together."""
        return Sum(self.usd + other.usd, self.unpriced + other.unpriced)


@dataclass(frozen=True, slots=True)
class Paid:
    """One row of the ledger as far as budgets are concerned. `started_at` is naive UTC and says in which period."""

    user_id: str
    started_at: datetime
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Purse:
    """An amount that several calls share: what these people (None: everybody) spend in a period."""

    period: Period
    payers: Collection[str] | None
    amount_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a purse stands: what was spent, and what calls under way hold of the rest."""

    spent: Sum
    held_usd: Decimal
    amount_usd: Decimal

    @property
    def left_usd(self) -> Decimal:
        """What a call may cost now; negative when more was spent than was there."""
        return self.amount_usd - self.spent.usd - self.held_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The sums of a ledger by period and person, and which turns of the last minutes are in them."""

    sums: Mapping[Key, Mapping[str, Sum]]
    turns: frozenset[str]


@dataclass(slots=True)
class _Hold:
    user_id: str
    calls: list[Decimal] = field(default_factory=list)  # the estimates of the turn's calls, the last one under way
    owner: str = ""  # the other replica whose turn it is; empty for this process's own


class Spending:
    """The counters of one process. Safe to use from any thread; every method is quick."""

    def __init__(self, *, zone: tzinfo) -> None:
        """`zone` is whose midnights begin the periods."""
        self._lock = threading.Lock()
        self._zone = zone
        self._sums: defaultdict[Key, dict[str, Sum]] = defaultdict(dict)
        self._holds: dict[str, _Hold] = {}
        # The turns that settled last, the oldest first.
        self._settled: dict[str, None] = {}
        # What settled since the ledger is being read, and the turns that the last reading had already seen.
        self._meanwhile: list[tuple[str, Sequence[Paid]]] | None = None
        self._seen: frozenset[str] = frozenset()

    def short(
        self,
        turn_id: str,
        *,
        user_id: str,
        cost_usd: Decimal,
        purses: Sequence[Purse],
        now: datetime,
        instead: bool = False,
    ) -> list[Balance] | None:
        """How the purses stand, where one of them has not the estimate of a call; None when all have it.

        `instead`: the call takes the place of the turn's last one, which has failed; otherwise it is one more.
        """
        with self._lock:
            return self._short(turn_id, user_id, cost_usd, purses, now, instead=instead)

    def calls_with(self, turn_id: str, cost_usd: Decimal, *, instead: bool) -> list[Decimal]:
        """What a turn's calls would hold with one more, or with one in place of the last."""
        with self._lock:
            held = self._holds.get(turn_id)
            calls = list(held.calls) if held is not None else []
        return [*(calls[:-1] if instead else calls), cost_usd]

    def calls_grown(self, turn_id: str, more_usd: Decimal) -> list[Decimal]:
        """What a turn's calls would hold with more for the last one."""
        with self._lock:
            held = self._holds.get(turn_id)
            calls = list(held.calls) if held is not None else []
        *before, last = calls or [Decimal(0)]
        return [*before, last + more_usd]

    def put(self, turn_id: str, *, user_id: str, calls: Sequence[Decimal], owner: str = "") -> None:
        """A turn holds this, whether or not the purses have it: somebody has looked. One that has settled does not.

        A call that is ended while it waits for its hold may get it afterwards: nobody would let go of it.
        """
        with self._lock:
            if turn_id not in self._settled:
                self._holds[turn_id] = _Hold(user_id, list(calls), owner)

    def own_holds(self) -> dict[str, tuple[str, Sequence[Decimal]]]:
        """What the turns of this process hold: by turn the person, and the estimates of its calls."""
        with self._lock:
            return {turn: (held.user_id, list(held.calls)) for turn, held in self._holds.items() if not held.owner}

    def owners(self) -> frozenset[str]:
        """The other replicas whose turns hold something."""
        with self._lock:
            return frozenset(held.owner for held in self._holds.values() if held.owner)

    def replace_holds(self, owner: str, holds: Mapping[str, tuple[str, Sequence[Decimal]]]) -> None:
        """What the turns of another replica hold is this, and nothing else."""
        with self._lock:
            self._holds = {turn: held for turn, held in self._holds.items() if held.owner != owner}
            for turn, (user_id, calls) in holds.items():
                self._holds[turn] = _Hold(user_id, list(calls), owner)

    def settle(self, turn_id: str, rows: Sequence[Paid]) -> None:
        """The turn's rows are in the ledger: count them and let go of what the turn held, in one step."""
        with self._lock:
            self._holds.pop(turn_id, None)
            self._settled[turn_id] = None
            if len(self._settled) > _SETTLED_KEPT:
                del self._settled[next(iter(self._settled))]
            if turn_id in self._seen:
                return
            self._add(rows)
            if self._meanwhile is not None:
                self._meanwhile.append((turn_id, rows))

    def release(self, turn_id: str) -> None:
        """The turn was never made: let go of what it held."""
        with self._lock:
            self._holds.pop(turn_id, None)

    def balance(self, purse: Purse, *, now: datetime) -> Balance:
        """How a purse stands at `now` (naive UTC)."""
        with self._lock:
            return self._balance(purse, now)

    def last_held_usd(self, turn_id: str) -> Decimal:
        """What the last call of a turn holds."""
        with self._lock:
            held = self._holds.get(turn_id)
            return held.calls[-1] if held is not None and held.calls else Decimal(0)

    def recount(self, read: Callable[[tzinfo], Counted], *, zone: tzinfo | None = None) -> None:
        """Take the ledger's own sums in place of these; one recount at a time.

        `read` may take its time: turns that end meanwhile are counted once, whether or not it saw them. What it raises
        leaves everything as it was.
        """
        with self._lock:
            self._meanwhile = []
        wanted = zone or self._zone
        try:
            counted = read(wanted)
        except BaseException:
            with self._lock:
                self._meanwhile = None
            raise
        with self._lock:
            self._zone, self._seen = wanted, counted.turns
            self._sums = defaultdict(dict, {key: dict(by_person) for key, by_person in counted.sums.items()})
            meanwhile, self._meanwhile = self._meanwhile, None
            for turn_id, rows in meanwhile or ():
                if turn_id not in counted.turns:
                    self._add(rows)

    @property
    def zone(self) -> tzinfo:
        """Whose midnights begin the periods."""
        return self._zone

    def people(self, *, now: datetime) -> set[str]:
        """Whoever has spent something in a current period, or holds something."""
        with self._lock:
            spent = {user for period in PERIODS for user in self._sums.get(self._key(period, now), ())}
            return spent | {held.user_id for held in self._holds.values()}

    def _short(
        self,
        turn_id: str,
        user_id: str,
        cost_usd: Decimal,
        purses: Sequence[Purse],
        now: datetime,
        *,
        instead: bool,
    ) -> list[Balance] | None:
        own = self._holds.get(turn_id)
        freed = own.calls[-1] if own is not None and own.calls and instead else Decimal(0)
        balances = [self._balance(purse, now) for purse in purses]
        fits = (
            cost_usd <= balance.left_usd + (freed if _pays(purse, user_id) else 0)
            for purse, balance in zip(purses, balances, strict=True)
        )
        return None if all(fits) else balances

    def _add(self, rows: Iterable[Paid]) -> None:
        for row in rows:
            more = Sum(unpriced=1) if row.cost_usd is None else Sum(row.cost_usd)
            for period in PERIODS:
                by_person = self._sums[self._key(period, row.started_at)]
                by_person[row.user_id] = by_person.get(row.user_id, Sum()) + more

    def _balance(self, purse: Purse, now: datetime) -> Balance:
        by_person = self._sums.get(self._key(purse.period, now), {})
        payers = by_person if purse.payers is None else purse.payers
        spent = sum((by_person[payer] for payer in payers if payer in by_person), Sum())
        held = sum((sum(held.calls, Decimal(0)) for held in self._holds.values() if _pays(purse, held.user_id)), _NONE)
        return Balance(spent=spent, held_usd=held, amount_usd=purse.amount_usd)

    def _key(self, period: Period, moment: datetime) -> Key:
        return period, period_start(moment, period, self._zone)


_NONE = Decimal(0)


def _pays(purse: Purse, user_id: str) -> bool:
    return purse.payers is None or user_id in purse.payers
