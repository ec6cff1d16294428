"""What tables have in common: their times, and how high they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from ui.times import viewer_zone_name

_HEADER_PX, _ROW_PX = 38, 35
_LIST_HEIGHT_PX = 320


def utc_times(values: Sequence[datetime | None]) -> Any:
    """Naive UTC times as a column."""
    return pd.to_datetime(pd.Series(list(values), dtype="datetime64[us]"), utc=True)


def time_column(label: str | None = None, *, year: bool = True) -> Any:
    """How a column of times is shown: on the clock of whoever looks."""
    return st.column_config.DatetimeColumn(
        label, format="D MMM YYYY, HH:mm" if year else "D MMM, HH:mm", timezone=viewer_zone_name()
    )


def list_height(rows: int) -> int:
    """The height in pixels of a table of so many rows, which is scrolled where there are many."""
    return min(_LIST_HEIGHT_PX, _HEADER_PX + _ROW_PX * rows)
