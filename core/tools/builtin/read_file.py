"""Lines of an attached file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.chat.conversation import AttachmentKind
from core.tools.files import find_file
from core.tools.tool import Tool, ToolContext, ToolError

_KINDS: frozenset[AttachmentKind] = frozenset({"text", "csv", "pdf"})
_USUAL_LINES = 200
# For the heading, within the limit of a result.
_HEADING = 200


def _read(arguments: Mapping[str, Any], context: ToolContext) -> str:
    attached = find_file(context.files, arguments.get("file"), kinds=_KINDS)
    lines = (attached.text or "").splitlines()
    first = arguments.get("first_line", 1)
    if first > max(1, len(lines)):
        raise ToolError(f"{attached.name} has {len(lines):,} lines; line {first:,} is behind its end.")
    last = min(arguments.get("last_line", first + _USUAL_LINES - 1), len(lines))
    shown = _fitting(lines[first - 1 : last], context.limits.characters - _HEADING)
    end = first + len(shown) - 1
    heading = f"{attached.name}, lines {first:,} to {end:,} of {len(lines):,}"
    if end < last:
        heading += f". More do not fit into one result: go on at line {end + 1:,}"
    return "\n".join([f"{heading}:", *shown])


def _fitting(lines: Sequence[str], characters: int) -> list[str]:
    """As many whole lines as fit, and at least one: that is cut where it is longer."""
    fitting: list[str] = []
    for line in lines:
        characters -= len(line) + 1
        if characters < 0:
            return fitting or [f"{line[: characters + len(line) + 1]}… (this line goes on)"]
        fitting.append(line)
    return fitting


TOOL = Tool(
    name="read_file",
    label="Read a file",
    description="Reads lines of the text of a file that the person attached (text, code, CSV or PDF).",
    schema={
        "type": "object",
        "properties": {
            "file": {"type": "string", "description": "Its name. Left out: the only one."},
            "first_line": {"type": "integer", "minimum": 1, "description": "Counted from 1; 1 when left out."},
            "last_line": {"type": "integer", "minimum": 1, "description": "Left out: 200 lines are read."},
        },
        "additionalProperties": False,
    },
    run=_read,
    needs=_KINDS,
)
