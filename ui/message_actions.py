"""The row of actions under a message: copy, edit, answer again, branches, thumbs, delete.

A component of our own for the whole row (message_actions.js) and not Streamlit's buttons: six widgets under each of
a dozen messages would cost every run several times what this costs, none of Streamlit's widgets copies a text, and a
copy needs no run at all. Its script goes to the browser once, with the hub; a message's own component is one line.
"""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.conversation import Message
from core.chat.tree import place_of
from ui import message_changes as changes
from ui import message_state, state
from ui.chat import OpenChat
from ui.message_again import draw_again
from ui.message_feedback import draw_reason
from ui.sources import source
from ui.unbroken import unbroken

_BESIDE = "Sending makes a new branch. The old one stays."
_INSTEAD = "Sending replaces this message and what follows it: a temporary chat has no branches."
_HUB = "message_hub"
_MESSAGE_JS = """
const hub = (globalThis[Symbol.for("switchboard.messages")] ??= { waiting: new Map() });
export default function (component) {
  if (hub.draw) hub.draw(component);
  else hub.waiting.set(component.parentElement, component);
  return () => hub.waiting.delete(component.parentElement);
}
"""

_draw_hub = st.components.v2.component("message_hub", js=source("message_actions.js"))
# In the page's own styles (style.css): a shadow root for each message would cost the browser more than the row.
draw_row = st.components.v2.component("message_actions", js=_MESSAGE_JS, isolate_styles=False)


def draw_hub() -> None:
    """What the rows of a page share. Once, before the first message."""
    _draw_hub(key=_HUB)


def draw_below(services: Services, opened: OpenChat, message: Message) -> None:
    """What stands below a message: its actions, and the question for a reason when it was just rated."""
    if opened.id is not None:
        _draw_actions(services, opened, opened.id, message)
        draw_reason(services, opened.id, message)


def _draw_actions(services: Services, opened: OpenChat, chat_id: str, message: Message) -> None:
    place = place_of(opened.tree, message)
    asked = changes.Target(
        conversation_id=chat_id,
        message_id=message.id,
        question_id=message.parent_id,
        model_id=message.served_model or message.requested_model,
        previous=place.previous,
        next=place.next,
    )
    key = f"actions_{message.id}"
    data: dict[str, object] = {
        "id": message.id,
        "role": message.role,
        "at": place.number,
        "of": place.count,
        "previous": place.previous,
        "next": place.next,
        "text": message.content,
    }
    if message.role == "assistant":
        thumbs = changes.thumbs(services, chat_id)
        data |= {"model": message.model_label or "the same model", "rating": thumbs.get(message.id, 0)}
    draw_row(key=key, data=data, on_act_change=partial(_act, services, asked, key))


def draw_dialog(services: Services, user: User, opened: OpenChat) -> None:
    """The dialog that answers a message again, if somebody has just asked for it."""
    wanted = message_state.take_asking_again()
    answer = next((message for message in opened.messages if message.id == wanted), None)
    if answer is not None:
        draw_again(services, user, answer)


def draw_undo(slot: DeltaGenerator, services: Services, opened: OpenChat) -> None:
    """The offer to bring back what was just deleted from the open conversation."""
    deleted = message_state.deleted(opened.id) if opened.id else None
    if deleted is None:
        return
    with slot.container(horizontal=True, vertical_alignment="center"):
        words = "Deleted 1 message" if deleted.count == 1 else f"Deleted {deleted.count} messages"
        st.caption(words, width="content")
        st.button("Undo", key="undo_message", type="tertiary", on_click=changes.undo_delete, args=(services, deleted))


@unbroken
def _act(services: Services, target: changes.Target, key: str) -> None:
    # What comes back is checked: anybody can send anything.
    act = getattr(st.session_state.get(key), "act", None)
    if isinstance(act, str):
        changes.act(services, target, act)


def draw_editor(services: Services, message: Message) -> bool:
    """The editor of a question in its place, if it is being edited; False when it is not."""
    if message_state.editing() != message.id:
        return False
    key = message_state.edit_key(message.id)
    draft = message_state.edit_draft(message.id)
    st.session_state.setdefault(key, message.content if draft is None else draft)
    with st.form(f"editor_{message.id}", border=False):
        st.text_area("Edit your message", key=key, height="content", label_visibility="collapsed")
        st.caption(_INSTEAD if state.temporary_chat() else _BESIDE)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Send",
                key=f"send_edit_{message.id}",
                type="primary",
                on_click=changes.resend,
                args=(services, message.id),
            )
            st.form_submit_button(
                "Cancel", key=f"cancel_edit_{message.id}", on_click=changes.cancel_edit, args=(message.id,)
            )
    return True
