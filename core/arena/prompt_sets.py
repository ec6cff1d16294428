"""Sets of prompts in the store: private to their owner, or shared with the team, which may run but not change them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.arena.prompt_files import MOST_PROMPTS, Prompt
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

NAME_LIMIT = 80

_SQL = load_queries("prompt_sets")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """A set as a list shows it. `use_case` is what votes on its answers count for; None: each prompt's category."""

    id: str
    owner_id: str
    owner_name: str | None
    name: str
    use_case: str | None
    shared: bool
    prompts: int


@dataclass(frozen=True, slots=True)
class FirstQuestion:
    """What a chat began with."""

    conversation_id: str
    title: str
    text: str
    created_at: datetime


def list_sets(database: Database, *, user_id: str) -> list[PromptSet]:
    """The sets that a person may run: their own first, then the team's, by name."""
    return [PromptSet(**row) for row in database.fetch_all(_SQL["list_sets"], user_id=user_id)]


def load_set(database: Database, *, set_id: str, user_id: str) -> PromptSet:
    """One set that this person may run. Raises NotFound."""
    found = next((one for one in list_sets(database, user_id=user_id) if one.id == set_id), None)
    if found is None:
        raise NotFound("This set of prompts was not found.", next_step="Choose another one from the list.")
    return found


def load_prompts(database: Database, set_id: str) -> list[Prompt]:
    """The prompts of a set in order."""
    rows = database.fetch_all(_SQL["load_prompts"], id=set_id)
    return [Prompt(row["category"], tuple(json.loads(row["turns"]))) for row in rows]


def make_set(
    database: Database,
    *,
    user_id: str,
    name: str,
    prompts: Sequence[Prompt],
    use_case: str | None = None,
    shared: bool = False,
    clock: Clock = utc_now,
) -> str:
    """Keep a set and return its id. Raises SwitchboardError for a bad name or no prompt."""
    set_id, cleaned = new_id(), _checked_name(name)
    _check_prompts(prompts)

    def work(cur: Cursor) -> None:
        cur.execute(
            _SQL["insert_set"],
            id=set_id,
            owner_id=user_id,
            name=cleaned,
            use_case=use_case or None,
            shared=shared,
            now=clock(),
        )
        cur.execute(_SQL["insert_prompts"], id=set_id, **prompt_columns(prompts))

    database.transaction(work)
    return set_id


def change_set(database: Database, changed: PromptSet, *, user_id: str, clock: Clock = utc_now) -> None:
    """Keep another name, use case or sharing. Raises SwitchboardError, NotFound for somebody else's."""
    _own(database, changed.id, user_id)
    kept = replace(changed, name=_checked_name(changed.name))
    database.execute(
        _SQL["update_set"],
        id=kept.id,
        owner_id=user_id,
        name=kept.name,
        use_case=kept.use_case or None,
        shared=kept.shared,
        now=clock(),
    )


def replace_prompts(
    database: Database, *, set_id: str, user_id: str, prompts: Sequence[Prompt], clock: Clock = utc_now
) -> None:
    """Keep other prompts; runs keep those they were begun with. Raises SwitchboardError, NotFound."""
    _own(database, set_id, user_id)
    _check_prompts(prompts)

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["delete_set_prompts"], id=set_id)
        cur.execute(_SQL["insert_prompts"], id=set_id, **prompt_columns(prompts))
        cur.execute(_SQL["touch_set"], id=set_id, now=clock())

    database.transaction(work)


def delete_set(database: Database, *, set_id: str, user_id: str) -> None:
    """Delete a set; its runs stay. Raises NotFound for somebody else's."""
    _own(database, set_id, user_id)

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["delete_set_prompts"], id=set_id)
        cur.execute(_SQL["delete_set"], id=set_id, owner_id=user_id)

    database.transaction(work)


def first_questions(database: Database, *, user_id: str, limit: int) -> list[FirstQuestion]:
    """What this person's own chats began with, the newest first."""
    rows = database.fetch_all(_SQL["first_questions"], user_id=user_id, limit=limit)
    return [FirstQuestion(row["id"], row["title"], row["content"], row["created_at"]) for row in rows]


def prompt_columns(prompts: Sequence[Prompt]) -> dict[str, list[object]]:
    """Prompts as the columns of their rows."""
    return {
        "position": list(range(len(prompts))),
        "category": [prompt.category for prompt in prompts],
        "turns": [json.dumps(list(prompt.turns)) for prompt in prompts],
    }


def _own(database: Database, set_id: str, user_id: str) -> None:
    if load_set(database, set_id=set_id, user_id=user_id).owner_id != user_id:
        raise NotFound("This set belongs to somebody else.", next_step="Make a copy of your own to change it.")


def _checked_name(name: str) -> str:
    cleaned = " ".join(clean_text(name).split())
    if not cleaned:
        raise SwitchboardError("A set needs a name.", next_step="Type at least one character.")
    if len(cleaned) > NAME_LIMIT:
        raise SwitchboardError(f"A set's name has at most {NAME_LIMIT} characters.", next_step="Shorten it.")
    return cleaned


def _check_prompts(prompts: Sequence[Prompt]) -> None:
    if not prompts:
        raise SwitchboardError(
            "A set needs at least one prompt.", next_step="Type one, import a file or tick past chats."
        )
    if len(prompts) > MOST_PROMPTS:
        raise SwitchboardError(f"A set holds at most {MOST_PROMPTS} prompts.", next_step="Make a second set.")
