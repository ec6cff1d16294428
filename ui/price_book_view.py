"""The tab "Prices" of the Admin page: what waits to be decided, the book, one model's history, entering a price."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.clock import utc_now
from core.costs.price_sheets import Proposal, Sheet, in_force, priced
from core.costs.repricing import Effect
from ui.accounts_view import Work, act, draw_problem
from ui.costs_values import labels_apart
from ui.markdown import literal
from ui.price_end_view import draw_end
from ui.price_entry_view import draw_entry
from ui.price_rows import NAMES, book_csv, exact_price, price_table, proposal_table
from ui.times import month_start, viewer_zone, viewer_zone_name
from ui.unbroken import once

_SEARCH = "prices_search"
_CHOSEN = "prices_model"
_WHICH = "prices_which"
_WHY = "prices_why"
_HEIGHT_PX, _HEADER_PX, _ROW_PX = 420, 38, 35

_MONEY: tuple[Hashable, ...] = ("This month", "At the new price")


def draw_prices(services: Services) -> None:
    """Everything about prices: proposals first."""
    models = services.registry.offered().models
    _draw_proposals(services, services.prices.proposals(models.values()))
    _draw_book(services, models)
    _draw_model(services, models)


def _draw_proposals(services: Services, proposals: Sequence[Proposal]) -> None:
    draw_problem("proposals")
    if not proposals:
        st.caption("No price waits to be decided: a changed price of LiteLLM or of an endpoint would stand here first.")
        return
    noun = "price has" if len(proposals) == 1 else "prices have"
    st.subheader(f"{len(proposals)} {noun} changed at the source", anchor=False)
    st.caption(
        "Nothing changes until you decide. The effect is on this month's calls, exact from the ledger: what they would "
        "have cost. Accepting counts from now on; calls of the past keep their price."
    )
    effects = services.prices.effects_of(proposals, since=month_start(viewer_zone()))
    _draw_proposal_table(proposals, effects)
    _draw_decision(services, proposals)


def _draw_proposal_table(proposals: Sequence[Proposal], effects: Mapping[str, Effect]) -> None:
    frame = pd.DataFrame(proposal_table(proposals, effects))
    st.dataframe(
        # Exact, so that the figures of a row add up.
        frame.style.format(_dollars, subset=list(_MONEY)).format(_signed, subset=["Difference"]),
        hide_index=True,
        height=_height(len(proposals)),
        column_config={
            "Model": st.column_config.TextColumn(pinned=True),
            "What changes": st.column_config.TextColumn(width="medium", help="Per million tokens"),
            "This month": st.column_config.Column(help="What its calls that are priced from tokens cost this month"),
        },
        alt="Prices that changed at their source, with their effect on this month",
    )


def _draw_decision(services: Services, proposals: Sequence[Proposal]) -> None:
    labels = {proposal.model_id: proposal.label for proposal in proposals}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.multiselect(
            "For",
            list(labels),
            key=_WHICH,
            format_func=lambda key: labels.get(key, key),
            placeholder=f"All {len(proposals)}" if len(proposals) > 1 else next(iter(labels.values())),
            width=320,
        )
        st.text_input("Why", key=_WHY, max_chars=500, placeholder="Announced on 3 November", width=320)
        chosen = [proposal for proposal in proposals if not which or proposal.model_id in which]
        count = f" {len(chosen)}" if len(proposals) > 1 else ""
        _button(f"Accept{count}", _accept(services, chosen), services, primary=True)
        _button(f"Decline{count}", _decline(services, chosen), services)


def _button(label: str, work: Work, services: Services, *, primary: bool = False) -> None:
    st.button(
        label,
        type="primary" if primary else "secondary",
        on_click=act,
        args=(services, "proposals", work),
        kwargs={"admin": True},
    )


def _accept(services: Services, proposals: Sequence[Proposal]) -> Work:
    def decide(proposal: Proposal, reason: str, admin: User) -> None:
        services.prices.accept(proposal, reason=reason, actor_id=admin.id)

    return _decide(proposals, decide, done="in force from now on.")


def _decline(services: Services, proposals: Sequence[Proposal]) -> Work:
    def decide(proposal: Proposal, reason: str, admin: User) -> None:
        services.prices.decline(proposal, reason=reason, actor_id=admin.id)

    return _decide(proposals, decide, done="left as it was. The same price is not proposed again.")


def _decide(proposals: Sequence[Proposal], decide: Callable[[Proposal, str, User], None], *, done: str) -> Work:
    def work(admin: User) -> str:
        reason = st.session_state[_WHY]
        for proposal in proposals:
            once(proposal.model_id, partial(decide, proposal, reason, admin))
        st.session_state[_WHY], st.session_state[_WHICH] = "", []
        name = proposals[0].label if len(proposals) == 1 else f"{len(proposals)} models"
        return f"The price of {name} is {done}"

    return work


def _draw_book(services: Services, models: Mapping[str, ModelSpec]) -> None:
    sheets = services.prices.sheets()
    now = utc_now()
    current = [sheet for found in sheets.values() if (sheet := in_force(found, now)) and sheet.prices]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Price book", anchor=False, width="stretch")
        st.text_input(
            "Search",
            key=_SEARCH,
            placeholder="Model, source",
            icon=":material/search:",
            width=240,
            label_visibility="collapsed",
        )
        st.download_button(
            "CSV",
            lambda: book_csv(sheet for found in sheets.values() for sheet in found),
            file_name="price_book.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="Every version of every price",
        )
    st.caption(_summary(current, models))
    labels = labels_apart(models)
    shown = _found(current, labels, st.session_state[_SEARCH] or "")
    if not shown:
        st.info("No model matches." if current else "The book is empty: no model has a known price.")
        return
    _draw_sheets(sorted(shown, key=lambda sheet: labels.get(sheet.model_id, sheet.model_id).casefold()), labels)


def _summary(current: Sequence[Sheet], models: Mapping[str, ModelSpec]) -> str:
    priced = {sheet.model_id for sheet in current}
    unpriced = [model.label for model in models.values() if model.enabled and model.id not in priced]
    text = "USD per million tokens, in force now. An empty field costs like input or output."
    if not unpriced:
        return text
    more = f" and {len(unpriced) - 3} more" if len(unpriced) > 3 else ""  # noqa: PLR2004
    return f"{text} Unpriced: {literal(', '.join(unpriced[:3]))}{more}."


def _draw_model(services: Services, models: Mapping[str, ModelSpec]) -> None:
    sheets, labels = services.prices.sheets(), labels_apart(models)
    names = sorted({*models, *sheets}, key=lambda name: str(labels.get(name, name)).casefold())
    st.subheader("One model", anchor=False)
    chosen = st.selectbox(
        "Model",
        names,
        key=_CHOSEN,
        index=None,
        placeholder="Choose a model to see its history or to enter a price",
        format_func=lambda name: labels.get(name, name),
        label_visibility="collapsed",
    )
    if chosen is None:
        return
    history = sheets.get(chosen, ())
    if history:
        _draw_sheets(history, labels, history=True)
    else:
        st.caption("The book has no price of this model: its calls are unpriced.")
    label, offered = labels.get(chosen, chosen), models.get(chosen)
    draw_entry(services, chosen, label, history=history, offered=offered)
    if priced(history, utc_now()) is not None:
        draw_end(services, chosen, label, history=history, offered=offered)


def _draw_sheets(sheets: Sequence[Sheet], labels: Mapping[str, str], *, history: bool = False) -> None:
    frame = pd.DataFrame(price_table(sheets, labels, moments=_times))
    if history:
        frame = frame[["Version", *(name for name in frame.columns if name not in {"Version", "Model"})]]
    buckets: list[Hashable] = [name for name in NAMES.values() if name in frame.columns]
    moments = {
        name: st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone=viewer_zone_name())
        for name in ("From", "Until")
    }
    st.dataframe(
        frame.style.format(_dollars, subset=buckets, na_rep=""),
        hide_index=True,
        height=_height(len(sheets)),
        placeholder="",
        column_config={
            "Model": st.column_config.TextColumn(pinned=True, width="medium"),
            "Also": st.column_config.TextColumn(help="Longer inputs, other levels of service, other hours"),
            **moments,
        },
        alt="Every version of this model's price, newest first" if history else "The prices in force",
    )


def _found(sheets: Sequence[Sheet], labels: Mapping[str, str], text: str) -> list[Sheet]:
    words = text.casefold().split()
    return [
        sheet
        for sheet in sheets
        if all(word in f"{labels.get(sheet.model_id, '')} {sheet.model_id} {sheet.source}".casefold() for word in words)
    ]


def _dollars(usd: object) -> str:
    return exact_price(Decimal(repr(usd)))


def _signed(usd: object) -> str:
    exact = Decimal(repr(usd))
    return f"{'-' if exact < 0 else '+' if exact else ''}{exact_price(abs(exact))}"


def _times(moments: Sequence[datetime | None]) -> Any:
    return pd.to_datetime(pd.Series(list(moments), dtype="datetime64[us]"), utc=True)


def _height(rows: int) -> int:
    return min(_HEIGHT_PX, _HEADER_PX + _ROW_PX * rows)
