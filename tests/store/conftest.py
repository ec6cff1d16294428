"""Stores to test on: a DuckDB file, and a PostgreSQL where the engine can matter."""

from __future__ import annotations

import os

import pytest

from core.store.database import Database
from core.store.migrate import migrate
from tests.support.shared_stores import KeptStore

ENGINES = tuple(os.environ.get("STORE_ENGINES", "duckdb").split(","))


@pytest.fixture(name="engine", params=ENGINES)
def _engine(request):
    return request.param


@pytest.fixture(name="kept_store", scope="session")
def _kept_store(postgres):
    """One migrated database on the PostgreSQL, emptied for every test: making one takes twenty times as long."""
    with KeptStore(postgres) as kept:
        yield kept


@pytest.fixture(name="store_url")
def _store_url(engine, tmp_path, request):
    if engine == "duckdb":
        return f"duckdb:{tmp_path / 'store.duckdb'}"
    return request.getfixturevalue("kept_store").emptied().own_url


@pytest.fixture(name="blank")
def _blank(engine, store_url, request):
    url = store_url if engine == "duckdb" else request.getfixturevalue("postgres").create()
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(name="database")
def _database(engine, store_url, request):
    if engine != "duckdb":
        yield request.getfixturevalue("kept_store").database
        return
    database = Database(store_url)
    migrate(database)
    yield database
    database.close()
