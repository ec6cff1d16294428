"""Stores to test on: a DuckDB file, and a PostgreSQL too for the files of tests where the engine can matter."""

from __future__ import annotations

import pytest

from core.store.database import Database
from tests.support.fresh_stores import lay_store
from tests.support.shared_stores import KeptStore

# Left out: what tests a file, or arithmetic and texts for which the store is a place to put rows.
ON_BOTH = frozenset(
    [
        "test_account_changes",
        "test_answer_cache",
        "test_attachments",
        "test_attempt_rows",
        "test_blind",
        "test_branches",
        "test_budgets_at_work",
        "test_call_figures",
        "test_catalog",
        "test_comparisons",
        "test_conversations",
        "test_cost_reports",
        "test_crash",
        "test_database",
        "test_demo",
        "test_exchange",
        "test_feedback",
        "test_groups",
        "test_landing",
        "test_ledger_copy",
        "test_ledger_view",
        "test_limits_kept",
        "test_migrate",
        "test_model_figures",
        "test_organise",
        "test_own_data",
        "test_passive_health",
        "test_preferences",
        "test_presets",
        "test_price_book",
        "test_prompt_sets",
        "test_prompts",
        "test_purge",
        "test_reconcile",
        "test_replay",
        "test_replicas",
        "test_search",
        "test_sessions",
        "test_sharing",
        "test_sign_in",
        "test_summaries",
        "test_temporary",
        "test_titles",
        "test_token_budgets",
        "test_tokens",
        "test_turn_engine",
        "test_turn_engine_ends",
        "test_turn_record",
        "test_turn_routing",
        "test_users",
        "test_votes",
    ]
)

ON_POSTGRESQL = frozenset({"test_copying", "test_postgres", "test_server_queries"})


def pytest_generate_tests(metafunc):
    """Run the tests of a file on both engines, or on DuckDB."""
    if "engine" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition(".")[2]
        engines = ["postgresql"] if name in ON_POSTGRESQL else ["duckdb"]
        metafunc.parametrize("engine", ["duckdb", "postgresql"] if name in ON_BOTH else engines, scope="session")


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
def _database(engine, store_url, tmp_path, request):
    if engine != "duckdb":
        yield request.getfixturevalue("kept_store").database
        return
    lay_store(tmp_path / "store.duckdb")
    database = Database(store_url)
    yield database
    database.close()
