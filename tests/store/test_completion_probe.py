"""A probe of one token: what it asks, what it leaves in the ledger, and what the status makes of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from core.catalog.passive_health import PassiveHealth
from core.catalog.probes import Finding
from core.chat.completion_probe import CompletionProbe
from core.costs.ledger import NOBODY
from core.costs.model_figures import figures_by_model
from core.errors import ErrorClass, ProviderError
from core.providers.circuit import Circuits
from core.providers.events import Finished, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage
from core.providers.scripted import Gate, ScriptedGateway, answer
from core.store.sql import load_queries
from tests.support.moving_clock import MovingClock
from tests.support.people import add_person
from tests.support.turns import model

MODEL = model()


@pytest.fixture(name="clock")
def _clock() -> MovingClock:
    return MovingClock()


@pytest.fixture(name="gateway")
def _gateway() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture(name="circuits")
def _circuits(clock) -> Circuits:
    return Circuits(clock=clock)


@pytest.fixture(name="probe")
def _probe(database, gateway, circuits, clock) -> CompletionProbe:
    return CompletionProbe(database, gateway=gateway, circuits=circuits, clock=clock)


def one_word() -> tuple:
    return (Started("gpt-served"), TextDelta("Hello"), Usage(input_tokens=8, output_tokens=1), Finished("length"))


def failing(error_class: ErrorClass, **fields) -> ProviderError:
    return ProviderError(error_class, "GPT has no server.", next_step="Try again.", **fields)


async def test_a_model_is_asked_for_one_token_and_its_cost_is_booked_to_nobody(database, gateway, probe, clock) -> None:
    gateway.enqueue("gpt", *one_word())

    assert await probe(MODEL) == Finding()

    (request,) = gateway.history
    assert (request.messages, request.parameters) == ((ChatMessage("user", "Hi"),), {"max_tokens": 1})
    (row,) = database.fetch_all("select * from attempts")
    assert (row["source"], row["user_id"], row["conversation_id"], row["status"]) == ("probe", NOBODY, None, "ok")
    assert (row["cost_usd"], row["cost_code"]) == (Decimal("0.000039"), "computed")
    assert (row["requested_model"], row["served_model"], row["upstream_model"]) == ("gpt", "gpt", "gpt-served")
    assert PassiveHealth(database, clock=clock).status("gpt").state == "healthy"


async def test_a_probe_is_in_nobodys_history_and_in_no_measured_speed(database, gateway, probe, clock) -> None:
    gateway.enqueue("gpt", *one_word())
    await probe(MODEL)

    user_id = add_person(database, "ann").id
    figures = figures_by_model(database, user_id=user_id, month=clock.now - timedelta(days=3), now=clock.now)["gpt"]

    assert database.fetch_all(load_queries("own_data")["export_attempts"], user_id=user_id) == []
    assert (figures.answers, figures.first_token_ms, figures.calls) == (0, None, 0)


@pytest.mark.parametrize(
    ("error_class", "finding"),
    [
        (ErrorClass.SERVER, Finding("GPT has no server.")),
        (ErrorClass.AUTHENTICATION, Finding("GPT has no server.")),
        (ErrorClass.BAD_REQUEST, Finding(silent=True)),
    ],
)
async def test_a_failure_costs_nothing_and_is_written_down(database, gateway, probe, error_class, finding) -> None:
    gateway.enqueue("gpt", failing(error_class))

    assert await probe(MODEL) == finding

    (row,) = database.fetch_all("select * from attempts")
    assert (row["status"], row["cost_usd"], row["error_message"]) == (error_class.value, 0, "GPT has no server.")


async def test_a_rate_limit_opens_the_circuit_and_an_open_circuit_is_left_alone(
    database, gateway, probe, circuits, clock
) -> None:
    gateway.enqueue("gpt", failing(ErrorClass.RATE_LIMIT, retry_after_s=60))
    assert await probe(MODEL) == Finding(silent=True)
    assert circuits.state("gpt").open_until == clock.now + timedelta(seconds=60)

    assert await probe(MODEL) == Finding(silent=True)
    assert len(gateway.history) == 1

    clock.advance(seconds=61)
    gateway.enqueue("gpt", *answer("Hello"))
    assert await probe(MODEL) == Finding()
    assert circuits.state("gpt").open_until is None


async def test_a_model_that_says_nothing_is_given_up(database, gateway, circuits, clock) -> None:
    gateway.enqueue("gpt", Started(), Gate())
    probe = CompletionProbe(database, gateway=gateway, circuits=circuits, clock=clock, limit_s=0.05)

    assert await probe(MODEL) == Finding("GPT did not answer within 0.05 seconds.", unanswered=True)

    # Not yet said of the model: the prober asks again first.
    assert gateway.abandoned == ("gpt",)
    assert database.fetch_all("select status from attempts") == [{"status": "interrupted"}]
    assert PassiveHealth(database, clock=clock).status("gpt").state == "unknown"
    assert circuits.enter("gpt")


async def test_what_we_import_for_a_call_is_not_its_time(database, gateway, circuits, clock) -> None:
    gateway.enqueue("gpt", *one_word())

    async def make_ready(_) -> None:
        await asyncio.sleep(0.1)

    probe = CompletionProbe(
        database, gateway=gateway, make_ready=make_ready, circuits=circuits, clock=clock, limit_s=0.05
    )

    assert await probe(MODEL) == Finding()


async def test_an_answer_that_is_whole_needs_no_end_of_its_connection(database, gateway, circuits, clock) -> None:
    gateway.enqueue("gpt", *one_word(), Gate())
    probe = CompletionProbe(database, gateway=gateway, circuits=circuits, clock=clock, limit_s=0.05)

    assert await probe(MODEL) == Finding()
    assert database.fetch_all("select status from attempts") == [{"status": "ok"}]


async def test_the_end_of_the_process_books_what_was_sent_and_lets_the_trial_go(
    database, gateway, probe, circuits
) -> None:
    gate = Gate()
    gateway.enqueue("gpt", Started(), gate)
    asking = asyncio.create_task(probe(MODEL))
    await asyncio.to_thread(gate.wait_until_reached)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    (row,) = database.fetch_all("select status, cost_usd, cost_code from attempts")
    assert (row["status"], row["cost_code"]) == ("interrupted", "partial")
    assert row["cost_usd"] > 0
    assert circuits.enter("gpt")
