"""Every shipped statement that goes to a PostgreSQL as text is one there, and brings no amount of money as a float."""

from __future__ import annotations

import re
from pathlib import Path

from core.store.server_sql import runs_on_server, with_values
from core.store.sql import load_queries
from core.store.views import make_notes

QUERIES = Path(__file__).parents[2] / "core/store/queries"
SHIPPED = {
    f"{file.stem}.{name}": sql
    for file in sorted(QUERIES.glob("*.sql"))
    for name, sql in load_queries(file.stem).items()
}
ON_SERVER = {name: sql for name, sql in SHIPPED.items() if runs_on_server(sql)}


class _Nulls(dict[str, None]):
    """A value for every name."""

    def __missing__(self, name):
        return None


def _asked(sql):
    return with_values(re.sub(r"unnest\((\$\w+)\)", r"unnest(\1::text[])", sql), _Nulls())


def test_postgresql_takes_every_statement_that_is_sent_to_it(database):
    make_notes(database)
    problems = {}
    for name, sql in ON_SERVER.items():
        try:
            with database.cursor() as cur:
                cur.on_server(f"explain {_asked(sql)}")
        except Exception as error:
            problems[name] = str(error)

    assert len(ON_SERVER) > 200
    assert problems == {}


def test_no_amount_becomes_a_float_on_the_way(database):
    floats = set()
    for name, sql in ON_SERVER.items():
        if sql.lstrip().startswith(("select", "with")):
            with database.cursor() as cur:
                cur.raw.execute("select * from postgres_query('store', $text)", {"text": _asked(sql)})
                floats |= {f"{name}.{column[0]}" for column in cur.raw.description if str(column[1]) == "DOUBLE"}

    assert {name for name in floats if not name.endswith("_ms")} == set()
