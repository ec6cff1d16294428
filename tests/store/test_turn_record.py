"""A turn in the store: begun, checkpointed, ended once; and what a crash leaves behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.conversation import Message
from core.chat.outcome import answer_message, attempt_row, outcome_of
from core.chat.recovery import TakenOver, recover_turns
from core.chat.script_call import ScriptCall
from core.chat.store import load_conversation, load_messages
from core.chat.turn_record import (
    Checkpoint,
    ScriptTurn,
    TurnEnd,
    TurnIds,
    begin_script_turns,
    begin_turn,
    checkpoint_turn,
    end_turns,
)
from core.costs.token_count import estimate_tokens
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.ids import new_id
from core.providers.events import Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from core.store.database import Database
from core.store.migrate import migrate
from core.store.sql import load_queries
from tests.support.turns import model

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456)  # noqa: DTZ001 - naive UTC is the store's own form


def begin(database, text="A question", *, conversation_id=None, parent_id=None, **fields):
    """A turn as the engine begins it; returns its ids and its request."""
    request = TurnRequest(user_id="ann", model_id="gpt", text=text, conversation_id=conversation_id, **fields)
    ids = TurnIds(turn=new_id(), conversation=conversation_id or new_id(), question=new_id(), answer=new_id())
    question = Message(
        id=ids.question,
        conversation_id=ids.conversation,
        parent_id=parent_id,
        turn_id=ids.turn,
        role="user",
        content=text,
        status="complete",
        created_at=NOW,
    )
    begin_turn(database, request, ids=ids, question=question, now=NOW)
    return ids, request


def end(database, ids, request, text="An answer"):
    """Store the normal end of a turn; whether it was one."""
    return end_turns(database, [ending(ids, request, text)]) == [True]


def ending(ids, request, text):
    """The normal end of a turn, after two seconds."""
    ended_at = NOW + timedelta(seconds=2)
    answer = Answer(started_at=NOW, text=[text], finish_reason="stop", sent=True)
    outcome = outcome_of(answer)
    completion = CompletionRequest(model=model(), messages=[ChatMessage("user", request.text)])
    return TurnEnd(
        turn_id=ids.turn,
        status=outcome.turn_status,
        answer=answer_message(ids, model(), answer, outcome, now=ended_at),
        attempts=[attempt_row(ids, request, completion, answer, outcome, ended_at=ended_at)],
    )


def recover(database, find_model):
    """A start a minute after the crash."""
    return recover_turns(database, find_model=find_model, clock=lambda: NOW + timedelta(minutes=1))


def rows(database, table):
    return database.fetch_all(f"select * from {table}")  # noqa: S608 - a name in a test


def test_a_turn_begins_with_its_question_stored_and_a_title_from_its_words(database):
    ids, _ = begin(
        database, "What is\nthe answer?", parameters={"temperature": 0.5, "stop": ("a", "b")}, use_case="coding"
    )

    [conversation], [question], [turn] = (rows(database, table) for table in ("conversations", "messages", "turns"))
    assert (conversation["title"], conversation["title_source"]) == ("What is the answer?", "auto")
    assert (conversation["user_id"], conversation["model_id"]) == ("ann", "gpt")
    assert conversation["leaf_message_id"] == question["id"] == ids.question
    assert (turn["status"], turn["started_at"], turn["use_case"]) == ("running", NOW, "coding")
    assert turn["parameters"] == '{"stop": ["a", "b"], "temperature": 0.5}'


def test_a_turn_ends_with_answer_ledger_row_and_status_together(database):
    ids, request = begin(database)
    checkpoint_turn(database, Checkpoint(text="An ans", reasoning="Hm"), turn_id=ids.turn, now=NOW)

    end(database, ids, request)

    [turn], [attempt] = rows(database, "turns"), rows(database, "attempts")
    assert (turn["status"], turn["partial_text"], turn["partial_reasoning"]) == ("completed", "", "")
    assert turn["ended_at"] == attempt["ended_at"]
    assert (attempt["id"], attempt["turn_id"]) == (ids.turn, ids.turn)
    assert rows(database, "conversations")[0]["leaf_message_id"] == ids.answer


def test_a_turn_that_has_ended_is_not_ended_again(database):
    ids, request = begin(database)
    assert end(database, ids, request)

    assert not end(database, replace(ids, answer=new_id()), request, "Another answer")
    checkpoint_turn(database, Checkpoint(text="late"), turn_id=ids.turn, now=NOW)

    assert sorted(row["content"] for row in rows(database, "messages")) == ["A question", "An answer"]
    assert len(rows(database, "attempts")) == 1
    assert rows(database, "turns")[0]["partial_text"] == ""


@pytest.mark.parametrize("count", [3, 12])
def test_turns_that_end_together_are_stored_each_with_its_own(database, count):
    begun = [begin(database, f"Question {number}") for number in range(count)]
    assert end(database, *begun[1], "Alone")
    ends = [ending(ids, request, f"Answer {number}") for number, (ids, request) in enumerate(begun)]

    assert end_turns(database, ends) == [number != 1 for number in range(count)]

    answers = {row["turn_id"]: row["content"] for row in rows(database, "messages") if row["role"] == "assistant"}
    expected = [f"Answer {number}" for number in range(count)]
    assert [answers[ids.turn] for ids, _ in begun] == [expected[0], "Alone", *expected[2:]]
    assert sorted(row["turn_id"] for row in rows(database, "attempts")) == sorted(ids.turn for ids, _ in begun)
    assert {row["status"] for row in rows(database, "turns")} == {"completed"}


def test_turns_of_scripts_begin_together_without_a_word(database):
    fields = {"temporary": (), "source": "api", "call": ScriptCall(messages=[ChatMessage("user", "A secret")])}
    turns = [
        ScriptTurn(
            TurnRequest(user_id="ann", model_id="gpt", use_case=use, token_id=token, **fields),
            TurnIds(turn=new_id(), conversation=new_id(), question=new_id(), answer=new_id()),
            NOW,
        )
        for use, token in [(None, "t1"), ("coding", None), (None, "t2")]
    ]

    begin_script_turns(database, turns)

    stored = {row["id"]: row for row in rows(database, "turns")}
    for turn in turns:
        row = stored[turn.ids.turn]
        assert (row["use_case"], row["token_id"]) == (turn.request.use_case, turn.request.token_id)
        assert (row["status"], row["temporary"], row["started_at"]) == ("running", True, NOW)
    assert len(stored) == 3
    assert "secret" not in str(stored)


def test_a_conversation_takes_one_turn_at_a_time(database):
    ids, request = begin(database)

    with pytest.raises(TurnRefused) as refused:
        begin(database, "Too early", conversation_id=ids.conversation)
    end(database, ids, request)
    begin(database, "Now", conversation_id=ids.conversation, parent_id=ids.answer)

    assert refused.value.code == "busy"
    assert sorted(row["content"] for row in rows(database, "messages")) == ["A question", "An answer", "Now"]


@pytest.mark.parametrize("again", [False, True], ids=["a new question", "answered again"])
def test_of_two_threads_that_begin_at_once_exactly_one_wins(database, again):
    ids, request = begin(database, "Start")
    end(database, ids, request)
    together = threading.Barrier(6)

    def race(number):
        together.wait()
        try:
            if not again:
                return begin(database, f"Racer {number}", conversation_id=ids.conversation)
            mine = TurnIds(turn=new_id(), conversation=ids.conversation, question=ids.question, answer=new_id())
            begin_turn(database, request, ids=mine, question=None, now=NOW)
        except TurnRefused as refused:
            return refused.code
        return "won"

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(race, range(6)))

    assert outcomes.count("busy") == 5
    assert len(rows(database, "turns")) == 2
    assert len(rows(database, "messages")) == (2 if again else 3)


# --- after a crash ---------------------------------------------------------------------------------------------------


def test_a_crashed_turn_becomes_an_interrupted_answer_with_its_text_and_one_ledger_row(store_url):
    before = Database(store_url)
    migrate(before)
    ids, request = begin(before, "The first question")
    end(before, ids, request, "The first answer")
    crashed, _ = begin(before, "The second question", conversation_id=ids.conversation, parent_id=ids.answer)
    arrived = Checkpoint(
        text="Half an", reasoning="Hm", model_id="gpt", started_at=NOW, first_token_at=NOW + timedelta(seconds=0.5)
    )
    checkpoint_turn(before, arrived, turn_id=crashed.turn, now=NOW + timedelta(seconds=1))
    before.close()

    after = Database(store_url)
    assert recover(after, {"gpt": model()}.get) == 1
    assert recover(after, {"gpt": model()}.get) == 0

    conversation = load_conversation(after, conversation_id=ids.conversation, user_id="ann")
    answer = load_messages(after, conversation=conversation)[-1]
    assert conversation.leaf_message_id == answer.id
    assert (answer.content, answer.reasoning, answer.parent_id) == ("Half an", "Hm", crashed.question)
    assert (answer.status, answer.error_class) == ("interrupted", "interrupted")
    assert "kept" in answer.error_message
    [attempt] = [row for row in rows(after, "attempts") if row["turn_id"] == crashed.turn]
    assert (attempt["status"], attempt["cost_code"]) == ("interrupted", "partial")
    assert attempt["ended_at"] == NOW + timedelta(seconds=1)
    assert attempt["first_token_at"] == NOW + timedelta(seconds=0.5)
    assert sorted(row["status"] for row in rows(after, "turns")) == ["completed", "interrupted"]
    after.close()


def test_a_recovered_answer_is_priced_with_the_whole_history_that_was_sent(database):
    ids, request = begin(database, "The first question " * 50)
    end(database, ids, request, "The first answer " * 50)
    crashed, _ = begin(database, "The second", conversation_id=ids.conversation, parent_id=ids.answer)
    checkpoint_turn(database, Checkpoint(text="Half an answer"), turn_id=crashed.turn, now=NOW)

    recover(database, {"gpt": model(system_prompt="Be brief.")}.get)

    [attempt] = [row for row in rows(database, "attempts") if row["turn_id"] == crashed.turn]
    sent = ["Be brief.", "The first question " * 50, "The first answer " * 50, "The second"]
    assert attempt["input_tokens"] == sum(estimate_tokens(text) + 4 for text in sent)
    assert attempt["output_tokens"] == 3
    assert attempt["cost_usd"] == (attempt["input_tokens"] * 3 + 3 * 15) / Decimal(1_000_000)


def test_a_crashed_turn_of_a_removed_model_keeps_its_name_and_is_unpriced(database):
    ids, _ = begin(database)

    assert recover(database, lambda _: None) == 1

    conversation = load_conversation(database, conversation_id=ids.conversation, user_id="ann")
    answer = load_messages(database, conversation=conversation)[-1]
    assert (answer.content, answer.model_label) == ("", "gpt")
    assert rows(database, "attempts")[0]["cost_code"] == "unpriced"
    assert answer.figures.cost_usd is None


def failed_try(ids, request):
    """An attempt that ended a second after the turn began, and was paid."""
    usage = Usage(input_tokens=1000, output_tokens=0)
    error = ProviderError(ErrorClass.SERVER, "The provider had an error.")
    return attempt_row(
        ids,
        request,
        CompletionRequest(model=model(), messages=[ChatMessage("user", request.text)]),
        Answer(started_at=NOW, usage=usage, sent=True),
        outcome_of(Answer(started_at=NOW), error=error),
        ended_at=NOW + timedelta(seconds=1),
    )


def test_every_try_before_a_crash_is_in_the_ledger_with_its_cost(database):
    ids, request = begin(database)
    second = NOW + timedelta(seconds=2)
    arrived = Checkpoint(model_id="other", started_at=second, tries=[failed_try(ids, request)])
    checkpoint_turn(database, arrived, turn_id=ids.turn, now=second + timedelta(seconds=1))

    recover(database, {"gpt": model(), "other": model("other")}.get)

    failed, interrupted = sorted(rows(database, "attempts"), key=lambda row: row["id"])
    assert (failed["served_model"], failed["status"], failed["cost_usd"]) == ("gpt", "server", Decimal("0.003"))
    assert (interrupted["served_model"], interrupted["status"]) == ("other", "interrupted")
    assert (interrupted["parent_id"], interrupted["fallback_of"]) == (failed["id"], "gpt")
    assert failed["id"] == ids.turn
    assert (interrupted["started_at"], interrupted["ended_at"]) == (second, second + timedelta(seconds=1))
    assert rows(database, "turns")[0]["tries"] is None
    # Nothing had come from the second model: the answer that is missing is that of the first.
    [answer] = [row for row in rows(database, "messages") if row["role"] == "assistant"]
    assert (answer["requested_model"], answer["served_model"]) == ("gpt", "gpt")


@pytest.mark.parametrize(("turn", "shared"), [("00000000-0000-7000-8000-000000000000", True), ("ffffffff", False)])
def test_attempts_are_in_the_order_of_their_ids_whatever_the_clock_did(database, turn, shared):
    ids, request = begin(database)
    database.execute("update turns set id = $turn where id = $id", turn=turn, id=ids.turn)
    tries = [replace(failed_try(ids, request), turn_id=turn, requested_model=f"{number}") for number in range(3)]

    end_turns(database, [TurnEnd(turn_id=turn, status="failed", answer=None, attempts=tries)])

    written = sorted(rows(database, "attempts"), key=lambda row: row["id"])
    assert [row["requested_model"] for row in written] == ["0", "1", "2"]
    assert [row["parent_id"] for row in written] == [None, written[0]["id"], written[1]["id"]]
    assert (written[0]["id"] == turn) is shared


def test_a_turn_that_waited_when_it_crashed_has_its_finished_tries_only(database):
    ids, request = begin(database)
    checkpoint_turn(database, Checkpoint(tries=[failed_try(ids, request)]), turn_id=ids.turn, now=NOW)

    recover(database, {"gpt": model()}.get)

    assert [row["status"] for row in rows(database, "attempts")] == ["server"]
    assert rows(database, "turns")[0]["status"] == "interrupted"


def test_tries_that_cannot_be_read_cost_no_answer(database, caplog):
    ids, _ = begin(database)
    checkpoint_turn(database, Checkpoint(text="Half", model_id="gpt", started_at=NOW), turn_id=ids.turn, now=NOW)
    database.execute("update turns set tries = '{' where id = $id", id=ids.turn)

    assert recover(database, {"gpt": model()}.get) == 1

    assert "could not be read" in caplog.text
    assert [row["status"] for row in rows(database, "attempts")] == ["interrupted"]


def test_a_damaged_turn_does_not_keep_the_others_from_being_recovered(database):
    damaged, _ = begin(database, "One")
    database.execute("update turns set parameters = '{' where id = $id", id=damaged.turn)
    begin(database, "Two")

    assert recover(database, {"gpt": model()}.get) == 1
    assert sorted(row["status"] for row in rows(database, "turns")) == ["interrupted", "running"]


def test_a_turn_that_ends_while_it_is_taken_over_is_counted_once_and_nobodys(database):
    """A replica that was thought dead writes its end before the other one does."""
    ids, request = begin(database)
    settled = []

    def take_over(turn_id):
        assert end(database, ids, request)
        owner = {"conversation_id": "", "answer_message_id": "", "continues": None, "owner": "late"}
        database.execute(load_queries("replicas")["own_turn"], turn_id=turn_id, **owner)
        return TakenOver(owned=True)

    def hear(turn_id, attempts):
        settled.append((turn_id, attempts))

    recovered = recover_turns(database, find_model={"gpt": model()}.get, take_over=take_over, settled=hear)

    assert (recovered, settled, rows(database, "turn_owners")) == (0, [], [])
    assert [row["status"] for row in rows(database, "attempts")] == ["ok"]


def test_a_recovered_conversation_can_go_on(database):
    ids, _ = begin(database)
    recover(database, {"gpt": model()}.get)

    begin(database, "Go on", conversation_id=ids.conversation)

    assert len(rows(database, "turns")) == 2
