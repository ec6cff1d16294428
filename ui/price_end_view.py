"""Ending a price with none after it: a model that is no longer for sale, or whose price nobody knows any more."""

from __future__ import annotations

from datetime import time
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.clock import utc_now
from core.costs.price_sheets import Sheet
from ui.accounts_view import Work, act, draw_problem
from ui.times import local_time, naive_utc, viewer_zone, viewer_zone_name
from ui.unbroken import once

_NOW, _LATER = "now", "at a moment"


def draw_end(
    services: Services, model_id: str, label: str, *, history: tuple[Sheet, ...], offered: ModelSpec | None
) -> None:
    """The form; only for a model that has a price."""
    prefix = f"price_end_{model_id}_{history[0].version}"
    with (
        st.expander("End its price without another one", icon=":material/event_busy:"),
        st.form(f"{prefix}_form", border=False),
    ):
        st.caption(
            "From then on its calls are unpriced, which no sum counts as zero, until a price is entered again. Calls "
            f"of the past keep theirs. Times are in {viewer_zone_name()}."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox("Ends", [_NOW, _LATER], key=f"{prefix}_at", width=200)
            today = local_time(utc_now(), viewer_zone()).date()
            st.date_input("Ends on", today, key=f"{prefix}_day", width=140, help="Counts with “at a moment”")
            st.time_input("at", time(0), key=f"{prefix}_time", width=100)
        st.text_input("Why", key=f"{prefix}_why", max_chars=500, placeholder="No longer sold")
        draw_problem("price_end")
        st.form_submit_button(
            "End the price",
            on_click=act,
            args=(services, "price_end", _end(services, model_id, label, prefix, offered)),
            kwargs={"admin": True},
        )


def _end(services: Services, model_id: str, label: str, prefix: str, offered: ModelSpec | None) -> Work:
    def work(admin: User) -> str:
        state = st.session_state
        later = state[f"{prefix}_at"] == _LATER
        end = partial(
            services.prices.end,
            model_id,
            at=naive_utc(state[f"{prefix}_day"], state[f"{prefix}_time"]) if later else None,
            reason=state[f"{prefix}_why"],
            offered=None if offered is None else offered.prices,
            actor_id=admin.id,
        )
        once("end", end)
        return f"The price of {label} ends {'then' if later else 'now'}: its calls are unpriced after that."

    return work
