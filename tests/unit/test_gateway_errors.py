from __future__ import annotations

import json
from datetime import datetime

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorClass, ProviderError
from core.providers.wire_errors import parse_retry_after, to_provider_error

NOW = datetime(2026, 3, 1, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the project's form of time
REQUEST = httpx.Request("POST", "http://127.0.0.1/v1/chat/completions")


def status_error(status: int, message: str = "No.", **headers: str) -> openai.APIStatusError:
    response = httpx.Response(status, request=REQUEST, headers=headers)
    return openai.APIStatusError(message, response=response, body=None)


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


def mapped(error: BaseException) -> ProviderError:
    return to_provider_error(error, label="Model M", secrets=("hunter2hunter2",), clock=lambda: NOW)


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, ErrorClass.BAD_REQUEST),
        (401, ErrorClass.AUTHENTICATION),
        (402, ErrorClass.PERMISSION),
        (403, ErrorClass.PERMISSION),
        (404, ErrorClass.NOT_FOUND),
        (408, ErrorClass.STALL),
        (413, ErrorClass.CONTEXT_LENGTH),
        (418, ErrorClass.BAD_REQUEST),
        (422, ErrorClass.BAD_REQUEST),
        (429, ErrorClass.RATE_LIMIT),
        (500, ErrorClass.SERVER),
        (503, ErrorClass.SERVER),
        (529, ErrorClass.SERVER),
    ],
)
def test_the_status_code_decides(status, error_class):
    error = mapped(status_error(status))

    assert (error.error_class, error.status_code) == (error_class, status)
    assert "Model M" in error.user_message
    assert error.next_step.endswith(".")


@pytest.mark.parametrize(
    ("cause", "error_class", "what"),
    [
        (httpx.ConnectError("refused"), ErrorClass.CONNECTION, "cannot be reached"),
        (httpx.ConnectTimeout("slow"), ErrorClass.CONNECTION, "cannot be reached"),
        (httpx.ReadTimeout("silent"), ErrorClass.STALL, "stopped sending"),
        (httpx.ReadError("reset"), ErrorClass.CONNECTION, "broke"),
        (httpx.RemoteProtocolError("cut"), ErrorClass.CONNECTION, "broke"),
    ],
)
def test_a_network_failure_deep_in_the_causes_beats_the_status_a_library_chose(cause, error_class, what):
    error = mapped(caused(status_error(500), caused(RuntimeError("wrapped"), cause)))

    assert (error.error_class, error.status_code) == (error_class, None)
    assert what in error.user_message


def test_what_a_library_wrapped_by_attribute_is_found():
    wrapper = RuntimeError("stream broke")
    wrapper.original_exception = httpx.ReadError("reset")  # type: ignore[attr-defined]

    assert mapped(wrapper).error_class == ErrorClass.CONNECTION


def test_causes_in_a_circle_end():
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first

    assert mapped(first).error_class == ErrorClass.INTERNAL


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("This model's maximum context length is 8192 tokens.", ErrorClass.CONTEXT_LENGTH),
        ("the request exceeds the available context size, try increasing it", ErrorClass.CONTEXT_LENGTH),
        ("prompt is too long: 210000 tokens > 200000 maximum", ErrorClass.CONTEXT_LENGTH),
        ("rejected as a result of our safety system", ErrorClass.CONTENT_POLICY),
        ("'temperature' must be at most 2", ErrorClass.BAD_REQUEST),
    ],
)
def test_a_bad_request_is_told_apart_by_its_words(message, error_class):
    assert mapped(status_error(400, message)).error_class == error_class


def test_a_server_error_about_the_context_is_about_the_context():
    assert mapped(status_error(500, "exceeds the context window")).error_class == ErrorClass.CONTEXT_LENGTH


def test_a_rate_limit_about_context_stays_a_rate_limit():
    assert mapped(status_error(429, "too many input tokens a minute")).error_class == ErrorClass.RATE_LIMIT


def test_an_empty_account_is_said_so():
    error = mapped(status_error(429, "You exceeded your current quota, please check your plan."))

    assert error.error_class == ErrorClass.RATE_LIMIT
    assert error.user_message == "The account for Model M is out of credit."


def test_an_error_event_within_a_stream_is_mapped_by_its_code():
    event = openai.APIError("Overloaded", request=REQUEST, body={"code": 503, "message": "Overloaded"})
    rate_limit = openai.APIError("Slow down", request=REQUEST, body={"code": "429"})
    unknown = openai.APIError("Something", request=REQUEST, body={"code": "odd"})

    assert mapped(event).status_code == 503
    assert mapped(rate_limit).error_class == ErrorClass.RATE_LIMIT
    assert mapped(unknown).error_class == ErrorClass.SERVER


def test_an_unreadable_chunk_is_the_servers_fault():
    error = mapped(json.JSONDecodeError("Unterminated string", "{", 0))

    assert error.error_class == ErrorClass.SERVER
    assert error.user_message == "Model M sent something unreadable."


def test_a_bug_of_ours_is_internal():
    assert mapped(TypeError("unexpected keyword")).error_class == ErrorClass.INTERNAL


def test_a_provider_error_passes_through():
    error = ProviderError(ErrorClass.STARTING, "It starts.")

    assert mapped(error) is error


def test_the_detail_holds_no_secret_and_is_short():
    error = mapped(status_error(401, "Key hunter2hunter2 or sk-abcdefgh12345678 is wrong. " + "x" * 5000))

    assert "hunter2" not in error.detail
    assert "sk-abcdefgh" not in error.detail
    assert len(error.detail) <= 2000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 13:01:30 +0100", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_takes_seconds_and_dates(value, seconds):
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text())
def test_retry_after_takes_any_text_without_failing(text):
    seconds = parse_retry_after(text, now=NOW)

    assert seconds is None or seconds >= 0


def test_retry_after_comes_from_the_response_and_is_said():
    error = mapped(status_error(429, **{"Retry-After": "6.2"}))

    assert error.retry_after_s == 6.2
    assert error.user_message == "Model M is over its rate limit for 7 s."
