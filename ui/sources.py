"""The scripts and styles that lie beside the modules here."""

from __future__ import annotations

from pathlib import Path


def source(name: str) -> str:
    """The text of a file of this folder, such as `gauge.js`."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
