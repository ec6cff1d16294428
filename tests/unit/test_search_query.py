"""What is typed into the search, and the snippets that come back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.search_query import SearchQuery, parse_query
from core.chat.snippets import Piece, find_hits, fold, snippet
from core.errors import SwitchboardError


def _day(year, month, day, hour=0):
    return datetime(year, month, day, hour)  # noqa: DTZ001 - naive UTC is the store's own form


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", SearchQuery()),
        ('  "" ', SearchQuery()),
        ("two words two", SearchQuery(terms=("two", "words"))),
        ('"exact   phrase" more', SearchQuery(terms=("exact phrase", "more"))),
        ('"never closed', SearchQuery(terms=("never closed",))),
        ("http://a.b/c 12:30 supermodel:x", SearchQuery(terms=("http://a.b/c", "12:30", "supermodel:x"))),
        ("model:haiku x", SearchQuery(terms=("x",), model="haiku")),
        ('Model:"GPT 5"', SearchQuery(model="GPT 5")),
        ('tag:#work title:"my plan', SearchQuery(tag="work", title="my plan")),
        ("after:2026-11-23", SearchQuery(after=_day(2026, 11, 23))),
        ("before:2026-2 after:2025", SearchQuery(before=_day(2026, 2, 1), after=_day(2025, 1, 1))),
    ],
)
def test_a_query_as_typed(text, query):
    assert parse_query(text, zone=UTC) == query


def test_days_are_those_of_the_viewer():
    assert parse_query("after:2026-07-01", zone=ZoneInfo("Europe/Berlin")).after == _day(2026, 6, 30, 22)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("before:soon", "before: needs a date"),
        ("after:2026-02-30", "after: needs a date"),
        ("after:0001-01-01", "after: needs a date"),
        ("model:", "model: needs something after it"),
        ('tag:""', "tag: needs something after it"),
        ("tag:a tag:b", "tag: can be given once"),
        ("a b c d e f g h i", "at most 8"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_in_a_sentence(text, words):
    with pytest.raises(SwitchboardError, match=words) as refused:
        parse_query(text, zone=ZoneInfo("Asia/Tokyo"))
    assert str(refused.value).endswith(".")


@given(st.text())
def test_anything_typed_is_read_or_refused(text):
    try:
        query = parse_query(text, zone=UTC)
    except SwitchboardError:
        return
    assert all(term == " ".join(term.split()) and term for term in query.terms)


def _marked(pieces):
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("text", "terms", "shown"),
    [
        ("A plan\n\nfor  Zürich", ["zurich", "PLAN"], "A [plan] for [Zürich]"),
        ("no hit here", ["x"], "no hit here"),
        ("ananas", ["ana"], "[ana]nas"),
        ("abc", ["ab", "bc"], "[ab]c"),
        ("Stra\u0301sse", ["strasse"], "[Stra\u0301sse]"),
        ("", ["x"], ""),
    ],
)
def test_every_hit_is_marked(text, terms, shown):
    assert _marked(snippet(text, terms)) == shown


def test_a_long_text_is_cut_around_the_first_hit():
    text = "before " * 100 + "needle " + "after " * 100

    pieces = snippet(text, ["needle"])

    assert pieces[0] == pieces[-1] == Piece("…")
    assert Piece("needle", hit=True) in pieces
    assert 150 < sum(len(piece.text) for piece in pieces) < 200


@given(st.text(max_size=300), st.lists(st.text(max_size=5), max_size=4))
def test_hits_lie_in_order_and_fold_to_what_was_searched_for(text, terms):
    hits = find_hits(text, terms)

    folded = {fold(term) for term in terms}
    assert all(first < last <= len(text) for first, last in hits)
    assert all(before[1] <= after[0] for before, after in pairwise(hits))
    assert all(any(term and term in fold(text[first:last]) for term in folded) for first, last in hits)


@given(st.text(max_size=400), st.text(min_size=1, max_size=4))
def test_a_snippet_is_the_text_on_one_line_and_not_longer_than_asked(text, term):
    pieces = snippet(text, [term], length=80)

    shown = "".join(piece.text for piece in pieces).removeprefix("…").removesuffix("…")
    assert len(shown) <= 80
    assert shown in " ".join(text.split()) or "…" in text
