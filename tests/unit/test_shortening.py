"""Leaving out the oldest messages: what stays fits, begins with a question and ends with the one that is asked."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from core.chat.history_size import message_tokens
from core.chat.shortening import room_for_history, without_oldest
from core.chat.summary import Summary, condensed
from tests.support.conversations import chain
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
SMALL = model(context_tokens=400)


def history(*words: int):
    return chain("c", [f"word {'word ' * (count - 1)}".strip() for count in words], model="gpt", now=NOW)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=15))
def test_what_stays_fits_or_is_the_last_message_alone(words) -> None:
    messages = history(*words)

    kept, left_out = without_oldest(messages, model=SMALL)

    assert (kept, left_out + len(kept)) == (messages[left_out:], len(messages))
    assert kept[-1] == messages[-1]
    tokens = sum(message_tokens(message, SMALL) for message in kept)
    assert tokens <= room_for_history(SMALL) or len(kept) == 1
    assert left_out == 0 or kept[0].role == "user" or len(kept) == 1


def test_what_fits_is_sent_whole() -> None:
    messages = history(10, 20, 30)

    assert without_oldest(messages, model=SMALL) == (messages, 0)
    assert without_oldest(history(9999), model=model())[1] == 0


def test_the_oldest_pairs_go_and_no_answer_comes_first() -> None:
    kept, left_out = without_oldest(history(10, 150, 10, 150, 10), model=SMALL)

    assert ([message.role for message in kept], left_out) == (["user", "assistant", "user"], 2)


def test_a_summary_stands_for_what_it_tells_of_and_says_so() -> None:
    messages = history(5, 6, 7, 8, 9)
    summary = summary_up_to(messages[1].id)

    note, *rest = condensed(messages, summary)

    assert (note.role, rest) == ("user", messages[2:])
    assert note.content == "(A summary of the first 2 messages of this conversation:)\n\nThey spoke of words."


def test_on_another_branch_a_summary_says_nothing() -> None:
    messages = history(5, 6, 7)

    assert condensed(messages, summary_up_to("elsewhere")) == messages
    assert condensed(messages, None) == messages


def summary_up_to(message_id: str) -> Summary:
    return Summary(
        id="s",
        conversation_id="c",
        user_id="ann",
        up_to=message_id,
        messages=2,
        text="They spoke of words.",
        model_label="Cheap",
        turn_id="t",
        created_at=NOW,
    )
