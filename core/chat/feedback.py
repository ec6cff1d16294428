"""What people think of answers: a thumb per answer, with an optional reason. Changeable, and theirs to delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.chat.conversation import Message
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import NotFound
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_SQL = load_queries("feedback")
REASON_LIMIT = 1_000

Thumb = Literal[1, -1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A person's opinion of one answer: 1 is good, -1 is bad."""

    rating: Thumb
    reason: str | None = None


def rate(
    database: Database,
    *,
    message_id: str,
    user_id: str,
    rating: Rating | None,
    use_case: str | None = None,
    unstored: Message | None = None,
    clock: Clock = utc_now,
) -> None:
    """Keep what a person thinks of an answer in place of what they thought before; None takes it back.

    `use_case` counts where the turn itself named none. `unstored` is the answer itself, where it is one of a
    temporary chat: its rating is kept, its text is not. A long reason is cut at 1,000 characters. Raises NotFound for
    an answer that is not in a conversation of this user.
    """
    whose = {"message_id": message_id, "user_id": user_id}

    def work(cur: Cursor) -> None:
        answer = _as_row(unstored) if unstored else cur.fetch_one(_SQL["answer_to_rate"], **whose)
        if answer is None:
            raise NotFound("That answer is no longer here.", next_step="Reload the page to see what is.")
        if rating is None:
            cur.execute(_SQL["unrate"], **whose)
            return
        cur.execute(
            _SQL["rate"],
            message_id=message_id,
            conversation_id=answer["conversation_id"],
            user_id=user_id,
            model_id=answer["model_id"],
            use_case=answer["use_case"] or use_case,
            rating=rating.rating,
            reason=_reason(rating),
            now=clock(),
        )

    database.transaction(work)


def load_ratings(database: Database, *, conversation_id: str, user_id: str) -> Mapping[str, Rating]:
    """A person's ratings in a conversation, by the answer's id."""
    rows = database.fetch_all(_SQL["ratings_of_conversation"], conversation_id=conversation_id, user_id=user_id)
    return {row["message_id"]: Rating(rating=row["rating"], reason=row["reason"]) for row in rows}


def _as_row(answer: Message) -> Row:
    model_id = answer.served_model or answer.requested_model
    return {"conversation_id": answer.conversation_id, "model_id": model_id, "use_case": None}


def _reason(rating: Rating) -> str | None:
    return clean_text(rating.reason or "").strip()[:REASON_LIMIT].rstrip() or None
