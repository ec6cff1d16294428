"""`GET /api/usage`: the Explorer's figures, with its filters and grouping, as JSON or CSV."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import bearer_of
from api.completion_answer import exact
from api.errors import ApiError
from core.accounts.tokens import Bearer
from core.bootstrap import Services
from core.clock import utc_now
from core.costs.reports.explorer import NOTHING, TIMES, Cell, Explored, explore
from core.costs.reports.statements import GROUPS
from core.costs.reports.totals import Totals
from core.costs.usage_filter import UsageFilter
from core.costs.usage_url import from_parameters

_MOST_ROWS = 10_000
_BY = (*TIMES, *GROUPS)
_FORMATS = ("json", "csv")
_FIGURES = ("calls", "cost_usd", "unpriced", "input_tokens", "cached_input_tokens", "output_tokens")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Viewer:
    id: str
    is_admin: bool


async def report(request: Request, *, services: Services) -> Response:
    """What calls took, grouped by `by` (one or two names). Times are UTC; a member's token sees its owner's calls.

    Everybody's calls need the scope admin. Raises ApiError (400, 401, 403), UsageFilterError.
    """
    bearer = await bearer_of(request, services, "usage", "admin")
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    chosen = from_parameters(given, zone=UTC, now=utc_now()).chosen
    by = _by(given)
    form = _form(given)
    found = await asyncio.to_thread(partial(_explore, services, bearer, chosen, by))
    if form == "csv":
        disposition = {"content-disposition": 'attachment; filename="usage.csv"'}
        return Response(_csv(found, by), media_type="text/csv; charset=utf-8", headers=disposition)
    return JSONResponse(
        {
            "from": _time(chosen.since),
            "until": _time(chosen.until),
            "by": list(by),
            "groups": found.groups,
            "rows": [_row(cell, by) for cell in found.rows],
            "totals": _figures(found.totals),
        }
    )


def _explore(services: Services, bearer: Bearer, chosen: UsageFilter, by: tuple[str, ...]) -> Explored:
    viewer = _Viewer(bearer.user.id, is_admin=bearer.user.is_admin and "admin" in bearer.token.scopes)
    first, second = (*by, NOTHING)[:2]
    return services.database.snapshot(
        lambda cur: explore(cur, chosen, viewer=viewer, first=first, second=second, page_rows=_MOST_ROWS)
    )


def _by(given: Mapping[str, list[str]]) -> tuple[str, ...]:
    by = tuple(dict.fromkeys(name for text in given.get("by") or ["model"] for name in text.split(",")))
    unknown = [name for name in by if name not in _BY]
    if unknown or not 1 <= len(by) <= 2:  # noqa: PLR2004 - said in the message
        raise ApiError(
            status=400, message=f"by takes one or two of {', '.join(_BY)}.", code="invalid_value", param="by"
        )
    return by


def _form(given: Mapping[str, list[str]]) -> str:
    form = (given.get("format") or ["json"])[-1]
    if form not in _FORMATS:
        raise ApiError(status=400, message="format takes json or csv.", code="invalid_value", param="format")
    return form


def _row(cell: Cell, by: tuple[str, ...]) -> dict[str, Any]:
    values = (cell.first, cell.second)
    return {**{name: _value(value) for name, value in zip(by, values, strict=False)}, **_figures(cell.totals)}


def _figures(totals: Totals) -> dict[str, Any]:
    known = {item.name for item in fields(Totals)} & set(_FIGURES)
    return {name: _plain(getattr(totals, name)) for name in _FIGURES if name in known}


def _plain(value: Decimal | int) -> str | int:
    # As text: a float would lose the last digits of a sum.
    return exact(value) if isinstance(value, Decimal) else value


def _value(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


def _time(at: datetime) -> str:
    return f"{at.isoformat()}Z"


def _csv(found: Explored, by: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*by, *_FIGURES], lineterminator="\r\n")
    writer.writeheader()
    for cell in found.rows:
        writer.writerow({name: _safe(value) for name, value in _row(cell, by).items()})
    return text.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
