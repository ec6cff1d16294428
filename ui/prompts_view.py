"""The prompt library: choosing a prompt for the composer, and keeping prompts on the Settings page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.prompts import (
    BODY_LIMIT,
    NAME_LIMIT,
    Prompt,
    delete_prompt,
    fill,
    list_prompts,
    save_prompt,
    share_prompt,
    variables,
)
from ui import echoes, state
from ui.accounts_view import act, draw_problem
from ui.auth import current_user
from ui.markdown import literal
from ui.sources import source
from ui.unbroken import once, unbroken

_PLACE = "prompts"
_NAME = "prompt_name"
_BODY = "prompt_body"
_SHARED = "prompt_shared"
_BODY_PX = 160
_PREVIEW_PX = 160
_SHORT = 300
# A variable whose value is likely longer than a line gets a box of several.
_LONG = frozenset({"text", "code", "document", "article", "notes", "input", "content", "email", "context"})


_listen_for_slash = st.components.v2.component("prompt_slash", js=source("prompt_slash.js"))


def draw_prompts_button(services: Services) -> None:
    """The way from the composer to the library; a slash in the empty message box presses it as well."""
    _listen_for_slash(key="prompt_slash")
    if st.button(
        "Prompts",
        key="open_prompts",
        icon=":material/library_books:",
        type="tertiary",
        help="Put a prompt from the library into the message box. Or type / in the empty box.",
    ):
        _choose(services)


@st.dialog("Prompts")
def _choose(services: Services) -> None:
    # A dialog's run does not pass the gate of app.py.
    user = current_user(services)
    if user is None:
        return
    prompts = {prompt.id: prompt for prompt in list_prompts(services.database, user_id=user.id)}
    if not prompts:
        st.caption("No prompts yet. Write one on the Settings page, for yourself or for the team.")
    else:
        chosen = st.selectbox(
            "Prompt",
            list(prompts),
            key="chosen_prompt",
            index=None,
            placeholder="Type to search",
            format_func=lambda prompt_id: prompt_title(prompts[prompt_id]),
        )
        if chosen is not None:
            _draw_form(prompts[chosen])
    st.page_link("pages/settings_page.py", label="Write and change prompts", icon=":material/settings:")


def _draw_form(prompt: Prompt) -> None:
    """The prompt, a field for each variable, and the button that puts it into the composer."""
    # Of its own height while it is short: an empty box below two lines would only push the fields down.
    with st.container(height=_PREVIEW_PX if len(prompt.body) > _SHORT else "content", border=True):
        st.text(prompt.body)
    with st.form(f"fill_{prompt.id}", border=False):
        for name in variables(prompt.body):
            field = st.text_area if name.lower() in _LONG else st.text_input
            field(literal(name), key=_field_key(prompt, name))
        st.caption("It takes the place of what stands in the message box. Nothing is sent yet.")
        taken = st.form_submit_button("Use prompt", type="primary", on_click=_use, args=(prompt,))
    if taken:
        st.rerun()


@unbroken
def _use(prompt: Prompt) -> None:
    values: Mapping[str, str] = {
        name: st.session_state.get(_field_key(prompt, name), "") for name in variables(prompt.body)
    }
    state.keep_draft(fill(prompt.body, values))


def _field_key(prompt: Prompt, name: str) -> str:
    return f"prompt_{prompt.id}_{name}"


def draw_prompts(services: Services, user: User) -> None:
    """One's own prompts, to share, change and delete, those that others share, and a form for a new one."""
    prompts = list_prompts(services.database, user_id=user.id)
    if not prompts:
        st.caption("No prompts yet. A prompt is a text to begin a message with; the chat page has them beside the box.")
    for prompt in prompts:
        with st.container(horizontal=True, vertical_alignment="center"):
            first_line = prompt.body.splitlines()[0][:100]
            st.markdown(f"**{literal(prompt_title(prompt))}**  \n{literal(first_line)}", width="stretch")
            if prompt.own:
                _draw_own(services, prompt)
    _draw_new(services)


def prompt_title(prompt: Prompt) -> str:
    """A prompt's name, and whose it is when it is not one's own."""
    return prompt.name if prompt.own else f"{prompt.name} · by {prompt.owner_name or 'somebody who left'}"


def _draw_own(services: Services, prompt: Prompt) -> None:
    key = f"share_prompt_{prompt.id}"
    echoes.show(key, prompt.shared)
    st.toggle("Shared", key=key, on_change=_share, args=(services, prompt.id, key))
    st.button("Edit", key=f"edit_prompt_{prompt.id}", type="tertiary", on_click=_edit, args=(prompt,))
    st.button(
        "Delete prompt",
        key=f"delete_prompt_{prompt.id}",
        type="tertiary",
        icon=":material/delete:",
        on_click=_delete,
        args=(services, prompt.id),
    )


def _draw_new(services: Services) -> None:
    editing = bool(st.session_state.get(_NAME))
    with st.expander("Write a prompt", expanded=editing), st.form("prompt", border=False):
        st.text_input("Name", key=_NAME, max_chars=NAME_LIMIT)
        st.text_area(
            "Text",
            key=_BODY,
            height=_BODY_PX,
            max_chars=BODY_LIMIT,
            placeholder="Summarise {{text}} in three sentences for {{audience}}.",
            help="A name between double braces is a variable: it is asked for when the prompt is used.",
        )
        st.toggle("Share with the team", key=_SHARED)
        draw_problem(_PLACE)
        st.form_submit_button(
            "Save prompt",
            on_click=_save,
            args=(services,),
            help="The same name replaces your own prompt.",
        )


@unbroken
def _save(services: Services) -> None:
    def work(user: User) -> str:
        name, body, shared = (st.session_state[key] for key in (_NAME, _BODY, _SHARED))
        save = partial(save_prompt, services.database, owner_id=user.id, name=name, body=body, shared=shared)
        once("save", save)
        st.session_state[_NAME], st.session_state[_BODY], st.session_state[_SHARED] = "", "", False
        return "Prompt saved."

    act(services, _PLACE, work)


@unbroken
def _edit(prompt: Prompt) -> None:
    st.session_state[_NAME], st.session_state[_BODY] = prompt.name, prompt.body
    st.session_state[_SHARED] = prompt.shared


@unbroken
def _share(services: Services, prompt_id: str, key: str) -> None:
    def work(user: User) -> str:
        if not echoes.is_changed(key):
            return ""
        shared = bool(st.session_state[key])
        share_prompt(services.database, owner_id=user.id, prompt_id=prompt_id, shared=shared)
        return "The team can use it now." if shared else "Only you can use it now."

    act(services, _PLACE, work)


@unbroken
def _delete(services: Services, prompt_id: str) -> None:
    def work(user: User) -> str:
        delete_prompt(services.database, owner_id=user.id, prompt_id=prompt_id)
        return "Prompt deleted."

    act(services, _PLACE, work)
