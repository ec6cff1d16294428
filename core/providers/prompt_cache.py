"""Messages as they go to a provider, with the places marked up to which it may keep the prompt.

Only Anthropic's models want to be told, wherever they are reached: OpenAI, Gemini and DeepSeek keep long prompts by
themselves, so nothing is marked for them. What a provider read from its cache is counted as
`Usage.cached_input_tokens` and priced with its own price.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from core.catalog.models import Capability, ModelSpec
from core.providers.gateway import CompletionRequest
from core.providers.wire import wire_messages

# Anthropic keeps no shorter prompt (docs.anthropic.com, "Prompt caching"; some models want more, and ignore the mark).
_LEAST_TOKENS = 1024
# Who else serves Anthropic's models. LiteLLM translates the marks for Bedrock; the others take them as they are.
_PASSING_ON = frozenset({"bedrock", "openrouter", "vertex_ai"})
# English text, roughly; exact counting would hold up the event loop.
_CHARACTERS_PER_TOKEN = 4


_NO_IMAGES: Mapping[str, str] = {}


def to_wire(request: CompletionRequest, *, images: Mapping[str, str] = _NO_IMAGES) -> list[dict[str, Any]]:
    """The messages as LiteLLM takes them; `images` gives the data URL of each image by its hash."""
    marked = _marked(request)
    return [
        _keepable(wired) if index in marked else wired
        for index, message in enumerate(request.messages)
        for wired in wire_messages(message, images=images)
    ]


def _marked(request: CompletionRequest) -> frozenset[int]:
    """Where the kept prompt may end: the system prompt, and the last question before this one.

    The next turn finds this one's mark behind it: Anthropic looks back for what it has kept.
    """
    if not _wants_marks(request.model):
        return frozenset()
    roles = [message.role for message in request.messages]
    questions = [index for index, role in enumerate(roles) if role == "user"]
    places = [index for index, role in enumerate(roles) if role == "system"] + questions[-2:-1]
    read = list(accumulate(len(message.content) for message in request.messages))
    return frozenset(index for index in places if read[index] >= _LEAST_TOKENS * _CHARACTERS_PER_TOKEN)


def _wants_marks(model: ModelSpec) -> bool:
    kind = model.provider.kind
    anthropics = kind == "anthropic" or (kind in _PASSING_ON and "claude" in model.upstream)
    return anthropics and Capability.PROMPT_CACHE in model.capabilities


def _keepable(wired: dict[str, Any]) -> dict[str, Any]:
    content = wired["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    *before, last = blocks
    return {**wired, "content": [*before, {**last, "cache_control": {"type": "ephemeral"}}]}
