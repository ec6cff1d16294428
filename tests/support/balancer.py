"""nginx on loopback in front of replicas, with the configuration that deploy/ ships: only names and ports differ."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.live_server import ROOT, free_port, wait_for

SHIPPED = ROOT / "deploy" / "nginx.conf"


def nginx() -> str | None:
    """Where nginx is on this machine; None when there is none."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def configuration(directory: Path, *, port: int, replicas: Sequence[str]) -> str:
    """The shipped configuration, for replicas such as `127.0.0.1:8501` and with its files in `directory`."""
    text = SHIPPED.read_text(encoding="utf-8")
    changes = {"listen 8080;": f"listen 127.0.0.1:{port};", "/tmp/": f"{directory}/"}  # noqa: S108 - as the file says
    changes |= {f"switchboard-{number}:8501": address for number, address in enumerate(replicas, start=1)}
    for before, after in changes.items():
        assert before in text, f"{SHIPPED.name} has no {before}"
        text = text.replace(before, after)
    return text


def check(program: str, config: Path) -> str:
    """What nginx says of a configuration; its last line ends with "successful" for a good one."""
    done = subprocess.run([program, "-t", "-c", str(config)], capture_output=True, text=True, timeout=20, check=False)
    return done.stderr


@contextmanager
def balancer(program: str, directory: Path, replicas: Sequence[str], *, healthy: bool = True) -> Iterator[str]:
    """A running nginx; gives its URL. `healthy`: a replica is there and answers."""
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(configuration(directory, port=port, replicas=replicas), encoding="utf-8")
    if os.geteuid() == 0:
        # Its workers give up root, and have to reach their folders.
        directory.chmod(0o755)
    with (directory / "nginx.log").open("ab") as log:
        process = subprocess.Popen([program, "-c", str(config), "-g", "daemon off;"], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or _answers(url, healthy=healthy), what="nginx")
        assert process.poll() is None, (directory / "nginx.log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str, *, healthy: bool) -> bool:
    try:
        answer = httpx.get(f"{url}/api/health", timeout=5.0, trust_env=False)
    except httpx.TransportError:
        return False
    return not healthy or answer.status_code == httpx.codes.OK
