"""Every history as every family of providers takes it. The rules of each family stand here, apart from the rewrite.

They come from what the providers answer where one is broken. Anthropic: "first message must use the user role", "roles
must alternate", "text content blocks must be non-empty". Gemini: "multiturn requests alternate between user and model",
"ends with a user role". Mistral: "expected last role User or Tool", "unexpected role 'user' after role 'tool'", "tool
call id must be a-z, A-Z, 0-9, with a length of 9". Gemma's chat template: "System role not supported", "roles must
alternate user/assistant". Everybody who takes tools: "an assistant message with tool_calls must be followed by tool
messages responding to each tool_call_id". Newer versions of some take more; what the strictest took, all take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability
from core.chat.conversation import Attachment, Message, MessageStatus, ToolStep, ToolUse
from core.chat.portability import to_messages
from core.providers.gateway import ChatMessage
from core.providers.parts import ImagePart, SignedReasoning, TextPart, ToolCall, ToolResult
from tests.support.turns import model

Rule = Callable[[Sequence[ChatMessage]], bool]
NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC is the store's own form


def turns(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages after a system prompt at the head."""
    return list(messages[1:] if messages and messages[0].role == "system" else messages)


def someone_speaks(messages: Sequence[ChatMessage]) -> bool:
    return bool(turns(messages))


def system_at_the_head_only(messages: Sequence[ChatMessage]) -> bool:
    return all(message.role != "system" for message in turns(messages))


def no_system(messages: Sequence[ChatMessage]) -> bool:
    return all(message.role != "system" for message in messages)


def no_empty_text(messages: Sequence[ChatMessage]) -> bool:
    texts = [part.text for message in messages for part in message.parts if isinstance(part, TextPart | ToolResult)]
    return all(text.strip() for text in texts) and all(message.content.strip() or message.parts for message in messages)


def no_images(messages: Sequence[ChatMessage]) -> bool:
    return not any(isinstance(part, ImagePart) for message in messages for part in message.parts)


def images_from_people_only(messages: Sequence[ChatMessage]) -> bool:
    return no_images([message for message in messages if message.role != "user"])


def calls_of(message: ChatMessage) -> list[ToolCall]:
    return [part for part in message.parts if isinstance(part, ToolCall)]


def no_calls(messages: Sequence[ChatMessage]) -> bool:
    return not any(message.role == "tool" or calls_of(message) for message in messages)


def every_call_has_its_result_next(messages: Sequence[ChatMessage]) -> bool:
    called = [[call.id for call in calls_of(message)] for message in messages]
    answered = [[part.call_id for part in message.parts if isinstance(part, ToolResult)] for message in messages]
    return called == [*answered[1:], []]


def ids_everybody_takes(messages: Sequence[ChatMessage]) -> bool:
    ids = [call.id for message in messages for call in calls_of(message)]
    return len(set(ids)) == len(ids) and all(re.fullmatch("[a-zA-Z0-9]{9}", name) for name in ids)


def arguments_are_objects(messages: Sequence[ChatMessage]) -> bool:
    return all(isinstance(json.loads(call.arguments), dict) for message in messages for call in calls_of(message))


def no_question_right_after_a_result(messages: Sequence[ChatMessage]) -> bool:
    return all((first.role, second.role) != ("tool", "user") for first, second in pairwise(messages))


def no_foreign_reasoning(messages: Sequence[ChatMessage]) -> bool:
    parts = [part for message in messages for part in message.parts if isinstance(part, SignedReasoning)]
    return all(part.signature == "signed by target" for part in parts)


def the_user_first(messages: Sequence[ChatMessage]) -> bool:
    return turns(messages)[0].role == "user"


def the_user_last(messages: Sequence[ChatMessage]) -> bool:
    return messages[-1].role == "user"


def roles_alternate(messages: Sequence[ChatMessage]) -> bool:
    return all(first.role != second.role for first, second in pairwise(turns(messages)))


@dataclass(frozen=True, slots=True)
class Family:
    """What one family of providers asks of a conversation."""

    name: str
    capabilities: frozenset[Capability]
    rules: tuple[Rule, ...]


TAKES_SYSTEM = frozenset({Capability.SYSTEM_PROMPT})
SEES = TAKES_SYSTEM | {Capability.VISION}
TAKES_ALL = SEES | {Capability.TOOLS}
STRICT = (someone_speaks, no_empty_text, the_user_first, the_user_last, roles_alternate, images_from_people_only)
TOOLS = (
    every_call_has_its_result_next,
    ids_everybody_takes,
    arguments_are_objects,
    no_question_right_after_a_result,
    no_foreign_reasoning,
)
FAMILIES = (
    Family("openai", TAKES_ALL, (someone_speaks, system_at_the_head_only, no_empty_text, *TOOLS)),
    Family("anthropic", TAKES_ALL, (*STRICT, system_at_the_head_only, *TOOLS)),
    Family("gemini", TAKES_ALL, (*STRICT, system_at_the_head_only, *TOOLS)),
    Family(
        "mistral",
        TAKES_SYSTEM | {Capability.TOOLS},
        (someone_speaks, system_at_the_head_only, no_empty_text, the_user_last, no_images, *TOOLS),
    ),
    Family("sees, takes no tools", SEES, (*STRICT, no_calls)),
    Family("text alone", TAKES_SYSTEM, (*STRICT, system_at_the_head_only, no_images, no_calls)),
    Family("chat template without system", frozenset(), (*STRICT, no_system, no_images, no_calls)),
)
PICTURE = Attachment(
    name="a.png", kind="image", media_type="image/png", content_hash="ab", size_bytes=9, width=8, height=4
)
LISTING = Attachment(
    name="a.py", kind="text", media_type="text/plain", content_hash="cd", size_bytes=9, text_hash="cd", text="x = 1"
)
LOST = replace(PICTURE, lost=True)
CALL = ToolUse(name="add", arguments="{}", result="4")


def said(
    role: str,
    content: str,
    status: MessageStatus = "complete",
    *,
    attachments: Sequence[Attachment] = (),
    steps: Sequence[ToolStep] = (),
    served_model: str | None = None,
) -> Message:
    return Message(
        id="m",
        conversation_id="c",
        parent_id=None,
        turn_id="t",
        role=role,
        content=content,
        status=status,
        created_at=NOW,
        attachments=attachments,
        steps=steps,
        served_model=served_model,
    )


def step(*uses: ToolUse, text: str = "", signed: str = "") -> ToolStep:
    reasoning = SignedReasoning(text="hm", signature=f"signed by {signed}") if signed else None
    return ToolStep(text=text, uses=uses, reasoning=reasoning)


def answered(content: str, *steps: ToolStep, model_id: str = "other") -> Message:
    return said("assistant", content, steps=steps, served_model=model_id)


def broken_rules(history: Sequence[Message], family: Family, prompt: str | None) -> Iterator[str]:
    """The names of the rules that the rewritten history breaks."""
    spec = model("target", system_prompt=prompt, capabilities=family.capabilities)
    sent = to_messages(history, model=spec, tools=True)
    return (rule.__name__ for rule in family.rules if not rule(sent))


HISTORIES = {
    "a question": [said("user", "a")],
    "an answered question": [said("user", "a"), said("assistant", "b"), said("user", "c")],
    "a failed answer": [said("user", "a"), said("assistant", "", "failed"), said("user", "c")],
    "a stopped answer": [said("user", "a"), said("assistant", "half", "stopped"), said("user", "c")],
    "two questions": [said("user", "a"), said("user", "b")],
    "two answers": [said("user", "a"), said("assistant", "b"), said("assistant", "c"), said("user", "d")],
    "a greeting": [said("assistant", "Hi."), said("user", "a")],
    "an image": [said("user", "a", attachments=[PICTURE])],
    "an image without words": [said("user", " ", attachments=[PICTURE, PICTURE])],
    "a file and an image": [
        said("user", "a", attachments=[LISTING, PICTURE]),
        said("assistant", "b"),
        said("user", "c"),
    ],
    "a file without words": [said("user", "", attachments=[LISTING])],
    "a file that is gone": [said("user", "", attachments=[LOST]), said("user", "a")],
    "a tool": [said("user", "a"), answered("b", step(CALL)), said("user", "c")],
    "two tools at once, then one": [
        said("user", "a"),
        answered("b", step(CALL, CALL, text="let me see"), step(CALL)),
        answered("c", step(CALL)),
        said("user", "c"),
    ],
    "a tool of its own with signed reasoning": [
        said("user", "a"),
        answered("b", step(CALL, signed="target"), model_id="target"),
        said("user", "c"),
    ],
    "a tool of another with signed reasoning": [
        said("user", "a"),
        answered("b", step(CALL, signed="other")),
        said("user", "c"),
    ],
    "a tool without a result": [said("user", "a"), answered("b", step(replace(CALL, result=None))), said("user", "c")],
    "a tool with an empty result": [
        said("user", "a"),
        answered("b", step(replace(CALL, result=""))),
        said("user", "c"),
    ],
    "a tool without an answer": [said("user", "a"), answered("", step(CALL)), said("user", "c")],
    "broken arguments": [said("user", "a"), answered("b", step(replace(CALL, arguments="{"))), said("user", "c")],
    "a step without a tool": [said("user", "a"), answered("b", step(text=" ")), said("user", "c")],
    "a blank question": [said("user", " \n"), said("assistant", "What?"), said("user", "a")],
}


@pytest.mark.parametrize("prompt", [None, "Be brief.", " "], ids=["no prompt", "prompt", "blank prompt"])
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_conversation_is_valid_for_the_family(family, history, prompt):
    assert list(broken_rules(history, family, prompt)) == []


QUESTIONS = st.builds(
    said,
    st.just("user"),
    st.text(max_size=4),
    attachments=st.lists(st.sampled_from([PICTURE, LISTING, LOST]), max_size=3),
)
USES = st.builds(
    ToolUse,
    name=st.sampled_from(["add", "look_up"]),
    arguments=st.sampled_from(["{}", '{"x": 1}', "[1]", "{", ""]),
    result=st.none() | st.text(max_size=3),
)
STEPS = st.builds(
    lambda text, uses, signed: step(*uses, text=text, signed=signed),
    st.text(max_size=3),
    st.lists(USES, max_size=3),
    st.sampled_from(["", "target", "other"]),
)


@st.composite
def answers(draw: st.DrawFn) -> Message:
    # A model signs its own reasoning and nobody else's.
    model_id = draw(st.sampled_from(["target", "other"]))
    steps = [
        replace(one, reasoning=one.reasoning and replace(one.reasoning, signature=f"signed by {model_id}"))
        for one in draw(st.lists(STEPS, max_size=2))
    ]
    return answered(draw(st.text(max_size=4)), *steps, model_id=model_id)


@given(
    history=st.lists(QUESTIONS | answers(), max_size=10),
    question=st.text(min_size=1, max_size=4).filter(str.strip),
    prompt=st.none() | st.text(max_size=3),
    family=st.sampled_from(FAMILIES),
)
def test_any_history_with_a_question_behind_it_is_valid_for_every_family(history, question, prompt, family):
    assert list(broken_rules([*history, said("user", question)], family, prompt)) == []


def test_a_running_answer_goes_on_from_the_results_of_its_tools():
    spec = model("target", capabilities=TAKES_ALL)

    sent = to_messages([said("user", "a"), answered("", step(CALL), model_id="target")], model=spec, tools=True)

    assert [message.role for message in sent] == ["user", "assistant", "tool"]
    assert every_call_has_its_result_next(sent)


def test_signed_reasoning_goes_back_to_its_own_model_unchanged():
    spec = model("target", capabilities=TAKES_ALL)
    history = [said("user", "a"), answered("b", step(CALL, signed="target"), model_id="target"), said("user", "c")]

    sent = to_messages(history, model=spec, tools=True)

    assert sent[1].parts[0] == SignedReasoning(text="hm", signature="signed by target")
