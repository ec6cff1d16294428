"""The receipt of an answer: from ledger rows to the words under it; the words while nothing has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.chat.receipt import receipt_from
from core.providers.events import Retrying
from ui.answer import waiting_words
from ui.receipt import answered_words, try_line

NOW = datetime(2026, 11, 23, 14, 32, 5)  # noqa: DTZ001 - naive UTC is the store's own form
AGAIN = Retrying("Fast", "Fast is limited", wait_s=2.0)
LABELS = {"fast": "Fast one", "steady": "Steady"}


def row(served, status, *, at=0.0, cost="0", asked="fast"):
    return {
        "turn_id": "t",
        "requested_model": asked,
        "served_model": served,
        "status": status,
        "error_message": None if status == "ok" else "It failed.",
        "started_at": NOW + timedelta(seconds=at),
        "ended_at": NOW + timedelta(seconds=at + 0.3),
        "cost_usd": None if cost is None else Decimal(cost),
    }


def label(model_id):
    return LABELS.get(model_id, model_id)


def words(*rows):
    return answered_words(receipt_from(rows), label).replace("\\", "")


def test_a_fallback_says_for_whom_why_after_how_many_tries_and_what_it_added():
    rows = row("fast", "rate_limit"), row("fast", "server", at=0.6), row("steady", "ok", at=2.1, cost="0.5")

    receipt = receipt_from(rows)

    assert (receipt.asked, receipt.answered, receipt.added_ms, receipt.added_usd) == ("fast", "steady", 2100, 0)
    assert [tried.status for tried in receipt.tries] == ["rate_limit", "server", "ok"]
    assert words(*rows) == "answered for Fast one (429, 2 tries, +2.1 s)"


def test_the_same_model_says_on_which_try():
    assert words(row("fast", "server"), row("fast", "ok", at=0.6)) == "answered on try 2 (server error, +0.6 s)"


def test_a_model_that_was_passed_over_is_named():
    assert words(row("steady", "ok")) == "answered for Fast one (it had just failed)"


@pytest.mark.parametrize(("cost", "said"), [("0.002", "+$0.002"), (None, "+an unpriced amount"), ("0", "")])
def test_what_the_tries_cost_is_said(cost, said):
    found = words(row("gone", "stall", cost=cost), row("steady", "ok", at=30))

    expected = ", ".join(filter(None, ("no answer", "1 try", "+30.0 s", said)))
    assert found == f"answered for Fast one ({expected})"


def test_when_nobody_answered_the_footer_says_nothing_of_an_answer():
    assert words(row("fast", "server"), row("steady", "stall", at=1)) == ""


def test_a_stopped_answer_was_an_answer():
    assert receipt_from([row("fast", "server"), row("steady", "stopped", at=1)]).answered == "steady"


def test_a_try_is_a_line_on_the_viewers_clock():
    tried = receipt_from([row("fast", "rate_limit")]).tries[0]

    assert try_line(tried, label, zone=UTC).replace("\\", "") == "14:32:05 · **Fast one** · 429 · 0.3 s · It failed."


@pytest.mark.parametrize(
    ("retrying", "waited_s", "said"),
    [
        (None, 0.5, "Waiting for the first word"),
        (None, 1.0, ":shimmer[Waiting for the first word]"),
        (None, 4.2, ":shimmer[Waiting for the first word] 4 s"),
        (AGAIN, 0.0, ":shimmer[Fast is limited, trying again in 2 s]"),
        (AGAIN, 1.5, ":shimmer[Fast is limited, trying again in 1 s]"),
        (AGAIN, 2.5, ":shimmer[Fast is limited, trying again]"),
        (AGAIN, 6.5, ":shimmer[Fast is limited, trying again] 4 s"),
        (Retrying("Steady", "Fast failed", instead=True), 0.0, ":shimmer[Fast failed, asking Steady instead]"),
        (Retrying("S", "[x](y) :red[z]", instead=True), 0.0, r":shimmer[\[x\]\(y\) \:red\[z\], asking S instead]"),
    ],
)
def test_the_page_says_what_it_waits_for(retrying, waited_s, said):
    assert waiting_words(retrying, waited_s) == said
