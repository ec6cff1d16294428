"""From which message on a conversation is drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.shown_messages import first_place


def _ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_a_long_conversation_begins_with_the_same_message_for_four_turns():
    begins = [first_place(_ids(100), before=None, least=12)]
    for count in range(102, 112, 2):
        begins.append(first_place(_ids(count), before=str(begins[-1]), least=12))

    assert begins == [88, 88, 88, 88, 88, 98]


def test_asking_for_earlier_ones_shows_exactly_these():
    assert first_place(_ids(100), before="84", least=16 + 50) == 34


def test_a_branch_without_the_message_shows_its_last_ones():
    assert first_place(_ids(100), before="another", least=12) == 88


@given(count=st.integers(0, 60), before=st.none() | st.integers(0, 60).map(str), least=st.integers(1, 30))
def test_as_many_as_were_asked_for_are_drawn_and_at_most_eight_more(count, before, least):
    drawn = count - first_place(_ids(count), before=before, least=least)

    assert min(count, least) <= drawn <= min(count, least + 8)
