"""The environment of the LiteLLM proxy: its packages fight ours, so they lie in the user's cache and not in .venv."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

from tests.support.litellm_proxy import environment, program

_UNFINISHED = ".unfinished"


def make() -> str | None:
    """Make the environment where it is missing, which takes a minute or two; why it could not be had, else None."""
    if program() is not None and not (environment() / _UNFINISHED).exists():
        return None
    folder, wanted = environment(), f"litellm[proxy]=={version('litellm')}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _UNFINISHED).touch()
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]
    for command in ([sys.executable, "-m", "venv", str(folder)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{wanted} cannot be installed into {folder}: {done.stderr.strip()[-400:]}"
    (folder / _UNFINISHED).unlink()
    return None
