"""The same question of the same person gets the same answer, for as long as the registry says and no longer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.catalog.models import CacheRule
from core.chat.script_call import ScriptCall
from core.errors import ErrorClass, ProviderError
from core.ids import new_id
from core.providers.events import Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage
from core.providers.scripted import answer
from tests.support.moving_clock import MovingClock
from tests.support.turns import finish, model, read_to_end, rig

RULE = CacheRule(minutes=60)
USAGE = Usage(input_tokens=1000, output_tokens=2000, cached_input_tokens=400, reasoning_tokens=500)


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="running")
def _running(database, clock):
    with rig(database, model(cache=RULE), model("plain"), clock=clock) as made:
        made.gateway.enqueue("gpt", *answer("The first", reasoning="Hm", usage=USAGE))
        finish(made.ask("Why?"))
        yield made


def calls(running):
    return len(running.gateway.history)


def test_a_hit_comes_through_the_buffer_and_costs_nothing(running):
    live = running.ask("Why?")
    events = read_to_end(live.buffer)

    assert events == [Started(), ReasoningDelta("Hm"), TextDelta("The first"), USAGE, Finished("stop")]
    assert calls(running) == 1
    (stored,) = (message for message in running.messages(live.ids.conversation) if message.role == "assistant")
    assert (stored.content, stored.reasoning, stored.status, stored.served_model) == (
        "The first",
        "Hm",
        "complete",
        "gpt",
    )
    first, second = sorted(running.rows("attempts"), key=lambda row: row["cached"])
    assert (first["cost_code"], first["cached"]) == ("computed", False)
    assert (second["cost_usd"], second["cost_code"], second["cached"]) == (Decimal(0), "cached", True)
    assert (second["served_model"], second["status"]) == ("gpt", "ok")
    assert second["computed_cost_usd"] == second["cache_saved_usd"] == first["cost_usd"]
    assert (second["input_tokens"], second["reasoning_tokens"]) == (1000, 500)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "Why not?"},
        {"parameters": {"temperature": 0.5}},
        {"system_prompt": "Be brief."},
        {"user_id": "bob"},
        {"model_id": "plain"},
    ],
    ids=str,
)
def test_whatever_shapes_the_answer_asks_the_model(running, changed):
    for name in ("gpt", "plain"):
        running.gateway.enqueue(name, *answer("Another"))

    result = finish(running.ask(**{"text": "Why?", **changed}))

    assert (result.content, calls(running)) == ("Another", 2)


def test_a_shared_answer_is_given_to_everybody(database):
    with rig(database, model(cache=replace(RULE, shared=True))) as made:
        made.gateway.enqueue("gpt", *answer("For all"))
        finish(made.ask("Why?"))

        assert finish(made.ask("Why?", user_id="bob")).content == "For all"
        assert calls(made) == 1


def test_a_private_answer_stays_private_when_the_rule_becomes_shared(running, database):
    with rig(database, model(cache=replace(RULE, shared=True))) as later:
        later.gateway.enqueue("gpt", *answer("Another"))

        assert finish(later.ask("Why?", user_id="bob")).content == "Another"


def test_an_answer_is_gone_after_its_time_and_purged_with_the_next_one(running, clock):
    clock.advance(minutes=60)
    running.gateway.enqueue("gpt", *answer("The second"))
    assert finish(running.ask("Why?")).content == "The second"
    clock.advance(minutes=60)
    running.gateway.enqueue("gpt", *answer("Something else"))
    finish(running.ask("Who?"))

    assert [row["text"] for row in running.database.fetch_all("select text from answer_cache")] == ["Something else"]


def test_a_shorter_time_holds_for_what_is_kept_already(running, database, clock):
    clock.advance(minutes=6)
    with rig(database, model(cache=CacheRule(minutes=5)), clock=clock) as later:
        later.gateway.enqueue("gpt", *answer("Fresh"))

        assert finish(later.ask("Why?")).content == "Fresh"


def test_trying_again_asks_the_model_and_keeps_the_new_answer(running):
    first = running.ask("Why?")
    finish(first)
    running.gateway.enqueue("gpt", *answer("The second"))

    again = running.ask("", conversation_id=first.ids.conversation, answer_again=first.ids.question)

    assert finish(again).content == "The second"
    assert finish(running.ask("Why?")).content == "The second"
    assert calls(running) == 2


@pytest.mark.parametrize(
    "script",
    [
        answer("Cut at its", finish_reason="length"),
        answer("Filtered", finish_reason="content_filter"),
        (TextDelta("Broke"), ProviderError(ErrorClass.SERVER, "The server failed.")),
        (Started(), Usage(input_tokens=1, output_tokens=0), Finished("stop")),
    ],
    ids=["length", "content_filter", "broken", "empty"],
)
def test_only_whole_answers_are_kept(database, script):
    with rig(database, model(cache=RULE)) as made:
        made.gateway.enqueue("gpt", *script)
        finish(made.ask("Why?"))

    assert database.fetch_all("select * from answer_cache") == []


def test_how_likely_the_tokens_were_is_never_a_kept_answer_s(running):
    said = [ChatMessage("user", "Why?")]
    asking = {"call": ScriptCall(messages=said, wire_fields={"logprobs": True}), "temporary": (), "source": "api"}

    for _ in range(2):
        running.gateway.enqueue("gpt", *answer("Another"))
        finish(running.ask("", conversation_id=new_id(), **asking))

    assert calls(running) == 3


def test_nothing_is_kept_of_a_model_without_a_rule(database):
    with rig(database) as made:
        made.gateway.enqueue("gpt", *answer("Hello"))
        finish(made.ask("Why?"))

    assert database.fetch_all("select * from answer_cache") == []


def test_a_cache_that_fails_costs_no_answer(database):
    database.execute("drop table answer_cache")
    with rig(database, model(cache=RULE)) as made:
        made.gateway.enqueue("gpt", *answer("Hello"))

        result = finish(made.ask("Why?"))

    assert (result.content, result.status, result.error_message) == ("Hello", "complete", None)


def test_a_hit_says_nothing_about_the_model(running):
    for _ in range(10):
        running.engine.circuit.fail("gpt", ErrorClass.SERVER)
    before = running.engine.circuit.state("gpt")

    assert finish(running.ask("Why?")).content == "The first"
    assert running.engine.circuit.state("gpt") == before


def test_a_fallback_gives_its_kept_answer_without_being_asked(database, clock):
    steady = model("steady", label="Steady", cache=RULE)
    with rig(database, model(label="Fast", fallbacks=("steady",)), steady, clock=clock) as made:
        made.gateway.enqueue("steady", *answer("Steadily", usage=USAGE))
        finish(made.ask("Why?", model_id="steady"))
        before = made.engine.circuit.state("steady")
        made.gateway.enqueue("gpt", ProviderError(ErrorClass.NOT_FOUND, "Gone."))

        result = finish(made.ask("Why?"))

        assert (result.content, result.requested_model, result.served_model) == ("Steadily", "gpt", "steady")
        assert calls(made) == 2
        assert made.engine.circuit.state("steady") == before
        *_, failed, kept = made.rows("attempts")
        assert (failed["status"], failed["cached"]) == ("not_found", False)
        assert (kept["status"], kept["cached"], kept["cost_code"]) == ("ok", True, "cached")
        assert (kept["served_model"], kept["fallback_of"], kept["parent_id"]) == ("steady", "gpt", failed["id"])


def test_trying_again_asks_the_fallback_too(database, clock):
    with rig(database, model(fallbacks=("steady",)), model("steady", cache=RULE), clock=clock) as made:
        made.gateway.enqueue("steady", *answer("Steadily"))
        made.gateway.enqueue("gpt", *answer("At first"))
        finish(made.ask("Why?", model_id="steady"))
        first = made.ask("Why?")
        finish(first)
        made.gateway.enqueue("gpt", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        made.gateway.enqueue("steady", *answer("Another"))

        again = made.ask("", conversation_id=first.ids.conversation, answer_again=first.ids.question)

        assert finish(again).content == "Another"
