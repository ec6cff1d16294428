"""What a message is about, guessed from its words: no model, no network, some tens of microseconds. Pure.

English, German, French and Spanish, without their accents; in other languages a guess is made from code or from words
that they share with these, or not at all. The table below is all there is to it, and the page applies the same one to a
draft in the browser (ui/guess.js).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

# Whoever writes a long message says early what it is for; the rest would only cost time.
LOOKED_AT_CHARACTERS = 400
# What it takes: two plain words or one clear sign, and more than for any other use case.
ENOUGH_POINTS = 2
LEAST_LEAD = 1

_CODING = (
    "python javascript typescript java rust golang sql regex bash docker kubernetes git api json yaml html css bug "
    "function class method variable compile compiler refactor debug exception stacktrace traceback endpoint script "
    "unittest pytest code dataframe pandas async "
    "funktion klasse schleife fehlermeldung quelltext skript datenbank datenbankabfrage programmiere programmcode "
    "fonction boucle requete erreur programme compilateur "
    "funcion clase bucle consulta codigo programa depura"
)
_WRITING = (
    "write rewrite rephrase proofread draft email letter essay article blog post newsletter headline tone paragraph "
    "translate translation grammar wording polite speech announcement story poem linkedin press "
    "schreibe schreib formuliere verfasse anschreiben bewerbung ubersetze ubersetzung korrigiere rechtschreibung "
    "grammatik absatz einladung betreff hoflich gedicht geschichte zeitungsartikel rundschreiben entwurf "
    "ecris redige reformule lettre courriel traduis traduction corrige orthographe grammaire paragraphe discours poeme "
    "escribe redacta reescribe carta correo traduce traduccion ortografia gramatica parrafo discurso poema cuento"
)
_ANALYSIS = (
    "analyse analyze analysis compare comparison evaluate assess trend trends data dataset statistics forecast "
    "correlation hypothesis report figures quarterly revenue risks tradeoffs pros cons strategy root cause summarise "
    "summarize "
    "analysiere auswertung werte vergleiche bewerte umsatz quartal prognose kennzahlen ursache trends vorteile "
    "nachteile zusammenfassen bericht statistik "
    "analyser compare evalue tendance tendances donnees chiffres prevision avantages inconvenients trimestre rapport "
    "analiza compara evalua tendencia tendencias datos cifras pronostico ventajas desventajas trimestre informe"
)
_IMAGES = (
    "image picture photo screenshot photograph diagram chart drawing bild foto bildschirmfoto zeichnung diagramm "
    "capture dessin graphique imagen captura dibujo grafico"
)
WORDS: Mapping[str, frozenset[str]] = {
    "coding": frozenset(_CODING.split()),
    "writing": frozenset(_WRITING.split()),
    "analysis": frozenset(_ANALYSIS.split()),
    "images": frozenset(_IMAGES.split()),
}
# Pieces of text, in lower case and without accents, that say as much as two words.
SIGNS: Mapping[str, tuple[str, ...]] = {
    "coding": ("```", "traceback (most recent", "def ", "();", "=> {", "#include", "select * from", "stack trace"),
    "writing": (
        *("write an email", "write a letter", "dear ", "cover letter", "make it sound"),
        *(
            "eine mail",
            "eine e-mail",
            "einen brief",
            "sehr geehrte",
            "un mail ",
            "une lettre",
            "una carta",
            "un correo",
        ),
    ),
    "analysis": (
        *("pros and cons", "root cause", "what does the data", "compared to last"),
        *("vor- und nachteile", "fasse zusammen", "avantages et inconvenients", "ventajas y desventajas"),
    ),
    "images": (
        *("in this image", "in the image", "in this picture", "this photo", "this screenshot"),
        *("auf diesem bild", "auf dem bild", "dieses foto", "cette image", "cette photo", "esta imagen", "esta foto"),
    ),
}
SIGN_POINTS = 2
_WORD = re.compile(r"[a-z]+")


def guess_use_case(text: str, known: Collection[str]) -> str | None:
    """The use case among `known` that the first 400 characters of a message speak for; None when unsure."""
    looked_at = _folded(text[:LOOKED_AT_CHARACTERS])
    words = set(_WORD.findall(looked_at))
    points = sorted(((_points(name, looked_at, words), name) for name in WORDS if name in known), reverse=True)
    if not points or points[0][0] < ENOUGH_POINTS:
        return None
    second = points[1][0] if len(points) > 1 else 0
    return points[0][1] if points[0][0] - second >= LEAST_LEAD else None


def _folded(text: str) -> str:
    """In lower case and without accents; also after it, as some letters get one only in lower case."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(part for part in parts if not unicodedata.category(part).startswith("M"))


def _points(use_case: str, text: str, words: set[str]) -> int:
    signs = sum(sign in text for sign in SIGNS[use_case])
    return len(words & WORDS[use_case]) + SIGN_POINTS * signs
