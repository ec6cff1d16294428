"""Comparisons in the store: one prompt put to several models, each column with its own messages, turns and figures.

A column's messages are those of a conversation of its own, which no list of chats shows. So the engine, the ledger,
receipts, attachments, recovery after a crash and the deletion of one's data treat it like any other. The history of the
chat that a comparison goes on from is read where it is and never copied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from core.catalog.effective import Values
from core.chat.conversation import title_from
from core.chat.kept_parameters import from_json, to_json
from core.chat.plain_text import own_title
from core.clock import Clock, utc_now
from core.errors import NotFound
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

ColumnKind = Literal["answer", "merge"]

_SQL = load_queries("comparisons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The chat that a comparison goes on from, up to and including a message; None: its very beginning."""

    conversation_id: str
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One model of a comparison, or a merge of the others' answers; `id` is its conversation's.

    `parameters` are what the person set for it, its system prompt among them. `sources` are the answers that a merge
    was made from, by their ids. `problem` says why the last message to it was not sent.
    """

    id: str
    comparison_id: str
    position: int
    kind: ColumnKind
    model_id: str
    model_label: str
    parameters: Values
    sources: Sequence[str] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison with its columns in order, answers first.

    `use_case` is what it is for: None when nobody knows, empty for nothing in particular.
    """

    id: str
    user_id: str
    title: str
    origin: Origin | None
    created_at: datetime
    updated_at: datetime
    use_case: str | None = None
    columns: Sequence[Column] = ()

    @property
    def answers(self) -> Sequence[Column]:
        """The columns that answer the prompt."""
        return [column for column in self.columns if column.kind == "answer"]

    @property
    def merges(self) -> Sequence[Column]:
        """The columns that were made from the others' answers."""
        return [column for column in self.columns if column.kind == "merge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColumn:
    """A column to be made."""

    model_id: str
    model_label: str
    parameters: Values
    kind: ColumnKind = "answer"
    sources: Sequence[str] = ()


def begin_comparison(
    database: Database,
    *,
    user_id: str,
    prompt: str,
    columns: Sequence[NewColumn],
    origin: Origin | None,
    use_case: str | None = None,
    along: Callable[[str], Callable[[Cursor], None]] | None = None,
    clock: Clock = utc_now,
) -> Comparison:
    """Make a comparison whose columns have no message yet, titled with the first words of `prompt`.

    `along` makes of its id what is to be written in the same transaction.
    """
    made = Comparison(
        id=new_id(),
        user_id=user_id,
        title=title_from(prompt),
        origin=origin,
        created_at=(now := clock()),
        updated_at=now,
        use_case=use_case,
    )

    def work(cur: Cursor) -> Comparison:
        cur.execute(
            _SQL["insert_comparison"],
            id=made.id,
            user_id=user_id,
            title=made.title,
            origin_conversation_id=origin.conversation_id if origin else None,
            origin_message_id=origin.message_id if origin else None,
            now=now,
            use_case=use_case,
        )
        added = [_column_of(made, column, position=at) for at, column in enumerate(columns)]
        _insert_columns(cur, added)
        if along is not None:
            along(made.id)(cur)
        return replace(made, columns=added)

    return database.transaction(work)


def add_column(database: Database, comparison: Comparison, column: NewColumn, *, clock: Clock = utc_now) -> Column:
    """Add a column behind the others."""
    position = 1 + max((known.position for known in comparison.columns), default=-1)
    now = clock()

    def work(cur: Cursor) -> Column:
        cur.execute(_SQL["touch_comparison"], id=comparison.id, now=now)
        added = _column_of(comparison, column, position=position)
        _insert_columns(cur, [added])
        return added

    return database.transaction(work)


def forget_column(database: Database, column_id: str) -> None:
    """Take back a column that never got a message."""

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["forget_conversation"], id=column_id)
        cur.execute(_SQL["forget_column"], id=column_id)

    database.transaction(work)


def forget_comparison(database: Database, comparison: Comparison) -> None:
    """Take back a comparison none of whose columns got a message."""

    def work(cur: Cursor) -> None:
        for column in comparison.columns:
            cur.execute(_SQL["forget_conversation"], id=column.id)
            cur.execute(_SQL["forget_column"], id=column.id)
        cur.execute(_SQL["forget_comparison"], id=comparison.id)

    database.transaction(work)


def load_comparison(database: Database, *, comparison_id: str, user_id: str, blind: bool = False) -> Comparison:
    """One comparison of this user; only with `blind` one that waits for a vote on hidden models.

    Raises NotFound when it does not exist, is deleted or belongs to somebody else.
    """
    with database.cursor() as cur:
        row = cur.fetch_one(_SQL["load_comparison"], id=comparison_id, user_id=user_id, blind=blind)
        if row is None:
            raise NotFound(
                "This comparison was not found.", next_step="Open another one from the list or start a new one."
            )
        columns = cur.fetch_all(_SQL["columns_of"], comparison_id=comparison_id)
    return replace(_comparison(row), columns=[_column(found) for found in columns])


def list_comparisons(database: Database, *, user_id: str, limit: int) -> list[Comparison]:
    """The user's comparisons without their columns, the one used last first."""
    return [_comparison(row) for row in database.fetch_all(_SQL["list_comparisons"], user_id=user_id, limit=limit)]


def comparisons_with(database: Database, column_ids: Collection[str]) -> frozenset[str]:
    """The comparisons that these columns belong to; of conversations that are being answered: those that run."""
    if not column_ids:
        return frozenset()
    rows = database.fetch_all(_SQL["comparisons_with"], ids=list(column_ids))
    return frozenset(row["comparison_id"] for row in rows)


def note_problem(database: Database, column_id: str, problem: str | None) -> None:
    """Keep why the last message to a column was not sent; None: it was."""
    database.execute(_SQL["note_problem"], conversation_id=column_id, problem=problem)


def rename_comparison(database: Database, *, comparison_id: str, user_id: str, title: str) -> None:
    """Give a comparison a title of the user's own. Raises SwitchboardError for an empty one."""
    database.execute(_SQL["rename_comparison"], id=comparison_id, user_id=user_id, title=own_title(title))


def set_use_case(database: Database, *, comparison_id: str, user_id: str, use_case: str) -> None:
    """Keep what a comparison and all its columns are for; empty: for nothing in particular."""

    def work(cur: Cursor) -> None:
        for statement in ("set_use_case", "set_use_case_of_columns"):
            cur.execute(_SQL[statement], id=comparison_id, user_id=user_id, use_case=use_case)

    database.transaction(work)


def touch_comparison(database: Database, comparison_id: str, *, clock: Clock = utc_now) -> None:
    """Note that a comparison was used."""
    database.execute(_SQL["touch_comparison"], id=comparison_id, now=clock())


def delete_comparison(database: Database, *, comparison_id: str, user_id: str, clock: Clock = utc_now) -> None:
    """Take a comparison out of sight with its messages. `restore_comparison` undoes it; the ledger keeps its rows."""
    now = clock()

    def work(cur: Cursor) -> None:
        for statement in ("delete_comparison", "delete_column_conversations"):
            cur.execute(_SQL[statement], id=comparison_id, user_id=user_id, now=now)

    database.transaction(work)


def restore_comparison(database: Database, *, comparison_id: str, user_id: str) -> None:
    """Undo `delete_comparison`."""

    def work(cur: Cursor) -> None:
        for statement in ("restore_comparison", "restore_column_conversations"):
            cur.execute(_SQL[statement], id=comparison_id, user_id=user_id)

    database.transaction(work)


def _column_of(comparison: Comparison, new: NewColumn, *, position: int) -> Column:
    return Column(
        id=new_id(),
        comparison_id=comparison.id,
        position=position,
        kind=new.kind,
        model_id=new.model_id,
        model_label=new.model_label,
        parameters=new.parameters,
        sources=new.sources,
    )


def _insert_columns(cur: Cursor, columns: Sequence[Column]) -> None:
    """The rows of columns; the conversation of each is made with its first message."""
    cur.execute(
        _SQL["insert_columns"],
        comparison_id=columns[0].comparison_id,
        conversation_id=[column.id for column in columns],
        position=[column.position for column in columns],
        kind=[column.kind for column in columns],
        model_id=[column.model_id for column in columns],
        model_label=[column.model_label for column in columns],
        parameters=[to_json(column.parameters) for column in columns],
        sources=[json.dumps(list(column.sources)) if column.sources else None for column in columns],
    )


def _comparison(row: Row) -> Comparison:
    conversation_id, message_id = row.pop("origin_conversation_id"), row.pop("origin_message_id")
    origin = Origin(conversation_id=conversation_id, message_id=message_id) if conversation_id else None
    return Comparison(origin=origin, **row)


def _column(row: Row) -> Column:
    kept, sources, column_id = row.pop("parameters"), row.pop("sources"), row.pop("conversation_id")
    return Column(
        id=column_id, parameters=from_json(kept), sources=tuple(json.loads(sources)) if sources else (), **row
    )
