"""What replicas tell each other, in one order: everybody applies the same events, and nobody counts for the others.

Each replica keeps its own circuits, budgets and windows in memory, as one process alone does. A journal carries what
changes them to the others. Most of it is told afterwards and costs a call nothing; what must not be decided twice, such
as the last dollar of a budget, is decided on everything that was told before: `agree`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

# JSON. "kind" says who hears it; an event of a kind that this version does not know is for a newer one.
Event = Mapping[str, Any]
Hear = Callable[[Event, str], object]


class Journal(Protocol):
    """A journal as whoever keeps counters sees it. Safe to use from any thread."""

    def tell(self, event: Event) -> None:
        """Tell the others soon. Returns at once."""

    def tell_now(self, state: Callable[[], Event]) -> None:
        """Tell the others soon how things stand: as they do when it is told, so that nothing comes in between."""

    def agree(self, decide: Callable[[], Event], apply: Callable[[], None]) -> None:
        """Decide with all that the others have told, and let them know before anybody else decides.

        `decide` says what is to happen or raises, which ends it; it may run more than once and changes nothing. `apply`
        then makes it happen here. It blocks for a round trip: not for an event loop.
        """

    def on(self, kind: str, hear: Hear) -> None:
        """Let `hear` take in events of a kind from others, with the id of the replica that told them."""


class Alone:
    """The journal of a process that shares nothing."""

    def tell(self, event: Event) -> None:
        """Nobody listens."""

    def tell_now(self, state: Callable[[], Event]) -> None:
        """Nobody listens."""

    def agree(self, decide: Callable[[], Event], apply: Callable[[], None]) -> None:
        """There is nobody to agree with."""
        decide()
        apply()

    def on(self, kind: str, hear: Hear) -> None:
        """Nothing will come."""


ALONE = Alone()
