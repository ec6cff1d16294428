"""Query files: named statements, each name once."""

from __future__ import annotations

from importlib.resources import files

import pytest

from core.store.sql import load_queries, parse_queries

TOPICS = sorted(entry.name.removesuffix(".sql") for entry in files("core.store").joinpath("queries").iterdir())


def test_statements_are_found_by_name():
    text = "-- a remark\n-- name: one\nselect 1;\n\n-- name: two\n-- why\nselect 2\n"

    assert parse_queries(text) == {"one": "select 1;", "two": "-- why\nselect 2"}


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="given twice"):
        parse_queries("-- name: one\nselect 1\n-- name: one\nselect 2\n")


def test_no_names_no_statements():
    assert parse_queries("select 1") == {}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_shipped_statement_has_text(topic):
    queries = load_queries(topic)

    assert queries
    assert all(queries.values())
