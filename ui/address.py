"""What the address of the page says, beside the page itself."""

from __future__ import annotations

import streamlit as st


def put(name: str, *values: str) -> None:
    """Have the address say these values; with none the name is left out. What it says already is not sent again.

    Streamlit sends whatever is set, and the browser then goes through the whole page: six times in every run of a
    conversation's page, while each question about the open conversation set it.
    """
    if st.query_params.get_all(name) == list(values):
        return
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)
