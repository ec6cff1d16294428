"""A PostgreSQL of our own for tests: one for each process of pytest, started when a test first asks for it.

Its files lie in a temporary folder and are not synced: it is fast, and worth nothing after a crash of the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.live_server import free_port

USER = "switchboard"
_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
}


class PostgresAbsent(Exception):
    """There is no PostgreSQL to run; the text says why."""


class PostgresServer:
    """A server in a folder. Who comes by its socket needs no password; over loopback one is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._running = False

    def url(self, database: str = "postgres") -> str:
        """The address of a database by the socket, as SWITCHBOARD_STORE takes it."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str = "postgres", *, user: str = USER, password: str = "") -> str:
        """The same over loopback, where a user without a password is refused."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, *, template: str = "template1") -> str:
        """Make a fresh database, a copy of `template` (which nobody may be using), and return its URL."""
        name = f"store_{uuid4().hex[:12]}"
        self.run(f"create database {name} template {template}")
        return self.url(name)

    def run(self, sql: str, *, database: str = "postgres") -> str:
        """Run statements by psql, each for itself, and return what they print."""
        return _run("psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql)

    def initialise(self) -> None:
        """Make its files."""
        ways_in = ("--auth-local=trust", "--auth-host=scram-sha-256")
        form = ("--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C.UTF-8")
        _run("initdb", "-D", self.folder / "data", "-U", USER, *ways_in, *form)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options = f"-k {self.folder} -p {self.port} {settings}"
        self._running = True
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop it at once: what runs there breaks off."""
        if self._running:
            self._running = False
            self._control("stop", "-m", "fast")

    def _control(self, *arguments: str) -> None:
        _run("pg_ctl", "-D", self.folder / "data", "-w", "-t", "60", *arguments)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server that is gone with the block. Raises PostgresAbsent."""
    _tool("initdb")
    # A socket's path has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-pg-", dir="/tmp"))
    if _owner():
        shutil.chown(folder, **_owner())
    server = PostgresServer(folder)
    try:
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, str]:
    # PostgreSQL refuses to run as root.
    return {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}


def _run(tool: str, *arguments: str | Path) -> str:
    who: dict[str, Any] = {**_owner(), "extra_groups": []} if _owner() else {}
    # Through a file: a server that goes on running would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        command = [_tool(tool), *map(str, arguments)]
        done = subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT, cwd="/", timeout=90, **who)
        output.seek(0)
        text = output.read().decode(errors="replace").strip()
    assert done.returncode == 0, f"{tool}: {text}"
    return text


def _tool(name: str) -> str:
    # Debian keeps a version's programs beside each other, out of the path; the newest is taken.
    found = sorted(str(path) for place in _PLACES for path in Path("/").glob(f"{place}/{name}"))
    on_path = shutil.which(name)
    if not found and on_path is None:
        raise PostgresAbsent(f"there is no {name}: run scripts/install-services, or install the package postgresql")
    return found[-1] if found else str(on_path)
