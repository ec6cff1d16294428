"""Our own token count: offline, fast on anything, exact where it claims to be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.token_count import estimate_tokens, surely_fits

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("hello", 1), ("hello world", 2), (" ", 1), ("<|endoftext|>", 7), ("\ud83d", 1)]
)
def test_known_counts(text, tokens):
    counted = estimate_tokens(text)

    assert counted == tokens if text != "\ud83d" else counted >= 1


@given(st.text())
def test_any_text_counts_and_a_token_is_at_least_a_byte(text):
    assert (text == "") == (estimate_tokens(text) == 0)
    assert surely_fits([text], tokens=len(text.encode("utf-8", "replace")))
    assert estimate_tokens(text) <= len(text.encode("utf-8", "replace"))


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(0, 200))
def test_what_surely_fits_does_fit(texts, tokens):
    if surely_fits(texts, tokens=tokens):
        assert sum(estimate_tokens(text) for text in texts) <= tokens


@pytest.mark.parametrize("piece", ["a", " ", "\n", "!", "1", "漢", "😀", "the quick brown fox "])
def test_a_megabyte_of_anything_is_counted_in_no_time(piece):
    estimate_tokens("warm")
    text = piece * (1_000_000 // len(piece))

    started_at = time.monotonic()
    counted = estimate_tokens(text)

    assert time.monotonic() - started_at < 1
    assert 1000 < counted <= len(text.encode())


def test_counting_needs_no_network_whatever_cache_the_environment_names(tmp_path):
    program = (
        "import sys\n"
        "sys.addaudithook(lambda event, args: event == 'socket.connect' and sys.exit('network'))\n"
        "from core.costs.token_count import estimate_tokens\n"
        "assert estimate_tokens('hello world') == 2\n"
    )
    environ = os.environ | {"TIKTOKEN_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
