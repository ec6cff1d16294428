"""A PostgreSQL that cannot be used is said in a sentence without a secret, and one that comes back is used again."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from core.accounts.sessions import check_session, end_session, start_session
from core.accounts.tokens import NewToken, create_token, find_bearer, revoke_token
from core.errors import StoreError
from core.store.database import Database
from core.store.migrate import migrate, shipped_migrations
from core.store.postgres_url import read_address
from core.store.sql import load_queries
from tests.support.live_server import free_port
from tests.support.people import add_person
from tests.support.postgres import running_postgres

ROOT = Path(__file__).parents[2]
_MIGRATE = """
import sys
from core.store.database import Database
from core.store.migrate import migrate
database = Database(sys.argv[1])
print(len(migrate(database)))
database.close()
"""


def refused(url):
    with pytest.raises(StoreError) as caught:
        Database(url)
    assert caught.value.next_step
    assert "hunter2" not in f"{caught.value} {caught.value.detail}"
    return caught.value.user_message


def test_a_server_that_is_away(postgres):
    port = free_port()

    message = refused(f"postgresql://ada:hunter2@127.0.0.1:{port}/chat")

    assert message == f"The PostgreSQL server 127.0.0.1:{port} does not answer."


def test_a_wrong_password(postgres):
    postgres.run("create role ada login password 'right'")

    message = refused(postgres.tcp_url(user="ada", password="hunter2"))

    assert message == f"The PostgreSQL server 127.0.0.1:{postgres.port} refused the user name or the password."


def test_a_database_that_is_not_there(postgres):
    assert refused(postgres.url("nowhere")).startswith("There is no database nowhere on the PostgreSQL server ")


def test_a_server_that_takes_no_changes(postgres):
    database = Database(f"{postgres.create()}&options=-c%20default_transaction_read_only%3Don")

    with pytest.raises(StoreError, match="takes no changes"):
        migrate(database)
    database.close()


def test_a_port_that_is_none():
    assert refused("postgresql://ada:hunter2@host:port/chat") == "The address of the PostgreSQL server cannot be read."


def test_what_is_shown_of_an_address_has_no_password():
    address = read_address("postgresql://ada:hun%40ter2@db.example:6543/chat?sslmode=require")

    assert address.shown == "postgresql://ada:***@db.example:6543/chat?sslmode=require"
    assert (address.server, address.database) == ("db.example:6543", "chat")
    assert "hun@ter2" not in address.redacted("said hun@ter2 and hun%40ter2")


def test_a_machine_that_is_gone_is_given_up_unless_the_address_says_otherwise():
    """Nothing here can take a machine off the network: with these, a statement ended after 10 s, without them never."""

    def asked(query: str) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(read_address(f"postgresql://db/chat{query}").for_connection()).query))

    patience = {name: value for name, value in asked("").items() if name.startswith(("tcp_", "keepalives_"))}
    assert patience == {
        "tcp_user_timeout": "10000",
        "keepalives_idle": "10",
        "keepalives_interval": "3",
        "keepalives_count": "4",
    }
    assert asked("?tcp_user_timeout=60000")["tcp_user_timeout"] == "60000"


@pytest.mark.slow
def test_two_that_start_at_the_same_moment_apply_every_step_once(postgres):
    url = postgres.create()
    both = [subprocess.Popen([sys.executable, "-c", _MIGRATE, url], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]

    applied = [int(one.communicate(timeout=60)[0]) for one in both]

    assert sum(applied) == len(shipped_migrations())


@pytest.mark.slow
def test_a_server_that_was_restarted_is_used_again(tmp_path):
    with running_postgres() as server:
        database = Database(server.url())
        migrate(database)
        server.stop()
        with pytest.raises(StoreError, match="does not answer"):
            database.fetch_all("select id from users")
        with pytest.raises(StoreError, match="does not answer"):
            database.execute("update users set email = null")
        # What /api/health asks: DuckDB alone would answer it.
        with pytest.raises(StoreError, match="does not answer"):
            database.fetch_one(load_queries("metrics")["reachable"])

        server.start()

        assert database.fetch_all("select id from users") == []
        database.execute("update users set email = null")
        database.close()


def test_what_another_process_wrote_is_noticed(postgres):
    url = postgres.create()
    here, there = Database(url), Database(url)
    migrate(here)
    here._engine._looked_at = float("-inf")
    before = here.version
    there.execute("update account_locks set version = 1")
    here._engine._looked_at = float("-inf")

    assert here.version > before
    here.close()
    there.close()


def test_what_people_wrote_is_not_in_an_error(database):
    with pytest.raises(Exception, match="does not exist") as caught:
        database.execute("insert into nowhere values ($text)", text="my diary")

    assert "diary" not in str(caught.value)


def test_a_session_and_a_token_that_end_on_one_replica_end_on_the_other(postgres):
    url = postgres.create()
    with closing(Database(url)) as here, closing(Database(url)) as there:
        migrate(here)
        ada = add_person(here, "ada")
        session = start_session(ada)
        text, token = create_token(here, ada, NewToken(name="script"), actor_id=ada.id)
        checked = check_session(there, session)
        assert checked is not None
        assert find_bearer(there, text) is not None

        revoke_token(here, ada, token_id=token.id, actor_id=ada.id)
        end_session(here, session)

        assert find_bearer(there, text) is None
        # A session is looked up again when somebody wrote, which is asked for once a second.
        there._engine._looked_at = float("-inf")
        assert check_session(there, session, before=checked) is None
