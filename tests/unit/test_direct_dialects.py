"""Which way a model is called, and what goes out on the direct one."""

from __future__ import annotations

import pytest

from core.catalog.models import ModelSpec, ProviderSpec
from core.providers.direct_dialects import address_of, body_of, direct
from core.providers.endpoints import Endpoint
from core.providers.gateway import ChatMessage, CompletionRequest

OURS = "http://127.0.0.1:8000/v1"


def model(kind: str, *, upstream: str = "m", **options: object) -> ModelSpec:
    provider = ProviderSpec(id="p", kind=kind, **options)  # type: ignore[arg-type]
    return ModelSpec(id="m", label="M", provider=provider, upstream=upstream)


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        (model("local"), True),
        (model("openai", api_base=OURS), True),
        (model("hosted_vllm", api_base=OURS), True),
        (model("litellm_proxy", api_base=OURS), True),
        (model("openrouter"), True),
        # Their requests or answers are rewritten.
        (model("openai"), False),
        (model("openai", api_base="https://eu.api.openai.com/v1"), False),
        (model("openai", api_base=OURS, upstream="responses/gpt-5"), False),
        (model("anthropic"), False),
        (model("mistral"), False),
        # The registry has the last word.
        (model("openai", api_base=OURS, gateway="litellm"), False),
        (model("groq", api_base=OURS, gateway="direct"), True),
    ],
)
def test_the_kind_decides_unless_the_registry_does(asked, way):
    assert direct(asked) is way


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (Endpoint("openai/m", f"{OURS}/", None), f"{OURS}/chat/completions"),
        (Endpoint("openrouter/m", None, None), "https://openrouter.ai/api/v1/chat/completions"),
    ],
)
def test_completions_are_asked_for_below_the_address(endpoint, address):
    assert address_of(endpoint) == address


@pytest.mark.parametrize(
    ("kind", "upstream", "given", "sent"),
    [
        ("openai", "gpt-6-luna", {"max_tokens": 5}, {"max_completion_tokens": 5}),
        ("openai", "team/o3-mini", {"max_tokens": 5}, {"max_completion_tokens": 5}),
        ("openai", "gpt-5-chat-latest", {"max_tokens": 5}, {"max_tokens": 5}),
        ("openai", "gpt-oss-20b", {"max_tokens": 5}, {"max_tokens": 5}),
        ("hosted_vllm", "gpt-6-luna", {"max_tokens": 5}, {"max_tokens": 5}),
        ("openrouter", "m", {"reasoning_effort": "max"}, {"reasoning_effort": "xhigh", "usage": {"include": True}}),
        (
            "openai",
            "m",
            {"json_mode": True, "stop": ("a",)},
            {"response_format": {"type": "json_object"}, "stop": ["a"]},
        ),
    ],
)
def test_parameters_go_out_as_the_endpoint_calls_them(kind, upstream, given, sent):
    wanted = CompletionRequest(
        model=model(kind, upstream=upstream), messages=[ChatMessage("user", "hi")], parameters=given
    )

    body = body_of(wanted, Endpoint(f"{kind}/{upstream}", OURS, None), images={})

    assert body == {
        "model": upstream,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **sent,
    }
