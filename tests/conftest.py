"""What every test gets without asking."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from core.catalog.known_providers import KEY_VARIABLES
from tests.support.network_guard import NetworkGuard
from tests.support.order import handed_out
from tests.support.postgres import PostgresAbsent, PostgresServer, running_postgres

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("switchboard", deadline=None)
# `make test-fast` looks at fewer examples of each property; `make test` at all of them.
settings.register_profile("fast", deadline=None, max_examples=20)
settings.load_profile("switchboard")

# With a key of whoever runs the tests, a page would ask that key's provider whether it is there.
for _variable in filter(None, KEY_VARIABLES.values()):
    os.environ.pop(_variable, None)

_guard = NetworkGuard()
_guard.install()


# Last: pytest itself moves tests that share a parameter of the session together, out of their files.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in the order in which workers are to get them (`--no-loadscope-reorder` keeps it)."""
    files = {item.path: item.path.relative_to(Path(__file__).parent).as_posix() for item in items}
    places = {file: place for place, file in enumerate(handed_out(files.values()))}
    items.sort(key=lambda item: places[files[item.path]])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in full how a test failed that was tried again: the next try may pass, or fail from what the first left."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"{report.nodeid}, tried again after")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(autouse=True)
def no_network_beyond_loopback() -> Iterator[NetworkGuard]:
    """Fail the test during which anything in this process tried to leave the machine."""
    _guard.take_attempts()
    yield _guard
    assert _guard.take_attempts() == []


@pytest.fixture(name="postgres", scope="session")
def _postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL; the test is skipped where there is none, and says why."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresAbsent as absent:
        pytest.skip(f"No PostgreSQL: {absent}")
