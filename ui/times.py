"""Times as the viewer reads them. The store holds naive UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services

# (user, IANA name or None for the browser's): read once per session, and again when somebody else signs in.
_PREFERRED = "preferred_time_zone"


def follow_time_zone(services: Services, user: User) -> None:
    """Let `viewer_zone` be what this person prefers."""
    if st.session_state.get(_PREFERRED, ("",))[0] != user.id:
        preferences = read_preferences(load_preferences(services.database, user.id))
        use_time_zone(user, preferences.time_zone)


def use_time_zone(user: User, name: str | None) -> None:
    """Show times in this zone from now on; None follows the browser."""
    st.session_state[_PREFERRED] = (user.id, name)


def viewer_zone() -> tzinfo:
    """The time zone the viewer prefers, else their browser's; UTC where neither names one that we know."""
    for name in (st.session_state.get(_PREFERRED, ("", None))[1], st.context.timezone):
        try:
            return ZoneInfo(name or "")
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return UTC


def viewer_zone_name() -> str:
    """The IANA name of the viewer's time zone."""
    zone = viewer_zone()
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"


def local_time(moment: datetime, zone: tzinfo) -> datetime:
    """A stored moment on the viewer's clock."""
    return moment.replace(tzinfo=UTC).astimezone(zone)


def naive_utc(day: date, clock: time) -> datetime:
    """A moment on the viewer's calendar and clock as the store has it."""
    return datetime.combine(day, clock, tzinfo=viewer_zone()).astimezone(UTC).replace(tzinfo=None)


def month_start(zone: tzinfo) -> datetime:
    """When the current month began on the viewer's clock, in naive UTC."""
    month = datetime.now(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return month.astimezone(UTC).replace(tzinfo=None)
