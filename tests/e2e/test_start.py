"""Starting and stopping a whole server: an address when it answers, one sentence when it cannot start. No browser."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.support.live_server import ROOT, free_port, start_server, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(name="directory")
def _directory(tmp_path):
    return tmp_path


@pytest.fixture(name="running")
def _running(directory):
    server = start_server(directory)
    yield server
    server.stop()


def launch(directory, **environment):
    """A server that nobody waits for."""
    own = {
        "SWITCHBOARD_PORT": str(free_port()),
        "SWITCHBOARD_DATA_DIR": str(directory / "data"),
        "SWITCHBOARD_LOCAL_MODEL": "off",
        "HOME": str(directory),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    return subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=ROOT,
        env={**inherited, **own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused_start(directory, **environment):
    """What a start that was refused said: nothing on stdout, one line on stderr, exit code 2."""
    process = launch(directory, **environment)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 2, complained
    assert said == ""
    assert "Traceback" not in complained
    (line,) = complained.splitlines()
    return line


def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused_start(tmp_path, SWITCHBOARD_PORT=str(port))

    assert said == (
        f"Port {port} is in use by another program. Stop that program, or set SWITCHBOARD_PORT to another number."
    )
    assert not (tmp_path / "data" / "switchboard.duckdb").exists()


def test_an_address_that_is_not_of_this_machine(tmp_path):
    assert refused_start(tmp_path, SWITCHBOARD_HOST="192.0.2.1").startswith("SWITCHBOARD_HOST is wrong")


def test_two_servers_on_one_store(running):
    said = refused_start(running.data_dir.parent)

    assert said.startswith(f"Another process is using the store {running.data_dir / 'switchboard.duckdb'}.")
    assert httpx.get(f"{running.url}/_stcore/health", trust_env=False).status_code == httpx.codes.OK


def test_a_store_that_is_not_a_database(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada, " * 500)

    assert refused_start(tmp_path, SWITCHBOARD_STORE=f"duckdb:{letter}").startswith(
        f"The file {letter} is not a Switchboard store."
    )
    assert letter.read_text().startswith("Dear Ada")


def test_a_data_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()

    said = refused_start(tmp_path, SWITCHBOARD_DATA_DIR=str(tmp_path / "file" / "data"))

    assert said.startswith(f"The data folder {tmp_path / 'file' / 'data'} cannot be written")
    assert "SWITCHBOARD_DATA_DIR" in said


def test_an_unknown_setting(tmp_path):
    assert refused_start(tmp_path, SWITCHBOARD_PROT="1").startswith("SWITCHBOARD_PROT is not a setting.")


def test_a_wrong_setting(tmp_path):
    assert refused_start(tmp_path, SWITCHBOARD_PORT="http").startswith("SWITCHBOARD_PORT is wrong (it is 'http')")


def test_a_registry_with_an_unknown_field(tmp_path):
    registry = tmp_path / "models.yaml"
    registry.write_text("models:\n  - id: a\n    call: openai/x\n    prize: free\n")

    assert refused_start(tmp_path, SWITCHBOARD_MODELS=str(registry)).startswith(
        f"{registry}, line 4, models[1].prize: expected a field of this list, found prize, did you mean price?"
    )


def test_it_prints_its_address_when_it_answers_and_the_code_for_the_first_person(running):
    said = wait_for(lambda: running.setup_code() and running.output(), what="the address")

    assert said.splitlines()[0] == f"Switchboard is ready at {running.url}"
    assert len(re.findall(r"one-time code", said)) == 1
    assert "Streamlit" not in said
    assert "Uvicorn" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_quietly_and_soon(running, number):
    wait_for(running.setup_code, what="the start")
    before = running.output()

    asked = time.monotonic()
    running.process.send_signal(number)
    code = running.process.wait(5)

    assert time.monotonic() - asked < 5
    assert code == 0
    assert running.output() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_stopped_while_it_starts(tmp_path, number):
    process = launch(tmp_path, SWITCHBOARD_LOCAL_MODEL="on")
    wait_for((tmp_path / "data" / "switchboard.duckdb").exists, what="the store", within_s=60)

    process.send_signal(number)
    said, complained = process.communicate(timeout=5)

    assert process.returncode == 0
    assert complained == ""
    assert "Traceback" not in said


def test_it_starts_again_where_it_ended(directory, running):
    running.stop()

    again = start_server(directory)
    wait_for(lambda: "ready at" in again.output().splitlines()[-1] or "code" in again.output(), what="the address")
    again.stop()

    assert "Traceback" not in again.output()


def test_an_administrator_from_a_password_needs_no_code(directory):
    server = start_server(directory, SWITCHBOARD_ADMIN_PASSWORD="correct horse battery")
    wait_for(lambda: "ready at" in server.output(), what="the address")
    server.stop()

    assert server.output() == f"Switchboard is ready at {server.url}\n"
