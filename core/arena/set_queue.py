"""The blind queue of a run: two answers to one prompt whose models are hidden, and a person's vote on them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.arena.prompt_files import Prompt
from core.arena.set_runs import RunAnswer, SetRun, answer_texts, answers_of_run, prompts_of_run, said_in
from core.arena.votes import Ballot, Outcome, Side, Vote, cast_vote
from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.store.database import Database
from core.store.sql import load_queries

_SQL = load_queries("set_runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Two conversations on one prompt to vote on; `key` names them and no model. `voted` of `of` pairs are done."""

    key: str
    prompt: Prompt
    answers: tuple[Sequence[str], Sequence[str]]
    voted: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    key: str
    position: int
    first: RunAnswer
    second: RunAnswer


def next_pair(database: Database, run: SetRun, *, user_id: str) -> Blind | None:
    """The next two answers for this person to vote on; None when there are none.

    Their order and their sides are random, and for one person and run the same at every look.
    """
    pairs, waiting = _pairs(database, run, user_id)
    if not waiting:
        return None
    pair = waiting[0]
    said = said_in(database, run.id, [pair.first.id, pair.second.id])
    return Blind(
        key=pair.key,
        prompt=prompts_of_run(database, run.id)[pair.position],
        answers=(answer_texts(said[pair.first.id]), answer_texts(said[pair.second.id])),
        voted=len(pairs) - len(waiting),
        of=len(pairs),
    )


def vote_on_pair(
    database: Database,
    run: SetRun,
    key: str,
    outcome: Outcome,
    *,
    user_id: str,
    find_model: Callable[[str], ModelSpec | None],
    reason: str | None = None,
    clock: Clock = utc_now,
) -> Vote:
    """Vote on the pair that `next_pair` showed. Raises NotFound when it is no longer there, SwitchboardError."""
    pair = next((one for one in _pairs(database, run, user_id)[1] if one.key == key), None)
    if pair is None:
        raise NotFound("These two answers are not there to vote on any more.", next_step="Vote on the next two.")
    said = said_in(database, run.id, [pair.first.id, pair.second.id])
    left, right = (_side(one, said[one.id], find_model) for one in (pair.first, pair.second))
    use_case = run.use_case or prompts_of_run(database, run.id)[pair.position].category
    ballot = Ballot(user_id=user_id, comparison_id=run.id, left=left, right=right, use_case=use_case)
    return cast_vote(database, ballot, outcome, reason=reason, clock=clock)


def _pairs(database: Database, run: SetRun, user_id: str) -> tuple[list[_Pair], list[_Pair]]:
    """Every pair of finished answers in this person's order, and those they have not voted on."""
    done: dict[int, list[RunAnswer]] = {}
    for answer in answers_of_run(database, run.id):
        if answer.state == "done":
            done.setdefault(answer.position, []).append(answer)
    found = [_hidden(run, user_id, at, *pair) for at, some in done.items() for pair in combinations(some, 2)]
    # Each key is random by itself, so this order is as well: with more answers, no pair changes its sides.
    found.sort(key=lambda pair: pair.key)
    ids = [one.id for pair in found for one in (pair.first, pair.second)]
    last = {name: messages[-1].id for name, messages in said_in(database, run.id, sorted(set(ids))).items() if messages}
    rows = database.fetch_all(_SQL["pairs_voted"], run_id=run.id, user_id=user_id)
    voted = {row["pair"] for row in rows}
    waiting = [pair for pair in found if " ".join(sorted((last[pair.first.id], last[pair.second.id]))) not in voted]
    return found, waiting


def _hidden(run: SetRun, user_id: str, position: int, one: RunAnswer, other: RunAnswer) -> _Pair:
    chance = random.Random(f"{run.id} {user_id} {one.id} {other.id}")
    first, second = (one, other) if chance.random() < 0.5 else (other, one)  # noqa: PLR2004 - a coin
    return _Pair(key=f"{chance.getrandbits(64):016x}", position=position, first=first, second=second)


def _side(answer: RunAnswer, messages: Sequence[Message], find_model: Callable[[str], ModelSpec | None]) -> Side:
    model = find_model(answer.model_id)
    if model is None or not messages:
        raise SwitchboardError(
            "One of the two models is no longer offered, so the vote cannot be counted.",
            next_step="Ask an administrator to put it back, or judge another run.",
        )
    return Side(message_id=messages[-1].id, model=model, text="\n\n".join(answer_texts(messages)), whole=True)
