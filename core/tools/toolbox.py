"""The tools there are, and one call of one of them."""

from __future__ import annotations

import importlib
import json
import logging
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from core.chat.conversation import Attachment
from core.tools import builtin
from core.tools.tool import Tool, ToolContext, ToolError

log = logging.getLogger(__name__)

_PROBLEMS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a call brought; `failed`: the text says why there is no result."""

    text: str
    failed: bool = False


@cache
def load_tools() -> tuple[Tool, ...]:
    """Every tool of core/tools/builtin, by its file's name. Raises TypeError for a file without one."""
    names = sorted(module.name for module in pkgutil.iter_modules(builtin.__path__))
    return tuple(_tool_of(name) for name in names)


def tools_for(tools: Sequence[Tool], files: Sequence[Attachment]) -> tuple[Tool, ...]:
    """Those of the tools that have something to work with."""
    kinds = {attached.kind for attached in files if not attached.lost}
    return tuple(tool for tool in tools if not tool.needs or tool.needs & kinds)


def run_tool(tools: Sequence[Tool], name: str, arguments: str, context: ToolContext) -> ToolOutcome:
    """Call a tool with a JSON object as text. Blocks. Whatever a model got wrong is an outcome, never an exception."""
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        known = ", ".join(tool.name for tool in tools) or "none"
        return ToolOutcome(f"There is no tool named {name}. The tools are: {known}.", failed=True)
    try:
        text = tool.run(_checked(tool, arguments), context)
    except ToolError as error:
        return ToolOutcome(_cut(str(error), context.limits.characters), failed=True)
    except Exception:
        log.exception("the tool %s failed", name)
        return ToolOutcome(f"The tool {name} failed. Go on without it.", failed=True)
    return ToolOutcome(_cut(text, context.limits.characters))


def _checked(tool: Tool, arguments: str) -> Mapping[str, Any]:
    try:
        given = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolError(f"The arguments are no JSON object: {error}.") from error
    found = list(Draft202012Validator(tool.schema).iter_errors(given))
    if found:
        problems = "; ".join(f"{problem.json_path}: {problem.message}" for problem in found[:_PROBLEMS_SHOWN])
        raise ToolError(f"The arguments do not fit the tool. {problems}.")
    checked: Mapping[str, Any] = given
    return checked


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n(Cut here: the first {limit:,} of {len(text):,} characters. Ask for a smaller part.)"


def _tool_of(name: str) -> Tool:
    tool = getattr(importlib.import_module(f"{builtin.__name__}.{name}"), "TOOL", None)
    if not isinstance(tool, Tool):
        raise TypeError(f"core/tools/builtin/{name}.py has no TOOL (see core/tools/README.md)")
    return tool
