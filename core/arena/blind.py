"""Blind rounds: one prompt to two hidden models, a vote, and only then their names.

A round is a comparison like any other, but no page shows it before its owner has voted; afterwards it is in the list.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.arena.asking import Arena, Words
from core.arena.comparison import Column, Comparison, load_comparison
from core.arena.line_ups import Entry
from core.arena.said import messages_in
from core.arena.votes import Ballot, Outcome, Side, Vote, cast_vote, choose_pair, find_vote, votes_by_pair
from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.chat.plain_text import clean_text
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("blind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A blind round. The first column of `comparison` stands on the left; `voted_at` is None while names are hidden."""

    comparison: Comparison
    use_case: str
    voted_at: datetime | None

    @property
    def sides(self) -> Sequence[Column]:
        """What is voted on; a model that joined later is none of them."""
        return self.comparison.answers[:2]

    @property
    def revealed(self) -> bool:
        """Whether the models may be shown."""
        return self.voted_at is not None


def begin_round(
    arena: Arena,
    database: Database,
    *,
    user_id: str,
    words: Words,
    use_case: str,
    models: Mapping[str, ModelSpec],
    rng: random.Random,
    clock: Clock = utc_now,
) -> str:
    """Put a prompt to two of `models`, chosen by what is least known, and return the round's id.

    `models` can be called and suit the use case. Raises TurnRefused when the prompt is refused, SwitchboardError when
    there are fewer than two models, or when this person has had every two of them with this very prompt.
    """
    if len(models) < 2:  # noqa: PLR2004 - said in the sentence
        raise SwitchboardError(
            "A blind vote takes two models that can answer, and there are fewer for this use case.",
            next_step="Choose another use case, or ask an administrator to add a model.",
        )
    known = votes_by_pair(database, use_case=use_case)
    asked = pairs_asked(database, user_id=user_id, text=words.text)
    pair = choose_pair(list(models), known, rng=rng, without=asked)
    if pair is None:
        raise SwitchboardError(
            "A blind vote on a prompt takes each two models once, and you have had all of them with this one.",
            next_step="Ask something else. Your message is kept in the box.",
        )
    entries = [Entry(model_id=model_id, parameters={}) for model_id in pair]

    def hide(comparison_id: str) -> Callable[[Cursor], None]:
        return lambda cur: cur.execute(
            _SQL["insert_round"], comparison_id=comparison_id, user_id=user_id, use_case=use_case, now=clock()
        )

    return arena.begin(user_id=user_id, words=words, entries=entries, models=models, along=hide).id


def pairs_asked(database: Database, *, user_id: str, text: str) -> set[tuple[str, str]]:
    """The pairs of models, in the order of names, that a person has voted on with this very prompt, or is to vote on.

    A second vote would be the first one once more: it is the same question to the same two.
    """
    asked: dict[str, list[str]] = {}
    for row in database.fetch_all(_SQL["models_asked"], user_id=user_id, text=clean_text(text).strip()):
        asked.setdefault(row["comparison_id"], []).append(row["model_id"])
    return {(min(models), max(models)) for models in asked.values()}


def load_round(database: Database, *, comparison_id: str, user_id: str) -> Round:
    """One round of this user. Raises NotFound."""
    row = database.fetch_one(_SQL["load_round"], comparison_id=comparison_id, user_id=user_id)
    if row is None:
        raise NotFound("This blind round was not found.", next_step="Start a new one.")
    comparison = load_comparison(database, comparison_id=comparison_id, user_id=user_id, blind=True)
    return Round(comparison=comparison, use_case=row["use_case"], voted_at=row["voted_at"])


def open_round(database: Database, *, user_id: str) -> str | None:
    """The round that waits for this person's vote, if there is one."""
    row = database.fetch_one(_SQL["open_round"], user_id=user_id)
    return None if row is None else str(row["comparison_id"])


def hidden_conversations(database: Database, *, user_id: str) -> tuple[str, ...]:
    """The conversations whose models this person may not know before they have voted, in the order of their ids."""
    rows = database.fetch_all(_SQL["hidden_conversations"], user_id=user_id)
    return tuple(str(row["conversation_id"]) for row in rows)


def answers_of(database: Database, found: Round) -> list[Message | None]:
    """The answers on the left and on the right; None for one that was never begun."""
    said = messages_in(database, found.comparison, found.sides)
    return [answer_in(said[column.id]) for column in found.sides]


def answer_in(said: Sequence[Message]) -> Message | None:
    """The answer that is voted on, of what was said in a column: the first, whatever was asked there afterwards."""
    return next((message for message in said if message.role == "assistant"), None)


def vote(
    database: Database,
    found: Round,
    outcome: Outcome,
    *,
    find_model: Callable[[str], ModelSpec | None],
    reason: str | None = None,
    clock: Clock = utc_now,
) -> Vote:
    """Vote on a round and show its models.

    Raises SwitchboardError when there are no two answers to vote on, and when their names were shown without a vote.
    """
    ballot = _ballot(found, answers_of(database, found), find_model)
    if ballot is None:
        raise SwitchboardError("An answer is missing, so there is nothing to vote on.", next_step="Start a new round.")
    if found.revealed and find_vote(database, ballot) is None:
        raise SwitchboardError(
            "The names of these two have been shown, so they take no vote any more.", next_step="Ask something new."
        )
    cast = cast_vote(database, ballot, outcome, reason=reason, clock=clock)
    reveal(database, found, clock=clock)
    return cast


def reveal(database: Database, found: Round, *, clock: Clock = utc_now) -> None:
    """Show the models of a round. Who has not voted by now cannot any more."""
    database.execute(_SQL["reveal"], comparison_id=found.comparison.id, now=clock())


def vote_of(database: Database, found: Round, *, find_model: Callable[[str], ModelSpec | None]) -> Vote | None:
    """What the owner of a round said of it; None before they voted, or when they gave up."""
    ballot = _ballot(found, answers_of(database, found), find_model)
    return None if ballot is None else find_vote(database, ballot)


def _ballot(
    found: Round, answers: Sequence[Message | None], find_model: Callable[[str], ModelSpec | None]
) -> Ballot | None:
    sides = [_side(answer, find_model) for answer in answers if answer is not None and answer.content]
    if len(sides) != 2 or None in sides:  # noqa: PLR2004 - a pair
        return None
    left, right = (side for side in sides if side is not None)
    return Ballot(
        user_id=found.comparison.user_id,
        comparison_id=found.comparison.id,
        left=left,
        right=right,
        use_case=found.use_case,
    )


def _side(answer: Message, find_model: Callable[[str], ModelSpec | None]) -> Side | None:
    model = find_model(answer.served_model or answer.requested_model or "")
    if model is None:
        return None
    return Side(message_id=answer.id, model=model, text=answer.content, whole=answer.status == "complete")
