"""One client connection of the loopback provider: reads requests, writes answers, breaks where it is told to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from tests.support.provider_behaviour import Answer, Behaviour, Canned, Refusal
from tests.support.provider_wire import HTTP_REASONS, RequestLog, chunk_json, logprobs_of, usage_of


class Host(Protocol):
    """What a connection needs of its server."""

    def behaviour(self, model: str) -> Behaviour:
        """What `model` does."""

    def record(self, log: RequestLog) -> None:
        """Note a new request."""

    def changed(self) -> None:
        """Say that a noted request has changed."""

    def log_json(self) -> dict[str, Any]:
        """The answer to GET /_log."""

    def models_json(self) -> dict[str, Any]:
        """The answer to GET /v1/models."""


class Connection(asyncio.StreamReaderProtocol):
    """One client connection, kept alive between requests, that knows the moment its client went away."""

    def __init__(self, server: Host, connections: set[Connection]) -> None:
        self._reader = asyncio.StreamReader(limit=2**24)
        super().__init__(self._reader, self._serve)
        self._server = server
        self._connections = connections
        self.gone = asyncio.Event()
        self.gone_at: float | None = None
        self._current: RequestLog | None = None
        self._writer: asyncio.StreamWriter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def eof_received(self) -> bool | None:
        self._client_left()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client_left()
        self._connections.discard(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close at once."""
        if self._writer:
            self._writer.transport.abort()

    def _client_left(self) -> None:
        if self.gone_at is not None:
            return
        self.gone_at = time.monotonic()
        if self._current is not None:
            self._current.disconnected_at = self.gone_at
            self._server.changed()
        self.gone.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=2**22)
        if sock := writer.get_extra_info("socket"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while not self.gone.is_set():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length") or 0))
                method, path, _ = head[0].split(" ", 2)
                await self._answer(method, path.partition("?")[0], headers, body)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the server stops
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        if method == "GET" and path == "/v1/models":
            self._send_json(200, self._server.models_json())
        elif method == "GET" and path == "/_log":
            self._send_json(200, self._server.log_json())
        elif method == "POST" and path in {"/v1/chat/completions", "/v1/messages"}:
            await self._complete(headers, json.loads(body))
        elif method == "POST" and path.endswith(":streamGenerateContent"):
            # Gemini names the model in the address only.
            model = path.rpartition("/")[2].partition(":")[0]
            await self._complete(headers, {"model": model, **json.loads(body)})
        else:
            self._send_json(404, {"error": {"message": f"No {method} {path} here.", "type": "invalid_request_error"}})

    async def _complete(self, headers: dict[str, str], body: dict[str, Any]) -> None:
        log = self._current = RequestLog(model=str(body.get("model")), body=body, headers=headers)
        self._server.record(log)
        behaviour = _within_limit(self._server.behaviour(log.model), body)
        if isinstance(behaviour, Refusal):
            self._refuse(behaviour)
        elif isinstance(behaviour, Canned):
            self._send(200, "text/event-stream", behaviour.body.encode(), *_lines(behaviour.headers))
        elif body.get("stream"):
            await self._stream(behaviour, log)
        else:
            await asyncio.sleep(behaviour.first_token_ms / 1000)
            self._send_json(200, _whole(behaviour, log))
        self._current = None
        log.done = True
        self._server.changed()

    async def _stream(self, answer: Answer, log: RequestLog) -> None:
        assert self._writer is not None
        self._writer.write(_head(200, "text/event-stream", "Transfer-Encoding: chunked", *_lines(answer.headers)))
        prefix = (
            f'data: {{"id":"chatcmpl-{id(log):x}","object":"chat.completion.chunk","created":{int(log.received_at)},'
        )
        prefix += f'"model":{json.dumps(answer.served_model or log.model)},'
        self._event(prefix + chunk_json({"role": "assistant", "content": ""}))
        for index, delta in enumerate(_deltas(answer)):
            if answer.ending != "complete" and index == answer.break_after:
                return await self._break(answer.ending)
            due = log.received_monotonic + answer.first_token_ms / 1000
            due += index / answer.tokens_per_second if answer.tokens_per_second else 0.0
            if (wait := due - time.monotonic()) > 0 or index % 64 == 63:
                await asyncio.sleep(max(wait, 0))
            if self.gone.is_set():
                return None
            self._event(prefix + chunk_json(delta, logprobs=logprobs_of(delta, log.body)))
            log.sent()
            self._server.changed()
        self._event(prefix + chunk_json({}, finish_reason=answer.finish_reason))
        if answer.usage and (log.body.get("stream_options") or {}).get("include_usage"):
            self._event(f'{prefix}"choices":[],"usage":{json.dumps(usage_of(answer, log))}}}')
        self._event("data: [DONE]")
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return None

    async def _break(self, ending: str) -> None:
        assert self._writer is not None
        if ending == "stall":
            await self.gone.wait()
            return
        if ending == "malformed":
            self._event('data: {"id": "chatcmpl-1", "choices": [{"delta": {"cont')
            ending = "truncated"
        if ending == "truncated":
            self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        # From here on it is the server that leaves.
        self._current = None
        if ending == "reset":
            sock = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        self._writer.close()

    def _event(self, text: str) -> None:
        assert self._writer is not None
        data = f"{text}\n\n".encode()
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _refuse(self, refusal: Refusal) -> None:
        extra = f"Retry-After: {refusal.retry_after}" if refusal.retry_after else ""
        error = {"message": refusal.message, "type": refusal.type, "param": None, "code": refusal.code}
        self._send_json(refusal.status, {"error": error}, extra, *_lines(refusal.headers))

    def _send_json(self, status: int, content: object, *extra: str) -> None:
        self._send(status, "application/json", json.dumps(content).encode(), *extra)

    def _send(self, status: int, content_type: str, data: bytes, *extra: str) -> None:
        assert self._writer is not None
        self._writer.write(_head(status, content_type, f"Content-Length: {len(data)}", *extra) + data)


def _within_limit(behaviour: Behaviour, body: Mapping[str, Any]) -> Behaviour:
    """What a provider does that is asked for so many tokens at most."""
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if not isinstance(behaviour, Answer) or most is None or len(behaviour.tokens) <= most:
        return behaviour
    return replace(behaviour, tokens=behaviour.tokens[:most], finish_reason="length")


def _lines(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _head(status: int, content_type: str, *extra: str) -> bytes:
    lines = (f"HTTP/1.1 {status} {HTTP_REASONS.get(status, 'Status')}", f"Content-Type: {content_type}", *extra)
    return ("\r\n".join(line for line in lines if line) + "\r\n\r\n").encode("latin-1")


def _deltas(answer: Answer) -> list[Mapping[str, Any]]:
    reasoning = [{"reasoning_content": token} for token in answer.reasoning]
    return [*reasoning, *({"content": token} for token in answer.tokens), *_calls(answer)]


def _calls(answer: Answer) -> Iterator[Mapping[str, Any]]:
    """The calls as OpenAI streams them: the name first, the arguments in pieces."""
    for index, (name, arguments) in enumerate(answer.calls):
        begun = {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"tool_calls": [{"index": index, **begun}]}
        for start in range(0, len(arguments), 7):
            piece = {"index": index, "function": {"arguments": arguments[start : start + 7]}}
            yield {"tool_calls": [piece]}


def _whole(answer: Answer, log: RequestLog) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(answer.tokens)}
    return {
        "id": "chatcmpl-whole",
        "object": "chat.completion",
        "created": int(log.received_at),
        "model": answer.served_model or log.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason}],
        "usage": usage_of(answer, log),
    }
