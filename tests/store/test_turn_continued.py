"""Answers that go on where they were cut off: one answer for the reader, a turn and ledger rows for every part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.catalog.models import CacheRule
from core.chat.continuation import GO_ON, as_read
from core.chat.conversation import branch, by_id
from core.chat.export import export_markdown
from core.chat.store import load_conversation
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.providers.events import Finished, TextDelta, Usage
from core.providers.gateway import ChatMessage
from core.providers.scripted import answer
from tests.support.turns import finish, model, rig

USAGE = Usage(input_tokens=10, output_tokens=5)
CUT = (TextDelta("Forty-"), USAGE, Finished("length"))
BROKEN = (TextDelta("Forty-"), ProviderError(ErrorClass.CONNECTION, "GPT went away.", next_step="Try again."))


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database) as made:
        yield made


def path(chat, conversation_id):
    """The branch on show, as it is read."""
    conversation = load_conversation(chat.database, conversation_id=conversation_id, user_id="ann")
    return as_read(branch(by_id(chat.messages(conversation_id)), leaf_id=conversation.leaf_message_id))


def go_on(chat, ids, *events, **fields):
    """Have the last answer go on; its own result."""
    chat.gateway.enqueue(fields.get("model_id", "gpt"), *events)
    return finish(chat.ask("", conversation_id=ids.conversation, continues=ids.answer, **fields))


@pytest.mark.parametrize("first", [CUT, BROKEN], ids=["length", "broken"])
def test_an_answer_goes_on_as_one_and_every_part_is_in_the_ledger(chat, first):
    chat.gateway.enqueue("gpt", *first)
    live = chat.ask("Why?")
    finish(live)

    go_on(chat, live.ids, *answer("two.", usage=USAGE))

    question, whole = path(chat, live.ids.conversation)
    assert (question.content, whole.content, whole.status) == ("Why?", "Forty-two.", "complete")
    assert (whole.id, whole.finish_reason, whole.error_message) == (live.ids.answer, "stop", None)
    assert len(chat.rows("turns")) == len({row["turn_id"] for row in chat.rows("attempts")}) == 2
    assert whole.figures is not None
    costs = [row["cost_usd"] for row in chat.rows("attempts")]
    assert whole.figures.cost_usd == sum(costs)


def test_the_model_is_asked_to_go_on_and_later_reads_one_answer(chat):
    chat.gateway.enqueue("gpt", *CUT)
    live = chat.ask("Why?")
    finish(live)
    go_on(chat, live.ids, *answer("two."))

    chat.gateway.enqueue("gpt", *answer("Bye"))
    finish(chat.ask("Thanks", conversation_id=live.ids.conversation))

    asked, later = chat.gateway.history[1:]
    assert asked.messages == [
        ChatMessage("user", "Why?"),
        ChatMessage("assistant", "Forty-"),
        ChatMessage("user", GO_ON),
    ]
    assert later.messages == [
        ChatMessage("user", "Why?"),
        ChatMessage("assistant", "Forty-two."),
        ChatMessage("user", "Thanks"),
    ]
    assert not any(message.content == GO_ON for message in chat.messages(live.ids.conversation))


def test_an_export_for_readers_shows_one_answer(chat):
    chat.gateway.enqueue("gpt", *CUT)
    live = chat.ask("Why?")
    finish(live)
    go_on(chat, live.ids, *answer("two."))

    exported = export_markdown(chat.database, user_id="ann", conversation_id=live.ids.conversation).decode()

    assert exported.count("## ") == 2
    assert exported.endswith("Forty-two.\n")


def test_it_may_go_on_several_times_also_after_a_failure(chat):
    chat.gateway.enqueue("gpt", *CUT)
    live = chat.ask("Why?")
    finish(live)
    go_on(chat, live.ids, ProviderError(ErrorClass.AUTHENTICATION, "No key.", next_step="Ask."))
    assert path(chat, live.ids.conversation)[-1].status == "broken"

    go_on(chat, live.ids, TextDelta("two"), Finished("length"))
    go_on(chat, live.ids, *answer("."))

    assert path(chat, live.ids.conversation)[-1].content == "Forty-two."


def test_a_whole_answer_a_question_and_an_older_answer_do_not_go_on(chat):
    chat.gateway.enqueue("gpt", *CUT)
    first = chat.ask("Why?")
    finish(first)
    chat.gateway.enqueue("gpt", *answer("Because"))
    second = chat.ask("Really?", conversation_id=first.ids.conversation)
    finish(second)

    for wanted in (first.ids.answer, second.ids.answer, second.ids.question):
        with pytest.raises(TurnRefused, match="nothing to go on with"):
            chat.ask("", conversation_id=first.ids.conversation, continues=wanted)


def test_a_kept_answer_is_no_part_of_another(database):
    spec = replace(model(), cache=CacheRule(minutes=60))
    with rig(database, spec) as chat:
        chat.gateway.enqueue("gpt", *CUT)
        live = chat.ask("Why?")
        finish(live)
        go_on(chat, live.ids, *CUT)
        go_on(chat, live.ids, *answer("two."))

        assert len(chat.gateway.history) == 3
