"""Conversations as values: a tree of messages, of which one branch is on show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from core.providers.parts import SignedReasoning

AttachmentKind = Literal["image", "text", "csv", "pdf"]
MessageStatus = Literal["complete", "stopped", "broken", "failed", "interrupted"]
# What happens when the chosen model fails: another one answers, the person is asked, or neither.
FallbackChoice = Literal["automatic", "ask", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFigures:
    """What one answer took. Sums over the attempts of its turn; `None` where nobody knows.

    `cache_saved_usd` is what a cache saved, the provider's or ours; negative when it cost more than it saved this time.
    """

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal | None
    cost_code: str
    first_token_ms: float | None
    duration_ms: float
    tokens_per_second: float | None
    cache_saved_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptTry:
    """One attempt of a turn: which model (its id) was asked when, and how it ended ("ok" or an error class)."""

    model_id: str
    status: str
    error_message: str | None
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Who was asked, every try, who answered, and what the detour added; only of turns that took one.

    `answered` is None when nobody did. `added_ms` is the time from the first try to the one that answered or ended the
    turn, `added_usd` what the tries before it cost: None where a price is unknown.
    """

    asked: str
    tries: Sequence[ReceiptTry]
    answered: str | None
    added_ms: float
    added_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a person's message; its bytes are kept under `content_hash` (SHA-256, hex).

    `width` and `height` are an image's, in pixels; `pages` a PDF's. `text_hash` is where the text that models read is
    kept, `text_tokens` about how long it is: both None for an image. Only while a request is made, `text` holds that
    text, and `lost` says that the bytes are no longer there.
    """

    name: str
    kind: AttachmentKind
    media_type: str
    content_hash: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    text_hash: str | None = None
    text_tokens: int | None = None
    text: str | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool that was called, with a JSON object as text; `result` is None when nothing came back.

    `failed`: the result says what was wrong. `duration_ms` is how long it took.
    """

    name: str
    arguments: str
    result: str | None = None
    failed: bool = False
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """What a model did before it went on with its answer: some text, then tools it called at once.

    `thoughts` are its reasoning for people to read; `reasoning` is what it wants back of it.
    """

    text: str = ""
    uses: tuple[ToolUse, ...] = ()
    reasoning: SignedReasoning | None = None
    thoughts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the tree. `figures`, `receipt` and the model fields are None on a person's message.

    Only a person's message has `attachments`. The `steps` of an answer come before its `content`. `note` says how it
    came about, where that is not the usual way: a limit that cut it, messages that were not sent. `reasoning_ms` is how
    long the model thought, its steps included.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    turn_id: str
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    created_at: datetime
    reasoning: str | None = None
    reasoning_ms: float | None = None
    finish_reason: str | None = None
    requested_model: str | None = None
    served_model: str | None = None
    model_label: str | None = None
    error_class: str | None = None
    error_message: str | None = None
    error_detail: str | None = None
    note: str | None = None
    figures: AnswerFigures | None = None
    receipt: Receipt | None = None
    attachments: Sequence[Attachment] = ()
    steps: Sequence[ToolStep] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation without its messages. `tags` are words separated by spaces. `tools`: models may call tools.

    `use_case` is what it is for: None when nobody knows (or it is one of a list), empty for nothing in particular.
    """

    id: str
    user_id: str
    title: str
    title_source: Literal["auto", "model", "user"]
    model_id: str | None
    leaf_message_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    fallback: FallbackChoice = "automatic"
    pinned_at: datetime | None = None
    archived_at: datetime | None = None
    tags: str = ""
    tools: bool = True
    use_case: str | None = None


def branch(messages: Mapping[str, Message], *, leaf_id: str | None) -> list[Message]:
    """The messages from the root to `leaf_id`, in order.

    A parent that is missing, or a cycle in damaged data, ends the walk: what is readable is shown.
    """
    path: list[Message] = []
    seen: set[str] = set()
    current = messages.get(leaf_id) if leaf_id else None
    while current is not None and current.id not in seen:
        seen.add(current.id)
        path.append(current)
        current = messages.get(current.parent_id) if current.parent_id else None
    path.reverse()
    return path


def title_from(text: str, *, limit: int = 60) -> str:
    """A title from the first words of a message: one line, at most `limit` characters, never empty."""
    line = " ".join(text.split())
    if not line:
        return "New chat"
    if len(line) <= limit:
        return line
    cut = line[: limit - 1].rsplit(" ", 1)[0]
    return f"{cut or line[: limit - 1]}…"


def by_id(messages: Sequence[Message]) -> dict[str, Message]:
    """Index messages by their id."""
    return {message.id: message for message in messages}
