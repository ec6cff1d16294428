"""The turn that answers a chat completion."""

from __future__ import annotations

from typing import Any

from api.completion_body import CompletionBody, JsonSchema, WireTool, refusal_of
from api.completion_messages import said_in, wrong
from core.accounts.tokens import ApiToken, Bearer
from core.catalog.effective import Layers, resolve
from core.catalog.models import ModelSpec, ParameterValue
from core.chat.admission import TurnRequest
from core.chat.script_call import ScriptCall
from core.costs.call import TokenBudget
from core.ids import new_id
from core.providers.parts import ToolOffer

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
# What a tool without parameters takes.
_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}


def use_case_of(asked: str) -> str | None:
    """The use case of a `model` that is `auto:<use case>`: whoever is recommended for it answers. None for an id."""
    return asked.removeprefix(_AUTO) if asked.startswith(_AUTO) else None


def call_of(body: CompletionBody) -> tuple[ScriptCall, str | None]:
    """What a request says and wants, and its system prompt. Raises ApiError (400) naming what is wrong."""
    if (refused := refusal_of(body)) is not None:
        raise wrong(refused[0], refused[1], code="unsupported_parameter")
    said = said_in(body.messages)
    call = ScriptCall(
        messages=said.messages, tools=[_offer(tool) for tool in body.tools or ()], wire_fields=_wire_fields(body)
    )
    return call, said.system_prompt


def turn_of(
    body: CompletionBody, call: ScriptCall, bearer: Bearer, model: ModelSpec, *, system_prompt: str | None
) -> TurnRequest:
    """The turn that answers a request: of a chat that is not stored. Raises ApiError (400) naming what is wrong."""
    return TurnRequest(
        user_id=bearer.user.id,
        model_id=model.id,
        conversation_id=new_id(),
        temporary=(),
        parameters=_parameters(body, model),
        system_prompt=system_prompt,
        source="api",
        use_case=use_case_of(body.model),
        call=call,
        token_id=bearer.token.id,
        token_budget=_budget_of(bearer.token),
        fallbacks=None if body.fallbacks is None else tuple(body.fallbacks),
        only_models=None if bearer.token.models is None else frozenset(bearer.token.models),
    )


def _budget_of(token: ApiToken) -> TokenBudget | None:
    return None if token.budget_usd is None else TokenBudget(token.id, token.budget_usd)


def _offer(tool: WireTool) -> ToolOffer:
    function = tool.function
    return ToolOffer(
        name=function.name,
        description=function.description or "",
        schema=function.parameters or _NO_ARGUMENTS,
        strict=function.strict,
    )


def _wire_fields(body: CompletionBody) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if body.tools:
        names = {tool.function.name for tool in body.tools}
        if len(names) != len(body.tools):
            raise wrong("tools", "Two tools have the same name.")
        fields |= {name: value for name in _OF_TOOLS if (value := getattr(body, name)) is not None}
        choice = fields.get("tool_choice")
        if choice is not None and not isinstance(choice, str):
            if choice.function.name not in names:
                raise wrong("tool_choice", "tool_choice names a function that is none of the tools.")
            fields["tool_choice"] = choice.model_dump()
    elif any(getattr(body, name) not in _NOTHING_TO_CHOOSE for name in _OF_TOOLS):
        raise wrong("tool_choice", "tool_choice and parallel_tool_calls go with tools, and there are none.")
    if body.logprobs:
        fields |= {name: value for name in _OF_LOGPROBS if (value := getattr(body, name)) is not None}
    if body.response_format is not None and body.response_format.json_schema is not None:
        fields["response_format"] = {"type": "json_schema", "json_schema": _schema(body.response_format.json_schema)}
    return fields


_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
_OF_LOGPROBS = ("logprobs", "top_logprobs")
_NOTHING_TO_CHOOSE = (None, "none", "auto", True, False)


def _schema(shape: JsonSchema) -> dict[str, Any]:
    told = {"description": shape.description, "schema": shape.schema_, "strict": shape.strict}
    return {"name": shape.name, **{name: value for name, value in told.items() if value is not None}}


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
        raise wrong(_wire_name(name, body), sentence, code="unsupported_parameter")
    return chosen


def _wire_name(name: str, body: CompletionBody) -> str:
    if name == "max_tokens" and body.max_completion_tokens is not None:
        return "max_completion_tokens"
    return _WIRE_NAMES.get(name, name)
