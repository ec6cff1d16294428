"""Small exports of other programs, written for the tests."""

from __future__ import annotations

from typing import Any


def gpt_node(name: str, parent: str | None, role: str = "user", *parts: Any, **changes: Any) -> dict[str, Any]:
    """A node of ChatGPT's mapping; keyword arguments change the message."""
    content = {"content_type": "text", "parts": list(parts)}
    message = {"id": name, "author": {"role": role}, "create_time": 1700000000.5, "content": content, "metadata": {}}
    return {"id": name, "parent": parent, "children": [], "message": {**message, **changes}}


def chatgpt(*nodes: dict[str, Any], title: str = "Trip", name: str = "gpt-1", **changes: Any) -> dict[str, Any]:
    """A conversation of ChatGPT; without nodes a question and its answer below a root without a message."""
    nodes = nodes or (
        {"id": "root", "parent": None, "children": ["q"], "message": None},
        gpt_node("q", "root", "user", "Where to?"),
        gpt_node("a", "q", "assistant", "To Lisbon.", metadata={"model_slug": "gpt-4o"}),
    )
    given = {"title": title, "conversation_id": name, "create_time": 1700000000.0, "update_time": 1700000900.0}
    return {**given, "mapping": {node["id"]: node for node in nodes}, "current_node": nodes[-1]["id"], **changes}


def open_webui(name: str = "owui-1", answer: str = "Seventeen.", **changes: Any) -> dict[str, Any]:
    """A conversation of Open WebUI: a question with two answers, the first of them on show."""
    messages = {
        "q": {"id": "q", "parentId": None, "childrenIds": ["a", "b"], "role": "user", "content": "How many?"},
        "a": {
            "id": "a",
            "parentId": "q",
            "role": "assistant",
            "content": answer,
            "model": "llama3",
            "timestamp": 1700000009,
        },
        "b": {"id": "b", "parentId": "q", "role": "assistant", "content": "Eighteen.", "model": "qwen3"},
    }
    chat = {
        "title": "Counting",
        "models": ["llama3"],
        "history": {"currentId": "a", "messages": messages},
        "messages": [],
    }
    return {"id": name, "user_id": "u", "title": "Counting", "chat": chat, "created_at": 1700000000, **changes}


def librechat(name: str = "libre-1", *, tree: bool = True) -> dict[str, Any]:
    """LibreChat's export of one conversation, as a tree or as a list."""
    question = {"messageId": "q", "parentMessageId": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "text": "A story?"}
    question |= {"isCreatedByUser": True, "sender": "User", "createdAt": "2024-05-28T18:08:55.014Z"}
    answer = {"messageId": "a", "parentMessageId": "q", "isCreatedByUser": False, "model": "gpt-4o", "sender": "GPT-4"}
    answer |= {"content": [{"type": "think", "think": "Hm."}, {"type": "text", "text": {"value": "Once upon a time."}}]}
    other = {**answer, "messageId": "b", "content": "", "text": "No.", "unfinished": True}
    messages = [{**question, "children": [answer, other]}] if tree else [question, answer, other]
    options = {"promptPrefix": "Be brief.", "model": "gpt-4o"}
    return {"conversationId": name, "title": "Stories", "recursive": tree, "options": options, "messages": messages}


def roles_and_parts() -> dict[str, Any]:
    """A conversation from before anybody kept which model answered."""
    return {
        "title": "Old times",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "parts": ["Hello"]},
            {"role": "model", "parts": [{"text": "Hello, friend."}]},
        ],
    }
