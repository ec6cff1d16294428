"""Switchboard's own long conversations, written into its store the way the application writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from bench import history
from core.accounts.users import create_user, find_user
from core.chat.conversation import Message
from core.chat.store import insert_conversation, insert_message
from core.clock import utc_now
from core.costs.ledger import Attempt, record_attempt
from core.costs.pricing import Cost
from core.ids import new_id
from core.providers.events import Usage
from core.store.database import Cursor, Database
from core.store.migrate import migrate


def conversations(url: str, *, password: str, model: str, count: int) -> list[str]:
    """Add `count` conversations of 100 messages to the administrator, who is made if missing; their ids."""
    database = Database(url)
    try:
        migrate(database)
        admin = find_user(database, "admin") or create_user(
            database, username="admin", display_name="Administrator", password=password, role="admin"
        )
        return [database.transaction(partial(_add, user_id=admin.id, model=model)) for _ in range(count)]
    finally:
        database.close()


def _add(cur: Cursor, *, user_id: str, model: str) -> str:
    conversation_id, started = new_id(), utc_now() - timedelta(hours=2)
    texts = history.messages()
    insert_conversation(
        cur, conversation_id=conversation_id, user_id=user_id, first_text=texts[0][1], model_id=model, now=started
    )
    parent_id, turn_id = None, ""
    for number, (role, text) in enumerate(texts):
        turn_id = new_id() if role == "user" else turn_id
        at = started + timedelta(minutes=number)
        message = _message(
            conversation_id, parent_id=parent_id, turn_id=turn_id, role=role, text=text, model=model, at=at
        )
        insert_message(cur, message)
        if role == "assistant":
            record_attempt(cur, _attempt(message, user_id))
        parent_id = message.id
    return conversation_id


def _message(
    conversation_id: str,
    *,
    parent_id: str | None,
    turn_id: str,
    role: history.Role,
    text: str,
    model: str,
    at: datetime,
) -> Message:
    by = model if role == "assistant" else None
    return Message(
        id=new_id(),
        conversation_id=conversation_id,
        parent_id=parent_id,
        turn_id=turn_id,
        role=role,
        content=text,
        status="complete",
        created_at=at,
        finish_reason="stop" if by else None,
        requested_model=by,
        served_model=by,
        model_label=by,
    )


def _attempt(message: Message, user_id: str) -> Attempt:
    started, model = message.created_at, str(message.served_model)
    cost = Decimal("0.00012")
    return Attempt(
        id=message.turn_id,
        turn_id=message.turn_id,
        user_id=user_id,
        conversation_id=message.conversation_id,
        source="chat",
        use_case=None,
        requested_model=model,
        served_model=model,
        upstream_model=model,
        provider="bench",
        parameters={},
        started_at=started,
        first_token_at=started + timedelta(milliseconds=200),
        ended_at=started + timedelta(seconds=2),
        usage=Usage(input_tokens=900, output_tokens=80),
        cost=Cost(cost_usd=cost, code="computed", computed_cost_usd=cost, reported_cost_usd=None),
        price_version="bench",
        status="ok",
    )
