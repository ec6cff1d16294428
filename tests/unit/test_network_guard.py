from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.support.network_guard import NetworkBlocked, NetworkGuard


@pytest.fixture(name="guard")
def _guard(no_network_beyond_loopback: NetworkGuard) -> Iterator[NetworkGuard]:
    """Takes the refusals away before the fixture of every test would fail for them."""
    yield no_network_beyond_loopback
    no_network_beyond_loopback.take_attempts()


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_beyond_loopback_is_refused(guard, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock, pytest.raises(NetworkBlocked):
        sock.connect((host, 80))


def test_a_look_up_of_a_foreign_name_is_refused(guard):
    with pytest.raises(NetworkBlocked):
        socket.getaddrinfo("provider.example", 443)


def test_a_refusal_is_remembered_when_the_code_under_test_swallows_it(guard):
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

    assert len(guard.take_attempts()) == 1


def test_loopback_and_its_name_pass():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost", port), timeout=2) as client:
            assert client.getpeername()[1] == port
