"""The address of a PostgreSQL: what may be shown of it, and what we ask of every connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from core.errors import StoreError

# Of two transactions on one row the later one waits for the first; after this it is given up and run once more.
_LOCK_TIMEOUT_MS = 5000
# A process that was stopped in the middle of a transaction must not hold its locks for ever.
_IDLE_TIMEOUT_MS = 120_000
_SESSION = (
    f"-c lock_timeout={_LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout={_IDLE_TIMEOUT_MS}"
    " -c standard_conforming_strings=on -c timezone=UTC"
)
# A machine that is gone says nothing: without these a statement on an open connection waited for minutes.
# What was sent has to arrive within 10 s; a connection on which nothing is sent is asked after 10 s, and four times.
_GONE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "4",
}
_DEFAULTS = {**_GONE, "application_name": "switchboard"}
_SECRET = re.compile(r"(//[^:/@?]*):[^/?]*@|([?&]password)=[^&]*")


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """`shown` is the URL without its password; `server` and `database` are for sentences."""

    url: str
    shown: str
    server: str
    database: str
    password: str

    def for_connection(self) -> str:
        """The URL with what we ask of every connection; what it says itself stays."""
        base, _, query = self.url.partition("?")
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        options = f"{_SESSION} {pairs.get('options', '')}".strip()
        return f"{base}?{urlencode({**_DEFAULTS, **pairs, 'options': options}, quote_via=quote)}"

    def redacted(self, text: str) -> str:
        """A text of the server or its client without our password."""
        for secret in {self.password, quote(self.password, safe="")} - {""}:
            text = text.replace(secret, "***")
        return _SECRET.sub(r"\1\2=***", text) if "://" in text else text


def read_address(url: str) -> PostgresAddress:
    """Take a `postgresql://` URL apart. Raises StoreError without repeating it."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        raise StoreError(
            "The address of the PostgreSQL server cannot be read.",
            next_step="Set SWITCHBOARD_STORE to postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %-codes for signs "
            "such as @, / and : in the password.",
        ) from error
    query = dict(parse_qsl(parts.query))
    host = parts.hostname or query.get("host", "localhost")
    return PostgresAddress(
        url=url,
        shown=_SECRET.sub(lambda match: f"{match[1]}:***@" if match[1] is not None else f"{match[2]}=***", url),
        server=host if host.startswith("/") else f"{host}:{query.get('port', port)}",
        database=unquote(parts.path.lstrip("/")) or query.get("dbname", ""),
        password=unquote(parts.password or query.get("password", "")),
    )
