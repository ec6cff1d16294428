"""Adding a provider's file to the reconciliation: read, shown, then taken. And the files that were taken."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.accounts.audit import record
from core.accounts.users import User
from core.bootstrap import Services
from core.costs.invoice_files import FIELDS, InvoiceFile, columns_of, guess_mapping, known_layout, read_invoice
from core.costs.invoices import Invoice, import_invoice, known_providers, remove_invoice, taken_days
from core.errors import SwitchboardError
from ui.accounts_view import act, draw_problem
from ui.errors import draw_error
from ui.markdown import literal
from ui.reconcile_rows import invoice_line, preview_line, taken_line

_PLACE = "reconcile"
_ROUND = "reconcile_round"
_MOST_MB = 50
_SHOWN = 20
_LABELS = {
    "day": "Day (UTC)",
    "model": "Model",
    "amount_usd": "Amount in USD",
    "calls": "Calls",
    "input_tokens": "Input tokens, all",
    "cached_input_tokens": "Input read from cache",
    "cache_write_tokens": "Input written to cache",
    "output_tokens": "Output tokens",
}


def draw_add_file(services: Services) -> None:
    """Choose a file, see what was read of it, and take it."""
    draw_problem(_PLACE)
    uploaded = st.file_uploader(
        "Add a provider's file",
        type=["csv", "tsv", "txt"],
        key=f"reconcile_file_{st.session_state.get(_ROUND, 0)}",
        max_upload_size=_MOST_MB,
        help="OpenAI: Usage, Export (cost, and activity for the tokens). Anthropic: Cost and Usage, Export. Any other "
        "CSV with a header works too: you say which column is which.",
    )
    if uploaded is None:
        return
    try:
        file = _read(services, uploaded.getvalue(), uploaded.name)
        if file is not None:
            _draw_preview(services, file)
    except SwitchboardError as error:
        draw_error(error)


def draw_files(services: Services, invoices: list[Invoice]) -> None:
    """The files that were taken, each with a button to remove it."""
    for invoice in invoices:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(invoice.file_name)}**  \n:small[{literal(invoice_line(invoice))}]")
            st.button(
                "Remove",
                key=f"remove_invoice_{invoice.id}",
                icon=":material/delete:",
                help="Forget what this file says. The ledger does not change.",
                on_click=act,
                args=(services, _PLACE, partial(_remove, services, invoice)),
                kwargs={"admin": True},
            )


def _read(services: Services, data: bytes, name: str) -> InvoiceFile | None:
    columns = columns_of(data, name=name)
    if known_layout(columns) is not None:
        return read_invoice(data, name=name)
    st.info("This is no export that is known here. Say which column is which.", icon=":material/table_chart:")
    provider = st.selectbox(
        "Provider", known_providers(services.database), index=None, accept_new_options=True, key="reconcile_provider"
    )
    mapping = _draw_mapping(columns)
    if not provider or "day" not in mapping:
        st.caption("Choose the provider and the column of the day to see what is in the file.")
        return None
    return read_invoice(data, name=name, provider=str(provider), mapping=mapping)


def _draw_mapping(columns: tuple[str, ...]) -> dict[str, str]:
    guesses = guess_mapping(columns)
    chosen: dict[str, str] = {}
    for start in range(0, len(FIELDS), 4):
        for place, field in zip(st.columns(4), FIELDS[start : start + 4], strict=True):
            index = columns.index(guesses[field]) if field in guesses else None
            column = place.selectbox(
                _LABELS[field], columns, index=index, placeholder="not in the file", key=f"reconcile_map_{field}"
            )
            chosen |= {field: column} if column else {}
    return chosen


def _draw_preview(services: Services, file: InvoiceFile) -> None:
    taken = taken_days(services.database, file)
    st.markdown(literal(preview_line(file)))
    if left_out := taken_line(taken):
        st.warning(literal(left_out), icon=":material/event_busy:")
    if file.bad:
        _draw_bad_rows(file)
    _draw_lines(file)
    st.button(
        "Import",
        key="reconcile_import",
        type="primary",
        icon=":material/upload:",
        on_click=act,
        args=(services, _PLACE, partial(_import, services, file)),
        kwargs={"admin": True},
    )


def _draw_bad_rows(file: InvoiceFile) -> None:
    with st.expander(f"Rows that cannot be read and will be left out: {len(file.bad):,}", icon=":material/warning:"):
        rows = [f"- line {row.line:,} {literal(row.reason)}" for row in file.bad[:_SHOWN]]
        rows += [f"- and {len(file.bad) - _SHOWN:,} more"] if len(file.bad) > _SHOWN else []
        st.markdown("\n".join(rows))


def _draw_lines(file: InvoiceFile) -> None:
    st.dataframe(
        [
            {
                "Line": line.line,
                "Day": line.day,
                "Model": line.model,
                "For": line.item,
                "Amount": None if line.amount_usd is None else f"${line.amount_usd.normalize():f}",
                "Calls": line.calls,
                "Input": line.input_tokens,
                "Output": line.output_tokens,
            }
            for line in file.lines[:_SHOWN]
        ],
        hide_index=True,
        placeholder="",
        alt=f"The first {_SHOWN} lines of {file.name}",
    )


def _import(services: Services, file: InvoiceFile, user: User) -> str:
    import_invoice(services.database, file, actor_id=user.id, record=record)
    # Another key empties the field: what was taken is in the list.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    return f"{file.name} imported."


def _remove(services: Services, invoice: Invoice, user: User) -> str:
    remove_invoice(services.database, invoice.id, actor_id=user.id, record=record)
    return f"{invoice.file_name} removed."
