"""Stores to test on. The engine is a parameter, so that another one can be added in one place."""

from __future__ import annotations

import pytest

from core.store.database import Database
from core.store.migrate import migrate

ENGINES = ("duckdb",)


@pytest.fixture(name="engine", params=ENGINES)
def _engine(request):
    return request.param


@pytest.fixture(name="store_url")
def _store_url(engine, tmp_path):
    return f"{engine}:{tmp_path / 'store.duckdb'}"


@pytest.fixture(name="blank")
def _blank(store_url):
    database = Database(store_url)
    yield database
    database.close()


@pytest.fixture(name="database")
def _database(blank):
    migrate(blank)
    return blank
