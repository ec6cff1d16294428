"""The command line: copies and check-ups of an installation, in sentences."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import datetime

import pytest

from core import cli
from core.errors import StoreDamaged, StoreError
from core.store.database import Database
from core.store.migrate import migrate
from core.store.restoring import put_back
from tests.store.test_open import held_by_another_process

pytestmark = pytest.mark.slow


@pytest.fixture(name="installation")
def _installation(tmp_path, monkeypatch):
    """An empty folder with everything set to it; the environment is the command line's own input."""
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path))
    for name in ("SWITCHBOARD_STORE", "SWITCHBOARD_MODELS", "SWITCHBOARD_PORT", "SWITCHBOARD_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(name="url")
def _url(installation):
    url = f"duckdb:{installation / 'switchboard.duckdb'}"
    database = Database(url)
    migrate(database)
    database.close()
    return url


def test_a_backup_goes_into_the_data_folder(installation, url, capsys):
    assert cli.main(["backup"]) == 0

    (made,) = (installation / "backups").iterdir()
    assert re.fullmatch(r"switchboard-\d{8}-\d{6}\.duckdb", made.name)
    assert capsys.readouterr().out.startswith(f"Wrote {made}: ")


def test_a_backup_never_overwrites(installation, url, capsys):
    target = installation / "mine.duckdb"
    assert cli.main(["backup", str(target)]) == 0
    before = target.read_bytes()

    assert cli.main(["backup", str(target)]) == 1
    assert target.read_bytes() == before
    assert "exists already" in capsys.readouterr().err


def test_a_backup_while_a_server_runs_says_what_to_do(installation, url, capsys):
    with held_by_another_process(url):
        assert cli.main(["backup"]) == 1

    said = capsys.readouterr().err
    assert said == (
        "A running Switchboard holds the store, so no consistent copy can be made. "
        "Stop it, run the backup again, and start it.\n"
    )
    assert not (installation / "backups").exists()


def test_a_backup_of_nothing_makes_nothing(installation, capsys):
    assert cli.main(["backup"]) == 1
    assert "There is no store" in capsys.readouterr().err
    assert list(installation.iterdir()) == []


def test_a_backup_is_put_back_and_nothing_is_lost(installation, url, capsys):
    _note(url, "before")
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    _note(url, "after")

    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0

    assert _notes(url) == ["before"]
    (aside,) = (installation / "backups").glob("replaced-*.duckdb")
    assert _notes(f"duckdb:{aside}") == ["before", "after"]
    assert str(aside) in capsys.readouterr().out


def test_what_was_put_aside_is_not_overwritten_by_the_next(installation, url):
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    _note(url, "first")
    moment = datetime(2026, 11, 30, 12)  # noqa: DTZ001 - as the program's clock has it
    assert cli.restore(installation / "kept.duckdb", clock=lambda: moment) == 0
    _note(url, "second")

    with pytest.raises(StoreError, match="already"):
        cli.restore(installation / "kept.duckdb", clock=lambda: moment)

    (aside,) = (installation / "backups").glob("replaced-*.duckdb")
    assert (_notes(f"duckdb:{aside}"), _notes(url)) == (["first"], ["second"])


def test_what_a_killed_server_left_beside_the_store_is_not_worked_into_a_backup(installation, url):
    """DuckDB takes a `.wal` for that of whatever file has its name."""
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    file = str(installation / "switchboard.duckdb")
    killed = f"import duckdb, os; db = duckdb.connect({file!r}); db.execute({_NOTE.format(text='late')!r}); os._exit(0)"
    subprocess.run([sys.executable, "-c", killed], check=True)
    assert (installation / "switchboard.duckdb.wal").exists()

    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0

    assert _notes(url) == []


_KILLED = """
import os, pathlib, sys
from core.store.restoring import put_back

def replace(copy, file):
    {act}
    os._exit(9)

backup, file, aside = map(pathlib.Path, sys.argv[1:])
put_back(backup, file, aside=aside, replace=replace)
"""


def _restore_killed(installation, *, act):
    """A `restore` in a process that dies at the moment in which the names change, after `act`."""
    program = _KILLED.format(act=act)
    paths = ("kept.duckdb", "switchboard.duckdb", "backups/replaced-1.duckdb")
    done = subprocess.run([sys.executable, "-c", program, *(str(installation / path) for path in paths)], check=False)
    assert done.returncode == 9


@pytest.mark.parametrize(("act", "found"), [("pass", ["before", "after"]), ("os.replace(copy, file)", ["before"])])
def test_a_restore_that_is_killed_leaves_one_of_the_two_whole(installation, url, act, found):
    _note(url, "before")
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    _note(url, "after")

    _restore_killed(installation, act=act)

    assert _notes(url) == found
    assert _notes(f"duckdb:{installation / 'backups/replaced-1.duckdb'}") == ["before", "after"]
    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0
    assert _notes(url) == ["before"]


@pytest.mark.parametrize("act", ["pass", "os.replace(copy, file)"])
def test_where_a_killed_restore_left_neither_of_the_two_a_start_says_what_to_do(installation, url, capsys, act):
    """The end of a store stands in a second file where it could not be opened, and two names cannot change at once."""
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    file = installation / "switchboard.duckdb"
    file.write_text("no database")
    (installation / "switchboard.duckdb.wal").write_text("and its end")

    _restore_killed(installation, act=act)

    with pytest.raises(StoreDamaged) as refused:
        Database(url)
    assert str(refused.value) == (
        f"A `restore` of the store {file} was broken off. "
        "Give the same `python -m core restore FILE` again. What was there before is in `backups`."
    )
    kept = [(installation / f"backups/replaced-1.duckdb{end}").read_text() for end in ("", ".wal")]
    assert kept == ["no database", "and its end"]
    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0
    assert _notes(url) == []


def test_what_a_killed_restore_left_of_its_copy_is_not_worked_into_the_next(installation, url):
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    file = str(installation / "switchboard.duckdb.unfinished")
    shutil.copyfile(installation / "kept.duckdb", file)
    killed = f"import duckdb, os; db = duckdb.connect({file!r}); db.execute({_NOTE.format(text='late')!r}); os._exit(0)"
    subprocess.run([sys.executable, "-c", killed], check=True)
    assert (installation / "switchboard.duckdb.unfinished.wal").exists()

    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0

    assert _notes(url) == []


def test_on_a_disk_where_a_file_has_one_name_the_store_before_is_copied(installation, url):
    _note(url, "before")
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    _note(url, "after")
    aside = installation / "backups/replaced.duckdb"

    done = put_back(
        installation / "kept.duckdb", installation / "switchboard.duckdb", aside=aside, link=_no_second_name
    )

    assert (done.before, _notes(f"duckdb:{aside}"), _notes(url)) == (aside, ["before", "after"], ["before"])
    assert list((installation / "backups").iterdir()) == [aside]


def _no_second_name(_old, _new):
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_a_store_in_use_is_not_replaced(installation, url, capsys):
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    with held_by_another_process(url):
        assert cli.main(["restore", str(installation / "kept.duckdb")]) == 1

    assert "Nothing was changed. Stop it" in capsys.readouterr().err
    assert sorted(path.name for path in installation.iterdir()) == ["kept.duckdb", "switchboard.duckdb"]


def test_a_damaged_store_is_replaced(installation, url):
    assert cli.main(["backup", str(installation / "kept.duckdb")]) == 0
    (installation / "switchboard.duckdb").write_text("no database")

    assert cli.main(["restore", str(installation / "kept.duckdb")]) == 0
    assert _notes(url) == []


@pytest.mark.parametrize(
    ("content", "said"), [(None, "There is no file"), ("", "is no store"), ("text", "is no store")]
)
def test_what_is_no_backup_changes_nothing(installation, url, capsys, content, said):
    _note(url, "here")
    if content is not None:
        (installation / "other.duckdb").write_text(content)

    assert cli.main(["restore", str(installation / "other.duckdb")]) == 1

    assert said in capsys.readouterr().err
    assert _notes(url) == ["here"]


def test_a_postgresql_is_restored_by_its_own_tools(installation, monkeypatch, capsys):
    monkeypatch.setenv("SWITCHBOARD_STORE", "postgresql://nobody@127.0.0.1:1/none")

    assert cli.main(["restore", "kept.duckdb"]) == 1
    assert "its own tools" in capsys.readouterr().err


_NOTE = (
    "insert into audit (id, happened_at, action, subject) values (uuid()::varchar, now()::timestamp, 'note', '{text}')"
)


def _note(url, text):
    with closing(Database(url)) as database:
        database.execute(_NOTE.format(text=text))


def _notes(url):
    with closing(Database(url)) as database:
        return [row["subject"] for row in database.fetch_all("select subject from audit order by happened_at")]


def test_a_healthy_installation(installation, url, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    assert cli.main(["doctor"]) == 0

    said = capsys.readouterr().out
    assert said.endswith("Everything a start needs is in order.\n")
    assert "OPENAI_API_KEY" in said
    assert "sk-secret" not in said
    assert "0 users" in said
    assert "WRONG" not in said


def test_a_new_installation_is_in_order_and_stays_empty(installation, capsys):
    assert cli.main(["doctor"]) == 0
    assert "the first start makes it" in capsys.readouterr().out
    assert list(installation.iterdir()) == []


def test_a_store_in_use_is_no_fault(installation, url, capsys):
    with held_by_another_process(url):
        assert cli.main(["doctor"]) == 0
    assert "in use by a running Switchboard" in capsys.readouterr().out


def test_a_store_that_waits_for_its_migrations_is_no_fault(installation, capsys):
    Database(f"duckdb:{installation / 'switchboard.duckdb'}").close()

    assert cli.main(["doctor"]) == 0
    assert "the next start brings it up to date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("SWITCHBOARD_PORT=http", "SWITCHBOARD_PORT is wrong"),
        ("SWITCHBOARD_STORE=mysql://x", "store address"),
        ("SWITCHBOARD_STORE=duckdb:pyproject.toml", "not a Switchboard store"),
        ("SWITCHBOARD_MODELS=pyproject.toml", "pyproject.toml, line"),
        ("SWITCHBOARD_DATA_DIR=pyproject.toml/data", "cannot be made"),
    ],
)
def test_what_is_wrong_is_said(installation, monkeypatch, capsys, setting, said):
    monkeypatch.setenv(*setting.split("=", 1))

    assert cli.main(["doctor"]) == 1

    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG")]
    assert said in line


def test_a_command_that_is_none_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["shoe"])
    assert caught.value.code == 2
    assert "backup" in capsys.readouterr().err


def test_it_starts_as_a_module(installation):
    done = subprocess.run([sys.executable, "-m", "core", "doctor"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_a_reader_that_has_enough_is_no_failure_to_tell_about(installation):
    command = [sys.executable, "-m", "core", "doctor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as doctor:
        assert doctor.stdout is not None
        assert doctor.stderr is not None
        doctor.stdout.close()

        assert doctor.stderr.read() == ""
