"""What the HTTP API writes and reads, without a server."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from api.completion_answer import Served, exact, failure, finish_reason, headers, usage, whole
from api.completion_body import ThinkingBlock, WireMessage
from api.completion_chunks import Chunks
from api.completion_messages import said_in
from api.errors import ApiError, answering_errors, from_error, retry_after
from core.chat.conversation import AnswerFigures, Message
from core.costs.refusals import KEPT
from core.errors import (
    ErrorClass,
    LimitReached,
    ProviderError,
    StoreError,
    StoreLocked,
    SwitchboardError,
    TurnRefused,
    UsageFilterError,
)
from core.providers.events import (
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    TextDelta,
    ToolCalled,
    ToolCallPiece,
)
from core.providers.parts import SignedReasoning, TextPart, ToolCall

FIGURES = AnswerFigures(
    input_tokens=10,
    cached_input_tokens=4,
    output_tokens=5,
    reasoning_tokens=2,
    cost_usd=Decimal("0.000120000"),
    cost_code="computed",
    first_token_ms=1.0,
    duration_ms=2.0,
    tokens_per_second=None,
)


def answer(**changes) -> Message:
    fields = {
        "id": "a",
        "conversation_id": "c",
        "parent_id": None,
        "turn_id": "t",
        "role": "assistant",
        "content": "Hello",
        "status": "complete",
        "created_at": datetime.fromisoformat("2026-01-01"),
        "served_model": "gpt",
        "finish_reason": "stop",
    }
    return Message(**{**fields, **changes})


def chunks() -> Chunks:
    return Chunks("t", created=1)


def events_of(text: str) -> list[dict]:
    return [json.loads(event.removeprefix("data: ")) for event in text.strip().split("\n\n") if "[DONE]" not in event]


def test_a_whole_answer_has_openais_fields() -> None:
    said = whole(Served(answer=answer(reasoning="Hm."), figures=FIGURES, attempts=2), created=7)
    assert (said["object"], said["id"], said["model"], said["created"]) == ("chat.completion", "chatcmpl-t", "gpt", 7)
    assert said["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hello",
        "refusal": None,
        "reasoning_content": "Hm.",
    }
    assert said["usage"]["total_tokens"] == 15
    assert said["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}


def test_an_unknown_cost_has_no_header() -> None:
    unpriced = Served(answer=answer(), figures=None, attempts=1)
    assert headers("t", unpriced) == {"x-switchboard-turn": "t", "x-switchboard-attempts": "1"}
    assert usage(None) is None
    priced = Served(answer=answer(), figures=FIGURES, attempts=1)
    assert headers("t", priced)["x-switchboard-cost-usd"] == "0.00012"


def test_runs_of_text_and_reasoning_share_a_chunk_each() -> None:
    events = [ReasoningDelta("a"), ReasoningDelta("b"), TextDelta("c"), TextDelta("\n\nd"), Finished("stop")]
    deltas = [event["choices"][0]["delta"] for event in events_of(chunks().of(events, "gpt"))]
    assert deltas == [{"reasoning_content": "ab"}, {"content": "c\n\nd"}]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
@example(["a\x85b\u2028", "c\u2029d\x1e\x0be"])
def test_no_text_breaks_the_frames_of_a_stream(texts: list[str]) -> None:
    sent = chunks().of([TextDelta(text) for text in texts], "gpt")
    # As readers of lines in Python see it, who know more ends of lines than event streams have.
    assert [line for line in sent.splitlines() if line] == sent.strip().split("\n\n")
    assert "".join(event["choices"][0]["delta"]["content"] for event in events_of(sent)) == "".join(texts)


def test_the_end_of_a_stream_has_usage_when_it_is_wanted() -> None:
    served = Served(answer=answer(finish_reason="length"), figures=FIGURES, attempts=1)
    last, told = events_of(chunks().ending(served, tells_usage=True))
    assert (last["choices"][0]["finish_reason"], told["choices"], told["usage"]["total_tokens"]) == ("length", [], 15)
    assert told["switchboard"] == {"turn": "t", "attempts": "1", "cost_usd": "0.00012"}
    assert len(events_of(chunks().ending(served, tells_usage=False))) == 1
    assert finish_reason(Served(answer=answer(finish_reason="tool_calls"), figures=None, attempts=1)) == "stop"


def test_what_a_budget_stopped_is_handed_over_as_an_answer_that_was_cut() -> None:
    cut = answer(status="stopped", finish_reason=None, error_class="budget", error_message="The answer was stopped.")
    served = Served(answer=cut, figures=FIGURES, attempts=1)
    assert failure(cut, None) is None
    assert whole(served, created=1)["choices"][0]["finish_reason"] == "length"
    assert headers("t", served)["x-switchboard-stopped"] == "budget"
    assert events_of(chunks().ending(served, tells_usage=True))[1]["switchboard"]["stopped"] == "budget"
    assert failure(answer(status="stopped", error_class="stopped"), None) is not None


def test_calls_are_told_in_pieces_or_whole_but_once() -> None:
    first, second = (ToolCall(id=name, name="look", arguments='{"q":1}') for name in ("a", ""))
    events = [
        ToolCallPiece(index=0, id="a", name="look", arguments=""),
        ToolCallPiece(index=0, arguments='{"q":1}'),
        ToolCalled(first),
        ToolCalled(second),
    ]
    told = [event["choices"][0]["delta"]["tool_calls"][0] for event in events_of(chunks().of(events, "gpt"))]
    assert told == [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"q":1}'}},
        {"index": 1, "id": "call_t1", "type": "function", "function": {"name": "look", "arguments": '{"q":1}'}},
    ]
    served = Served(answer=answer(content=""), figures=None, attempts=1, calls=(first, second))
    choice = whole(served, created=1)["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert [call["id"] for call in choice["message"]["tool_calls"]] == ["a", "call_t1"]


def test_signed_reasoning_goes_back_as_it_came() -> None:
    signed = SignedReasoning(text="Hm.", signature="x")
    [event] = events_of(chunks().of([ReasoningSigned(signed)], "gpt"))
    block = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    assert event["choices"][0]["delta"] == {"thinking_blocks": [block]}
    served = Served(answer=answer(), figures=None, attempts=1, signed=signed)
    assert whole(served, created=1)["choices"][0]["message"]["thinking_blocks"] == [block]
    sent = WireMessage(role="assistant", content="So", thinking_blocks=[ThinkingBlock(**block)])
    said = said_in([sent, WireMessage(role="user", content="On?")])
    assert said.messages[0].parts == (signed, TextPart("So"))


@given(st.decimals(min_value=0, max_value=10**9, places=9))
def test_amounts_lose_no_digit(amount: Decimal) -> None:
    assert Decimal(exact(amount)) == amount
    assert "E" not in exact(amount)


@pytest.mark.parametrize(
    ("error_class", "status"),
    [
        (ErrorClass.CONNECTION, 502),
        (ErrorClass.AUTHENTICATION, 502),
        (ErrorClass.RATE_LIMIT, 429),
        (ErrorClass.CONTEXT_LENGTH, 400),
        (ErrorClass.STALL, 504),
        (ErrorClass.STARTING, 503),
    ],
)
def test_a_providers_failure_has_its_status(error_class: ErrorClass, status: int) -> None:
    found = failure(answer(status="failed"), ProviderError(error_class, "It failed."))
    assert found is not None
    assert found.status == status


@pytest.mark.parametrize(
    ("error", "param"),
    [
        (ProviderError(ErrorClass.CONTEXT_LENGTH, "Too long."), "messages"),
        (ProviderError(ErrorClass.CONTENT_POLICY, "Refused."), "messages"),
        (ProviderError(ErrorClass.BAD_REQUEST, "Refused."), None),
        (TurnRefused("window", "Too long."), "messages"),
        (TurnRefused("tools", "It cannot."), "tools"),
        (TurnRefused("disabled", "It is off."), "model"),
        (UsageFilterError("No such day.", parameter="from"), "from"),
    ],
)
def test_an_error_names_the_field_that_is_at_fault(error: SwitchboardError, param: str | None) -> None:
    assert from_error(error).param == param


def test_every_class_of_error_has_a_status() -> None:
    assert all(from_error(ProviderError(one, "It failed.")).status >= 400 for one in ErrorClass)


def test_a_request_that_a_provider_refuses_comes_back_with_what_it_said() -> None:
    refused = ProviderError(
        ErrorClass.BAD_REQUEST,
        "GPT refused the request.",
        next_step="See below.",
        detail="logprobs:\n unknown " + "x" * 900,
    )
    message = from_error(refused).message
    assert message.startswith("GPT refused the request. It said: logprobs: unknown xxx")
    assert len(message) < 600
    down = ProviderError(ErrorClass.SERVER, "It failed.", next_step="Try again.", detail="at 10.0.0.1")
    assert from_error(down).message == "It failed. Try again."


def test_how_a_turn_ended_says_whether_it_failed() -> None:
    assert failure(answer(), None) is None
    for lost in (failure(None, None), failure(answer(status="failed"), None)):
        assert lost is not None
        assert lost.status == 500
    interrupted = failure(answer(status="interrupted"), None)
    assert interrupted is not None
    assert interrupted.status == 503


def test_refusals_say_nothing_of_a_message_box() -> None:
    refused = from_error(TurnRefused("window", "It is too long.", next_step="It is kept in the box."))
    assert (refused.status, refused.message) == (400, "It is too long.")
    wait = f"Try again in 2 seconds. {KEPT}"
    limited = from_error(LimitReached("rate_limit", "Too many.", limit_id="x", retry_after_s=1.2, next_step=wait))
    assert (limited.status, limited.headers) == (429, {"retry-after": "2"})
    assert limited.message == "Too many. Try again in 2 seconds."
    spent = from_error(LimitReached("budget", "All is spent.", limit_id="x"))
    assert spent.body()["error"]["type"] == "insufficient_quota"
    assert from_error(StoreError("The disk is full.")).status == 503
    assert from_error(StoreLocked("It is in use.")).code == "store_unavailable"
    assert retry_after(None) == {}
    assert ApiError(status=401, message="No.").body()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("code", "header", "sent_on"),
    [
        ("stopping", b"x-switchboard-resends", True),
        ("stopping", b"x-other", False),
        ("no_key", b"x-switchboard-resends", False),
    ],
)
async def test_a_call_that_came_in_as_the_stop_began_may_be_sent_on(code, header, sent_on) -> None:
    async def refuse(_request: Request) -> Response:
        raise TurnRefused(code, "Not now.")

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": [(header, b"once")]}
    response = await answering_errors(refuse)(Request(scope))
    assert response.status_code == 503
    assert ("x-accel-redirect" in response.headers) is sent_on
