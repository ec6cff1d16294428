"""The time now, anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from core.tools.tool import Tool, ToolContext, ToolError


def _now(arguments: Mapping[str, Any], context: ToolContext) -> str:
    name = arguments.get("time_zone") or context.time_zone
    local = context.now.replace(tzinfo=UTC).astimezone(_zone(name))
    offset = local.isoformat()[-6:]
    return f"{local:%A, %Y-%m-%d %H:%M:%S} in {name} (UTC{offset}), week {local.isocalendar().week}"


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        wanted = name.replace(" ", "_").rsplit("/", 1)[-1].lower()
        cities = {zone.rsplit("/", 1)[-1].lower(): zone for zone in sorted(available_timezones())}
        close = [cities[city] for city in get_close_matches(wanted, cities, n=3)]
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ToolError(f"There is no time zone named {name}.{meant} Take an IANA name such as Europe/Berlin.")
    return ZoneInfo(name)


TOOL = Tool(
    name="current_time",
    label="Current time",
    description="The date, weekday and time now, in the person's time zone or in another one.",
    schema={
        "type": "object",
        "properties": {
            "time_zone": {"type": "string", "description": "An IANA name, such as Asia/Tokyo. Left out: the person's."}
        },
        "additionalProperties": False,
    },
    run=_now,
)
