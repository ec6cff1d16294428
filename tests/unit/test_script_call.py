"""A script's request as different models take it."""

from __future__ import annotations

import pytest

from core.catalog.models import Capability, ModelSpec, ProviderSpec
from core.chat.script_call import ScriptCall, completion_of
from core.errors import TurnRefused
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.parts import (
    ImagePart,
    ReasoningText,
    SignedReasoning,
    TextPart,
    ToolCall,
    ToolOffer,
    ToolResult,
)
from core.providers.prompt_cache import to_wire

OFFER = ToolOffer(name="look", description="", schema={"type": "object"})
SIGNED = SignedReasoning(text="Hm.", signature="x")
HISTORY = [
    ChatMessage("user", "Where?", name="ann"),
    ChatMessage("user", "And when?", name="bob"),
    message_of(
        "assistant",
        [SIGNED, ReasoningText("Hm."), ToolCall(id="call_long_id", name="look", arguments="{}")],
    ),
    message_of("tool", [ToolResult(call_id="call_long_id", text="There.")]),
]


def model(kind: str = "openai", *, own: bool = False, **changes) -> ModelSpec:
    fields = {"label": "M", "upstream": "m", "capabilities": frozenset(Capability), **changes}
    return ModelSpec(id="m", provider=ProviderSpec(id="own" if own else kind, kind=kind), **fields)


def completion(call: ScriptCall, spec: ModelSpec, system_prompt: str | None = None) -> CompletionRequest:
    return completion_of(call, model=spec, system_prompt=system_prompt, parameters={})


def wire(spec: ModelSpec, system_prompt: str | None = None) -> list[dict]:
    return to_wire(completion(ScriptCall(messages=HISTORY, tools=[OFFER]), spec, system_prompt))


def test_people_with_names_stay_apart() -> None:
    first, second, *_ = wire(model())
    assert (first, second) == (
        {"role": "user", "content": "Where?", "name": "ann"},
        {"role": "user", "content": "And when?", "name": "bob"},
    )


def test_ids_of_calls_stay_but_for_mistral_which_takes_nine_letters() -> None:
    for kind, expected in (("openai", "call_long_id"), ("mistral", "call00001")):
        *_, answer, result = wire(model(kind))
        assert [answer["tool_calls"][0]["id"], result["tool_call_id"]] == [expected, expected]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (model(), set()),
        (model(own=True), {"reasoning_content"}),
        (model("deepseek"), {"reasoning_content"}),
        (model("deepseek", capabilities=frozenset({Capability.TOOLS})), set()),
        (model("anthropic"), {"thinking_blocks"}),
    ],
)
def test_reasoning_goes_to_those_who_can_read_it(spec: ModelSpec, expected: set[str]) -> None:
    *_, answer, _ = wire(spec)
    assert answer.keys() & {"reasoning_content", "thinking_blocks"} == expected


def test_a_system_prompt_comes_first_or_in_the_first_message() -> None:
    assert wire(model(), "Be short.")[0] == {"role": "system", "content": "Be short."}
    without = model(capabilities=frozenset({Capability.TOOLS}))
    assert wire(without, "Be short.")[0] == {"role": "user", "content": "Be short.\n\nWhere?", "name": "ann"}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (ScriptCall(messages=HISTORY, tools=[OFFER]), "tools"),
        (ScriptCall(messages=HISTORY, wire_fields={"response_format": {"type": "json_schema"}}), "json"),
        (
            ScriptCall(
                messages=[
                    message_of(
                        "user",
                        [TextPart("?"), ImagePart(content_hash="x", media_type="image/png", width=1, height=1)],
                    )
                ]
            ),
            "vision",
        ),
    ],
)
def test_what_a_model_cannot_do_is_refused(call: ScriptCall, code: str) -> None:
    with pytest.raises(TurnRefused) as refused:
        completion(call, model(capabilities=frozenset()))
    assert refused.value.code == code
