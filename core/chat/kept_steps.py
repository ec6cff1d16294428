"""The steps of an answer as text: in the row of its message, with the checkpoint of a running turn, and in exports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from core.chat.conversation import ToolStep, ToolUse
from core.chat.plain_text import with_visible_controls

log = logging.getLogger(__name__)

_STEPS = TypeAdapter(tuple[ToolStep, ...])


def to_json(steps: Sequence[ToolStep]) -> str | None:
    """The steps as JSON; None when there are none."""
    return _STEPS.dump_json(tuple(steps), exclude_defaults=True).decode() if steps else None


def from_json(text: str | None) -> tuple[ToolStep, ...]:
    """What `to_json` wrote; nothing where another version wrote it otherwise: the answer is worth more."""
    if not text:
        return ()
    try:
        return _STEPS.validate_json(text)
    except ValueError:
        log.warning("the steps of an answer could not be read", exc_info=True)
        return ()


def as_rows(steps: Sequence[ToolStep]) -> list[dict[str, Any]]:
    """The steps as plain data."""
    rows: list[dict[str, Any]] = _STEPS.dump_python(tuple(steps), mode="json", exclude_defaults=True)
    return rows


def from_rows(rows: object) -> tuple[ToolStep, ...]:
    """The reverse of `as_rows`, for data from outside; none for what is no list of steps."""
    try:
        steps = _STEPS.validate_python(rows or ())
    except ValueError:
        return ()
    return tuple(_cleaned(step) for step in steps)


def _cleaned(step: ToolStep) -> ToolStep:
    uses = tuple(_cleaned_use(use) for use in step.uses)
    # A signature is worth something to its model only, and only as it was: from outside it is not sent on.
    return replace(step, text=_clean(step.text), thoughts=_clean(step.thoughts), uses=uses, reasoning=None)


def _cleaned_use(use: ToolUse) -> ToolUse:
    result = None if use.result is None else _clean(use.result)
    return replace(use, name=_clean(use.name), arguments=_clean(use.arguments), result=result)


def _clean(text: str) -> str:
    return with_visible_controls(text)
