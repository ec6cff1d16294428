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

    def __init__(self, *, zone: tzinfo, journal: Journal = ALONE) -> None:
        """`zone` is whose midnights begin the periods."""
        self.spending = Spending(zone=zone)
        self.windows = Windows()
        self._journal = journal
        journal.on("hold", self._hear_hold)
        journal.on("settle", self._hear_settle)
        journal.on("release", self._hear_release)
        journal.on("holds", self._hear_holds)
        journal.on("hello", lambda _event, _by: self.tell_holds())

    def enter(self, entry: Entry, *, check: Callable[[], None], binding: bool) -> None:
        """Let a call pass if `check` does not raise. `binding`: a limit counts it, so the others count with us."""
        event = _told(entry)

        def decide() -> Event:
            check()
            return event

        if binding:
            self._journal.agree(decide, lambda: self._enter(entry))
        else:
            decide()
            self._enter(entry)
            self._journal.tell(event)

    def settle(self, turn_id: str, rows: Sequence[Paid], *, tokens: Mapping[str, int]) -> None:
        """The rows of a turn are in the ledger, and took so many tokens by model."""
        self.spending.settle(turn_id, rows)
        self.windows.correct(turn_id, tokens=tokens)
        told = [(row.user_id, row.started_at.isoformat(), _text(row.cost_usd)) for row in rows]
        self._journal.tell({"kind": "settle", "turn": turn_id, "rows": told, "tokens": dict(tokens)})

    def release(self, turn_id: str) -> None:
        """The turn was never made."""
        self.spending.release(turn_id)
        self.windows.correct(turn_id, tokens={})
        self._journal.tell({"kind": "release", "turn": turn_id})

    def tell_holds(self) -> None:
        """Tell the others what the turns of this replica hold."""
        holds = {
            turn: (user, [str(call) for call in calls]) for turn, (user, calls) in self.spending.own_holds().items()
        }
        self._journal.tell({"kind": "holds", "holds": holds})

    def forget(self, replicas: Collection[str]) -> None:
        """Let go of what the turns of replicas that are gone held."""
        for replica_id in replicas:
            self.spending.replace_holds(replica_id, {})

    def _enter(self, entry: Entry, *, owner: str = "") -> None:
        if entry.cost_usd is not None:
            self.spending.take(
                entry.turn_id, user_id=entry.user_id, cost_usd=entry.cost_usd, instead=entry.instead, owner=owner
            )
        self.windows.enter(entry.turn_id, entry.lanes, tokens=entry.tokens, now=entry.at)

    def _hear_hold(self, event: Event, by: str) -> None:
        entry = Entry(
            turn_id=event["turn"],
            user_id=event["user"],
            cost_usd=None if event["usd"] is None else Decimal(event["usd"]),
            tokens=event["tokens"],
            at=datetime.fromisoformat(event["at"]),
            lanes=[_lane(*key) for key in event["lanes"]],
            instead=event["instead"],
        )
        self._enter(entry, owner=by)

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


def _told(entry: Entry) -> Event:
    return {
        "kind": "hold",
        "turn": entry.turn_id,
        "user": entry.user_id,
        "usd": _text(entry.cost_usd),
        "tokens": entry.tokens,
        "at": entry.at.isoformat(),
        "lanes": [list(lane.key) for lane in entry.lanes],
        "instead": entry.instead,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
