"""What the Models page shows: filter bar, table, the facts of the ticked models, endpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.status_history import status_history, strip
from core.clock import utc_now
from core.costs.model_figures import ModelFigures, figures_by_model
from core.store.database import Database
from ui import formats, state
from ui.accounts_view import act, draw_problem
from ui.markdown import literal
from ui.model_card import facts
from ui.model_filter import Order, all_chips
from ui.model_rows import UNPRICED, Filter, Row, in_recommended_order, table, to_csv
from ui.status_strip import strip_image
from ui.times import month_start, viewer_zone
from ui.unbroken import unbroken

_TABLE = "models_table"
_SEARCH, _USE_CASES, _CAPABILITIES = "models_search", "models_use_cases", "models_capabilities"
_PROVIDERS, _FREE = "models_providers", "models_free"
_FILTERS = (_SEARCH, _USE_CASES, _CAPABILITIES, _PROVIDERS, _FREE)

_HEIGHT_PX = 400
# A quarter of a second at a million attempts.
_FIGURES_LIVE_S = 15
# Six models beside each other can still be read; more are in the table.
_COMPARED = 6
# The text colours of the theme (.streamlit/config.toml), which a table's cells cannot name.
_COLOURS = {
    "light": {"●": "#1F8A4C", "◐": "#B8690A", "○ down": "#C93B3B"},
    "dark": {"●": "#5DC389", "◐": "#E5A45A", "○ down": "#F07178"},
}
_COLUMNS = {
    "Model": st.column_config.TextColumn(pinned=True, width="medium"),
    "Cached": st.column_config.Column("Cached in", help="Input that the provider had cached; empty: priced like input"),
    "Retires": st.column_config.DateColumn(format="D MMM YYYY", help="The day its provider announced"),
    "My month": st.column_config.Column(help="What it cost you since the first of the month, as far as it has a price"),
    "24 h": st.column_config.ImageColumn(
        width=125, help="Status of the last 24 hours, now on the right. Full bar: healthy"
    ),
    "First token": st.column_config.Column(help="Median of 7 days, everybody's answers"),
    "p95": st.column_config.Column(
        "First token p95", help="Nineteen of twenty came sooner, over 24 h; empty: fewer than 20 calls"
    ),
    "Tokens/s": st.column_config.Column(help="Median of 7 days, everybody's answers"),
    "Worked": st.column_config.Column(help="Share of everybody's calls in 24 h that were answered"),
    "Rank": st.column_config.Column(
        help="Which suit the use case is the registry's word; status, speed and price decide"
    ),
}


def load_rows(services: Services, user: User) -> list[Row]:
    """The models this person may choose, administrators' switched off ones included, with everything known of them."""
    strips = _strips(services.database)
    models = services.registry.current().models if user.is_admin else services.offered_models(user)
    measured = _figures(services.database, user_id=user.id, month=month_start(viewer_zone()))
    return [
        Row(
            model=model,
            status=services.model_status(model),
            figures=measured.get(model_id, ModelFigures()),
            strip=strips.get(model_id),
        )
        for model_id, model in models.items()
    ]


@st.cache_data(ttl=_FIGURES_LIVE_S, max_entries=100, show_spinner=False)
def _figures(_database: Database, *, user_id: str, month: datetime) -> dict[str, ModelFigures]:
    return figures_by_model(_database, user_id=user_id, month=month, now=utc_now())


def _strips(database: Database) -> dict[str, str]:
    now = utc_now()
    return {name: strip_image(strip(found, until=now)) for name, found in status_history(database).items()}


def arranged(rows: Sequence[Row], wanted: Filter, *, order: Order) -> list[Row]:
    """What the filters leave; in the order recommended where they name one use case."""
    kept = [row for row in rows if wanted.keeps(row.model)]
    return in_recommended_order(kept, wanted.use_cases[0], order=order) if len(wanted.use_cases) == 1 else kept


def draw_filters(models: Mapping[str, ModelSpec]) -> Filter:
    """One row of filters; what they leave is said by the table."""
    chips = {group: _choices(models, group) for group in ("use case", "capability", "provider")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key=_SEARCH, placeholder="Name, id, provider, use case", icon=":material/search:", width=260
        )
        use_cases = _multiselect("Use case", chips["use case"], key=_USE_CASES)
        capabilities = _multiselect("Can", chips["capability"], key=_CAPABILITIES)
        providers = _multiselect("Provider", chips["provider"], key=_PROVIDERS)
        free = st.toggle("Free", key=_FREE)
    return Filter(text=text, use_cases=use_cases, capabilities=capabilities, providers=providers, free=free)


def draw_table(rows: Sequence[Row], *, total: int) -> list[str]:
    """All rows side by side, to sort and to tick. Returns the ids of the ticked models, also those filtered out."""
    ticked = state.ticked_models()
    if not rows:
        st.info(literal(_nothing(total)), icon=":material/search_off:")
        if total:
            st.button("Clear filters", on_click=_clear_filters)
        return ticked
    visible = [row.model.id for row in rows]
    # A place in the table means another model once the filters change: then it is another table.
    key = f"{_TABLE}_{hashlib.blake2b(repr(visible).encode(), digest_size=8).hexdigest()}"
    chosen = [place for place, model_id in enumerate(visible) if model_id in ticked]
    st.dataframe(
        _styled(pd.DataFrame(table(rows)), st.context.theme.type or "light"),
        key=key,
        height=min(_HEIGHT_PX, 38 + 35 * len(rows)),
        hide_index=True,
        column_config=_COLUMNS,
        on_select=partial(_tick, key, visible),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": chosen, "columns": [], "cells": []}},
        placeholder="",
        alt="Models with status, prices, limits, capabilities and measured figures",
    )
    _draw_below_table(rows, total)
    return ticked


def draw_comparison(rows: Sequence[Row], labels: Mapping[str, str]) -> None:
    """The facts of several models beside each other; what differs comes first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Compare {len(rows)} models", anchor=False)
        st.button("Clear ticks", on_click=_untick)
    shown = rows[:_COMPARED]
    if len(rows) > len(shown):
        st.caption(f"The first {_COMPARED} of them. Untick some to see the others.")
    by_name = [_facts(row, labels) for row in shown]
    names = sorted(by_name[0], key=lambda name: len({known[name] for known in by_name}) == 1)
    columns = {
        f"{literal(row.model.label)}": [literal(known[name]) for name in names]
        for row, known in zip(shown, by_name, strict=True)
    }
    st.table(pd.DataFrame(columns, index=pd.Index(names)), border="horizontal", alt="The ticked models side by side")


def draw_detail(row: Row, labels: Mapping[str, str]) -> None:
    """Everything known of one model."""
    st.subheader(literal(row.model.label), anchor=False)
    known = {name: literal(words) for name, words in _facts(row, labels).items()}
    half = (len(known) + 1) // 2
    for column, part in zip(st.columns(2), (list(known)[:half], list(known)[half:]), strict=True):
        column.table({name: known[name] for name in part}, border="horizontal")


def _facts(row: Row, labels: Mapping[str, str]) -> dict[str, str]:
    return facts(row.model, row.status, row.figures, labels, zone=viewer_zone())


def draw_registry(services: Services, *, admin: bool) -> None:
    """The endpoints that are asked for their models, and reading the registry again."""
    for endpoint in services.registry.endpoints():
        words = _endpoint_words(endpoint.problem, len(endpoint.models), endpoint.asked_ms)
        # Code: an address written out would become a link.
        address = f" (`{endpoint.provider.api_base}`)" if admin else ""
        st.caption(f"{literal(endpoint.provider.id)}{address}: {literal(words)}")
    draw_problem("registry")
    if admin:
        st.button(
            "Reload registry",
            icon=":material/refresh:",
            help="Reads the registry file now and asks the endpoints for their models again.",
            on_click=act,
            args=(services, "registry", _reload(services)),
            kwargs={"admin": True},
        )


def _reload(services: Services) -> Callable[[User], str]:
    def work(_admin: User) -> str:
        models = services.registry.reload().models
        return "" if services.registry.problem else f"Read again: {len(models)} models."

    return work


def _endpoint_words(problem: str | None, count: int, asked_ms: float | None) -> str:
    models = f"{count} model" + ("" if count == 1 else "s")
    if asked_ms is None and problem is None:
        return f"asking, {models} known" if count else "asking for its models"
    if problem is None:
        return f"{models} found"
    return f"{problem}, {models} kept from before" if count else problem


def _draw_below_table(rows: Sequence[Row], total: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(rows)} of {total} models. USD per million tokens. Tick rows for details.", width="stretch")
        st.download_button(
            "CSV", data=partial(to_csv, rows), file_name="models.csv", mime="text/csv", icon=":material/download:"
        )


def _nothing(total: int) -> str:
    return "No model fits these filters." if total else "No model is offered to you. Ask an administrator."


def _choices(models: Mapping[str, ModelSpec], group: str) -> dict[str, str]:
    return {chip.id.partition(":")[2]: chip.label for chip in all_chips(models) if chip.group == group}


def _multiselect(label: str, choices: Mapping[str, str], *, key: str) -> list[str]:
    return st.multiselect(label, list(choices), key=key, format_func=choices.__getitem__, placeholder="Any", width=170)


@unbroken
def _tick(key: str, visible: Sequence[str]) -> None:
    chosen = [visible[place] for place in st.session_state[key].selection.rows if place < len(visible)]
    hidden = [model_id for model_id in state.ticked_models() if model_id not in visible]
    state.tick_models([*hidden, *chosen])


@unbroken
def _untick() -> None:
    state.tick_models([])
    for key in [key for key in st.session_state if str(key).startswith(_TABLE)]:
        del st.session_state[key]


@unbroken
def _clear_filters() -> None:
    for key in _FILTERS:
        del st.session_state[key]


# A table's own formats know neither "free" and "unpriced" nor two significant digits under a cent.
def _styled(frame: pd.DataFrame, theme: str) -> object:
    colours = _COLOURS["dark" if theme == "dark" else "light"]

    def colour(state: Any) -> str:
        return next((f"color: {value}" for sign, value in colours.items() if str(state).startswith(sign)), "")

    numbers = [name for name in frame.columns if name not in _WORDS]
    frame[numbers] = frame[numbers].apply(pd.to_numeric)
    style = frame.style.map(colour, subset=["Status"])
    for names, words, missing in _FORMATS:
        style.format(words, subset=[name for name in names if name in frame.columns], na_rep=missing)
    return style


def _list_price(usd: Any) -> str:
    if usd == UNPRICED:
        return "unpriced"
    return formats.list_price(Decimal(repr(float(usd)))) if usd else "free"


def _percent(share: Any) -> str:
    # Rounded down: 100 % only when all of them worked.
    return f"{int(share * 100)} %"


_WORDS = frozenset({"Model", "Provider", "Status", "24 h", "Can", "Use cases", "Retires"})
_FORMATS: tuple[tuple[list[Any], Callable[[Any], str], str], ...] = (
    (["In", "Out"], _list_price, ""),
    (["Cached"], _list_price, ""),
    (["Context", "Output limit"], lambda count: formats.window(int(count)).removesuffix(" context"), ""),
    (["My month"], formats.dollars, ""),
    (["First token", "p95"], formats.duration, ""),
    (["Tokens/s", "Rank"], "{:.0f}".format, ""),
    (["Worked"], _percent, ""),
)
