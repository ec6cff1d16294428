"""Keeping conversations in order: pin, tag, archive, delete several at once. Everything can be undone.

Ids that are not this person's are passed over in silence: another person's conversation does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.chat.conversation import Conversation
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import SwitchboardError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("organise")
_TAG_LIMIT = 30
_MOST_TAGS = 10


def pin(
    database: Database, *, conversation_ids: Sequence[str], user_id: str, pinned: bool, clock: Clock = utc_now
) -> None:
    """Put conversations on top of the list, or back among the others."""
    moment = clock() if pinned else None
    database.execute(_SQL["pin"], ids=list(conversation_ids), user_id=user_id, pinned_at=moment)


def archive(
    database: Database, *, conversation_ids: Sequence[str], user_id: str, archived: bool, clock: Clock = utc_now
) -> None:
    """Take conversations out of the list without deleting them, or bring them back. Search finds them either way."""
    moment = clock() if archived else None
    database.execute(_SQL["archive"], ids=list(conversation_ids), user_id=user_id, archived_at=moment)


def parse_tags(text: str) -> tuple[str, ...]:
    """The tags in what somebody typed, separated by commas: lower case, each once, words joined by hyphens.

    Raises SwitchboardError for a tag of more than 30 characters, or more than 10 tags.
    """
    parts = ("-".join(part.lower().split()).strip('-#"') for part in clean_text(text).split(","))
    tags = tuple(dict.fromkeys(filter(None, parts)))
    for tag in tags:
        if len(tag) > _TAG_LIMIT:
            raise SwitchboardError(f"The tag {tag[:_TAG_LIMIT]}… is too long.", next_step="30 characters are the most.")
    return _not_too_many(tags)


def set_tags(database: Database, *, conversation_id: str, user_id: str, tags: Sequence[str]) -> None:
    """Replace the tags of a conversation. `tags` come from `parse_tags`."""
    database.execute(_SQL["set_tags"], id=conversation_id, user_id=user_id, tags=" ".join(tags) or None)


def add_tags(database: Database, *, conversation_ids: Sequence[str], user_id: str, tags: Sequence[str]) -> None:
    """Add tags to several conversations; all of them or, with SwitchboardError for one that has too many, none."""

    def work(cur: Cursor) -> None:
        for row in cur.fetch_all(_SQL["load_tags"], ids=list(conversation_ids), user_id=user_id):
            both = _not_too_many(tuple(dict.fromkeys([*row["tags"].split(), *tags])))
            cur.execute(_SQL["set_tags"], id=row["id"], user_id=user_id, tags=" ".join(both) or None)

    database.transaction(work)


def all_tags(database: Database, *, user_id: str) -> list[str]:
    """Every tag this person uses, the most used first."""
    rows = database.fetch_all(_SQL["all_tags"], user_id=user_id)
    counted = Counter(tag for row in rows for tag in row["tags"].split())
    return sorted(counted, key=lambda tag: (-counted[tag], tag))


def delete_conversations(
    database: Database, *, conversation_ids: Sequence[str], user_id: str, clock: Clock = utc_now
) -> None:
    """Take conversations out of sight together. `restore_conversations` undoes it."""
    database.execute(_SQL["delete"], ids=list(conversation_ids), user_id=user_id, now=clock())


def restore_conversations(database: Database, *, conversation_ids: Sequence[str], user_id: str) -> None:
    """Undo `delete_conversations`, and `delete_conversation` of one."""
    database.execute(_SQL["restore"], ids=list(conversation_ids), user_id=user_id)


def list_deleted(database: Database, *, user_id: str, limit: int) -> list[Conversation]:
    """This person's deleted conversations that can still be brought back, the one deleted last first."""
    return [Conversation(**row) for row in database.fetch_all(_SQL["list_deleted"], user_id=user_id, limit=limit)]


def _not_too_many(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > _MOST_TAGS:
        raise SwitchboardError(
            f"A conversation can have {_MOST_TAGS} tags.", next_step="Take some away and save again."
        )
    return tags
