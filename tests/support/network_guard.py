"""Stops every connection beyond this machine and remembers it, also when the code under test swallows the error.

An audit hook sees what Python's own socket module does, in every thread, whichever library asks. It cannot be removed,
so it is installed once per process.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from typing import Any


class NetworkBlocked(OSError):
    """A test tried to reach beyond loopback."""


class NetworkGuard:
    """Refuses connections and look-ups of names beyond loopback; `loopback=False` refuses loopback too."""

    def __init__(self, *, loopback: bool = True) -> None:
        self._loopback = loopback
        self._lock = threading.Lock()
        self._attempts: list[str] = []

    def install(self) -> None:
        """Start watching; lasts as long as the process."""
        sys.addaudithook(self._audit)

    def take_attempts(self) -> list[str]:
        """What was refused since the last call."""
        with self._lock:
            attempts, self._attempts = self._attempts, []
        return attempts

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.sendto"}:
            sock, address = args
            # A datagram socket that connects sends nothing: programs ask it for their own address that way.
            harmless = event == "socket.connect" and sock.type == socket.SOCK_DGRAM
            if sock.family in {socket.AF_INET, socket.AF_INET6} and not harmless:
                self._check(str(address[0]), what=f"{event} {address}")
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and isinstance(args[0], str) and args[0]:
            self._check_name(args[0], what=f"{event} {args[0]}")

    def _check_name(self, name: str, *, what: str) -> None:
        if not _is_address(name) and name not in {"localhost", socket.gethostname()}:
            self._refuse(what)

    def _check(self, host: str, *, what: str) -> None:
        local = host == "localhost" or (_is_address(host) and _address(host).is_loopback)
        if not (local and self._loopback):
            self._refuse(what)

    def _refuse(self, what: str) -> None:
        with self._lock:
            self._attempts.append(what)
        raise NetworkBlocked(f"no network beyond loopback in tests: {what}")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(host.partition("%")[0])  # fe80::1%eth0


def _is_address(host: str) -> bool:
    try:
        _address(host)
    except ValueError:
        return False
    return True
