"""Search, filters and order of the model selector: its own functions in Chromium, on models drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from tests.support.live_server import ROOT

LOAD = """async (source) => {
  window.code = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}"""
ARRANGE = """({ rows, favourites, recommended, fast, query, filters }) => {
  const chips = [["free", "free", "price"], ["fast", "fast", "price"], ["use:c", "c", "use case"], ["x", "x", "by"]];
  const providers = ["provider0", "provider1", "provider2"];
  const list = code.readList(JSON.stringify({ version: "", chips, providers, capabilities: {}, models: rows }));
  const known = (places) => places.filter((place) => place < rows.length);
  const facts = { favourites: known(favourites), recommended: { c: known(recommended) }, fast: known(fast) };
  facts.judged = [];
  const arrange = (words, chosen) =>
    code.arrange(list, facts, code.normalise(words), new Set(chosen)).flatMap((group) => group.models);
  return {
    byId: rows.map((row) => arrange(row[0], [])),
    all: arrange("", []),
    again: arrange("", []),
    words: arrange(query, []),
    filters: filters.map((chip) => arrange("", [chip])),
    both: arrange(query, filters),
  };
}"""

names = st.text("abÉßİΣ ./-:1", min_size=1, max_size=8).filter(str.strip)
rows = st.tuples(names, names, st.integers(0, 2), st.sets(st.integers(0, 3))).map(
    lambda row: [row[0], row[1], row[2], "", "", [], sorted(row[3]), f"{row[1]} {row[0]} provider{row[2]}"]
)
places = st.lists(st.integers(0, 11), unique=True, max_size=5)
cases = st.fixed_dictionaries(
    {
        "rows": st.lists(rows, min_size=1, max_size=12),
        "favourites": places,
        "recommended": places,
        "fast": places,
        "query": names,
        "filters": st.sets(st.integers(0, 3)).map(sorted),
    }
)


@pytest.fixture(name="code", scope="module")
def _code(browser) -> Iterator[Page]:
    """A page that holds the functions of the list box."""
    with browser.new_context() as context:
        page = context.new_page()
        page.evaluate(LOAD, (ROOT / "ui" / "model_selector.js").read_text(encoding="utf-8"))
        yield page


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases)
def test_every_model_is_found_by_its_id_and_filters_are_intersections(code: Page, case) -> None:
    found = code.evaluate(ARRANGE, case)

    every = set(range(len(case["rows"])))
    favourites = [place for place in case["favourites"] if place in every]
    assert sorted(found["all"]) == sorted(every)
    assert found["all"] == found["again"]
    assert found["all"][: len(favourites)] == favourites
    assert all(place in found["byId"][place] for place in every)
    assert set(found["both"]) == set(found["words"]).intersection(*map(set, found["filters"]))
