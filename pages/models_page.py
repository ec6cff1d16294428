"""Models: all of them side by side, with prices, limits, status and what they took; administrators change them here."""

from __future__ import annotations

import streamlit as st

from ui.advice import order_for
from ui.auth import require_user
from ui.groups_view import draw_unknown_groups
from ui.markdown import literal
from ui.model_edit import draw_edit
from ui.models_view import arranged, draw_comparison, draw_detail, draw_filters, draw_registry, draw_table, load_rows
from ui.runtime import get_services
from ui.status_strip import draw_strip

user = require_user()
services = get_services()

st.title("Models", anchor=False)
if services.registry.problem:
    st.error(literal(f"The last good model list stays in use. {services.registry.problem}"), icon=":material/error:")
if user.is_admin:
    draw_unknown_groups(services)
rows = {row.model.id: row for row in load_rows(services, user)}
models = {model_id: row.model for model_id, row in rows.items()}
labels = {model_id: model.label for model_id, model in services.registry.current().models.items()}

wanted = draw_filters(models)
ticked = draw_table(arranged(list(rows.values()), wanted, order=order_for(services, user)), total=len(rows))
chosen = [rows[model_id] for model_id in ticked if model_id in rows]
if len(chosen) == 1:
    draw_detail(chosen[0], labels)
    draw_strip(services, chosen[0].model)
    if user.is_admin:
        draw_edit(services, chosen[0].model, models)
elif chosen:
    draw_comparison(chosen, labels)
draw_registry(services, admin=user.is_admin)
