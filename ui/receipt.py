"""Who answered for whom, and after which tries: a few quiet words under the answer, the tries behind a disclosure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import streamlit as st

from core.chat.conversation import Receipt, ReceiptTry
from ui import formats
from ui.markdown import literal
from ui.times import local_time, viewer_zone

# A model's label by its id.
Label = Callable[[str], str]

_WORDS = {
    "ok": "answered",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "budget": "stopped by a budget",
    "rate_limit": "429",
    "server": "server error",
    "connection": "no connection",
    "stall": "no answer",
    "truncated": "broke off",
    "context_length": "too long",
    "not_found": "unknown model",
    "starting": "still starting",
}


def answered_words(receipt: Receipt, label: Label) -> str:
    """`answered for Fast one (429, 2 tries, +2.1 s)`, `answered on try 2 (429, +0.6 s)`; empty when nobody did."""
    if receipt.answered is None:
        return ""
    *failed, _ = receipt.tries
    if receipt.answered == receipt.asked:
        return f"answered on try {len(receipt.tries)} ({', '.join(_detour(receipt, failed[0]))})"
    if not failed:
        return f"answered for {literal(label(receipt.asked))} (it had just failed)"
    first, *added = _detour(receipt, failed[0])
    tries = "1 try" if len(failed) == 1 else f"{len(failed)} tries"
    return f"answered for {literal(label(receipt.asked))} ({', '.join((first, tries, *added))})"


def draw_tries(receipt: Receipt, label: Label) -> None:
    """Every try with its time and its end in plain words, behind a disclosure; nothing for a single one."""
    if len(receipt.tries) == 1:
        return
    with st.expander(f"{len(receipt.tries)} tries", type="compact"):
        zone = viewer_zone()
        st.markdown("\n".join(f"- {try_line(tried, label, zone=zone)}" for tried in receipt.tries))
        if receipt.answered is not None:
            st.caption(literal(f"The detour added {' and '.join(_added(receipt))}."))


def try_line(tried: ReceiptTry, label: Label, *, zone: tzinfo) -> str:
    """One try: `14:32:05 · Fast one · 429 · 0.3 s · Fast one is over its rate limit`."""
    parts = [
        f"{local_time(tried.started_at, zone):%H:%M:%S}",
        f"**{literal(label(tried.model_id))}**",
        _WORDS.get(tried.status, "error"),
        formats.duration((tried.ended_at - tried.started_at).total_seconds() * 1000),
    ]
    if tried.error_message:
        parts.append(literal(tried.error_message))
    return " · ".join(parts)


def _detour(receipt: Receipt, first: ReceiptTry) -> list[str]:
    return [_WORDS.get(first.status, "error"), *(f"+{literal(added)}" for added in _added(receipt))]


def _added(receipt: Receipt) -> list[str]:
    added = [formats.duration(receipt.added_ms)]
    if receipt.added_usd is None:
        added.append("an unpriced amount")
    elif receipt.added_usd:
        added.append(formats.money(receipt.added_usd))
    return added
