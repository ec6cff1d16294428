"""What the page of prompt sets draws of sets: the list, a new one, one of them with its prompts and runs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.arena.prompt_files import CATEGORY_CHARACTERS, LIMIT_BYTES, MOST_PROMPTS, MOST_TURNS, Prompt
from core.arena.prompt_sets import NAME_LIMIT, PromptSet, first_questions, list_sets, load_prompts
from core.arena.set_estimate import estimate_run, together
from core.arena.set_runs import SetRun, jobs_of_run, runs_of_set, runs_without_set
from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.clock import utc_now
from core.costs.estimate import CostRange
from ui import formats, prompt_sets
from ui.accounts_view import draw_problem
from ui.clicks import times
from ui.markdown import literal
from ui.set_report_view import draw_runs_table
from ui.times import local_time, viewer_zone

_STATES = {"running": "running", "paused": "paused", "done": "finished", "cancelled": "cancelled"}
_SHOWN_PROBLEMS = 20
_PAST_PX, _ROW_PX = 260, 36
_MOST_MODELS = 8


def draw_list(services: Services, user: User) -> None:
    """Every set that this person may run, and a form for a new one."""
    sets = list_sets(services.database, user_id=user.id)
    if not sets:
        st.caption(
            "A set is a list of prompts to put to several models at once: to see which of them answers your team's "
            "questions best, at what cost, and to ask again when there are new models."
        )
    draw_problem(prompt_sets.PLACE)
    for kept in sets:
        _draw_row(kept, user)
    left = runs_without_set(services.database, user_id=user.id)
    with st.expander("New set", icon=":material/add:", expanded=not sets):
        _draw_new(services, user)
    if left:
        st.markdown("**Runs of deleted sets**")
        for run in left:
            _draw_run_row(services, run)


def _draw_row(kept: PromptSet, user: User) -> None:
    whose = "" if kept.owner_id == user.id else f" · by {literal(kept.owner_name or 'somebody who left')}"
    facts = f"{formats.counted(kept.prompts, 'prompt')}{' · shared with the team' if kept.shared else ''}{whose}"
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{literal(kept.name)}**  \n{facts}", width="stretch")
        st.button("Open", key=f"open_{kept.id}", on_click=prompt_sets.show, kwargs={"set_id": kept.id})


def _draw_new(services: Services, user: User) -> None:
    st.text_input("Name", key=prompt_sets.NAME, max_chars=NAME_LIMIT, placeholder="For example: Support questions")
    ways = {"text": "Type or paste", "file": "Import a file", "past": "From my chats"}
    way = st.segmented_control("Prompts", list(ways), format_func=ways.__getitem__, default="text", required=True)
    if way == "file":
        st.file_uploader("JSON lines", type=["jsonl", "ndjson", "json", "txt"], key=prompt_sets.FILE)
        st.caption(
            'One prompt on a line: `{"category": "writing", "turns": ["First message", "Second message"]}`. At most '
            f"{LIMIT_BYTES // 1_000_000} MB, {MOST_PROMPTS} prompts and {MOST_TURNS} turns each. Lines that cannot be "
            "read are named and left out."
        )
    elif way == "past":
        _draw_past(services, user)
    else:
        _draw_box()
    if way != "file":
        st.text_input("Category", key=prompt_sets.CATEGORY, placeholder="general", max_chars=60)
    drawn = prompt_sets.changes()
    st.button(
        "Make set", key=f"make_set_{drawn}", type="primary", on_click=prompt_sets.make, args=(services, way, drawn)
    )


def _draw_box() -> None:
    st.text_area(
        "Prompts",
        key=prompt_sets.TEXT,
        height=180,
        label_visibility="collapsed",
        placeholder="One prompt in every paragraph, an empty line between them. Or paste JSON lines.",
    )


def _draw_past(services: Services, user: User) -> None:
    questions = first_questions(services.database, user_id=user.id, limit=prompt_sets.PAST_SHOWN)
    if not questions:
        st.caption("You have no chats yet.")
        return
    st.caption("What your own chats began with. Tick those to take; nobody else sees this list.")
    table = pd.DataFrame({"First question": [one.text for one in questions], "Chat": [one.title for one in questions]})
    height_px = min(_PAST_PX, _ROW_PX * (len(table) + 1))
    chosen = st.dataframe(table, hide_index=True, on_select="rerun", selection_mode="multi-row", height=height_px)
    rows = chosen["selection"]["rows"]
    st.session_state[prompt_sets.PAST] = [questions[at].conversation_id for at in rows if at < len(questions)]


def draw_set(services: Services, user: User, wanted: PromptSet) -> None:
    """One set: running it, its runs, its prompts."""
    _draw_head(services, user, wanted)
    draw_problem(prompt_sets.PLACE)
    _draw_problems()
    runs = runs_of_set(services.database, set_id=wanted.id, user_id=user.id)
    _draw_run_form(services, user, wanted)
    if runs:
        st.markdown("**Runs**")
        for run in runs:
            _draw_run_row(services, run)
        draw_runs_table(services, runs)
    with st.expander(f"Prompts ({wanted.prompts})", icon=":material/list:"):
        _draw_prompts(services, wanted, own=wanted.owner_id == user.id)


def _draw_head(services: Services, user: User, wanted: PromptSet) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("All sets", icon=":material/arrow_back:", type="tertiary", on_click=prompt_sets.show)
        st.markdown(f"**{literal(wanted.name)}**", width="stretch")
        if wanted.owner_id == user.id:
            with st.popover("Settings", icon=":material/tune:"):
                _draw_settings(services, wanted)


def _draw_settings(services: Services, wanted: PromptSet) -> None:
    known = use_cases(services.registry.current().models)
    options = [None, *sorted({*known, *([wanted.use_case] if wanted.use_case else [])})]
    with st.form("set_settings", border=False):
        st.text_input("Name", value=wanted.name, key=prompt_sets.NEW_NAME, max_chars=NAME_LIMIT)
        st.selectbox(
            "Votes count for",
            options,
            index=options.index(wanted.use_case),
            key=prompt_sets.NEW_USE_CASE,
            format_func=lambda name: literal((name or "each prompt's category").replace("_", " ")),
        )
        st.toggle(
            "Shared with the team",
            value=wanted.shared,
            key=prompt_sets.SHARED,
            help="Everybody may read and run it. Only you can change it, and everybody's runs are their own.",
        )
        st.form_submit_button("Save", on_click=prompt_sets.change, args=(services, wanted))
    st.button("Delete set", icon=":material/delete:", on_click=prompt_sets.delete, args=(services, wanted.id))


def _draw_problems() -> None:
    problems = prompt_sets.take_problems()
    if not problems:
        return
    lines = [f"- {literal(problem)}" for problem in problems[:_SHOWN_PROBLEMS]]
    if (more := len(problems) - _SHOWN_PROBLEMS) > 0:
        lines.append(f"- and {more:,} more")
    st.warning("\n".join(["Not everything could be read:", "", *lines]), icon=":material/error:")


def _draw_run_form(services: Services, user: User, wanted: PromptSet) -> None:
    models = services.askable_models(user)
    chosen = st.multiselect(
        "Put it to 2 to 8 models",
        list(models),
        key=prompt_sets.MODELS,
        max_selections=_MOST_MODELS,
        format_func=lambda name: models[name].label if name in models else name,
        placeholder="Choose models",
    )
    st.checkbox(
        "The team may judge this run and read its report",
        key=prompt_sets.TEAM,
        help="They see the prompts and the answers, without the models until they have voted.",
    )
    prompts = load_prompts(services.database, wanted.id)
    picked = [models[name] for name in chosen if name in models]
    costs = estimate_run(prompts, picked, lengths=services.lengths.current(), use_case=wanted.use_case, now=utc_now())
    if picked:
        calls = len(picked) * sum(len(prompt.turns) for prompt in prompts)
        cost = together(costs)
        st.caption(f"{formats.counted(calls, 'call')} · {estimate_words(cost)}{_left(services, user, cost)}")
    st.button(
        "Start run",
        type="primary",
        icon=":material/play_arrow:",
        disabled=len(picked) < 2,  # noqa: PLR2004 - said in the label
        on_click=prompt_sets.start_run,
        args=(services, wanted, times(prompt_sets.RUNS)),
    )


def estimate_words(cost: CostRange) -> str:
    """What calls may cost together."""
    if cost.low_usd is None or cost.high_usd is None:
        return "at least one model is unpriced, so nobody can say what it costs"
    if cost.free:
        return "free"
    return literal(formats.about(cost.low_usd, cost.high_usd))


def _left(services: Services, user: User, cost: CostRange) -> str:
    left = services.budgets.left_usd(user.id)
    if left is None:
        return ""
    over = cost.high_usd is not None and cost.high_usd > left
    words = ": it may pause before its end" if over else ""
    return literal(f" · your budget has {formats.money(left)} left{words}")


def _draw_run_row(services: Services, run: SetRun) -> None:
    jobs = jobs_of_run(services.database, run.id)
    began = local_time(run.created_at, viewer_zone()).strftime("%Y-%m-%d %H:%M")
    names = ", ".join(literal(formats.short_label(label)) for label in run.models.values())
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"{began} · {_STATES[jobs[0].state]}  \n{names}", width="stretch")
        st.button("Open", key=f"open_{run.id}", on_click=prompt_sets.show, kwargs={"run_id": run.id})


def _draw_prompts(services: Services, wanted: PromptSet, *, own: bool) -> None:
    prompts, drawn = load_prompts(services.database, wanted.id), prompt_sets.changes()
    table = pd.DataFrame(
        {
            "Category": [prompt.category for prompt in prompts],
            "First message": [prompt.turns[0] for prompt in prompts],
            "Turns": [len(prompt.turns) for prompt in prompts],
        }
    )
    if not own:
        st.dataframe(table, hide_index=True)
        return
    ticked = st.dataframe(table, hide_index=True, on_select="rerun", selection_mode="multi-row")["selection"]["rows"]
    if ticked:
        st.button(
            f"Take out {formats.counted(len(ticked), 'prompt')}",
            key=f"remove_prompts_{drawn}",
            icon=":material/delete:",
            on_click=prompt_sets.remove,
            args=(services, wanted.id, ticked, drawn),
        )
    if len(ticked) == 1 and ticked[0] < len(prompts):
        _draw_editor(services, wanted.id, ticked[0], prompts[ticked[0]])
        return
    st.caption("Tick a prompt to change it, or add others.")
    _draw_box()
    st.text_input("Category", key=prompt_sets.CATEGORY, placeholder="general", max_chars=60)
    st.button("Add prompts", key=f"add_prompts_{drawn}", on_click=prompt_sets.add, args=(services, wanted.id, drawn))


def _draw_editor(services: Services, set_id: str, place: int, prompt: Prompt) -> None:
    """One prompt with all its messages, and room for one more."""
    key = f"edit_{set_id}_{place}"
    fields = [f"{key}_category", *(f"{key}_{turn}" for turn in range(min(len(prompt.turns) + 1, MOST_TURNS)))]
    with st.form(key):
        st.text_input("Category", value=prompt.category, key=fields[0], max_chars=CATEGORY_CHARACTERS)
        for turn, field in enumerate(fields[1:]):
            text = prompt.turns[turn] if turn < len(prompt.turns) else ""
            label = f"Message {turn + 1}" if text else f"Message {turn + 1} (none when empty)"
            st.text_area(label, value=text, key=field, height=90)
        st.form_submit_button("Save prompt", on_click=prompt_sets.edit, args=(services, set_id, place, fields))
