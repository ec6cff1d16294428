"""`python -m core`."""

from __future__ import annotations

import os
import sys

from core.cli import main


def run() -> int:
    """The command. That whoever reads its output (`| head`) has enough is no failure to tell about."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


sys.exit(run())
