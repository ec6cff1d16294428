"""What came of a run: by category and in all, for every model. People's votes and machine judgements stay apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import TypeVar, cast

from core.arena.prompt_files import Prompt
from core.arena.set_runs import Judgement, SetRun, answers_of_run, judgements_of, prompts_of_run
from core.arena.verdicts import Choice, combine
from core.store.database import Database, Row
from core.store.sql import load_queries

ALL = None

_SQL = load_queries("set_runs")
# A category (None: all of them) and a model.
_Cell = tuple[str | None, str]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Score:
    """How often a model won, tied and lost."""

    wins: int = 0
    ties: int = 0
    losses: int = 0

    @property
    def games(self) -> int:
        """How many comparisons that were."""
        return self.wins + self.ties + self.losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A model in a category, or in all (`category` None).

    `cost_usd` and the tokens are means per answered prompt, every try of it included; None: unpriced, or no answer.
    Times are medians over calls that went well, in milliseconds.
    """

    category: str | None
    model_id: str
    answered: int
    failed: int
    waiting: int
    people: Score
    machine: Score
    cost_usd: Decimal | None
    input_tokens: float | None
    output_tokens: float | None
    first_token_ms: float | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise:
    """The outcome of two answers to the prompt at `position`: who won, None for a tie."""

    position: int
    models: tuple[str, str]
    winner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReport:
    """The report of a run. `judged` are the machine judgements; `unreadable` counts those that gave no verdict."""

    run: SetRun
    lines: Sequence[Line]
    votes: int
    judged: Sequence[Pairwise] = field(default_factory=tuple)
    disagreed: int = 0
    unreadable: int = 0
    judging_usd: Decimal | None = None

    def overall(self) -> dict[str, Line]:
        """The lines over all categories, by model."""
        return {line.model_id: line for line in self.lines if line.category is ALL}


def load_report(database: Database, run: SetRun) -> SetReport:
    """Work out the report of a run as far as it has come: every answer, call and outcome is looked at once."""
    prompts, judgements = prompts_of_run(database, run.id), judgements_of(database, run.id)
    votes, judged = list(_votes(database, run)), machine_outcomes(judgements)
    answers, calls = answers_of_run(database, run.id), database.fetch_all(_SQL["calls_of_run"], run_id=run.id)
    states = _by_cell(prompts, ((one.position, one.model_id, one.state) for one in answers))
    called = _by_cell(prompts, ((call["position"], call["model_id"], call) for call in calls))
    scored = [_scores_by_category(outcomes, prompts) for outcomes in (votes, judged)]

    def line(category: str | None, model: str) -> Line:
        people, machine = (found.get(category, {}).get(model, Score()) for found in scored)
        cell = (category, model)
        return _line(*cell, Counter(states[cell]), called[cell], people=people, machine=machine)

    categories: list[str | None] = [ALL, *dict.fromkeys(prompt.category for prompt in prompts)]
    lines = [line(category, model) for category in categories for model in run.models]
    cost = database.fetch_one(_SQL["judging_cost"], run_id=run.id)
    return SetReport(
        run=run,
        lines=lines,
        votes=len(votes),
        judged=judged,
        disagreed=_disagreed(judgements),
        unreadable=sum(one.state == "unreadable" for one in judgements),
        judging_usd=cost["cost_usd"] if cost else None,
    )


def _by_cell(prompts: Sequence[Prompt], found: Iterable[tuple[int, str, T]]) -> defaultdict[_Cell, list[T]]:
    """What was found at (place of the prompt, model), by model: over all prompts, and over those of each category."""
    cells: defaultdict[_Cell, list[T]] = defaultdict(list)
    for position, model_id, value in found:
        for category in (ALL, prompts[position].category):
            cells[category, model_id].append(value)
    return cells


def report_state(database: Database, run_id: str) -> tuple[int, ...]:
    """What a report was made of: while it stays the same, so does the report."""
    row = database.fetch_one(_SQL["state_of_run"], run_id=run_id)
    return tuple(row.values()) if row else ()


def _scores_by_category(outcomes: Sequence[Pairwise], prompts: Sequence[Prompt]) -> dict[str | None, dict[str, Score]]:
    by_category: dict[str | None, list[Pairwise]] = {ALL: list(outcomes)}
    for one in outcomes:
        by_category.setdefault(prompts[one.position].category, []).append(one)
    return {category: scores(some) for category, some in by_category.items()}


def machine_outcomes(judgements: Sequence[Judgement]) -> list[Pairwise]:
    """The pairs that a judge gave a verdict on in both orders. Pure."""
    found = []
    for straight, swapped in _both_orders(judgements):
        outcome = combine(_verdict(straight), _verdict(swapped))
        if outcome is not None:
            models = (straight.model_a, straight.model_b)
            winner = {"first": models[0], "second": models[1], "tie": None}[outcome]
            found.append(Pairwise(position=straight.position, models=models, winner=winner))
    return found


def scores(outcomes: Iterable[Pairwise]) -> dict[str, Score]:
    """Wins, ties and losses by model. Pure."""
    wins, ties, games = Counter[str](), Counter[str](), Counter[str]()
    for one in outcomes:
        games.update(one.models)
        if one.winner is None:
            ties.update(one.models)
        else:
            wins[one.winner] += 1
    return {name: Score(wins[name], ties[name], games[name] - wins[name] - ties[name]) for name in games}


def _votes(database: Database, run: SetRun) -> Iterable[Pairwise]:
    answers = {one.id: one for one in answers_of_run(database, run.id)}
    for row in database.fetch_all(_SQL["votes_of_run"], run_id=run.id):
        left, right = answers.get(row["left_id"]), answers.get(row["right_id"])
        if left is not None and right is not None:
            winner = {"left": left.model_id, "right": right.model_id}.get(row["outcome"])
            yield Pairwise(position=left.position, models=(left.model_id, right.model_id), winner=winner)


def _both_orders(judgements: Sequence[Judgement]) -> Iterable[tuple[Judgement, Judgement]]:
    by_order = {(one.judge_model, one.position, one.model_a, one.model_b): one for one in judgements}
    for (judge, position, model_a, model_b), one in by_order.items():
        other = by_order.get((judge, position, model_b, model_a))
        if model_a < model_b and other is not None:
            yield one, other


def _disagreed(judgements: Sequence[Judgement]) -> int:
    """How many pairs got a different verdict when they changed places."""
    pairs = [(_verdict(one), _verdict(other)) for one, other in _both_orders(judgements)]
    return sum(None not in pair and pair not in {("A", "B"), ("B", "A"), ("tie", "tie")} for pair in pairs)


def _verdict(one: Judgement) -> Choice | None:
    return cast("Choice", one.verdict) if one.state == "done" else None


def _line(
    category: str | None,
    model: str,
    states: Mapping[str, int],
    calls: Sequence[Row],
    *,
    people: Score,
    machine: Score,
) -> Line:
    answered = states.get("done", 0)
    costs = [call["cost_usd"] for call in calls]
    well = [call for call in calls if call["status"] == "ok"]
    firsts = [_ms(call, "first_token_at") for call in well if call["first_token_at"] is not None]
    known = answered > 0 and None not in costs
    return Line(
        category=category,
        model_id=model,
        answered=answered,
        failed=states.get("failed", 0),
        waiting=states.get("waiting", 0),
        people=people,
        machine=machine,
        cost_usd=sum(costs, Decimal(0)) / answered if known else None,
        input_tokens=sum(call["input_tokens"] for call in calls) / answered if answered else None,
        output_tokens=sum(call["output_tokens"] for call in calls) / answered if answered else None,
        first_token_ms=median(firsts) if firsts else None,
        duration_ms=median(_ms(call, "ended_at") for call in well) if well else None,
    )


def _ms(call: Row, end: str) -> float:
    return float((call[end] - call["started_at"]).total_seconds() * 1000)
