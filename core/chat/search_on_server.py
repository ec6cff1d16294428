"""The search where the texts lie on a PostgreSQL: what the server cannot fold is folded here and sent as values.

What narrows a search is asked for first, by an index: where a model, a tag or a title leaves few conversations, only
their texts are read; else those of the person from the newest on, until there are enough hits.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.chat.search_query import MOST_TERMS
from core.store.database import Cursor, Row
from core.store.sql import load_queries

_SQL = load_queries("search")
TERMS = tuple(f"term_{number}" for number in range(1, MOST_TERMS + 1))
# Reading texts by their conversation costs more for each than reading all by time, which can end early.
_FEW = 1 / 4


def places_of_hits(cur: Cursor, values: Mapping[str, object]) -> list[Row]:
    """The rows of `find_messages`, from the server. `values` are that statement's."""
    asked = {**values, **_folded(cur, values)}
    left = _few_left(cur, asked)
    if left == []:
        return []
    return cur.fetch_all(_SQL["find_messages_on_server"], **asked, few=left is not None, places=left or [])


def answered_by(cur: Cursor, *, user_id: object, model: object) -> list[str]:
    """The ids of the conversations in which models whose name holds `model` have answered this person."""
    rows = cur.fetch_all(_SQL["answered_by"], user_id=user_id, labels=_labels(cur, model))
    return [row["id"] for row in rows]


def _few_left(cur: Cursor, asked: Mapping[str, object]) -> list[str] | None:
    """The ids of the conversations that a model, a tag and a title leave; None where they leave more than a few."""
    if not (asked["model"] or asked["tag"] or asked["title"]):
        return None
    names = ("user_id", "tag", "title", "titled", "model", "labels")
    rows = cur.fetch_all(_SQL["places_left"], **_only(asked, *names))
    few = not rows or len(rows) <= rows[0]["of_all"] * _FEW
    return [row["id"] for row in rows] if few else None


def _folded(cur: Cursor, values: Mapping[str, object]) -> dict[str, object]:
    """What a server cannot fold, and the tag in lower case."""
    [found] = cur.fetch_all(_SQL["folded_terms"], **_only(values, *TERMS, "tag"))
    titled: list[str] = []
    if values["title"]:
        titled = [row["id"] for row in cur.fetch_all(_SQL["folded_titles"], **_only(values, "user_id", "title"))]
    return {**found, "titled": titled, "labels": _labels(cur, values["model"]) if values["model"] else []}


def _labels(cur: Cursor, model: object) -> list[str]:
    named = [row["label"] for row in cur.fetch_all(_SQL["model_labels"])]
    return [row["label"] for row in cur.fetch_all(_SQL["folded_labels"], labels=named, model=model)]


def _only(values: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: values[name] for name in names}
