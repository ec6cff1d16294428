"""Temporary chats: answered like any other, and no word of them in the store, whatever happens."""

from __future__ import annotations

import pytest

from core.catalog.models import CacheRule
from core.chat.conversation import Attachment
from core.chat.recovery import recover_turns
from core.chat.store import list_conversations
from core.chat.temporary import TemporaryChat, begin, follow, settle
from core.errors import TurnRefused
from core.providers.events import Finished, TextDelta
from core.providers.scripted import Gate, ScriptedGateway, answer
from core.store.maintenance import row_counts
from tests.support.turns import finish, model, rig, wait_until

SECRET = "xylophone"


@pytest.fixture(name="lab")
def _lab(database):
    gateway = ScriptedGateway()
    with rig(database, gateway=gateway, checkpoint_s=0.01) as rigged:
        yield rigged, gateway


def _ask(rigged, chat: TemporaryChat, text: str = "", **fields) -> TemporaryChat:
    live = rigged.ask(text, conversation_id=chat.id, temporary=chat.messages, **fields)
    return follow(chat, live)


def _answered(rigged, chat: TemporaryChat, text: str = "", **fields) -> TemporaryChat:
    asked = _ask(rigged, chat, text, **fields)
    finish(asked.live)
    return settle(asked, rigged.database)


def _texts(chat: TemporaryChat) -> list[str]:
    return [message.content for message in chat.messages]


def _everything(database) -> str:
    tables = list(row_counts(database))
    return "\n".join(str(database.fetch_all(f"select * from {table}")) for table in tables)  # noqa: S608 - our tables


def test_it_is_answered_with_its_history_and_figures(lab):
    rigged, gateway = lab
    gateway.enqueue("gpt", *answer("One."))
    gateway.enqueue("gpt", *answer("Two."))

    chat = _answered(rigged, begin("ann"), "First")
    chat = _answered(rigged, chat, "Second")

    assert _texts(chat) == ["First", "One.", "Second", "Two."]
    assert chat.live is None
    assert all(message.figures.cost_usd > 0 for message in chat.messages if message.role == "assistant")
    sent = [message.content for message in gateway.history[-1].messages]
    assert sent == ["First", "One.", "Second"]


def test_only_its_cost_is_stored(lab):
    rigged, gateway = lab
    gate = Gate()
    gateway.enqueue("gpt", TextDelta(SECRET), gate, Finished("stop"))

    chat = _ask(rigged, begin("ann"), f"Say {SECRET}")
    assert gate.wait_until_reached()
    assert wait_until(lambda: rigged.rows("turns")[0]["checkpoint_at"])
    assert SECRET not in _everything(rigged.database)
    gate.open()
    finish(chat.live)

    assert _texts(settle(chat, rigged.database))[-1] == SECRET
    assert SECRET not in _everything(rigged.database)
    (attempt,) = rigged.rows("attempts")
    assert (attempt["status"], attempt["cost_usd"] > 0) == ("ok", True)
    assert rigged.rows("turns")[0]["status"] == "completed"
    assert list_conversations(rigged.database, user_id="ann", limit=9) == []
    assert rigged.rows("messages") == []


def test_a_crash_brings_nothing_back_but_the_turn(database):
    gateway, gate = ScriptedGateway(), Gate()
    gateway.enqueue("gpt", TextDelta(SECRET), gate, Finished("stop"))
    with rig(database, gateway=gateway, checkpoint_s=0.01) as rigged:
        _ask(rigged, begin("ann"), f"Say {SECRET}")
        assert gate.wait_until_reached()
        assert wait_until(lambda: rigged.rows("turns")[0]["checkpoint_at"])

        # As at the start after a crash: the turn is still running in the store.
        assert recover_turns(database, find_model={"gpt": model()}.get) == 1

        assert rigged.rows("messages") == []
        assert rigged.rows("turns")[0]["status"] == "interrupted"
        (attempt,) = rigged.rows("attempts")
        assert (attempt["status"], attempt["cost_code"]) == ("interrupted", "partial")
        assert attempt["cost_usd"] > 0
        assert SECRET not in _everything(database)
        gate.open()


def test_asking_again_replaces_the_answer(lab):
    rigged, gateway = lab
    for text in ("One.", "Two."):
        gateway.enqueue("gpt", *answer(text))

    chat = _answered(rigged, begin("ann"), "First")
    chat = _answered(rigged, chat, answer_again=chat.messages[0].id)

    assert _texts(chat) == ["First", "Two."]


def test_a_stopped_answer_goes_on(lab):
    rigged, gateway = lab
    gate = Gate()
    gateway.enqueue("gpt", TextDelta("Half "), gate, Finished("stop"))
    gateway.enqueue("gpt", *answer("a story."))

    chat = _ask(rigged, begin("ann"), "Tell me")
    assert gate.wait_until_reached()
    rigged.engine.stop(chat.live)
    finish(chat.live)
    chat = settle(chat, rigged.database)
    chat = _answered(rigged, chat, continues=chat.messages[-1].id)

    assert _texts(chat) == ["Tell me", "Half ", "a story."]


def test_while_it_is_answered_it_stands_as_it_is(lab):
    rigged, gateway = lab
    gate = Gate()
    gateway.enqueue("gpt", gate, *answer("One."))

    chat = _ask(rigged, begin("ann"), "First")

    assert settle(chat, rigged.database) is chat
    assert _texts(chat) == ["First"]
    with pytest.raises(TurnRefused, match="still being written"):
        _ask(rigged, chat, "At once")
    gate.open()
    finish(chat.live)


def test_files_are_refused_because_they_would_be_stored(lab):
    rigged, _ = lab
    file = Attachment(name="a.txt", kind="text", media_type="text/plain", content_hash="0" * 64, size_bytes=1)

    with pytest.raises(TurnRefused, match="cannot be sent in a temporary chat"):
        _ask(rigged, begin("ann"), "Read this", attachments=[file])

    assert rigged.rows("turns") == []


def test_an_exact_answer_is_not_kept(database):
    gateway = ScriptedGateway()
    gateway.enqueue("gpt", *answer(SECRET))
    with rig(database, model(cache=CacheRule(minutes=60)), gateway=gateway) as rigged:
        _answered(rigged, begin("ann"), "Say it")

        assert SECRET not in _everything(database)
