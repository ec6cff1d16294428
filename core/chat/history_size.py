"""How long a conversation is for a model, and how much of it the provider may still have in its prompt cache.

Our own count (core.costs.token_count) is off by 10 to 20 %. Where the model has answered in this conversation, what its
provider counted then is taken instead, and only what came after is counted by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from core.catalog.models import Capability, ModelSpec
from core.chat.conversation import Attachment, Message, ToolUse
from core.costs.kept_counts import KEPT_COUNTS, KeptCounts
from core.costs.token_count import estimate_image_tokens

CountedBy = Literal["provider", "us"]

# What each message costs besides its text (OpenAI's cookbook counts 3 to 4).
MESSAGE_TOKENS = 4
# Anthropic keeps a prompt for 5 minutes after its last use, OpenAI for 5 to 10 (both: "Prompt caching" in their docs).
CACHE_LIVES = timedelta(minutes=5)
# The shortest prompt that OpenAI, and most models of Anthropic and Google, keep.
CACHE_LEAST_TOKENS = 1024
# What stands in place of an image for a model that sees none.
_NOTE_TOKENS = 25
# A provider's figure further from our own count than that is no count of this history: a turn of several calls, an
# answer that was continued, or a system prompt that has changed.
_LEAST_RATIO, _MOST_RATIO, _SLACK_TOKENS = 0.6, 1.6, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySize:
    """Tokens of a history as one model reads it, the system prompt included.

    The provider has read `cached_surely` of them from its cache before, and may have `cached_at_best`, until
    `cached_until` (naive UTC); after that both count for nothing.
    """

    tokens: int
    cached_surely: int = 0
    cached_at_best: int = 0
    cached_until: datetime | None = None
    counted_by: CountedBy = "us"
    image_tokens: int = 0

    def cached(self, now: datetime) -> tuple[int, int]:
        """What of it is cached at `now`: surely, and at best."""
        warm = self.cached_until is not None and now < self.cached_until
        return (self.cached_surely, self.cached_at_best) if warm else (0, 0)


def measure_history(
    messages: Sequence[Message],
    *,
    model: ModelSpec,
    system_prompt: str | None = None,
    counts: KeptCounts = KEPT_COUNTS,
    texts: Sequence[int] | None = None,
) -> HistorySize:
    """The size of a branch for `model`. `texts` is what `count_texts` said of it, for several models at once."""
    prompt = model.system_prompt if system_prompt is None else system_prompt
    [first] = counts.quickly([prompt or ""])
    own = [
        counted + MESSAGE_TOKENS + (_attached_tokens(message, model) if message.attachments else 0)
        for counted, message in zip(count_texts(messages, counts) if texts is None else texts, messages, strict=True)
    ]
    images = sum(_image_tokens(attached, model) for message in messages for attached in message.attachments)
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].served_model == model.id:
            before = first + sum(own[:place])
            if size := _as_billed(messages[place], before, sum(own[place + 1 :]), model, images):
                return size
            break
    return HistorySize(tokens=first + sum(own), image_tokens=images)


def count_texts(messages: Sequence[Message], counts: KeptCounts = KEPT_COUNTS) -> Sequence[int]:
    """The tokens of each message's text. One is counted once per process, and never many for long at once."""
    return counts.quickly(_text(message) for message in messages)


def message_tokens(message: Message, model: ModelSpec, counts: KeptCounts = KEPT_COUNTS) -> int:
    """The tokens of one message with its files, by our own count, however long that takes."""
    return counts.exactly(_text(message)) + MESSAGE_TOKENS + _attached_tokens(message, model)


def caches_prompts(model: ModelSpec) -> bool:
    """Whether the model's provider keeps prompts, as far as the registry and the price list know."""
    has_price = model.prices is not None and model.prices.cached_input is not None
    return has_price or Capability.PROMPT_CACHE in model.capabilities


def attachment_tokens(attached: Attachment, model: ModelSpec) -> int:
    """About how many tokens a file adds to a message for `model`."""
    if attached.kind == "image":
        return _image_tokens(attached, model) or _NOTE_TOKENS
    return attached.text_tokens or 0


def _as_billed(answer: Message, before: int, after: int, model: ModelSpec, images: int) -> HistorySize | None:
    """The size by the figures of the model's last answer; None when they do not say it."""
    figures = answer.figures
    if figures is None or figures.cost_code in {"cached", "estimated"} or answer.receipt is not None:
        return None
    sent = figures.input_tokens
    if not before * _LEAST_RATIO - _SLACK_TOKENS <= sent <= before * _MOST_RATIO + _SLACK_TOKENS or sent == 0:
        return None
    kept = caches_prompts(model) and sent >= CACHE_LEAST_TOKENS
    return HistorySize(
        tokens=sent + max(0, figures.output_tokens - figures.reasoning_tokens) + MESSAGE_TOKENS + after,
        cached_surely=min(sent, figures.cached_input_tokens) if kept else 0,
        cached_at_best=sent if kept else 0,
        cached_until=answer.created_at + CACHE_LIVES if kept else None,
        counted_by="provider",
        image_tokens=images,
    )


def _text(message: Message) -> str:
    told = [part for step in message.steps for part in (step.text, *_uses(step.uses)) if part]
    return "\n\n".join([*told, message.content]) if told else message.content


def _uses(uses: Sequence[ToolUse]) -> list[str]:
    return [f"{use.name} {use.arguments} {use.result or ''}" for use in uses]


def _attached_tokens(message: Message, model: ModelSpec) -> int:
    return sum(attachment_tokens(attached, model) for attached in message.attachments)


def _image_tokens(attached: Attachment, model: ModelSpec) -> int:
    if attached.kind != "image" or Capability.VISION not in model.capabilities:
        return 0
    return estimate_image_tokens(attached.width or 0, attached.height or 0, kind=model.provider.kind)
