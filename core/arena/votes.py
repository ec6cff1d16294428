"""Votes on two answers whose makers are hidden: what a vote is, when it is void, and how pairs are chosen."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from core.arena.naming import names_its_maker
from core.arena.style import Style, style_of
from core.catalog.models import ModelSpec
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

Outcome = Literal["left", "right", "tie", "both_bad"]
REASON_LIMIT = 1_000

_SQL = load_queries("votes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two answers, `whole` when it came to its end. `model` is the one that answered, whoever was asked."""

    message_id: str
    model: ModelSpec
    text: str
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What somebody votes on."""

    user_id: str
    comparison_id: str
    left: Side
    right: Side
    use_case: str | None = None

    @property
    def pair(self) -> str:
        """The same for both orders of the two answers."""
        return " ".join(sorted((self.left.message_id, self.right.message_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What somebody said of a pair, as the ballot has its sides. `void` says why it does not count; None: it does."""

    outcome: Outcome
    reason: str | None = None
    void: str | None = None


def cast_vote(
    database: Database, ballot: Ballot, outcome: Outcome, *, reason: str | None = None, clock: Clock = utc_now
) -> Vote:
    """Keep a vote and return it.

    Raises SwitchboardError when this person has voted on the pair before, or when both sides are the same model.
    """
    if ballot.left.model.id == ballot.right.model.id:
        raise SwitchboardError(
            "Both answers came from the same model, so there is nothing to vote on.",
            next_step="Ask again; the next pair will be two models.",
        )
    vote = Vote(outcome=outcome, reason=clean_text(reason or "").strip()[:REASON_LIMIT] or None, void=why_void(ballot))

    def work(cur: Cursor) -> None:
        if cur.fetch_one(_SQL["vote_on"], user_id=ballot.user_id, pair=ballot.pair):
            raise SwitchboardError("You have voted on these two answers.", next_step="Ask something new to vote again.")
        cur.execute(_SQL["insert_vote"], **_row(ballot, vote), id=new_id(), created_at=clock())

    database.transaction(work)
    return vote


def find_vote(database: Database, ballot: Ballot) -> Vote | None:
    """What this person said of the pair, seen from the ballot's sides; None before they voted."""
    row = database.fetch_one(_SQL["vote_on"], user_id=ballot.user_id, pair=ballot.pair)
    if row is None:
        return None
    turned = row["left_message_id"] != ballot.left.message_id
    outcome: Outcome = _turned(row["outcome"]) if turned else row["outcome"]
    return Vote(outcome=outcome, reason=row["reason"], void=row["void"])


def why_void(ballot: Ballot) -> str | None:
    """Why a vote on these answers does not count, in words; None when it does."""
    if not (ballot.left.whole and ballot.right.whole):
        return "an answer was not finished"
    if any(names_its_maker(side.text, side.model) for side in (ballot.left, ballot.right)):
        return "an answer named its maker"
    return None


def choose_pair(
    models: Sequence[str],
    votes: Mapping[tuple[str, str], int],
    *,
    rng: random.Random,
    without: Collection[tuple[str, str]] = (),
) -> tuple[str, str] | None:
    """Two different models, in random order; a pair with n votes is taken in proportion to 1 / (n + 1).

    `models` are those that can be asked; `votes` counts by pair in the order of names, and so are the pairs `without`
    which to choose. None when no pair is left.
    """
    pairs = [pair for pair in combinations(sorted(set(models)), 2) if pair not in without]
    if not pairs:
        return None
    pair = rng.choices(pairs, weights=[1 / (votes.get(one, 0) + 1) for one in pairs])[0]
    left, right = rng.sample(pair, 2)
    return left, right


def votes_by_pair(database: Database, *, use_case: str | None = None) -> dict[tuple[str, str], int]:
    """How many votes count for every pair of models in the order of names; of one use case, or of all."""
    rows = database.fetch_all(_SQL["votes_by_pair"], use_case=use_case)
    return {(row["first_model"], row["second_model"]): row["votes"] for row in rows}


def _turned(outcome: Outcome) -> Outcome:
    return {"left": "right", "right": "left"}.get(outcome, outcome)  # type: ignore[return-value]


def _row(ballot: Ballot, vote: Vote) -> dict[str, object]:
    return {
        "user_id": ballot.user_id,
        "pair": ballot.pair,
        "comparison_id": ballot.comparison_id,
        "use_case": ballot.use_case,
        "outcome": vote.outcome,
        "reason": vote.reason,
        "void": vote.void,
        **_side("left", ballot.left),
        **_side("right", ballot.right),
    }


def _side(name: str, side: Side) -> dict[str, object]:
    style: Style = style_of(side.text)
    return {
        f"{name}_model": side.model.id,
        f"{name}_message_id": side.message_id,
        f"{name}_characters": style.characters,
        f"{name}_list_items": style.list_items,
        f"{name}_headers": style.headers,
    }
