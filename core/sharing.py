"""What a process shares with others on the same store, built from settings: nothing at all for a process alone.

Replicas are equal. The store says who lives, who answers which turn and who works on which job; through Redis, where
there is one, they count together what must not be spent twice. docs/adr/0013-replicas.md has the whole story.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from socket import gethostname
from typing import Protocol

from core.accounts.groups import Groups
from core.accounts.session_secret import derived_key
from core.arena.set_runner import SetRunner
from core.catalog.catalog import Catalog
from core.catalog.models import ModelSpec
from core.chat.elsewhere import Elsewhere, Nowhere, TurnsElsewhere
from core.chat.recovery import recover_turns
from core.chat.takeover import Watch, take_over
from core.chat.turns import TurnEngine
from core.costs.budgets import Budgets
from core.costs.price_book import PriceBook
from core.costs.token_budgets import TokenBudgets
from core.errors import SettingsError
from core.replicas.jobs import Members, OnlyOne
from core.replicas.membership import Marks, Membership
from core.replicas.news import AuditNews
from core.settings import Settings
from core.shared.journal import ALONE, Journal
from core.store.database import Database
from core.store.files import FileStore

log = logging.getLogger(__name__)


class LiveJournal(Journal, Protocol):
    """A journal as the process sees it: something to start, to ask after and to close."""

    @property
    def available(self) -> bool:
        """Whether the others can be told."""

    def on_return(self, work: Callable[[], None]) -> None:
        """Run `work` each time the others can be told again."""

    def start(self) -> None:
        """Begin to listen."""

    def close(self) -> None:
        """Tell the rest and let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """This process among the others. `journal` is None without SWITCHBOARD_REDIS, `members` alone without a store."""

    members: Members
    membership: Membership | None = None
    journal: LiveJournal | None = None

    @property
    def state(self) -> str:
        """How sharing through Redis goes, in a word: "off", "ok" or "away"."""
        if self.journal is None:
            return "off"
        return "ok" if self.journal.available else "away"

    def turn(self) -> bool:
        """Whether what has to be done once is this process's to do."""
        return self.members.leads

    def close(self) -> None:
        """Sign off: the others take over nothing, because nothing is left."""
        if self.journal is not None:
            self.journal.close()
        if self.membership is not None:
            self.membership.leave()


def open_sharing(settings: Settings, database: Database, files: FileStore, *, secret: str) -> Sharing:
    """Join the others. Raises SettingsError when they sign sessions or keep files in another way."""
    if not settings.shares_store:
        return Sharing(members=OnlyOne())
    marks = Marks(secret=derived_key(secret, "replicas"), files=_identity(files, settings))
    membership = Membership(database, name=f"{gethostname()}:{settings.port}", marks=marks)
    membership.join()
    return Sharing(members=membership, membership=membership, journal=_journal(settings, membership.id))


def _identity(files: FileStore, settings: Settings) -> str:
    try:
        return files.identity()
    except OSError as error:
        raise SettingsError(
            f"The folder of attached files, {settings.files_dir}, cannot be written.",
            next_step="Mount a folder there that this user may write, or set SWITCHBOARD_FILES.",
            detail=type(error).__name__,
        ) from error


def _journal(settings: Settings, replica_id: str) -> LiveJournal | None:
    if settings.redis is None:
        return None
    # Imported for replicas only.
    from core.shared.redis_journal import RedisJournal  # noqa: PLC0415

    return RedisJournal(settings.redis.get_secret_value(), replica_id=replica_id)


def turns_elsewhere(
    sharing: Sharing,
    database: Database,
    *,
    find_model: Callable[[str], ModelSpec | None],
    stop_here: Callable[[str], None],
) -> Elsewhere:
    """The running turns of the others."""
    if sharing.membership is None:
        return Nowhere()
    return TurnsElsewhere(
        database,
        owner=sharing.membership.id,
        find_model=find_model,
        stop_here=stop_here,
        journal=sharing.journal or ALONE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What this process keeps in memory of what administrators set, and of what others do."""

    budgets: Budgets
    tokens: TokenBudgets
    registry: Catalog
    prices: PriceBook
    groups: Groups
    engine: TurnEngine
    set_runner: SetRunner

    def read_again(self) -> None:
        """Take over what was changed on another replica."""
        self.budgets.reload()
        self.groups.reload()
        self.prices.reload()
        self.registry.read_overrides()

    def forget(self, replicas: Collection[str]) -> None:
        """Let go of what belongs to replicas that are gone."""
        self.budgets.counters.forget(replicas)
        self.tokens.counters.forget(replicas)


def start_sharing(
    sharing: Sharing, elsewhere: Elsewhere, kept: Kept, *, database: Database, files: FileStore
) -> Watch | None:
    """Begin to hear and tell. Returns what has to be looked at regularly; None for a process alone.

    Raises SettingsError when Redis refuses this program.
    """
    if sharing.journal is not None:
        sharing.journal.on_return(partial(_make_up, sharing.journal, kept))
        sharing.journal.start()
    if sharing.membership is None or not isinstance(elsewhere, TurnsElsewhere):
        return None
    recover = partial(
        recover_turns,
        database,
        find_model=lambda name: kept.registry.current().get(name),
        files=files,
        price_at=kept.prices.price_at,
        settled=kept.engine.limits.settle,
        take_over=partial(take_over, database, sharing.membership),
    )
    recover()
    return Watch(
        members=sharing.membership,
        elsewhere=elsewhere,
        recover=recover,
        gone=kept.forget,
        beaten=partial(_after_beat, AuditNews(database), kept),
    )


def _after_beat(news: AuditNews, kept: Kept) -> None:
    if news.look():
        kept.read_again()
    kept.set_runner.resume_all()


def _make_up(journal: LiveJournal, kept: Kept) -> None:
    """Redis answers, perhaps after it was away: tell how things stand here and hear how they stand elsewhere."""
    kept.budgets.counters.tell_holds()
    kept.tokens.counters.tell_holds()
    kept.engine.circuit.tell_open()
    journal.tell({"kind": "hello"})
    kept.budgets.recount_if_changed()
    kept.tokens.recount_if_changed()
