"""What messages with images and tool calls count, before anybody has answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability, ProviderSpec
from core.chat.admission import check_window
from core.chat.attempt import Answer, usage_of
from core.chat.message_tokens import estimate_message_tokens, texts_of
from core.costs.token_count import estimate_image_tokens, estimate_tokens
from core.errors import TurnRefused
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.parts import ImagePart, TextPart, ToolCall, ToolResult
from tests.support.turns import model

CLAUDE = ProviderSpec(id="anthropic", kind="anthropic")
PICTURE = ImagePart(content_hash="ab", media_type="image/png", width=750, height=100)


@pytest.mark.parametrize(
    ("kind", "width", "height", "tokens"),
    [
        ("anthropic", 200, 200, 54),
        ("anthropic", 1000, 1000, 1334),
        ("anthropic", 4000, 4000, 1600),
        ("gemini", 384, 384, 258),
        ("gemini", 1024, 1024, 4 * 258),
        ("openai", 512, 512, 85 + 170),
        ("openai", 1024, 1024, 85 + 4 * 170),
        ("openai", 2048, 4096, 85 + 6 * 170),
        ("openai", 0, 0, 85 + 170),
    ],
)
def test_an_image_counts_as_its_provider_says(kind, width, height, tokens):
    assert estimate_image_tokens(width, height, kind=kind) == tokens


@given(
    kind=st.sampled_from(["anthropic", "gemini", "openai", "scripted"]),
    width=st.integers(min_value=0, max_value=2048),
    height=st.integers(min_value=0, max_value=2048),
)
def test_an_image_always_counts_something_and_never_a_fortune(kind, width, height):
    assert 1 <= estimate_image_tokens(width, height, kind=kind) <= 3000


def test_text_images_and_calls_are_counted_together():
    spec = model(provider=CLAUDE)
    call = ToolCall(id="call00001", name="add", arguments='{"x": 1}')
    messages = [
        ChatMessage("system", "be brief"),
        message_of("user", [PICTURE, TextPart("what is it?")]),
        message_of("assistant", [call]),
        message_of("tool", [ToolResult(call_id="call00001", text="four")]),
    ]

    assert texts_of(messages) == ["be brief", "what is it?", ' add {"x": 1}', "four"]
    assert estimate_message_tokens(messages, model=spec) == 100 + sum(
        estimate_tokens(text) for text in texts_of(messages)
    )


def test_a_message_of_text_alone_is_a_plain_one():
    assert message_of("user", [TextPart("a"), TextPart("b")]) == ChatMessage("user", "a\n\nb")


def test_images_count_against_the_window():
    spec = model(
        provider=CLAUDE, context_tokens=300, max_output_tokens=250, capabilities=frozenset({Capability.VISION})
    )
    check_window([ChatMessage("user", "what is it?")], model=spec)

    with pytest.raises(TurnRefused) as refused:
        check_window([message_of("user", [PICTURE, TextPart("what is it?")])], model=spec)

    assert refused.value.code == "window"


def test_our_own_count_says_how_much_of_it_is_images():
    request = CompletionRequest(model=model(provider=CLAUDE), messages=[message_of("user", [PICTURE, TextPart("a")])])

    usage, counted_by_us = usage_of(Answer(started_at=None, text=["b"], sent=True), request, answered=True)

    assert counted_by_us
    assert usage.image_tokens == 100
    assert usage.input_tokens > 100
