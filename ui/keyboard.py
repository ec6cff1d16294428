"""The keys of the whole application: those of our own script, and a sheet that names all there are.

The sheet is drawn by the browser alone: opening it starts no run, so it disturbs no answer that is being written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from ui.sources import source

# What a key does, and the keys, joined by "+". "Mod" is the command key on a Mac and Ctrl elsewhere.
SHORTCUTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "Message box": (
        ("Send", "Enter"),
        ("New line", "Shift+Enter"),
        ("Choose a prompt", "/"),
        ("Go to the message box", "Shift+Esc"),
    ),
    "Chat": (
        ("Stop the answer", "Esc"),
        ("Choose a model", "Ctrl+M"),
        ("Previous version of a message or answer", "Mod+Shift+←"),
        ("Next version of a message or answer", "Mod+Shift+→"),
    ),
    "Everywhere": (
        ("New chat", "Mod+Shift+O"),
        ("Search all conversations", "Mod+K"),
        ("Show these shortcuts, also while typing", "Mod+/"),
        ("Show these shortcuts", "?"),
        ("Close what is open", "Esc"),
    ),
}

_HTML = """
<button type="button" class="open" title="Keyboard shortcuts" aria-label="Keyboard shortcuts" aria-haspopup="dialog"
  aria-keyshortcuts="Control+/"><span class="icon" aria-hidden="true">keyboard</span></button>
<dialog aria-labelledby="title">
  <div class="top">
    <h2 id="title">Keyboard shortcuts</h2>
    <button type="button" class="close" title="Close" aria-label="Close">
      <span class="icon" aria-hidden="true">close</span>
    </button>
  </div>
  <div class="groups"></div>
</dialog>
"""


_draw = st.components.v2.component("keyboard", html=_HTML, css=source("keyboard.css"), js=source("keyboard.js"))


def draw_keyboard() -> None:
    """Bring the keys and the way to their sheet, on every page."""
    groups = [{"title": title, "keys": [list(row) for row in rows]} for title, rows in SHORTCUTS.items()]
    _draw(key="keyboard", data=groups, width="content", height="content")
