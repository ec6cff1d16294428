"""Asking a model whether it is there, when nobody has called it for a while and somebody looks at it.

A probe is a GET of the provider's list of models: it is free, it takes no capacity, and it finds out the two things
that most often keep a model away, an endpoint that is down and a key that is refused. Where a provider has no such list
the model itself is asked for one token, if that is sure to cost next to nothing (core.catalog.probe_cost): a page left
open asks around the clock for nobody's question. What neither way reaches stays grey until it is called.

Red is said of a model only for what its provider did. Our own lateness is not counted (core.catalog.patience), and a
question that nobody answers in time is asked once more, half a minute later, before it says anything.

SWITCHBOARD_PROBES=free leaves the lists only, =off switches all of it off.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from core.catalog.health import STALE, ModelStatus
from core.catalog.models import ModelSpec, ProviderSpec
from core.catalog.patience import patiently
from core.catalog.probe_cost import may_be_asked
from core.clock import Clock, monotonic_ms, utc_now
from core.ids import new_id
from core.shared.journal import ALONE, Journal
from core.store.database import Database
from core.store.sql import load_queries

RunAside = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]

LIMIT_S = 10.0
# A question that was not answered in time is asked again after this, and only then believed.
AGAIN = timedelta(seconds=30)
_AT_ONCE = 4
# The lists of models as the providers document them, by LiteLLM's name of the provider.
_LISTS: Mapping[str, str] = MappingProxyType(
    {
        "openai": "https://api.openai.com/v1/models",
        "anthropic": "https://api.anthropic.com/v1/models",
        "gemini": "https://generativelanguage.googleapis.com/v1beta/models",
        "mistral": "https://api.mistral.ai/v1/models",
        "groq": "https://api.groq.com/openai/v1/models",
        "xai": "https://api.x.ai/v1/models",
        "deepseek": "https://api.deepseek.com/models",
        "openrouter": "https://openrouter.ai/api/v1/models",
    }
)
# A list where the key goes into "Authorization", at an address of one's own.
_OPENAI_LIKE = frozenset({"openai", "mistral", "groq", "xai", "deepseek", "openrouter", "hosted_vllm", "lm_studio"})
_OK = range(200, 300)
# It answers and says nothing against the model: too often asked, or it keeps no list.
_TOO_OFTEN = 429
_NO_LIST = frozenset({404, 405, 501})
_DROPPED = r"coroutine 'connect_tcp\..* was never awaited"
_KEY_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Question:
    """One GET: where, and with which headers."""

    url: str
    headers: Mapping[str, str] = field(repr=False)  # the key is in them


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found: `problem` in words, None when there is none; `silent` when it says nothing either way.

    `unanswered`: the problem is that no answer came in time.
    """

    problem: str | None = None
    silent: bool = False
    unanswered: bool = False


Complete = Callable[[ModelSpec], Coroutine[Any, Any, Finding]]


class Prober:
    """Probes models in the background. Safe to use from any thread.

    `run_aside` runs a coroutine beside the turns. `complete` asks a model itself, where its provider has no free
    question and the cost is bounded; None: never. `done` is called when a result is in the store.
    """

    def __init__(
        self,
        database: Database,
        *,
        keys: Callable[[str], str | None],
        run_aside: RunAside,
        complete: Complete | None = None,
        done: Callable[[], None] = lambda: None,
        enabled: bool = True,
        limit_s: float = LIMIT_S,
        clock: Clock = utc_now,
        journal: Journal = ALONE,
    ) -> None:
        """Through the `journal` replicas tell each other whom they ask: one of them asking is enough."""
        self._database = database
        self._journal = journal
        journal.on("probe", lambda event, _by: self._take(event["model"]))
        self._keys = keys
        self._run_aside = run_aside
        self._complete = complete
        self._done = done
        self._enabled = enabled
        self._limit_s = limit_s
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at: dict[str, datetime] = {}
        # The models whose last question was not answered in time.
        self._unanswered: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def ask(self, model: ModelSpec, status: ModelStatus) -> bool:
        """Probe a model that somebody looks at, if nothing is known of it; returns at once, True when a probe began.

        A model is asked at most every ten minutes, and once more half a minute after a question without an answer.
        """
        if not self._enabled or status.state != "unknown":
            return False
        key = None if model.provider.key_variable is None else self._keys(model.provider.key_variable)
        if model.provider.key_variable is not None and key is None:
            return False
        question, complete = question_for(model.provider, key=key), self._completing(model)
        if (question is None and complete is None) or not self._take(model.id):
            return False
        self._journal.tell({"kind": "probe", "model": model.id})
        self._run_aside(partial(self._probe, model, question, complete))
        return True

    def _completing(self, model: ModelSpec) -> Complete | None:
        return self._complete if may_be_asked(model, now=self._clock()) else None

    def _take(self, model_id: str) -> bool:
        now = self._clock()
        with self._lock:
            asked_at = self._asked_at.get(model_id)
            if asked_at is not None and now - asked_at < STALE:
                return False
            self._asked_at[model_id] = now
            return True

    async def _probe(self, model: ModelSpec, question: Question | None, complete: Complete | None) -> None:
        async with self._slots:
            started_ms = monotonic_ms()
            finding = await self._find_out(model, question, complete)
            duration_ms = monotonic_ms() - started_ms
        if self._counts(model.id, finding):
            await asyncio.to_thread(self._record, model, finding.problem, duration_ms)
        self._done()

    def _counts(self, model_id: str, finding: Finding) -> bool:
        """Whether a finding says something about the model: one question without an answer does not."""
        with self._lock:
            if finding.unanswered and model_id not in self._unanswered:
                self._unanswered.add(model_id)
                self._asked_at[model_id] = self._clock() - STALE + AGAIN
                return False
            self._unanswered.discard(model_id)
        return not finding.silent

    async def _find_out(self, model: ModelSpec, question: Question | None, complete: Complete | None) -> Finding:
        if question is not None:
            found = await ask_provider(question, limit_s=self._limit_s)
            if not found.silent:
                return replace(found, problem=found.problem and f"{model.provider.id} {found.problem}")
        # A server without a list is there; more is known only where the model itself may be asked.
        return Finding() if complete is None else await complete(model)

    def _record(self, model: ModelSpec, problem: str | None, duration_ms: float) -> None:
        self._database.execute(
            load_queries("health")["insert_probe"],
            id=new_id(),
            model_id=model.id,
            probed_at=self._clock(),
            duration_ms=duration_ms,
            problem=problem,
        )


def question_for(provider: ProviderSpec, *, key: str | None) -> Question | None:
    """The free question that a provider can be asked; None when there is none, or when its key is missing."""
    if provider.key_variable is not None and key is None:
        return None
    if provider.api_base is not None:
        url = f"{provider.api_base.rstrip('/')}/models" if provider.kind in _OPENAI_LIKE else None
    else:
        url = _LISTS.get(provider.kind)
    return None if url is None else Question(url, _headers(provider.kind, key))


def finding_of(status_code: int) -> Finding:
    """What an answer to the question says; its problem is the rest of a sentence about the provider."""
    if status_code in _OK or status_code == _TOO_OFTEN:
        return Finding()
    if status_code in _NO_LIST:
        return Finding(silent=True)
    if status_code in _KEY_REFUSED:
        return Finding(f"refuses its key ({status_code})")
    return Finding(f"answers with status {status_code}")


async def ask_provider(question: Question, *, limit_s: float) -> Finding:
    """Ask; a problem is the rest of a sentence about the provider."""
    httpx = await asyncio.to_thread(_import_httpx)
    # Building a client reads the certificates of the system, which would hold up every turn on this loop. It has no
    # limits of its own: they would go by the clock.
    client = await asyncio.to_thread(httpx.AsyncClient, timeout=None, trust_env=not _on_this_machine(question.url))
    try:
        async with client:
            return finding_of(await patiently(_status_code(client, question), limit_s=limit_s))
    except TimeoutError:
        return Finding(f"did not answer within {limit_s:g} seconds", unanswered=True)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Finding("cannot be reached")


async def _status_code(client: Any, question: Question) -> int:
    # The status is enough: the list itself, up to a megabyte, is not read. Redirects are not followed, they would carry
    # the key along.
    async with client.stream("GET", question.url, headers=dict(question.headers)) as answer:
        return int(answer.status_code)


def _import_httpx() -> Any:
    import httpx  # noqa: PLC0415 - a tenth of a second that no page and no turn has to spare

    # Cancelled by the end of the process while it connects, its coroutine is dropped; nothing was sent yet.
    warnings.filterwarnings("ignore", message=_DROPPED, category=RuntimeWarning)
    return httpx


def _headers(kind: str, key: str | None) -> dict[str, str]:
    if key is None:
        return {}
    match kind:
        case "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        case "gemini":
            return {"x-goog-api-key": key}
        case _:
            return {"Authorization": f"Bearer {key}"}


def _on_this_machine(url: str) -> bool:
    # A proxy knows nothing of this machine's own servers.
    return (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
