"""Turns whose model fails: other tries, other models, and what the ledger, the message and the receipt say of it."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest

from core.catalog.models import Capability, ProviderSpec
from core.chat.recovery import recover_turns
from core.chat.store import set_fallback
from core.errors import ErrorClass, ProviderError, TurnRefused
from core.providers.events import Finished, ReasoningDelta, Retrying, TextDelta, Usage
from core.providers.scripted import Gate, answer
from tests.support.moving_clock import MovingClock
from tests.support.turns import finish, model, read_to_end, rig, text_of, wait_until

LIMITED = ProviderError(ErrorClass.RATE_LIMIT, "Fast is over its rate limit.", next_step="Wait.", retry_after_s=2.0)
DOWN = ProviderError(ErrorClass.SERVER, "Fast had an error at its provider.", next_step="Try again.")
FAST = model("fast", label="Fast", fallbacks=("steady", "third"), parameters={"temperature": 0.1}, context_tokens=8000)
STEADY = model("steady", label="Steady", system_prompt="Be steady.", parameters={"top_p": 0.5}, context_tokens=8000)
THIRD = model("third", label="Third", context_tokens=32_000)
MODELS = (FAST, STEADY, THIRD)


@pytest.fixture(name="running")
def _running(database):
    with rig(database, *MODELS) as made:
        yield made


def fail(running, model_id, *errors):
    for error in errors:
        running.gateway.enqueue(model_id, error)


def statuses(running):
    return [(row["served_model"], row["status"]) for row in running.rows("attempts")]


def told(live):
    return [event for event in read_to_end(live.buffer) if isinstance(event, Retrying)]


def test_a_retry_of_the_same_model_answers_and_both_tries_are_in_the_ledger(running):
    fail(running, "fast", LIMITED)
    running.gateway.enqueue("fast", *answer("Here"))

    live = running.ask("Hi", model_id="fast")
    result = finish(live)

    assert (result.status, result.content, result.error_message) == ("complete", "Here", None)
    assert (result.requested_model, result.served_model, result.model_label) == ("fast", "fast", "Fast")
    first, second = running.rows("attempts")
    assert (first["parent_id"], second["parent_id"]) == (None, first["id"])
    assert (first["status"], first["error_message"]) == ("rate_limit", "Fast is over its rate limit.")
    assert (second["status"], second["fallback_of"]) == ("ok", None)
    assert first["started_at"] <= first["ended_at"] <= second["started_at"] <= second["ended_at"]
    assert told(live) == [Retrying("Fast", "Fast is over its rate limit", wait_s=2.0)]
    assert text_of(read_to_end(live.buffer)) == "Here"


def test_after_three_failures_the_fallback_answers_in_its_own_way_and_says_so(running):
    fail(running, "fast", DOWN, DOWN, DOWN)
    running.gateway.enqueue("steady", *answer("Steadily"))

    live = running.ask("Hi", model_id="fast")
    result = finish(live)

    assert (result.content, result.requested_model, result.served_model) == ("Steadily", "fast", "steady")
    assert result.model_label == "Steady"
    assert statuses(running) == [("fast", "server")] * 3 + [("steady", "ok")]
    rows = running.rows("attempts")
    assert [row["fallback_of"] for row in rows] == [None, None, None, "fast"]
    assert [row["parent_id"] for row in rows] == [None, *(row["id"] for row in rows[:-1])]
    assert {row["requested_model"] for row in rows} == {"fast"}
    request = running.gateway.history[-1]
    assert [message.content for message in request.messages] == ["Be steady.", "Hi"]
    assert request.parameters == {"top_p": 0.5}
    assert told(live)[-1] == Retrying("Steady", "Fast had an error at its provider", instead=True)


def test_the_receipt_comes_from_the_ledger_and_only_where_there_was_a_detour(running):
    fail(running, "fast", DOWN, DOWN, DOWN)
    running.gateway.enqueue("steady", *answer("Steadily"))
    first = running.ask("Hi", model_id="fast")
    finish(first)
    running.gateway.enqueue("third", *answer("Straight"))
    finish(running.ask("And?", model_id="third", conversation_id=first.ids.conversation))

    *_, detour, _, straight = running.messages(first.ids.conversation)

    assert straight.receipt is None
    assert (detour.receipt.asked, detour.receipt.answered) == ("fast", "steady")
    assert [tried.status for tried in detour.receipt.tries] == ["server"] * 3 + ["ok"]
    assert detour.receipt.added_usd == 0
    assert detour.figures.output_tokens == 1


def test_what_a_failed_try_used_is_paid_and_told(running):
    running.gateway.enqueue("fast", Usage(input_tokens=100, output_tokens=0), DOWN)
    running.gateway.enqueue("fast", *answer("Here"))

    live = running.ask("Hi", model_id="fast")
    finish(live)

    assert running.messages(live.ids.conversation)[-1].receipt.added_usd == Decimal("0.0003")


@pytest.mark.parametrize(
    "error_class",
    [ErrorClass.BAD_REQUEST, ErrorClass.AUTHENTICATION, ErrorClass.PERMISSION, ErrorClass.CONTENT_POLICY],
)
def test_the_callers_own_mistake_goes_to_the_person_at_once(running, error_class):
    fail(running, "fast", ProviderError(error_class, "No.", next_step="Change it."))

    result = finish(running.ask("Hi", model_id="fast"))

    assert (result.status, result.error_message) == ("failed", "No. Your message is kept. Change it.")
    assert statuses(running) == [("fast", error_class.value)]


@pytest.mark.parametrize("piece", [TextDelta("Half"), ReasoningDelta("Hm")])
def test_nothing_follows_the_first_visible_token(running, piece):
    running.gateway.enqueue("fast", piece, DOWN)

    live = running.ask("Hi", model_id="fast")
    result = finish(live)

    assert result.status in {"broken", "failed"}
    assert result.content == ("Half" if isinstance(piece, TextDelta) else "")
    assert statuses(running) == [("fast", "server")]
    assert told(live) == []


def test_too_long_a_conversation_goes_to_a_larger_window_only(running):
    fail(running, "fast", ProviderError(ErrorClass.CONTEXT_LENGTH, "Too long."))
    running.gateway.enqueue("third", *answer("Fits"))

    assert finish(running.ask("Hi", model_id="fast")).served_model == "third"
    assert statuses(running) == [("fast", "context_length"), ("third", "ok")]


def test_when_no_model_answers_all_are_named_and_the_question_is_kept(running):
    away = ProviderError(ErrorClass.NOT_FOUND, "Steady is gone.")
    fail(running, "fast", DOWN, DOWN, DOWN)
    fail(running, "steady", away)
    fail(running, "third", ProviderError(ErrorClass.STALL, "Third said nothing.", detail="why"))

    live = running.ask("Hi", model_id="fast")
    result = finish(live)

    assert (result.status, result.error_class, result.model_label) == ("failed", "stall", "Fast")
    assert result.error_message == (
        "No model could answer. Fast had an error at its provider. Steady is gone. Third said nothing. "
        "Your message is kept. Try again or choose another model."
    )
    assert result.error_detail == "why"
    question, stored = running.messages(live.ids.conversation)
    assert question.content == "Hi"
    assert stored.receipt.answered is None
    assert len(stored.receipt.tries) == 5


@pytest.mark.parametrize("choice", ["ask", "never"])
def test_a_conversation_may_refuse_other_models(running, choice):
    running.gateway.enqueue("fast", *answer("One"))
    first = running.ask("Hi", model_id="fast")
    finish(first)
    set_fallback(running.database, conversation_id=first.ids.conversation, user_id="ann", fallback=choice)
    fail(running, "fast", DOWN, DOWN, DOWN)

    result = finish(running.ask("Again", model_id="fast", conversation_id=first.ids.conversation))

    assert result.status == "failed"
    assert result.error_message.startswith("Fast had an error at its provider. Your message is kept.")
    assert {row["served_model"] for row in running.rows("attempts")} == {"fast"}


def test_a_request_may_bring_its_own_choice(running):
    fail(running, "fast", DOWN, DOWN, DOWN)

    assert finish(running.ask("Hi", model_id="fast", fallback="never")).status == "failed"


def test_a_fallback_that_cannot_be_called_or_cannot_hold_the_conversation_is_left_out(database):
    def refuse(spec, user_id):
        if spec.id == "keyless":
            raise TurnRefused("no_key", f"No key for {user_id}.")

    fast = model("fast", fallbacks=("keyless", "small", "gone", "third"))
    small = model("small", context_tokens=300)
    with rig(database, fast, model("keyless"), small, THIRD, refuse=refuse) as made:
        fail(made, "fast", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        made.gateway.enqueue("third", *answer("Here"))

        assert finish(made.ask("word " * 200, model_id="fast")).served_model == "third"


def test_a_fallback_that_does_not_take_a_chosen_parameter_is_left_out(database):
    reasoning = {"capabilities": frozenset({Capability.REASONING}), "provider": ProviderSpec(id="x", kind="openai")}
    fast = model("fast", fallbacks=("steady", "third"), **reasoning)
    with rig(database, fast, STEADY, model("third", **reasoning)) as made:
        fail(made, "fast", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        made.gateway.enqueue("third", *answer("Here"))

        live = made.ask("Hi", model_id="fast", parameters={"reasoning_effort": "low"})

        assert finish(live).served_model == "third"
        assert made.gateway.history[-1].parameters == {"reasoning_effort": "low"}


def test_trouble_with_the_choice_of_fallbacks_hides_nothing(database, caplog):
    def refuse(spec, _user_id):
        if spec.id == "steady":
            raise ZeroDivisionError

    with rig(database, *MODELS, refuse=refuse) as made:
        fail(made, "fast", ProviderError(ErrorClass.NOT_FOUND, "Gone."))

        assert finish(made.ask("Hi", model_id="fast")).error_message == "Gone. Your message is kept."
    assert "no fallbacks" in caplog.text


def test_a_stop_while_waiting_ends_the_turn_at_once_and_asks_nobody_else(database):
    waiting = threading.Event()

    async def wait(_seconds):
        waiting.set()
        await asyncio.Event().wait()

    with rig(database, *MODELS, sleep=wait) as made:
        fail(made, "fast", LIMITED)
        live = made.ask("Hi", model_id="fast")
        assert waiting.wait(5)
        made.engine.stop(live)
        result = finish(live)

        assert (result.status, result.content) == ("stopped", "")
        assert statuses(made) == [("fast", "rate_limit")]
        assert len(made.gateway.history) == 1


class _Swallowing:
    """Turns its cancellation into an error of the provider, as a client library may."""

    def __init__(self):
        self.calls = 0
        self.called = threading.Event()

    async def stream(self, _request):
        self.calls += 1
        self.called.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise DOWN from None
        yield TextDelta("never")


def test_a_stop_that_looks_like_a_failure_asks_nobody_else(database):
    gateway = _Swallowing()
    with rig(database, *MODELS, gateway=gateway) as made:
        live = made.ask("Hi", model_id="fast")
        assert gateway.called.wait(5)
        made.engine.stop(live)

        assert finish(live).status == "stopped"
        assert statuses(made) == [("fast", "stopped")]
        assert gateway.calls == 1
        assert made.engine.circuit.state("fast").open_until is None


def test_a_429_opens_the_circuit_for_the_next_turn_until_it_has_cooled(database):
    clock = MovingClock()
    with rig(database, *MODELS, clock=clock) as made:
        fail(made, "fast", LIMITED, LIMITED, LIMITED)
        for name in ("steady", "steady", "fast"):
            made.gateway.enqueue(name, *answer("Here"))
        finish(made.ask("Hi", model_id="fast"))
        assert made.engine.circuit.state("fast").reason == "429"

        passed_over = made.ask("Again", model_id="fast")
        assert finish(passed_over).served_model == "steady"
        # Made at the same moment of a clock that stands still, the messages have no order.
        receipts = [message.receipt for message in made.messages(passed_over.ids.conversation)]
        assert [receipt.asked for receipt in receipts if receipt] == ["fast"]
        clock.advance(seconds=3)

        assert finish(made.ask("Later", model_id="fast")).served_model == "fast"
        assert made.engine.circuit.state("fast").open_until is None


def test_one_turn_that_waits_delays_no_other(database):
    waiting = threading.Event()

    async def wait(_seconds):
        waiting.set()
        await asyncio.Event().wait()

    with rig(database, *MODELS, sleep=wait) as made:
        fail(made, "fast", LIMITED)
        slow = made.ask("Hi", model_id="fast")
        assert waiting.wait(5)
        made.gateway.enqueue("third", *answer("At once"))

        assert finish(made.ask("Hi", model_id="third")).content == "At once"
        made.engine.stop(slow)
        finish(slow)


def test_a_crash_while_a_fallback_writes_leaves_its_text_under_its_name(database):
    with rig(database, *MODELS, checkpoint_s=0.01) as made:
        fail(made, "fast", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        gate = Gate()
        made.gateway.enqueue("steady", TextDelta("Half"), gate, Finished("stop"))
        live = made.ask("Hi", model_id="fast")
        assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "Half")

        assert recover_turns(database, find_model={spec.id: spec for spec in MODELS}.get) == 1

        recovered = made.messages(live.ids.conversation)[-1]
        assert (recovered.content, recovered.requested_model, recovered.served_model) == ("Half", "fast", "steady")
        assert (recovered.model_label, recovered.status) == ("Steady", "interrupted")
        failed, interrupted = made.rows("attempts")
        assert (failed["served_model"], failed["status"]) == ("fast", "not_found")
        assert (interrupted["served_model"], interrupted["fallback_of"]) == ("steady", "fast")
        assert interrupted["started_at"] <= interrupted["first_token_at"] <= interrupted["ended_at"]
        gate.open()


def test_a_crash_while_a_silent_try_runs_leaves_every_try_in_the_ledger(database):
    with rig(database, *MODELS, checkpoint_s=0.01) as made:
        gate = Gate()
        made.gateway.enqueue("fast", Usage(input_tokens=1000, output_tokens=0), DOWN)
        made.gateway.enqueue("fast", gate, *answer("Never seen"))
        live = made.ask("Hi", model_id="fast")
        assert gate.wait_until_reached()
        assert wait_until(lambda: (row := made.rows("turns")[0])["tries"] and row["attempt_started_at"])

        assert recover_turns(database, find_model={spec.id: spec for spec in MODELS}.get) == 1

        failed, interrupted = made.rows("attempts")
        assert (failed["status"], failed["cost_usd"]) == ("server", Decimal("0.003"))
        assert (interrupted["status"], interrupted["parent_id"]) == ("interrupted", failed["id"])
        assert made.messages(live.ids.conversation)[-1].receipt is not None
        gate.open()


def test_a_try_is_kept_while_the_turn_waits_for_the_next_one(database):
    async def wait(_seconds):
        await asyncio.Event().wait()

    with rig(database, *MODELS, sleep=wait, checkpoint_s=0.01) as made:
        fail(made, "fast", LIMITED)
        live = made.ask("Hi", model_id="fast")
        assert wait_until(lambda: made.rows("turns")[0]["tries"])
        assert made.rows("turns")[0]["attempt_started_at"] is None

        made.engine.stop(live)
        finish(live)
        assert made.rows("turns")[0]["tries"] is None
        assert statuses(made) == [("fast", "rate_limit")]
