"""A conversation as any model can take it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability
from core.chat.conversation import Message
from core.chat.portability import to_messages
from core.providers.gateway import ChatMessage
from tests.support.turns import model

NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC is the store's own form
OPENING = "(You open this conversation.)"
NO_SYSTEM = frozenset({Capability.STREAMING})


def said(role, content, **fields):
    return Message(
        id="m",
        conversation_id="c",
        parent_id=None,
        turn_id="t",
        role=role,
        content=content,
        status="complete",
        created_at=NOW,
        **fields,
    )


def plain(messages):
    return [(message.role, message.content) for message in messages]


@pytest.mark.parametrize(
    ("history", "sent"),
    [
        ([("user", "a")], [("user", "a")]),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], [("user", "a"), ("assistant", "b"), ("user", "c")]),
        ([("user", "a"), ("assistant", ""), ("user", "c")], [("user", "a\n\nc")]),
        ([("user", "a"), ("assistant", " \n"), ("user", "c")], [("user", "a\n\nc")]),
        ([("user", "a"), ("user", "b"), ("assistant", "c")], [("user", "a\n\nb"), ("assistant", "c")]),
        ([("assistant", "a"), ("user", "b")], [("user", OPENING), ("assistant", "a"), ("user", "b")]),
        ([("user", " "), ("assistant", "a")], [("user", OPENING), ("assistant", "a")]),
        ([], []),
    ],
    ids=["one", "a line", "a failed answer", "a blank answer", "two questions", "a greeting", "no words", "nothing"],
)
def test_turns_alternate_and_failed_answers_are_left_out(history, sent):
    assert plain(to_messages([said(role, content) for role, content in history], model=model())) == sent


def test_reasoning_is_never_sent():
    history = [said("user", "a"), said("assistant", "b", reasoning="secret thoughts"), said("user", "c")]

    assert "secret thoughts" not in str(to_messages(history, model=model()))


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"system_prompt": "Be brief."}, [("system", "Be brief."), ("user", "a")]),
        ({"system_prompt": "Be brief.", "capabilities": NO_SYSTEM}, [("user", "Be brief.\n\na")]),
        ({"system_prompt": ""}, [("user", "a")]),
        ({"capabilities": NO_SYSTEM}, [("user", "a")]),
    ],
    ids=["taken", "not taken", "empty", "none"],
)
def test_the_system_prompt_comes_first_in_the_form_the_model_takes(changes, sent):
    assert plain(to_messages([said("user", "a")], model=model(**changes))) == sent


def test_the_system_prompt_is_never_put_in_the_models_own_mouth():
    spec = model(system_prompt="Be brief.", capabilities=NO_SYSTEM)

    sent = to_messages([said("assistant", "Hi."), said("user", "a")], model=spec)

    assert plain(sent) == [("user", f"Be brief.\n\n{OPENING}"), ("assistant", "Hi."), ("user", "a")]


def test_a_system_prompt_alone_is_no_message_for_a_model_that_takes_none():
    assert to_messages([], model=model(system_prompt="Be brief.", capabilities=NO_SYSTEM)) == []


@given(
    history=st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=5)), max_size=12),
    prompt=st.none() | st.just("Be brief."),
    capabilities=st.sampled_from([NO_SYSTEM, frozenset({Capability.SYSTEM_PROMPT})]),
)
def test_any_history_alternates_and_keeps_every_word_in_order(history, prompt, capabilities):
    spec = model(system_prompt=prompt, capabilities=capabilities)

    sent = to_messages([said(role, content) for role, content in history], model=spec)

    assert all(first.role != second.role for first, second in pairwise(sent))
    assert all(message.content.strip() for message in sent)
    assert ChatMessage("system", "Be brief.") not in sent[1:]
    spoken = [(role, content) for role, content in history if content.strip()]
    opening = [OPENING] if spoken and spoken[0][0] == "assistant" else []
    instruction = [prompt] if prompt and spoken else []
    words = [*instruction, *opening, *(content for _, content in spoken)]
    assert "\n\n".join(message.content for message in sent) == "\n\n".join(words)
