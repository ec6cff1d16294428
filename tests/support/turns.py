"""What the tests of turns share: models, an engine on a real store, waiting without sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.chat.admission import TurnRequest
from core.chat.conversation import Message
from core.chat.store import load_conversation, load_messages
from core.chat.turn_buffer import TurnBuffer
from core.chat.turns import EngineSetup, LiveTurn, TurnEngine
from core.providers.events import Event, TextDelta
from core.providers.gateway import Gateway
from core.providers.scripted import ScriptedGateway
from core.store.database import Database, Row
from core.store.migrate import migrate

SCRIPTED = ProviderSpec(id="lab", kind="scripted")
PRICES = Prices(input=Decimal(3), output=Decimal(15))
# Only a test that fails waits so long.
TIMEOUT_S = 20.0


def model(model_id: str = "gpt", **changes: Any) -> ModelSpec:
    """A priced model of the scripted provider."""
    given = {"label": model_id.upper(), "provider": SCRIPTED, "upstream": model_id, "prices": PRICES, **changes}
    return ModelSpec(id=model_id, **given)


def wait_until(condition: Callable[[], object], *, timeout_s: float = TIMEOUT_S) -> bool:
    """Look at `condition` again and again; False when it did not come true in time."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.005)
    return True


def open_store(url: str) -> Database:
    """An empty store with all tables."""
    database = Database(url)
    migrate(database)
    return database


def read_to_end(buffer: TurnBuffer, *, offset: int = 0, timeout_s: float = TIMEOUT_S) -> list[Event]:
    """Every event from `offset` to the end. Fails when nothing comes for `timeout_s`."""
    events: list[Event] = []
    while True:
        reading = buffer.read(offset, timeout_s=timeout_s)
        assert reading.ended or reading.events, "the buffer neither grew nor ended"
        events.extend(reading.events)
        offset = reading.offset
        if reading.ended:
            return events


def text_of(events: list[Event]) -> str:
    """The answer's text in a list of events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finish(live: LiveTurn, *, timeout_s: float = TIMEOUT_S) -> Message:
    """The result of a turn, waited for."""
    assert live.buffer.wait_until_ended(timeout_s=timeout_s), "the turn did not end in time"
    assert live.result is not None
    return live.result


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """An engine on a store, asked by one person."""

    database: Database
    gateway: ScriptedGateway
    engine: TurnEngine
    user_id: str = "ann"

    def ask(self, text: str, *, conversation_id: str | None = None, model_id: str = "gpt", **fields: Any) -> LiveTurn:
        """Start a turn."""
        fields = {"user_id": self.user_id, **fields}
        request = TurnRequest(text=text, conversation_id=conversation_id, model_id=model_id, **fields)
        return self.engine.start(request)

    def messages(self, conversation_id: str) -> list[Message]:
        """The stored messages of a conversation."""
        conversation = load_conversation(self.database, conversation_id=conversation_id, user_id=self.user_id)
        return load_messages(self.database, conversation=conversation)

    def rows(self, table: str) -> list[Row]:
        """All rows of a table in the order they were made."""
        return self.database.fetch_all(f"select * from {table} order by id")  # noqa: S608 - a name in a test


async def no_wait(_seconds: float) -> None:
    """The waits between two attempts, for tests that are not about them."""


@contextmanager
def rig(
    database: Database, *models: ModelSpec, gateway: Gateway | None = None, close: bool = True, **options: Any
) -> Iterator[Rig]:
    """A rig on `database` that knows `models` (by default one called "gpt")."""
    scripted = gateway or ScriptedGateway()
    known = {spec.id: spec for spec in (models or (model(),))}
    options = {"sleep": no_wait, "stall_s": TIMEOUT_S, "checkpoint_s": TIMEOUT_S, "find_model": known.get, **options}
    engine = TurnEngine(EngineSetup(database=database, gateway=scripted, **options))
    try:
        yield Rig(database=database, gateway=scripted, engine=engine)  # type: ignore[arg-type]
    finally:
        if close:
            engine.close()
