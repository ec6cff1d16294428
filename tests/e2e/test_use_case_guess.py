"""The browser guesses what a draft is for exactly as the server does: its own function in Chromium, on drawn drafts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from core.chat.use_case_guess import SIGNS, WORDS, guess_use_case
from tests.support.live_server import ROOT
from ui.use_case import guess_table

LOAD = """async (source) => {
  window.code = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}"""
pieces = sorted(
    {*chain(*WORDS.values()), *chain(*SIGNS.values()), "Hello", "the", "ß", "\n", "X", "Übersetze", "É", "İ"}
)
drafts = st.lists(st.sampled_from(pieces), max_size=120).map(" ".join)


@pytest.fixture(name="code", scope="module")
def _code(browser) -> Iterator[Page]:
    """A page that holds the function."""
    with browser.new_context() as context:
        page = context.new_page()
        page.evaluate(LOAD, (ROOT / "ui" / "guess.js").read_text(encoding="utf-8"))
        yield page


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=drafts, names=st.lists(st.sampled_from([*WORDS, "everyday"]), unique=True))
def test_the_browser_guesses_as_the_server_does(code: Page, text: str, names: list[str]) -> None:
    found = code.evaluate("({ text, table }) => code.guess(text, table)", {"text": text, "table": guess_table(names)})

    assert (found or None) == guess_use_case(text, names)
