"""Answers kept for the same question: only for models whose registry entry says so (docs/caching.md).

Off by default, because asking again and getting another answer is often what people want. A fault of the cache is
logged and never costs an answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.catalog.models import CacheRule
from core.chat.attempt import Answer, usage_of
from core.clock import Clock, utc_now
from core.providers.events import Event, Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_SQL = load_queries("answer_cache")
_TOKENS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "image_tokens",
    "output_tokens",
    "reasoning_tokens",
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A whole answer, with the tokens it took when it was given."""

    text: str
    reasoning: str
    usage: Usage

    def events(self) -> Iterator[Event]:
        """The answer as a gateway would yield it."""
        yield Started()
        if self.reasoning:
            yield ReasoningDelta(self.reasoning)
        yield TextDelta(self.text)
        yield self.usage
        yield Finished("stop")


class AnswerCache:
    """The kept answers in the store. Its calls block: not for an event loop."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def find(self, completion: CompletionRequest, *, user_id: str) -> KeptAnswer | None:
        """The answer to exactly this request; None when there is none, when it is too old, or when the store fails."""
        rule = _rule(completion)
        if rule is None:
            return None
        now = self._clock()
        try:
            key = key_of(completion, rule, user_id=user_id)
            oldest = now - timedelta(minutes=rule.minutes)
            row = self._database.fetch_one(_SQL["find_answer"], key=key, now=now, oldest=oldest)
        except Exception:
            log.warning("kept answers of %s could not be read", completion.model.id, exc_info=True)
            return None
        return None if row is None else _kept(row)

    def keep(self, completion: CompletionRequest, answer: Answer, *, user_id: str, now: datetime) -> None:
        """Keep a whole answer that a model has just given, in place of an older one; nothing else is kept."""
        rule = _rule(completion)
        if rule is None or answer.cached or answer.finish_reason != "stop" or answer.calls or not any(answer.text):
            return
        try:
            row = _row(completion, rule, answer, user_id=user_id, now=now)
            self._database.transaction(lambda cur: _write(cur, row, now))
        except Exception:
            log.warning("an answer of %s could not be kept", completion.model.id, exc_info=True)


def _rule(completion: CompletionRequest) -> CacheRule | None:
    # How likely its tokens were is not kept.
    return None if completion.wire_fields.get("logprobs") else completion.model.cache


def key_of(completion: CompletionRequest, rule: CacheRule, *, user_id: str) -> str:
    """SHA-256 over canonical JSON of everything that shapes an answer, and of who asks unless the rule is shared."""
    model, provider = completion.model, completion.model.provider
    shapes = {
        "model": model.id,
        "upstream": model.upstream,
        "provider": [provider.id, provider.kind, provider.api_base],
        "messages": [_shape(message) for message in completion.messages],
        "parameters": dict(completion.parameters),
        "user": None if rule.shared else user_id,
        # A request without tools keeps the key it has always had.
        **({"tools": [tool.name for tool in completion.tools]} if completion.tools else {}),
        # A script's tools are known by everything it says of them.
        **({"script": [repr(completion.tools), completion.wire_fields]} if completion.streams_calls else {}),
    }
    return hashlib.sha256(json.dumps(shapes, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _shape(message: ChatMessage) -> list[object]:
    # The hash of an image stands for it; plain messages keep the keys they have always had.
    return [message.role, message.content, *(repr(part) for part in message.parts)]


def _row(
    completion: CompletionRequest, rule: CacheRule, answer: Answer, *, user_id: str, now: datetime
) -> dict[str, object]:
    usage, _ = usage_of(answer, completion, answered=True)
    return {
        "key": key_of(completion, rule, user_id=user_id),
        "user_id": user_id,
        "text": "".join(answer.text),
        "reasoning": "".join(answer.reasoning),
        **{name: getattr(usage, name) for name in _TOKENS},
        "expires_at": now + timedelta(minutes=rule.minutes),
    }


def _write(cur: Cursor, row: dict[str, object], now: datetime) -> None:
    cur.execute(_SQL["purge_expired"], now=now, key=row["key"])
    cur.execute(_SQL["keep_answer"], **row, now=now)


def _kept(row: Row) -> KeptAnswer:
    return KeptAnswer(row["text"], row["reasoning"], Usage(**{name: row[name] for name in _TOKENS}))
