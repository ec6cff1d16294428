"""How a turn ended, as its message, its turn and its ledger row say it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.catalog.models import Hours, OffPeak, Prices
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.outcome import Outcome, answer_message, attempt_row, outcome_of
from core.chat.turn_record import TurnIds
from core.errors import ErrorClass, ProviderError, StoreError
from core.providers.events import Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from tests.support.turns import PRICES, model

NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC is the store's own form
LATER = NOW + timedelta(seconds=2)
IDS = TurnIds(turn="t", conversation="c", question="q", answer="a")
REQUEST = TurnRequest(user_id="ann", model_id="gpt", use_case="coding")
REFUSED = ProviderError(ErrorClass.RATE_LIMIT, "Too many.", next_step="Wait.", detail="429")
STORE = StoreError("Odd.", next_step="Hm.", detail="why")
BUG = ZeroDivisionError("secret")


def arrived(*, text="", reasoning="", finish_reason=None, **fields):
    return Answer(
        started_at=NOW,
        text=[text] if text else [],
        reasoning=[reasoning] if reasoning else [],
        finish_reason=finish_reason,
        sent=True,
        **fields,
    )


@pytest.mark.parametrize(
    ("answer", "how", "turn", "message", "attempt"),
    [
        ({"text": "a", "finish_reason": "stop"}, {}, "completed", "complete", "ok"),
        ({"text": "a", "finish_reason": "length"}, {}, "completed", "complete", "ok"),
        ({"text": "a", "finish_reason": "stop"}, {"ended": "stopped"}, "completed", "complete", "ok"),
        ({"text": "a", "finish_reason": "stop"}, {"error": REFUSED}, "completed", "complete", "ok"),
        ({"text": "a"}, {"ended": "stopped"}, "stopped", "stopped", "stopped"),
        ({}, {"ended": "stopped"}, "stopped", "stopped", "stopped"),
        ({"text": "a"}, {"ended": "interrupted"}, "interrupted", "interrupted", "interrupted"),
        ({}, {"error": REFUSED}, "failed", "failed", "rate_limit"),
        ({"text": "a"}, {"error": REFUSED}, "failed", "broken", "rate_limit"),
        ({"reasoning": "a"}, {"error": REFUSED}, "failed", "failed", "rate_limit"),
        ({"text": "a"}, {"error": STORE}, "failed", "broken", "internal"),
        ({}, {"error": BUG}, "failed", "failed", "internal"),
        ({}, {"error": asyncio.CancelledError()}, "failed", "failed", "internal"),
    ],
)
def test_every_way_to_end_has_its_three_statuses(answer, how, turn, message, attempt):
    outcome = outcome_of(arrived(**answer), **how)

    assert (outcome.turn_status, outcome.message_status, outcome.attempt_status) == (turn, message, attempt)
    assert outcome.complete == (message == "complete")


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_every_error_class_goes_to_the_ledger_by_its_name(error_class):
    error = ProviderError(error_class, "What.", next_step="Then.")

    assert outcome_of(arrived(), error=error).attempt_status == error_class.value


@pytest.mark.parametrize(
    ("how", "message", "detail"),
    [
        ({}, None, None),
        ({"ended": "stopped"}, None, None),
        ({"error": REFUSED}, "Too many. Your message is kept. Wait.", "429"),
        ({"error": STORE}, "Odd. Your message is kept. Hm.", "why"),
        (
            {"error": BUG},
            "Something went wrong inside Switchboard. Your message is kept. Try again.",
            "ZeroDivisionError",
        ),
        (
            {"error": ProviderError(ErrorClass.SERVER, "nul \x00.", detail="\ud83d")},
            "nul ␀. Your message is kept.",
            "�",
        ),
    ],
)
def test_an_error_is_said_in_plain_words_and_a_bug_keeps_its_secrets(how, message, detail):
    outcome = outcome_of(arrived(), **how)

    assert (outcome.error_message, outcome.error_detail) == (message, detail)


def test_an_error_after_the_first_word_says_that_the_words_are_kept():
    message = outcome_of(arrived(text="a"), error=REFUSED).error_message

    assert message == "Too many. What had arrived is kept. Wait."


def test_an_interruption_says_what_was_kept_and_what_to_do():
    message = outcome_of(arrived(text="a"), ended="interrupted").error_message

    assert "kept" in message
    assert "Try again" in message


@pytest.mark.parametrize(
    ("outcome", "error_class"),
    [
        (outcome_of(arrived(finish_reason="stop")), None),
        (outcome_of(arrived(), ended="stopped"), "stopped"),
        (outcome_of(arrived(), error=REFUSED), "rate_limit"),
    ],
)
def test_the_answers_message_hangs_on_its_question_and_says_who_answered(outcome, error_class):
    answer = arrived(text="Hello", reasoning="Hm", finish_reason="stop")

    message = answer_message(IDS, model(label="Tiny"), answer, outcome, now=LATER)

    assert (message.id, message.parent_id, message.turn_id, message.conversation_id) == ("a", "q", "t", "c")
    assert (message.role, message.content, message.reasoning) == ("assistant", "Hello", "Hm")
    assert (message.requested_model, message.served_model, message.model_label) == ("gpt", "gpt", "Tiny")
    assert (message.status, message.error_class, message.created_at) == (outcome.message_status, error_class, LATER)


def test_an_answer_without_reasoning_has_none():
    assert answer_message(IDS, model(), arrived(), outcome_of(arrived()), now=LATER).reasoning is None


def row_of(answer, outcome, **changes):
    spec = model(**changes)
    completion = CompletionRequest(
        model=spec, messages=[ChatMessage("user", "hello world")], parameters={"temperature": 0.5}
    )
    return attempt_row(IDS, REQUEST, completion, answer, outcome, ended_at=LATER)


def test_the_ledger_row_says_who_asked_what_answered_when_and_for_how_much():
    usage = Usage(input_tokens=1000, output_tokens=100)
    answer = arrived(text="Hello", finish_reason="stop", usage=usage, upstream_model="tiny-1", first_token_at=NOW)

    row = row_of(answer, outcome_of(answer))

    assert (row.turn_id, row.conversation_id, row.user_id, row.source, row.use_case) == (
        "t",
        "c",
        "ann",
        "chat",
        "coding",
    )
    assert (row.requested_model, row.served_model, row.upstream_model, row.provider) == ("gpt", "gpt", "tiny-1", "lab")
    assert (row.started_at, row.first_token_at, row.ended_at) == (NOW, NOW, LATER)
    assert (row.status, row.error_message, row.parameters) == ("ok", None, {"temperature": 0.5})
    assert (row.usage, row.cost.cost_usd, row.cost.code) == (usage, Decimal("0.0045"), "computed")
    assert row.price_version == "registry"


@pytest.mark.parametrize(
    ("hours", "cost", "version"),
    [
        (Hours(since=0, until=60), "0.001", "lab off-peak"),
        (Hours(since=1439, until=1), "0.001", "lab off-peak"),
        (Hours(since=1, until=1439), "0.0045", "registry"),
    ],
)
def test_a_call_is_priced_by_the_hour_it_ends_in(hours, cost, version):
    cheap = Prices(input=Decimal(1), output=Decimal(0), source="lab off-peak")
    answer = arrived(text="Hello", finish_reason="stop", usage=Usage(input_tokens=1000, output_tokens=100))

    row = row_of(answer, outcome_of(answer), prices=replace(PRICES, off_peak=OffPeak(hours=(hours,), prices=cheap)))

    assert (row.cost.cost_usd, row.price_version) == (Decimal(cost), version)


@pytest.mark.parametrize(
    ("answer", "how", "changes", "code", "input_tokens"),
    [
        ({"text": "a", "finish_reason": "stop"}, {}, {}, "estimated", 6),
        ({"text": "a"}, {"ended": "stopped"}, {}, "partial", 6),
        ({}, {"ended": "stopped"}, {}, "partial", 6),
        ({}, {"ended": "interrupted"}, {}, "partial", 6),
        ({"text": "a"}, {"error": REFUSED}, {}, "partial", 6),
        ({}, {"error": REFUSED}, {}, "partial", 0),
        ({"text": "a"}, {"ended": "stopped"}, {"prices": None}, "unpriced", 6),
    ],
)
def test_what_was_consumed_is_counted_and_coded(answer, how, changes, code, input_tokens):
    answer = arrived(**answer)

    row = row_of(answer, outcome_of(answer, **how), **changes)

    assert (row.cost.code, row.usage.input_tokens) == (code, input_tokens)
    assert (row.cost.cost_usd is None) == (row.price_version is None) == (code == "unpriced")


def test_an_outcome_is_a_value():
    assert outcome_of(arrived(), ended="stopped") == Outcome(
        turn_status="stopped", message_status="stopped", attempt_status="stopped"
    )
