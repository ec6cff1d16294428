"""What a model did before its answer: its reasoning and the tools it called, each behind a quiet disclosure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_status_container import StatusContainer

from core.chat.conversation import Message, ToolStep, ToolUse
from core.tools.toolbox import load_tools
from ui import formats
from ui.blocks import draw_blocks
from ui.markdown import literal

# What a step shows of a long result; the model has read all of it. A page may hold many steps.
_SHOWN_CHARACTERS = 4_000
_LONG_LINES = 14
_LONG_PX = 320
_LABEL_CHARACTERS = 60


def draw_thoughts(slot: DeltaGenerator, message: Message) -> None:
    """The reasoning of an answer and of its steps, collapsed, if there is any."""
    thoughts = thoughts_of(message)
    if thoughts:
        draw_blocks(reasoning_status(slot, thought_label(message), running=False).container(), thoughts)


def reasoning_status(slot: DeltaGenerator, label: str, *, running: bool) -> StatusContainer:
    """The disclosure for reasoning in `slot`."""
    return slot.container().status(label, type="compact", state="running" if running else "complete")


def thoughts_of(message: Message) -> str:
    """All reasoning of an answer, in order."""
    return "\n\n".join(filter(None, (*(step.thoughts for step in message.steps), message.reasoning)))


def thought_label(message: Message) -> str:
    """`Thought for 4 s, 312 tokens`, as far as it is known."""
    time = "" if message.reasoning_ms is None else f" for {formats.duration(message.reasoning_ms)}"
    count = message.figures.reasoning_tokens if message.figures else 0
    return f"Thought{time}{f', {formats.tokens(count)} tokens' if count else ''}"


def thinking_label(thought_ms: float, characters: int) -> str:
    """The same while it runs; four characters are about a token."""
    return f":shimmer[Thinking] {thought_ms / 1000:.0f} s, about {formats.tokens(max(1, characters // 4))} tokens"


def draw_steps(container: DeltaGenerator, steps: Sequence[ToolStep]) -> None:
    """The steps of an answer that has ended, with the elements that a running one leaves behind."""
    for step in steps:
        draw_blocks(container, step.text)
        for use in step.uses:
            end_use(draw_use(container, use.name, use.arguments, running=False), use)


def draw_use(container: DeltaGenerator, name: str, arguments: str, *, running: bool) -> StatusContainer:
    """A call of a tool, without its result."""
    state = "running" if running else "complete"
    status = container.status(_label(name, arguments), type="compact", state=state)  # type: ignore[arg-type]
    text, language = _arguments(arguments)
    status.caption("Asked")
    status.code(text, language=language, wrap_lines=True)
    return status


def end_use(status: StatusContainer, use: ToolUse) -> None:
    """What a call brought, or that nothing came back."""
    if use.result is None:
        status.update(label=f"{_label(use.name, use.arguments)} · stopped", state="error")
        return
    ended = "failed" if use.failed else formats.duration(use.duration_ms or 0)
    status.update(label=f"{_label(use.name, use.arguments)} · {ended}", state="error" if use.failed else "complete")
    status.caption("What was wrong" if use.failed else "Got")
    shown = use.result[:_SHOWN_CHARACTERS]
    long = shown.count("\n") > _LONG_LINES
    status.code(shown, language=None, wrap_lines=True, height=_LONG_PX if long else "content")
    if len(shown) < len(use.result):
        status.caption(f"The first {_SHOWN_CHARACTERS:,} of {len(use.result):,} characters; the model has read all.")


def tool_label(name: str) -> str:
    """What people call a tool; its name when it is not there (any more)."""
    return next((tool.label for tool in load_tools() if tool.name == name), name)


def _label(name: str, arguments: str) -> str:
    line = " ".join(_arguments(arguments)[0].split())
    if line in {"", "{}"}:
        return literal(tool_label(name))
    short = line if len(line) <= _LABEL_CHARACTERS else f"{line[:_LABEL_CHARACTERS]}…"
    return f"{literal(tool_label(name))}: {literal(short)}"


def _arguments(arguments: str) -> tuple[str, str | None]:
    """The arguments as people read them, and their language: the only text among them as it is, else all as JSON."""
    try:
        given = json.loads(arguments)
    except ValueError:
        return arguments, None
    if isinstance(given, dict):
        if isinstance(sql := given.get("sql"), str):
            return sql, "sql"
        if len(given) == 1 and isinstance(text := next(iter(given.values())), str):
            return text, None
        if not given:
            return "{}", "json"
    return json.dumps(given, indent=2, ensure_ascii=False), "json"
