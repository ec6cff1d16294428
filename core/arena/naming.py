"""Does an answer give away who wrote it? Pure.

A blind vote is void when it does: whoever reads "as a model trained by OpenAI" no longer votes blind. Only the names of
the model that answered and of its makers count: an answer about other companies gives nothing away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from core.catalog.models import ModelSpec

# What a family calls itself and who makes it, by a word of the model's name at its provider or of its label.
_FAMILIES = {
    "gpt": ("gpt", "chatgpt", "openai"),
    "o1": ("openai", "chatgpt"),
    "o3": ("openai", "chatgpt"),
    "o4": ("openai", "chatgpt"),
    "claude": ("claude", "anthropic"),
    "gemini": ("gemini", "google", "deepmind", "bard"),
    "gemma": ("gemma", "google", "deepmind"),
    "mistral": ("mistral", "le chat"),
    "mixtral": ("mixtral", "mistral"),
    "codestral": ("codestral", "mistral"),
    "magistral": ("magistral", "mistral"),
    "llama": ("llama", "meta ai"),
    "deepseek": ("deepseek",),
    "qwen": ("qwen", "alibaba", "tongyi"),
    "qwq": ("qwen", "qwq", "alibaba"),
    "grok": ("grok", "xai"),
    "command": ("cohere", "command r"),
    "cohere": ("cohere",),
    "nova": ("amazon nova", "amazon"),
    "phi": ("microsoft",),
    "kimi": ("kimi", "moonshot"),
    "glm": ("chatglm", "zhipu", "glm"),
    "smollm": ("smollm", "smollm2", "hugging face"),
    "nemotron": ("nemotron", "nvidia"),
    "sonar": ("perplexity",),
}
# Of a label: words that people use in ordinary answers too. "Mini" gives nobody away.
_LETTERS = re.compile(r"[a-z]+\d*")
_AT_LEAST = 4


def names_its_maker(text: str, model: ModelSpec) -> bool:
    """Whether a text has a name of `model` or of its makers as a word of its own, in any case."""
    pattern = _pattern(tuple(sorted(_names(model))))
    return pattern is not None and pattern.search(text) is not None


def _names(model: ModelSpec) -> Iterable[str]:
    called = f"{model.id} {model.label} {model.upstream}".casefold()
    names = {model.label.casefold(), model.upstream.rsplit("/", maxsplit=1)[-1].casefold()}
    for word in _LETTERS.findall(called):
        for family, own in _FAMILIES.items():
            if word.startswith(family):
                names.update(own)
    return {name for name in names if len(name) >= _AT_LEAST or name in {"gpt", "xai", "glm", "qwq"}}


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    if not names:
        return None
    words = "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in names)
    return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)
