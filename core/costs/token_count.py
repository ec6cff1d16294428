"""Our own token count, for when a provider sends no usage and for checks before a call.

It counts with the cl100k vocabulary, which LiteLLM's wheel ships, so nothing is downloaded. Other vocabularies differ
by 10-20 %: a figure from here is always marked as an estimate.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path

import tiktoken

# Beyond this much text a sample is counted and scaled: an estimate does not get better by reading a megabyte.
_SAMPLE_CHARACTERS = 100_000


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is; 0 for empty text, never less than 1 otherwise."""
    if not text:
        return 0
    sample = text[:_SAMPLE_CHARACTERS]
    counted = len(_encoding().encode_ordinary(sample))
    return max(1, round(counted * len(text) / len(sample)))


def surely_fits(texts: list[str], *, tokens: int) -> bool:
    """True when the texts cannot exceed `tokens`: a token is at least one byte, so no counting is needed."""
    return sum(len(text.encode("utf-8", "replace")) for text in texts) <= tokens


@cache
def _encoding() -> tiktoken.Encoding:
    spec = importlib.util.find_spec("litellm")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))) / "litellm_core_utils" / "tokenizers"
        # Set, not defaulted: with another folder in the environment tiktoken would download. LiteLLM sets the same.
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    return tiktoken.get_encoding("cl100k_base")
