"""A chat completion as OpenAI's clients ask for it: the shapes, and what nobody here can do.

Nothing that somebody asked for is dropped in silence: a field is passed on, has no effect and says so in
docs/api.md, or is refused.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_TOOLS = 128
# Far more than anybody says at once, and a second of work at most: a body of 20 MB holds millions of empty ones.
MOST_MESSAGES = 10_000
MOST_PARTS = 1_000
# As many likely tokens for a place as OpenAI tells.
MOST_TOP_LOGPROBS = 20
_FUNCTION_NAME = r"^[a-zA-Z0-9_-]{1,64}$"


def _at_most(entries: int, *, at_least: int | None = None) -> Any:
    """How long a list is. Its first wrong entry ends the reading: the errors of millions take minutes and gigabytes."""
    return Field(min_length=at_least, max_length=entries, fail_fast=True)


def _sendable(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema of the caller. NaN and what is too large for a float are read, and could not be sent on."""
    try:
        json.dumps(schema, allow_nan=False)
    except ValueError:
        raise ValueError("NaN, Infinity and numbers that are too large are no JSON") from None
    return schema


_Schema = Annotated[dict[str, Any], AfterValidator(_sendable)]


class _Exact(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ImageUrl(_Exact):
    """An image as a data URL: `data:image/png;base64,...`."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ContentPart(_Exact):
    """A piece of a message: text or, from a user, an image."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None
    refusal: str | None = None
    # Anthropic's marks for its prompt cache, which are set here anyway.
    cache_control: Any = None


class CalledFunction(_Exact):
    """Which function was called, with a JSON object as text."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: str


class WireCall(_Exact):
    """A call of an earlier answer."""

    id: Annotated[str, Field(min_length=1, max_length=2000)]
    type: Literal["function"] = "function"
    function: CalledFunction
    # Clients that kept the pieces of a stream send their places along.
    index: int | None = None


class ThinkingBlock(_Exact):
    """Reasoning that Anthropic's models signed."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class WireMessage(_Exact):
    """One message. An answer may be sent back as it came, with fields that mean nothing here."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[ContentPart], _at_most(MOST_PARTS)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    tool_calls: Annotated[list[WireCall], _at_most(MOST_TOOLS)] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking_blocks: Annotated[list[ThinkingBlock], _at_most(MOST_PARTS)] | None = None
    refusal: str | None = None
    annotations: Any = None
    audio: Any = None
    function_call: Any = None
    provider_specific_fields: Any = None


class FunctionShape(_Exact):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: Annotated[str, Field(pattern=_FUNCTION_NAME)]
    description: str | None = None
    parameters: _Schema | None = None
    strict: bool | None = None


class WireTool(_Exact):
    """A tool of the caller."""

    type: Literal["function"]
    function: FunctionShape


class NamedFunction(_Exact):
    """The name of a function."""

    name: Annotated[str, Field(pattern=_FUNCTION_NAME)]


class ChosenTool(_Exact):
    """The tool that has to be called."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchema(_Exact):
    """What the answer has to look like."""

    name: Annotated[str, Field(pattern=_FUNCTION_NAME)]
    description: str | None = None
    schema_: Annotated[_Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(_Exact):
    """What the answer has to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(_Exact):
    """What a stream says beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class CompletionBody(_Exact):
    """The body of `POST /v1/chat/completions`. `fallbacks` is ours: models to ask when `model` fails, [] for none."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[WireMessage], _at_most(MOST_MESSAGES, at_least=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    fallbacks: Annotated[list[str], _at_most(10)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | Annotated[list[str], _at_most(MOST_PARTS)] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[WireTool], _at_most(MOST_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_TOP_LOGPROBS)] | None = None
    # Without effect: labels, and what is as it is here anyway.
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    n: int | None = None
    store: bool | None = None
    service_tier: str | None = None
    modalities: Annotated[list[str], _at_most(10)] | None = None
    # Not done here: only what means "nothing" passes, as clients send it.
    functions: list[Any] | None = None
    function_call: Any = None
    logit_bias: dict[str, Any] | None = None
    audio: Any = None
    prediction: Any = None
    web_search_options: Any = None

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the usage; yes unless somebody says no, since it does no harm."""
        return self.stream_options is None or self.stream_options.include_usage is not False


def refusal_of(body: CompletionBody) -> tuple[str, str] | None:
    """The first field that asks for what nobody here does, and a sentence about it."""
    for name in _UNSUPPORTED:
        if getattr(body, name):
            return name, f"{name} is not supported here. Leave it out."
    for name, (taken, sentence) in _TAKEN.items():
        value = getattr(body, name)
        if value is not None and value not in taken:
            return name, sentence
    if body.top_logprobs is not None and not body.logprobs:
        return "top_logprobs", "top_logprobs goes with logprobs: true."
    if len({body.max_tokens, body.max_completion_tokens} - {None}) > 1:
        return "max_tokens", "max_tokens and max_completion_tokens mean the same and differ. Send one of them."
    form = body.response_format
    if form is not None and (form.type == "json_schema") != (form.json_schema is not None):
        return "response_format", "json_schema has to be given with the type json_schema, and with no other."
    return None


_UNSUPPORTED = (
    "functions",
    "function_call",
    "logit_bias",
    "audio",
    "prediction",
    "web_search_options",
)
_TAKEN: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((1,), "One answer is given to a request: n has to be 1."),
    "store": ((False,), "Answers are not stored here: store has to be false."),
    "service_tier": (("auto", "default"), "service_tier takes auto or default here."),
    "modalities": ((["text"],), "Answers are text here: modalities has to be text alone."),
}
