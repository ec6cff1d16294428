"""YAML as plain values with lines, and numbers that stay exact."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.located import LocatedError, parse

# Numbers of YAML 1.2, such as 1e5, which PyYAML writes as text without quotes.
_NUMBER = re.compile(r"[-+]?[\d._]+[eE][-+]?\d+")
_LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
TEXT = st.text(_LETTERS).filter(lambda text: not _NUMBER.match(text))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=12,
)


def refused_at(text):
    try:
        parse(text)
    except LocatedError as error:
        return error.line
    return None


@given(PLAIN)
def test_plain_values_come_back_as_written(value):
    assert parse(yaml.safe_dump(value, allow_unicode=True)).data == value


@given(st.decimals(min_value=0, max_value=1000, places=12))
def test_a_decimal_comes_back_with_every_digit(number):
    assert parse(f"price: {number:f}").data == {"price": number}


@pytest.mark.parametrize("text", ["1e-2", "1E-2", "1.0e-2", "0.01", "+1e-02"])
def test_every_spelling_of_a_number_is_exact(text):
    assert parse(text).data == Decimal("0.01")


def test_a_quoted_number_is_text():
    assert parse("'1e-2'").data == "1e-2"
    assert parse("0E0").data == 0


@pytest.mark.parametrize(("text", "number"), [("0x10", 16), ("1_000", 1000), ("-3", -3), ("0b11", 3)])
def test_whole_numbers(text, number):
    assert parse(text).data == number


@pytest.mark.parametrize("text", ["190:20:30", "09", "0o7x: [1, !!float abc]"])
def test_odd_numbers_never_crash(text):
    assert refused_at(text) in {None, 1}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_line(text):
    line = refused_at(text)

    assert line is None or 1 <= line <= len(text.splitlines()) + 1


def test_every_value_has_its_line():
    found = parse("a: 1\nb:\n  - c: 2\n    d:\n      e: 3\n")

    assert found.nearest(("b", 0, "d")) == (("b", 0, "d"), 4)
    assert found.nearest(("b", 0, "d", "e", "nowhere")) == (("b", 0, "d", "e"), 5)
    assert found.nearest(("nowhere",)) == ((), 1)
