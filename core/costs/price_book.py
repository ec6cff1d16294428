"""The price book: what every model costs, from when to when, who entered it and why.

Where a price comes from decides what a change of it does:

- A model's first price applies at once: an unpriced call is worse than one that somebody may still correct.
- A price that the operator changes in the registry file applies at once, from the moment it is seen, unless an
  administrator had entered another one here.
- What a new version of LiteLLM or an endpoint brings is a proposal. Nobody has looked at it yet.

Nothing of this reaches back: a price holds from its `valid_from`, and only one that is entered late, on purpose,
corrects calls of the past (core.costs.repricing).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from core.catalog.models import ModelSpec, Prices
from core.clock import Clock, utc_now
from core.costs.price_lines import digest, from_lines, same_amounts, to_lines
from core.costs.price_sheets import (
    ADMINISTRATOR,
    REGISTRY,
    NewPrice,
    Proposal,
    Sheet,
    check,
    check_reason,
    ending,
    in_force,
    next_change,
    period,
    priced,
    summary,
)
from core.costs.price_store import Book, insert_decline, insert_sheets, load_book, version_name
from core.costs.repricing import Effect, correct, effects, slices_of
from core.store.database import Cursor, Database

log = logging.getLogger(__name__)

T = TypeVar("T")


class PriceBook:
    """The book of a running process, held in memory: looking up a price asks no store.

    It is read again after every change; where replicas share the store, also after one of theirs (`reload`).
    """

    def __init__(self, database: Database, *, record: Callable[..., None], clock: Clock = utc_now) -> None:
        """Read it. `record` writes an audit row inside a transaction (core.accounts.audit.record)."""
        self._database = database
        self._record = record
        self._clock = clock
        self._writing = threading.RLock()
        self._book = load_book(database)
        # The prices in force, and until when: replaced as a whole, so that threads need no lock.
        self._in_force: tuple[Book, datetime | None, Mapping[str, Prices | None]] | None = None

    def price_at(self, model: ModelSpec, moment: datetime) -> Prices | None:
        """What a call that ended at `moment` costs, off-peak hours included; None: nobody knows.

        A model that the book has never heard of costs what it says itself.
        """
        sheets = self._book.sheets.get(model.id)
        if sheets is None:
            return model.prices and model.prices.on(moment)
        prices = priced(sheets, moment)
        return prices and prices.on(moment)

    def prices(self) -> Mapping[str, Prices | None]:
        """The prices in force now by model, None where its price has ended. The same mapping until that changes."""
        book, now, kept = self._book, self._clock(), self._in_force
        if kept is None or kept[0] is not book or (kept[1] is not None and now >= kept[1]):
            found = {name: priced(sheets, now) for name, sheets in book.sheets.items()}
            kept = (book, next_change(book.all_sheets(), now), MappingProxyType(found))
            self._in_force = kept
        return kept[2]

    def reload(self) -> None:
        """Read it anew: another replica has changed it."""
        with self._writing:
            self._book = load_book(self._database)

    def sheets(self) -> Mapping[str, tuple[Sheet, ...]]:
        """Every entry by model, the newest first."""
        return self._book.sheets

    def follow(self, models: Iterable[ModelSpec]) -> None:
        """Enter what applies at once of the prices that the sources offer; what does not is in `proposals`.

        A failure is logged: calls then cost what the sources say, which is what they would be entered with.
        """
        try:
            with self._writing:
                self._fill([model for model in models if self._applies(model)])
        except Exception:
            log.exception("the price book could not be filled")

    def proposals(self, models: Iterable[ModelSpec]) -> list[Proposal]:
        """What the sources offer and nobody has accepted or declined, in the order of `models`."""
        now = self._clock()
        found = []
        for model in models:
            current = in_force(self._book.sheets.get(model.id, ()), now)
            offered, prices = model.prices, None if current is None else current.prices
            if offered is None or (prices is not None and same_amounts(offered, prices)):
                continue
            if not self._applies(model) and self._book.declined.get(model.id) != digest(offered):
                found.append(
                    Proposal(model_id=model.id, label=model.label, current=current if prices else None, offered=offered)
                )
        return found

    def accept(self, proposal: Proposal, *, reason: str, actor_id: str | None) -> Sheet:
        """Put a proposed price in force from now on."""
        price = NewPrice(
            model_id=proposal.model_id, prices=proposal.offered, valid_from=self._clock(), reason=check_reason(reason)
        )
        return self._enter(price, source=proposal.offered.source, actor_id=actor_id, audit="price.accept")

    def decline(self, proposal: Proposal, *, reason: str, actor_id: str | None) -> None:
        """Leave the price as it is; the same one is not proposed again."""
        reason = check_reason(reason)

        def work(cur: Cursor) -> None:
            self._refuse(cur, proposal.model_id, proposal.offered, reason=reason, actor_id=actor_id)
            after = {"offered": summary(proposal.offered), "reason": reason}
            self._audit(cur, "price.decline", proposal.model_id, after=after, actor_id=actor_id)

        self._write(work)

    def enter(self, price: NewPrice, *, offered: Prices | None, actor_id: str | None) -> Sheet:
        """Enter a price by hand. `offered` is what the sources say: whoever enters another one has seen it.

        One that holds from a moment in the past corrects the calls since, in the same transaction, by rows of
        `adjustments`. Raises PriceRefused when a value breaks a rule.
        """
        check(price)
        return self._enter(price, source=ADMINISTRATOR, actor_id=actor_id, audit="price.enter", instead_of=offered)

    def end(
        self, model_id: str, *, at: datetime | None, reason: str, offered: Prices | None, actor_id: str | None
    ) -> Sheet:
        """Let a model's price end `at` a moment (None: now) with none after it: its calls are unpriced from then on.

        Where the book has a next one, that goes on to hold from its moment. Raises PriceRefused (`ending`).
        """
        sheets = self._book.sheets.get(model_id, ())
        price = ending(model_id, sheets, at=at, now=self._clock(), reason=reason)
        return self._enter(price, source=ADMINISTRATOR, actor_id=actor_id, audit="price.end", instead_of=offered)

    def effect(self, price: NewPrice) -> Effect:
        """What entering this price would correct of the past. Raises PriceRefused as `enter` does."""
        check(price)
        if price.prices is None:
            return Effect()
        until = _past_end(price, self._clock())
        slices = slices_of(price.model_id, price.prices, since=price.valid_from, until=until)
        found = effects(self._database, slices, since=price.valid_from, until=until)
        return found.get(price.model_id, Effect())

    def effects_of(self, proposals: Sequence[Proposal], *, since: datetime) -> Mapping[str, Effect]:
        """What the calls that ended from `since` until now would have cost at the proposed prices, by model."""
        now = self._clock()
        slices = [
            part
            for proposal in proposals
            for part in slices_of(proposal.model_id, proposal.offered, since=since, until=now)
        ]
        return effects(self._database, slices, since=since, until=now)

    def _enter(
        self,
        price: NewPrice,
        *,
        source: str,
        actor_id: str | None,
        audit: str,
        instead_of: Prices | None = None,
    ) -> Sheet:
        with self._writing:
            now = self._clock()
            before = in_force(self._book.sheets.get(price.model_id, ()), price.valid_from)

            def work(cur: Cursor) -> int:
                version = insert_sheets(cur, [(price, source)], now=now, actor_id=actor_id)
                _correct_past(cur, price, version=version, now=now, actor_id=actor_id)
                if instead_of is not None and not (price.prices and same_amounts(instead_of, price.prices)):
                    self._refuse(cur, price.model_id, instead_of, reason=price.reason, actor_id=actor_id)
                self._audit(
                    cur,
                    audit,
                    price.model_id,
                    before=None if before is None else summary(before.prices),
                    after={**summary(price.prices), "version": version, **period(price), "reason": price.reason},
                    actor_id=actor_id,
                )
                return version

            version = self._write(work)
            return next(sheet for sheet in self._book.sheets[price.model_id] if sheet.version == version)

    def _fill(self, models: Sequence[ModelSpec]) -> None:
        if not models:
            return
        now = self._clock()
        first = [model for model in models if model.id not in self._book.sheets]
        changed = [model for model in models if model.id in self._book.sheets]

        def work(cur: Cursor) -> None:
            self._fill_some(cur, first, reason="first price", now=now)
            self._fill_some(cur, changed, reason="changed in the registry file", now=now)

        self._write(work)

    def _fill_some(self, cur: Cursor, models: Sequence[ModelSpec], *, reason: str, now: datetime) -> None:
        if not models:
            return
        entries = [
            (NewPrice(model_id=model.id, prices=model.prices, valid_from=now, reason=reason), model.prices.source)
            for model in models
            if model.prices is not None
        ]
        insert_sheets(cur, entries, now=now, actor_id=None)
        # One row, also for 500 models: the book itself has each of them with its moment.
        names = sorted(price.model_id for price, _ in entries)
        self._audit(cur, "price.fill", f"{len(names)} models", after={"models": names, "reason": reason}, actor_id=None)

    def _applies(self, model: ModelSpec) -> bool:
        """Whether what the sources say of a model goes into the book without being asked about."""
        now = self._clock()
        sheets = self._book.sheets.get(model.id, ())
        current = in_force(sheets, now)
        if model.prices is None:
            return False
        if current is None or current.prices is None:
            return current is None and not any(sheet.valid_from > now for sheet in sheets)
        by_operator = model.prices.source == REGISTRY and current.source != ADMINISTRATOR
        return by_operator and not same_amounts(model.prices, current.prices)

    def _refuse(self, cur: Cursor, model_id: str, offered: Prices, *, reason: str, actor_id: str | None) -> None:
        insert_decline(
            cur, model_id=model_id, digest=digest(offered), now=self._clock(), actor_id=actor_id, reason=reason
        )

    def _audit(self, cur: Cursor, action: str, subject: str, **entry: object) -> None:
        self._record(cur, action=action, subject=subject, clock=self._clock, **entry)

    def _write(self, work: Callable[[Cursor], T]) -> T:
        with self._writing:
            result = self._database.transaction(work)
            self._book = load_book(self._database)
            return result


def _correct_past(cur: Cursor, price: NewPrice, *, version: int, now: datetime, actor_id: str | None) -> None:
    until = _past_end(price, now)
    if price.prices is None or price.valid_from >= until:
        return
    named = from_lines(
        to_lines(price.prices),
        hours=price.prices.off_peak.hours if price.prices.off_peak else (),
        source=ADMINISTRATOR,
        version=version_name(version),
    )
    correct(
        cur,
        slices_of(price.model_id, named, since=price.valid_from, until=until),
        since=price.valid_from,
        until=until,
        reason=price.reason,
        actor_id=actor_id,
        now=now,
    )


def _past_end(price: NewPrice, now: datetime) -> datetime:
    return now if price.valid_to is None else min(price.valid_to, now)
