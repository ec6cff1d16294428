"""The most that one answer may cost, on the Settings page. A conversation's own stands under Parameters."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.accounts.preferences import Preferences, answer_cap_usd, save_preference
from core.bootstrap import Services
from ui import echoes
from ui.auth import current_user
from ui.unbroken import unbroken

_KEY = "preference_answer_cap_usd"
_LEAST_USD, _MOST_USD = 0.0001, 1000.0


def draw_answer_cap(services: Services, mine: Preferences) -> None:
    """A limit in dollars for every answer in one's chats. A change is kept at once."""
    held = answer_cap_usd(mine)
    echoes.show(_KEY, None if held is None else float(held))
    st.number_input(
        "Most for an answer (USD)",
        key=_KEY,
        min_value=_LEAST_USD,
        max_value=_MOST_USD,
        step=0.01,
        value=None,
        format="%0.4f",
        placeholder="No limit",
        help="An answer is cut off where it would cost more, and Continue goes on with as much again. A chat can have "
        "its own limit, under Parameters. For a model whose price nobody knows no limit can hold.",
        on_change=_save,
        args=(services,),
    )


@unbroken
def _save(services: Services) -> None:
    user = current_user(services)
    if user is None or not echoes.is_changed(_KEY):
        return
    held = st.session_state[_KEY]
    # As it was typed, to a hundredth of a cent: what is compared with costs has to be exact.
    value = None if held is None else str(Decimal(str(held)).quantize(Decimal("0.0001")).normalize())
    save_preference(services.database, user_id=user.id, name="answer_cap_usd", value=value)
    st.toast("The limit for an answer is saved." if value else "No limit for an answer.", icon=":material/check:")
