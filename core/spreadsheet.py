"""Cells of a CSV file that a spreadsheet must not take for formulas.

A name from elsewhere (a model of an endpoint, a row of an imported file, a reason somebody typed) may begin with `=`
and then runs in the spreadsheet of whoever opens the download: https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """A value as it goes into a CSV file: text that would begin a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
