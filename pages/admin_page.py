"""Admin: the people, groups and budgets of this installation, what models cost, and who changed what."""

from __future__ import annotations

import streamlit as st

from core.accounts.audit import list_audit
from core.accounts.users import list_users
from ui.audit_view import draw_audit
from ui.auth import require_admin
from ui.budgets_view import draw_budgets
from ui.groups_view import draw_groups
from ui.people_view import draw_add_person, draw_handed_over, draw_manage, draw_people
from ui.price_book_view import draw_prices
from ui.runtime import get_services

AUDIT_ROWS = 500

require_admin()
services = get_services()

st.title("Admin", anchor=False)
people_tab, groups_tab, budgets_tab, prices_tab, audit_tab = st.tabs(
    ["People", "Groups", "Budgets", "Prices", "Audit"], key="admin_tab", on_change="rerun"
)
people = list_users(services.database)
with people_tab:
    draw_add_person(services)
    draw_handed_over()
    draw_people(people, services.groups)
    draw_manage(services, people)
with groups_tab:
    draw_groups(services, people)
if budgets_tab.open:
    with budgets_tab:
        draw_budgets(services, people)
if prices_tab.open:
    with prices_tab:
        draw_prices(services)
with audit_tab:
    draw_audit(list_audit(services.database, limit=AUDIT_ROWS))
