"""What a tool is, and what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.chat.conversation import Attachment, AttachmentKind
from core.providers.parts import ToolOffer


class ToolError(Exception):
    """Why a tool has no result, in words for the model: what is wrong and how to do it right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLimits:
    """What tools may take. `calls` counts within one answer; a longer result is cut at `characters`."""

    calls: int = 20
    seconds: float = 10.0
    characters: int = 16_000


TOOL_LIMITS = ToolLimits()


class Interrupt:
    """Ends what a tool is doing, once, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fired = False
        self._ends: list[Callable[[], None]] = []

    def register(self, end: Callable[[], None]) -> None:
        """Call `end` when the tool is interrupted; at once if it has been."""
        with self._lock:
            fired = self._fired
            self._ends.append(end)
        if fired:
            end()

    def fire(self) -> None:
        """Interrupt the tool."""
        with self._lock:
            self._fired, ends = True, tuple(self._ends)
        for end in ends:
            end()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a tool may know: the files of the conversation with their texts, the newest last, and the time (naive UTC).

    `time_zone` is the person's (an IANA name). `on_interrupt` takes what ends the work early.
    """

    files: Sequence[Attachment] = ()
    now: datetime
    time_zone: str = "UTC"
    limits: ToolLimits = TOOL_LIMITS
    on_interrupt: Callable[[Callable[[], None]], None] = lambda _end: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: `name`, `description` and `schema` (JSON schema of an object) for the model, `label` for people.

    `run` takes arguments that fit the schema and returns the result as text; it raises ToolError.
    """

    name: str
    label: str
    description: str
    schema: Mapping[str, Any]
    run: Callable[[Mapping[str, Any], ToolContext], str]
    needs: frozenset[AttachmentKind] = frozenset()

    @property
    def offer(self) -> ToolOffer:
        """The tool as a request names it."""
        return ToolOffer(name=self.name, description=self.description, schema=self.schema)
