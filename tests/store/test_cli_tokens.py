"""`python -m core tokens` on a store that no server has."""

from __future__ import annotations

import pytest

from core.accounts.token_commands import TokenCommand
from core.cli_tokens import tokens
from core.errors import AccountError
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.people import add_person

REGISTRY = """
providers:
  box: {kind: openai, api_base: "http://127.0.0.1:9/v1", api_key: none, discover: true}
models:
  - {id: gpt, call: box/gpt}
"""


@pytest.fixture(name="installed", autouse=True)
def _installed(tmp_path, monkeypatch):
    (tmp_path / "models.yaml").write_text(REGISTRY)
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SWITCHBOARD_MODELS", str(tmp_path / "models.yaml"))
    database = Database(f"duckdb:{tmp_path / 'switchboard.duckdb'}")
    migrate(database)
    add_person(database, "ann")
    database.close()


def test_a_token_is_told_with_all_its_limits_and_alone_on_the_last_line(capsys):
    wanted = TokenCommand(action="create", user="ann", name="report", models=("gpt", "box/found"), rpm_limit=60)
    assert tokens(wanted) == 0

    first, last = capsys.readouterr().out.strip().splitlines()
    assert "models box/found gpt, 60 requests a minute" in first
    assert last.startswith("sb-")


def test_a_model_that_nobody_has_is_refused():
    with pytest.raises(AccountError, match=r"There is no model gtp in .*models\.yaml\."):
        tokens(TokenCommand(action="create", user="ann", name="report", models=("gtp",)))
