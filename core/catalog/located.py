"""YAML read with the line of every value kept, so that a mistake can be pointed at.

Numbers with a point become Decimal straight from the text: a price must never pass through a float.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

Path = tuple[str | int, ...]

# A file written by hand stays far below; aliases that multiply, or that refer to themselves, do not.
_MAX_VALUES = 100_000
_MAX_DEPTH = 20
_TAG = "tag:yaml.org,2002:"
_FALSE_WORDS = frozenset({"false", "no", "off"})
# A number in YAML 1.2 and to every reader; PyYAML follows 1.1, which takes it for text.
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


class LocatedError(ValueError):
    """The text is no YAML of the plain kind. Carries the line, counted from 1."""

    def __init__(self, message: str, *, line: int, path: Path = ()) -> None:
        super().__init__(message)
        self.line = line
        self.path = path


@dataclass(frozen=True, slots=True)
class Located:
    """A document as plain values, with the line of each path. Lines count from 1."""

    data: Any
    lines: Mapping[Path, int]

    def nearest(self, path: Path) -> tuple[Path, int]:
        """The longest part of `path` that stands in the text, and its line."""
        while path and path not in self.lines:
            path = path[:-1]
        return path, self.lines.get(path, 1)


def parse(text: str) -> Located:
    """Read one YAML document.

    Raises LocatedError for broken YAML, a key given twice, a tag, or nesting without end.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise LocatedError(_explain(error), line=_line(error.problem_mark or error.context_mark)) from error
    except yaml.YAMLError as error:
        raise LocatedError(f"expected YAML text, found {error}", line=1) from error
    lines: dict[Path, int] = {}
    data = None if node is None else _build(node, (), lines)
    return Located(data, lines)


def _explain(error: yaml.MarkedYAMLError) -> str:
    return f"expected YAML, found a mistake near here ({error.problem or error.context or 'no more is known'})"


def _line(mark: yaml.Mark | None) -> int:
    return 1 if mark is None else mark.line + 1


def _build(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, _line(node.start_mark))
    if len(lines) > _MAX_VALUES or len(path) > _MAX_DEPTH:
        raise LocatedError("expected a plain list of models, found values nested without end", line=lines[path])
    if isinstance(node, yaml.MappingNode):
        return {key: _build(value, (*path, key), lines) for key, value in _entries(node, path, lines)}
    if isinstance(node, yaml.SequenceNode):
        return [_build(value, (*path, number), lines) for number, value in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path)
    raise LocatedError("expected a plain value", line=lines[path], path=path)


def _entries(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key_node, value in node.value:
        line, key = _line(key_node.start_mark), key_node.value
        if not isinstance(key_node, yaml.ScalarNode):
            raise LocatedError("expected a name before the colon", line=line, path=path)
        if key in seen:
            raise LocatedError(f"{key} is given twice", line=line, path=(*path, key))
        seen.add(key)
        # The key's line, not the value's: a nested value starts on the line after.
        lines[*path, key] = line
        yield key, value


def _scalar(node: yaml.ScalarNode, path: Path) -> str | int | bool | Decimal | None:
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind == "str" and node.style is None and _EXPONENT.fullmatch(text):
        kind = "float"
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() not in _FALSE_WORDS
            case "int":
                return int(text.replace("_", ""), 0 if text.lstrip("+-").startswith(("0x", "0b")) else 10)
            case "float":
                return Decimal(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
            case "str" | "timestamp" | "merge" | "value":
                return str(text)
    except (ValueError, InvalidOperation) as error:
        raise LocatedError(f"expected a number, found {text}", line=_line(node.start_mark), path=path) from error
    raise LocatedError(f"expected a plain value, found the tag {node.tag}", line=_line(node.start_mark), path=path)
