"""The team's evidence behind a recommendation, for one person's dial; and what it says in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from core.accounts.preferences import Preferences, RecommendBy, load_preferences, read_preferences
from core.accounts.users import User
from core.arena.advice import ENOUGH_ANSWERS, ENOUGH_SIGNS, Advice, Known, advise
from core.arena.evidence import Evidence
from core.arena.ratings import SHOWN_FROM
from core.bootstrap import Services
from ui import formats
from ui.model_filter import Order

DIALS: Sequence[RecommendBy] = get_args(RecommendBy)
_LEADS = {
    "quality": "Best by the team's own judgement",
    "balanced": "Best balance of quality, speed and price",
    "speed": "Fastest to the first token",
    "price": "Cheapest per answer",
}
_TAKES = {
    "quality": f"{SHOWN_FROM} blind votes (or {ENOUGH_SIGNS} weaker signs: ten count as one vote)",
    "speed": f"{ENOUGH_ANSWERS} timed answers",
    "price": f"{ENOUGH_ANSWERS} priced answers",
}


def dial_of(preferences: Preferences) -> RecommendBy:
    """What this person's recommendations go by."""
    return preferences.recommend_by or "balanced"


@dataclass(frozen=True, slots=True)
class Advised:
    """The order of the team's evidence as it stands; `judged` are the use cases it had enough to go by, once asked."""

    evidence: Evidence
    dial: RecommendBy
    judged: set[str] = field(default_factory=set)

    def __call__(self, use_case: str, model_ids: Sequence[str]) -> Sequence[str]:
        """These models, the first to try first."""
        advice = advise(model_ids, self.evidence, use_case=use_case, dial=self.dial)
        if advice.judged:
            self.judged.add(use_case)
        return advice.order


def advised_order(services: Services, preferences: Preferences) -> Advised:
    """The order of the team's evidence, for `recommended` and `rivals`. Reads memory alone."""
    return Advised(services.evidence.current(), dial_of(preferences))


def order_for(services: Services, user: User) -> Order:
    """The same for somebody whose preferences are not at hand."""
    return advised_order(services, read_preferences(load_preferences(services.database, user.id)))


def evidence_sentence(one: Known, advice: Advice, dial: RecommendBy) -> str:
    """Why a judged model comes first, with its numbers and how many of what they are from."""
    parts = [*_quality(one, advice), *_answers(one, advice)]
    return f"{_LEADS[dial]}: {', '.join(parts)}."


def missing_sentence(advice: Advice) -> str:
    """What there is too little of for an order from evidence; empty where there is enough."""
    if not advice.missing:
        return ""
    takes = ", ".join(f"{name} {_TAKES[name]}" for name in advice.missing)
    return f"Too little of the team's own evidence for an order yet: it takes, for the same two models, {takes}."


def _quality(one: Known, advice: Advice) -> list[str]:
    about = _about(advice.quality_from)
    if one.rating is not None:
        rating = one.rating
        return [
            f"rated {rating.rating:.0f} ({rating.low:.0f} to {rating.high:.0f}) from {rating.votes:,} votes {about}"
        ]
    if one.signs is not None:
        spoken = f"{round(100 * one.signs.share)} % of {one.signs.signs:,} weaker signs {about} speak for it"
        return [f"too few votes, but {spoken} (each counts as a tenth of a vote)"]
    return ["too few votes to rate it"]


def _answers(one: Known, advice: Advice) -> list[str]:
    answers, parts = one.answers, []
    if one.worked_share is not None:
        parts.append(f"{100 * answers.worked // answers.judged} % of {answers.judged:,} calls worked")
    if one.first_token_ms is not None:
        parts.append(f"{formats.duration(one.first_token_ms)} to first token ({answers.timed:,} measured)")
    if one.cost_usd is not None:
        parts.append(f"{formats.money(one.cost_usd)} per answer ({answers.priced:,} priced)")
    if parts:
        parts[-1] += f" in 30 days {_about(advice.answers_from)}"
    return parts


def _about(use_case: str | None) -> str:
    return "over all use cases" if use_case is None else f"for {use_case.replace('_', ' ')}"
