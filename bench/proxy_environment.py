"""`python -m bench.proxy_environment`: makes the environment of the LiteLLM proxy, for the bench of the API and a test.

Its packages fight ours, so they lie in the user's cache and not in .venv.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.support.litellm_proxy import environment, making, program, unfinished

# The tests that wait for it wait a little longer.
_WITHIN_S = 240.0


def main() -> int:
    """Make it; that it cannot be had is said and no failure, because whoever needs it goes without."""
    if program() is None:
        print(f"Installing the LiteLLM proxy into {environment()}", flush=True)
    missing = make()
    if missing is not None:
        print(f"No LiteLLM proxy: {missing}. The tests with one will be skipped.", flush=True)
    return 0


def make() -> str | None:
    """Make the environment where it is missing, which takes a minute; why it could not be had, else None."""
    with making():
        if program() is not None:
            return None
        _remove_others()
        problem = _installed(f"litellm[proxy]=={version('litellm')}", environment())
        if problem is not None:
            shutil.rmtree(environment(), ignore_errors=True)
        return problem


def _remove_others() -> None:
    """Those of other versions, and one that was broken off: each takes most of a gigabyte."""
    for folder in environment().parent.glob("litellm-proxy-*/"):
        shutil.rmtree(folder, ignore_errors=True)


def _installed(wanted: str, folder: Path) -> str | None:
    folder.mkdir(parents=True)
    unfinished().touch()
    python = str(folder / "bin" / "python")
    for command in ([sys.executable, "-m", "venv", str(folder)], _install(python, wanted)):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
        except subprocess.TimeoutExpired:
            return f"{wanted} was not installed within {_WITHIN_S:.0f} s"
        if done.returncode:
            return f"{wanted} cannot be installed: {done.stderr.strip()[-400:]}"
    unfinished().unlink()
    return None


def _install(python: str, wanted: str) -> Sequence[str]:
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--python", python, wanted]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]


if __name__ == "__main__":
    sys.exit(main())
