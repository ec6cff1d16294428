"""What the loopback provider writes on the wire and what it remembers of a request."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.provider_behaviour import Answer

HTTP_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass(slots=True, kw_only=True)
class RequestLog:
    """One chat completion as the server saw it. `*_at` fields: Unix seconds where JSON shows them, else monotonic.

    `disconnected_at` (monotonic) is when the client left before the answer was whole; None when it did not.
    """

    model: str
    body: dict[str, Any]
    headers: dict[str, str]
    received_at: float = field(default_factory=time.time)
    received_monotonic: float = field(default_factory=time.monotonic)
    sent_monotonic: list[float] = field(default_factory=list)
    disconnected_at: float | None = None
    done: bool = False

    @property
    def tokens_sent(self) -> int:
        """How many tokens went out so far."""
        return len(self.sent_monotonic)

    def sent(self) -> None:
        """Note that one more token went out now."""
        self.sent_monotonic.append(time.monotonic())

    def as_json(self) -> dict[str, Any]:
        """The request without its body, all times in Unix seconds."""
        return {
            "model": self.model,
            "messages": len(self.body.get("messages") or ()),
            "received_at": self.received_at,
            "first_token_at": self._unix(self.sent_monotonic[0]) if self.sent_monotonic else None,
            "last_token_at": self._unix(self.sent_monotonic[-1]) if self.sent_monotonic else None,
            "tokens_sent": self.tokens_sent,
            "disconnected_at": self._unix(self.disconnected_at) if self.disconnected_at else None,
            "done": self.done,
        }

    def _unix(self, monotonic: float) -> float:
        return self.received_at + monotonic - self.received_monotonic


def chunk_json(
    delta: Mapping[str, Any], *, finish_reason: str | None = None, logprobs: Mapping[str, Any] | None = None
) -> str:
    """The rest of a chunk after its common prefix."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    if logprobs is not None:
        choice["logprobs"] = logprobs
    return f'"choices":[{json.dumps(choice)}]}}'


def logprobs_of(delta: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any] | None:
    """How likely a token was, where the request asks: always e^-0.5, those beside it less and less."""
    token = delta.get("content")
    if not body.get("logprobs") or token is None:
        return None
    others = [_odds(f"{token}{place}", -0.5 - place) for place in range(body.get("top_logprobs") or 0)]
    return {"content": [{**_odds(token, -0.5), "top_logprobs": others}], "refusal": None}


def _odds(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def usage_of(answer: Answer, log: RequestLog) -> dict[str, Any]:
    """The usage block: a word of the prompt is a token, a token of the answer is a token."""
    prompt = sum(len(str(message.get("content")).split()) for message in log.body.get("messages") or ())
    completion = len(answer.tokens) + len(answer.reasoning)
    totals = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return totals | dict(answer.extra_usage)
