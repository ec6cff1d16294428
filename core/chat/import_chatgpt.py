"""ChatGPT's `conversations.json`: a tree of nodes, of which many are hidden or hold no message at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.chat.conversation import Message, MessageStatus
from core.chat.exchange import Parcel, message, moment_of, text_of, title_of
from core.chat.import_tree import at_least_one, joined, leaf_of, not_imported, objects, quoted, texts, visible_parent

_THOUGHTS = frozenset({"thoughts", "reasoning_recap"})
_STATUS: Mapping[str, MessageStatus] = {"in_progress": "interrupted", "finished_partial_completion": "stopped"}
_FINISH = {"max_tokens": "length", "stop": "stop"}
# What people and the program tell the model beside the conversation.
_CONTEXT = frozenset({"user_editable_context", "model_editable_context", "app_pairing_content"})
Nodes = Mapping[str, Mapping[str, Any]]


def read(entry: Mapping[str, Any]) -> Parcel:
    """A conversation. Raises DamagedEntry when no message of it can be read."""
    nodes = {name: node for name, node in entry["mapping"].items() if isinstance(node, dict)}
    shown = {name: text for name, node in nodes.items() if (text := _text(node))}
    messages = [_read_message(name, text, nodes, shown) for name, text in shown.items()]
    current = entry.get("current_node")
    end, _ = visible_parent(
        current if isinstance(current, str) else None,
        parent_of=lambda name: _parent(nodes, name),
        visible=shown.__contains__,
    )
    messages.sort(key=lambda found: found.created_at)
    return Parcel(
        source="chatgpt",
        id=text_of(entry.get("conversation_id")) or text_of(entry.get("id")),
        title=title_of(entry.get("title")),
        created_at=moment_of(entry.get("create_time")),
        updated_at=moment_of(entry.get("update_time")),
        leaf_message_id=leaf_of(messages, end),
        messages=at_least_one(messages),
        lost=len(entry["mapping"]) - len(nodes),
    )


def _read_message(name: str, text: str, nodes: Nodes, shown: Mapping[str, str]) -> Message:
    held = nodes[name]["message"]
    parent, passed = visible_parent(
        _parent(nodes, name), parent_of=lambda node: _parent(nodes, node), visible=shown.__contains__
    )
    of_person = _role(held) == "user"
    metadata = _object(held.get("metadata"))
    label = None if of_person else text_of(metadata.get("model_slug")) or None
    reasoning = joined(_thoughts(nodes.get(node, {})) for node in reversed(passed))
    return message(
        id=name,
        parent_id=parent,
        role="user" if of_person else "assistant",
        content=text,
        created_at=moment_of(held.get("create_time")),
        status=_STATUS.get(text_of(held.get("status")), "complete"),
        finish_reason=_FINISH.get(text_of(_object(metadata.get("finish_details")).get("type"))),
        served_model=label,
        model_label=label,
        reasoning=None if of_person else reasoning or None,
    )


def _parent(nodes: Nodes, name: str) -> str | None:
    parent = nodes.get(name, {}).get("parent")
    return parent if isinstance(parent, str) else None


def _role(held: Mapping[str, Any]) -> str:
    return text_of(_object(held.get("author")).get("role"))


def _text(node: Mapping[str, Any]) -> str:
    """What a node shows; `""` for one that shows nothing: empty, hidden, or the program's own."""
    held = _object(node.get("message"))
    content = _object(held.get("content"))
    kind = text_of(content.get("content_type"))
    if _role(held) not in {"user", "assistant", "tool"} or kind in _THOUGHTS or kind in _CONTEXT:
        return ""
    if _object(held.get("metadata")).get("is_visually_hidden_from_conversation") is True:
        return ""
    if kind in {"code", "execution_output"}:
        text = text_of(content.get("text"))
        return quoted(text, language=_language(content)) if text.strip() else ""
    return _plain(content, kind, of_tool=_role(held) == "tool")


def _plain(content: Mapping[str, Any], kind: str, *, of_tool: bool) -> str:
    found = joined(texts(content.get("parts")))
    for name in ("text", "result", "summary"):
        found = found or joined(texts(content.get(name)))
    # What a tool returned without words (a list of search hits) says nothing to a reader.
    if found or of_tool or kind in {"text", "multimodal_text", ""}:
        return found
    return not_imported(kind)


def _language(content: Mapping[str, Any]) -> str:
    language = text_of(content.get("language"))
    return "" if language == "unknown" or not language.isalnum() else language


def _thoughts(node: Mapping[str, Any]) -> str:
    content = _object(_object(node.get("message")).get("content"))
    if content.get("content_type") != "thoughts":
        return ""
    return joined(
        joined((text_of(thought.get("summary")), text_of(thought.get("content"))))
        for thought in objects(content.get("thoughts"))
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
