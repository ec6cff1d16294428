"""How turns end when somebody stops them, the provider fails, the store refuses or the process closes."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from core.catalog.models import Prices
from core.chat.allowance import Unlimited
from core.chat.recovery import recover_turns
from core.errors import ErrorClass, ProviderError, StoreError, TurnRefused
from core.providers.events import Finished, ReasoningDelta, TextDelta, Usage
from core.providers.routing import RETRIES
from core.providers.scripted import Gate, answer
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.turns import PRICES, finish, model, read_to_end, rig, text_of, wait_until

FREE = Prices(input=0, output=0)
BROKEN = ProviderError(ErrorClass.CONNECTION, "The line broke.", next_step="Try again.", detail="ECONNRESET")


@pytest.fixture(name="running")
def _running(database):
    with rig(database) as made:
        yield made


class FailingStore(Database):
    """A store whose writes fail while `failing` is set, as on a full disk."""

    failing = False
    refused = 0

    def transaction(self, work):
        self.refuse()
        return super().transaction(work)

    def execute(self, sql, **parameters):
        self.refuse()
        super().execute(sql, **parameters)

    def refuse(self):
        if self.failing:
            self.refused += 1
            raise OSError(28, "No space left on device")


@pytest.fixture(name="failing_store")
def _failing_store(store_url):
    database = FailingStore(store_url)
    migrate(database)
    yield database
    database.close()


class FailingMetrics(Unlimited):
    """Counts what a turn took, and fails at it."""

    def __init__(self):
        self.counted = []

    def settle(self, turn_id, attempts):
        self.counted += [(turn_id, row.status) for row in attempts]
        raise ValueError("Counters can only be incremented by non-negative amounts.")


class StubbornGateway:
    """Says one word and then does not let go when cancelled, until `release` is set."""

    def __init__(self):
        self.said = threading.Event()
        self.release = threading.Event()

    async def stream(self, _request):
        yield TextDelta("Well")
        self.said.set()
        while not self.release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        yield TextDelta(" too late")


# --- stopped by a person ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prices", "code"), [(PRICES, "partial"), (FREE, "free"), (None, "unpriced")])
def test_stop_closes_the_stream_and_keeps_and_prices_what_had_arrived(database, prices, code):
    with rig(database, model(prices=prices)) as made:
        gate = Gate()
        made.gateway.enqueue("gpt", TextDelta("Half an answer"), gate, *answer("never seen"))
        live = made.ask("Hi")
        assert gate.wait_until_reached()

        asked_at = time.monotonic()
        made.engine.stop(live)
        result = finish(live)

        assert time.monotonic() - asked_at < 1
        assert made.gateway.abandoned == ("gpt",)
        assert text_of(read_to_end(live.buffer)) == "Half an answer"
        assert (result.content, result.status, result.error_message) == ("Half an answer", "stopped", None)
        assert made.rows("turns")[0]["status"] == "stopped"
        [row] = made.rows("attempts")
        assert (row["status"], row["cost_code"], row["output_tokens"]) == ("stopped", code, 3)
        assert (row["cost_usd"] is None) == (code == "unpriced")


def test_stop_before_the_first_token_leaves_an_empty_stopped_answer_and_counts_what_was_sent(running):
    gate = Gate()
    running.gateway.enqueue("gpt", gate, *answer("never seen"))
    live = running.ask("A question of several words")
    assert gate.wait_until_reached()

    running.engine.stop(live)
    result = finish(live)

    assert (result.content, result.status) == ("", "stopped")
    [row] = running.rows("attempts")
    assert (row["status"], row["output_tokens"], row["first_token_at"]) == ("stopped", 0, None)
    assert row["input_tokens"] > 4


def test_stop_at_the_start_never_calls_the_provider_and_costs_nothing(database):
    held, reached = threading.Event(), threading.Event()

    def hold_the_loop():
        reached.set()
        held.wait(5)

    with rig(database) as made:
        made.engine._loop.call(hold_the_loop)
        assert reached.wait(5)
        live = made.ask("Hi")
        made.engine.stop(live)
        held.set()
        result = finish(live)

        assert result.status == "stopped"
        assert made.gateway.history == ()
        [row] = made.rows("attempts")
        assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (0, 0, 0)


def test_stop_racing_the_start_always_ends_stopped_or_complete_with_one_ledger_row(running):
    def ask_and_stop(number):
        running.gateway.enqueue("gpt", *answer("An answer of some words"))
        live = running.ask(f"Question {number}")
        running.engine.stop(live)
        running.engine.stop(live)
        return finish(live).status

    with ThreadPoolExecutor(8) as threads:
        endings = set(threads.map(ask_and_stop, range(40)))

    assert endings <= {"stopped", "complete"}
    assert len(running.rows("attempts")) == 40
    assert {row["status"] for row in running.rows("turns")} <= {"stopped", "completed"}


def test_stop_after_the_finish_reason_changes_nothing(running):
    gate = Gate()
    running.gateway.enqueue("gpt", TextDelta("Whole"), Finished("stop"), gate)
    live = running.ask("Hi")
    assert gate.wait_until_reached()

    running.engine.stop(live)

    assert finish(live).status == "complete"
    assert running.rows("attempts")[0]["cost_code"] == "estimated"


def test_stop_after_the_end_does_nothing(running):
    running.gateway.enqueue("gpt", *answer("Done"))
    live = running.ask("Hi")
    finish(live)

    running.engine.stop(live)
    running.engine.close()
    running.engine.stop(live)

    assert running.rows("turns")[0]["status"] == "completed"


def test_a_gateway_that_does_not_let_go_cannot_hold_a_stopped_turn(database):
    gateway = StubbornGateway()
    with rig(database, gateway=gateway) as made:
        live = made.ask("Hi")
        assert gateway.said.wait(5)

        asked_at = time.monotonic()
        made.engine.stop(live)
        result = finish(live)
        gateway.release.set()

        assert time.monotonic() - asked_at < 1
        assert (result.status, result.content) == ("stopped", "Well")
        assert text_of(read_to_end(live.buffer)) == "Well"


# --- failed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "message", "attempt"),
    [
        ([BROKEN], ("failed", ""), ("connection", 0)),
        ([TextDelta("Half"), BROKEN], ("broken", "Half"), ("connection", 1)),
        ([ReasoningDelta("Half"), BROKEN], ("failed", ""), ("connection", 1)),
        (answer("Cut short", finish_reason=None), ("broken", "Cut short"), ("truncated", 2)),
        ([TextDelta("Whole"), Finished("stop"), BROKEN], ("complete", "Whole"), ("ok", 1)),
    ],
    ids=["refused", "broken off", "broken while thinking", "no finish reason", "broken after the finish reason"],
)
def test_a_failure_keeps_and_prices_what_had_arrived(running, script, message, attempt):
    for _ in range(1 + RETRIES):
        running.gateway.enqueue("gpt", *script)

    result = finish(running.ask("Hi"))

    assert (result.status, result.content) == message
    *tries, row = running.rows("attempts")
    assert len(tries) == (RETRIES if script == [BROKEN] else 0)
    assert (row["status"], row["output_tokens"]) == attempt
    assert row["error_message"] == result.error_message


@pytest.mark.parametrize("script", [[BROKEN], [TextDelta("Half"), BROKEN], answer("Cut", finish_reason=None)])
def test_a_failed_answer_says_what_happened_and_what_to_do(running, script):
    for _ in range(1 + RETRIES):
        running.gateway.enqueue("gpt", *script)

    result = finish(running.ask("Hi"))

    assert result.error_class == running.rows("attempts")[0]["status"]
    assert "Try again" in result.error_message
    assert running.rows("turns")[0]["status"] == "failed"


def test_silence_is_a_stall_that_closes_the_connection_and_keeps_the_text(database):
    with rig(database, stall_s=0.05) as made:
        made.gateway.enqueue("gpt", TextDelta("Half"), Gate(), *answer("never seen"))

        result = finish(made.ask("Hi"))

        assert made.gateway.wait_until_abandoned()
        assert (result.status, result.content, result.error_class) == ("broken", "Half", "stall")
        assert "0.05 seconds" in result.error_message
        assert made.rows("attempts")[0]["cost_code"] == "partial"


class _Leaking:
    """Fails in ways that no gateway should."""

    def __init__(self, error):
        self._error = error

    async def stream(self, request):
        if request.messages[-1].content == "fail":
            yield TextDelta("Half")
            raise self._error
        for event in answer("Fine"):
            yield event


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("sk-secret"), asyncio.CancelledError(), TimeoutError(), SystemExit(), StoreError("Odd.")],
    ids=lambda error: type(error).__name__,
)
def test_an_unexpected_error_in_a_gateway_ends_that_turn_only(database, error, caplog):
    with rig(database, gateway=_Leaking(error)) as made:
        failed, fine = made.ask("fail"), made.ask("work")
        result = finish(failed)

        assert (result.status, result.content, result.error_class) == ("broken", "Half", "internal")
        assert finish(fine).status == "complete"
        assert result.error_message
        assert "sk-secret" not in f"{result.error_message} {result.error_detail}"
        assert finish(made.ask("work", conversation_id=failed.ids.conversation)).status == "complete"
    assert not [record for record in caplog.records if "not properly" in record.message]


# --- the store refuses -----------------------------------------------------------------------------------------------


def test_a_question_that_cannot_be_stored_is_refused_in_plain_words_and_nobody_is_called(failing_store):
    with rig(failing_store) as made:
        failing_store.failing = True
        with pytest.raises(StoreError) as refused:
            made.ask("Hi")
        failing_store.failing = False

        assert "kept in the box" in refused.value.next_step
        assert made.engine.running() == frozenset()
        assert made.gateway.history == ()
        assert made.rows("messages") == []


def test_a_store_that_fails_for_a_moment_at_the_end_costs_nothing(failing_store):
    with rig(failing_store) as made:
        gate = Gate()
        made.gateway.enqueue("gpt", TextDelta("Kept"), gate, Finished("stop"))
        live = made.ask("Hi")
        assert gate.wait_until_reached()
        failing_store.failing = True
        gate.open()
        assert wait_until(lambda: failing_store.refused)
        failing_store.failing = False

        assert finish(live).error_message is None
        assert [message.content for message in made.messages(live.ids.conversation)] == ["Hi", "Kept"]
        assert len(made.rows("attempts")) == 1


def _ask_with_a_failing_end(made, failing_store):
    gate = Gate()
    made.gateway.enqueue("gpt", TextDelta("Kept"), gate, Finished("stop"))
    live = made.ask("Hi")
    assert gate.wait_until_reached()
    failing_store.failing = True
    gate.open()
    return live, finish(live)


def test_a_store_that_fails_at_the_end_leaves_no_reader_waiting_and_says_so(failing_store):
    with rig(failing_store) as made:
        live, result = _ask_with_a_failing_end(made, failing_store)

        assert text_of(read_to_end(live.buffer)) == "Kept"
        assert (result.content, result.status) == ("Kept", "complete")
        assert "could not be saved" in result.error_message
        assert made.engine.running() == frozenset()
        with pytest.raises(StoreError):
            made.ask("Next", conversation_id=live.ids.conversation)


def test_an_end_that_was_refused_is_stored_before_the_next_turn(failing_store):
    with rig(failing_store) as made:
        live, _ = _ask_with_a_failing_end(made, failing_store)
        failing_store.failing = False
        made.gateway.enqueue("gpt", *answer("Second answer"))

        finish(made.ask("Next", conversation_id=live.ids.conversation))

        contents = [message.content for message in made.messages(live.ids.conversation)]
        assert contents == ["Hi", "Kept", "Next", "Second answer"]
        assert len(made.rows("attempts")) == 2
        assert {row["status"] for row in made.rows("turns")} == {"completed"}


def test_an_end_that_was_refused_is_stored_as_soon_as_the_store_takes_it(failing_store):
    with rig(failing_store) as made:
        _ask_with_a_failing_end(made, failing_store)
        made.engine.run_aside(partial(made.engine._writer.save_regularly, every_s=0.01))
        refused = failing_store.refused
        assert wait_until(lambda: failing_store.refused > refused)
        assert made.rows("attempts") == []
        failing_store.failing = False

        assert wait_until(lambda: [row["status"] for row in made.rows("turns")] == ["completed"])
        assert len(made.rows("attempts")) == 1


def test_all_that_runs_can_be_interrupted_at_once(running):
    gate = Gate()
    running.gateway.enqueue("gpt", TextDelta("Kept"), gate, Finished("stop"))
    live = running.ask("Hi")
    assert gate.wait_until_reached()

    running.engine.interrupt()

    assert (finish(live).status, finish(live).content) == ("interrupted", "Kept")
    with pytest.raises(TurnRefused, match="being stopped"):
        running.ask("Next")


def test_an_end_that_was_refused_is_stored_at_the_close(failing_store):
    with rig(failing_store) as made:
        live, _ = _ask_with_a_failing_end(made, failing_store)
        failing_store.failing = False
        made.engine.close()

        assert [message.content for message in made.messages(live.ids.conversation)] == ["Hi", "Kept"]


def test_an_end_that_was_never_stored_is_recovered_at_the_next_start(failing_store):
    with rig(failing_store, checkpoint_s=0.01) as made:
        gate = Gate()
        made.gateway.enqueue("gpt", TextDelta("Kept"), gate, Finished("stop"))
        live = made.ask("Hi")
        assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "Kept")
        failing_store.failing = True
        gate.open()
        finish(live)
        made.engine.close()
        failing_store.failing = False

        assert recover_turns(failing_store, find_model={"gpt": model()}.get) == 1
        assert [m.status for m in made.messages(live.ids.conversation)] == ["complete", "interrupted"]


def test_what_an_answer_took_is_counted_once_also_where_the_counting_fails(database, caplog):
    metrics = FailingMetrics()
    with rig(database, limits=metrics) as made:
        made.gateway.enqueue("gpt", *answer("Hello."))
        live = made.ask("Hi")
        result = finish(live)
        made.engine._writer.save_all_again()

        assert metrics.counted == [(live.ids.turn, "ok")]
        assert (result.content, result.status, result.error_message) == ("Hello.", "complete", None)
        assert [row.turn_id for row in live.recorded] == [live.ids.turn]
        assert len(made.rows("attempts")) == 1
    assert f"turn {live.ids.turn} is stored" in caplog.text


# --- checkpoints and the end of the process --------------------------------------------------------------------------


def test_what_has_arrived_is_in_the_store_while_the_turn_runs(database):
    with rig(database, checkpoint_s=0.01) as made:
        first, second = Gate(), Gate()
        made.gateway.enqueue(
            "gpt", ReasoningDelta("Hm"), TextDelta("One"), first, TextDelta(" two"), second, Finished("stop")
        )
        live = made.ask("Hi")

        assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "One")
        assert made.rows("turns")[0]["partial_reasoning"] == "Hm"
        first.open()
        assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "One two")
        second.open()
        finish(live)
        assert made.rows("turns")[0]["partial_text"] == ""


def test_a_checkpoint_that_fails_is_written_later_although_no_more_text_comes(failing_store):
    with rig(failing_store, checkpoint_s=0.01) as made:
        gate, end = Gate(), Gate()
        made.gateway.enqueue("gpt", gate, TextDelta("Kept"), end, Finished("stop"))
        live = made.ask("Hi")
        assert gate.wait_until_reached()
        failing_store.failing = True
        gate.open()
        assert wait_until(lambda: failing_store.refused)
        failing_store.failing = False

        assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "Kept")
        end.open()
        assert finish(live).status == "complete"


def test_close_marks_running_turns_interrupted_and_keeps_their_text(running):
    gates = [Gate() for _ in range(5)]
    for gate in gates:
        running.gateway.enqueue("gpt", TextDelta("Half"), gate, *answer("never seen"))
    turns = [running.ask("Hi") for _ in gates]
    assert all(gate.wait_until_reached() for gate in gates)

    running.engine.close()
    results = [live.result for live in turns]

    assert {(result.status, result.content) for result in results} == {("interrupted", "Half")}
    assert all("kept" in result.error_message for result in results)
    assert running.gateway.abandoned == ("gpt",) * 5
    assert {row["status"] for row in running.rows("turns")} == {"interrupted"}
    assert {(row["status"], row["cost_code"]) for row in running.rows("attempts")} == {("interrupted", "partial")}


def test_a_closed_engine_refuses_and_stores_nothing(running):
    running.engine.close()
    running.engine.close()

    with pytest.raises(TurnRefused) as refused:
        running.ask("Hi")

    assert refused.value.code == "stopping"
    assert running.rows("messages") == []


def test_a_turn_that_is_starting_while_the_engine_closes_is_interrupted_and_stored(database):
    checked, closing = threading.Event(), threading.Event()

    class Slow(Database):
        def transaction(self, work):
            checked.set()
            closing.wait(5)
            return super().transaction(work)

    slow = Slow.__new__(Slow)
    slow.__dict__ = database.__dict__
    with rig(slow) as made, ThreadPoolExecutor(2) as threads:
        asked = threads.submit(made.ask, "Hi")
        assert checked.wait(5)
        closed = threads.submit(made.engine.close)
        assert wait_until(lambda: made.engine._closing)
        closing.set()
        closed.result(5)

        assert finish(asked.result(5)).status == "interrupted"
        assert made.gateway.history == ()
        assert made.rows("turns")[0]["status"] == "interrupted"


@pytest.mark.slow
def test_close_does_not_wait_for_ever_for_a_gateway_that_does_not_let_go(database):
    gateway = StubbornGateway()
    with rig(database, gateway=gateway, close=False) as made:
        live = made.ask("Hi")
        assert gateway.said.wait(5)

        made.engine.close(grace_s=1)

        assert live.result.status == "interrupted"
        gateway.release.set()
        assert wait_until(lambda: not made.engine._loop._thread.is_alive())


def test_a_usage_block_before_a_break_is_what_the_ledger_counts(running):
    running.gateway.enqueue("gpt", TextDelta("Half"), Usage(input_tokens=70, output_tokens=30), BROKEN)

    finish(running.ask("Hi"))

    [row] = running.rows("attempts")
    assert (row["input_tokens"], row["output_tokens"], row["cost_code"]) == (70, 30, "partial")
