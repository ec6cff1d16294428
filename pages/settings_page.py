"""Settings: one's own defaults, budgets, presets, prompts, links, name, password, sessions, tokens and data."""

from __future__ import annotations

import streamlit as st

from ui.accounts_view import draw_password, draw_profile, draw_sessions
from ui.auth import require_user
from ui.budget_line import draw_own_budgets
from ui.exchange_view import draw_export_all, draw_import
from ui.preferences_view import draw_data, draw_defaults, draw_presets
from ui.prompts_view import draw_prompts
from ui.runtime import get_services
from ui.share_view import draw_shares
from ui.tokens_view import draw_tokens

user = require_user()
services = get_services()

st.title("Settings", anchor=False)
with st.container(border=True):
    st.subheader("Defaults", anchor=False)
    draw_defaults(services, user)
with st.container(border=True):
    st.subheader("Budgets", anchor=False)
    draw_own_budgets(services, user)
with st.container(border=True):
    st.subheader("Presets", anchor=False)
    draw_presets(services, user)
with st.container(border=True):
    st.subheader("Prompts", anchor=False)
    draw_prompts(services, user)
with st.container(border=True):
    st.subheader("Shared conversations", anchor=False)
    draw_shares(services, user)
with st.container(border=True):
    st.subheader("Import", anchor=False)
    draw_import(services, user)
with st.container(border=True):
    st.subheader("Profile", anchor=False)
    draw_profile(services, user)
with st.container(border=True):
    st.subheader("Password", anchor=False)
    draw_password(services, user)
with st.container(border=True):
    st.subheader("Sessions", anchor=False)
    draw_sessions(services)
with st.container(border=True):
    st.subheader("API tokens", anchor=False)
    draw_tokens(services, user)
with st.container(border=True):
    st.subheader("Data", anchor=False)
    draw_export_all(services, user)
    draw_data(services, user)
