"""What a run of a set, or its judging by a model, will cost: from the prices and from how long answers were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.arena.prompt_files import Prompt
from core.arena.set_runs import SetRun, answer_texts, answers_of_run, prompts_of_run, said_in
from core.arena.verdicts import judge_prompt
from core.catalog.models import ModelSpec
from core.costs.estimate import CostRange, estimate_cost
from core.costs.output_lengths import OutputLength, OutputLengths
from core.costs.token_count import estimate_tokens
from core.store.database import Database

_NOTHING = CostRange(low_usd=Decimal(0), high_usd=Decimal(0), free=True)


def estimate_run(
    prompts: Sequence[Prompt],
    models: Sequence[ModelSpec],
    *,
    lengths: OutputLengths,
    use_case: str | None,
    now: datetime,
) -> dict[str, CostRange]:
    """What every model may cost, by its id. A later turn reads those before it, with answers as long as usual."""
    counted = [(prompt.category, [estimate_tokens(turn) for turn in prompt.turns]) for prompt in prompts]
    found: dict[str, CostRange] = {}
    for model in models:
        parts = [
            _conversation(model, turns, lengths.of(model.id, use_case or category), now) for category, turns in counted
        ]
        found[model.id] = together(parts)
    return found


def estimate_judging(
    database: Database,
    run: SetRun,
    judge: ModelSpec,
    pairs: Sequence[tuple[int, str, str]],
    *,
    lengths: OutputLengths,
    now: datetime,
) -> CostRange:
    """What it may cost to have a model judge pairs of answers in both orders."""
    prompts = prompts_of_run(database, run.id)
    needed = {(at, model_id) for at, *models in pairs for model_id in models}
    ids = {cell: one.id for one in answers_of_run(database, run.id) if (cell := (one.position, one.model_id)) in needed}
    said = said_in(database, run.id, list(ids.values()))
    tokens = {cell: sum(map(estimate_tokens, answer_texts(said[name]))) for cell, name in ids.items()}
    task = {at: estimate_tokens(judge_prompt(prompts[at].turns, (), ())) for at, _ in needed}
    asked = {at: 2 * sum(map(estimate_tokens, prompts[at].turns)) for at, _ in needed}
    length = lengths.of(judge.id).within(judge.max_output_tokens)
    calls = [task[at] + asked[at] + tokens[at, one] + tokens[at, other] for at, one, other in pairs]
    return together([_call(judge, size, length, now) for size in calls for _order in range(2)])


def together(parts: Sequence[CostRange] | Mapping[str, CostRange]) -> CostRange:
    """All of them; unpriced when one is."""
    values = list(parts.values()) if isinstance(parts, Mapping) else list(parts)
    return sum(values[1:], values[0]) if values else _NOTHING


def _conversation(model: ModelSpec, turns: Sequence[int], length: OutputLength, now: datetime) -> CostRange:
    within = length.within(model.max_output_tokens)
    read, parts = 0, []
    for turn in turns:
        read += turn
        parts.append(_call(model, read, within, now))
        read += within.high
    return together(parts)


def _call(model: ModelSpec, input_tokens: int, length: OutputLength, now: datetime) -> CostRange:
    prices = None if model.prices is None else model.prices.on(now)
    return estimate_cost(prices, input_tokens=input_tokens, output_low=length.low, output_high=length.high)
