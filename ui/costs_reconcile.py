"""The Reconcile tab of the Costs page: our figures, those reported call by call, and what providers bill."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Protocol

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.invoices import list_invoices
from core.costs.reconcile import Reconciliation, reconcile
from core.costs.words import money
from ui.model_filter import provider_name
from ui.reconcile_import import draw_add_file, draw_files
from ui.reconcile_rows import MONEY, as_csv, cause_rows, table_rows

_TABLE_PX = 420


class Period(Protocol):
    """The part of the page's filter that matters here: naive UTC moments."""

    @property
    def since(self) -> datetime:
        """The first moment."""

    @property
    def until(self) -> datetime:
        """The first moment after it."""


def draw_reconcile(services: Services, user: User, chosen: Period) -> None:
    """Draw it; for administrators, because a bill is about everybody."""
    if not user.is_admin:
        st.info("Only administrators compare the ledger with providers' bills.", icon=":material/lock:")
        return
    invoices = list_invoices(services.database)
    if not invoices:
        st.markdown(
            "**Does the ledger agree with what you are billed?** Add the cost export of a provider, and its usage "
            "export for the tokens: every gap is put down to its cause, by day and model."
        )
    draw_add_file(services)
    if not invoices:
        return
    with st.expander(f"Imported files ({len(invoices)})", icon=":material/folder:"):
        draw_files(services, invoices)
    providers = sorted({invoice.provider for invoice in invoices})
    provider = st.segmented_control(
        "Provider",
        providers,
        default=providers[0],
        required=True,
        format_func=provider_name,
        key="reconcile_of",
        persist_state="page",
    )
    since, until = utc_days(chosen)
    found = reconcile(
        services.database,
        services.ledger,
        provider=provider or providers[0],
        since=since,
        until=until,
        models=services.registry.current().models,
    )
    _draw(found, since=since, until=until)


def utc_days(chosen: Period) -> tuple[date, date]:
    """The UTC days a period touches, the last one excluded: bills know whole UTC days only."""
    last = chosen.until - timedelta(microseconds=1)
    return chosen.since.date(), last.date() + timedelta(days=1)


def _draw(found: Reconciliation, *, since: date, until: date) -> None:
    if not found.compared:
        last = until - timedelta(days=1)
        st.info(
            f"No file of {provider_name(found.provider)} covers {since:%-d %b %Y} to {last:%-d %b %Y}. "
            "Choose another time above, or add a file.",
            icon=":material/event_busy:",
        )
        return
    _draw_totals(found)
    causes = cause_rows(found.gap)
    if causes:
        st.markdown("**Where the gap comes from**")
        st.table(causes)
    else:
        st.success("No gap: the bill and the ledger agree to the last digit.", icon=":material/check:")
    _draw_days(found)


def _draw_totals(found: Reconciliation) -> None:
    coverage = found.coverage_percent
    figures = (
        ("Billed", money(found.billed_usd), "What the files add up to."),
        ("Computed here", money(found.computed_usd), "Tokens times prices, for the days the files cover."),
        ("Reported per call", _reported(found), "What the provider said with its answers, where it did."),
        ("Gap", money(found.gap.total), "Billed less computed here."),
        (
            "Coverage",
            "no bill" if coverage is None else f"{coverage:.1f} %",
            "The share of the bill whose calls are in the ledger.",
        ),
    )
    with st.container(horizontal=True):
        for label, value, meaning in figures:
            st.metric(label, value, help=meaning, border=True)


def _reported(found: Reconciliation) -> str:
    """Nothing reported is no report of nothing."""
    reports = any(cell.ours and cell.ours.reported_calls for cell in found.compared)
    return money(found.reported_usd) if reports else "none"


def _draw_days(found: Reconciliation) -> None:
    st.markdown("**By day and model** :small[days in UTC, as on bills; amounts in USD]")
    # Without a dollar sign in the cells: a number format would put the minus of a gap behind it.
    amount = st.column_config.NumberColumn(format="%.6f")
    st.dataframe(
        table_rows(found),
        placeholder="",
        height=_TABLE_PX,
        hide_index=True,
        column_config=dict.fromkeys(MONEY, amount),
        alt="For every day and model: calls, our figure, the provider's, the bill, the gap and its main cause",
    )
    if found.days_without_file:
        count = len(found.days_without_file)
        st.caption(
            f"{count} {'day' if count == 1 else 'days'} with calls in this time, from {found.days_without_file[0]}, "
            "are in no file and were left out of every figure here."
        )
    st.download_button(
        "Download as CSV",
        key="reconcile_csv",
        icon=":material/download:",
        data=lambda: as_csv(found),
        file_name=f"reconcile-{found.provider}.csv",
        mime="text/csv",
        on_click="ignore",
        help="Every figure exact, every cause in a column of its own.",
    )
