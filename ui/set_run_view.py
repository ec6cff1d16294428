"""What the page of prompt sets draws of a run: how far it is, its report, its answers, and the ways to judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.arena.prompt_files import Prompt
from core.arena.prompt_sets import list_sets
from core.arena.set_estimate import estimate_judging
from core.arena.set_runs import (
    Job,
    Lost,
    SetRun,
    answer_texts,
    answers_of_run,
    begin_judging,
    counts_of_job,
    delete_run,
    jobs_of_run,
    judgements_of,
    pairs_to_judge,
    prompts_of_run,
    said_in,
)
from core.bootstrap import Services
from core.clock import utc_now
from ui import formats, prompt_sets
from ui.accounts_view import Work, act, draw_problem
from ui.blocks import draw_blocks
from ui.markdown import literal
from ui.prompt_sets_view import estimate_words
from ui.set_queue_view import draw_queue
from ui.set_report_view import draw_report, follow_report

_EVERY_S = 1.0
_JUDGE = "set_judge"
_AGAIN: dict[Lost, str] = {"failed": "Ask failed ones again", "unreadable": "Ask the judge again"}
_PARTS = {"report": "Report", "people": "Judge blind", "machine": "Judge by a model", "answers": "Answers"}


def draw_run(services: Services, user: User, run: SetRun) -> None:
    """The whole run; only one part is in the page, so that no model's name stands beside a hidden answer."""
    own = run.user_id == user.id
    _draw_head(services, user, run, own=own)
    draw_problem(prompt_sets.PLACE)
    jobs = jobs_of_run(services.database, run.id)
    moving = [job for job in jobs if job.state == "running" or services.set_runner.working(job.id)]
    watch = Watch(run.id, user.id if own else None, frozenset(job.id for job in moving))
    (_follow if moving else _look)(services, watch)
    names = list(_PARTS) if own else ["report", "people"]
    part = st.segmented_control(
        "Part", names, default="report", format_func=_PARTS.__getitem__, required=True, label_visibility="collapsed"
    )
    if part == "people":
        draw_queue(services, user, run)
    elif part == "machine":
        _draw_machine(services, user, run)
    elif part == "answers":
        _draw_answers(services, run)
    else:
        (follow_report if moving else draw_report)(services, run)


def _draw_head(services: Services, user: User, run: SetRun, *, own: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        there = any(kept.id == run.set_id for kept in list_sets(services.database, user_id=user.id))
        st.button(
            "Back",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=prompt_sets.show,
            kwargs={"set_id": run.set_id if there else None},
        )
        st.markdown(f"Run of **{literal(run.set_name)}**", width="stretch")
        if own:
            with st.popover("Delete", icon=":material/delete:", type="tertiary"):
                st.caption("Its answers and machine judgements go. Costs and people's votes stay.")
                st.button("Delete this run", on_click=act, args=(services, prompt_sets.PLACE, _delete(services, run)))


@dataclass(frozen=True, slots=True)
class Watch:
    """A run that is looked at: by its owner, or by somebody who may not change it, with the jobs that moved then."""

    run_id: str
    owner_id: str | None
    moving: frozenset[str]


@st.fragment(run_every=_EVERY_S)
def _follow(services: Services, watch: Watch) -> None:
    _look(services, watch)


def _look(services: Services, watch: Watch) -> None:
    jobs = jobs_of_run(services.database, watch.run_id)
    now = frozenset(job.id for job in jobs if job.state == "running" or services.set_runner.working(job.id))
    if now != watch.moving:
        st.rerun()
    for job in jobs:
        _draw_job(services, job, changeable=job.user_id == watch.owner_id)


def _draw_job(services: Services, job: Job, *, changeable: bool) -> None:
    counts = counts_of_job(services.database, job.id)
    done, total = sum(counts.values()) - counts.get("waiting", 0), sum(counts.values())
    lost = [state for state in _AGAIN if counts.get(state)]
    failed = "".join(f", {counts[state]:,} {state}" for state in lost)
    what = "Answers" if job.kind == "answer" else "Machine judgements"
    state = {"running": "", "paused": " · paused", "done": " · finished", "cancelled": " · cancelled"}[job.state]
    st.progress(done / total if total else 1.0, text=f"{what}: {done:,} of {total:,}{failed}{state}")
    if job.state == "running" and (resting := services.set_runner.resting(job.id)):
        known = services.registry.current().models
        names = ", ".join(literal(known[name].label if name in known else name) for name in resting)
        st.caption(f":material/hourglass: Asked too often, and asked again in a moment: {names}.")
    if job.note and job.state == "paused":
        st.warning(literal(job.note), icon=":material/pause_circle:")
    if changeable and (job.state != "done" or lost):
        with st.container(horizontal=True):
            _draw_buttons(services, job, lost)


def _draw_buttons(services: Services, job: Job, lost: Sequence[Lost]) -> None:
    runner = services.set_runner
    choices: list[tuple[str, str, Callable[..., None]]] = []
    if job.state == "running":
        choices = [("Pause", ":material/pause:", runner.pause), ("Cancel", ":material/stop_circle:", runner.cancel)]
    elif job.state != "done":
        choices = [("Go on", ":material/play_arrow:", runner.start)]
    if job.state != "running":
        choices += [(_AGAIN[state], ":material/refresh:", partial(runner.start, again=state)) for state in lost]
    for words, icon, do in choices:
        work = partial(_change, do, job)
        st.button(words, key=f"{words}_{job.id}", icon=icon, on_click=act, args=(services, prompt_sets.PLACE, work))


def _change(do: Callable[..., None], job: Job, user: User) -> str:
    do(job, user_id=user.id)
    return ""


def _delete(services: Services, run: SetRun) -> Work:
    def work(user: User) -> str:
        delete_run(services.database, run, user_id=user.id)
        prompt_sets.show(set_id=run.set_id)
        return "The run was deleted."

    return work


def _draw_machine(services: Services, user: User, run: SetRun) -> None:
    st.caption(
        "A model reads every pair of answers twice, the second time with their places swapped; when its two verdicts "
        "disagree, it is a tie. These are machine judgements: they are shown apart and count in no rating. Models tend "
        "to favour their own answers, so choose one that is not in the run."
    )
    models = services.askable_models(user)
    chosen = st.selectbox(
        "Judge",
        sorted(models, key=lambda name: name in run.models),
        key=_JUDGE,
        format_func=lambda name: models[name].label + (" (in this run)" if name in run.models else ""),
    )
    if chosen is not None:
        _draw_judging(services, run, chosen)
    _draw_reasons(services, run)


def _draw_judging(services: Services, run: SetRun, judge: str) -> None:
    pairs = pairs_to_judge(services.database, run, judge_model=judge)
    model = services.registry.current().models[judge]
    if pairs:
        cost = estimate_judging(services.database, run, model, pairs, lengths=services.lengths.current(), now=utc_now())
        st.caption(f"{formats.counted(len(pairs), 'pair')}, {2 * len(pairs):,} calls · {estimate_words(cost)}")
    else:
        st.caption("Every pair of finished answers has been given to it.")

    def work(user: User) -> str:
        job = begin_judging(services.database, run, user_id=user.id, judge_model=judge)
        services.set_runner.start(job, user_id=user.id)
        return "The judging has begun."

    st.button(
        "Start judging",
        type="primary",
        icon=":material/gavel:",
        disabled=not pairs,
        on_click=act,
        args=(services, prompt_sets.PLACE, work),
    )


def _draw_reasons(services: Services, run: SetRun) -> None:
    told = [one for one in judgements_of(services.database, run.id) if one.state != "waiting"]
    if not told:
        return
    labels = services.registry.current().models
    rows = [
        {
            "Prompt": one.position + 1,
            "Judge": labels[one.judge_model].label if one.judge_model in labels else one.judge_model,
            "A": run.models.get(one.model_a, one.model_a),
            "B": run.models.get(one.model_b, one.model_b),
            "Machine verdict": one.verdict or one.state,
            "Reason": one.reason or one.problem or "",
        }
        for one in told
    ]
    with st.expander(f"Verdicts and reasons ({len(rows)})", type="compact"):
        st.dataframe(rows, hide_index=True)


def _draw_answers(services: Services, run: SetRun) -> None:
    prompts = prompts_of_run(services.database, run.id)
    place = st.selectbox(
        "Prompt", range(len(prompts)), format_func=lambda at: f"{at + 1}. {prompts[at].turns[0][:100]}"
    )
    if place is None:
        return
    cells = {one.model_id: one for one in answers_of_run(services.database, run.id) if one.position == place}
    said = said_in(services.database, run.id, [one.id for one in cells.values()])
    for model_id, label in run.models.items():
        cell = cells[model_id]
        with st.expander(f"{literal(formats.short_label(label))} · {cell.state}", expanded=len(cells) <= 2):  # noqa: PLR2004
            if cell.problem:
                st.warning(literal(cell.problem), icon=":material/error:")
            draw_turns(prompts[place], answer_texts(said[cell.id]))


def draw_turns(prompt: Prompt, answers: list[str]) -> None:
    """The answers of one model to the turns of a prompt."""
    for at, text in enumerate(answers):
        if at:
            st.caption(literal(prompt.turns[at]))
        draw_blocks(st.container(), text)
