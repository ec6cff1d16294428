"""A chat completion as OpenAI's clients ask for it, and the turn that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.errors import ApiError
from core.accounts.tokens import Bearer
from core.catalog.effective import Layers, resolve
from core.catalog.models import ModelSpec, ParameterValue
from core.chat.admission import TurnRequest
from core.chat.conversation import Message
from core.clock import utc_now
from core.ids import new_id

# What nobody here can do. None and what means "nothing" pass, as clients send them.
_UNSUPPORTED = (
    "tools",
    "functions",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "audio",
    "prediction",
    "web_search_options",
)
_AUTO = "auto:"
# Names on the wire for those of core.catalog.parameters.
_WIRE_NAMES = {"json_mode": "response_format"}
_SENT_AS_IS = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "reasoning_effort",
    "verbosity",
)


class _Loose(BaseModel):
    """Unknown fields are ignored, as OpenAI does."""

    model_config = ConfigDict(extra="ignore", strict=True)


class ContentPart(_Loose):
    """A piece of a message."""

    type: str
    text: str | None = None


class WireMessage(_Loose):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    tool_calls: list[Any] | None = None


class ResponseFormat(_Loose):
    """What the answer has to be."""

    type: str


class StreamOptions(_Loose):
    """What a stream says beside the answer."""

    include_usage: bool | None = None


class CompletionBody(_Loose):
    """The body of `POST /v1/chat/completions`. `fallbacks` is ours: models to ask when `model` fails, [] for none."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[WireMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    response_format: ResponseFormat | None = None
    fallbacks: list[str] | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, Any] | None = None
    audio: Any = None
    prediction: Any = None
    web_search_options: Any = None

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the usage; yes unless somebody says no, since it does no harm."""
        return self.stream_options is None or self.stream_options.include_usage is not False


def use_case_of(asked: str) -> str | None:
    """The use case of a `model` that is `auto:<use case>`: whoever is recommended for it answers. None for an id."""
    return asked.removeprefix(_AUTO) if asked.startswith(_AUTO) else None


def turn_of(body: CompletionBody, bearer: Bearer, model: ModelSpec, *, use_case: str | None = None) -> TurnRequest:
    """The turn that answers a request: of a chat that is not stored. Raises ApiError (400) naming what is wrong."""
    _refuse_unsupported(body)
    system = [_text(message, at) for at, message in enumerate(body.messages) if message.role in {"system", "developer"}]
    said = [
        (message.role, _text(message, at))
        for at, message in enumerate(body.messages)
        if message.role in {"user", "assistant"}
    ]
    if not said or said[-1][0] != "user":
        raise _wrong("messages", "The last message has to be the user's: that is what is answered.")
    conversation_id = new_id()
    return TurnRequest(
        user_id=bearer.user.id,
        model_id=model.id,
        text=said[-1][1],
        conversation_id=conversation_id,
        temporary=_history(said[:-1], conversation_id),
        parameters=_parameters(body, model),
        system_prompt="\n\n".join(system) if system else None,
        source="api",
        use_case=use_case,
        token_id=bearer.token.id,
        fallbacks=None if body.fallbacks is None else tuple(body.fallbacks),
        only_models=None if bearer.token.models is None else frozenset(bearer.token.models),
    )


def _refuse_unsupported(body: CompletionBody) -> None:
    for name in _UNSUPPORTED:
        if getattr(body, name):
            raise _wrong(name, f"{name} is not supported here. Leave it out.", code="unsupported_parameter")
    for at, message in enumerate(body.messages):
        if message.role in {"tool", "function"} or message.tool_calls:
            raise _wrong(f"messages.{at}", "Messages with tool calls or their results are not supported here.")
    if body.n not in {None, 1}:
        raise _wrong("n", "One answer is given to a request: n has to be 1.", code="unsupported_parameter")
    if body.response_format is not None and body.response_format.type not in {"text", "json_object"}:
        raise _wrong(
            "response_format",
            f"response_format takes text or json_object here, not {body.response_format.type[:40]}.",
            code="unsupported_parameter",
        )


def _text(message: WireMessage, at: int) -> str:
    param = f"messages.{at}"
    if isinstance(message.content, list):
        for part in message.content:
            if part.type != "text":
                raise _wrong(param, f"Parts of the type {part.type[:40]} are not supported here; text is.")
        return "\n\n".join(part.text or "" for part in message.content)
    return message.content or ""


def _history(said: Sequence[tuple[str, str]], conversation_id: str) -> list[Message]:
    now = utc_now()
    return [
        Message(
            id=new_id(),
            conversation_id=conversation_id,
            parent_id=None,
            turn_id=new_id(),
            role="user" if role == "user" else "assistant",
            content=text,
            status="complete",
            created_at=now,
        )
        for role, text in said
    ]


def _parameters(body: CompletionBody, model: ModelSpec) -> dict[str, ParameterValue]:
    chosen: dict[str, ParameterValue] = {
        name: value for name in _SENT_AS_IS if (value := getattr(body, name)) is not None
    }
    most = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    if most is not None:
        chosen["max_tokens"] = most
    if body.stop:
        chosen["stop"] = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop)
    if body.response_format is not None and body.response_format.type == "json_object":
        chosen["json_mode"] = True
    for name, sentence in resolve(model, Layers(conversation=chosen)).problems.items():
        raise _wrong(_wire_name(name, body), sentence, code="unsupported_parameter")
    return chosen


def _wire_name(name: str, body: CompletionBody) -> str:
    if name == "max_tokens" and body.max_completion_tokens is not None:
        return "max_completion_tokens"
    return _WIRE_NAMES.get(name, name)


def _wrong(param: str, message: str, *, code: str = "invalid_value") -> ApiError:
    return ApiError(status=400, message=message, code=code, param=param)
