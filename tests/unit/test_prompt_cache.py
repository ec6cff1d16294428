"""Anthropic's models are told up to where to keep a prompt that is long enough; nobody else is told anything."""

from __future__ import annotations

import importlib
import json

import pytest

from core.catalog.models import Capability, ModelSpec, ProviderSpec
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.litellm_gateway import load_litellm
from core.providers.parts import ImagePart, SignedReasoning, TextPart, ToolCall
from core.providers.prompt_cache import to_wire

LONG = "word " * 820
CACHES = frozenset({Capability.PROMPT_CACHE})


def wire(*contents, kind="anthropic", capabilities=CACHES, system=None, upstream="m"):
    spec = ModelSpec(
        id="m", label="M", provider=ProviderSpec(id="p", kind=kind), upstream=upstream, capabilities=capabilities
    )
    said = [ChatMessage("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(contents)]
    first = [] if system is None else [ChatMessage("system", system)]
    return to_wire(CompletionRequest(model=spec, messages=[*first, *said]))


def marked(messages):
    return [index for index, message in enumerate(messages) if isinstance(message["content"], list)]


def test_the_system_prompt_and_the_last_question_but_one_are_marked():
    messages = wire("one", "two", "three", "four", "five", system=LONG)

    assert marked(messages) == [0, 3]
    assert messages[3] == {
        "role": "user",
        "content": [{"type": "text", "text": "three", "cache_control": {"type": "ephemeral"}}],
    }


def test_what_is_read_before_a_place_counts_for_it():
    assert marked(wire("one", LONG, "three", "four", "five", system="short")) == [3]


def test_the_message_just_sent_is_never_marked():
    assert marked(wire(LONG)) == []


def test_a_short_prompt_is_sent_as_it_is():
    assert marked(wire("one", "two", "three", system="short")) == []


ELSEWHERE = {
    "bedrock": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "openrouter": "anthropic/claude-sonnet-4.5",
    "vertex_ai": "claude-sonnet-4-5",
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_anthropics_models_are_told_wherever_they_are(kind):
    said = ("one", "two", "three")

    assert marked(wire(*said, kind=kind, upstream=ELSEWHERE[kind], system=LONG)) == [0, 1]
    assert marked(wire(*said, kind=kind, upstream="another-maker/model", system=LONG)) == []
    assert marked(wire(*said, kind=kind, upstream=ELSEWHERE[kind], system=LONG, capabilities=frozenset())) == []


TRANSLATORS = {
    "bedrock": ("litellm.llms.bedrock.chat.converse_transformation", "AmazonConverseConfig"),
    "openrouter": ("litellm.llms.openrouter.chat.transformation", "OpenrouterConfig"),
    "vertex_ai": (
        "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
        "VertexAIAnthropicConfig",
    ),
}


def sent(kind, messages):
    """The body that LiteLLM makes of the messages."""
    load_litellm()
    module, name = TRANSLATORS[kind]
    translator = getattr(importlib.import_module(module), name)()
    translate = translator._transform_request if kind == "bedrock" else translator.transform_request
    given = {"optional_params": {"max_tokens": 10}, "litellm_params": {}, "headers": {}}
    return json.dumps(translate(model=ELSEWHERE[kind], messages=messages, **given))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ELSEWHERE)
def test_the_marks_arrive_in_the_words_of_each_provider(kind):
    mark = "cachePoint" if kind == "bedrock" else "cache_control"

    told = sent(kind, wire("one", "two", "three", kind=kind, upstream=ELSEWHERE[kind], system=LONG))
    untold = sent(kind, wire("one", "two", "three", kind=kind, upstream="other", system=LONG))

    assert (told.count(mark), untold.count(mark)) == (2, 0)


@pytest.mark.parametrize("changed", [{"kind": "openai"}, {"kind": "gemini"}, {"capabilities": frozenset()}], ids=str)
def test_nobody_else_is_told(changed):
    assert marked(wire(LONG, "two", "three", system=LONG, **changed)) == []


def test_the_mark_stands_on_the_last_piece_of_a_message_with_an_image():
    spec = ModelSpec(
        id="m", label="M", provider=ProviderSpec(id="p", kind="anthropic"), upstream="m", capabilities=CACHES
    )
    image = ImagePart(content_hash="ab", media_type="image/png", width=1, height=1)
    asked = message_of("user", [image, TextPart(LONG)])
    messages = [asked, ChatMessage("assistant", "two"), ChatMessage("user", "three")]

    first, *_ = to_wire(CompletionRequest(model=spec, messages=messages), images={"ab": "data:image/png;base64,AA=="})

    assert [block.get("cache_control") for block in first["content"]] == [None, {"type": "ephemeral"}]
    assert first["content"][0] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def test_signed_reasoning_stands_before_the_calls():
    spec = ModelSpec(id="m", label="M", provider=ProviderSpec(id="p", kind="anthropic"), upstream="m")
    call = ToolCall(id="call00001", name="add", arguments="{}")
    parts = [SignedReasoning(text="hm", signature="s"), call]

    [wired] = to_wire(CompletionRequest(model=spec, messages=[message_of("assistant", parts)]))

    assert wired == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
        "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}],
    }
