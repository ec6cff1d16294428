"""The entries of an export, one at a time, however large the file and whatever is wrong with one of them.

Only a window of the file is in memory: the entry being read and up to as much again. Where an entry breaks JSON's
rules, the reader stands at the next thing that reads as a conversation and goes on from there.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO, Literal

from core.errors import ImportRefused

# 32 million characters: the largest conversation that can be read. Far beyond it, memory would no longer be bounded.
ENTRY_LIMIT = 1 << 25
_CHUNK_BYTES = 1 << 20
# How many places of a damaged file are tried before the rest is given up: keeps a hostile file from taking hours.
_TRIES = 100_000
# Errors this close to the end of the window may only mean that the rest has not been read yet.
_NEAR_END = 64

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")
_OBJECT = re.compile(r'\{\s*"')

# The lists of an export that are imported.
Section = Literal["conversations", "attachments"]
Recognised = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a file. `number` counts from 1 in its section. `value` is None for one that could not be read."""

    number: int
    value: object | None
    section: Section = "conversations"


class _BrokenError(Exception):
    """The text at the window's position is not JSON, or more of it than is read at once."""


def read_entries(source: BinaryIO, *, recognised: Recognised) -> Iterator[Entry]:
    """The entries of an export: of a list, of an object's list `conversations`, or the object itself.

    After the conversations of an object come its `attachments`. `recognised` says whether an object is a conversation;
    it decides where to go on after damage. Raises ImportRefused when the file holds neither a list nor an object.
    """
    window = _Window(source)
    start = window.peek()
    if start not in {"[", "{"}:
        raise ImportRefused("This file holds no JSON.", next_step="Choose the export itself, as .json or .zip.")
    window.at += 1
    numbers = {"conversations": count(1), "attachments": count(1)}
    for section, value in _items(window, recognised) if start == "[" else _object(window, recognised):
        yield Entry(number=next(numbers[section]), value=value, section=section)


def _items(
    window: _Window, recognised: Recognised, *, within: bool = False, section: Section = "conversations"
) -> Iterator[tuple[Section, object | None]]:
    """The items of a list whose bracket has been read; `within` an object up to the list's end, else up to the file's.

    Items of a list in the list are items as well: no conversation is a list, and so a bracket too many, which would
    make one item of all that follows or end the list early, costs nothing.
    """
    while mark := window.peek():
        if mark in ",[]":
            window.at += 1
            if mark == "]" and within and _is_end(window):
                return
            continue
        try:
            yield section, window.decode()
        except _BrokenError:
            yield section, None
            if not window.go_on(recognised):
                return


def _is_end(window: _Window) -> bool:
    """Whether a bracket that was read ends its list: no further item comes."""
    while (mark := window.peek()) in {",", "]"}:
        window.at += 1
    return mark not in {"{", "["}


def _object(window: _Window, recognised: Recognised) -> Iterator[tuple[Section, object | None]]:
    """An object that holds a list of conversations, or is one itself."""
    members: dict[str, Any] = {}
    listed = False
    try:
        while (mark := window.peek()) not in {"}", ""}:
            if mark == ",":
                window.at += 1
                continue
            name = _name(window)
            if name == "conversations" and window.peek() == "[":
                listed = True
                window.at += 1
                yield from _items(window, recognised, within=True)
            elif name == "attachments" and listed and window.peek() == "[":
                window.at += 1
                yield from _items(window, recognised, within=True, section="attachments")
            else:
                members[name] = window.decode()
    except _BrokenError:
        # What comes after the list (the ledger's figures) is not imported: damage there takes nothing away.
        if not listed:
            yield "conversations", None
        if window.go_on(recognised):
            yield from _items(window, recognised)
        return
    if not listed:
        yield "conversations", members


def _name(window: _Window) -> str:
    name = window.decode()
    if not isinstance(name, str) or window.peek() != ":":
        raise _BrokenError
    window.at += 1
    return name


class _Window:
    """The part of a file that is in memory, as text; `at` is the position of the reader in it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        # What is no UTF-8 becomes U+FFFD: one wrong byte is no reason to lose a conversation.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._ended = False
        self._tries = _TRIES
        self.text = ""
        self.at = 0
        self._more()

    def peek(self) -> str:
        """The next character that is no space, without reading it; `""` at the end."""
        while True:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def decode(self) -> Any:
        """The JSON value at the position, and step behind it. Raises _BrokenError and stays where it is."""
        self.peek()
        value, length = self._read()
        self.at += length
        return value

    def go_on(self, recognised: Recognised) -> bool:
        """Step to the next conversation behind this position; False when there is none."""
        self.at += 1
        while self._tries:
            found = _OBJECT.search(self.text, self.at)
            if found is None:
                # The mark may lie across the end of the window: its first character is looked at again.
                self.at = max(self.at, len(self.text) - _NEAR_END)
                if not self._more():
                    return False
                continue
            self._tries -= 1
            self.at = found.start()
            if self._recognises(recognised):
                return True
            self.at += 1
        return False

    def _recognises(self, recognised: Recognised) -> bool:
        try:
            value, _ = self._read()
        except _BrokenError:
            return False
        return isinstance(value, dict) and recognised(value)

    def _read(self) -> tuple[Any, int]:
        """The value at the position and its length in characters; the position stays at its first one."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if self._is_damage(error) or not self._more():
                    raise _BrokenError from None
            except (ValueError, RecursionError):
                raise _BrokenError from None  # a number of thousands of digits, or nesting without end
            else:
                length, near_end = end - self.at, end > len(self.text) - _NEAR_END
                # A number at the end of the window may go on behind it.
                if not near_end or not isinstance(value, (int, float)) or not self._more():
                    return value, length

    def _is_damage(self, error: json.JSONDecodeError) -> bool:
        return not error.msg.startswith("Unterminated") and error.pos < len(self.text) - _NEAR_END

    def _more(self) -> bool:
        """Read on, at least as much as there is unread; False at the end, or when an entry is too large."""
        unread = len(self.text) - self.at
        if self._ended or unread > ENTRY_LIMIT:
            return False
        data = self._source.read(max(_CHUNK_BYTES, unread))
        self._ended = not data
        self.text = self.text[self.at :] + self._decoder.decode(data, final=self._ended)
        self.at = 0
        return not self._ended
