"""What is said about how an answer came about.

It is kept with the answer, in words, so that it stays true when settings change.
"""

from __future__ import annotations

from core.chat.live_turn import LiveTurn
from core.chat.money_cap import cut_by_cap, dollars


def note_of(live: LiveTurn) -> str | None:
    """The note of a turn that has ended; None where there is nothing to say."""
    said = (_what_was_sent(live), _what_cut_it(live))
    return ", ".join(filter(None, said)) or None


def _what_was_sent(live: LiveTurn) -> str | None:
    summary, left_out = live.request.summary, live.left_out
    if left_out:
        return f"sent without the {'oldest message' if left_out == 1 else f'{left_out} oldest messages'}"
    summarised = summary is not None and any(message.id == summary.id for message in live.history)
    return f"sent with a summary of {summary.messages} messages" if summary and summarised else None


def _what_cut_it(live: LiveTurn) -> str | None:
    most_usd, cut = live.request.most_usd, live.answer.finish_reason == "length"
    if most_usd is not None and cut and cut_by_cap(live.completion, live.request.parameters):
        return f"cut at your limit of {dollars(most_usd)}"
    return "the most calls of tools for an answer were made" if live.out_of_calls else None
