"""What the manual says can be typed."""

from __future__ import annotations

import re
import shlex

import pytest

from core import cli
from core.settings import PREFIX, Settings
from tests.support.architecture import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
COMMANDS = sorted({found.strip() for text in TEXTS.values() for found in re.findall(r"-m core ([^`#\n;|]+)", text)})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_manual_is_one(command):
    assert callable(cli._parser().parse_args(shlex.split(command)).run)


def test_commands_were_found():
    assert {"doctor", "backup", "store copy FROM TO"} <= set(COMMANDS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_setting_of_the_manual_is_one(name):
    named = {found.lower() for found in re.findall(rf"\b{PREFIX}([A-Z_]+)\b", TEXTS[name])}

    assert named <= Settings.model_fields.keys()
