"""The Streamlit script: which pages there are, who is signed in, and then the page."""

from __future__ import annotations

import streamlit as st

from ui.auth import current_user, signed_in_user
from ui.budget_line import draw_budget_line
from ui.demo_banner import draw_demo_banner
from ui.density import follow_density
from ui.runtime import get_services
from ui.shell import configure_page, draw_account, pages, run_page
from ui.temporary_chat import leave
from ui.times import follow_time_zone

layout = configure_page()

services = get_services()
known = current_user(services)
page = st.navigation(pages(admin=known is not None and known.is_admin), position="sidebar" if known else "hidden")
user = signed_in_user(services)
if user is None:
    leave()
    st.stop()
follow_time_zone(services, user)
follow_density(services, user)
left = draw_account(services, user)
draw_demo_banner(services)
run_page(page, configured=layout)
draw_budget_line(services, user, left)
