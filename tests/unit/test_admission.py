"""What is refused before it costs anything, and what typed text becomes."""

from __future__ import annotations

import unicodedata

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.admission import MESSAGE_LIMIT_CHARACTERS, check_model, check_text, check_window
from core.chat.plain_text import clean_text, with_visible_controls
from core.errors import TurnRefused
from core.providers.gateway import ChatMessage
from tests.support.turns import model

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("plain", "plain"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("\x00\x1b\x1f\x7f", "␀␛␟␡"),
        ("\ud83d \udc00", "\ufffd \ufffd"),
        ("😀 e\u0301 \u200d \ufeff", "😀 e\u0301 \u200d \ufeff"),
    ],
)
def test_text_is_kept_as_typed_with_what_cannot_be_stored_made_visible(typed, stored):
    assert clean_text(typed) == stored


@given(ANY_TEXT)
def test_clean_text_is_stable_free_of_controls_and_can_be_encoded(text):
    cleaned = clean_text(text)

    assert clean_text(cleaned) == cleaned
    assert not any(
        unicodedata.category(character) == "Cc" and ord(character) < 0x80 for character in set(cleaned) - set("\t\n")
    )
    assert cleaned.encode().decode() == cleaned
    assert len(cleaned) == len(text) - text.count("\r\n")


@given(ANY_TEXT, st.integers(0, 200))
def test_a_stream_may_be_cut_anywhere_before_it_is_cleaned(text, at):
    assert with_visible_controls(text[:at]) + with_visible_controls(text[at:]) == with_visible_controls(text)


def test_the_store_gives_any_clean_text_back_unchanged():
    with duckdb.connect() as connection:

        @given(ANY_TEXT)
        def check(text):
            cleaned = clean_text(text)
            assert connection.execute("select $text::text", {"text": cleaned}).fetchone() == (cleaned,)

        check()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), (" \n\t\r", "empty"), ("x" * (MESSAGE_LIMIT_CHARACTERS + 1), "too_long")],
    ids=["nothing", "white space", "too long"],
)
def test_an_empty_or_endless_message_is_refused_with_what_to_do(text, code):
    with pytest.raises(TurnRefused) as refused:
        check_text(text)

    assert refused.value.code == code
    assert refused.value.next_step


@pytest.mark.parametrize("text", ["x", "x" * MESSAGE_LIMIT_CHARACTERS], ids=["shortest", "longest"])
def test_a_message_up_to_the_limit_is_taken(text):
    assert check_text(f"\n{text}  ") == text


@pytest.mark.parametrize(("model_id", "says"), [("gpt-9", "gpt-9 is no longer offered"), ("", "No model is chosen")])
def test_a_model_that_is_not_offered_is_refused_by_name(model_id, says):
    with pytest.raises(TurnRefused, match=says) as refused:
        check_model(model_id, {}.get)

    assert refused.value.code == "unknown_model"
    assert "kept in the box" in refused.value.next_step


def words(count):
    return "word " * count


@pytest.mark.parametrize(
    ("texts", "limits", "fits"),
    [
        ([words(1_000_000)], {}, True),
        ([words(500)], {"context_tokens": 1000}, True),
        ([words(740)], {"context_tokens": 1000}, True),
        ([words(760)], {"context_tokens": 1000}, False),
        ([words(980)], {"context_tokens": 1000, "max_output_tokens": 10}, True),
        ([words(400), words(400)], {"context_tokens": 1000}, False),
        (["x" * 700], {"context_tokens": 1000}, True),
        (["three short words"], {"context_tokens": 2}, False),
        (["a"], {"context_tokens": 2}, True),
        (["漢" * 1_000_000], {"context_tokens": 100_000}, False),
    ],
    ids=[
        "window unknown",
        "half full",
        "room for the answer left",
        "no room for the answer",
        "a short answer needs less room",
        "history counts",
        "surely fits",
        "a tiny window and three words",
        "a tiny window and a letter",
        "a megabyte",
    ],
)
def test_history_and_message_must_fit_the_window_with_room_for_an_answer(texts, limits, fits):
    spec = model(label="Tiny", **limits)
    messages = [ChatMessage("user", text) for text in texts]

    if fits:
        check_window(messages, model=spec)
        return
    with pytest.raises(TurnRefused, match=f"Tiny takes {spec.context_tokens:,}") as refused:
        check_window(messages, model=spec)
    assert refused.value.code == "window"
    assert "larger window" in refused.value.next_step
