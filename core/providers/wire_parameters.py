"""Parameters of a request by the names that go out: only those a person may set, or the registry gives the model."""

from __future__ import annotations

from typing import Any

from core.catalog.models import ParameterValue
from core.errors import ErrorClass, ProviderError
from core.providers.gateway import WIRE_FIELDS, CompletionRequest

# Any other parameter may reach a provider only from the registry: LiteLLM takes api_base, mock_response, fallbacks and
# 350 more by the same keyword arguments, and servers take what their makers thought of.
_SAMPLING = frozenset(
    {
        "frequency_penalty",
        "json_mode",
        "max_completion_tokens",
        "max_tokens",
        "min_p",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "seed",
        "stop",
        "temperature",
        "top_k",
        "top_p",
        "verbosity",
    }
)


def wire_parameters(request: CompletionRequest) -> dict[str, Any]:
    """Parameters and wire fields in OpenAI's names. Raises ProviderError BAD_REQUEST for what may not be sent."""
    for name in request.parameters:
        if name not in _SAMPLING and name not in request.model.parameters:
            raise ProviderError(
                ErrorClass.BAD_REQUEST,
                f"{request.model.label} takes no parameter named {name}.",
                next_step="Remove it from the parameters and send again.",
            )
    plain = {name: _plain(value) for name, value in request.parameters.items()}
    if plain.pop("json_mode", False):
        plain["response_format"] = {"type": "json_object"}
    return plain | _wire_fields(request)


def _wire_fields(request: CompletionRequest) -> dict[str, Any]:
    unknown = sorted(request.wire_fields.keys() - WIRE_FIELDS)
    if unknown:
        raise ProviderError(
            ErrorClass.BAD_REQUEST,
            f"{unknown[0]} cannot be sent to {request.model.label}.",
            next_step="Leave it out and send again.",
        )
    return dict(request.wire_fields)


def _plain(value: ParameterValue) -> Any:
    return list(value) if isinstance(value, tuple) else value
