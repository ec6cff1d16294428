"""The chosen calls as a file: columns as in the ledger, no text of anybody's in it."""

from __future__ import annotations

from collections.abc import Mapping

from core.costs.usage_filter import UsageFilter, Viewer, clause
from core.store.export_file import FileFormat, query_to_file
from core.store.reader import Reader
from core.store.sql import load_queries

# What a spreadsheet opens; Parquet of that many is 60 MB.
MOST_CALLS = 1_000_000


def download_calls(
    ledger: Reader, chosen: UsageFilter, *, viewer: Viewer, file_format: FileFormat, usernames: Mapping[str, str]
) -> bytes:
    """The first million of the chosen calls in the order of time, with what each costs today.

    `usernames` are those of people by id; a call of anybody else has none.
    """
    where = clause(chosen, viewer=viewer)
    sql = load_queries("usage")["calls_to_export"].replace("{where}", where.sql)
    names = {"user_ids": list(usernames), "usernames": list(usernames.values())}
    return query_to_file(ledger, sql, file_format=file_format, limit=MOST_CALLS, **names, **where.parameters)
