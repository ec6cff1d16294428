"""What the tests of the HTTP API say to a server, and how they get its tokens."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from typing import Any

import httpx
from PIL import Image

from core.accounts.session_secret import load_session_secret
from core.accounts.token_commands import TokenCommand, sign
from tests.support.live_server import ROOT, LiveServer

HELLO = [{"role": "user", "content": "Say hello."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask(http: httpx.Client, **body: Any) -> httpx.Response:
    """A chat completion of the model `fast`, or another one."""
    return http.post("/v1/chat/completions", json={"model": "fast", "messages": HELLO, **body})


def picture(url: str | None = None, **options: str) -> dict[str, Any]:
    """A part of a message: a red square, or what is at `url`."""
    if url is None:
        out = io.BytesIO()
        Image.new("RGB", (4, 4), "red").save(out, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url, **options}}


def new_token(server: LiveServer, **wanted: Any) -> str:
    """A token of the administrator, asked for as the command line does, without the seconds that a process takes."""
    asked = TokenCommand(action="create", user="admin", name=f"test {wanted}"[:80], **wanted)
    signed = sign(asked, secret=load_session_secret(server.data_dir))
    answer = httpx.post(f"{server.url}/api/local/tokens", json={"signed": signed}, trust_env=False)
    return str(answer.raise_for_status().json()["token"])


def bearer(token: str) -> dict[str, str]:
    """The header with a token."""
    return {"authorization": f"Bearer {token}"}


def environment(server: LiveServer) -> dict[str, str]:
    """The environment of a command that is to find this server."""
    own = {"SWITCHBOARD_PORT": server.url.rsplit(":", 1)[1], "SWITCHBOARD_DATA_DIR": str(server.data_dir)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    return kept | own


def command(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m core tokens` beside a running server."""
    return subprocess.run(
        [sys.executable, "-m", "core", "tokens", *arguments],
        cwd=ROOT,
        env=environment(server),
        capture_output=True,
        text=True,
        check=False,
    )
