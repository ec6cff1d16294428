"""How an answer looks, in figures: what people may like about it apart from what it says. Pure.

Length, lists and headers are LMArena's style features (Li et al., "Does style matter?", 2024), less bold text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_HEADER = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_CODE = re.compile(r"^(`{3,}|~{3,}).*?(?:^\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Style:
    """Characters of the whole answer; list items and headers outside of code blocks."""

    characters: int
    list_items: int
    headers: int


def style_of(text: str) -> Style:
    """The style of a Markdown text."""
    prose = _CODE.sub("", text)
    return Style(len(text), len(_LIST_ITEM.findall(prose)), len(_HEADER.findall(prose)))
