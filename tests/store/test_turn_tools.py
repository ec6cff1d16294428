"""Turns whose model calls tools: steps, limits, stops, faults, what is kept and what it costs."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from core.catalog.models import Capability
from core.chat.conversation import Attachment
from core.chat.kept_steps import from_json
from core.chat.recovery import recover_turns
from core.chat.store import set_tools
from core.errors import ErrorClass, ProviderError
from core.providers.events import Finished, ReasoningDelta, TextDelta, ToolCalled, ToolReturned, Usage
from core.providers.parts import ToolCall, ToolResult
from core.providers.scripted import Gate, answer
from core.store.files import FileStore
from core.tools.tool import Tool, ToolLimits
from core.tools.toolbox import load_tools
from tests.support.turns import finish, model, read_to_end, rig, wait_until

CAN = frozenset({Capability.TOOLS, Capability.SYSTEM_PROMPT})
USAGE = Usage(input_tokens=1000, output_tokens=100)


def calls(*calls, text="", thinking="", reason="tool_calls"):
    """The script of an answer that ends in these calls: (name, arguments)."""
    spoken = [TextDelta(text)] if text else []
    thought = [ReasoningDelta(thinking)] if thinking else []
    called = [ToolCalled(ToolCall(id=f"c{n}", name=name, arguments=given)) for n, (name, given) in enumerate(calls)]
    return (*thought, *spoken, *called, USAGE, Finished(reason))


def add(expression):
    return "calculator", f'{{"expression": "{expression}"}}'


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database, model(capabilities=CAN), tools=load_tools()) as made:
        yield made


def test_a_model_calls_a_tool_and_answers_with_its_result(chat):
    chat.gateway.enqueue("gpt", *calls(add("6 * 7"), text="Let me see.", thinking="Hm."))
    chat.gateway.enqueue("gpt", *answer("It is 42", usage=USAGE))

    live = chat.ask("What is 6 times 7?", tools=True)
    events = read_to_end(live.buffer)
    result = finish(live)

    [_, kept] = chat.messages(live.ids.conversation)
    assert (result.content, result.status) == ("It is 42", "complete")
    assert kept.steps == result.steps
    [step] = kept.steps
    assert (step.text, step.thoughts) == ("Let me see.", "Hm.")
    assert [(use.name, use.result, use.failed) for use in step.uses] == [("calculator", "42", False)]
    assert [event.text for event in events if isinstance(event, ToolReturned)] == ["42"]
    first, second = chat.gateway.history
    assert {offer.name for offer in first.tools} == {"calculator", "current_time"}
    *_, called, told = second.messages
    assert called.role == "assistant"
    assert [part.text for part in told.parts if isinstance(part, ToolResult)] == ["42"]


def test_every_call_is_an_attempt_and_the_figures_are_their_sum(chat):
    chat.gateway.enqueue("gpt", *calls(add("1+1")))
    chat.gateway.enqueue("gpt", *calls(add("2+2"), add("3+3")))
    chat.gateway.enqueue("gpt", *answer("Done", usage=USAGE))

    live = chat.ask("Sums", tools=True)
    finish(live)

    rows = chat.rows("attempts")
    [_, kept] = chat.messages(live.ids.conversation)
    assert [(row["status"], row["cost_usd"]) for row in rows] == [("ok", Decimal("0.0045"))] * 3
    assert kept.figures.cost_usd == sum(row["cost_usd"] for row in rows)
    assert (kept.figures.input_tokens, kept.figures.output_tokens) == (3000, 300)
    assert kept.receipt is None
    assert [[use.result for use in step.uses] for step in kept.steps] == [["2"], ["4", "6"]]


def test_the_next_turn_knows_what_the_tools_brought(chat):
    chat.gateway.enqueue("gpt", *calls(add("6 * 7")))
    chat.gateway.enqueue("gpt", *answer("It is 42"))
    chat.gateway.enqueue("gpt", *answer("Yes"))
    live = chat.ask("What is 6 times 7?", tools=True)
    finish(live)
    finish(chat.ask("Sure?", conversation_id=live.ids.conversation, tools=True))

    roles = [message.role for message in chat.gateway.history[-1].messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [("calculator", "{", "no JSON"), ("calculator", "{}", "required"), ("rocket", "{}", "no tool named rocket")],
)
def test_what_the_model_gets_wrong_comes_back_to_it(chat, name, arguments, reason):
    chat.gateway.enqueue("gpt", *calls((name, arguments)))
    chat.gateway.enqueue("gpt", *answer("Sorry"))

    result = finish(chat.ask("Go", tools=True))

    [use] = result.steps[0].uses
    assert use.failed
    assert reason in use.result
    assert (
        reason in chat.gateway.history[-1].messages[-1].content
        or "Called" in chat.gateway.history[-1].messages[-2].content
    )
    assert result.content == "Sorry"


def test_the_limit_of_calls_ends_them_and_is_said(database):
    with rig(database, model(capabilities=CAN), tools=load_tools(), tool_limits=ToolLimits(calls=2)) as chat:
        chat.gateway.enqueue("gpt", *calls(add("1"), add("2"), add("3")))
        chat.gateway.enqueue("gpt", *answer("Enough"))

        result = finish(chat.ask("Go", tools=True))

    last = chat.gateway.history[-1]
    assert [use.failed for use in result.steps[0].uses] == [False, False, True]
    assert "limit of 2 calls" in result.steps[0].uses[2].result
    assert not last.tools
    assert [message.role for message in last.messages] == ["user", "assistant", "user"]
    assert "limit" not in result.content
    assert result.note == "the most calls of tools for an answer were made"


def slow_tool(started, let_go):
    def run(_arguments, context):
        context.on_interrupt(let_go.set)
        started.set()
        let_go.wait(20)
        return "late"

    return Tool(name="slow", label="Slow", description="", schema={"type": "object"}, run=run)


def test_stop_ends_a_turn_in_the_middle_of_a_tool(database):
    started, let_go = threading.Event(), threading.Event()
    with rig(database, model(capabilities=CAN), tools=[slow_tool(started, let_go)]) as chat:
        chat.gateway.enqueue("gpt", *calls(("slow", "{}"), text="Wait."))
        live = chat.ask("Go", tools=True)
        assert started.wait(10)
        chat.engine.stop(live)

        result = finish(live, timeout_s=5)

        assert let_go.wait(5)
        [_, kept] = chat.messages(live.ids.conversation)
    assert (result.status, result.content) == ("stopped", "")
    assert kept.steps[0].text == "Wait."
    assert kept.steps[0].uses[0].result is None
    assert [row["status"] for row in chat.rows("attempts")] == ["ok"]


def test_a_stopped_turn_goes_on_with_what_the_tools_brought(database):
    started, let_go = threading.Event(), threading.Event()
    with rig(database, model(capabilities=CAN), tools=[slow_tool(started, let_go)]) as chat:
        chat.gateway.enqueue("gpt", *calls(("slow", "{}")))
        live = chat.ask("Go", tools=True)
        assert started.wait(10)
        chat.engine.stop(live)
        stopped = finish(live, timeout_s=5)
        chat.gateway.enqueue("gpt", *answer("On we go"))

        finish(chat.ask("", conversation_id=live.ids.conversation, continues=stopped.id, tools=True))

    assert [message.role for message in chat.gateway.history[-1].messages] == ["user", "assistant", "user"]


def test_a_tool_that_takes_too_long_is_ended_and_said(database):
    started, let_go = threading.Event(), threading.Event()
    limits = ToolLimits(seconds=0.05)
    with rig(database, model(capabilities=CAN), tools=[slow_tool(started, let_go)], tool_limits=limits) as chat:
        chat.gateway.enqueue("gpt", *calls(("slow", "{}")))
        chat.gateway.enqueue("gpt", *answer("Without it"))

        result = finish(chat.ask("Go", tools=True))

        assert let_go.wait(5)
    [use] = result.steps[0].uses
    assert use.failed
    assert "longer than 0.05 seconds" in use.result
    assert result.content == "Without it"


def test_a_failure_after_a_step_is_tried_again_with_its_result(chat):
    chat.gateway.enqueue("gpt", *calls(add("6*7")))
    chat.gateway.enqueue("gpt", ProviderError(ErrorClass.SERVER, "Down."))
    chat.gateway.enqueue("gpt", *answer("42"))

    live = chat.ask("Go", tools=True)
    result = finish(live)

    [_, kept] = chat.messages(live.ids.conversation)
    assert result.content == "42"
    assert [row["status"] for row in chat.rows("attempts")] == ["ok", "server", "ok"]
    assert [tried.status for tried in kept.receipt.tries] == ["server", "ok"]


def test_a_failure_for_good_keeps_the_steps(chat):
    chat.gateway.enqueue("gpt", *calls(add("6*7")))
    chat.gateway.enqueue("gpt", ProviderError(ErrorClass.AUTHENTICATION, "No key."))

    live = chat.ask("Go", tools=True)
    finish(live)

    [_, kept] = chat.messages(live.ids.conversation)
    assert kept.status == "broken"
    assert kept.steps[0].uses[0].result == "42"


@pytest.mark.parametrize(("text", "answered"), [("", True), ("Let me see.", False)])
def test_another_model_goes_on_only_where_nothing_was_said(database, text, answered):
    first, second = model(capabilities=CAN, fallbacks=("plain",)), model("plain")
    with rig(database, first, second, tools=load_tools()) as chat:
        chat.gateway.enqueue("gpt", *calls(add("6*7"), text=text))
        chat.gateway.enqueue("gpt", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        chat.gateway.enqueue("plain", *answer("It is 42"))

        result = finish(chat.ask("Go", tools=True))

    assert (result.content == "It is 42") is answered
    if answered:
        asked = chat.gateway.history[-1]
        assert not asked.tools
        assert "It returned: 42" in asked.messages[-2].content
        assert asked.messages[-1].role == "user"


@pytest.mark.parametrize("way", ["request", "conversation", "model"])
def test_tools_are_offered_only_where_they_are_wanted_and_possible(database, way):
    spec = model(capabilities=frozenset() if way == "model" else CAN)
    with rig(database, spec, tools=load_tools()) as chat:
        chat.gateway.enqueue("gpt", *answer("One"))
        chat.gateway.enqueue("gpt", *answer("Two"))
        begun = chat.ask("Hi", tools=False)
        finish(begun)
        place = {"conversation_id": begun.ids.conversation, "user_id": chat.user_id}
        if way == "conversation":
            set_tools(database, tools=False, **place)

        finish(chat.ask("And?", conversation_id=begun.ids.conversation, tools=way != "request"))

    assert [len(asked.tools) for asked in chat.gateway.history] == [0, 0]


def test_calls_of_an_answer_that_was_cut_are_not_made(chat):
    chat.gateway.enqueue("gpt", *calls(add("6*7"), text="Now", reason="length"))

    result = finish(chat.ask("Go", tools=True))

    assert (result.steps, result.finish_reason) == ((), "length")


def test_a_crash_keeps_the_steps_so_far(database):
    gate = Gate()
    with rig(database, model(capabilities=CAN), tools=load_tools(), checkpoint_s=0.01, close=False) as chat:
        chat.gateway.enqueue("gpt", *calls(add("6*7")))
        chat.gateway.enqueue("gpt", TextDelta("It is"), gate, *answer("42"))
        live = chat.ask("Go", tools=True)
        assert gate.wait_until_reached()
        assert wait_until(lambda: (row := chat.rows("turns")[0])["partial_steps"] and row["partial_text"])
        assert from_json(chat.rows("turns")[0]["partial_steps"])[0].uses[0].result == "42"

        recover_turns(database, find_model={"gpt": model(capabilities=CAN)}.get)

        [_, kept] = chat.messages(live.ids.conversation)
        gate.open()
        chat.engine.close()
    assert (kept.status, kept.content) == ("interrupted", "It is")
    assert kept.steps[0].uses[0].result == "42"
    assert [row["status"] for row in chat.rows("attempts")] == ["ok", "interrupted"]


def test_a_temporary_chat_keeps_its_steps_in_its_messages_only(chat):
    chat.gateway.enqueue("gpt", *calls(add("6*7")))
    chat.gateway.enqueue("gpt", *answer("42"))

    live = chat.ask("Go", tools=True, temporary=(), conversation_id="not-stored")
    result = finish(live)

    assert result.steps[0].uses[0].result == "42"
    assert not chat.rows("messages")
    assert [row["partial_steps"] for row in chat.rows("turns")] == [None]


@pytest.mark.slow
def test_a_file_of_an_earlier_message_can_be_queried(database, tmp_path):
    files = FileStore(tmp_path)
    held = files.put(b"n\n1\n2\n")
    table = Attachment(name="a.csv", kind="csv", media_type="text/csv", content_hash=held, text_hash=held, size_bytes=6)
    with rig(database, model(capabilities=CAN), tools=load_tools(), files=files) as chat:
        chat.gateway.enqueue("gpt", *answer("Seen"))
        chat.gateway.enqueue("gpt", *calls(("query_csv", '{"sql": "select sum(n) as s from data"}')))
        chat.gateway.enqueue("gpt", *answer("3"))
        begun = chat.ask("Look", tools=True, attachments=(table,))
        finish(begun)

        result = finish(chat.ask("Sum?", tools=True, conversation_id=begun.ids.conversation))

    assert result.steps[0].uses[0].result == "s\n3\n(1 row)"


def test_the_limit_in_dollars_counts_all_calls(chat):
    chat.gateway.enqueue("gpt", *calls(add("6*7")))

    result = finish(chat.ask("Go", tools=True, most_usd=Decimal("0.0046")))

    assert result.status == "broken"
    assert "left of your limit" in result.error_message


def test_how_long_it_thought_is_kept(chat):
    chat.gateway.enqueue("gpt", *answer("Hello", reasoning="Hm."))

    live = chat.ask("Go")
    finish(live)

    [question, kept] = chat.messages(live.ids.conversation)
    assert question.reasoning_ms is None
    assert kept.reasoning_ms > 0
