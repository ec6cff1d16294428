"""Entering a price: the fields, what it would correct of the past, and then the button that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import BUCKETS, ModelSpec, Prices
from core.clock import utc_now
from core.costs.cell_values import parse_dollars
from core.costs.price_lines import STANDARD
from core.costs.price_sheets import ADMINISTRATOR, NewPrice, Sheet, default_end, priced
from core.costs.repricing import Effect
from core.errors import PriceRefused
from ui import formats
from ui.accounts_view import Work, act, draw_problem
from ui.clicks import once_here, times
from ui.costs_words import capital
from ui.markdown import literal
from ui.price_rows import NAMES, exact_price, other_prices
from ui.price_steps import ABOVE, LEVELS, SERVICE, STEP_NAMES, edited_rows, step_rows, with_steps
from ui.times import local_time, naive_utc, viewer_zone, viewer_zone_name
from ui.unbroken import once, unbroken

# The price that is being looked at before it is entered: (model, NewPrice).
_ENTERED = "prices_entered"
_PREVIEW = "prices_preview"
_NOW, _EARLIER = "now", "at a moment"
_OPEN, _NEXT, _MOMENT = "until further notice", "until the next one in the book", "until a moment"


def draw_entry(
    services: Services, model_id: str, label: str, *, history: Sequence[Sheet], offered: ModelSpec | None
) -> None:
    """The form for one model, and the preview of what was filled in."""
    current = priced(history, utc_now())
    # Other prices are other fields: what was typed before a change must not stand there after it.
    prefix = f"price_{model_id}_{history[0].version if history else 0}"
    with st.form(f"{prefix}_form", border=True):
        st.markdown(f"**Enter a price of {literal(label)}**")
        _draw_buckets(prefix, current)
        _draw_steps(prefix, current)
        _draw_period(prefix)
        st.text_input("Why", key=f"{prefix}_why", max_chars=500, placeholder="Invoice of October")
        draw_problem("price")
        st.form_submit_button(
            "Preview",
            on_click=act,
            args=(services, "price", _preview(services, model_id, prefix, history)),
            kwargs={"admin": True},
        )
    kept = st.session_state.get(_PREVIEW)
    if kept is not None and kept[0] == model_id:
        _draw_preview(services, label, kept[1], offered)


def _draw_buckets(prefix: str, prices: Prices | None) -> None:
    st.caption("USD per million tokens, per call in the last field. Empty: priced like input or output.")
    names_of_all = list(NAMES)
    for names in (names_of_all[:5], names_of_all[5:]):
        for column, name in zip(st.columns(len(names)), names, strict=True):
            value: Decimal | None = None if prices is None else getattr(prices, name)
            with column:
                st.text_input(
                    NAMES[name],
                    value="" if value is None else f"{value.normalize():f}",
                    key=f"{prefix}_{name}",
                    autocomplete="off",
                )


def _draw_steps(prefix: str, prices: Prices | None) -> None:
    rows = step_rows(prices)
    with st.expander("Longer inputs and other levels of service", expanded=bool(rows)):
        st.data_editor(
            pd.DataFrame(rows, columns=[SERVICE, ABOVE, *STEP_NAMES.values()], dtype=object),
            key=f"{prefix}_steps",
            num_rows="dynamic",
            placeholder="",
            hide_index=True,
            column_config={
                SERVICE: st.column_config.SelectboxColumn(
                    options=LEVELS, default=STANDARD, required=True, format_func=_level, pinned=True
                ),
                ABOVE: st.column_config.NumberColumn(
                    min_value=0, step=1, default=0, format="localized", help="0: inputs of every length"
                ),
                **{label: st.column_config.TextColumn(width=130) for label in STEP_NAMES.values()},
            },
            alt="Prices of longer inputs and of other levels of service",
        )
        st.caption(
            "The whole input decides which row counts, and all of the call costs what that row says. What a longer "
            "input leaves empty costs as much as below it, and what a level of service leaves empty like its input or "
            "output. The price per call is one for all."
        )
    if prices is not None and prices.off_peak is not None:
        hours = f"{formats.price(prices.off_peak.prices)}, {formats.off_peak_hours(prices.off_peak.hours)}"
        st.checkbox(f"Keep its off-peak hours: {literal(hours)}", value=True, key=f"{prefix}_off_peak")


def _level(service: str | float) -> str:
    return str(service).capitalize()


def _draw_period(prefix: str) -> None:
    today = local_time(utc_now(), viewer_zone()).date()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Begins", [_NOW, _EARLIER], key=f"{prefix}_from", width=200)
        st.date_input("Begins on", today, key=f"{prefix}_from_day", width=140, help="Counts with “at a moment”")
        st.time_input("at", time(0), key=f"{prefix}_from_time", width=100)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Holds", [_OPEN, _NEXT, _MOMENT], key=f"{prefix}_until", width=260)
        st.date_input("Ends on", today, key=f"{prefix}_to_day", width=140, help="Counts with “until a moment”")
        st.time_input("at ", time(0), key=f"{prefix}_to_time", width=100)
    st.caption(
        f"Times are in {literal(viewer_zone_name())}. A price from the past corrects the calls since, by rows beside "
        "the ledger; the preview says which. A price ends where the next one begins."
    )


def _preview(services: Services, model_id: str, prefix: str, history: Sequence[Sheet]) -> Work:
    def work(_admin: User) -> str:
        _discard()
        price = NewPrice(
            model_id=model_id,
            prices=_read_prices(prefix, priced(history, utc_now())),
            valid_from=_read_from(prefix),
            valid_to=_read_until(prefix, history),
            reason=st.session_state[f"{prefix}_why"].strip(),
        )
        services.prices.effect(price)  # refuses what cannot be entered
        st.session_state[_PREVIEW] = (model_id, price)
        return ""

    return work


def _read_prices(prefix: str, current: Prices | None) -> Prices:
    typed = {name: st.session_state[f"{prefix}_{name}"] for name in BUCKETS}
    usual: dict[str, Any] = {name: _number(NAMES[name], text) for name, text in typed.items() if text.strip()}
    missing = [NAMES[name] for name in ("input", "output") if name not in usual]
    if missing:
        raise PriceRefused(f"{' and '.join(missing)} missing.", next_step="A price is at least input and output.")
    rows = edited_rows(step_rows(current), st.session_state.get(f"{prefix}_steps") or {})
    prices = with_steps(Prices(**usual, source=ADMINISTRATOR), rows, read=_number)
    keeps = current is not None and st.session_state.get(f"{prefix}_off_peak")
    return replace(prices, off_peak=current.off_peak) if current and keeps else prices


def _number(name: str, text: str) -> Decimal:
    try:
        return parse_dollars(text)
    except ValueError as error:
        raise PriceRefused(
            f"{text} is no price for {name}.", next_step="Write dollars as a number, such as 0.40."
        ) from error


def _read_from(prefix: str) -> datetime:
    if st.session_state[f"{prefix}_from"] == _NOW:
        return utc_now()
    return naive_utc(st.session_state[f"{prefix}_from_day"], st.session_state[f"{prefix}_from_time"])


def _read_until(prefix: str, history: Sequence[Sheet]) -> datetime | None:
    until = st.session_state[f"{prefix}_until"]
    if until == _NEXT:
        return default_end(history, _read_from(prefix))
    if until == _MOMENT:
        return naive_utc(st.session_state[f"{prefix}_to_day"], st.session_state[f"{prefix}_to_time"])
    return None


def _draw_preview(services: Services, label: str, price: NewPrice, offered: ModelSpec | None) -> None:
    with st.container(border=True):
        st.markdown(f"**Preview: {literal(label)}**")
        if price.prices is not None:
            st.markdown(literal(_sentence(price, price.prices)))
        st.markdown(literal(effect_sentence(services.prices.effect(price))))
        with st.container(horizontal=True):
            st.button(
                "Enter this price",
                type="primary",
                on_click=act,
                args=(services, "price", _enter(services, label, price, offered)),
                kwargs={"admin": True},
            )
            st.button("Discard", on_click=_discard)


def _sentence(price: NewPrice, prices: Prices) -> str:
    lines = [f"{NAMES[name].lower()} {exact_price(usd)}" for name in BUCKETS if (usd := getattr(prices, name))]
    zone = viewer_zone()
    until = "" if price.valid_to is None else f" until {local_time(price.valid_to, zone):%-d %b %Y, %H:%M}"
    amounts = "; ".join(part for part in (", ".join(lines) or "free", other_prices(prices)) if part)
    return f"{capital(amounts)}. From {local_time(price.valid_from, zone):%-d %b %Y, %H:%M}{until}. {price.reason}"


def effect_sentence(effect: Effect) -> str:
    """What a price would correct of the past, in words."""
    beside = f" {_beside(effect.beside)}" if effect.beside else ""
    if not effect.calls:
        return beside.strip() or "No call of the past is in this period: nothing is corrected."
    if not effect.corrected:
        return f"All {effect.calls:,} calls of this period cost this already: no cost is corrected.{beside}"
    unpriced = f", {effect.unpriced:,} of them unpriced until now" if effect.unpriced else ""
    sign = "+" if effect.difference_usd >= 0 else "-"
    return (
        f"Corrects {effect.corrected:,} of {effect.calls:,} calls{unpriced}: {formats.money(effect.before_usd)} "
        f"becomes {formats.money(effect.after_usd)} ({sign}{formats.money(abs(effect.difference_usd))}).{beside}"
    )


def _beside(calls: int) -> str:
    keep = "1 call keeps" if calls == 1 else f"{calls:,} calls keep"
    return f"{keep} what the provider reported or a cache gave; only our own figure beside it is corrected."


def _enter(services: Services, label: str, price: NewPrice, offered: ModelSpec | None) -> Work:
    def work(admin: User) -> str:
        prices = None if offered is None else offered.prices
        sheet = once("enter", partial(services.prices.enter, price, offered=prices, actor_id=admin.id))
        # What was corrected was spent: nobody's budget waits a minute to know.
        once("recount", services.budgets.recount_if_changed)
        _discard()
        return f"The price of {label} is in the book as version {sheet.version}."

    drawn = str(times(_ENTERED))
    return lambda admin: once_here(_ENTERED, drawn, lambda: work(admin)) or ""


@unbroken
def _discard() -> None:
    st.session_state.pop(_PREVIEW, None)
