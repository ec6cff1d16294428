"""What both kinds of engine share: how a connection is set up, and how often a conflict is worth another try."""

from __future__ import annotations

import duckdb

# Of a transaction that another one was in the way of.
TRANSACTION_TRIES = 8


def warm(connection: duckdb.DuckDBPyConnection) -> None:
    """Set the connection up for many small statements, and import what the first one would import."""
    # A chat is many small statements: handing each to worker threads costs 1 ms a statement on two busy cores, 0.4 ms
    # without (measured; a turn begins with eight of them, before the provider is called).
    connection.execute("set threads = 1")
    # The first statement with parameters makes DuckDB's client import pandas and numpy (0.3-2 s, measured): better
    # at the start than under the first person's first message.
    connection.execute("select $one", {"one": 1}).fetchall()
