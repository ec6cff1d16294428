"""The turn engine while all goes well: what is stored when, who may read, what reaches the gateway."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from core.catalog.models import Capability
from core.errors import NotFound, TurnRefused
from core.providers.events import Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage
from core.providers.scripted import Gate, answer
from core.store.database import Database
from tests.support.turns import TIMEOUT_S, finish, model, read_to_end, rig, text_of


@pytest.fixture(name="running")
def _running(database):
    with rig(database, model(), model("other", label="Other")) as made:
        yield made


def test_the_question_is_stored_before_the_provider_is_called(database):
    seen = []

    class Watching:
        async def stream(self, _request):
            seen.extend(
                database.fetch_all("select m.content, t.status from messages m join turns t on t.id = m.turn_id")
            )
            for event in answer("Hello"):
                yield event

    with rig(database, gateway=Watching()) as watched:
        finish(watched.ask("What is said first?"))

    assert seen == [{"content": "What is said first?", "status": "running"}]


def test_an_answer_is_stored_with_its_turn_and_one_ledger_row(running):
    usage = Usage(input_tokens=1000, output_tokens=2000, cached_input_tokens=400, reasoning_tokens=500)
    running.gateway.enqueue("gpt", *answer("Forty two", reasoning="Hm", served_model="gpt-2026", usage=usage))

    live = running.ask("Why?", use_case="coding")
    result = finish(live)

    question, stored = running.messages(live.ids.conversation)
    assert (question.role, question.content, question.parent_id, question.status) == ("user", "Why?", None, "complete")
    assert (stored.id, stored.parent_id, stored.content) == (live.ids.answer, question.id, "Forty two")
    assert (stored.reasoning, stored.status, stored.finish_reason) == ("Hm", "complete", "stop")
    assert (stored.requested_model, stored.served_model, stored.model_label) == ("gpt", "gpt", "GPT")
    assert result.content == stored.content
    [turn] = running.rows("turns")
    assert (turn["status"], turn["partial_text"], turn["ended_at"] is not None) == ("completed", "", True)
    [row] = running.rows("attempts")
    assert (row["status"], row["cost_code"], row["upstream_model"], row["use_case"]) == (
        "ok",
        "computed",
        "gpt-2026",
        "coding",
    )
    assert (row["input_tokens"], row["output_tokens"], row["cached_input_tokens"], row["reasoning_tokens"]) == (
        1000,
        2000,
        400,
        500,
    )
    assert row["cost_usd"] == Decimal("0.033")  # 1000 x $3 and 2000 x $15 per million
    assert row["started_at"] <= row["first_token_at"] <= row["ended_at"]


def test_readers_on_several_threads_and_late_ones_see_the_same_answer(running):
    gate = Gate()
    running.gateway.enqueue(
        "gpt",
        Started(),
        TextDelta("Hel"),
        gate,
        TextDelta("lo"),
        Usage(input_tokens=1, output_tokens=2),
        Finished("stop"),
    )
    with ThreadPoolExecutor(5) as threads:
        live = running.ask("Hi")
        early = [threads.submit(read_to_end, live.buffer) for _ in range(4)]
        assert gate.wait_until_reached()
        middle = threads.submit(read_to_end, live.buffer)
        gate.open()
        texts = [text_of(reader.result()) for reader in (*early, middle)]

    assert texts == ["Hello"] * 5
    assert text_of(read_to_end(live.buffer)) == "Hello"


def test_a_conversation_is_findable_while_it_is_answered_and_free_afterwards(running):
    gate = Gate()
    running.gateway.enqueue("gpt", TextDelta("a"), gate, *answer("b"))

    live = running.ask("Hi")
    assert gate.wait_until_reached()
    assert running.engine.find(live.ids.conversation) is live
    assert running.engine.running() == {live.ids.conversation}

    gate.open()
    finish(live)
    assert running.engine.find(live.ids.conversation) is None
    assert running.engine.running() == frozenset()


def test_the_next_turn_sends_the_history_and_continues_the_branch(running):
    running.gateway.enqueue("gpt", *answer("One", reasoning="never sent"))
    running.gateway.enqueue("other", *answer("Two"))
    first = running.ask("First")
    finish(first)

    second = running.ask("Second", conversation_id=first.ids.conversation, model_id="other")
    finish(second)

    assert running.gateway.history[1].messages == [
        ChatMessage("user", "First"),
        ChatMessage("assistant", "One"),
        ChatMessage("user", "Second"),
    ]
    stored = running.messages(first.ids.conversation)
    assert [message.content for message in stored] == ["First", "One", "Second", "Two"]
    assert [message.parent_id for message in stored] == [None, *(message.id for message in stored[:-1])]
    assert [message.model_label for message in stored if message.role == "assistant"] == ["GPT", "Other"]


def test_the_parameters_of_the_request_win_over_those_of_the_model(database):
    spec = model(parameters={"temperature": 0.2, "top_p": 0.9}, system_prompt="Be brief.")
    with rig(database, spec) as made:
        made.gateway.enqueue("gpt", *answer("Yes"))
        finish(made.ask("Really?", parameters={"temperature": 0.7}))

        [request] = made.gateway.history
        assert request.parameters == {"temperature": 0.7, "top_p": 0.9}
        assert request.messages[0] == ChatMessage("system", "Be brief.")
        assert made.rows("attempts")[0]["parameters"] == '{"temperature": 0.7, "top_p": 0.9}'
        assert made.rows("turns")[0]["parameters"] == '{"temperature": 0.7}'


def test_answering_again_makes_a_sibling_and_puts_it_on_show(running):
    running.gateway.enqueue("gpt", *answer("Bad"))
    running.gateway.enqueue("other", *answer("Good"))
    first = running.ask("Which?")
    finish(first)

    again = running.ask("", conversation_id=first.ids.conversation, answer_again=first.ids.question, model_id="other")
    finish(again)

    question, bad, good = running.messages(first.ids.conversation)
    assert (bad.parent_id, good.parent_id) == (question.id, question.id)
    assert bad.turn_id != good.turn_id
    assert running.gateway.history[1].messages == [ChatMessage("user", "Which?")]
    assert running.rows("conversations")[0]["leaf_message_id"] == good.id
    assert [row["requested_model"] for row in running.rows("attempts")] == ["gpt", "other"]


@pytest.mark.parametrize("which", ["answer", "nothing"])
def test_only_a_question_on_the_branch_can_be_answered_again(running, which):
    running.gateway.enqueue("gpt", *answer("One"))
    first = running.ask("First")
    finish(first)
    wrong = {"answer": first.ids.answer, "nothing": "no-such-id"}[which]

    with pytest.raises(TurnRefused) as refused:
        running.ask("", conversation_id=first.ids.conversation, answer_again=wrong)

    assert refused.value.code == "unknown_message"
    assert running.engine.running() == frozenset()


def test_a_second_tab_is_refused_while_the_first_is_answered_and_nothing_of_it_is_stored(running):
    gate = Gate()
    running.gateway.enqueue("gpt", gate, *answer("One"))
    live = running.ask("First")

    with pytest.raises(TurnRefused) as refused:
        running.ask("Second", conversation_id=live.ids.conversation)
    gate.open()
    finish(live)

    assert refused.value.code == "busy"
    assert "kept" in refused.value.next_step
    assert [message.content for message in running.messages(live.ids.conversation)] == ["First", "One"]


def test_of_many_threads_that_send_at_once_exactly_one_wins(running):
    running.gateway.enqueue("gpt", *answer("Zero"))
    gate = Gate()
    running.gateway.enqueue("gpt", gate, *answer("One"))
    first = running.ask("Start")
    finish(first)
    conversation_id = first.ids.conversation
    together = threading.Barrier(8)

    def send(number):
        together.wait()
        try:
            return running.ask(f"Question {number}", conversation_id=conversation_id)
        except TurnRefused as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(send, range(8)))
    gate.open()
    [winner] = [outcome for outcome in outcomes if outcome != "busy"]
    finish(winner)

    assert outcomes.count("busy") == 7
    assert [m.content for m in running.messages(conversation_id)] == ["Start", "Zero", winner.request.text, "One"]
    assert len(running.rows("turns")) == 2


def test_a_question_sent_the_moment_an_answer_ends_follows_that_answer(running):
    def send_until_accepted(conversation_id):
        while True:
            try:
                return running.ask("Next", conversation_id=conversation_id)
            except TurnRefused as refused:
                if refused.code != "busy":
                    raise

    live = running_turn = None
    with ThreadPoolExecutor(1) as eager:
        for _ in range(15):
            gate = Gate()
            running.gateway.enqueue("gpt", gate, *answer("An answer"))
            live = running_turn.result(5) if running_turn else running.ask("First")
            assert gate.wait_until_reached()
            running_turn = eager.submit(send_until_accepted, live.ids.conversation)
            gate.open()
        running.gateway.enqueue("gpt", *answer("The last answer"))
        finish(running_turn.result(5))

    messages = running.messages(live.ids.conversation)
    assert [message.role for message in messages] == ["user", "assistant"] * 16
    assert [message.parent_id for message in messages] == [None, *(message.id for message in messages[:-1])]


def test_twenty_turns_run_at_once(running):
    gates = [Gate() for _ in range(20)]
    for number, gate in enumerate(gates):
        running.gateway.enqueue("gpt", TextDelta("a"), gate, *answer(f"nswer {number}"))

    with ThreadPoolExecutor(20) as threads:
        turns = list(threads.map(running.ask, [f"Question {number}" for number in range(20)]))
    assert all(gate.wait_until_reached() for gate in gates)
    assert len(running.engine.running()) == 20
    for gate in reversed(gates):
        gate.open()
    results = [finish(live) for live in turns]

    assert {result.status for result in results} == {"complete"}
    assert len({result.content for result in results}) == 20
    assert len(running.rows("attempts")) == 20
    assert {row["status"] for row in running.rows("turns")} == {"completed"}


def test_somebody_elses_conversation_is_not_found_even_while_it_is_busy(running):
    gate = Gate()
    running.gateway.enqueue("gpt", gate, *answer("Secret"))
    live = running.ask("Mine")

    with pytest.raises(NotFound):
        running.ask("Let me in", conversation_id=live.ids.conversation, user_id="eve")
    assert running.engine.find(live.ids.conversation) is live
    gate.open()
    finish(live)

    assert [message.content for message in running.messages(live.ids.conversation)] == ["Mine", "Secret"]


def test_a_stranger_at_the_door_does_not_hold_up_the_owner(database):
    knocking, opened = threading.Event(), threading.Event()

    class Door(Database):
        def fetch_one(self, sql, **parameters):
            if parameters.get("user_id") == "eve":
                knocking.set()
                opened.wait(TIMEOUT_S)
            return super().fetch_one(sql, **parameters)

    door = Door.__new__(Door)
    door.__dict__ = database.__dict__
    with rig(door) as made, ThreadPoolExecutor(1) as threads:
        made.gateway.enqueue("gpt", *answer("One"))
        made.gateway.enqueue("gpt", *answer("Two"))
        first = made.ask("First")
        finish(first)
        stranger = threads.submit(made.ask, "Eve", conversation_id=first.ids.conversation, user_id="eve")
        assert knocking.wait(TIMEOUT_S)

        assert finish(made.ask("Second", conversation_id=first.ids.conversation)).status == "complete"
        opened.set()
        with pytest.raises(NotFound):
            stranger.result(TIMEOUT_S)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "  \n\t "}, "empty"),
        ({"text": "x" * 4_000_001}, "too_long"),
        ({"text": "Hi", "model_id": "gone"}, "unknown_model"),
        ({"text": "word " * 3000, "model_id": "small"}, "window"),
        ({"text": "Hi", "model_id": "keyless"}, "no_key"),
        ({"text": "", "answer_again": "some-id"}, "unknown_message"),
    ],
)
def test_a_refusal_stores_nothing_calls_nobody_and_says_what_to_do(database, fields, code):
    def refuse(spec, user_id):
        assert user_id == "ann"
        if spec.id == "keyless":
            raise TurnRefused("no_key", "No key.", next_step="Set one.")

    with rig(database, model(), model("small", context_tokens=1000), model("keyless"), refuse=refuse) as made:
        with pytest.raises(TurnRefused) as refused:
            made.ask(**fields)

        assert refused.value.code == code
        assert refused.value.next_step
        assert made.gateway.history == ()
        assert made.engine.running() == frozenset()
        for table in ("conversations", "messages", "turns", "attempts"):
            assert made.rows(table) == []


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\x00b\x1b[31m", "a␀b␛[31m"),
        ("line\r\nline\rline", "line\nline\nline"),
        ("half \ud83d pair", "half � pair"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 1_000_000, "x" * 1_000_000),
    ],
    ids=["control characters", "line ends", "a lone surrogate", "a script", "a megabyte"],
)
def test_odd_text_is_stored_and_sent_whole(running, typed, stored):
    running.gateway.enqueue("gpt", *answer("Noted"))

    live = running.ask(typed)
    finish(live)

    assert running.messages(live.ids.conversation)[0].content == stored
    assert running.gateway.history[0].messages == [ChatMessage("user", stored)]


def test_odd_text_from_a_model_is_stored_as_readers_saw_it(running):
    running.gateway.enqueue(
        "gpt", ReasoningDelta("\x1b"), TextDelta("nul \x00"), TextDelta("half \ud83d"), Finished("stop")
    )

    live = running.ask("Hi")
    seen = text_of(read_to_end(live.buffer))

    [_, stored] = running.messages(live.ids.conversation)
    assert seen == stored.content == "nul ␀half �"
    assert stored.reasoning == "␛"


@pytest.mark.parametrize(
    ("changes", "code", "cost"),
    [
        ({}, "estimated", True),
        ({"prices": None}, "unpriced", False),
    ],
)
def test_without_a_usage_block_the_tokens_are_our_own_count(database, changes, code, cost):
    with rig(database, model(**changes)) as made:
        made.gateway.enqueue("gpt", TextDelta("one two three"), Finished("stop"))
        live = made.ask("How many words are in this answer?")
        finish(live)

        [row] = made.rows("attempts")
        assert (row["cost_code"], row["cost_usd"] is not None) == (code, cost)
        assert row["output_tokens"] == 3
        assert row["input_tokens"] > 5
        figures = made.messages(live.ids.conversation)[1].figures
        assert (figures.cost_code, figures.output_tokens, figures.cost_usd) == (code, 3, row["cost_usd"])


def test_a_model_without_system_prompts_reads_it_in_the_first_message(database):
    spec = model(system_prompt="Be brief.", capabilities=frozenset({Capability.STREAMING}))
    with rig(database, spec) as made:
        made.gateway.enqueue("gpt", *answer("Yes"))
        finish(made.ask("Really?"))

        assert made.gateway.history[0].messages == [ChatMessage("user", "Be brief.\n\nReally?")]
