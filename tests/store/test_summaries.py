"""Summaries of the older part of a conversation: made once asked for, in the ledger, sent instead, taken back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.catalog.models import Prices, ProviderSpec
from core.chat.continuation import as_read
from core.chat.store import delete_conversation
from core.chat.summariser import Summariser, plan_summary
from core.chat.summary import load_summary, take_back_summary
from core.errors import ErrorClass, ProviderError
from core.providers.scripted import Gate, answer
from tests.support.turns import finish, model, rig, wait_until

PRICES = Prices(input=Decimal(1), output=Decimal(2))
CHEAP = model("cheap", prices=Prices(input=Decimal("0.1"), output=Decimal("0.4")))
ASKED = model(prices=PRICES, context_tokens=1000)
LONG = "word " * 300


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database, ASKED, CHEAP) as made:
        yield made


@pytest.fixture(name="conversation")
def _conversation(chat):
    """Two questions with their answers; the first question is long. Its id."""
    for text in ("One.", "Two."):
        chat.gateway.enqueue("gpt", *answer(text))
    live = chat.ask(LONG)
    finish(live)
    finish(chat.ask("And?", conversation_id=live.ids.conversation))
    return live.ids.conversation


@pytest.fixture(name="summariser")
def _summariser(chat):
    return Summariser(chat.database, gateway=chat.gateway, run_aside=chat.engine.run_aside)


def plan(chat, conversation, **candidates):
    messages = as_read(chat.messages(conversation))
    return plan_summary(messages, shown=len(messages), model=ASKED, candidates=candidates or {"cheap": CHEAP})


def make(chat, summariser, conversation):
    """Ask for a summary and wait until that is over."""
    summariser.start(plan(chat, conversation), user_id="ann", conversation_id=conversation)
    assert wait_until(lambda: not running(summariser, conversation))
    return load_summary(chat.database, conversation_id=conversation, user_id="ann")


def running(summariser, conversation):
    progress = summariser.progress(user_id="ann", conversation_id=conversation)
    return progress is not None and progress.running


def test_a_summary_is_made_by_the_cheap_model_and_stands_in_the_ledger(chat, conversation, summariser) -> None:
    chat.gateway.enqueue("cheap", *answer("They spoke of words."))

    summary = make(chat, summariser, conversation)

    assert (summary.text, summary.messages, summary.model_label) == ("They spoke of words.", 2, "CHEAP")
    assert summary.up_to == chat.messages(conversation)[1].id
    row = chat.rows("attempts")[-1]
    assert (row["source"], row["requested_model"], row["conversation_id"]) == ("summary", "cheap", conversation)
    assert row["cost_usd"] > 0
    sent = chat.gateway.history[-1].messages
    assert [message.role for message in sent] == ["user", "assistant", "user"]
    assert sent[0].content == LONG.strip()
    assert len(chat.messages(conversation)) == 4


def test_it_is_sent_in_place_of_what_it_tells_of_and_the_answer_says_so(chat, conversation, summariser) -> None:
    chat.gateway.enqueue("cheap", *answer("They spoke of words."))
    summary = make(chat, summariser, conversation)
    chat.gateway.enqueue("gpt", *answer("Three."))

    result = finish(chat.ask("More?", conversation_id=conversation, summary=summary))

    first, *rest = [message.content for message in chat.gateway.history[-1].messages]
    assert first.endswith("They spoke of words.\n\nAnd?")
    assert rest == ["Two.", "More?"]
    assert result.note == "sent with a summary of 2 messages"


def test_taken_back_it_stands_no_more(chat, conversation, summariser) -> None:
    chat.gateway.enqueue("cheap", *answer("They spoke of words."))
    make(chat, summariser, conversation)

    take_back_summary(chat.database, conversation_id=conversation, user_id="somebody")
    assert load_summary(chat.database, conversation_id=conversation, user_id="ann") is not None
    take_back_summary(chat.database, conversation_id=conversation, user_id="ann")

    assert load_summary(chat.database, conversation_id=conversation, user_id="ann") is None


def test_a_failed_call_changes_nothing_says_why_and_is_in_the_ledger(chat, conversation, summariser) -> None:
    chat.gateway.enqueue("cheap", ProviderError(ErrorClass.SERVER, "CHEAP has a fault.", next_step="Try again."))

    assert make(chat, summariser, conversation) is None

    assert "CHEAP has a fault." in summariser.progress(user_id="ann", conversation_id=conversation).problem
    assert chat.rows("attempts")[-1]["status"] == "server"
    summariser.forget(user_id="ann", conversation_id=conversation)
    assert summariser.progress(user_id="ann", conversation_id=conversation) is None


def test_while_one_is_made_no_second_one_is(chat, conversation, summariser) -> None:
    gate = Gate()
    chat.gateway.enqueue("cheap", gate, *answer("They spoke of words."))
    wanted = plan(chat, conversation)
    for _ in range(2):
        summariser.start(wanted, user_id="ann", conversation_id=conversation)
    assert gate.wait_until_reached()
    gate.open()

    assert wait_until(lambda: not running(summariser, conversation))
    assert [row["source"] for row in chat.rows("attempts")].count("summary") == 1


def test_the_cost_is_known_before_and_the_cheapest_that_can_is_taken(chat, conversation) -> None:
    toy = model("toy", prices=CHEAP.prices, provider=ProviderSpec(id="own", kind="local"))
    small = model("small", prices=Prices(input=Decimal(0), output=Decimal(0)), context_tokens=300)
    unpriced = model("unpriced", prices=None)

    found = plan(chat, conversation, gpt=model(prices=PRICES), cheap=CHEAP, toy=toy, small=small, unpriced=unpriced)

    assert (found.model.id, found.messages) == ("cheap", 2)
    assert 0 < found.cost.low_usd < found.cost.high_usd < Decimal("0.001")
    assert plan(chat, conversation, small=small, unpriced=unpriced) is None


def test_a_conversation_that_is_gone_keeps_its_summary_for_the_undo(chat, conversation, summariser) -> None:
    chat.gateway.enqueue("cheap", *answer("They spoke of words."))
    make(chat, summariser, conversation)
    delete_conversation(chat.database, conversation_id=conversation, user_id="ann")

    assert load_summary(chat.database, conversation_id=conversation, user_id="ann") is not None


def test_the_oldest_are_left_out_for_one_message_and_nothing_is_deleted(chat, conversation) -> None:
    chat.gateway.enqueue("gpt", *answer("Three."), *answer("Four."))

    result = finish(chat.ask("word " * 600, conversation_id=conversation, drop_oldest=True))

    assert result.note == "sent without the 2 oldest messages"
    assert [message.role for message in chat.gateway.history[-1].messages] == ["user", "assistant", "user"]
    assert len(chat.messages(conversation)) == 6
