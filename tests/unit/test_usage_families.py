"""Every family's own usage block, through LiteLLM's own reading of it, ends in the same totals with subsets.

What a provider puts beside its totals and what within them differs: Anthropic and Bedrock count the cache beside the
input, Gemini thoughts beside the output, xAI reasoning beside the output, OpenAI and its relatives everything within.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from core.providers.events import Usage
from core.providers.litellm_gateway import load_litellm
from core.providers.wire_usage import usage_event


def _part(module: str, name: str) -> Any:
    load_litellm()
    return getattr(importlib.import_module(f"litellm.llms.{module}"), name)


def anthropic(block):
    """As the Anthropic API sends it."""
    config = _part("anthropic.chat.transformation", "AnthropicConfig")()
    return config.calculate_usage(block, reasoning_content=None)


def gemini(block):
    """As Google's API sends it."""
    config = _part("vertex_ai.gemini.vertex_and_google_ai_studio_gemini", "VertexGeminiConfig")
    return config._calculate_usage(completion_response={"usageMetadata": block})


def bedrock(block):
    """As Amazon's Converse API sends it."""
    return _part("bedrock.chat.converse_transformation", "AmazonConverseConfig")().transform_usage(block)


def plain(block):
    """As OpenAI's format has it."""
    return block


CASES = {
    "anthropic": (
        anthropic,
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_input_tokens": 300,
            "cache_creation_input_tokens": 40,
            "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 10},
            "service_tier": "standard",
        },
        Usage(
            input_tokens=440,
            output_tokens=50,
            cached_input_tokens=300,
            cache_write_tokens=40,
            cache_write_1h_tokens=10,
        ),
    ),
    "bedrock": (
        bedrock,
        {
            "inputTokens": 100,
            "outputTokens": 50,
            "totalTokens": 490,
            "cacheReadInputTokens": 300,
            "cacheWriteInputTokens": 40,
        },
        Usage(input_tokens=440, output_tokens=50, cached_input_tokens=300, cache_write_tokens=40),
    ),
    "gemini": (
        gemini,
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 50,
            "thoughtsTokenCount": 20,
            "totalTokenCount": 1070,
            "cachedContentTokenCount": 400,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 700},
                {"modality": "AUDIO", "tokenCount": 200},
                {"modality": "IMAGE", "tokenCount": 100},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 400}],
        },
        Usage(
            input_tokens=1000,
            output_tokens=70,
            cached_input_tokens=400,
            reasoning_tokens=20,
            image_tokens=100,
            audio_tokens=200,
        ),
    ),
    "gemini, audio from the cache": (
        gemini,
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 50,
            "totalTokenCount": 1050,
            "cachedContentTokenCount": 400,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 600},
                {"modality": "AUDIO", "tokenCount": 400},
            ],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}],
        },
        Usage(input_tokens=1000, output_tokens=50, cached_input_tokens=400),
    ),
    "openai": (
        plain,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 300,
            "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 50},
        },
        Usage(
            input_tokens=1000,
            output_tokens=300,
            cached_input_tokens=600,
            reasoning_tokens=200,
            audio_tokens=100,
            audio_output_tokens=50,
        ),
    ),
    "xai": (
        plain,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 10,
            "total_tokens": 1210,
            "prompt_tokens_details": {"cached_tokens": 500, "text_tokens": 1000, "image_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 200},
        },
        Usage(input_tokens=1000, output_tokens=210, cached_input_tokens=500, reasoning_tokens=200),
    ),
    "deepseek": (
        plain,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 300,
            "total_tokens": 1300,
            "prompt_cache_hit_tokens": 640,
            "prompt_cache_miss_tokens": 360,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        Usage(input_tokens=1000, output_tokens=300, cached_input_tokens=640, reasoning_tokens=100),
    ),
    "openrouter": (
        plain,
        {
            "prompt_tokens": 1000,
            "completion_tokens": 300,
            "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 640, "cache_write_tokens": 100, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 100, "image_tokens": 0},
        },
        Usage(
            input_tokens=1000,
            output_tokens=300,
            cached_input_tokens=640,
            cache_write_tokens=100,
            reasoning_tokens=100,
        ),
    ),
}


@pytest.mark.parametrize("family", CASES)
def test_every_familys_block_becomes_totals_with_their_details_inside(family):
    read, block, expected = CASES[family]

    assert usage_event(read(block)) == expected


def test_a_committed_level_of_service_is_kept():
    block = {"input_tokens": 1, "output_tokens": 1, "service_tier": "priority"}

    assert usage_event(anthropic(block)).service_tier == "priority"
