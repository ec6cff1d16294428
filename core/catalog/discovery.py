"""Which models an endpoint says it has: Ollama, vLLM, LM Studio, llama.cpp, any OpenAI-compatible server.

Asked in a thread of its own when somebody looks and the last answer is older than 5 minutes (1 minute after a failure);
whoever looks gets what is known and never waits. An endpoint that cannot be reached keeps the models of its last good
answer until the process ends, and is nobody's trouble: what went wrong is shown on the Models page and not logged.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from core.catalog.models import ModelSpec, ProviderSpec
from core.clock import monotonic_ms

Keys = Callable[[str], str | None]

LIFETIME_MS = 5 * 60 * 1000
_AFTER_FAILURE_MS = 60 * 1000
# A server on this machine or in this network accepts at once or not at all.
_CONNECT_S = 1.0
_READ_S = 5.0
_MOST_MODELS = 1000
_MOST_BYTES = 4_000_000
_LONGEST_NAME = 200
_CLOSE_S = 0.5

# How servers call the context window: vLLM, LM Studio and OpenRouter, Mistral, Groq. llama.cpp has it under `meta`.
_WINDOWS = ("max_model_len", "context_length", "max_context_length", "context_window")


@dataclass(frozen=True, slots=True)
class Reported:
    """One model as its endpoint names it."""

    name: str
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What is known of one endpoint. `problem` is None after a good answer; `models` are those of the last good one."""

    provider: ProviderSpec
    models: tuple[Reported, ...] = ()
    problem: str | None = None
    asked_ms: float | None = None

    def due(self, now_ms: float) -> bool:
        """Whether it is time to ask again."""
        if self.asked_ms is None:
            return True
        return now_ms - self.asked_ms >= (LIFETIME_MS if self.problem is None else _AFTER_FAILURE_MS)


class Discovery:
    """The endpoints that are asked for their models. Safe to use from any thread."""

    def __init__(self, *, keys: Keys = lambda _name: None, now_ms: Callable[[], float] = monotonic_ms) -> None:
        self._keys = keys
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._states: Mapping[str, EndpointState] = {}
        self._worker: threading.Thread | None = None
        self._closed = False

    def states(self, providers: Iterable[ProviderSpec]) -> Mapping[str, EndpointState]:
        """What is known of those of `providers` that are to be asked, by their id; asks in the background when due.

        The same mapping comes back until something new is known.
        """
        asked = [provider for provider in providers if provider.discover]
        states = self._states
        if self._closed or not asked:
            return states
        now = self._now_ms()
        due = [provider for provider in asked if _state_of(states, provider).due(now)]
        if due and self._lock.acquire(blocking=False):
            try:
                self._start(due)
            finally:
                self._lock.release()
        return states

    def ask_again(self) -> None:
        """Ask every endpoint anew at the next look; what is known stays until then."""
        with self._lock:
            self._states = {name: replace(state, asked_ms=None) for name, state in self._states.items()}

    def wait(self, timeout_s: float) -> bool:
        """Wait until no endpoint is being asked; False when it took longer."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)
        return worker is None or not worker.is_alive()

    def close(self) -> None:
        """Ask nobody any more."""
        self._closed = True
        self.wait(_CLOSE_S)

    def _start(self, due: list[ProviderSpec]) -> None:
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._ask, args=(due,), name="discovery", daemon=True)
            self._worker.start()

    def _ask(self, due: list[ProviderSpec]) -> None:
        for provider in due:
            if self._closed:
                return
            before = _state_of(self._states, provider)
            key = None if provider.key_variable is None else self._keys(provider.key_variable)
            try:
                after = EndpointState(provider, models=tuple(ask_endpoint(provider, key=key)))
            except Exception as error:
                # Whatever a foreign server does must not take more than its own models away.
                after = replace(before, problem=_problem(error))
            with self._lock:
                self._states = {**self._states, provider.id: replace(after, asked_ms=self._now_ms())}


class UnexpectedAnswerError(Exception):
    """The endpoint answered, and not with a list of models. The message is fit to be shown."""


def discovered_model(provider: ProviderSpec, reported: Reported) -> ModelSpec:
    """A model that only its endpoint knows. Its id is `<provider>/<name>`."""
    return ModelSpec(
        id=f"{provider.id}/{reported.name}",
        label=reported.name,
        provider=provider,
        upstream=reported.name,
        context_tokens=reported.context_tokens,
        prices=provider.discovered_prices,
        note=f"Found at {provider.id}",
    )


def ask_endpoint(provider: ProviderSpec, *, key: str | None = None) -> list[Reported]:
    """The models of one endpoint: `{api_base}/models` in OpenAI's shape, else Ollama's `/api/tags`.

    Raises httpx.HTTPError or UnexpectedAnswerError.
    """
    import httpx  # noqa: PLC0415 - a tenth of a second that only this thread has to spare

    base = (provider.api_base or "").rstrip("/")
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    # A proxy knows nothing of this machine's own servers. Redirects are not followed: they would carry the key along.
    with httpx.Client(timeout=timeout, headers=headers, trust_env=not _on_this_machine(base)) as client:
        answer = client.get(f"{base}/models")
        if answer.status_code == httpx.codes.NOT_FOUND:
            answer = client.get(f"{base.removesuffix('/v1')}/api/tags")
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise UnexpectedAnswerError(f"refuses the key ({answer.status_code})")
        if not answer.is_success:
            raise UnexpectedAnswerError(f"answered {answer.status_code} when asked for its models")
        if len(answer.content) > _MOST_BYTES:
            raise UnexpectedAnswerError("answered with more than a list of models")
        try:
            return read_list(answer.json())
        except ValueError as error:
            raise UnexpectedAnswerError("did not answer with a list of models") from error


def read_list(data: Any) -> list[Reported]:
    """The models of an answer in OpenAI's shape (`data`, `id`) or Ollama's (`models`, `name`), each name once.

    Entries that name nothing usable are passed over. Raises ValueError for an answer of another shape.
    """
    entries = data.get("data", data.get("models")) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise ValueError("neither `data` nor `models` is a list")  # noqa: TRY004 - the caller catches one class
    found = {reported.name: reported for entry in entries if (reported := _read_entry(entry))}
    return list(found.values())[:_MOST_MODELS]


def _read_entry(entry: Any) -> Reported | None:
    if not isinstance(entry, dict):
        return None
    name = entry.get("id") or entry.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        return None
    meta = entry.get("meta")
    windows = [entry.get(key) for key in _WINDOWS]
    windows.append(meta.get("n_ctx_train") if isinstance(meta, dict) else None)
    return Reported(name.strip(), next((window for window in windows if _is_count(window)), None))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _state_of(states: Mapping[str, EndpointState], provider: ProviderSpec) -> EndpointState:
    state = states.get(provider.id)
    # An endpoint whose address changed in the file is another one.
    return state if state is not None and state.provider == provider else EndpointState(provider)


def _problem(error: Exception) -> str:
    if isinstance(error, UnexpectedAnswerError):
        return str(error)
    # By name: httpx is only imported where it is used.
    return "did not answer in time" if type(error).__name__ == "ReadTimeout" else "not reachable"


def _on_this_machine(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
