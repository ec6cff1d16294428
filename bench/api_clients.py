"""Clients of a chat completions endpoint in a process of their own: their reading is not the server's cost.

They read bytes and look at them when all is over: a client that parses while twenty others wait would measure itself.
Prints one JSON object: for every answer when it was asked, when its first text came, when its last, and whether it was
whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from tests.support import provider_text

_TEXT = b'"content":'
_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; times in seconds of one clock. `whole` says that its text is what the provider sent."""

    asked_s: float
    first_s: float
    last_s: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask, and the request as bytes."""

    host: str
    port: int
    request: bytes


def main() -> None:
    """Ask as often as told and print what happened."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_clients", description=__doc__)
    parser.add_argument("--api-base", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--each", type=int, default=1, help="answers that each client asks for, one after the other")
    options = parser.parse_args()
    endpoint = _endpoint(options.api_base, options.key, options.model)
    answers = asyncio.run(_all(endpoint, clients=options.clients, each=options.each, tokens=options.tokens))
    sys.stdout.write(json.dumps([asdict(answer) for answer in answers]))


def _endpoint(api_base: str, key: str, model: str) -> Endpoint:
    address = urlsplit(api_base)
    host, port = address.hostname or "", address.port or 80
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Tell me something about it, at some length."}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    content = json.dumps(body).encode()
    lines = [
        f"POST {address.path.rstrip('/')}/chat/completions HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    return Endpoint(host, port, "\r\n".join([*lines, "", ""]).encode() + content)


async def _all(endpoint: Endpoint, *, clients: int, each: int, tokens: int) -> list[Answer]:
    told = await asyncio.gather(*(_one(endpoint, each, tokens) for _ in range(clients)))
    return [answer for answers in told for answer in answers]


async def _one(endpoint: Endpoint, each: int, tokens: int) -> list[Answer]:
    return [_judged(*(await _ask(endpoint)), tokens) for _ in range(each)]


async def _ask(endpoint: Endpoint) -> tuple[float, float, float, bytes]:
    asked = time.perf_counter()
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    writer.write(endpoint.request)
    received, first, last = bytearray(), 0.0, asked
    # A provider that keeps the connection open says so by the end of its chunks.
    while not received.endswith(b"0\r\n\r\n") and (piece := await reader.read(_READ_BYTES)):
        received += piece
        last = time.perf_counter()
        if not first and _has_text(piece):
            first = last
    writer.close()
    return asked, first, last, bytes(received)


def _has_text(piece: bytes) -> bool:
    """Whether text other than an empty one stands in this piece."""
    return any(not part.lstrip().startswith((b'""', b"null")) for part in piece.split(_TEXT)[1:])


def _judged(asked: float, first: float, last: float, received: bytes, tokens: int) -> Answer:
    expected = "".join(provider_text.prose(tokens))
    return Answer(asked, first, last, whole=text_of(received) == expected)


def text_of(received: bytes) -> str:
    """The text of a chunked event stream, head and all."""
    _, _, rest = received.partition(b"\r\n\r\n")
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        body += rest[:length]
        rest = rest[length + 2 :]
        if not length:
            break
    lines = (line.removeprefix("data: ") for line in body.decode("utf-8").split("\n") if line.startswith("data: {"))
    choices = [choice for line in lines for choice in json.loads(line).get("choices") or ()]
    return "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)


if __name__ == "__main__":
    main()
