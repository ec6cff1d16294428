"""What the Admin page shows of groups: which there are, who is in them, and which models they open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.groups import MAXIMUM_NAME, Group
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.access import models_for_group, unknown_groups
from core.catalog.models import ModelSpec
from ui.accounts_view import Work, act, draw_problem
from ui.choices import draw_managed, manage
from ui.clicks import once_here, times
from ui.markdown import literal
from ui.people_view import person_title
from ui.unbroken import once

_ADDED = "groups_added"
_ADDING = "groups_adding"
_NAME = "groups_name"
_MEMBERS = "groups_members"
_CHOSEN = "groups_chosen"

_EMPTY = (
    "There are no groups yet. A group opens models to some people only: add one here, then choose it under "
    "“Who may use it” on the Models page."
)
_LABELS_SHOWN = 5
_LIST_HEIGHT_PX = 320
_HEADER_PX = 38
_ROW_PX = 35


def draw_groups(services: Services, people: Sequence[User]) -> None:
    """Everything about groups: the list, adding one, and changing the chosen one."""
    groups = services.groups.current()
    _draw_add(services, people)
    draw_unknown_groups(services)
    if not groups:
        st.info(_EMPTY, icon=":material/groups:")
        return
    _draw_list(services, groups)
    by_id = {group.id: group for group in groups}
    names = {group.id: group.name for group in groups}
    chosen = draw_managed(_CHOSEN, "Manage group", names, placeholder="Choose a group")
    draw_problem("group")
    if chosen in by_id:
        _draw_members(services, by_id[chosen], people)
        _draw_name(services, by_id[chosen])


def draw_unknown_groups(services: Services) -> None:
    """Groups that models name and that do not exist: a note for administrators."""
    models = services.registry.current().models.values()
    missing = unknown_groups(models, [group.name for group in services.groups.current()])
    if not missing:
        return
    sentences = [
        f"The group {name or 'without a name'} does not exist: nobody may use {_in_words(naming)} through it."
        for name, naming in missing.items()
    ]
    todo = "Add a missing group on the Admin page, or change who may use the model."
    st.warning("  \n".join(literal(line) for line in (*sentences, todo)), icon=":material/group_off:")


def _draw_list(services: Services, groups: Sequence[Group]) -> None:
    models = list(services.registry.current().models.values())
    columns: dict[str, list[Any]] = {
        "Group": [group.name for group in groups],
        "Members": [len(group.member_ids) for group in groups],
        "Opens": [", ".join(model.label for model in models_for_group(models, group.name)) for group in groups],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=min(_LIST_HEIGHT_PX, _HEADER_PX + _ROW_PX * len(groups)),
        column_config={"Opens": st.column_config.TextColumn(help="The models whose access names this group")},
        alt="The groups of this installation",
    )


def _draw_add(services: Services, people: Sequence[User]) -> None:
    names = {user.id: person_title(user) for user in people}
    # Another one for each group that was added, so closed again.
    drawn = times(_ADDED)
    popover = st.popover("Add a group", icon=":material/group_add:", key=f"{_ADDING}_{drawn}", on_change="rerun")
    with popover, st.form("add_group", border=False):
        st.text_input("Name of the group", key=_NAME, max_chars=MAXIMUM_NAME, autocomplete="off")
        _draw_people("Members", list(names), names, key=_MEMBERS)
        draw_problem("add_group")
        st.form_submit_button(
            "Add group",
            key=f"add_group_{drawn}",
            type="primary",
            on_click=act,
            args=(services, "add_group", _add(services, str(drawn))),
            kwargs={"admin": True},
        )


def _draw_members(services: Services, group: Group, people: Sequence[User]) -> None:
    members = [user for user in people if user.id in group.member_ids]
    names = {user.id: person_title(user) for user in people}
    _draw_member_list(members)
    # Other members are other fields: what was chosen before a change must not be chosen after it.
    prefix = f"group_{group.id}_{_digest(sorted(group.member_ids))}"
    with st.form(f"{prefix}_form", border=True):
        st.markdown(f"**Members of {literal(group.name)}**")
        left, right = st.columns(2)
        with left:
            outside = [user.id for user in people if user.id not in group.member_ids]
            _draw_people("Add people", outside, names, key=f"{prefix}_add")
        with right:
            _draw_people("Remove people", [user.id for user in members], names, key=f"{prefix}_remove")
        again = " Who the identity provider names joins again at their next sign-in."
        followed = again if services.settings.oidc_groups else ""
        st.caption(f"Counts at once: whoever is removed is refused from the next message on.{followed}")
        st.form_submit_button(
            "Save members",
            type="primary",
            on_click=act,
            args=(services, "group", _save_members(services, group, prefix)),
            kwargs={"admin": True},
        )


def _draw_member_list(members: Sequence[User]) -> None:
    if not members:
        st.caption("Nobody is in this group yet.")
        return
    columns = {
        "Member": [user.display_name for user in members],
        "Username": [user.username for user in members],
        "Account": ["Active" if user.disabled_at is None else "Disabled" for user in members],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=min(_LIST_HEIGHT_PX, _HEADER_PX + _ROW_PX * len(members)),
        alt="The members of the chosen group",
    )


def _draw_name(services: Services, group: Group) -> None:
    key = f"group_name_{group.id}_{_digest([group.name])}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name", value=group.name, key=key, max_chars=MAXIMUM_NAME, autocomplete="off", width=320)
        st.button("Save name", on_click=act, args=(services, "group", _rename(services, group, key)), kwargs=_AS_ADMIN)
        with st.popover("Delete group", icon=":material/delete:"):
            st.markdown(f"Deletes **{literal(group.name)}**. Its members stay, without what it opened to them.")
            st.button(
                "Delete it",
                key="delete_group",
                on_click=act,
                args=(services, "group", _delete(services, group)),
                kwargs=_AS_ADMIN,
            )


def _draw_people(label: str, ids: Sequence[str], names: Mapping[str, str], *, key: str) -> None:
    st.multiselect(label, ids, key=key, format_func=lambda user_id: names.get(user_id, ""), placeholder="Choose people")


_AS_ADMIN = {"admin": True}


def _add(services: Services, drawn: str) -> Work:
    def work(admin: User) -> str:
        name, members = st.session_state[_NAME], st.session_state[_MEMBERS]
        create = partial(services.groups.create, name, member_ids=members, actor_id=admin.id)
        group_id = once("create", create)
        st.session_state[_NAME], st.session_state[_MEMBERS] = "", []
        manage(_CHOSEN, group_id)
        return f"{_name_of(services, group_id)} was added."

    return lambda admin: once_here(_ADDED, drawn, lambda: work(admin)) or ""


def _save_members(services: Services, group: Group, prefix: str) -> Work:
    def work(admin: User) -> str:
        add, remove = st.session_state[f"{prefix}_add"], st.session_state[f"{prefix}_remove"]
        if not add and not remove:
            return "Nothing was chosen, nothing was changed."
        services.groups.change_members(group.id, add=add, remove=remove, actor_id=admin.id)
        return f"The members of {group.name} were changed."

    return work


def _rename(services: Services, group: Group, key: str) -> Work:
    def work(admin: User) -> str:
        services.rename_group(group.id, st.session_state[key], actor_id=admin.id)
        return f"{group.name} is called {_name_of(services, group.id)} now."

    return work


def _delete(services: Services, group: Group) -> Work:
    def work(admin: User) -> str:
        once("delete", partial(services.delete_group, group.id, actor_id=admin.id))
        manage(_CHOSEN, None)
        return f"{group.name} was deleted."

    return work


def _name_of(services: Services, group_id: str) -> str:
    return next((group.name for group in services.groups.current() if group.id == group_id), "The group")


def _in_words(models: Sequence[ModelSpec]) -> str:
    shown = [model.label for model in models[:_LABELS_SHOWN]]
    more = len(models) - len(shown)
    return ", ".join([*shown, f"{more} more"] if more else shown)


def _digest(words: Sequence[str]) -> str:
    return hashlib.blake2b(repr(words).encode(), digest_size=8).hexdigest()
