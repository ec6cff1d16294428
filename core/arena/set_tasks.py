"""The tasks of a job, read from the store and settled there: conversations to be had with models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from core.arena.prompt_files import Prompt
from core.arena.set_runs import Job, answer_texts, answers_of_run, prompts_of_run, said_in
from core.arena.verdicts import REASON_LIMIT, judge_prompt, read_verdict
from core.chat.admission import ColumnToBegin, TurnRequest
from core.chat.conversation import Message
from core.errors import ErrorClass
from core.store.database import Database, Row
from core.store.sql import load_queries

_SQL = load_queries("set_runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Messages to put to a model one after the other, in the conversation `id`. `texts` reads them when it is begun.

    `source` is that of its calls in the ledger.
    """

    id: str
    run_id: str
    user_id: str
    model_id: str
    source: Literal["compare", "judge"]
    use_case: str | None
    texts: Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next in a conversation: put a text, have a question answered again, or nothing any more.

    `rate_limited`: it failed because the provider was asked too often.
    """

    kind: Literal["ask", "again", "done", "failed"]
    text: str = ""
    message_id: str | None = None
    rate_limited: bool = False


def next_step(messages: Sequence[Message], texts: Sequence[str], *, fresh: bool) -> Next:
    """What a conversation of `messages` needs next. Pure.

    An answer that was interrupted is asked for again; one that failed only when the task is taken up `fresh`.
    """
    asked = [message for message in messages if message.role == "user"]
    if not asked:
        return Next("ask", texts[0])
    last = messages[-1]
    if last.role == "user" or last.status == "interrupted" or (fresh and last.status != "complete"):
        return Next("again", message_id=asked[-1].id)
    if last.status != "complete":
        limited = last.error_class == ErrorClass.RATE_LIMIT.value
        return Next("failed", last.error_message or "The answer was not finished.", rate_limited=limited)
    return Next("ask", texts[len(asked)]) if len(asked) < len(texts) else Next("done")


def step_of(task: Task, messages: Sequence[Message], *, fresh: bool) -> Next:
    """What a task needs next. A judge that said nothing readable is asked again when its task is taken up `fresh`."""
    step = next_step(messages, task.texts(), fresh=fresh)
    if fresh and step.kind == "done" and task.source == "judge" and read_verdict(messages[-1].content) is None:
        return Next("again", message_id=messages[-1].parent_id)
    return step


def request_for(task: Task, step: Next, *, begun: bool) -> TurnRequest:
    """The turn of a step."""
    return TurnRequest(
        user_id=task.user_id,
        model_id=task.model_id,
        text=step.text,
        answer_again=step.message_id,
        conversation_id=task.id if begun else None,
        begins=None if begun else ColumnToBegin(task.id, task.run_id),
        # A run is about this very model.
        fallback="never",
        source=task.source,
        use_case=task.use_case,
    )


def waiting_tasks(database: Database, job: Job) -> list[Task]:
    """What a job has still to do, in the order of the prompts."""
    prompts = prompts_of_run(database, job.run_id)
    row = database.fetch_one(_SQL["load_job"], id=job.id)
    set_use_case = row["use_case"] if row else None

    def task(found: Row, model_id: str, texts: Callable[[], Sequence[str]]) -> Task:
        return Task(
            id=found["conversation_id"],
            run_id=job.run_id,
            user_id=job.user_id,
            model_id=model_id,
            source="compare" if job.kind == "answer" else "judge",
            use_case=set_use_case or prompts[found["position"]].category,
            texts=texts,
        )

    if job.kind == "answer":
        rows = database.fetch_all(_SQL["waiting_answers"], job_id=job.id)
        return [task(row, row["model_id"], partial(_turns, prompts[row["position"]])) for row in rows]
    rows = database.fetch_all(_SQL["waiting_judgements"], job_id=job.id)
    answered = {(one.position, one.model_id): one.id for one in answers_of_run(database, job.run_id)}
    return [
        task(row, row["judge_model"], partial(_judging, database, job.run_id, prompts, answered, row)) for row in rows
    ]


def settle(database: Database, task: Task, *, problem: str | None = None) -> None:
    """Keep how a task ended: well, or with a problem. What a judge said is read here, and kept if it is none."""
    if task.source == "compare":
        database.execute(_SQL["settle_answer"], id=task.id, state="failed" if problem else "done", problem=problem)
        return
    said = answer_texts(said_in(database, task.run_id, [task.id])[task.id]) if problem is None else []
    verdict = read_verdict(said[-1]) if said else None
    database.execute(
        _SQL["settle_judgement"],
        id=task.id,
        state="failed" if problem else "done" if verdict else "unreadable",
        verdict=verdict.choice if verdict else None,
        reason=verdict.reason if verdict else said[-1][:REASON_LIMIT] if said else None,
        problem=problem,
    )


def _turns(prompt: Prompt) -> Sequence[str]:
    return prompt.turns


def _judging(
    database: Database,
    run_id: str,
    prompts: Sequence[Prompt],
    answered: Mapping[tuple[int, str], str],
    row: Row,
) -> Sequence[str]:
    ids = [answered[row["position"], row[side]] for side in ("model_a", "model_b")]
    said = said_in(database, run_id, ids)
    return [judge_prompt(prompts[row["position"]].turns, *(answer_texts(said[one]) for one in ids))]
