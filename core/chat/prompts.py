"""The prompt library: texts to begin a message with, one's own or shared with the team, with variables to fill in.

A variable is a name between double braces, `{{topic}}`. Filling in goes over the text once: what somebody fills in is
not searched for variables again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

NAME_LIMIT = 80
BODY_LIMIT = 20_000

_SQL = load_queries("prompts")
_VARIABLE = re.compile(r"\{\{[ \t]*([^{}\s][^{}\n]{0,59}?)[ \t]*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt. `own`: made by the person it was listed for; only they may change it.

    `owner_name` is None for somebody who is gone.
    """

    id: str
    name: str
    body: str
    shared: bool
    own: bool
    owner_name: str | None


def list_prompts(database: Database, *, user_id: str) -> list[Prompt]:
    """One's own prompts and those others share, one's own first, by name."""
    return [_to_prompt(row, user_id) for row in database.fetch_all(_SQL["list_prompts"], user_id=user_id)]


def save_prompt(
    database: Database, *, owner_id: str, name: str, body: str, shared: bool = False, clock: Clock = utc_now
) -> str:
    """Make a prompt, or replace one's own of that name in any case; returns its id.

    Raises SwitchboardError for an empty or overlong name or text.
    """
    cleaned = _check(" ".join(clean_text(name).split()), limit=NAME_LIMIT, what="name")
    text = _check(clean_text(body).strip(), limit=BODY_LIMIT, what="text")

    def work(cur: Cursor) -> str:
        found = cur.fetch_one(_SQL["find_prompt_by_name"], owner_id=owner_id, name=cleaned)
        prompt_id = str(found["id"]) if found else new_id()
        statement = _SQL["replace_prompt" if found else "insert_prompt"]
        cur.execute(statement, id=prompt_id, owner_id=owner_id, name=cleaned, body=text, shared=shared, now=clock())
        return prompt_id

    return database.transaction(work)


def share_prompt(database: Database, *, owner_id: str, prompt_id: str, shared: bool, clock: Clock = utc_now) -> None:
    """Show a prompt to the team, or to its owner only. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        _check_own(cur, owner_id, prompt_id)
        cur.execute(_SQL["share_prompt"], id=prompt_id, owner_id=owner_id, shared=shared, now=clock())

    database.transaction(work)


def delete_prompt(database: Database, *, owner_id: str, prompt_id: str) -> None:
    """Delete a prompt. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        _check_own(cur, owner_id, prompt_id)
        cur.execute(_SQL["delete_prompt"], id=prompt_id, owner_id=owner_id)

    database.transaction(work)


def variables(body: str) -> tuple[str, ...]:
    """The names to fill in, each once, in the order of the text."""
    return tuple(dict.fromkeys(_VARIABLE.findall(body)))


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in; one without a value stays as it is."""
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[0], body)


def _check_own(cur: Cursor, owner_id: str, prompt_id: str) -> None:
    if cur.fetch_one(_SQL["load_own_prompt"], id=prompt_id, owner_id=owner_id) is None:
        raise NotFound("This prompt was not found.", next_step="Reload the page and choose another one.")


def _check(text: str, *, limit: int, what: str) -> str:
    if not text:
        raise SwitchboardError(f"A prompt needs a {what}.", next_step="Type at least one character.")
    if len(text) > limit:
        raise SwitchboardError(f"A prompt's {what} has at most {limit:,} characters.", next_step="Shorten it.")
    return text


def _to_prompt(row: Row, user_id: str) -> Prompt:
    return Prompt(
        id=row["id"],
        name=row["name"],
        body=row["body"],
        shared=row["shared"],
        own=row["owner_id"] == user_id,
        owner_name=row["owner_name"],
    )
