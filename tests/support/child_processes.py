"""The children that a test itself brought about; its worker may have servers of other tests running beside them."""

from __future__ import annotations

from collections.abc import Callable

import psutil


def later_children() -> Callable[[], list[psutil.Process]]:
    """What tells the children that this process has then and did not have when this was called."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before]
