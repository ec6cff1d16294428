"""Links to conversations: making and revoking them, and the page that one opens."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urljoin

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.conversation import Conversation, Message
from core.chat.sharing import (
    Share,
    SharedConversation,
    copy_share,
    count_files,
    list_shares,
    load_share,
    revoke_share,
    share_conversation,
)
from core.errors import SwitchboardError
from ui import state
from ui.accounts_view import act, draw_problem
from ui.attachments import draw_attached
from ui.auth import current_user
from ui.formats import counted
from ui.markdown import as_typed, literal, renderable
from ui.steps import draw_steps, draw_thoughts
from ui.times import local_time, viewer_zone
from ui.unbroken import unbroken

_PLACE = "shares"
_PARAMETER = "share"
_SHOWN = "shared_messages_shown"
_FIRST = 50
_PERSON = ":material/person:"
_MODEL = ":material/neurology:"
_ENDINGS = {"stopped": "stopped", "broken": "broke off", "interrupted": "interrupted", "failed": "failed"}


@st.dialog("Share conversation")
def draw_share(services: Services, conversation: Conversation) -> None:
    """Make a link to the open conversation, and see the ones there are."""
    st.markdown(
        "Everybody who is signed in here and has the link can read the branch on show **as it is now**. What is "
        "written later, other branches and costs are not in it."
    )
    # A dialog's run does not pass the gate of app.py.
    user = current_user(services)
    if user is None:
        return
    try:
        _draw_making(services, user, conversation)
    except SwitchboardError as error:
        st.error(literal(str(error)), icon=":material/error:")
    draw_problem(_PLACE)
    for share in list_shares(services.database, user_id=user.id):
        if share.conversation_id == conversation.id:
            _draw_link(services, share)


def _draw_making(services: Services, user: User, conversation: Conversation) -> None:
    count = count_files(services.database, user_id=user.id, conversation_id=conversation.id)
    with_files = count > 0 and st.checkbox(f"Include {counted(count, 'attached file')}", key="share_files")
    # Of the links there are: the second click of a double click finds another button.
    count = len(list_shares(services.database, user_id=user.id))
    if st.button("Create link", key=f"create_share_{count}", type="primary", icon=":material/link:"):
        share_conversation(services.database, user_id=user.id, conversation_id=conversation.id, with_files=with_files)


def draw_shares(services: Services, user: User) -> None:
    """All of a person's links, to revoke."""
    shares = list_shares(services.database, user_id=user.id)
    if not shares:
        st.caption("Nothing is shared. Open a conversation and choose Share in its menu.")
    draw_problem(_PLACE)
    for share in shares:
        st.markdown(f"**{literal(share.title)}**")
        _draw_link(services, share)


def draw_shared_page(services: Services, user: User) -> None:
    """What a link shows."""
    try:
        shared = load_share(services.database, share_id=st.query_params.get(_PARAMETER, ""), viewer_id=user.id)
    except SwitchboardError as error:
        st.title("Shared conversation", anchor=False)
        st.error(literal(str(error)), icon=":material/link_off:")
        return
    st.title(literal(shared.title), anchor=False)
    _draw_origin(services, user, shared)
    shown = st.session_state.get(_SHOWN, {}).get(shared.id, _FIRST)
    for message in shared.messages[:shown]:
        draw_message(message)
    if len(shared.messages) > shown:
        st.button("Show more", key="shared_more", type="tertiary", on_click=_show_more, args=(shared.id,))


def _draw_origin(services: Services, user: User, shared: SharedConversation) -> None:
    when = _when(shared.created_at)
    who = "you" if shared.own else literal(shared.owner_name or "somebody who left")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Shared by {who} on {when}. It stays as it was then.", width="stretch")
        if st.button(
            "Continue in my chats",
            key="copy_share",
            icon=":material/forum:",
            help="Makes a copy that is yours, without costs. The shared one stays as it is.",
        ):
            copied = copy_share(services.database, share_id=shared.id, viewer_id=user.id)
            state.open_conversation(copied)
            st.switch_page("pages/chat_page.py")


def draw_message(message: Message) -> None:
    """One message to read: nothing can be done with it."""
    if message.role == "user":
        with st.chat_message("user", avatar=_PERSON):
            draw_attached(message)
            st.markdown(as_typed(message.content))
        return
    with st.chat_message("assistant", avatar=_MODEL):
        draw_thoughts(st.empty(), message)
        draw_steps(st.container(), message.steps)
        if message.content:
            st.markdown(renderable(message.content))
        parts = [f"**{literal(message.model_label or 'unknown model')}**", _ENDINGS.get(message.status, "")]
        st.caption(" · ".join(part for part in parts if part))


@unbroken
def _show_more(share_id: str) -> None:
    shown = st.session_state.get(_SHOWN, {})
    st.session_state[_SHOWN] = {**shown, share_id: shown.get(share_id, _FIRST) + _FIRST}


def _draw_link(services: Services, share: Share) -> None:
    st.code(link_of(share.id), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        count = counted(share.message_count, "message")
        st.caption(f"{count}, as of {_when(share.created_at)}", width="stretch")
        st.button(
            "Revoke",
            key=f"revoke_{share.id}",
            type="tertiary",
            icon=":material/link_off:",
            help="The link stops working for everybody, and its copy of the conversation is deleted.",
            on_click=_revoke,
            args=(services, share.id),
        )


def link_of(share_id: str) -> str:
    """The address of a link, beside the page that is open."""
    return urljoin(st.context.url or "", f"shared?{_PARAMETER}={share_id}")


@unbroken
def _revoke(services: Services, share_id: str) -> None:
    def work(user: User) -> str:
        revoke_share(services.database, user_id=user.id, share_id=share_id)
        return "The link is revoked."

    act(services, _PLACE, work)


def _when(moment: datetime) -> str:
    local = local_time(moment, viewer_zone())
    return f"{local.day} {local:%B %Y, %H:%M}"
