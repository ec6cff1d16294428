"""`POST /v1/chat/completions`: the chat's engine for scripts. Of a call only the turn and its cost are stored."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.caller import bearer_of, body_as
from api.completion_answer import Served, failure, headers, whole
from api.completion_body import CompletionBody
from api.completion_chunks import HEARTBEAT, Chunks, broken
from api.completion_request import call_of, turn_of, use_case_of
from api.errors import ApiError, from_error
from api.following import Follower, following, stopping_for_absent
from core.accounts.tokens import Bearer
from core.bootstrap import Services
from core.catalog.models import Capability, ModelSpec
from core.catalog.recommend import recommend
from core.chat.answer_figures import figures_of
from core.chat.conversation import AnswerFigures, Message
from core.chat.live_turn import LiveTurn
from core.chat.script_call import capabilities_of
from core.chat.store import with_figures
from core.costs.token_use import TokenUse
from core.errors import LimitReached, StoreError
from core.readiness import refuse_unready

log = logging.getLogger(__name__)


# To begin a call waits for the store. In a file those that wait together are stored together: the more the better. On a
# PostgreSQL each takes a connection for itself, and a burst would wait for new ones: 865 ms among 100, and 294 without.
_BEGINNING = ThreadPoolExecutor(20, thread_name_prefix="api-begin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a stream waits for the first word before it begins, and for the next one before it sends a comment.

    A provider's refusal before it begins has its status code; later it is an event of the stream. Proxies commonly cut
    a silent connection after 60 seconds.
    """

    first_within_s: float = 10.0
    heartbeat_s: float = 10.0


PATIENCE = Patience()


async def complete(request: Request, *, services: Services, use: TokenUse, patience: Patience = PATIENCE) -> Response:
    """Answer a chat completion. Raises ApiError and SwitchboardError."""
    bearer = await bearer_of(request, services, "chat")
    body = await body_as(request, CompletionBody)
    begin = partial(_begin, services, use, bearer, body)
    threads = None if services.database.is_shared else _BEGINNING
    live, left = await asyncio.get_running_loop().run_in_executor(threads, begin)
    told = headers(live.ids.turn) | left
    # Held until the answer is sent: a response in chunks takes it along.
    async with AsyncExitStack() as stack:
        stack.callback(partial(_let_go, services, live))
        follower = await stack.enter_async_context(following(live))
        async with stopping_for_absent(request, live, services.engine):
            if body.stream:
                await follower.wait_for_words(timeout_s=patience.first_within_s)
            else:
                await follower.wait_until_ended()
        if follower.ended and (error := failure(live.result, live.error)) is not None:
            return error.response(told | headers(live.ids.turn, attempts=_attempts(live)))
        if not body.stream:
            served = await _served(services, live)
            return JSONResponse(whole(served, created=_now()), headers=told | headers(live.ids.turn, served))
        if follower.has_words or follower.ended:
            told |= headers(live.ids.turn, attempts=_attempts(live))
        end = partial(_served, services, live)
        chunks = stream_of(live, follower, end, tells_usage=body.tells_usage, heartbeat_s=patience.heartbeat_s)
        return _Stream(chunks, headers=told, holds=stack.pop_all())


def _chosen(services: Services, bearer: Bearer, asked: str, needed: frozenset[Capability]) -> ModelSpec:
    """The model of that id, or the one recommended for `auto:<use case>` among those that can be called now.

    Of the latter only those that can do what is `needed`.
    """
    use_case = use_case_of(asked)
    if use_case is None:
        return find_model(services, bearer, asked)
    allowed = bearer.token.models
    models = {
        name: model
        for name, model in services.offered_models(bearer.user).items()
        if use_case in model.use_cases and needed <= model.capabilities and (allowed is None or name in allowed)
    }
    statuses = {name: services.model_status(model) for name, model in models.items()}
    best = recommend(models, statuses, use_case, limit=1)
    if not best:
        message = f"No model for {use_case[:100]!r} can be called with this token. GET /v1/models has the use cases."
        raise ApiError(status=404, message=message, code="model_not_found", param="model")
    return models[best[0].model_id]


def find_model(services: Services, bearer: Bearer, model_id: str) -> ModelSpec:
    """A model that the token may call. Raises ApiError (404, 403), or TurnRefused for one not open to its owner."""
    model = services.registry.current().get(model_id)
    if model is None:
        raise ApiError(
            status=404,
            message=f"There is no model {model_id[:100]!r}. GET /v1/models lists those there are.",
            code="model_not_found",
            param="model",
        )
    if bearer.token.models is not None and model_id not in bearer.token.models:
        raise ApiError(
            status=403, message=f"This token may not use {model_id}.", code="model_not_allowed", param="model"
        )
    refuse_unready(model, bearer.user.id, database=services.database, groups=services.groups, keys=services.keys)
    return model


def _check_fallbacks(services: Services, bearer: Bearer, asked: Sequence[str]) -> None:
    """Raises ApiError for one that nobody could take; one that is down or has no key is passed over, as ever."""
    known, allowed = services.registry.current(), bearer.token.models
    for model_id in asked:
        if known.get(model_id) is None:
            message = f"There is no model {model_id[:100]!r} to fall back to. GET /v1/models lists those there are."
            raise ApiError(status=404, message=message, code="model_not_found", param="fallbacks")
        if allowed is not None and model_id not in allowed:
            message = f"This token may not use {model_id}."
            raise ApiError(status=403, message=message, code="model_not_allowed", param="fallbacks")


def _begin(services: Services, use: TokenUse, bearer: Bearer, body: CompletionBody) -> tuple[LiveTurn, dict[str, str]]:
    """Start the turn; and the headers that say what is left of the token's limit. It blocks."""
    call, system_prompt = call_of(body)
    model = _chosen(services, bearer, body.model, capabilities_of(call))
    _check_fallbacks(services, bearer, body.fallbacks or ())
    turn = turn_of(body, call, bearer, model, system_prompt=system_prompt)
    told = _admitted(use, bearer)
    return services.engine.start(turn), told


def _admitted(use: TokenUse, bearer: Bearer) -> dict[str, str]:
    """Count the request; the headers that say what is left. Raises ApiError (429) with them, where nothing is."""
    token = bearer.token
    limit = {} if token.rpm_limit is None else {"x-ratelimit-limit-requests": str(token.rpm_limit)}
    try:
        left = use.admit(token.id, rpm_limit=token.rpm_limit)
    except LimitReached as reached:
        refused = from_error(reached)
        if reached.code != "rate_limit":
            raise refused from reached
        again = {"x-ratelimit-reset-requests": f"{refused.headers['retry-after']}s"}
        headers = {**refused.headers, **limit, "x-ratelimit-remaining-requests": "0", **again}
        raise replace(refused, headers=headers) from reached
    return limit if left is None else {**limit, "x-ratelimit-remaining-requests": str(left)}


class _Stream(StreamingResponse):
    """An event stream that lets go of what it `holds` however it ends, also when nobody took its first byte."""

    def __init__(self, chunks: AsyncIterator[str], *, headers: Mapping[str, str], holds: AsyncExitStack) -> None:
        told = {**headers, "cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(chunks, media_type="text/event-stream", headers=told)
        self._holds = holds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._holds:
            await super().__call__(scope, receive, send)


def _let_go(services: Services, live: LiveTurn) -> None:
    """Stop a turn that nobody reads any more, if it still runs."""
    if not live.buffer.wait_until_ended(timeout_s=0):
        services.engine.stop(live)


async def stream_of(
    live: LiveTurn,
    follower: Follower,
    end: Callable[[], Awaitable[Served]],
    *,
    tells_usage: bool,
    heartbeat_s: float,
) -> AsyncIterator[str]:
    """The body of a stream. A comment goes out whenever nothing has come for `heartbeat_s` seconds."""
    chunks = Chunks(live.ids.turn, created=_now())
    opening = chunks.opening(live.completion.model.id)
    if not follower.has_words:
        yield opening
        opening = ""
    while (events := await follower.read(timeout_s=heartbeat_s)) or not follower.ended:
        if text := chunks.of(events, live.completion.model.id):
            # With the first words where they are there: every piece that goes out alone costs as much as a word.
            yield opening + text
            opening = ""
        elif not events:
            yield HEARTBEAT
    error = failure(live.result, live.error)
    yield opening + (broken(error) if error is not None else chunks.ending(await end(), tells_usage=tells_usage))


async def _served(services: Services, live: LiveTurn) -> Served:
    answer = live.result
    if answer is None:
        raise RuntimeError("a turn without a result was not found to have failed")
    said = live.answer
    return Served(
        answer=answer,
        figures=figures_of(live.recorded) if live.recorded else await asyncio.to_thread(_read, services, live, answer),
        attempts=_attempts(live),
        calls=tuple(said.calls),
        signed=said.signed,
        logprobs=said.logprobs,
    )


def _read(services: Services, live: LiveTurn, answer: Message) -> AnswerFigures | None:
    """What the answer took; None where the store does not answer: what was said is not lost for that."""
    try:
        [figured] = with_figures(services.database, [answer], conversation_id=live.ids.conversation)
    except StoreError:
        log.warning("what turn %s took could not be read", live.ids.turn, exc_info=True)
        return None
    return figured.figures


def _attempts(live: LiveTurn) -> int:
    return len(live.tries) + bool(live.answer.sent)


def _now() -> int:
    return int(time.time())
