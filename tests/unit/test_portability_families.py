"""Every history as every family of providers takes it. The rules of each family stand here, apart from the rewrite.

They come from what the providers answer where one is broken. Anthropic: "first message must use the user role", "roles
must alternate", "text content blocks must be non-empty". Gemini: "multiturn requests alternate between user and model",
"ends with a user role". Mistral: "expected last role User or Tool". Gemma's chat template: "System role not supported",
"roles must alternate user/assistant". Newer versions of some take more; what the strictest took, all take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability
from core.chat.conversation import Message, MessageStatus
from core.chat.portability import to_messages
from core.providers.gateway import ChatMessage
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
    return all(message.content.strip() for message in messages)


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
STRICT = (someone_speaks, no_empty_text, the_user_first, the_user_last, roles_alternate)
FAMILIES = (
    Family("openai", TAKES_SYSTEM, (someone_speaks, system_at_the_head_only, no_empty_text)),
    Family("anthropic", TAKES_SYSTEM, (*STRICT, system_at_the_head_only)),
    Family("gemini", TAKES_SYSTEM, (*STRICT, system_at_the_head_only)),
    Family("mistral", TAKES_SYSTEM, (someone_speaks, system_at_the_head_only, no_empty_text, the_user_last)),
    Family("chat template without system", frozenset(), (*STRICT, no_system)),
)


def said(role: str, content: str, status: MessageStatus = "complete") -> Message:
    return Message(
        id="m",
        conversation_id="c",
        parent_id=None,
        turn_id="t",
        role=role,
        content=content,
        status=status,
        created_at=NOW,
    )


def broken_rules(history: Sequence[Message], family: Family, prompt: str | None) -> Iterator[str]:
    """The names of the rules that the rewritten history breaks."""
    spec = model(system_prompt=prompt, capabilities=family.capabilities)
    sent = to_messages(history, model=spec)
    return (rule.__name__ for rule in family.rules if not rule(sent))


HISTORIES = {
    "a question": [said("user", "a")],
    "an answered question": [said("user", "a"), said("assistant", "b"), said("user", "c")],
    "a failed answer": [said("user", "a"), said("assistant", "", "failed"), said("user", "c")],
    "a stopped answer": [said("user", "a"), said("assistant", "half", "stopped"), said("user", "c")],
    "two questions": [said("user", "a"), said("user", "b")],
    "two answers": [said("user", "a"), said("assistant", "b"), said("assistant", "c"), said("user", "d")],
    "a greeting": [said("assistant", "Hi."), said("user", "a")],
    "a blank question": [said("user", " \n"), said("assistant", "What?"), said("user", "a")],
}


@pytest.mark.parametrize("prompt", [None, "Be brief.", " "], ids=["no prompt", "prompt", "blank prompt"])
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_conversation_is_valid_for_the_family(family, history, prompt):
    assert list(broken_rules(history, family, prompt)) == []


@given(
    history=st.lists(st.builds(said, st.sampled_from(["user", "assistant"]), st.text(max_size=4)), max_size=12),
    question=st.text(min_size=1, max_size=4).filter(str.strip),
    prompt=st.none() | st.text(max_size=3),
    family=st.sampled_from(FAMILIES),
)
def test_any_history_with_a_question_behind_it_is_valid_for_every_family(history, question, prompt, family):
    assert list(broken_rules([*history, said("user", question)], family, prompt)) == []
