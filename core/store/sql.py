"""SQL lives in files: `queries/<topic>.sql`, each statement under a line `-- name: load_conversation`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def parse_queries(text: str) -> Mapping[str, str]:
    """Split a query file into {name: statement}.

    Raises ValueError when a name is given twice: the second would silently win.
    """
    parts = _NAME.split(text)[1:]
    names, statements = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"a query name is given twice: {sorted(names)}")
    return {name: statement.strip() for name, statement in zip(names, statements, strict=True)}


@cache
def load_queries(topic: str) -> Mapping[str, str]:
    """The statements of `queries/<topic>.sql`, read once per process."""
    return parse_queries(files("core.store").joinpath("queries", f"{topic}.sql").read_text(encoding="utf-8"))
