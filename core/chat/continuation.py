"""Answers that go on: one answer for the reader, several messages and turns in the store.

A part that goes on where another stopped is its child: a message of the model under a message of the model. Every part
keeps its own turn and ledger rows, so what the answer took is the sum of what its parts took.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.chat.conversation import AnswerFigures, Message

# Works with every model: not all of them take an answer that they are to go on with as the last message.
GO_ON = (
    "Your last message was cut off before its end. Go on exactly where it stopped, even in the middle of a sentence, "
    "a list or a block of code. Repeat nothing, add no introduction, and do not mention the interruption."
)

_CUT_OFF = frozenset({"stopped", "broken", "interrupted"})
_ABOUT = frozenset({"estimated", "partial"})


def unfinished(message: Message) -> bool:
    """Whether this is an answer that has begun and did not come to its end."""
    return (
        message.role == "assistant"
        and bool(message.content.strip() or message.steps)
        and (message.status in _CUT_OFF or message.finish_reason == "length")
    )


def as_read(path: Sequence[Message]) -> list[Message]:
    """A branch as the reader sees it: the parts of an answer joined into one message.

    It has the identity of its first part and the end of its last one. A later part that failed before its first word
    leaves the answer as it was, with the reason.
    """
    joined: list[Message] = []
    before: Message | None = None
    for message in path:
        goes_on = before is not None and message.role == "assistant" and message.parent_id == before.id
        if goes_on and unfinished(joined[-1]):
            joined[-1] = _joined(joined[-1], message)
        else:
            joined.append(message)
        before = message
    return joined


def _joined(answer: Message, part: Message) -> Message:
    return replace(
        answer,
        content=answer.content + part.content,
        reasoning="\n\n".join(filter(None, (answer.reasoning, part.reasoning))) or None,
        reasoning_ms=_time(answer.reasoning_ms, part.reasoning_ms),
        status="broken" if part.status == "failed" else part.status,
        finish_reason=part.finish_reason,
        note=part.note,
        served_model=part.served_model,
        model_label=_labels(answer, part),
        error_class=part.error_class,
        error_message=part.error_message,
        error_detail=part.error_detail,
        figures=_sum(answer.figures, part.figures),
        receipt=part.receipt or answer.receipt,
        steps=(*answer.steps, *part.steps),
    )


def _time(first: float | None, then: float | None) -> float | None:
    return first if then is None else then + (first or 0)


def _labels(answer: Message, part: Message) -> str | None:
    labels = (answer.model_label or "").split(", then ")
    if not part.content or part.model_label in {None, labels[-1]}:
        return answer.model_label
    return ", then ".join(filter(None, (answer.model_label, part.model_label)))


def _sum(first: AnswerFigures | None, then: AnswerFigures | None) -> AnswerFigures | None:
    if first is None or then is None:
        return first or then
    return AnswerFigures(
        input_tokens=first.input_tokens + then.input_tokens,
        cached_input_tokens=first.cached_input_tokens + then.cached_input_tokens,
        output_tokens=first.output_tokens + then.output_tokens,
        reasoning_tokens=first.reasoning_tokens + then.reasoning_tokens,
        cost_usd=_cost(first, then),
        cost_code=_code(first, then),
        first_token_ms=first.first_token_ms if first.first_token_ms is not None else then.first_token_ms,
        duration_ms=first.duration_ms + then.duration_ms,
        tokens_per_second=_speed(first, then),
    )


def _cost(first: AnswerFigures, then: AnswerFigures) -> Decimal | None:
    if first.cost_usd is None or then.cost_usd is None:
        return None
    return first.cost_usd + then.cost_usd


def _code(first: AnswerFigures, then: AnswerFigures) -> str:
    """The code of a sum: as sure as the less sure of the two."""
    codes = {first.cost_code, then.cost_code}
    if len(codes) == 1:
        return first.cost_code
    if "unpriced" in codes:
        return "unpriced"
    if codes & _ABOUT:
        return "estimated"
    return "computed"


def _speed(first: AnswerFigures, then: AnswerFigures) -> float | None:
    """Tokens over the time it took to write them."""
    writing_s = [
        part.output_tokens / part.tokens_per_second for part in (first, then) if part.tokens_per_second is not None
    ]
    if len(writing_s) < 2 or not sum(writing_s):  # noqa: PLR2004 - both of them
        return first.tokens_per_second or then.tokens_per_second
    return (first.output_tokens + then.output_tokens) / sum(writing_s)
