"""The deterministic provider as a process of its own, and what it saw of each call."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from tests.support import provider_text

_TAIL_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the provider saw it; times in Unix seconds."""

    model: str
    received_at: float
    first_token_at: float
    last_token_at: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer looks like: the source text, and how to recognise its first and last token on a page.

    `last` is complete when `tail` stands at character `tail_from` or later of the page's text.
    """

    source: str
    first: str
    tail: str
    tail_from: int


@dataclass(frozen=True, slots=True)
class Provider:
    """The running provider."""

    port: int

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def calls(self) -> list[Call]:
        """All finished calls, oldest first."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_log", timeout=10) as answer:
            rows = json.load(answer)["requests"]
        return [
            Call(row["model"], row["received_at"], row["first_token_at"], row["last_token_at"], row["tokens_sent"])
            for row in rows
            if row["done"] and row["first_token_at"]
        ]

    def call_after(self, model: str, moment: float) -> Call:
        """The first call of `model` received at or after `moment` (Unix seconds)."""
        return next(call for call in self.calls() if call.model == model and call.received_at >= moment)


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """A provider that lives as long as the block."""
    port = processes.free_port()
    command = [sys.executable, "-m", "tests.support.provider_server", "--port", str(port)]
    server = processes.start(command, port=port, cwd=processes.ROOT, env={}, log=folder / "provider.log")
    try:
        processes.wait_until_listening(server)
        yield Provider(port)
    finally:
        processes.stop(server)


def model_name(tokens: int, *, rate: int, first_ms: int = 200) -> str:
    """The provider's name for an answer of so many tokens at `rate` a second, the first after `first_ms`."""
    return f"bench-t{tokens}-r{rate}-f{first_ms}"


def expected(tokens: int) -> Expected:
    """The answer of `model_name(tokens, ...)`."""
    pieces = provider_text.prose(tokens)
    paragraphs = rendered("".join(pieces)).split("\n\n")
    tail = rendered("".join(pieces[-_TAIL_TOKENS:])).rpartition("\n\n")[2].strip()
    length = sum(map(len, paragraphs))
    return Expected("".join(pieces), pieces[0], tail, length - len(tail))


def rendered(markdown: str) -> str:
    """The text a page shows for the provider's Markdown, which knows bold and code only."""
    return markdown.replace("**", "").replace("`", "")
