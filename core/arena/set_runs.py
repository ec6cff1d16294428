"""Runs of a set of prompts in the store: what is asked of whom, how far it is, and why it paused.

The answer of every model to every prompt is a conversation of its own, which no list of chats shows. What is left to do
stands in the store alone, so that a job goes on after a restart with what was not answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal

from core.arena.line_ups import FEWEST, MOST
from core.arena.prompt_files import Prompt
from core.arena.prompt_sets import PromptSet, load_prompts, prompt_columns
from core.catalog.models import ModelSpec
from core.chat.conversation import Message, branch, by_id
from core.chat.store import load_several
from core.clock import Clock, utc_now
from core.errors import NotFound, SwitchboardError
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

JobKind = Literal["answer", "judge"]
JobState = Literal["running", "paused", "done", "cancelled"]
TaskState = Literal["waiting", "done", "failed", "unreadable"]
# How a task can have ended so that it is worth another try.
Lost = Literal["failed", "unreadable"]

_SQL = load_queries("set_runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRun:
    """A set put to several models; `models` holds their labels by id. `shared`: the team may judge it and read it."""

    id: str
    set_id: str
    set_name: str
    user_id: str
    use_case: str | None
    shared: bool
    models: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work of a run that goes on beside the pages. `note` says why it paused."""

    id: str
    run_id: str
    user_id: str
    kind: JobKind
    state: JobState
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """A model's conversation on one prompt; `id` is the conversation's."""

    id: str
    position: int
    model_id: str
    state: TaskState
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a model said of two answers, of which `model_a`'s was shown first."""

    id: str
    job_id: str
    position: int
    judge_model: str
    model_a: str
    model_b: str
    state: TaskState
    verdict: str | None
    reason: str | None
    problem: str | None


def begin_run(
    database: Database,
    wanted: PromptSet,
    *,
    user_id: str,
    models: Sequence[ModelSpec],
    shared: bool = False,
    clock: Clock = utc_now,
) -> Job:
    """Keep a run with the set's prompts as they are now, and its job. Raises SwitchboardError for the wrong number."""
    _check_models(models)
    prompts, run_id, job_id, now = load_prompts(database, wanted.id), new_id(), new_id(), clock()
    cells = [(at, model.id) for at in range(len(prompts)) for model in models]

    def work(cur: Cursor) -> None:
        cur.execute(
            _SQL["insert_run"],
            id=run_id,
            set_id=wanted.id,
            set_name=wanted.name,
            user_id=user_id,
            use_case=wanted.use_case,
            shared=shared,
            models=json.dumps({model.id: model.label for model in models}),
            now=now,
        )
        cur.execute(_SQL["insert_prompts"], id=run_id, **prompt_columns(prompts))
        cur.execute(_SQL["insert_job"], id=job_id, run_id=run_id, user_id=user_id, kind="answer", now=now)
        cur.execute(
            _SQL["insert_answers"],
            job_id=job_id,
            run_id=run_id,
            conversation_id=[new_id() for _ in cells],
            position=[at for at, _ in cells],
            model_id=[model_id for _, model_id in cells],
        )

    database.transaction(work)
    return load_job(database, job_id)


def begin_judging(database: Database, run: SetRun, *, user_id: str, judge_model: str, clock: Clock = utc_now) -> Job:
    """Keep a job that has a model judge every pair of answers it has not judged, in both orders.

    Raises SwitchboardError when there is nothing to judge.
    """
    pairs = pairs_to_judge(database, run, judge_model=judge_model)
    if not pairs:
        raise SwitchboardError(
            "There are no two answers that this model has not judged.",
            next_step="Wait for more answers, or choose another model.",
        )
    orders = [(at, *models) for at, one, other in pairs for models in ((one, other), (other, one))]
    job_id, now = new_id(), clock()

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["insert_job"], id=job_id, run_id=run.id, user_id=user_id, kind="judge", now=now)
        cur.execute(
            _SQL["insert_judgements"],
            job_id=job_id,
            run_id=run.id,
            judge_model=judge_model,
            conversation_id=[new_id() for _ in orders],
            position=[at for at, _, _ in orders],
            model_a=[one for _, one, _ in orders],
            model_b=[other for _, _, other in orders],
        )

    database.transaction(work)
    return load_job(database, job_id)


def pairs_to_judge(database: Database, run: SetRun, *, judge_model: str) -> list[tuple[int, str, str]]:
    """The pairs of finished answers that a model has not been given: place of the prompt, and both models."""
    given = {
        (one.position, *sorted((one.model_a, one.model_b)))
        for one in judgements_of(database, run.id)
        if one.judge_model == judge_model
    }
    done: dict[int, list[str]] = {}
    for answer in answers_of_run(database, run.id):
        if answer.state == "done":
            done.setdefault(answer.position, []).append(answer.model_id)
    found = [(at, *pair) for at, models in done.items() for pair in combinations(sorted(models), 2)]
    return [pair for pair in found if pair not in given]


def load_run(database: Database, *, run_id: str, user_id: str) -> SetRun:
    """One run of this person, or one shared with the team. Raises NotFound."""
    row = database.fetch_one(_SQL["load_run"], id=run_id, user_id=user_id)
    if row is None:
        raise NotFound("This run was not found.", next_step="Choose another one from its set.")
    return _run(row)


def runs_of_set(database: Database, *, set_id: str, user_id: str) -> list[SetRun]:
    """The runs of a set that a person may read, the newest first."""
    return [_run(row) for row in database.fetch_all(_SQL["runs_of_set"], set_id=set_id, user_id=user_id)]


def runs_without_set(database: Database, *, user_id: str) -> list[SetRun]:
    """A person's runs of sets that were deleted."""
    return [_run(row) for row in database.fetch_all(_SQL["runs_without_set"], user_id=user_id)]


def prompts_of_run(database: Database, run_id: str) -> list[Prompt]:
    """The prompts as they were when the run began."""
    rows = database.fetch_all(_SQL["prompts_of_run"], run_id=run_id)
    return [Prompt(row["category"], tuple(json.loads(row["turns"]))) for row in rows]


def jobs_of_run(database: Database, run_id: str) -> list[Job]:
    """The jobs of a run, the one that asks for the answers first."""
    return [Job(**row) for row in database.fetch_all(_SQL["jobs_of_run"], run_id=run_id)]


def load_job(database: Database, job_id: str) -> Job:
    """One job. Raises NotFound."""
    row = database.fetch_one(_SQL["load_job"], id=job_id)
    if row is None:
        raise NotFound("This job was not found.", next_step="Reload the page.")
    row.pop("use_case")
    return Job(**row)


def check_owner(job: Job, user_id: str) -> None:
    """Raises NotFound for somebody else's job."""
    if job.user_id != user_id:
        raise NotFound("This job belongs to somebody else.", next_step="Only who started it can change it.")


def answers_of_run(database: Database, run_id: str) -> list[RunAnswer]:
    """What every model was asked, in the order of the prompts."""
    rows = database.fetch_all(_SQL["answers_of_run"], run_id=run_id)
    return [RunAnswer(id=row.pop("conversation_id"), **row) for row in rows]


def judgements_of(database: Database, run_id: str) -> list[Judgement]:
    """Every judgement by a model, in both orders."""
    rows = database.fetch_all(_SQL["judgements_of_run"], run_id=run_id)
    return [Judgement(id=row.pop("conversation_id"), **row) for row in rows]


def counts_of_job(database: Database, job_id: str) -> dict[str, int]:
    """How many tasks of a job are in which state."""
    return {row["state"]: row["tasks"] for row in database.fetch_all(_SQL["counts_of_job"], job_id=job_id)}


def said_in(database: Database, run_id: str, conversation_ids: Sequence[str]) -> dict[str, list[Message]]:
    """The messages of a run's conversations in order; one that was not begun has none."""
    rows = database.fetch_all(_SQL["leaves_of"], run_id=run_id, ids=list(conversation_ids))
    leaves = {row["id"]: row["leaf_message_id"] for row in rows}
    found = load_several(database, list(leaves)) if leaves else {}
    return {name: branch(by_id(found.get(name, ())), leaf_id=leaves.get(name)) for name in conversation_ids}


def answer_texts(messages: Sequence[Message]) -> list[str]:
    """The texts of the answers in a conversation."""
    return [message.content for message in messages if message.role == "assistant"]


def set_job_state(database: Database, job_id: str, state: JobState, *, note: str | None = None) -> None:
    """Keep where a job stands."""
    database.execute(_SQL["set_job_state"], id=job_id, state=state, note=note)


def put_back(database: Database, job_id: str, lost: Lost) -> None:
    """Let what ended so be asked again when the job goes on."""

    def work(cur: Cursor) -> None:
        for statement in ("retry_answers", "retry_judgements"):
            cur.execute(_SQL[statement], job_id=job_id, state=lost)

    database.transaction(work)


def delete_run(database: Database, run: SetRun, *, user_id: str, clock: Clock = utc_now) -> None:
    """Delete a run of one's own with its answers and machine judgements; people's votes and the ledger stay.

    Raises SwitchboardError while a job of it runs, NotFound for somebody else's.
    """
    if run.user_id != user_id:
        raise NotFound("This run belongs to somebody else.", next_step="Only who started it can delete it.")
    if any(job.state == "running" for job in jobs_of_run(database, run.id)):
        raise SwitchboardError("This run is still going on.", next_step="Cancel it first.")

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["hide_conversations"], id=run.id, user_id=user_id, now=clock())
        for statement in ("forget_judgements", "forget_answers", "forget_prompts", "forget_jobs"):
            cur.execute(_SQL[statement], id=run.id)
        cur.execute(_SQL["forget_run"], id=run.id, user_id=user_id)

    database.transaction(work)


def _run(row: Row) -> SetRun:
    return SetRun(models=json.loads(row.pop("models")), **row)


def _check_models(models: Sequence[ModelSpec]) -> None:
    if not FEWEST <= len(models) <= MOST or len({model.id for model in models}) != len(models):
        raise SwitchboardError(
            f"A run takes {FEWEST} to {MOST} different models.", next_step="Choose them and start again."
        )
