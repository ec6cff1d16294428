"""What a PostgreSQL server and its client say, in our words. The only place that reads their texts."""

from __future__ import annotations

import re

import duckdb

from core.errors import StoreError
from core.store.postgres_url import PostgresAddress
from core.store.tuning import TRANSACTION_TRIES

# The extension raises everything as a plain duckdb.Error, so the server's words are all there is.
_CONFLICTS = ("could not serialize access", "deadlock detected")
_WAITED_IN_VAIN = "canceling statement due to lock timeout"
# Of two transactions that insert one key at the same time the second one finds the row when it is run again, and
# decides by it. Should it fail like this once more, the key was there all along.
_SAME_KEY = "duplicate key value violates unique constraint"
_BUSY = ("The store is busy with another change of the same thing.", "Try again in a moment.")
# What is looked for in the server's words, in this order, and our sentences: what happened and the next step.
_SENTENCES: tuple[tuple[str, tuple[str, str]], ...] = (
    (_WAITED_IN_VAIN, _BUSY),
    (
        r"authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist",
        (
            "The PostgreSQL server {server} refused the user name or the password.",
            "Correct both in SWITCHBOARD_STORE: postgresql://USER:PASSWORD@HOST/DATABASE.",
        ),
    ),
    (
        r"database .* does not exist",
        (
            "There is no database {database} on the PostgreSQL server {server}.",
            "Create it there with createdb, or correct the name in SWITCHBOARD_STORE.",
        ),
    ),
    (
        r"too many clients|remaining connection slots|too many connections",
        (
            "The PostgreSQL server {server} has no connection left.",
            "Try again in a moment; an administrator can raise max_connections there.",
        ),
    ),
    (
        r"read-only transaction|read-only mode",
        (
            "The PostgreSQL server {server} takes no changes: it is a standby, or set to read-only.",
            "Point SWITCHBOARD_STORE at the primary server.",
        ),
    ),
    (
        r"permission denied",
        (
            "The PostgreSQL server {server} does not let this user work in the database {database}.",
            "Make the user its owner, or grant it all rights on the schema.",
        ),
    ),
    (
        (
            r"connection refused|could not connect|connection to server|could not translate host name|timeout expired"
            r"|server closed the connection|terminating connection|connection timed out|the database system is"
            r"|no connection to the server|could not (receive|send) data|connection not open|ssl syscall error"
        ),
        (
            "The PostgreSQL server {server} does not answer.",
            "Try again in a moment. If it stays so, an administrator should look at the server and SWITCHBOARD_STORE.",
        ),
    ),
)


def worthwhile_tries(error: duckdb.Error) -> int:
    """How often a transaction that failed like this is run in all; 1 when no other one was in its way."""
    text = str(error).lower()
    if any(words in text for words in _CONFLICTS):
        return TRANSACTION_TRIES
    return 2 if _SAME_KEY in text or _WAITED_IN_VAIN in text else 1


def explain(error: duckdb.Error, address: PostgresAddress) -> StoreError | duckdb.Error:
    """What to raise for an error: a sentence where it is about reaching the server, else the same in fewer words.

    The extension repeats the whole statement in its errors. There may be anything in it that people wrote, which has no
    place in a log.
    """
    words = address.redacted(_servers_words(str(error)))
    found = _sentence(words.lower(), address)
    return type(error)(words) if found is None else StoreError(found[0], next_step=found[1], detail=words)


def cannot_open(error: duckdb.Error, address: PostgresAddress) -> StoreError:
    """What to raise when the database cannot be attached."""
    explained = explain(error, address)
    if isinstance(explained, StoreError):
        return explained
    return StoreError(
        f"The PostgreSQL server {address.server} could not be used ({str(explained).splitlines()[0]}).",
        next_step="Check SWITCHBOARD_STORE.",
        detail=str(explained),
    )


def _servers_words(text: str) -> str:
    """`Failed to ... "<statement>": ERROR: <what the server says>`, and lines that repeat a part or a value of it."""
    if not text.lstrip().startswith(("Failed to", "Binder Error: Failed to")):
        return text
    return text[text.rfind('": ') + 3 :].strip().partition("\n")[0] if '": ' in text else text.partition("\n")[0]


def _sentence(text: str, address: PostgresAddress) -> tuple[str, str] | None:
    database = address.database or "(named like its user)"
    for pattern, (happened, next_step) in _SENTENCES:
        if re.search(pattern, text):
            return happened.format(server=address.server, database=database), next_step
    return None
