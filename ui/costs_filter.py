"""The filter bar of the cost pages: shared by all tabs, kept in the address and for the tab of the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.accounts.users import User
from core.clock import utc_now
from core.costs.usage_filter import UsageFilter
from core.costs.usage_period import DEFAULT_PERIOD, PERIODS, days_of, period, span_of
from core.costs.usage_url import NAMES, PARAMETERS, Asked, from_parameters, to_parameters
from core.errors import UsageFilterError
from ui import address
from ui.costs_names import GROUP_LABELS, Names
from ui.markdown import literal
from ui.times import viewer_zone
from ui.unbroken import unbroken

_KEPT = "costs_parameters"
_TOUCHED = "costs_touched"
_PERIOD, _DAYS, _MINE = "costs_period", "costs_days", "costs_mine"
_CUSTOM = "custom"
_PERIOD_LABELS = {
    "today": "Today",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "365d": "Last 12 months",
    "month": "This month",
    "last_month": "Last month",
    "all": "All time",
    _CUSTOM: "From … to …",
}
_TEAM, _ME = "Team", "Mine"
# On the bar itself; the others are behind one button.
_IN_SIGHT = ("users", "models")

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Bar:
    """What the widgets say."""

    chosen: UsageFilter
    name: str | None


def draw_usage_filter(user: User, *, names: Names, offered: Callable[[datetime, datetime], Values]) -> UsageFilter:
    """Draw the bar and return what it leaves. `offered` says what each list of a filter offers between two moments.

    Members choose among their own calls; what anybody may see is decided in core and not here.
    """
    now = utc_now()
    _seed(_asked(now), user)
    with st.container(horizontal=True, vertical_alignment="bottom", key="costs_filter"):
        name = _draw_period(now)
        mine = _draw_whose(user)
        since, until = period(name, zone=viewer_zone(), now=now) if name else _custom(now)
        lists = _draw_lists(names, offered(since, until), team=user.is_admin and not mine)
        chosen = {item: tuple(found) for item, found in lists.items()}
        if mine and user.is_admin:
            chosen["users"] = (user.id,)
        bar = _Bar(UsageFilter(since=since, until=until, zone=viewer_zone(), **chosen), name)
        if bar.chosen.narrowed or bar.name != DEFAULT_PERIOD:
            st.button("Clear", key="costs_clear", type="tertiary", icon=":material/filter_alt_off:", on_click=_clear)
    _keep(to_parameters(bar.chosen, name=bar.name))
    return bar.chosen


def choose(**lists: Iterable[str]) -> None:
    """Narrow the filter from a callback: `choose(models=["gpt"])`. Other lists stay as they are."""
    for item, chosen in lists.items():
        st.session_state[_key(item)] = list(chosen)
    _touch()


def _asked(now: datetime) -> Asked | None:
    """What the address asks for where the widgets do not say it already; None where they do."""
    kept: dict[str, list[str]] | None = st.session_state.get(_KEPT)
    shown = {name: found for name in PARAMETERS if (found := st.query_params.get_all(name))}
    touched = st.session_state.pop(_TOUCHED, False)
    if _PERIOD in st.session_state and (touched or not shown or shown == kept):
        return None
    # Links between pages drop the parameters: then the tab's own come back.
    wanted = shown or kept or {}
    try:
        return from_parameters(wanted, zone=viewer_zone(), now=now)
    except UsageFilterError as error:
        st.warning(literal(str(error)), icon=":material/link_off:")
        return from_parameters({}, zone=viewer_zone(), now=now)


def _seed(asked: Asked | None, user: User) -> None:
    if asked is None:
        return
    chosen = asked.chosen
    st.session_state[_PERIOD] = asked.name or _CUSTOM
    st.session_state[_DAYS] = days_of(chosen.since, chosen.until, zone=chosen.zone)
    mine = chosen.users == (user.id,)
    st.session_state[_MINE] = _ME if mine else _TEAM
    for item in NAMES:
        st.session_state[_key(item)] = [] if item == "users" and mine else list(getattr(chosen, item))


def _draw_period(now: datetime) -> str | None:
    name: str = st.selectbox(
        "Period", [*PERIODS, _CUSTOM], key=_PERIOD, format_func=_PERIOD_LABELS.__getitem__, width=160, on_change=_touch
    )
    if name != _CUSTOM:
        return name
    # A widget that was not drawn has forgotten its value.
    st.session_state.setdefault(
        _DAYS, days_of(*period(DEFAULT_PERIOD, zone=viewer_zone(), now=now), zone=viewer_zone())
    )
    st.date_input("Days", key=_DAYS, format="YYYY-MM-DD", width=230, on_change=_touch)
    return None


def _draw_whose(user: User) -> bool:
    if not user.is_admin:
        return True
    chosen = st.segmented_control(
        "Whose", [_TEAM, _ME], key=_MINE, required=True, on_change=_touch, label_visibility="collapsed"
    )
    return chosen == _ME


def _draw_lists(names: Names, values: Values, *, team: bool) -> dict[str, list[str]]:
    found = {item: _draw_list(item, names, values) for item in _IN_SIGHT if team or item != "users"}
    rest = [item for item in NAMES if item not in _IN_SIGHT]
    count = sum(len(st.session_state.get(_key(item), ())) > 0 for item in rest)
    with st.popover(f"More filters ({count})" if count else "More filters", icon=":material/filter_list:"):
        return found | {item: _draw_list(item, names, values) for item in rest}


def _draw_list(item: str, names: Names, values: Values) -> list[str]:
    group, key = NAMES[item], _key(item)
    offered = dict.fromkeys([*values.get(item, ()), *st.session_state.get(key, ())])
    return st.multiselect(
        GROUP_LABELS[group],
        list(offered),
        key=key,
        format_func=lambda value: names.of(group, value),
        placeholder="Any",
        width=190 if item in _IN_SIGHT else "stretch",
        on_change=_touch,
    )


def _custom(now: datetime) -> tuple[datetime, datetime]:
    days = st.session_state.get(_DAYS) or ()
    days = days if isinstance(days, tuple | list) else (days,)
    if not days:
        return period(DEFAULT_PERIOD, zone=viewer_zone(), now=now)
    # Between the first and the second click of a range there is one day.
    return span_of(days[0], days[-1], zone=viewer_zone())


def _keep(parameters: dict[str, list[str]]) -> None:
    st.session_state[_KEPT] = parameters
    for name in PARAMETERS:
        address.put(name, *parameters.get(name, []))


@unbroken
def _clear() -> None:
    st.session_state[_PERIOD] = DEFAULT_PERIOD
    st.session_state[_MINE] = _TEAM
    for item in NAMES:
        st.session_state[_key(item)] = []
    _touch()


@unbroken
def _touch() -> None:
    """The widgets say what is wanted, and not the address, which is still the one before."""
    st.session_state[_TOUCHED] = True


def _key(item: str) -> str:
    return f"costs_{item}"
