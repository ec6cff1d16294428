"""Models in use that retire soon, said where the money is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import streamlit as st

from core.accounts.users import User
from core.catalog.models import ModelSpec
from core.clock import utc_now
from core.costs.length_ratios import LengthRatios
from core.costs.radar import Retiring, retiring
from core.costs.usage_filter import UsageFilter
from core.store.reader import Reader
from ui import formats
from ui.markdown import literal


def draw_radar(
    ledger: Reader,
    user: User,
    chosen: UsageFilter,
    models: Mapping[str, ModelSpec],
    *,
    ratios: Callable[[], LengthRatios],
) -> None:
    """A line for every model that retires; nothing where none does. The filter's time is not looked at."""
    found = retiring(ledger, models, scope=chosen, viewer=user, ratios=ratios, now=utc_now())
    if found:
        st.subheader("Models in use that retire", anchor=False)
    for one in found:
        st.warning(radar_words(one), icon=":material/event_busy:")


def radar_words(one: Retiring) -> str:
    """One model that retires, as a sentence with its use, its successor and what that would have cost."""
    today = utc_now().date()
    when = f"{one.retires_on.day} {one.retires_on:%B %Y}"
    verb = "retired on" if one.retires_on <= today else "retires on"
    people = "1 person" if one.people == 1 else f"{one.people} people"
    at_least = "at least " if one.unpriced else ""
    used = f"{one.calls:,} calls of {people} in 30 days, {at_least}{formats.money(one.cost_usd)}."
    return f"**{literal(one.model.label)}** {verb} {when}: {literal(used)} {literal(_instead(one))}"


def _instead(one: Retiring) -> str:
    if one.successor is None or one.instead is None:
        return "Nobody has named a successor: an administrator can, on the Models page or in the registry."
    if one.instead.middle_usd is None:
        return f"Its successor {one.successor.label} has no known price."
    low, high = formats.money(one.instead.low_usd or Decimal(0)), formats.money(one.instead.high_usd or Decimal(0))
    would = low if low == high else f"{low} to {high}"
    left = sum(one.instead.left_out.values())
    without = f" without {left:,} calls that it cannot serve" if left else ""
    return f"On its successor {one.successor.label} that would have been {would}{without}."
