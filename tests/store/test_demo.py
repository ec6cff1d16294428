"""The made-up team: only in a fresh store, whole, adding up, and gone again without a trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core import cli
from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.costs.limits import Whom
from core.costs.pricing import compute_cost
from core.demo.fill import demo_present, fill
from core.demo.removal import GROWN, TABLES, remove
from core.demo.shapes import quantile
from core.demo.team import ADMIN, MEMBERS
from core.errors import StoreError
from core.providers.events import Usage
from core.store.database import Database
from core.store.maintenance import row_counts
from core.store.migrate import migrate
from tests.store.test_open import held_by_another_process
from tests.support.attempts import add_attempt
from tests.support.budgets import budget, make_budgets, rate
from tests.support.people import add_person

NOW = datetime(2026, 11, 27, 16, tzinfo=UTC).replace(tzinfo=None)
PRICES = Prices(input=Decimal(2), output=Decimal(8), cached_input=Decimal("0.2"))


def model(name, provider, *, prices=PRICES, use_cases=("everyday", "coding")):
    spec = ProviderSpec(id=provider, kind="openai")
    return ModelSpec(id=name, label=name.title(), provider=spec, upstream=name, prices=prices, use_cases=use_cases)


MODELS = [model("luna", "openai"), model("haiku", "anthropic"), model("tuned", "lab", prices=None)]


@pytest.fixture(name="counts")
def _counts(database):
    return fill(database, models=MODELS, password_hash=None, now=NOW)


@pytest.mark.slow
def test_there_is_something_of_everything(database, counts):
    assert counts["users"] == len(MEMBERS)
    assert min(counts.values()) > 1
    assert {table: row_counts(database)[table] for table in counts} == counts
    for column, kinds in (
        ("cost_code", {"computed", "unpriced", "cached", "partial"}),
        ("source", {"chat", "api"}),
        ("status", {"ok", "stopped", "rate_limit"}),
    ):
        rows = database.fetch_all(f"select distinct {column} as kind from attempts")  # noqa: S608 - of this file
        assert kinds <= {row["kind"] for row in rows}
    assert database.fetch_one("select 1 from attempts where fallback_of is not null")


@pytest.mark.slow
def test_every_call_belongs_and_is_priced_to_the_last_digit(database, counts):
    assert not database.fetch_all(
        "select id from attempts where user_id not in (select id from users) or source = 'chat' and "
        "(conversation_id not in (select id from conversations) or turn_id not in (select id from turns))"
    )
    for row in database.fetch_all("select * from attempts where cost_code = 'computed' limit 500"):
        usage = Usage(
            input_tokens=row["input_tokens"],
            cached_input_tokens=row["cached_input_tokens"],
            output_tokens=row["output_tokens"],
            reasoning_tokens=row["reasoning_tokens"],
        )
        assert row["cost_usd"] == compute_cost(usage, PRICES)


@pytest.mark.slow
def test_every_conversation_is_a_tree_that_ends_where_it_says(database, counts):
    assert not database.fetch_all("select id from conversations where leaf_message_id not in (select id from messages)")
    assert not database.fetch_all(
        "select id from messages where parent_id is not null and parent_id not in (select id from messages)"
    )
    assert database.fetch_one("select max(created_at) as last from messages")["last"] <= NOW


@pytest.mark.slow
def test_it_is_the_same_every_time(database, counts, tmp_path):
    other = Database(f"duckdb:{tmp_path / 'other.duckdb'}")
    migrate(other)
    fill(other, models=MODELS, password_hash=None, now=NOW)

    attempts = "select * from attempts order by id"
    assert other.fetch_all(attempts) == database.fetch_all(attempts)
    other.close()


@pytest.mark.slow
def test_everything_is_taken_out_again_and_nothing_else(database, counts):
    ada = add_person(database, "ada")
    before = {table: rows for table, rows in row_counts(database).items() if table not in counts}

    assert remove(database) == counts

    after = row_counts(database)
    assert {table: after[table] for table in counts} == {**dict.fromkeys(counts, 0), "users": 1}
    assert after["demo_rows"] == 0
    assert {table: after[table] for table in before if table != "demo_rows"} == {
        table: rows for table, rows in before.items() if table != "demo_rows"
    }
    assert database.fetch_one("select username from users where id = $id", id=ada.id)
    assert not demo_present(database)
    assert remove(database) == {}


@pytest.mark.slow
def test_what_grew_on_the_demo_goes_with_it(database, counts):
    database.execute(
        "insert into search_texts (user_id, conversation_id, message_id, content, created_at) "
        "select 'somebody', conversation_id, id, content, created_at from messages"
    )
    database.execute(
        "insert into search_state (conversation_id, user_id, indexed_until) "
        "select id, user_id, updated_at from conversations"
    )
    database.execute(
        "insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, reason) "
        "select id, id, started_at, started_at, 0.5, 'late' from attempts limit 5"
    )

    remove(database)

    assert {row_counts(database)[table] for table in ("search_texts", "search_state", "adjustments")} == {0}


@pytest.mark.slow
def test_what_the_demos_people_began_later_goes_with_them_and_what_was_paid_for_stays(database, counts):
    someone = database.fetch_one("select id from users where username like 'demo-%' limit 1")["id"]
    ada = add_person(database, "ada")
    for name, user_id in (("theirs", someone), ("adas", ada.id)):
        database.execute(
            "insert into conversations (id, user_id, title, title_source, created_at, updated_at) "
            "values ($id, $user, 'Later', 'auto', $now, $now)",
            id=name,
            user=user_id,
            now=NOW,
        )
    add_attempt(database, id="paid", user_id=someone, conversation_id="theirs", ended_at=NOW)

    remove(database)

    assert database.fetch_all("select id from conversations") == [{"id": "adas"}]
    assert database.fetch_all("select id from attempts") == [{"id": "paid"}]


def test_every_table_of_peoples_own_is_looked_through(database):
    rows = database.fetch_all(
        "select distinct table_name from information_schema.columns where column_name in ('user_id', 'owner_id')"
    )
    # What was paid for and who did what stays.
    kept = {"attempts", "attempt_rows", "numbered_attempts", "audit", "ledger", "measured_calls"}

    assert {row["table_name"] for row in rows} - kept <= {*TABLES, *(table for table, _, _ in GROWN)}


@pytest.mark.slow
def test_nobody_of_the_demo_stays_in_another_group(database, counts):
    someone = database.fetch_one("select id from users where username like 'demo-%' limit 1")["id"]
    ada = add_person(database, "ada")
    for user_id in (someone, ada.id):
        database.execute(
            "insert into group_members (group_id, user_id, source, added_at) values ('real', $id, 'admin', $now)",
            id=user_id,
            now=NOW,
        )

    remove(database)

    assert database.fetch_all("select group_id, user_id from group_members") == [
        {"group_id": "real", "user_id": ada.id}
    ]


@pytest.mark.slow
def test_comparisons_and_limits_of_the_demos_people_go_with_them(database, counts):
    someone = database.fetch_one("select id from users where username like 'demo-%' limit 1")["id"]
    ada = add_person(database, "ada")
    for user_id in (someone, ada.id):
        database.execute(
            "insert into comparisons (id, user_id, title, created_at, updated_at) values ($id, $id, '', $now, $now)",
            id=user_id,
            now=NOW,
        )
        for limit in (budget("1"), rate(requests_per_minute=1)):
            make_budgets(database, replace(limit, whom=Whom(audience="user", subject=user_id, shared=False)))

    remove(database)

    for table, column in (("comparisons", "user_id"), ("budgets", "subject"), ("rate_limits", "subject")):
        assert database.fetch_all(f"select {column} from {table}") == [{column: ada.id}]  # noqa: S608 - names of ours


def test_a_store_that_is_used_is_left_alone(database):
    add_person(database, "ada")
    before = row_counts(database)

    with pytest.raises(StoreError, match="is not fresh"):
        fill(database, models=MODELS, password_hash=None, now=NOW)

    assert row_counts(database) == before
    assert not demo_present(database)


def test_a_table_of_quantiles_is_read_straight_between_its_entries():
    assert [quantile((0, 10, 30), share) for share in (0, 0.25, 0.5, 0.75, 1)] == [0, 5, 10, 20, 30]


@pytest.mark.slow
def test_the_command_line_says_how_to_sign_in_and_takes_it_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path))
    for name in ("SWITCHBOARD_STORE", "SWITCHBOARD_MODELS", "SWITCHBOARD_PORT", "SWITCHBOARD_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)

    assert cli.main(["demo"]) == 0
    said = capsys.readouterr().out
    assert f"sign in as {ADMIN} with the password " in said
    assert cli.main(["demo"]) == 1
    assert "The store is not fresh" in capsys.readouterr().err
    with held_by_another_process(f"duckdb:{tmp_path / 'switchboard.duckdb'}"):
        assert cli.main(["demo", "--remove"]) == 1
    assert "A running Switchboard holds the store" in capsys.readouterr().err

    assert cli.main(["demo", "--remove"]) == 0
    assert capsys.readouterr().out.startswith("Took out the demo: ")
    assert cli.main(["demo", "--remove"]) == 0
    assert "There is no demo in this store." in capsys.readouterr().out
