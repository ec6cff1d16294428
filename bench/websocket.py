"""A Streamlit page without a browser: the WebSocket, Streamlit's own messages, and a clock.

Twenty tabs on two cores would measure Chromium; twenty of these measure the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

_START_TIMEOUT_S = 60
_HEAD = 24


@dataclass(slots=True)
class Screen:
    """What a page would show, as far as the bench needs it: the composer and every text by its place."""

    composer_id: str = ""
    composer_fragment: str = ""
    page_hash: str = ""
    session_id: str = ""
    running: bool = True
    texts: dict[tuple[int, ...], str] = field(default_factory=dict)

    def take(self, message: ForwardMsg) -> str | None:
        """Apply a message; the text that is new on the screen, if there is one."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.page_hash = message.new_session.page_script_hash
            self.running = True
        elif kind == "script_finished":
            self.running = False
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            return self._take_element(message)
        return None

    def _take_element(self, message: ForwardMsg) -> str | None:
        element = message.delta.new_element
        if element.WhichOneof("type") == "chat_input":
            self.composer_id = element.chat_input.id
            self.composer_fragment = message.delta.fragment_id
            return None
        text, place = text_of(element), tuple(message.metadata.delta_path)
        if not text or self.texts.get(place) == text:
            return None
        self.texts[place] = text
        return text


@dataclass(frozen=True, slots=True)
class Stream:
    """One answer as it arrived. Times in seconds of the monotonic clock; `arrivals` has one per new piece of text."""

    sent: float
    arrivals: tuple[float, ...]

    @property
    def ended(self) -> float:
        return self.arrivals[-1]


def text_of(element: Element) -> str:
    """The text that an element shows; empty for anything that is no text."""
    kind = element.WhichOneof("type")
    if kind in {"markdown", "html", "text", "code"}:
        part = getattr(element, kind)
        return str(part.code_text if kind == "code" else part.body)
    return ""


def belongs(text: str, answer: str) -> bool:
    """Whether a text is the answer so far or one of its blocks, by how it begins."""
    return text[:_HEAD].rstrip() in answer


def finishes(text: str, answer: str) -> bool:
    """Whether a text holds the end of the answer."""
    return answer[-_HEAD * 2 :] in text


def rerun(*, query: str = "", screen: Screen | None = None, prompt: str = "") -> bytes:
    """The message a browser sends for a first run, or to send a prompt from the composer."""
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_script_hash = screen.page_hash if screen else ""
    if screen and prompt:
        message.rerun_script.fragment_id = screen.composer_fragment
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = screen.composer_id
        widget.chat_input_value.data = prompt
    return bytes(message.SerializeToString())


async def sessions(
    address: str, *, count: int, prompt: str, answer: str, headers: Mapping[str, str], path: str = ""
) -> list[Stream]:
    """Open `count` pages one after the other, then send the prompt on all of them at once and read to the end.

    `address` is host:port, `path` the page's path without query. Raises TimeoutError when an answer does not end.
    """
    pages = [await _open(address, headers, path) for _ in range(count)]
    try:
        deadline = 30 + len(answer) / 20
        return await asyncio.wait_for(
            asyncio.gather(*(_ask(page, screen, prompt, answer) for page, screen in pages)), deadline
        )
    finally:
        for page, _ in pages:
            await page.close()


async def _open(address: str, headers: Mapping[str, str], path: str) -> tuple[ClientConnection, Screen]:
    page = await connect(
        f"ws://{address}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=f"http://{address}",  # type: ignore[arg-type]
        additional_headers=dict(headers),
        compression=None,
        max_size=None,
        proxy=None,
        ping_interval=None,  # a server that is busy for long is what is measured here, no reason to leave
    )
    first = BackMsg()
    first.ParseFromString(rerun())
    first.rerun_script.page_name = path
    first.rerun_script.context_info.url = f"http://{address}/{path}"
    await page.send(first.SerializeToString())
    screen = Screen()
    await asyncio.wait_for(_read_until_idle(page, screen), _START_TIMEOUT_S)
    return page, screen


async def _read_until_idle(page: ClientConnection, screen: Screen) -> None:
    while screen.running or not screen.composer_id:
        _take(screen, await page.recv())


async def _ask(page: ClientConnection, screen: Screen, prompt: str, answer: str) -> Stream:
    sent, arrivals = time.monotonic(), []
    await page.send(rerun(screen=screen, prompt=prompt))
    while True:
        text = _take(screen, await page.recv())
        if text is not None and belongs(text, answer):
            arrivals.append(time.monotonic())
            if finishes(text, answer):
                return Stream(sent, tuple(arrivals))


def _take(screen: Screen, data: str | bytes) -> str | None:
    message = ForwardMsg()
    message.ParseFromString(data if isinstance(data, bytes) else data.encode())
    return screen.take(message)


def speed(streams: Sequence[Stream], tokens: int) -> float:
    """Tokens a second over all streams, from the first send to the last arrival."""
    return len(streams) * tokens / (max(stream.ended for stream in streams) - min(stream.sent for stream in streams))
