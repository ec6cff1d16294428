"""Admin: the people of this installation, and who changed what."""

from __future__ import annotations

import streamlit as st

from core.accounts.audit import list_audit
from core.accounts.users import list_users
from ui.auth import require_admin
from ui.people_view import draw_add_person, draw_audit, draw_handed_over, draw_manage, draw_people
from ui.runtime import get_services

AUDIT_ROWS = 500

require_admin()
services = get_services()

st.title("Admin", anchor=False)
people_tab, audit_tab = st.tabs(["People", "Audit"])
with people_tab:
    people = list_users(services.database)
    draw_add_person(services)
    draw_handed_over()
    draw_people(people)
    draw_manage(services, people)
with audit_tab:
    draw_audit(list_audit(services.database, limit=AUDIT_ROWS))
