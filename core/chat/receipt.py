"""Receipts: who was asked, what was tried, who answered. Derived from the ledger, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise

from core.chat.conversation import Receipt, ReceiptTry
from core.costs.ledger import OUT_OF_MONEY
from core.store.database import Cursor, Row
from core.store.sql import load_queries

# How an attempt ends that has brought something: whole, or kept as far as it came.
_ANSWERED = frozenset({"ok", "stopped", "interrupted", OUT_OF_MONEY})


def receipts_of(cur: Cursor, conversation_id: str) -> dict[str, Receipt]:
    """The receipts of a conversation by turn id, for the turns that took a detour."""
    rows = cur.fetch_all(load_queries("receipts")["tries_of_conversation"], conversation_id=conversation_id)
    # Stable: the attempts of a turn keep their order.
    rows.sort(key=_turn)
    receipts = {turn_id: receipt_from(list(attempts)) for turn_id, attempts in groupby(rows, key=_turn)}
    return {turn_id: receipt for turn_id, receipt in receipts.items() if _detour(receipt)}


def receipt_from(attempts: Sequence[Row]) -> Receipt:
    """The receipt of one turn from its ledger rows, oldest first; at least one.

    A call that went well and was followed by another one called tools: that is no try.
    """
    first, last = attempts[0], attempts[-1]
    failed = [(attempt, after) for attempt, after in pairwise(attempts) if attempt["status"] != "ok"]
    costs = [attempt["cost_usd"] for attempt, _ in failed]
    return Receipt(
        asked=first["requested_model"],
        tries=(*(_try(attempt) for attempt, _ in failed), _try(last)),
        answered=last["served_model"] if last["status"] in _ANSWERED else None,
        added_ms=sum((after["started_at"] - attempt["started_at"]).total_seconds() * 1000 for attempt, after in failed),
        added_usd=None if None in costs else sum(costs, Decimal(0)),
    )


def _detour(receipt: Receipt) -> bool:
    return len(receipt.tries) > 1 or receipt.tries[0].model_id != receipt.asked


def _try(attempt: Row) -> ReceiptTry:
    return ReceiptTry(
        model_id=attempt["served_model"] or attempt["requested_model"],
        status=attempt["status"],
        error_message=attempt["error_message"],
        started_at=attempt["started_at"],
        ended_at=attempt["ended_at"],
    )


def _turn(attempt: Row) -> str:
    return str(attempt["turn_id"])
