"""Gemini's wire format through LiteLLM: cache inside the prompt, thoughts beside the answer, ends that are its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from core.providers.events import Finished, ReasoningDelta, TextDelta, Usage
from core.providers.litellm_gateway import LiteLLMGateway
from tests.support.gateway_calls import collect, gateway_to, request
from tests.support.provider_behaviour import Canned
from tests.support.provider_server import ProviderServer

USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 900,
    "candidatesTokenCount": 2,
    "thoughtsTokenCount": 40,
    "totalTokenCount": 1042,
}


def chunk(text: str, *, reason: str | None = None, thought: bool = False, **more: Any) -> dict[str, Any]:
    part = {"text": text, "thought": True} if thought else {"text": text}
    candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "gemini-served", **more}


def canned(*chunks: dict[str, Any]) -> Canned:
    return Canned(body="".join(f"data: {json.dumps(each)}\n\n" for each in chunks))


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(name="gateway")
async def _gateway(server: ProviderServer) -> AsyncIterator[LiteLLMGateway]:
    async with gateway_to(server) as gateway:
        yield gateway


async def test_a_whole_answer_counts_its_cache_and_its_thoughts_within_the_totals(server, gateway):
    server.behave(
        "whole",
        canned(chunk("Hm.", thought=True), chunk("Hello"), chunk(" there", reason="STOP", usageMetadata=USAGE)),
    )

    events = await collect(gateway, request("whole", kind="gemini"))

    assert events[1:] == [
        ReasoningDelta("Hm."),
        TextDelta("Hello"),
        TextDelta(" there"),
        Usage(input_tokens=1000, output_tokens=42, cached_input_tokens=900, reasoning_tokens=40),
        Finished("stop"),
    ]


async def test_an_end_before_a_chunk_with_the_usage_alone_stays_the_end(server, gateway):
    server.behave("late", canned(chunk("Hello", reason="MAX_TOKENS"), {"candidates": [], "usageMetadata": USAGE}))

    events = await collect(gateway, request("late", kind="gemini"))

    assert isinstance(events[-2], Usage)
    assert events[-1] == Finished("length")


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT"])
async def test_an_answer_withheld_is_filtered(server, gateway, reason):
    server.behave(reason, canned(chunk("Hel"), chunk("", reason=reason)))

    assert (await collect(gateway, request(reason, kind="gemini")))[-1] == Finished("content_filter")


async def test_a_question_that_was_blocked_is_filtered(server, gateway):
    server.behave("blocked", canned({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "gemini-served"}))

    assert (await collect(gateway, request("blocked", kind="gemini")))[-1] == Finished("content_filter")


async def test_a_cut_answer_is_not_finished(server, gateway):
    """LiteLLM calls every chunk without a reason of its own the last one."""
    server.behave("cut", canned(chunk("Hello"), chunk(" the")))

    events = await collect(gateway, request("cut", kind="gemini"))

    assert events[1:] == [TextDelta("Hello"), TextDelta(" the")]
