"""Our own token count, for when a provider sends no usage and for checks before a call.

It counts with the cl100k vocabulary, which LiteLLM's wheel ships, so nothing is downloaded. Other vocabularies differ
by 10-20 %: a figure from here is always marked as an estimate.
"""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import tiktoken

# Beyond this much text a sample is counted and scaled: an estimate does not get better by reading a megabyte.
_SAMPLE_CHARACTERS = 100_000

# What providers say of their own counting: Anthropic, width by height over 750 after fitting into 1568 pixels; Gemini,
# 258 for a small image and for every tile of 768 pixels; OpenAI, 85 and 170 for every tile of 512 pixels after fitting
# into 2048 and the short side into 768. Others count much like OpenAI.
_ANTHROPIC_SIDE_PX, _ANTHROPIC_PIXELS_PER_TOKEN, _ANTHROPIC_MOST = 1568, 750, 1600
_GEMINI_SMALL_PX, _GEMINI_TILE_PX, _GEMINI_TILE = 384, 768, 258
_OPENAI_SIDE_PX, _OPENAI_SHORT_PX, _OPENAI_TILE_PX, _OPENAI_BASE, _OPENAI_TILE = 2048, 768, 512, 85, 170


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is; 0 for empty text, never less than 1 otherwise."""
    if not text:
        return 0
    sample = text[:_SAMPLE_CHARACTERS]
    counted = len(_encoding().encode_ordinary(sample))
    return max(1, round(counted * len(text) / len(sample)))


def surely_fits(texts: Sequence[str], *, tokens: int) -> bool:
    """True when the texts cannot exceed `tokens`: a token is at least one byte, so no counting is needed."""
    return sum(len(text.encode("utf-8", "replace")) for text in texts) <= tokens


def estimate_image_tokens(width: int, height: int, *, kind: str) -> int:
    """About how many tokens an image is for a provider of this wire format; its size is in pixels."""
    if kind == "anthropic":
        width, height = _fitted(width, height, longest=_ANTHROPIC_SIDE_PX)
        return max(1, min(_ANTHROPIC_MOST, math.ceil(width * height / _ANTHROPIC_PIXELS_PER_TOKEN)))
    if kind in {"gemini", "vertex_ai"}:
        if max(width, height) <= _GEMINI_SMALL_PX:
            return _GEMINI_TILE
        return _tiles(width, height, side=_GEMINI_TILE_PX) * _GEMINI_TILE
    width, height = _fitted(width, height, longest=_OPENAI_SIDE_PX)
    short = min(1.0, _OPENAI_SHORT_PX / max(1, min(width, height)))
    return _OPENAI_BASE + _OPENAI_TILE * _tiles(width * short, height * short, side=_OPENAI_TILE_PX)


def _fitted(width: float, height: float, *, longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(width, height, 1))
    return round(width * scale), round(height * scale)


def _tiles(width: float, height: float, *, side: int) -> int:
    return max(1, math.ceil(width / side)) * max(1, math.ceil(height / side))


@cache
def _encoding() -> tiktoken.Encoding:
    spec = importlib.util.find_spec("litellm")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))) / "litellm_core_utils" / "tokenizers"
        # Set, not defaulted: with another folder in the environment tiktoken would download. LiteLLM sets the same.
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    return tiktoken.get_encoding("cl100k_base")
