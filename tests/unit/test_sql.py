"""Query files: named statements, each name once."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from core.store.sql import load_queries, parse_queries
from tests.support.architecture import ROOT

TOPICS = sorted(entry.name.removesuffix(".sql") for entry in files("core.store").joinpath("queries").iterdir())

CODE = "\n".join(path.read_text(encoding="utf-8") for part in ("core", "api") for path in (ROOT / part).rglob("*.py"))
WORDS = frozenset(re.findall(r"\w+", CODE))


def test_statements_are_found_by_name():
    text = "-- a remark\n-- name: one\nselect 1;\n\n-- name: two\n-- why\nselect 2\n"

    assert parse_queries(text) == {"one": "select 1;", "two": "-- why\nselect 2"}


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="given twice"):
        parse_queries("-- name: one\nselect 1\n-- name: one\nselect 2\n")


def test_no_names_no_statements():
    assert parse_queries("select 1") == {}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_sum_of_money_may_be_larger_than_one_amount(topic):
    # An average is no larger than an amount, and neither is what corrections add to one call.
    lines = [line for text in load_queries(topic).values() for line in text.splitlines() if "sum(" in line]
    cut = [line for line in lines if "decimal(18" in line and not re.search(r"/ nullif\(count|sum\(delta_usd\)", line)]

    assert cut == []


@pytest.mark.parametrize("topic", TOPICS)
def test_every_shipped_statement_has_text(topic):
    queries = load_queries(topic)

    assert queries
    assert all(queries.values())


@pytest.mark.parametrize("topic", TOPICS)
def test_no_statement_is_left_that_nobody_asks_for(topic):
    assert [name for name in load_queries(topic) if not _is_named(name)] == []


def _is_named(name: str) -> bool:
    """Whether the code has this name, or makes it: `f"delete_{what}"`."""
    made = [f'f"{name[: place.end()]}{{' for place in re.finditer("_", name)]
    return name in WORDS or any(text in CODE for text in made)
