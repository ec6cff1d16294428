"""Sees the end that Gemini itself reports.

LiteLLM's reader gives every chunk of Gemini without a finishReason the reason "stop", so that an answer cut anywhere
looks whole behind it. What the provider sent is seen only where the reader takes the JSON apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_READER = "litellm.llms.vertex_ai.gemini."


@dataclass(slots=True)
class GeminiEnd:
    """`reason`: in LiteLLM's words, None until Gemini sent one. `watching`: one that is sent is seen."""

    watching: bool = False
    reason: str | None = None


def watch_end(response: Any) -> GeminiEnd:
    """Watch a LiteLLM stream that was not read yet. Streams of other providers are left as they are."""
    end = GeminiEnd()
    make_call = getattr(response, "make_call", None)
    if response.completion_stream is not None:
        _watch(response.completion_stream, end)
    elif make_call is not None:
        # The connection is made by the first read.
        response.make_call = _watched(make_call, end)
    return end


def _watched(make_call: Callable[..., Any], end: GeminiEnd) -> Callable[..., Any]:
    async def call(**options: Any) -> Any:
        stream = await make_call(**options)
        _watch(stream, end)
        return stream

    return call


def _watch(stream: Any, end: GeminiEnd) -> None:
    if not type(stream).__module__.startswith(_READER):
        return
    end.watching = True
    parse = stream.chunk_parser

    def chunk_parser(chunk: Mapping[str, Any]) -> Any:
        parsed = parse(chunk=chunk)
        if _ends(chunk) and parsed is not None and parsed.choices:
            end.reason = parsed.choices[0].finish_reason
        return parsed

    stream.chunk_parser = chunk_parser


def _ends(chunk: Mapping[str, Any]) -> bool:
    """True when the answer ends here: with a reason, or because the question was blocked."""
    candidates = chunk.get("candidates") or ()
    blocked = (chunk.get("promptFeedback") or {}).get("blockReason")
    return bool(blocked) or any(candidate.get("finishReason") for candidate in candidates)
