"""The keys of st.session_state that belong to the page of comparisons, typed. Values are plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.arena.comparison import Origin
from core.arena.line_ups import Entry
from core.ids import new_id
from ui import address
from ui.unbroken import unbroken

TO = "compare_to"

_COMPARISON = "comparison"
_FROM, _AT = "from", "at"
_OPENED = "opened_comparison"
_ORIGIN = "comparison_origin"
_LINE_UP = "compare_line_up"
_LISTED = "listed_comparisons"
_DIFFER = "compare_differ"
_UNDO = "deleted_comparison"
_SEEN = "compare_seen"
_BEGUN = "comparison_begun_here"
_CHAT = "chat_to_open"
_WANTED = "compare_wanted"
_PREFILL = "compare_prefill"
_JOINED = "joined_column"
_FOUND = "found_in_comparison"
_DRAWN = "drawn_comparison"

FIRST_COMPARISONS = 30

# What a tab has drawn of a comparison: for every column the id of its last message and of the turn that ran.
Seen = Sequence[tuple[str, str | None, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A model of the line-up being put together; `id` names its widgets."""

    id: str
    entry: Entry


def comparison_id() -> str | None:
    """The comparison on show: the URL's, so that a reload, a second tab and a link open it; else this tab's last."""
    found = address.value(_COMPARISON)
    if found is None and address.value(_FROM) is None:
        found = st.session_state.get(_OPENED)
    if found is not None:
        st.session_state[_OPENED] = found
        address.put(_COMPARISON, found)
    return found


def point_out(comparison: str, message_id: str, terms: Sequence[str]) -> None:
    """Show a message of the search when its comparison is on show, with these words marked in it."""
    st.session_state[_FOUND] = (comparison, message_id, tuple(terms))


def pointed_out() -> tuple[str, tuple[str, ...]] | None:
    """The message of the open comparison that the search led to, as (id, words), until something is sent."""
    comparison, message_id, terms = st.session_state.get(_FOUND, ("", "", ()))
    return (message_id, terms) if comparison and comparison == st.session_state.get(_OPENED) else None


def stop_pointing_out() -> None:
    """The message of the search and the column just added are like any other from now on."""
    st.session_state.pop(_FOUND, None)
    st.session_state.pop(_JOINED, None)


@unbroken
def open_comparison(comparison: str | None) -> None:
    """Show a comparison, or none to begin a new one."""
    stop_pointing_out()
    st.session_state[_OPENED] = comparison
    _forget_origin()
    if comparison is None:
        address.put(_COMPARISON)
    else:
        address.put(_COMPARISON, comparison)


def origin() -> Origin | None:
    """The chat that a new comparison goes on from, by the URL or as this tab was told."""
    found: tuple[str, str | None] | None = st.session_state.get(_ORIGIN)
    asked = address.value(_FROM)
    if asked is not None:
        found = (asked, address.value(_AT))
        st.session_state[_ORIGIN] = found
    elif found is not None:
        address.put(_FROM, found[0])
        if found[1] is not None:
            address.put(_AT, found[1])
    return None if found is None else Origin(conversation_id=found[0], message_id=found[1])


def begin_from(origin: Origin, entries: Sequence[Entry], *, text: str | None = None) -> None:
    """Let the page begin a new comparison that goes on from a chat, with this line-up and this text in the composer."""
    st.session_state[_PREFILL] = text
    st.session_state[_OPENED] = None
    st.session_state[_ORIGIN] = (origin.conversation_id, origin.message_id)
    set_line_up(entries)


def take_prefill() -> str | None:
    """What is to stand in the composer, once."""
    value: str | None = st.session_state.pop(_PREFILL, None)
    return value


@unbroken
def forget_origin() -> None:
    """Begin without a history."""
    _forget_origin()


def _forget_origin() -> None:
    st.session_state.pop(_ORIGIN, None)
    address.put(_FROM)
    address.put(_AT)


def line_up() -> Sequence[Seat] | None:
    """The line-up being put together; None before this tab has one."""
    kept = st.session_state.get(_LINE_UP)
    if kept is None:
        return None
    return [Seat(id=seat_id, entry=Entry(model_id=model, parameters=values)) for seat_id, model, values in kept]


def set_line_up(entries: Sequence[Entry]) -> None:
    """Replace the line-up."""
    keep_line_up(entries)


def keep_line_up(entries: Sequence[Entry], seats: Sequence[Seat] = ()) -> None:
    """Replace the line-up; its first entries keep the widgets of `seats`."""
    ids = [seat.id for seat in seats] + [new_id() for _ in entries]
    set_seats([Seat(id=seat_id, entry=entry) for seat_id, entry in zip(ids, entries, strict=False)])


def set_seats(seats: Sequence[Seat]) -> None:
    """Keep the line-up as it is now, with its widgets."""
    st.session_state[_LINE_UP] = [(seat.id, seat.entry.model_id, dict(seat.entry.parameters)) for seat in seats]


def listed() -> int:
    """How many comparisons the sidebar lists."""
    return int(st.session_state.get(_LISTED, FIRST_COMPARISONS))


@unbroken
def list_more() -> None:
    """List more of them from now on."""
    st.session_state[_LISTED] = listed() + FIRST_COMPARISONS


def ask_difference(column_id: str) -> None:
    """Ask for the difference between this column's answer and another one to be shown."""
    st.session_state[_DIFFER] = column_id


def take_difference() -> str | None:
    """The column whose answer is to be held against another one, once."""
    value: str | None = st.session_state.pop(_DIFFER, None)
    return value


def offer_undo(comparison: str | None, title: str = "") -> None:
    """Offer to bring back what was just deleted; None takes the offer back."""
    st.session_state[_UNDO] = None if comparison is None else (comparison, title)


def undo() -> tuple[str, str] | None:
    """The comparison that was just deleted, as (id, title)."""
    value: tuple[str, str] | None = st.session_state.get(_UNDO)
    return value


def note_seen(seen: Seen) -> None:
    """Remember what this tab has drawn."""
    st.session_state[_SEEN] = list(seen)


def note_ended(column_id: str, answer_id: str) -> None:
    """This tab has drawn the end of a column's answer: no news for it any more."""
    note_seen([(name, *((answer_id, None) if name == column_id else rest)) for name, *rest in seen()])


def seen() -> Seen:
    """What this tab has drawn."""
    found: Seen = st.session_state.get(_SEEN, [])
    return found


def note_joined(column_id: str) -> None:
    """Remember the column that this tab has just added."""
    st.session_state[_JOINED] = column_id


def joined() -> str | None:
    """The column that this tab has added last."""
    value = st.session_state.get(_JOINED)
    return value if isinstance(value, str) else None


def note_begun(comparison: str) -> None:
    """Remember the comparison that this tab has just begun: its draft goes on with what was typed since."""
    st.session_state[_BEGUN] = comparison


def begun() -> str | None:
    """The comparison that this tab has begun last."""
    value = st.session_state.get(_BEGUN)
    return value if isinstance(value, str) else None


def side_for(comparison: str | None) -> int:
    """Which of two places, 0 or 1, this comparison is drawn in: the other one when the run before drew another."""
    before, side = st.session_state.get(_DRAWN, ("", 0))
    side = side if before == comparison else 1 - side
    st.session_state[_DRAWN] = (comparison, side)
    return int(side)


def open_chat(conversation_id: str) -> None:
    """Ask for a chat to be opened: only the page itself may switch to another one."""
    st.session_state[_CHAT] = conversation_id


def take_chat() -> str | None:
    """The chat to open, once."""
    value: str | None = st.session_state.pop(_CHAT, None)
    return value


def ask_to_open() -> None:
    """Ask the chat page to switch to the page of comparisons."""
    st.session_state[_WANTED] = True


def take_wanted() -> bool:
    """Whether the page of comparisons was asked for, once."""
    return bool(st.session_state.pop(_WANTED, False))
