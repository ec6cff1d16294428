"""Calls from elsewhere: every row judged, none taken twice, every amount exact."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import cli
from core.accounts.audit import list_audit
from core.accounts.users import create_user
from core.store.database import Database
from core.store.migrate import migrate
from tests.store.test_open import held_by_another_process
from tests.support.attempts import delete_attempts

pytestmark = pytest.mark.slow

LITELLM = (
    "request_id",
    "startTime",
    "endTime",
    "model",
    "custom_llm_provider",
    "spend",
    "prompt_tokens",
    "completion_tokens",
    "user",
    "status",
    "cache_hit",
    "metadata",
)
GENERIC = ("when", "llm", "in", "out", "usd", "who")
MAP = [
    "--map",
    "started_at=when",
    "--map",
    "model=llm",
    "--map",
    "input_tokens=in",
    "--map",
    "output_tokens=out",
    "--map",
    "cost=usd",
    "--map",
    "user=who",
]


@pytest.fixture(name="url")
def _url(tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path))
    for name in ("SWITCHBOARD_STORE", "SWITCHBOARD_MODELS", "SWITCHBOARD_PORT", "SWITCHBOARD_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)
    url = f"duckdb:{tmp_path / 'switchboard.duckdb'}"
    database = Database(url)
    migrate(database)
    create_user(database, username="ada", display_name="Ada", password="ada-password-1", role="member", rounds=4)
    database.close()
    return url


def written(tmp_path, header, *rows, name="calls.csv"):
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path = tmp_path / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def stored(url, what="*"):
    database = Database(url)
    rows = database.fetch_all(f"select {what} from attempts order by started_at, id")  # noqa: S608 - of this file
    database.close()
    return rows


def generic(*, when="2026-11-01 10:00:00", llm="m", tokens=(10, 5), usd="0.25", who="ada"):
    return (when, llm, *tokens, usd, who)


def test_litellm_spend_logs(url, tmp_path, capsys):
    usage = {
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 40},
            "completion_tokens_details": {"reasoning_tokens": 7},
        }
    }
    path = written(
        tmp_path, LITELLM,
        ("chatcmpl-1", "2026-11-01T10:00:00Z", "2026-11-01T10:00:02.5Z", "gpt-6-luna", "openai", "1.25e-05",
            "100", "20", "Ada", "success", "False", json.dumps(usage)),
        ("chatcmpl-2", "2026-11-01 12:00:00+02:00", "2026-11-01 12:00:01+02:00", "claude", "anthropic", "0", "0", "0",
            "bob", "failure", "", "{}"),
    )  # fmt: skip

    assert cli.main(["usage", "import", str(path)]) == 0

    first, second = stored(url)
    assert first["started_at"] == second["started_at"] == datetime(2026, 11, 1, 10, tzinfo=UTC).replace(tzinfo=None)
    by_model = {row["requested_model"]: row for row in (first, second)}
    luna, claude = by_model["gpt-6-luna"], by_model["claude"]
    assert (luna["input_tokens"], luna["cached_input_tokens"], luna["reasoning_tokens"]) == (100, 40, 7)
    assert (luna["cost_usd"], luna["reported_cost_usd"], luna["cost_code"]) == (
        Decimal("0.0000125"),
        Decimal("0.0000125"),
        "reported",
    )
    assert (luna["ended_at"] - luna["started_at"], luna["source"]) == (timedelta(seconds=2.5), "import")
    assert (claude["status"], claude["user_id"]) == ("server", "import:bob")
    assert luna["user_id"] != "import:Ada"
    said = capsys.readouterr().out
    assert "2 rows read as LiteLLM spend logs." in said
    assert "Took 2 calls into the ledger: $0.0000125, 2026-11-01 to 2026-11-01 UTC." in said
    assert "Nobody here is called bob (1)." in said


def test_nothing_is_taken_twice(url, tmp_path, capsys):
    path = written(tmp_path, GENERIC, generic(), generic(), generic(who="bob"))
    assert cli.main(["usage", "import", str(path), *MAP]) == 0
    before = stored(url)

    # The same calls again, in a longer file.
    longer = written(tmp_path, GENERIC, generic(), generic(), generic(who="bob"), generic(usd="0.5"), name="more.csv")
    assert cli.main(["usage", "import", str(longer), *MAP]) == 0

    after = stored(url)
    assert len(before) == 3
    assert len(after) == 4
    assert [row for row in after if row in before] == before
    assert "3 are in the ledger already" in capsys.readouterr().out


def test_bad_rows_are_named_and_the_others_taken(url, tmp_path, capsys):
    path = tmp_path / "calls.csv"
    path.write_text(
        "when,llm,in,out,usd,who\n"
        "2026-11-01 10:00:00,m,10,5,0.25,ada\n"
        "yesterday,m,10,5,0.25,ada\n"
        '2026-11-01 10:00:00,"m\nwith a line",10,5,0.25,ada\n'
        "\n"
        "2026-11-01 10:00:00,m,ten,5,0.25,ada\n"
        "2026-11-01 10:00:00,m,10,-5,0.25,ada\n"
        "2026-11-01 10:00:00,m,10,5,$5,ada\n"
        "2026-11-01 10:00:00,m,10\n"
        "2026-11-01 10:00:00,,10,5,0.25,ada\n",
        encoding="utf-8",
    )
    errors = tmp_path / "bad.csv"

    assert cli.main(["usage", "import", str(path), *MAP, "--errors", str(errors)]) == 1

    assert len(stored(url)) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "line 3 has no time that can be read in started_at: “yesterday”",
        "line 7 has no count of input tokens: “ten”",
        "line 8 has no count of output tokens: “-5”",
        "line 9 has a cost that is no amount: “$5”",
        "line 10 has 3 cells where the header has 6",
        "line 11 names no model",
        "6 rows were left out. Correct them and import the file again.",
    ]
    assert "8 rows read as mapped columns." in said.out
    listed = csv.DictReader(errors.read_text(encoding="utf-8").splitlines())
    assert [int(row["line"]) for row in listed] == [3, 7, 8, 9, 10, 11]


def test_lines_are_those_of_the_file_also_when_every_row_fits(url, tmp_path, capsys):
    path = tmp_path / "calls.csv"
    path.write_text(
        'when,llm,in,out,usd,who\n2026-11-01 10:00:00,"a\nb",10,5,0.25,ada\n\n2026-11-01 10:00:00,m,ten,5,1,ada\n',
        encoding="utf-8",
    )

    assert cli.main(["usage", "import", str(path), *MAP]) == 1
    assert capsys.readouterr().err.startswith("line 5 has no count of input tokens: “ten”\n")


@pytest.mark.parametrize(
    ("when", "moment"),
    [
        ("1793527200", datetime(2026, 11, 1, 10)),  # noqa: DTZ001 - as in the store
        ("1793527200.5", datetime(2026, 11, 1, 10, 0, 0, 500_000)),  # noqa: DTZ001
        ("1793527200.000001", datetime(2026, 11, 1, 10, 0, 0, 1)),  # noqa: DTZ001
    ],
)
def test_times_in_seconds_are_exact(url, tmp_path, when, moment):
    assert cli.main(["usage", "import", str(written(tmp_path, GENERIC, generic(when=when))), *MAP]) == 0
    assert [row["started_at"] for row in stored(url)] == [moment]


def test_what_no_page_could_show_is_left_out(url, tmp_path, capsys):
    header, name = (*GENERIC, "how"), "m" * 201
    path = written(
        tmp_path,
        header,
        (*generic(when="infinity"), ""),
        (*generic(when="1970-01-01 00:00:00"), ""),
        (*generic(when="2200-01-01 00:00:00"), ""),
        (*generic(llm=name), ""),
        (*generic(), "200"),
        (*generic(), "Success"),
    )

    assert cli.main(["usage", "import", str(path), *MAP, "--map", "status=how"]) == 1

    assert [row["status"] for row in stored(url)] == ["ok"]
    assert capsys.readouterr().err.splitlines()[:-1] == [
        "line 2 has no time that can be read in started_at: “infinity”",
        "line 3 starts before there were models to call: “1970-01-01 00:00:00”",
        "line 4 ends in another century: “2200-01-01 00:00:00”",
        "line 5 has a name of more than 200 characters",
        "line 6 has a status that is not known here: “200”",
    ]


def test_names_are_in_one_line(url, tmp_path):
    path = written(tmp_path, GENERIC, generic(llm="m\twith\na line", who="b\tob"))

    assert cli.main(["usage", "import", str(path), *MAP]) == 0
    assert stored(url, "requested_model, served_model, user_id") == [
        {"requested_model": "m with a line", "served_model": "m with a line", "user_id": "import:b ob"}
    ]


def test_a_code_says_whether_there_is_a_cost(url, tmp_path):
    path = written(
        tmp_path, (*GENERIC, "code"), (*generic(usd=""), "computed"), (*generic(usd="900000000"), "unpriced"),
        (*generic(usd="900000000"), "partial"),
    )  # fmt: skip

    assert cli.main(["usage", "import", str(path), *MAP, "--map", "cost_usd=usd", "--map", "cost_code=code"]) == 0
    assert {(row["cost_usd"], row["cost_code"]) for row in stored(url)} == {
        (None, "unpriced"),
        (Decimal(900_000_000), "reported"),
        (Decimal(900_000_000), "partial"),
    }


def test_a_dry_run_says_what_would_come_and_changes_nothing(url, tmp_path, capsys):
    path = written(tmp_path, GENERIC, generic(), generic(usd=""))

    assert cli.main(["usage", "import", str(path), *MAP, "--dry-run"]) == 0

    assert stored(url) == []
    assert "Would take 2 calls into the ledger: at least $0.25, 1 without a cost" in capsys.readouterr().out


def test_people_are_mapped(url, tmp_path, capsys):
    path = written(tmp_path, GENERIC, generic(who="A. Lovelace"), generic(who="somebody"))
    command = ["usage", "import", str(path), *MAP, "--user", "A. Lovelace=ada"]

    assert cli.main([*command, "--other-users", "nobody"]) == 1
    assert "There is nobody called nobody." in capsys.readouterr().err
    assert cli.main([*command, "--other-users", "ada"]) == 0

    (user_id,) = {row["user_id"] for row in stored(url)}
    assert not user_id.startswith("import:")


def test_our_own_export_comes_back_as_it_was(url, tmp_path):
    path = written(tmp_path, GENERIC, *(generic(usd=f"0.00000000{n}", tokens=(n, n)) for n in range(1, 9)))
    assert cli.main(["usage", "import", str(path), *MAP]) == 0
    database = Database(url)
    database.execute(
        "update attempt_rows set cache_write_1h_tokens = 3, cache_write_tokens = 3, input_tokens = 9, "
        "audio_tokens = 2, service_tier = 'batch', counted_by_us = true where input_tokens = 4"
    )
    database.close()
    before = stored(url)
    for name, write in (("own.csv", _write_csv), ("own.parquet", _write_parquet)):
        write(tmp_path / name, before)
        database = Database(url)
        delete_attempts(database)
        database.close()

        assert cli.main(["usage", "import", str(tmp_path / name)]) == 0
        assert stored(url) == before


def _write_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_it_is_audited(url, tmp_path):
    assert cli.main(["usage", "import", str(written(tmp_path, GENERIC, generic())), *MAP]) == 0

    database = Database(url)
    entries = list_audit(database)
    database.close()
    assert (entries[0].action, entries[0].subject) == ("usage.import", "calls.csv")
    assert entries[0].after == {"calls": 1, "cost_usd": "0.250000000", "layout": "mapped columns"}


def test_a_running_server_is_named(url, tmp_path, capsys):
    path = written(tmp_path, GENERIC, generic())
    with held_by_another_process(url):
        assert cli.main(["usage", "import", str(path), *MAP]) == 1
    assert "A running Switchboard holds the store, so nothing can be imported." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "No column is known to hold started_at, requested_model, input_tokens, output_tokens."),
        ([*MAP, "--map", "nonsense=usd"], "There is no field nonsense."),
        ([*MAP, "--map", "status=state"], "The file has no column state."),
        ([*MAP, "--user", "ada"], "--user ada is not understood."),
    ],
)
def test_what_is_not_understood_is_said(url, tmp_path, capsys, options, said):
    path = written(tmp_path, GENERIC, generic())

    assert cli.main(["usage", "import", str(path), *options]) == 1
    assert said in capsys.readouterr().err
    assert stored(url) == []


def test_a_file_that_is_not_there_is_named(url, tmp_path, capsys):
    assert cli.main(["usage", "import", str(tmp_path / "none.csv")]) == 1
    assert f"There is no file {tmp_path / 'none.csv'}. Check its name and folder." in capsys.readouterr().err


def test_what_only_its_name_calls_parquet_is_said_to_be_none(url, tmp_path, capsys):
    (tmp_path / "calls.parquet").write_bytes(b"\x93\x00\xff")

    assert cli.main(["usage", "import", str(tmp_path / "calls.parquet")]) == 1
    assert "calls.parquet is no Parquet file, whatever its name says. Export it again" in capsys.readouterr().err


@given(
    amounts=st.lists(st.decimals(min_value=0, max_value=10**6, places=9), min_size=1, max_size=20),
    moment=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001 - made local below
    hours=st.integers(-12, 12),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_amounts_and_moments_are_exact(url, tmp_path, amounts, moment, hours):
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    rows = [generic(when=local.isoformat(), usd=f"{amount:e}", tokens=(n, 0)) for n, amount in enumerate(amounts)]
    database = Database(url)
    delete_attempts(database)
    database.close()

    assert cli.main(["usage", "import", str(written(tmp_path, GENERIC, *rows)), *MAP]) == 0

    found = sorted(stored(url), key=lambda row: row["input_tokens"])
    assert [row["cost_usd"] for row in found] == amounts
    assert {row["started_at"] for row in found} == {local.astimezone(UTC).replace(tzinfo=None)}
