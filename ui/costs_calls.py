"""The calls behind a figure, and the way from a call to its conversation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.reports.calls import PAGE_ROWS, Call, load_calls
from core.costs.usage_filter import UsageFilter
from ui import formats, state
from ui.costs_inspection import draw_inspection
from ui.costs_names import CODES, SOURCES, STATUSES, Names
from ui.markdown import literal
from ui.times import local_time
from ui.unbroken import unbroken

_NAME_PX = 150
_PAGE, _ROWS = "costs_calls_page", "costs_calls"


def draw_calls(services: Services, user: User, chosen: UsageFilter, *, title: str, names: Names) -> None:
    """A page of the chosen calls, the newest first; a ticked one leads on."""
    if st.session_state.get(f"{_PAGE}_of") != chosen:
        st.session_state[f"{_PAGE}_of"] = chosen
        st.session_state.pop(_PAGE, None)
    page = int(st.session_state.get(_PAGE, 1))
    found = services.ledger.snapshot(lambda cur: load_calls(cur, chosen, viewer=user, page=page))
    st.subheader(literal(f"Calls: {title}"), anchor=False)
    event = st.dataframe(
        _table(found.rows, chosen, names=names, team=user.is_admin),
        key=f"{_ROWS}_{hash((chosen, page))}",
        hide_index=True,
        height=min(460, 38 + 35 * len(found.rows)),
        column_config={name: st.column_config.TextColumn(width=_NAME_PX) for name in ("Person", "Model")},
        selection_mode="single-row",
        on_select="rerun",
        alt=f"{formats.counted(found.count, 'call')}, the newest first",
    )
    pages = -(-found.count // PAGE_ROWS)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{formats.counted(found.count, 'call')}, the newest first. Tick one to go to its conversation.")
        if pages > 1:
            st.pagination(pages, key=_PAGE)
    rows = event.selection.rows
    if rows and rows[0] < len(found.rows):
        _draw_way(services, user, found.rows[rows[0]], names)


def _draw_way(services: Services, user: User, call: Call, names: Names) -> None:
    if call.conversation_id is None:
        st.caption("This call belongs to no conversation.")
    elif call.user_id == user.id:
        if st.button("Open the conversation", icon=":material/forum:", on_click=partial(_open, call.conversation_id)):
            st.switch_page("pages/chat_page.py")
    else:
        draw_inspection(services, user, call.conversation_id, whose=names.of("person", call.user_id))


@unbroken
def _open(conversation_id: str) -> None:
    state.open_conversation(conversation_id)


def _table(rows: Sequence[Call], chosen: UsageFilter, *, names: Names, team: bool) -> object:
    columns = {
        "When": [f"{local_time(call.started_at, chosen.zone):%Y-%m-%d %H:%M:%S}" for call in rows],
        "Person": [names.of("person", call.user_id) for call in rows],
        "Model": [_model(call, names) for call in rows],
        "Status": [STATUSES.get(call.status, call.status) for call in rows],
        "Cost": [_cost(call) for call in rows],
        "Code": [CODES.get(call.cost_code, call.cost_code) for call in rows],
        "In": [call.input_tokens for call in rows],
        "Cached": [call.cached_input_tokens for call in rows],
        "Out": [call.output_tokens for call in rows],
        "First token": [_ms(call.first_token_ms) for call in rows],
        "Duration": [_ms(call.duration_ms) for call in rows],
        "Source": [SOURCES.get(call.source, call.source) for call in rows],
    }
    if not team:
        del columns["Person"]
    return pd.DataFrame(columns).style.format("{:,}", subset=["In", "Cached", "Out"])


def _model(call: Call, names: Names) -> str:
    served = names.of("model", call.model)
    if call.model == call.requested_model:
        return served
    return f"{served} for {names.of('model', call.requested_model)}"


def _cost(call: Call) -> str:
    words = formats.cost(call.cost_usd, call.cost_code)
    return f"{words} (corrected)" if call.adjusted_usd else words


def _ms(milliseconds: float | None) -> str:
    return "" if milliseconds is None else formats.duration(milliseconds)
