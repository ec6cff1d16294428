"""A server that is stopped while a script reads a long answer."""

from __future__ import annotations

import json
from contextlib import closing
from threading import Thread

import httpx

from core.store.database import Database
from tests.support.api_calls import HELLO, bearer, new_token
from tests.support.chatting import write_registry
from tests.support.live_server import start_server
from tests.support.provider_behaviour import Answer
from tests.support.provider_server import ProviderServer


def test_a_long_stream_is_ended_and_stored_when_the_grace_is_over(tmp_path) -> None:
    with ProviderServer() as provider:
        provider.behave("steady", Answer(tokens=("word ",) * 2000, tokens_per_second=20))
        registry = write_registry(tmp_path / "models.yaml", provider)
        server = start_server(tmp_path, SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_ADMIN_PASSWORD="long enough")
        lines: list[str] = []
        body = {"model": "steady", "messages": HELLO, "stream": True}
        asked = (f"{server.url}/v1/chat/completions", bearer(new_token(server)), body)
        reader = Thread(target=_read, args=(*asked, lines))
        try:
            reader.start()
            assert provider.wait_for(lambda requests: bool(requests) and requests[-1].tokens_sent > 3)
        finally:
            server.stop()
        reader.join(5)

    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "interrupted"
    assert "before everything had ended" not in server.output()
    with closing(Database(f"duckdb:{server.data_dir / 'switchboard.duckdb'}")) as database:
        [row] = database.fetch_all("select status, output_tokens from attempts")
    assert row["status"] == "interrupted"
    assert row["output_tokens"] > 3


def _read(url: str, headers: dict[str, str], body: dict[str, object], lines: list[str]) -> None:
    with httpx.stream("POST", url, json=body, headers=headers, trust_env=False, timeout=30) as answer:
        lines += [line for line in answer.iter_lines() if line]
