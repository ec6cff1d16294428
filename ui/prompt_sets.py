"""Sets of prompts as the page works with them: which one is open, and what its buttons do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from core.accounts.users import User
from core.arena.prompt_files import Prompt, ReadPrompts, read_jsonl, read_paragraphs, read_texts
from core.arena.prompt_sets import (
    PromptSet,
    change_set,
    delete_set,
    first_questions,
    load_prompts,
    load_set,
    make_set,
    replace_prompts,
)
from core.arena.set_runs import SetRun, begin_run, load_run
from core.bootstrap import Services
from core.errors import SwitchboardError
from ui import address
from ui.accounts_view import act
from ui.clicks import once_here, times
from ui.formats import counted
from ui.unbroken import unbroken

PLACE = "prompt_sets"
NAME, TEXT, CATEGORY, FILE = "set_name", "set_text", "set_category", "set_file"
NEW_NAME, NEW_USE_CASE, SHARED = "set_new_name", "set_new_use_case", "set_shared"
RUNS = "set_run"
MODELS, TEAM, PAST = "set_models", "set_team", "set_past"
PAST_SHOWN = 200
_SET, _RUN, _PROBLEMS, _CHANGES = "set", "run", "set_problems", "set_changes"


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page shows: a run, or a set, or the list when both are None."""

    wanted: PromptSet | None = None
    run: SetRun | None = None


def load_open(services: Services, user: User) -> Opened:
    """What the address names. Raises NotFound."""
    if run_id := address.value(_RUN):
        return Opened(run=load_run(services.database, run_id=run_id, user_id=user.id))
    if set_id := address.value(_SET):
        return Opened(wanted=load_set(services.database, set_id=set_id, user_id=user.id))
    return Opened()


@unbroken
def show(set_id: str | None = None, run_id: str | None = None) -> None:
    """Open a run, a set, or the list."""
    for name, value in ((_SET, set_id), (_RUN, run_id)):
        address.put(name, *([] if value is None else [value]))


def take_problems() -> Sequence[str]:
    """What could not be read of the last import, once."""
    found: Sequence[str] = st.session_state.pop(_PROBLEMS, ())
    return found


@unbroken
def make(services: Services, way: str, drawn: str) -> None:
    """Make a set of what was typed, imported or ticked."""
    _once(services, drawn, partial(_make, services, way))


def _make(services: Services, way: str, user: User) -> str:
    read = _read(services, way, user)
    st.session_state[_PROBLEMS] = tuple(read.problems)
    made = make_set(services.database, user_id=user.id, name=st.session_state.get(NAME, ""), prompts=read.prompts)
    st.session_state[TEXT] = ""
    show(set_id=made)
    return f"A set of {counted(len(read.prompts), 'prompt')} was made."


def _read(services: Services, way: str, user: User) -> ReadPrompts:
    if way == "file":
        uploaded: Any = st.session_state.get(FILE)
        return ReadPrompts((), ()) if uploaded is None else read_jsonl(uploaded.getvalue())
    if way == "past":
        return _ticked(services, user)
    return typed()


def typed() -> ReadPrompts:
    """What stands in the box: JSON lines when it begins like one, else paragraphs."""
    text = str(st.session_state.get(TEXT, ""))
    if text.lstrip().startswith("{"):
        return read_jsonl(text.encode("utf-8", "replace"))
    return read_paragraphs(text, category=str(st.session_state.get(CATEGORY, "")))


def _ticked(services: Services, user: User) -> ReadPrompts:
    """The first questions that were ticked, of this person's own chats alone."""
    wanted = set(st.session_state.get(PAST, ()))
    questions = first_questions(services.database, user_id=user.id, limit=PAST_SHOWN)
    texts = [one.text for one in questions if one.conversation_id in wanted]
    return read_texts(texts, category=str(st.session_state.get(CATEGORY, "")))


@unbroken
def add(services: Services, set_id: str, drawn: str) -> None:
    """Add what was typed to a set."""

    def work(user: User) -> str:
        read = typed()
        st.session_state[_PROBLEMS] = tuple(read.problems)
        before = load_prompts(services.database, set_id)
        _replace(services, user, set_id, [*before, *read.prompts])
        st.session_state[TEXT] = ""
        return f"{counted(len(read.prompts), 'prompt')} added."

    _once(services, drawn, work)


@unbroken
def remove(services: Services, set_id: str, places: Sequence[int], drawn: str) -> None:
    """Take prompts out of a set. A second time at once, others would stand at these places."""

    def work(user: User) -> str:
        before = load_prompts(services.database, set_id)
        _replace(services, user, set_id, [prompt for at, prompt in enumerate(before) if at not in places])
        return f"{counted(len(places), 'prompt')} taken out."

    _once(services, drawn, work)


@unbroken
def edit(services: Services, set_id: str, place: int, fields: Sequence[str]) -> None:
    """Keep one prompt as its form holds it: the category in the first field, then a message in each, empty for none."""

    def work(user: User) -> str:
        category, *turns = (str(st.session_state.get(field, "")).strip() for field in fields)
        line = json.dumps({"category": category, "turns": [turn for turn in turns if turn]})
        read = read_jsonl(line.encode())
        if not read.prompts:
            raise SwitchboardError("This prompt cannot be kept.", next_step=" ".join(read.problems))
        before = load_prompts(services.database, set_id)
        _replace(services, user, set_id, [*before[:place], *read.prompts, *before[place + 1 :]])
        return "Saved. Runs that have begun keep the prompts they were begun with."

    act(services, PLACE, work)


def _once(services: Services, drawn: str, work: Callable[[User], str]) -> None:
    """Do it unless this tab has changed a set since the button was drawn; `drawn` is `changes` of then."""
    act(services, PLACE, lambda user: once_here(_CHANGES, drawn, lambda: work(user)) or "")


def changes() -> str:
    """What the buttons that change a set, or make one, are drawn with."""
    return str(times(_CHANGES))


def _replace(services: Services, user: User, set_id: str, prompts: Sequence[Prompt]) -> None:
    replace_prompts(services.database, set_id=set_id, user_id=user.id, prompts=prompts)


@unbroken
def change(services: Services, wanted: PromptSet) -> None:
    """Keep the name, use case and sharing that the form holds."""

    def work(user: User) -> str:
        kept = st.session_state
        changed = replace(wanted, name=kept[NEW_NAME], use_case=kept[NEW_USE_CASE], shared=kept[SHARED])
        change_set(services.database, changed, user_id=user.id)
        return "Saved."

    act(services, PLACE, work)


@unbroken
def delete(services: Services, set_id: str) -> None:
    """Delete a set; its runs stay."""

    def work(user: User) -> str:
        delete_set(services.database, set_id=set_id, user_id=user.id)
        show()
        return "The set was deleted. Its runs are still here."

    act(services, PLACE, work)


@unbroken
def start_run(services: Services, wanted: PromptSet, drawn: int) -> None:
    """Put a set to the chosen models and open the run; `drawn` is how many this tab had begun when it was drawn."""

    def work(user: User) -> str:
        offered = services.askable_models(user)
        models = [offered[name] for name in st.session_state.get(MODELS, ()) if name in offered]
        shared = bool(st.session_state.get(TEAM))
        job = begin_run(services.database, wanted, user_id=user.id, models=models, shared=shared)
        services.set_runner.start(job, user_id=user.id)
        show(run_id=job.run_id)
        return "The run has begun. It goes on when you leave this page."

    act(services, PLACE, lambda user: once_here(RUNS, str(drawn), lambda: work(user)) or "")
