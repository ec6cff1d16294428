"""How a model is doing, in words: the line of the selector's card that follows without a click."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

import streamlit as st

from core.bootstrap import Services
from core.catalog.health import Headroom, ModelStatus, State, first_sentence
from core.catalog.models import ModelSpec
from core.clock import utc_now
from ui import formats
from ui.markdown import literal
from ui.model_card import measured, reason
from ui.times import local_time, viewer_zone

# Never colour alone: the shape says it too (DESIGN.md).
DOTS: dict[State, str] = {
    "healthy": ":green[●]",
    "slow": ":orange[◐]",
    "down": ":red[○]",
    "unknown": ":gray[○]",
    "starting": ":gray[◌]",
    "no_key": ":gray[:material/key_off:]",
}
_EVERY_S = 5
_PERCENT = 100


@st.fragment(run_every=_EVERY_S)
def draw_status(services: Services, model: ModelSpec, *, beside: Callable[[], None] | None = None) -> None:
    """The status of one model, drawn again every few seconds while the page is open; `beside` is called each time too.

    A fragment: nothing else on the page is run or drawn for it, and while an answer is drawn it waits. What nobody has
    called lately is probed, because somebody looks at it.
    """
    if beside is not None:
        beside()
    status = services.model_status(model)
    services.prober.ask(model, status)
    st.caption("  \n".join(status_lines(status, zone=viewer_zone(), now=utc_now())))


def status_lines(status: ModelStatus, *, zone: tzinfo, now: datetime) -> list[str]:
    """A status as lines of Markdown: state, measured figures, what the limits leave, the last error of the day."""
    lines = [
        " · ".join([f"{DOTS[status.state]} {literal(reason(status, zone))}", *measured(status), *_success(status)])
    ]
    if status.headroom is not None and status.state != "no_key":
        lines.append(literal(headroom_line(status.headroom)))
    if error := last_error(status, zone=zone, now=now):
        lines.append(literal(error))
    return lines


def headroom_line(headroom: Headroom) -> str:
    """What is left of the limits: `Left this minute: 480 requests, 190.0k tokens`, or by the provider's own word."""
    parts = []
    if headroom.requests_left is not None:
        parts.append(f"{headroom.requests_left:,} requests")
    if headroom.tokens_left is not None:
        parts.append(f"{formats.tokens(headroom.tokens_left)} tokens")
    return f"{'Left, says the provider' if headroom.reported else 'Left this minute'}: {', '.join(parts)}"


def last_error(status: ModelStatus, *, zone: tzinfo, now: datetime) -> str | None:
    """The last error of 24 h with its time; None when there was none, or when the reason says it already."""
    error, at = status.figures.last_error, status.figures.last_error_at
    if error is None or at is None:
        return None
    sentence = first_sentence(error)
    if status.cooling is not None or sentence in status.reason:
        return None
    moment, today = local_time(at, zone), local_time(now, zone).date()
    day = "" if moment.date() == today else "yesterday "
    return f"Last error {day}{moment:%H:%M}: {sentence}"


def _success(status: ModelStatus) -> list[str]:
    share = status.figures.day.share
    return [] if share is None else [f"{int(share * _PERCENT)}\u00a0% worked in 24\u00a0h"]
