"""Which endpoints are called without LiteLLM, and the little that they want beside OpenAI's format.

A kind stands here when LiteLLM sends it the request as it is. Groq (no streams of JSON), DeepSeek (thinking), xAI
(billing) and Mistral (seeds, thinking in blocks) have their requests or answers rewritten and stay there, as does
OpenAI itself: models that it names are answered at /responses as soon as tools are offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.catalog.models import ModelSpec
from core.providers.endpoints import Endpoint
from core.providers.gateway import CompletionRequest
from core.providers.prompt_cache import to_wire
from core.providers.wire import wire_tool
from core.providers.wire_parameters import wire_parameters

_ALIKE = frozenset({"local", "hosted_vllm", "lm_studio", "llamafile", "litellm_proxy", "openrouter"})
_OWN_ADDRESS = {"openrouter": "https://openrouter.ai/api/v1"}
# Of these families OpenAI's servers, and those that copy them, take the limit by its newer name only.
_THINKING_FAMILY = re.compile(r"(^|/)o\d|gpt-[5-9](?!-chat)")


def direct(model: ModelSpec) -> bool:
    """Whether a model is called without LiteLLM: the registry decides, else the kind of its provider."""
    provider = model.provider
    if provider.gateway is not None:
        return provider.gateway == "direct"
    if provider.kind == "openai":
        host = urlsplit(provider.api_base or "").hostname
        openais = host is None or host == "openai.com" or host.endswith(".openai.com")
        return not openais and not model.upstream.startswith("responses/")
    return provider.kind in _ALIKE


def address_of(endpoint: Endpoint) -> str:
    """Where completions are asked for."""
    kind = endpoint.model.partition("/")[0]
    base = endpoint.api_base or _OWN_ADDRESS.get(kind)
    if base is None:
        raise ValueError(f"the provider kind {kind} has no address of its own: give it an api_base")
    return f"{base.rstrip('/')}/chat/completions"


def body_of(request: CompletionRequest, endpoint: Endpoint, *, images: Mapping[str, str]) -> dict[str, Any]:
    """The body of a call. `images` gives the data URL of each image by its hash. Raises ProviderError."""
    kind, _, upstream = endpoint.model.partition("/")
    body: dict[str, Any] = {
        **_renamed(wire_parameters(request), kind, upstream),
        "model": upstream,
        "messages": to_wire(request, images=images),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [wire_tool(offer) for offer in request.tools]
    if kind == "openrouter":
        # It says what it bills only when asked (openrouter.ai/docs, "Usage accounting").
        body.setdefault("usage", {"include": True})
    return body


def _renamed(parameters: dict[str, Any], kind: str, upstream: str) -> dict[str, Any]:
    """The parameters as this endpoint calls them."""
    if kind == "openai" and "max_tokens" in parameters and _THINKING_FAMILY.search(upstream):
        most = parameters.pop("max_tokens")
        return {"max_completion_tokens": most, **parameters}
    if kind == "openrouter" and parameters.get("reasoning_effort") == "max":
        return {**parameters, "reasoning_effort": "xhigh"}
    return parameters
