"""What replicas on one store do for each other, again and again: signs of life, and turns that nobody answers any more.

Every half second the running turns of the others are looked at; every three seconds who is alive. The turns of a
replica that is gone are taken over by whoever notices first, and end as interrupted with what was kept of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from core.chat.elsewhere import TurnsElsewhere
from core.chat.recovery import TakenOver
from core.replicas.membership import BEAT_EVERY_S, Membership
from core.store.database import Cursor, Database
from core.store.sql import load_queries

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
_SQL = load_queries("replicas")


@dataclass(slots=True, kw_only=True)
class Watch:
    """The regular look at the others. `recover` takes over and ends turns that nobody answers.

    `gone` hears of replicas that died or left, `beaten` runs after every sign of life.
    """

    members: Membership
    elsewhere: TurnsElsewhere
    recover: Callable[[], object]
    gone: Callable[[Collection[str]], None]
    beaten: Callable[[], None] = field(default=lambda: None)

    def look(self) -> None:
        """Follow the turns of the others; recover those whose owner is gone."""
        owners = self.elsewhere.look()
        if not self.members.alive.issuperset(owners):
            self.recover()

    def beat(self) -> None:
        """Give a sign of life and find out who is gone."""
        gone = self.members.beat()
        for replica_id in gone:
            log.warning("the replica %s is gone", self.members.name_of(replica_id))
        if gone:
            self.gone(gone)
        self.beaten()


async def watch_regularly(watch: Watch) -> NoReturn:
    """Look and beat until cancelled. What fails is tried again: the store may be away for everybody."""
    looks_per_beat = round(BEAT_EVERY_S / LOOK_EVERY_S)
    failing = False
    number = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        number += 1
        try:
            # A look that fails must not keep this replica from giving its sign of life.
            if number % looks_per_beat == 0:
                await asyncio.to_thread(watch.beat)
            await asyncio.to_thread(watch.look)
            failing = False
        except Exception:
            if not failing:
                log.warning("the other replicas cannot be looked at; trying again", exc_info=True)
            failing = True


def take_over(database: Database, members: Membership, turn_id: str) -> TakenOver | None:
    """Take a running turn if it is nobody's; None when a living replica has it, perhaps since a moment ago."""
    return database.transaction(partial(_take, members=members, turn_id=turn_id))


def _take(cur: Cursor, *, members: Membership, turn_id: str) -> TakenOver | None:
    row = cur.fetch_one(_SQL["owner_of_turn"], turn_id=turn_id)
    if row is None:
        # Of a store that was copied while it ran. Its key keeps two replicas from both writing this row.
        cur.execute(
            _SQL["own_turn"],
            turn_id=turn_id,
            conversation_id="",
            answer_message_id="",
            continues=None,
            owner=members.id,
        )
        return TakenOver(owned=True)
    if row["owner"] in members.alive or row["has_joined"]:
        return None
    # Writing the row makes two that take it at once conflict, so that the second one sees the first.
    cur.execute(_SQL["take_over_turn"], turn_id=turn_id, before=row["owner"], owner=members.id)
    return TakenOver(answer_message_id=row["answer_message_id"], owned=True)
