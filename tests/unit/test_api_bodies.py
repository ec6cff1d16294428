"""The body of a request: what is wrong with it is named, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any

import pytest
from starlette.requests import Request

from api.caller import body_as
from api.completion_body import MOST_MESSAGES, MOST_PARTS, CompletionBody, refusal_of
from api.errors import ApiError

HELLO = [{"role": "user", "content": "Say hello."}]


def read(body: bytes) -> CompletionBody:
    """A body as the server reads it."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "headers": [(b"content-type", b"application/json")]}
    return asyncio.run(body_as(Request(scope, receive), CompletionBody))


def refusal(**fields: Any) -> ApiError:
    """What is said about a body with these fields."""
    with pytest.raises(ApiError) as caught:
        read(json.dumps({"model": "fast", "messages": HELLO, **fields}).encode())
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize("name", ["maxTokens", "FOO", "list", "str", "a[0]", "7", "名", "top_k"])
def test_an_unknown_field_is_named_as_the_caller_wrote_it(name) -> None:
    error = refusal(**{name: 1})
    assert (error.param, error.code) == (name, "unsupported_parameter")
    assert error.message == f"{name} is not supported here. Leave it out."


@pytest.mark.parametrize(
    ("fields", "param", "word"),
    [
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
            "messages.0.content.0.text",
            "string",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
            "messages.0.content.0.input_audio",
            "not supported",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "imageUrl": {}}]}]},
            "messages.0.content.0.imageUrl",
            "not supported",
        ),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content", "string"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "tool_choice.function", "required"),
        ({"tool_choice": "any"}, "tool_choice", "'none', 'auto' or 'required'"),
        ({"stop": ["a", 1]}, "stop.1", "string"),
        ({"temperature": "hot", "stop": ["a", 1]}, "temperature", "number"),
    ],
)
def test_of_what_may_be_this_or_that_the_part_that_is_wrong_is_named(fields, param, word) -> None:
    error = refusal(**fields)
    assert error.param == param
    assert word in error.message


@pytest.mark.parametrize(
    ("field", "entry", "most"),
    [("messages", HELLO[0], MOST_MESSAGES), ("content", {"type": "text", "text": "a"}, MOST_PARTS)],
)
def test_lists_are_bounded(field, entry, most) -> None:
    def body(count: int) -> dict[str, Any]:
        entries = [entry] * count
        return {"messages": entries if field == "messages" else [{"role": "user", "content": entries}]}

    assert read(json.dumps({"model": "fast", **body(most)}).encode()).messages
    assert f"at most {most} items" in refusal(**body(most + 1)).message


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "fast", "messages": [' + b"{}," * 300_000 + b"{}]}",
        b'{"model": "fast", "messages": [{"role": "user", "content": [' + b"1," * 300_000 + b"1]}]}",
        b'{"model": "fast", "messages": [], ' + b",".join(b'"k%d": 1' % at for at in range(100_000)) + b"}",
    ],
    ids=["messages", "parts", "fields"],
)
def test_a_body_full_of_mistakes_is_refused_at_once(body) -> None:
    begun = time.thread_time()
    with pytest.raises(ApiError):
        read(body)
    # It took seconds, in which nobody else was served; now it takes a hundredth of one.
    assert time.thread_time() - begun < 0.5


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused_where_it_would_be_sent_on(number) -> None:
    shape = {"type": "object", "properties": {"a": {"default": [number]}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": shape}}
    error = refusal(tools=[tool])
    assert (error.param, error.code) == ("tools.0.function.parameters", "invalid_value")
    assert "no JSON" in error.message
    form = {"type": "json_schema", "json_schema": {"name": "f", "schema": shape}}
    assert refusal(response_format=form).param == "response_format.json_schema.schema"
    assert read(
        b'{"model": "fast", "messages": [], "metadata": {"a": 1e400}}'.replace(b"[]", json.dumps(HELLO).encode())
    )


def test_two_different_lengths_are_refused() -> None:
    def refused(**fields: int) -> tuple[str, str] | None:
        return refusal_of(read(json.dumps({"model": "fast", "messages": HELLO, **fields}).encode()))

    assert refused(max_tokens=5, max_completion_tokens=5) is None
    assert refused(max_tokens=5) is None
    assert (refused(max_tokens=5, max_completion_tokens=7) or ("", ""))[0] == "max_tokens"
