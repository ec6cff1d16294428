from __future__ import annotations

import json
import re

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench import history
from bench.provider import expected, model_name, rendered
from bench.websocket import Screen, Stream, belongs, finishes, rerun, speed
from tests.support.provider_behaviour import Answer, behaviour_named


def markdown(body: str, *path: int) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.new_element.markdown.body = body
    return message


def composer(widget_id: str, *, fragment: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.delta.new_element.chat_input.id = widget_id
    message.delta.fragment_id = fragment
    return message


def test_a_text_is_new_when_it_changes_at_its_place() -> None:
    screen = Screen()

    taken = [screen.take(message) for message in (markdown("a", 0, 1), markdown("a", 0, 1), markdown("a", 0, 2))]
    assert taken == ["a", None, "a"]
    assert screen.take(markdown("a b", 0, 1)) == "a b"


def test_the_screen_follows_the_script_run() -> None:
    screen, begun, over = Screen(), ForwardMsg(), ForwardMsg()
    begun.new_session.page_script_hash = "page"
    over.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY

    screen.take(over)
    assert not screen.running
    screen.take(begun)
    assert screen.running
    assert screen.page_hash == "page"


def test_a_prompt_goes_to_the_composer_where_it_was_drawn() -> None:
    screen = Screen(page_hash="page")
    screen.take(composer("widget", fragment="part"))

    message = BackMsg()
    message.ParseFromString(rerun(screen=screen, prompt="Hello"))
    state = message.rerun_script
    assert (state.page_script_hash, state.fragment_id) == ("page", "part")
    assert [(widget.id, widget.chat_input_value.data) for widget in state.widget_states.widgets] == [
        ("widget", "Hello")
    ]


@pytest.mark.parametrize("tokens", [20, 50, 500, 4000])
def test_an_answer_is_complete_at_its_last_token_and_not_before(tokens: int) -> None:
    answer = expected(tokens)
    blocks = answer.source.split("\n\n")

    assert finishes(answer.source, answer.source)
    assert finishes(blocks[-1], answer.source) or len(blocks[-1]) < 48
    assert not finishes(answer.source[:-1], answer.source)
    shown = rendered(answer.source).replace("\n\n", "")
    assert shown.startswith(answer.first)
    assert shown.find(answer.tail, answer.tail_from) >= 0
    assert shown[: -len(answer.tail)].find(answer.tail, answer.tail_from) < 0


def test_blocks_belong_to_their_answer_and_other_words_do_not() -> None:
    source = expected(500).source

    assert all(belongs(block, source) for block in source.split("\n\n"))
    assert belongs("The", source)
    assert not belongs("Question 1?", source)
    assert not belongs(":shimmer[Waiting for the first word]", source)


def test_speed_counts_from_the_first_send_to_the_last_arrival() -> None:
    assert speed([Stream(10.0, (11.0, 14.0)), Stream(11.0, (12.0, 15.0))], 50) == 20


def test_the_provider_understands_the_names_of_the_bench() -> None:
    behaviour = behaviour_named(model_name(50, rate=200, first_ms=30))

    assert isinstance(behaviour, Answer)
    assert "".join(behaviour.tokens) == expected(50).source
    assert (behaviour.tokens_per_second, behaviour.first_token_ms) == (200, 30)


def test_the_long_conversation_holds_nothing_that_opens_an_answer() -> None:
    messages = history.messages()

    assert len(messages) == history.LENGTH
    assert [role for role, _ in messages[:4]] == ["user", "assistant"] * 2
    assert not re.search(r"\bThe\b", " ".join(text for _, text in messages))
    assert rendered(messages[-1][1]).endswith(history.last_words())
    assert json.dumps(messages)
