"""`GET /api/usage`: the Explorer's figures, with its filters and grouping, as JSON or CSV."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import bearer_of
from api.completion_answer import exact
from api.errors import ApiError
from core.accounts.tokens import Bearer
from core.accounts.users import list_users
from core.arena.blind import hidden_conversations
from core.bootstrap import Services
from core.clock import utc_now
from core.costs.reports.explorer import MEASURES, NOTHING, TIMES, Cell, Explored, explore
from core.costs.reports.statements import GROUPS
from core.costs.reports.totals import Totals
from core.costs.usage_filter import UsageFilter
from core.costs.usage_url import PARAMETERS, from_parameters
from core.spreadsheet import safe_cell

_PAGE_ROWS = 10_000
_LONGEST_NUMBER = 8
# Beside the Explorer's filters.
_OWN = ("zone", "by", "measure", "page", "format")
_PERSON_NAME = "person_name"
_BY = (*TIMES, *GROUPS)
_FORMATS = ("json", "csv")
_FIGURES = ("calls", "cost_usd", "unpriced", "input_tokens", "cached_input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class _Viewer:
    id: str
    is_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a request asks for: the calls, how they are grouped and weighed, and which page of the groups."""

    chosen: UsageFilter
    by: tuple[str, ...]
    measure: str
    page: int
    form: str


async def report(request: Request, *, services: Services) -> Response:
    """What calls took, grouped by `by` (one or two names); a member's token sees its owner's calls.

    Days are those of `zone` (UTC unless it says otherwise), moments UTC. Everybody's calls need the scope admin. Raises
    ApiError (400, 401, 403), UsageFilterError.
    """
    bearer = await bearer_of(request, services, "usage", "admin")
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    asked = read_question(given)
    found, names = await asyncio.to_thread(partial(explored, services, bearer, asked))
    rows = [_row(cell, asked.by, names) for cell in found.rows]
    if asked.form == "csv":
        disposition = {"content-disposition": 'attachment; filename="usage.csv"'}
        columns = [*_columns(asked.by), *_FIGURES]
        return Response(_csv(rows, columns), media_type="text/csv; charset=utf-8", headers=disposition)
    return JSONResponse(
        {
            "from": _time(asked.chosen.since),
            "until": _time(asked.chosen.until),
            "zone": str(asked.chosen.zone),
            "by": list(asked.by),
            "groups": found.groups,
            "page": asked.page,
            "rows": rows,
            "totals": _figures(found.totals),
        }
    )


def read_question(given: Mapping[str, list[str]]) -> Question:
    """The question that the parameters of an address ask. Raises ApiError, UsageFilterError."""
    unknown = sorted(given.keys() - {*PARAMETERS, *_OWN})
    if unknown:
        known = ", ".join((*PARAMETERS, *_OWN))
        raise _wrong(unknown[0][:40], f"There is no parameter {unknown[0][:40]!r}. There are {known}.")
    return Question(
        chosen=from_parameters(given, zone=_zone(given), now=utc_now()).chosen,
        by=_by(given),
        measure=_one_of(given, "measure", tuple(MEASURES)),
        page=_page(given),
        form=_one_of(given, "format", _FORMATS),
    )


def explored(services: Services, bearer: Bearer, asked: Question) -> tuple[Explored, Mapping[str, str]]:
    """The figures that whoever calls may see, and the usernames of the people in them by id."""
    viewer = _Viewer(bearer.user.id, is_admin=bearer.user.is_admin and "admin" in bearer.token.scopes)
    people = {user.id: user.username for user in (list_users(services.database) if viewer.is_admin else [bearer.user])}
    ids = {name: user_id for user_id, name in people.items()}
    # The ledger knows people by their ids; whoever writes a script knows their names.
    users = tuple(ids.get(name, name) for name in asked.chosen.users)
    # As on the page: the calls of a blind vote would name its models before it is cast.
    hidden = () if viewer.is_admin else hidden_conversations(services.database, user_id=viewer.id)
    chosen = replace(asked.chosen, users=users, hidden=hidden)
    first, second = (*asked.by, NOTHING)[:2]
    found = services.ledger.snapshot(
        lambda cur: explore(
            cur,
            chosen,
            viewer=viewer,
            first=first,
            second=second,
            measure=asked.measure,
            page=asked.page,
            page_rows=_PAGE_ROWS,
        )
    )
    return found, people


def _by(given: Mapping[str, list[str]]) -> tuple[str, ...]:
    by = tuple(dict.fromkeys(name for text in given.get("by") or ["model"] for name in text.split(",")))
    unknown = [name for name in by if name not in _BY]
    if unknown or not 1 <= len(by) <= 2:  # noqa: PLR2004 - said in the message
        raise _wrong("by", f"by takes one or two of {', '.join(_BY)}.")
    if len(by) == 2 and set(by) <= set(TIMES):  # noqa: PLR2004 - both of two
        raise _wrong("by", f"by takes one of {', '.join(TIMES)}, not two.")
    return by


def _one_of(given: Mapping[str, list[str]], name: str, choices: tuple[str, ...]) -> str:
    value = (given.get(name) or [choices[0]])[-1]
    if value not in choices:
        raise _wrong(name, f"{name} takes {' or '.join(choices)}.")
    return value


def _page(given: Mapping[str, list[str]]) -> int:
    text = (given.get("page") or ["1"])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER and int(text)):
        raise _wrong("page", f"page takes a whole number from 1: {_PAGE_ROWS:,} groups are on each.")
    return int(text)


def _zone(given: Mapping[str, list[str]]) -> tzinfo:
    name = (given.get("zone") or ["UTC"])[-1]
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("zone", "zone takes the name of a time zone, such as Europe/Paris.") from None


def _wrong(param: str, message: str) -> ApiError:
    return ApiError(status=400, message=message, code="invalid_value", param=param)


def _columns(by: tuple[str, ...]) -> list[str]:
    return [column for name in by for column in ((name, _PERSON_NAME) if name == "person" else (name,))]


def _row(cell: Cell, by: tuple[str, ...], names: Mapping[str, str]) -> dict[str, Any]:
    values = {name: _value(value) for name, value in zip(by, (cell.first, cell.second), strict=False)}
    if "person" in values:
        values[_PERSON_NAME] = names.get(values["person"] or "")
    return {**values, **_figures(cell.totals)}


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


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
    return text.getvalue()
