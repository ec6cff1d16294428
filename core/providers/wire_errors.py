"""Turns what LiteLLM, the OpenAI client, the HTTP library and our own readers raise into ProviderError.

Classes alone mislead: LiteLLM raises InternalServerError for a refused connection, BadRequestError for a 403 and
MidStreamFallbackError for anything that breaks a stream. So the causes are searched for network errors first, then the
status code decides, and classes only where they say more than the code. Nothing is imported for it: a class is known
by its name, wherever in the ancestry it stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.clock import Clock, utc_now
from core.errors import ErrorClass, ProviderError
from core.providers.redaction import redact

_DETAIL_CHARACTERS = 2000
_LOWEST_ERROR, _HIGHEST_ERROR = 400, 599
_OUT_OF_CREDIT = 402
_RATE_LIMITED = 429
_SERVER_ERRORS = 500
_PLAIN_STATUSES = frozenset({401, 403, 404, 429})  # these say enough; their text may mention anything

_CANNOT_CONNECT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError", "gaierror"})
_TIMED_OUT = frozenset(
    {"ReadTimeout", "WriteTimeout", "TimeoutException", "APITimeoutError", "Timeout", "TimeoutError"}
)
_BROKE_OFF = frozenset(
    {
        "ReadError",
        "WriteError",
        "RemoteProtocolError",
        "ClientPayloadError",
        "ServerDisconnectedError",
        "ConnectionError",
    }
)
_UNREADABLE = frozenset({"JSONDecodeError", "APIResponseValidationError", "UnicodeDecodeError", "DecodingError"})
# The server itself said that it failed.
_SAID_SO = frozenset({"APIError", "ErrorEventError"})

_BY_STATUS = {
    400: ErrorClass.BAD_REQUEST,
    401: ErrorClass.AUTHENTICATION,
    402: ErrorClass.PERMISSION,
    403: ErrorClass.PERMISSION,
    404: ErrorClass.NOT_FOUND,
    405: ErrorClass.NOT_FOUND,
    408: ErrorClass.STALL,
    410: ErrorClass.NOT_FOUND,
    413: ErrorClass.CONTEXT_LENGTH,
    429: ErrorClass.RATE_LIMIT,
}
_CONTEXT_WORDS = re.compile(
    r"context_length_exceeded|maximum context length|exceed_context_size|exceeds? the (?:available |model'?s )?"
    r"(?:maximum )?context|context window|prompt is too long|input is too long|too many input tokens",
    re.IGNORECASE,
)
_POLICY_WORDS = re.compile(r"content_policy|content_filter|content management policy|safety system", re.IGNORECASE)
# A LiteLLM proxy says both with the status of a request gone wrong.
_UNKNOWN_MODEL_WORDS = re.compile(r"invalid model name passed in model=", re.IGNORECASE)
_BUDGET_WORDS = re.compile(r"budget_exceeded|budget has been exceeded", re.IGNORECASE)
_CREDIT_WORDS = re.compile(r"insufficient_quota|exceeded your current quota|credit balance|billing", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Words:
    """A sentence and a next step; `{label}` is the model, `{when}` the wait a provider asked for."""

    what: str
    next_step: str


_ANOTHER = "Try again or choose another model."
_WORDS = {
    ErrorClass.CONNECTION: _Words("{label} cannot be reached.", "Check that its server runs, or choose another model."),
    ErrorClass.AUTHENTICATION: _Words(
        "{label} refused the key of this server.", "Ask an administrator to check the key, or choose another model."
    ),
    ErrorClass.PERMISSION: _Words(
        "The key of this server may not use {label}.", "Ask an administrator for access, or choose another model."
    ),
    ErrorClass.NOT_FOUND: _Words(
        "The provider does not know {label}.", "Choose another model, or ask an administrator to correct its name."
    ),
    ErrorClass.RATE_LIMIT: _Words("{label} is over its rate limit{when}.", _ANOTHER),
    ErrorClass.BAD_REQUEST: _Words(
        "{label} refused the request.", "Check the parameters in the details below, or choose another model."
    ),
    ErrorClass.CONTEXT_LENGTH: _Words(
        "The conversation is longer than {label} can read.",
        "Choose a model with a larger context window, or start a new chat.",
    ),
    ErrorClass.CONTENT_POLICY: _Words(
        "{label} refused the content under its provider's policy.", "Change the message, or choose another model."
    ),
    ErrorClass.SERVER: _Words("{label} had an error at its provider.", _ANOTHER),
    ErrorClass.STALL: _Words("{label} stopped sending.", _ANOTHER),
    ErrorClass.INTERNAL: _Words(
        "{label} could not be called: Switchboard made an error.", "Choose another model and report the details below."
    ),
}
_BROKEN_STREAM = _Words("The connection to {label} broke.", _ANOTHER)
_UNREADABLE_ANSWER = _Words("{label} sent something unreadable.", _ANOTHER)
_NO_CREDIT = _Words(
    "The account for {label} is out of credit.", "Ask an administrator to top it up, or choose another model."
)


def to_provider_error(
    exception: BaseException, *, label: str, secrets: Iterable[str | None] = (), clock: Clock = utc_now
) -> ProviderError:
    """The ProviderError for any exception of a call; `label` names the model to the person.

    `secrets` are taken out of the technical text, beside whatever looks like one. `retry_after_s` comes from the
    Retry-After header, seconds or date (RFC 9110, section 10.2.3).
    """
    if isinstance(exception, ProviderError):
        return exception
    causes = tuple(_causes(exception))
    names = frozenset[str]().union(*(_names(cause) for cause in causes))
    network = _network_failure(names)
    # Where the network failed nobody answered: any status in the chain was made up on this side.
    status = None if network else _status(causes)
    text = " ".join(dict.fromkeys(str(cause) for cause in causes))
    error_class, words = network or _classify(names, status=status, text=text)
    retry_after_s = _retry_after_s(causes, now=clock())
    when = f" for {math.ceil(retry_after_s)} s" if retry_after_s else ""
    return ProviderError(
        error_class,
        words.what.format(label=label, when=when),
        next_step=words.next_step,
        detail=redact(f"{type(exception).__name__}: {causes[0]}", secrets=secrets)[:_DETAIL_CHARACTERS],
        status_code=status,
        retry_after_s=retry_after_s,
    )


def error_headers(exception: BaseException) -> dict[str, str]:
    """The headers that came with an exception of a call, by lower-case name; empty when nobody answered."""
    found: dict[str, str] = {}
    for cause in _causes(exception):
        for headers in _headers(cause):
            found = {**headers, **found}
    return found


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception and what led to it, each once; what LiteLLM wrapped comes before what Python chained."""
    waiting: list[BaseException | None] = [exception]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [getattr(current, "original_exception", None), current.__cause__, current.__context__]


def _names(exception: BaseException) -> frozenset[str]:
    return frozenset(cls.__name__ for cls in type(exception).__mro__)


def _classify(names: frozenset[str], *, status: int | None, text: str) -> tuple[ErrorClass, _Words]:
    if known := _out_of_money(status, text) or _said_in_words(names, status=status, text=text):
        return known
    if status is None:
        return _plain(ErrorClass.SERVER if names & _SAID_SO else ErrorClass.INTERNAL)
    if status >= _SERVER_ERRORS:
        return _plain(ErrorClass.SERVER)
    return _plain(_BY_STATUS.get(status, ErrorClass.BAD_REQUEST))


def _out_of_money(status: int | None, text: str) -> tuple[ErrorClass, _Words] | None:
    if status == _OUT_OF_CREDIT or (status == _RATE_LIMITED and _CREDIT_WORDS.search(text)):
        return _BY_STATUS[status], _NO_CREDIT
    if status is not None and _BUDGET_WORDS.search(text):
        return ErrorClass.PERMISSION, _NO_CREDIT
    return None


def _said_in_words(names: frozenset[str], *, status: int | None, text: str) -> tuple[ErrorClass, _Words] | None:
    """What a provider says in its message only, whatever status it chose."""
    if status in _PLAIN_STATUSES:
        return None
    if _UNKNOWN_MODEL_WORDS.search(text):
        return _plain(ErrorClass.NOT_FOUND)
    if "ContextWindowExceededError" in names or _CONTEXT_WORDS.search(text):
        return _plain(ErrorClass.CONTEXT_LENGTH)
    if "ContentPolicyViolationError" in names or _POLICY_WORDS.search(text):
        return _plain(ErrorClass.CONTENT_POLICY)
    if names & _UNREADABLE and (status is None or status >= _SERVER_ERRORS):
        return ErrorClass.SERVER, _UNREADABLE_ANSWER
    return None


def _network_failure(names: frozenset[str]) -> tuple[ErrorClass, _Words] | None:
    if names & _CANNOT_CONNECT:
        return _plain(ErrorClass.CONNECTION)
    if names & _TIMED_OUT:
        return _plain(ErrorClass.STALL)
    if names & _BROKE_OFF:
        return ErrorClass.CONNECTION, _BROKEN_STREAM
    return None


def _plain(error_class: ErrorClass) -> tuple[ErrorClass, _Words]:
    return error_class, _WORDS[error_class]


def _status(causes: tuple[BaseException, ...]) -> int | None:
    """The HTTP status the provider sent, else the code in its error event, else what a client library chose."""
    sent = (getattr(getattr(cause, "response", None), "status_code", None) for cause in causes if not _litellm(cause))
    event_codes = (getattr(cause, "code", None) for cause in causes)
    chosen = (getattr(cause, "status_code", None) for cause in causes)
    for candidate in (*sent, *event_codes, *chosen):
        if str(candidate).isdecimal() and _LOWEST_ERROR <= int(str(candidate)) <= _HIGHEST_ERROR:
            return int(str(candidate))
    return None


def _litellm(cause: BaseException) -> bool:
    # Its exceptions carry responses that it made up.
    return type(cause).__module__.startswith("litellm")


def _retry_after_s(causes: tuple[BaseException, ...], *, now: datetime) -> float | None:
    for cause in causes:
        for headers in _headers(cause):
            # A LiteLLM proxy passes its provider's on under a name of its own.
            if value := headers.get("retry-after") or headers.get("llm_provider-retry-after"):
                return parse_retry_after(value, now=now)
    return None


def _headers(cause: BaseException) -> Iterator[Mapping[str, str]]:
    response = getattr(cause, "response", None)
    for headers in (
        getattr(cause, "litellm_response_headers", None),
        getattr(cause, "headers", None),
        getattr(response, "headers", None),
    ):
        if isinstance(headers, Mapping):
            yield {str(name).lower(): str(value) for name, value in headers.items()}


def parse_retry_after(value: str, *, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header: a number of seconds or an HTTP date; None when it is neither.

    `now` is naive UTC. A date in the past gives 0.
    """
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now=now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str, *, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return max(0.0, (moment - now).total_seconds())
