"""What a message is guessed to be for: clear cases are named, unclear ones are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.use_case_guess import LOOKED_AT_CHARACTERS, WORDS, guess_use_case

KNOWN = ("everyday", "coding", "writing", "analysis", "images")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write a Python function that reverses a list", "coding"),
        ("```\nx = 1\n```\nWhy?", "coding"),
        ("Traceback (most recent call last): KeyError", "coding"),
        ("Please proofread this email to my landlord", "writing"),
        ("Translate this paragraph into French", "writing"),
        ("Compare our quarterly revenue with the forecast", "analysis"),
        ("What are the pros and cons of a four-day week?", "analysis"),
        ("What is written in this image?", "images"),
        ("Hello", None),
        ("What is the capital of France?", None),
        ("Write about data", None),
        ("", None),
        ("Schreibe mir bitte etwas", None),
        ("Schreibe eine Python-Funktion, die eine Liste umdreht, mit einer Schleife", "coding"),
        ("Übersetze diesen Absatz bitte ins Englische", "writing"),
        ("Vergleiche unseren Umsatz im letzten Quartal mit der Prognose", "analysis"),
        ("Was steht auf diesem Bild?", "images"),
        ("Rédige une lettre de motivation", "writing"),
        ("Pourquoi cette fonction Python renvoie-t-elle une erreur ?", "coding"),
        ("Analiza las tendencias de estos datos", "analysis"),
        ("Escribe una carta a mi casero", "writing"),
        ("Wie heißt die Hauptstadt von Frankreich?", None),
        ("¿Cuál es la capital de Francia?", None),
        ("Scrivi una lettera al mio padrone di casa", None),
        ("写一封信", None),
    ],
)
def test_clear_cases_are_named_and_others_are_not(text: str, expected: str | None):
    assert guess_use_case(text, KNOWN) == expected


def test_only_what_the_registry_names_is_guessed():
    assert guess_use_case("Fix the bug in this Python function", ("writing", "everyday")) is None


@given(st.text(max_size=2000), st.sets(st.sampled_from(KNOWN)))
def test_a_guess_is_known_and_the_rest_of_a_long_message_changes_nothing(text: str, known: set[str]):
    found = guess_use_case(text, known)

    assert found is None or (found in known and found in WORDS)
    assert guess_use_case(text[:LOOKED_AT_CHARACTERS], known) == found
