"""Branches of a conversation in the store: stepping between them, deleting a message with what lies below, undoing.

Nothing of this happens while an answer is being written: it ends on the branch it was asked on, and that one must then
be the one on show.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.chat.conversation import Message, branch, by_id
from core.chat.store import messages_of
from core.chat.tree import Children, below, children_of, leaf_under, place_of
from core.clock import Clock, utc_now
from core.errors import NotFound, TurnRefused
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("branches")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """A conversation's messages as a tree, and the branch on show from its root to its leaf."""

    conversation_id: str
    user_id: str
    messages: dict[str, Message]
    children: Children
    shown: list[Message]


def show_branch(database: Database, *, conversation_id: str, user_id: str, message_id: str) -> None:
    """Put the branch through a message on show, down to where it was left.

    Raises NotFound when there is no such message in a conversation of this user, TurnRefused while an answer is being
    written in it.
    """

    def work(cur: Cursor) -> None:
        show_branch_in(cur, conversation_id=conversation_id, user_id=user_id, message_id=message_id)

    database.transaction(work)


def show_branch_in(cur: Cursor, *, conversation_id: str, user_id: str, message_id: str) -> None:
    """`show_branch` within the caller's transaction."""
    tree = _load(cur, conversation_id, user_id)
    _show(cur, tree, _known(tree, message_id))


def delete_branch(
    database: Database, *, conversation_id: str, user_id: str, message_id: str, clock: Clock = utc_now
) -> int:
    """Delete a message and everything below it; `restore_branch` undoes it. Returns how many messages went.

    The ledger keeps what they cost. On show is then the nearest sibling's branch, else what stood above. Raises what
    `show_branch` raises.
    """

    def work(cur: Cursor) -> int:
        tree = _load(cur, conversation_id, user_id)
        message = _known(tree, message_id)
        gone = below(tree.children, message_id)
        if any(shown.id == message_id for shown in tree.shown):
            _leave(cur, tree, message)
        place = place_of(tree.children, message)
        neighbour = place.previous or place.next
        if neighbour is not None:
            _show(cur, tree, tree.messages[neighbour])
        elif not tree.shown or tree.shown[-1].id in gone:
            _set_leaf(cur, tree, message.parent_id)
        cur.execute(
            _SQL["delete_messages"],
            conversation_id=conversation_id,
            message_id=message_id,
            ids=gone,
            now=clock(),
        )
        return len(gone)

    return database.transaction(work)


def restore_branch(database: Database, *, conversation_id: str, user_id: str, message_id: str) -> None:
    """Bring back a deleted message with what went with it, and put it on show. Raises what `show_branch` raises."""

    def work(cur: Cursor) -> None:
        _refuse_strangers(cur, conversation_id, user_id)
        cur.execute(_SQL["restore_messages"], conversation_id=conversation_id, message_id=message_id)
        tree = _load(cur, conversation_id, user_id)
        _show(cur, tree, _known(tree, message_id))

    database.transaction(work)


def _load(cur: Cursor, conversation_id: str, user_id: str) -> _Tree:
    leaf = _refuse_strangers(cur, conversation_id, user_id)
    if cur.fetch_one(load_queries("turns")["running_turn_of_conversation"], conversation_id=conversation_id):
        raise TurnRefused(
            "busy", "An answer in this conversation is still being written.", next_step="Wait for it or stop it first."
        )
    messages = by_id(messages_of(cur, conversation_id))
    return _Tree(
        conversation_id=conversation_id,
        user_id=user_id,
        messages=messages,
        children=children_of(messages),
        shown=branch(messages, leaf_id=leaf),
    )


def _refuse_strangers(cur: Cursor, conversation_id: str, user_id: str) -> str | None:
    """The leaf on show of this user's conversation; NotFound for anybody else's."""
    row = cur.fetch_one(load_queries("conversations")["load_conversation"], id=conversation_id, user_id=user_id)
    if row is None:
        raise NotFound("This conversation was not found.", next_step="Open another one from the list.")
    leaf = row["leaf_message_id"]
    return None if leaf is None else str(leaf)


def _known(tree: _Tree, message_id: str) -> Message:
    message = tree.messages.get(message_id)
    if message is None:
        raise NotFound("That message is no longer here.", next_step="Reload the page to see what is.")
    return message


def _show(cur: Cursor, tree: _Tree, message: Message) -> None:
    siblings = {sibling.id for sibling in tree.children.get(message.parent_id, ())}
    for left in tree.shown:
        if left.id in siblings and left.id != message.id:
            _leave(cur, tree, left)
    kept = cur.fetch_one(_SQL["left_at"], message_id=message.id, conversation_id=tree.conversation_id)
    left_at = None if kept is None else str(kept["leaf_message_id"])
    _set_leaf(cur, tree, leaf_under(tree.children, message.id, left_at=left_at))


def _leave(cur: Cursor, tree: _Tree, message: Message) -> None:
    cur.execute(
        _SQL["keep_leaf"],
        message_id=message.id,
        conversation_id=tree.conversation_id,
        leaf_message_id=tree.shown[-1].id,
    )


def _set_leaf(cur: Cursor, tree: _Tree, leaf_id: str | None) -> None:
    cur.execute(_SQL["show_leaf"], conversation_id=tree.conversation_id, user_id=tree.user_id, leaf_message_id=leaf_id)
