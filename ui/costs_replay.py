"""The Replay tab of the costs: the chosen calls on other models, the frontier, and models that retire."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.choice import usual_price
from core.catalog.models import ModelSpec
from core.clock import utc_now
from core.costs.length_ratios import LengthRatio, LengthRatios, measure_ratios
from core.costs.replay import Replay, answered_models, left_out_calls, replay
from core.costs.usage_filter import UsageFilter
from ui import formats
from ui.costs_frontier import draw_frontier
from ui.costs_radar import draw_radar
from ui.costs_values import labels_apart
from ui.markdown import literal
from ui.times import local_time, viewer_zone

_TARGETS = "replay_models"
_MOST = 6
_SUGGESTED = 3
# Lengths of answers move slowly, and pairing a year of answers takes a while.
_RATIOS_LIVE_S = 600
_WORDS_OF = {
    "window": "longer than its context window",
    "images": "with images, which it cannot see",
    "tools": "with tools, which it cannot use",
    "json": "with a JSON format, which it cannot promise",
    "reasoning": "with a reasoning effort, which it does not take",
}
_BASIS = {
    "same model": "the same model",
    "same questions": "{samples} questions that both answered",
    "all answers": "the lengths of all their answers ({samples} of the one with fewer)",
    "assumed": "the same length, assumed: too few answers to measure",
}
_COLUMNS = {
    "Calls": st.column_config.Column(help="Answered calls that this model could have served"),
    "Left out": st.column_config.Column(help="Calls that it could not have served; not in the figures beside"),
    "Was": st.column_config.Column(help="What the calls it could have served did cost"),
    "Would be, low": st.column_config.Column(help="With answers as short as the 25th percentile of the measured ratio"),
    "Would be": st.column_config.Column(help="With answers as long as the median of the measured ratio"),
    "Would be, high": st.column_config.Column(help="With answers as long as the 75th percentile of the measured ratio"),
    "Saved": st.column_config.Column(help="What it was less what it would be; below zero: dearer"),
    "Range from": st.column_config.Column(
        help="Where too few answers of either model were measured, the same length is assumed and there is no range"
    ),
}
_MONEY = ("Was", "Would be, low", "Would be", "Would be, high", "Saved")


def draw_replay(services: Services, user: User, chosen: UsageFilter) -> None:
    """Everything on the tab, for the calls that the filter leaves."""
    models = services.registry.current().models if user.is_admin else services.offered_models(user)
    draw_radar(services.ledger, user, chosen, models, ratios=lambda: _ratios(services))
    answered = answered_models(services.ledger, chosen, viewer=user)
    if not answered:
        st.info(
            "No answered calls in this time and filter. Choose a longer time above, or ask something first.",
            icon=":material/hourglass_empty:",
        )
        return
    _draw_targets(services, user, chosen, models, answered=answered)
    draw_frontier(services, user, chosen, models)


@st.cache_data(ttl=_RATIOS_LIVE_S, max_entries=1, show_spinner=False)
def _ratios(_services: Services) -> LengthRatios:
    return measure_ratios(_services.ledger, _services.database, now=utc_now())


def _draw_targets(
    services: Services,
    user: User,
    chosen: UsageFilter,
    models: Mapping[str, ModelSpec],
    *,
    answered: Mapping[str, int],
) -> None:
    st.subheader("What this would have cost on other models", anchor=False)
    calls = sum(answered.values())
    st.caption(
        f"{calls:,} answered calls of the chosen time. Their tokens, times how many tokens the same text is for the "
        "other model, at its prices of today. Calls that it could not have served are left out on both sides."
    )
    labels = labels_apart(models)
    picked = st.multiselect(
        "Models",
        list(models),
        default=_suggested(models, answered),
        format_func=labels.__getitem__,
        key=_TARGETS,
        max_selections=_MOST,
        placeholder="Choose up to six models",
        persist_state="session",
    )
    found = [
        replay(services.ledger, chosen, models[model_id], viewer=user, ratios=_ratios(services)) for model_id in picked
    ]
    if found:
        st.dataframe(
            _styled(pd.DataFrame([_row(one, labels[one.model.id]) for one in found])),
            hide_index=True,
            column_config=_COLUMNS,
            placeholder="-",
            alt="What the chosen calls would have cost on other models",
        )
        _say_unpriced(found)
    for one in found:
        _draw_basis(services, user, chosen, models, one)


def _say_unpriced(found: Sequence[Replay]) -> None:
    """Beside the table and not behind a click: without it, a saving looks smaller than it is."""
    most = max(one.unpriced for one in found)
    if most:
        st.caption(
            f"{formats.counted(most, 'call')} of these {'has' if most == 1 else 'have'} no known cost, so **Was** and "
            "**Saved** are at least what is shown. An administrator enters missing prices under Admin, Prices."
        )


def _suggested(models: Mapping[str, ModelSpec], answered: Mapping[str, int]) -> list[str]:
    """The cheapest priced ones that did not answer most of it: those are what a team lead looks for."""
    used = next(iter(answered), None)
    priced = [model for model in models.values() if model.enabled and model.prices and model.id != used]
    paid = [model for model in priced if model.prices and not model.prices.free]
    return [model.id for model in sorted(paid, key=lambda model: usual_price(model.prices))[:_SUGGESTED]]


def _row(one: Replay, label: str) -> dict[str, Any]:
    return {
        "Model": label,
        "Calls": one.calls,
        "Left out": sum(one.left_out.values()),
        "Was": float(one.actual_usd),
        "Would be, low": _end(one, one.low_usd),
        "Would be": _number(one.middle_usd),
        "Would be, high": _end(one, one.high_usd),
        "Saved": _number(one.saved_usd),
        "Range from": _range_words(one),
    }


def _range_words(one: Replay) -> str:
    """Whether answers were measured: where none was, the ends of the range are no ends."""
    if one.middle_usd is None:
        return "unpriced"
    if not one.calls:
        return ""
    if not one.assumed_calls:
        return "measured lengths"
    if one.assumed_calls >= one.calls:
        return "assumed: same length"
    return f"{one.assumed_calls / one.calls:.0%} assumed"


def _end(one: Replay, amount_usd: Decimal | None) -> float | None:
    return None if one.calls and one.assumed_calls >= one.calls else _number(amount_usd)


def _label(models: Mapping[str, ModelSpec], model_id: str) -> str:
    return models[model_id].label if model_id in models else model_id


def _number(amount_usd: Decimal | None) -> float | None:
    return None if amount_usd is None else float(amount_usd)


def _styled(frame: pd.DataFrame) -> object:
    frame[list(_MONEY)] = frame[list(_MONEY)].apply(pd.to_numeric)
    ends: list[Hashable] = ["Would be, low", "Would be, high"]
    sums: list[Hashable] = [name for name in _MONEY if name not in ends]
    style = frame.style.format(_money, subset=sums, na_rep="unpriced")
    return style.format(_money, subset=ends, na_rep="-").format("{:,}", subset=["Calls", "Left out"])


def _money(usd: Any) -> str:
    amount = Decimal(repr(float(usd)))
    return formats.money(amount) if amount >= 0 else f"-{formats.money(-amount)}"


def _draw_basis(
    services: Services, user: User, chosen: UsageFilter, models: Mapping[str, ModelSpec], one: Replay
) -> None:
    with st.expander(f"{literal(one.model.label)}: what the figures rest on", type="compact", on_change="rerun") as box:
        if not box.open:
            return
        if one.unpriced:
            st.markdown(f"- {one.unpriced:,} of the calls have no known cost: what they were is not in it.")
        if one.model.prices and one.model.prices.off_peak:
            st.markdown("- Its cheaper hours are not counted: every call is priced as in the busy ones.")
        for part in one.parts:
            asked = literal(_label(models, part.model_id))
            st.markdown(f"- {part.calls:,} calls of {asked}: {basis_words(part.ratio)}")
        for reason, count in one.left_out.items():
            st.markdown(f"- Left out: {count:,} calls {_WORDS_OF[reason]}")
        if one.left_out:
            _draw_left_out(services, user, chosen, models, one)


def basis_words(ratio: LengthRatio) -> str:
    """What a range rests on: `answers 0.8 to 1.3 times as long, from 14 questions that both answered`."""
    basis = _BASIS[ratio.evidence].format(samples=f"{ratio.samples:,}")
    if ratio.evidence in {"same model", "assumed"}:
        return basis
    reads = f", what it reads {ratio.input:.2f} times" if ratio.input != 1 else ""
    return f"answers {ratio.output_low:.2f} to {ratio.output_high:.2f} times as long{reads}, from {basis}"


def _draw_left_out(
    services: Services, user: User, chosen: UsageFilter, models: Mapping[str, ModelSpec], one: Replay
) -> None:
    rows = left_out_calls(services.ledger, chosen, one.model, viewer=user, ratios=_ratios(services))
    zone = viewer_zone()
    frame = pd.DataFrame(
        [
            {
                "When": local_time(row["started_at"], zone),
                "Model": _label(models, row["model_id"]),
                "Why": _WORDS_OF[row["left_out"]],
                "Tokens in": row["input_tokens"],
                "Tokens out": row["output_tokens"],
                "Cost": _number(row["cost_usd"]),
            }
            for row in rows
        ]
    )
    frame["Cost"] = pd.to_numeric(frame["Cost"])
    st.dataframe(
        frame.style.format(_money, subset=["Cost"], na_rep="unpriced").format(
            "{:,}", subset=["Tokens in", "Tokens out"]
        ),
        hide_index=True,
        height=min(300, 38 + 35 * len(rows)),
        column_config={"When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm")},
        alt=f"The newest calls that {one.model.label} could not have served",
    )
    hidden = sum(one.left_out.values()) - len(rows)
    if hidden > 0:
        st.caption(f"The newest {len(rows)}; {hidden:,} more are counted above.")
