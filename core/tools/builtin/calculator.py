"""Exact arithmetic: fractions, never floats, and nothing of Python is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.tools.arithmetic import CalculationError, calculate
from core.tools.tool import Tool, ToolContext, ToolError


def _calculate(arguments: Mapping[str, Any], _context: ToolContext) -> str:
    try:
        return calculate(arguments["expression"])
    except CalculationError as error:
        raise ToolError(str(error)) from error


TOOL = Tool(
    name="calculator",
    label="Calculator",
    description=(
        "Calculates an expression exactly. Takes + - * / // (whole part) % (remainder) ** or ^ (power), parentheses, "
        "pi, e, and the functions abs, ceil, exp, factorial, floor, gcd, lcm, ln, log10, max, min, round, sqrt, sum. "
        "Decimal point, no thousands separators, no variables."
    ),
    schema={
        "type": "object",
        "properties": {"expression": {"type": "string", "minLength": 1, "description": "Such as (1.1 + 2.2) * 3 ** 4"}},
        "required": ["expression"],
        "additionalProperties": False,
    },
    run=_calculate,
)
