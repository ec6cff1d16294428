"""An identity provider on loopback, as its own process: importing it here would bring its deprecation warnings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.live_server import STOP_WITHIN_S, free_port, wait_for

SECRETS = """
[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "a-secret-of-the-tests-only-0123456789"
client_id = "switchboard"
client_secret = "any"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@contextmanager
def oidc_provider(*people: str, groups: Sequence[str] = ()) -> Iterator[str]:
    """Run the provider with these people (email addresses, also their subjects), all in `groups`; gives its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    each = [{"sub": who, "email": who, "name": _name(who), "groups": list(groups)} for who in people]
    claims = [f"--user-claims={json.dumps(claim)}" for claim in each]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *claims]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(url), what="the identity provider", within_s=30)
        yield url
    finally:
        process.terminate()
        process.wait(STOP_WITHIN_S)


def write_secrets(home: Path, *, app: str, provider: str) -> None:
    """Put a secrets.toml with [auth] where a server with this home finds it."""
    folder = home / ".streamlit"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secrets.toml").write_text(SECRETS.format(app=app, provider=provider), encoding="utf-8")


def _name(email: str) -> str:
    return email.partition("@")[0].title()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False).is_success
    except httpx.TransportError:
        return False
