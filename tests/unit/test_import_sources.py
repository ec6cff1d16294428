"""Exports of other programs become conversations: branches, hidden nodes, unknown kinds, reasoning."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.conversation import branch, by_id
from core.chat.exchange import Parcel, moment_of
from core.chat.import_sources import is_conversation, read_entry
from core.errors import DamagedEntry
from tests.support.exports import chatgpt, gpt_node, librechat, open_webui, roles_and_parts


def spoken(entry) -> list[tuple[str, str]]:
    """What the branch on show says, as (role, content)."""
    parcel = read_entry(entry)
    return [(one.role, one.content) for one in branch(by_id(parcel.messages), leaf_id=parcel.leaf_message_id)]


def answers(parcel: Parcel):
    return [message for message in parcel.messages if message.role == "assistant"]


@pytest.mark.parametrize(
    ("entry", "source", "expected"),
    [
        (chatgpt(), "chatgpt", [("user", "Where to?"), ("assistant", "To Lisbon.")]),
        (open_webui(), "open_webui", [("user", "How many?"), ("assistant", "Seventeen.")]),
        (librechat(), "librechat", [("user", "A story?"), ("assistant", "No.")]),
        (librechat(tree=False), "librechat", [("user", "A story?"), ("assistant", "No.")]),
        (roles_and_parts(), "messages", [("user", "Hello"), ("assistant", "Hello, friend.")]),
    ],
)
def test_each_program_is_recognised_and_its_branch_on_show_is_kept(entry, source, expected):
    assert is_conversation(entry)
    assert read_entry(entry).source == source
    assert spoken(entry) == expected


def test_who_answered_is_kept_where_the_source_says_so():
    assert [message.model_label for message in answers(read_entry(chatgpt()))] == ["gpt-4o"]
    assert [message.served_model for message in answers(read_entry(open_webui()))] == ["llama3", "qwen3"]
    assert [message.model_label for message in answers(read_entry(roles_and_parts()))] == [None]


def test_system_prompts_come_along_as_parameters():
    assert read_entry(librechat()).parameters == {"system_prompt": "Be brief."}
    assert read_entry(roles_and_parts()).parameters == {"system_prompt": "Be kind."}
    assert read_entry(open_webui()).parameters == {}


def test_chatgpt_keeps_branches_and_skips_what_was_never_shown():
    parcel = read_entry(
        chatgpt(
            {"id": "root", "parent": None, "message": None},
            gpt_node("system", "root", "system", ""),
            gpt_node("hidden", "system", "user", "About me", metadata={"is_visually_hidden_from_conversation": True}),
            gpt_node("q", "hidden", "user", "One?"),
            gpt_node("a", "q", "assistant", "Yes."),
            gpt_node("edited", "hidden", "user", "Two?"),
            gpt_node("b", "edited", "assistant", "No."),
            current_node="b",
        )
    )

    assert {one.id: one.parent_id for one in parcel.messages} == {"q": None, "a": "q", "edited": None, "b": "edited"}
    assert parcel.leaf_message_id == "b"


def test_chatgpts_thoughts_become_the_reasoning_of_the_answer_below_them():
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Planning", "content": "Sun or snow?"}]}
    parcel = read_entry(
        chatgpt(
            gpt_node("q", None, "user", "Where?"),
            gpt_node("t", "q", "assistant", content=thoughts),
            gpt_node("recap", "t", "assistant", content={"content_type": "reasoning_recap", "content": "4 s"}),
            gpt_node("a", "recap", "assistant", "Sun."),
        )
    )

    assert answers(parcel)[0].reasoning == "Planning\n\nSun or snow?"
    assert [message.content for message in parcel.messages] == ["Where?", "Sun."]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"content_type": "code", "language": "python", "text": "1 + 1"}, "```python\n1 + 1\n```"),
        ({"content_type": "execution_output", "text": "2"}, "```\n2\n```"),
        (
            {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "Look"]},
            "(An image, not imported.)\n\nLook",
        ),
        ({"content_type": "tether_quote", "text": "A quotation"}, "A quotation"),
        ({"content_type": "hologram", "light": 3}, "(Something of the kind “hologram”, not imported.)"),
    ],
)
def test_chatgpts_kinds_of_content_stay_readable(content, expected):
    parcel = read_entry(chatgpt(gpt_node("a", None, "assistant", content=content)))
    assert parcel.messages[0].content == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("finished_successfully", "complete"), ("in_progress", "interrupted"), ("finished_partial_completion", "stopped")],
)
def test_how_an_answer_ended_is_kept(status, expected):
    assert read_entry(chatgpt(gpt_node("a", None, "assistant", "x", status=status))).messages[0].status == expected


def test_open_webuis_reasoning_is_taken_out_of_the_answer():
    wrapped = (
        '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
        "&gt; 8 &lt; 9\n&gt; so nine</details>\nNine."
    )
    answer = answers(read_entry(open_webui(answer=wrapped)))[0]
    assert (answer.content, answer.reasoning) == ("Nine.", "8 < 9\nso nine")


@pytest.mark.parametrize("mark", ["<details>", "<summary>", "<details"])
def test_marks_without_an_end_are_no_reasoning_and_take_no_time(mark):
    hostile = f'<details type="reasoning">{mark * 100_000}</details>'

    assert answers(read_entry(open_webui(answer=hostile)))[0].content == hostile


def test_older_open_webui_lists_are_read_in_order():
    messages = [{"id": str(number), "role": "user", "content": f"No. {number}"} for number in range(3)]
    parcel = read_entry({"id": "x", "title": "List", "chat": {"messages": messages}})
    assert [(one.id, one.parent_id) for one in parcel.messages] == [("0", None), ("1", "0"), ("2", "1")]


def test_a_failed_answer_keeps_why():
    entry = librechat()
    entry["messages"][0]["children"][1] |= {"error": True, "text": "Too many requests"}
    answer = answers(read_entry(entry))[-1]
    assert (answer.status, answer.content, answer.error_message) == ("failed", "", "Too many requests")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "not readable as JSON"),
        ("text", "no conversation"),
        ({"title": "Empty"}, "holds no messages"),
        ({"some": "settings"}, "no conversation"),
        (chatgpt({"id": "root", "parent": None, "message": None}), "no message that can be read"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "no message that can be read"),
    ],
)
def test_what_is_no_conversation_is_refused_with_the_reason(entry, reason):
    with pytest.raises(DamagedEntry, match=reason):
        read_entry(entry)


def test_cycles_and_missing_parents_end_the_walk():
    parcel = read_entry(
        chatgpt(
            gpt_node("x", "y", "system", ""),
            gpt_node("y", "x", "system", ""),
            gpt_node("a", "x", "user", "In a circle"),
            gpt_node("b", "gone", "user", "No parent"),
        )
    )
    assert [message.parent_id for message in parcel.messages] == [None, None]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1700000000, datetime(2023, 11, 14, 22, 13, 20)),  # noqa: DTZ001
        (1700000000000, datetime(2023, 11, 14, 22, 13, 20)),  # noqa: DTZ001
        ("2024-05-28T18:08:55.014Z", datetime(2024, 5, 28, 18, 8, 55, 14000)),  # noqa: DTZ001
        ("2024-05-28T18:08:55+02:00", datetime(2024, 5, 28, 16, 8, 55)),  # noqa: DTZ001
        *[(value, None) for value in ("yesterday", True, None, [], 1e300, float("nan"), -1e18, "0001-01-01")],
    ],
)
def test_moments_are_read_in_every_form_or_not_at_all(value, expected):
    assert moment_of(value) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def replaced(value, path, new):
    """`value` with what stands at a path of positions exchanged; positions are taken modulo the size."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return new
    place = list(value)[path[0] % len(value)] if isinstance(value, dict) else path[0] % len(value)
    changed = replaced(value[place], path[1:], new)
    if isinstance(value, dict):
        return {**value, place: changed}
    return [*value[:place], changed, *value[place + 1 :]]


@given(
    entry=st.sampled_from([chatgpt(), open_webui(), librechat(), librechat(tree=False), roles_and_parts()]),
    path=st.lists(st.integers(0, 9), max_size=8),
    new=JSON,
)
def test_whatever_stands_anywhere_only_the_documented_error_is_raised(entry, path, new):
    try:
        parcel = read_entry(replaced(entry, path, new))
    except DamagedEntry:
        return
    assert parcel.messages
    assert parcel.id
