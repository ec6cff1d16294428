"""Takes secrets out of text that may be shown or logged: providers quote keys in their own error messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"

# Shorter ones would hit ordinary words when an exact secret is taken out.
_MIN_SECRET_LENGTH = 6

_NAMES = r"(?:api[\s_-]?key|access[\s_-]?key|secret|token|password|authorization)(?:\s+(?:provided|is|was))?"

# Each pattern hides its group "secret", or all of it where there is no group.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"://[^/\s:@]*:(?P<secret>[^/\s@]+)@",
        r"\bBearer\s+(?P<secret>[^\s\"',;]+)",
        r"\bBasic\s+(?P<secret>[a-z0-9+/]{8,}=*)",
        r"[?&](?:key|api_?key|access_token|token|sig|signature)=(?P<secret>[^&\s\"']+)",
        # "api_key": "...", x-api-key: ..., Incorrect API key provided: ..., password = ...
        _NAMES + r"[\"']?\s*[:=]\s*[\"']?(?!Bearer\b|Basic\b)(?P<secret>[^\s\"',;}\]]{4,})",
        # Keys by their makers' prefixes: OpenAI, Anthropic, OpenRouter (sk-), Groq, xAI, Hugging Face, Perplexity,
        # Replicate, Fireworks, NVIDIA, Google, AWS, GitHub, and signed tokens (JWT).
        r"\b(?:sk|rk|pk)-[a-z0-9_*.-]{6,}",
        r"\b(?:gsk|hf|fw|r8|ghp|gho|github_pat|tgp|csk|key)_[a-z0-9_]{10,}",
        r"\b(?:xai|pplx|nvapi|tvly|fc)-[a-z0-9_-]{10,}",
        r"\bAIza[a-z0-9_-]{20,}",
        r"\bya29\.[a-z0-9_.-]{10,}",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}",
        r"\beyJ[a-z0-9_-]{8,}\.[a-z0-9_-]{8,}(?:\.[a-z0-9_-]*)?",
    )
)


def redact(text: str, *, secrets: Iterable[str | None] = ()) -> str:
    """`text` without the given secrets and without anything that looks like a key, a token or a password."""
    for secret in secrets:
        if secret and len(secret) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(_hide, text)
    return text


def _hide(match: re.Match[str]) -> str:
    secret = match.groupdict().get("secret")
    return match[0].replace(secret, HIDDEN) if secret else HIDDEN
