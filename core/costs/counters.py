"""What is spent, held and asked this minute: the counters of one replica, in step with those of the others.

A call that a hard budget or a rate limit binds is agreed on: no replica lets one pass before it has counted what the
others let pass. Everything else, such as what a turn has cost in the end, is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from core.costs.rates import Lane, Windows
from core.costs.spending import Paid, Spending
from core.shared.journal import ALONE, Event, Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A call that is let pass: what it holds (None: nothing) and the windows it counts in. `at` is naive UTC."""

    turn_id: str
    user_id: str
    cost_usd: Decimal | None
    tokens: int
    at: datetime
    lanes: Sequence[Lane] = ()
    instead: bool = False


class Counters:
    """The counters of one process. Safe to use from any thread."""

    def __init__(self, *, zone: tzinfo, journal: Journal = ALONE, of: str = "") -> None:
        """`zone` is whose midnights begin the periods; `of` tells these counters apart from others in one journal."""
        self._of = of
        self.spending = Spending(zone=zone)
        self.windows = Windows()
        self._journal = journal
        journal.on(f"{of}hold", self._hear_hold)
        journal.on(f"{of}settle", self._hear_settle)
        journal.on(f"{of}release", self._hear_release)
        journal.on(f"{of}holds", self._hear_holds)
        journal.on("hello", lambda _event, _by: self.tell_holds())

    def enter(self, entry: Entry, *, check: Callable[[], None], binding: bool) -> None:
        """Let a call pass if `check` does not raise. `binding`: a limit counts it, so the others count with us."""
        calls = self._calls(entry)
        event = self._told(entry, calls)

        def decide() -> Event:
            check()
            return event

        if binding:
            self._journal.agree(decide, lambda: self._enter(entry, calls))
        else:
            decide()
            self._enter(entry, calls)
            self._journal.tell(event)

    def grow(self, turn_id: str, *, user_id: str, at: datetime, more: Callable[[], Decimal]) -> Decimal:
        """Let a turn's last call hold what `more` says beside what it holds, and return that. What it raises ends it.

        `more` may be asked more than once: the last word counts.
        """
        granted, calls = Decimal(0), list[Decimal]()

        def decide() -> Event:
            nonlocal granted, calls
            granted = more()
            calls = self.spending.calls_grown(turn_id, granted)
            return self._told(Entry(turn_id=turn_id, user_id=user_id, cost_usd=None, tokens=0, at=at), calls)

        self._journal.agree(decide, lambda: self.spending.put(turn_id, user_id=user_id, calls=calls))
        return granted

    def settle(self, turn_id: str, rows: Sequence[Paid], *, tokens: Mapping[str, int]) -> None:
        """The rows of a turn are in the ledger, and took so many tokens by model."""
        self.spending.settle(turn_id, rows)
        self.windows.correct(turn_id, tokens=tokens)
        told = [(row.user_id, row.started_at.isoformat(), _text(row.cost_usd)) for row in rows]
        self._journal.tell({"kind": f"{self._of}settle", "turn": turn_id, "rows": told, "tokens": dict(tokens)})

    def release(self, turn_id: str) -> None:
        """The turn was never made."""
        self.spending.release(turn_id)
        self.windows.correct(turn_id, tokens={})
        self._journal.tell({"kind": f"{self._of}release", "turn": turn_id})

    def tell_holds(self) -> None:
        """Tell the others what the turns of this replica hold."""
        self._journal.tell_now(self._holds)

    def forget(self, replicas: Collection[str]) -> None:
        """Let go of what the turns of replicas that are gone held."""
        for replica_id in replicas:
            self.spending.replace_holds(replica_id, {})

    def _told(self, entry: Entry, calls: Sequence[Decimal] | None) -> Event:
        # All that the turn holds and not what it holds more: to hear it twice is to hear it once.
        return {
            "kind": f"{self._of}hold",
            "turn": entry.turn_id,
            "user": entry.user_id,
            "calls": None if calls is None else [str(call) for call in calls],
            "tokens": entry.tokens,
            "at": entry.at.isoformat(),
            "lanes": [list(lane.key) for lane in entry.lanes],
        }

    def _holds(self) -> Event:
        own = self.spending.own_holds().items()
        return {
            "kind": f"{self._of}holds",
            "holds": {turn: (user, [str(call) for call in calls]) for turn, (user, calls) in own},
        }

    def _calls(self, entry: Entry) -> Sequence[Decimal] | None:
        """What the turn holds with this call; None when it holds nothing more than before."""
        if entry.cost_usd is None:
            return None
        return self.spending.calls_with(entry.turn_id, entry.cost_usd, instead=entry.instead)

    def _enter(self, entry: Entry, calls: Sequence[Decimal] | None, *, owner: str = "") -> None:
        if calls is not None:
            self.spending.put(entry.turn_id, user_id=entry.user_id, calls=calls, owner=owner)
        self.windows.enter(entry.turn_id, entry.lanes, tokens=entry.tokens, now=entry.at)

    def _hear_hold(self, event: Event, by: str) -> None:
        entry = Entry(
            turn_id=event["turn"],
            user_id=event["user"],
            cost_usd=None,
            tokens=event["tokens"],
            at=datetime.fromisoformat(event["at"]),
            lanes=[_lane(*key) for key in event["lanes"]],
        )
        calls = event["calls"]
        self._enter(entry, None if calls is None else [Decimal(call) for call in calls], owner=by)

    def _hear_settle(self, event: Event, _by: str) -> None:
        rows = [
            Paid(user, datetime.fromisoformat(at), None if usd is None else Decimal(usd))
            for user, at, usd in event["rows"]
        ]
        self.spending.settle(event["turn"], rows)
        self.windows.correct(event["turn"], tokens=event["tokens"])

    def _hear_release(self, event: Event, _by: str) -> None:
        self.spending.release(event["turn"])
        self.windows.correct(event["turn"], tokens={})

    def _hear_holds(self, event: Event, by: str) -> None:
        holds = {turn: (user, [Decimal(call) for call in calls]) for turn, (user, calls) in event["holds"].items()}
        self.spending.replace_holds(by, holds)


def _lane(limit_id: str, user_id: str, model_id: str | None) -> Lane:
    # It only counts: what the limit allows is for whoever asks.
    return Lane(limit_id=limit_id, user_id=user_id, model_id=model_id, requests=None, tokens=None)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
