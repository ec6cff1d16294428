"""Costs: what was spent, on what and by whom. Members see their own figures, administrators the team's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from core.arena.blind import hidden_conversations
from ui import costs_view
from ui.auth import require_user
from ui.costs_explorer import draw_explorer
from ui.costs_filter import draw_usage_filter
from ui.costs_overview import draw_overview
from ui.costs_reconcile import draw_reconcile
from ui.costs_reliability import draw_reliability
from ui.costs_replay import draw_replay
from ui.costs_values import load_names, offered_values
from ui.runtime import get_services

TAB = "costs_tab"

user = require_user()
services = get_services()
parts = {
    "Overview": draw_overview,
    "Explorer": draw_explorer,
    "Reliability": draw_reliability,
    "Replay": draw_replay,
}
if user.is_admin:
    parts["Reconcile"] = draw_reconcile

st.title("Costs" if user.is_admin else "My usage", anchor=False)
names = load_names(services, user)
# Administrators answer for the team's whole bill.
hidden = () if user.is_admin else hidden_conversations(services.database, user_id=user.id)
chosen = draw_usage_filter(user, names=names, offered=partial(offered_values, services, user, hidden=hidden))
if hidden:
    chosen = replace(chosen, hidden=hidden)
    st.caption(":material/visibility_off: Without the blind vote that waits for you: its calls would name the models.")
costs_view.seed("tab", TAB, list(parts), default="Overview")
tabs = st.tabs(list(parts), key=TAB, on_change="rerun")
costs_view.keep("tab", TAB, default="Overview")
for tab, draw in zip(tabs, parts.values(), strict=True):
    # A tab that nobody looks at asks the store for nothing.
    if tab.open:
        with tab:
            draw(services, user, chosen)
