"""Tools, images, schemas and reasoning, sent by OpenAI's own client to a model that knows them."""

from __future__ import annotations

import json

from pydantic import BaseModel

from tests.support.api_calls import HELLO, WEATHER, ask, picture


def test_tools_of_the_caller_go_to_the_model_and_its_calls_come_back(client, http, provider) -> None:
    choice = {"type": "function", "function": {"name": "weather"}}
    asked = {"model": "caller", "messages": HELLO, "tools": [WEATHER], "tool_choice": choice}
    whole = client.chat.completions.create(**asked, parallel_tool_calls=True)
    sent = provider.requests[-1].body
    assert (sent["tools"], sent["tool_choice"], sent["parallel_tool_calls"]) == ([WEATHER], choice, True)
    [paris, oslo] = whole.choices[0].message.tool_calls
    assert (whole.choices[0].finish_reason, whole.choices[0].message.content) == ("tool_calls", None)
    assert (paris.function.name, json.loads(oslo.function.arguments)) == ("weather", {"city": "Oslo"})

    chunks = list(client.chat.completions.create(**asked, stream=True))
    pieces = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert len(pieces) > 4  # as they were written, not at the end
    assert [piece.id for piece in pieces if piece.id] == [paris.id, oslo.id]
    assert "".join(p.function.arguments for p in pieces if p.index == 1) == oslo.function.arguments
    assert chunks[-2].choices[0].finish_reason == "tool_calls"

    results = [{"role": "tool", "tool_call_id": call.id, "content": "Sun."} for call in (paris, oslo)]
    said = [*HELLO, whole.choices[0].message.model_dump(exclude_none=True), *results]
    answer = client.chat.completions.create(model="able", messages=said, tools=[WEATHER])
    assert answer.choices[0].message.content == "Hello there."
    sent = provider.requests[-1].body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == [message["tool_call_id"] for message in sent[2:]]
    unanswered = ask(http, model="able", messages=said[:-1], tools=[WEATHER])
    assert (unanswered.status_code, unanswered.json()["error"]["param"]) == (400, "messages")


def test_images_go_to_models_that_see(client, provider) -> None:
    content = [{"type": "text", "text": "What is it?"}, picture(detail="low")]
    client.chat.completions.create(model="able", messages=[{"role": "user", "content": content}])
    text, image = provider.requests[-1].body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert image["image_url"]["detail"] == "low"


class Person(BaseModel):
    name: str
    age: int


def test_structured_output_comes_back_as_the_class_that_was_asked_for(client, provider) -> None:
    parsed = client.chat.completions.parse(model="json", messages=HELLO, response_format=Person)
    assert parsed.choices[0].message.parsed == Person(name="Ann", age=7)
    sent = provider.requests[-1].body["response_format"]
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("json_schema", "Person", True)
    client.chat.completions.create(model="json", messages=HELLO, response_format={"type": "json_object"})
    assert provider.requests[-1].body["response_format"] == {"type": "json_object"}


def test_reasoning_passes_both_ways(client, provider) -> None:
    answer = client.chat.completions.create(model="thinker", messages=HELLO, reasoning_effort="high")
    said = answer.choices[0].message
    assert (said.content, said.reasoning_content) == ("42", "Let me see.")
    assert provider.requests[-1].body["reasoning_effort"] == "high"
    again = [*HELLO, said.model_dump(exclude_none=True), {"role": "user", "content": "Sure?"}]
    chunks = list(client.chat.completions.create(model="thinker", messages=again, stream=True))
    assert provider.requests[-1].body["messages"][1]["reasoning_content"] == "Let me see."
    thoughts = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks if c.choices]
    assert "".join(thoughts) == "Let me see."
