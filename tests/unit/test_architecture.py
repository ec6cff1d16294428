"""The directions of the code base: app, server -> pages -> ui -> core; inside core, chat at the top and store below."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.architecture import ROOT, breaches, our_files

FILES = our_files()
LONGEST = {"pages": 120, "app.py": 60}
LONGEST_MODULE = 300


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_keeps_the_directions(path):
    assert breaches(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_file_is_too_long(path):
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST.get(path.parts[0], LONGEST_MODULE)


def test_no_pattern_repeats_a_group_possessively():
    """Before Python 3.11.5, the one of Debian 12 among them, such a pattern finds nothing where it should."""
    texts = {str(path): (ROOT / path).read_text(encoding="utf-8") for path in FILES}

    assert [name for name, text in texts.items() if re.search(r"\)[+*?]\+", text)] == []


def test_every_file_is_looked_at():
    assert {"app.py", "server.py", "core/bootstrap.py", "ui/process.py", "core/store/database.py"} <= set(
        map(str, FILES)
    )
    assert any(path.parts[0] == "pages" for path in FILES)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/chat/turns.py", "import streamlit as st"),
        ("core/chat/turns.py", "from streamlit import runtime"),
        ("core/chat/turns.py", "def f():\n    import streamlit"),
        ("core/chat/turns.py", "import importlib\nimportlib.import_module('litellm')"),
        ("core/chat/turns.py", "import duckdb"),
        ("core/chat/turns.py", "from ui import state"),
        ("core/chat/turns.py", "from core.bootstrap import Services"),
        ("core/chat/turns.py", "from core import bootstrap"),
        ("core/chat/turns.py", "from . import store"),
        ("core/costs/ledger.py", "from core.chat.turns import TurnEngine"),
        ("core/costs/ledger.py", "from core.catalog.registry import Registry"),
        ("core/store/database.py", "from core.costs.ledger import record"),
        ("core/catalog/models.py", "from core.store.database import Database"),
        ("core/costs/pricing.py", "from core.settings import Settings"),
        ("core/providers/litellm_gateway.py", "import litellm"),
        ("core/providers/litellm_stream.py", "def f():\n    import litellm"),
        ("ui/shell.py", "from pages import chat_page"),
        ("ui/shell.py", "import streamlit_authenticator"),
        ("ui/shell.py", "import server"),
        ("pages/chat_page.py", "from pages import settings_page"),
        ("pages/chat_page.py", "import app"),
        ("ui/shell.py", "database = Database('duckdb:x')"),
        ("core/cli.py", "TurnEngine(database=None)"),
    ],
)
def test_a_breach_is_caught(path, text):
    assert len(breaches(Path(path), text)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/chat/turns.py", "from core.costs.ledger import record\nfrom core.store.database import Database"),
        ("core/costs/ledger.py", "from core.catalog.models import ModelSpec\nfrom core.providers.events import Usage"),
        ("core/providers/litellm_gateway.py", "def f():\n    import litellm"),
        ("core/foundation.py", "from core.store.database import Database\nDatabase('duckdb:x')"),
        ("pages/chat_page.py", "import streamlit\nfrom ui import chat\nfrom core.errors import NotFound"),
        ("app.py", "from ui.auth import current_user"),
    ],
)
def test_what_is_allowed_is_not_caught(path, text):
    assert breaches(Path(path), text) == []
