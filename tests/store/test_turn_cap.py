"""A limit in dollars for an answer: sent as tokens, told when it cut, another one for every call."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.catalog.models import Prices
from core.chat.continuation import as_read
from core.chat.conversation import branch, by_id
from core.chat.store import load_conversation
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.providers.events import Finished, TextDelta, Usage
from core.providers.scripted import answer
from tests.support.turns import finish, model, rig

CUT = (TextDelta("Forty-"), Usage(input_tokens=10, output_tokens=5), Finished("length"))
CAP = Decimal("0.05")
DEAR = model(prices=Prices(input=Decimal(3), output=Decimal(15)), fallbacks=("cheap",))
CHEAP = model("cheap", prices=Prices(input=Decimal(1), output=Decimal(5)))


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database, DEAR, CHEAP, model("unpriced", prices=None)) as made:
        yield made


def limits(chat) -> list[object]:
    return [request.parameters.get("max_tokens") for request in chat.gateway.history]


def test_an_answer_that_was_cut_says_so_and_goes_on_with_as_much_again(chat) -> None:
    chat.gateway.enqueue("gpt", *CUT)
    live = chat.ask("Why?", most_usd=CAP)
    assert finish(live).note == "cut at your limit of $0.05"

    chat.gateway.enqueue("gpt", *answer("two."))
    finish(chat.ask("", conversation_id=live.ids.conversation, continues=live.ids.answer, most_usd=CAP))

    conversation = load_conversation(chat.database, conversation_id=live.ids.conversation, user_id="ann")
    stored = by_id(chat.messages(live.ids.conversation))
    [_, whole] = as_read(branch(stored, leaf_id=conversation.leaf_message_id))
    assert (whole.content, whole.note) == ("Forty-two.", None)
    assert stored[live.ids.answer].note == "cut at your limit of $0.05"
    first, second = limits(chat)
    assert 3300 < second < first < 3334


def test_a_fallback_gets_a_limit_from_its_own_prices(chat) -> None:
    chat.gateway.enqueue("gpt", ProviderError(ErrorClass.NOT_FOUND, "It is gone.", next_step="Choose another."))
    chat.gateway.enqueue("cheap", *answer("Here"))
    finish(chat.ask("Why?", most_usd=CAP))

    dear, cheap = limits(chat)
    assert 3 * dear - 5 < cheap < 3 * dear + 5


def test_an_answer_cut_at_a_length_that_somebody_set_names_no_money(chat) -> None:
    chat.gateway.enqueue("gpt", *CUT)

    assert finish(chat.ask("Why?", most_usd=CAP, parameters={"max_tokens": 5})).note is None


def test_a_model_without_a_price_is_not_limited(chat) -> None:
    chat.gateway.enqueue("unpriced", *answer("Here"))
    finish(chat.ask("Why?", model_id="unpriced", most_usd=CAP))

    assert limits(chat) == [None]


def test_input_that_costs_more_is_refused_before_anything_is_stored(chat) -> None:
    with pytest.raises(TurnRefused, match=r"your limit for an answer is \$0\.0001"):
        chat.ask("word " * 1000, most_usd=Decimal("0.0001"))

    assert [chat.rows("turns"), chat.rows("messages"), list(chat.gateway.history)] == [[], [], []]
