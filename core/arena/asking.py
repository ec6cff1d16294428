"""Putting a message to the columns of a comparison: every column is a turn of its own, none waits for another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from core.arena.comparison import (
    Column,
    Comparison,
    NewColumn,
    Origin,
    add_column,
    begin_comparison,
    forget_column,
    forget_comparison,
    note_problem,
    touch_comparison,
)
from core.arena.foresight import Foresight, Prospect
from core.arena.line_ups import FEWEST, MOST, Entry
from core.arena.said import leaves_of, load_history, messages_in
from core.catalog.effective import Layers, resolve
from core.catalog.models import ModelSpec
from core.catalog.parameters import MOST_USD, SYSTEM_PROMPT
from core.chat.admission import ColumnToBegin, TurnRequest, check_text
from core.chat.conversation import Attachment, Message
from core.chat.kept_parameters import load_layers
from core.chat.money_cap import usable_cap
from core.chat.turns import LiveTurn, TurnEngine
from core.errors import SwitchboardError, TurnRefused
from core.store.database import Cursor, Database

SOURCE = "compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of putting a message to columns: the turns by column id, and why the others were refused."""

    turns: Mapping[str, LiveTurn] = field(default_factory=dict)
    refused: Mapping[str, SwitchboardError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message with its files, what it is for, as the ledger keeps it, and the most that one answer may cost."""

    text: str
    attachments: Sequence[Attachment] = ()
    use_case: str | None = None
    most_usd: str | None = None


class Arena:
    """Runs comparisons on the engine of the chat."""

    def __init__(
        self,
        database: Database,
        engine: TurnEngine,
        *,
        find_model: Callable[[str], ModelSpec | None] = lambda _model_id: None,
        foresight: Foresight | None = None,
    ) -> None:
        """`foresight` holds what all columns may cost together against what is left; None: nothing limits them."""
        self._database = database
        self._engine = engine
        self._find_model = find_model
        self._foresight = foresight

    def begin(
        self,
        *,
        user_id: str,
        words: Words,
        entries: Sequence[Entry],
        models: Mapping[str, ModelSpec],
        origin: Origin | None = None,
        along: Callable[[str], Callable[[Cursor], None]] | None = None,
    ) -> Comparison:
        """Put a prompt to a line-up; `models` are those that this person may use.

        `along` makes of the comparison's id what is to be written in one transaction with it.

        A column whose model cannot take it says so, and the others answer. Raises TurnRefused when none can, when the
        prompt is empty, or when the line-up is too short or too long; then nothing is stored.
        """
        check_line_up(entries)
        check_text(words.text, with_files=bool(words.attachments))
        history = load_history(self._database, origin, user_id=user_id)
        columns = [self._new_column(entry, models, user_id=user_id) for entry in entries]
        self._foresee(user_id, [(column, history) for column in columns], words)
        made = begin_comparison(
            self._database,
            user_id=user_id,
            prompt=words.text or " ".join(attached.name for attached in words.attachments),
            columns=columns,
            origin=origin,
            use_case=words.use_case,
            along=along,
        )
        asked = self._ask(made, made.columns, words, history, begun=())
        if not asked.turns:
            forget_comparison(self._database, made)
            raise next(iter(asked.refused.values()))
        return made

    def follow_up(self, comparison: Comparison, columns: Sequence[Column], words: Words) -> Asked:
        """Put another message to columns of a comparison; those that still answer are left out.

        Raises TurnRefused when no column takes it.
        """
        check_text(words.text, with_files=bool(words.attachments))
        history = load_history(self._database, comparison.origin, user_id=comparison.user_id)
        if self._foresight and self._foresight.limited(comparison.user_id):
            said = messages_in(self._database, comparison, columns)
            self._foresee(comparison.user_id, [(one, [*history, *said[one.id]]) for one in columns], words)
        begun = leaves_of(self._database, comparison)
        asked = self._ask(comparison, columns, words, history, begun=begun)
        if not asked.turns:
            raise next(iter(asked.refused.values()), _nobody())
        touch_comparison(self._database, comparison.id)
        return asked

    def retry(self, comparison: Comparison, column: Column, *, question: Message | None, words: Words) -> LiveTurn:
        """Answer a column's last question once more; without one, put the prompt to it that it did not take.

        Raises TurnRefused or StoreError.
        """
        history = load_history(self._database, comparison.origin, user_id=comparison.user_id)
        if column.kind == "merge":
            history = []
        try:
            begun = question is not None or column.id in leaves_of(self._database, comparison)
            again = question.id if question else None
            live = self._start(comparison, column, words, history, again=again, begun=begun)
        except SwitchboardError as error:
            note_problem(self._database, column.id, _in_column(error))
            raise
        if column.problem:
            note_problem(self._database, column.id, None)
        return live

    def go_on(self, comparison: Comparison, column: Column, *, answer_id: str, words: Words) -> LiveTurn:
        """Have a column go on with its last answer where that was cut off. Raises TurnRefused or StoreError."""
        history = []
        if column.kind == "answer":
            history = load_history(self._database, comparison.origin, user_id=comparison.user_id)
        return self._start(comparison, column, words, history, begun=True, continues=answer_id)

    def join(self, comparison: Comparison, entry: Entry, models: Mapping[str, ModelSpec], words: Words) -> Column:
        """Let one more model answer what the others were asked first. Raises TurnRefused; then nothing is stored."""
        if len(comparison.answers) >= MOST:
            raise TurnRefused("line_up", f"A comparison takes at most {MOST} models.", next_step="Start another one.")
        check_text(words.text, with_files=bool(words.attachments))
        history = load_history(self._database, comparison.origin, user_id=comparison.user_id)
        new = self._new_column(entry, models, user_id=comparison.user_id)
        self._foresee(comparison.user_id, [(new, history)], words)
        return self._begin_column(comparison, new, words, history)

    def merge(self, comparison: Comparison, new: NewColumn, words: Words) -> Column:
        """Have a model make one answer of several, in a new column. Raises TurnRefused; then nothing is stored."""
        check_text(words.text)
        return self._begin_column(comparison, new, words, [])

    def _begin_column(self, comparison: Comparison, new: NewColumn, words: Words, history: Sequence[Message]) -> Column:
        column = add_column(self._database, comparison, new)
        try:
            self._start(comparison, column, words, history, begun=False)
        except SwitchboardError:
            forget_column(self._database, column.id)
            raise
        return column

    def running(self, comparison: Comparison) -> dict[str, LiveTurn]:
        """The turns that are being answered in a comparison, by column id."""
        found = {column.id: self._engine.find(column.id) for column in comparison.columns}
        return {column_id: live for column_id, live in found.items() if live is not None}

    def _foresee(
        self, user_id: str, columns: Sequence[tuple[Column | NewColumn, Sequence[Message]]], words: Words
    ) -> None:
        """Raises LimitReached when the answers of all columns together are more than what is left."""
        if self._foresight is None or not self._foresight.limited(user_id):
            return
        prospects = [
            Prospect(model=model, parameters=column.parameters, history=history)
            for column, history in columns
            if (model := self._find_model(column.model_id)) is not None
        ]
        self._foresight.check(
            user_id, prospects, text=words.text, attachments=words.attachments, use_case=words.use_case
        )

    def _ask(
        self,
        comparison: Comparison,
        columns: Sequence[Column],
        words: Words,
        history: Sequence[Message],
        *,
        begun: Collection[str],
    ) -> Asked:
        """Start a turn in every column; `begun` are the ids of those that have a message already."""
        turns: dict[str, LiveTurn] = {}
        refused: dict[str, SwitchboardError] = {}
        for column in columns:
            try:
                turns[column.id] = self._start(comparison, column, words, history, begun=column.id in begun)
            except SwitchboardError as error:
                refused[column.id] = error
        # After all have been asked: no model waits for a sentence about another one.
        if turns:
            for column in columns:
                problem = _in_column(refused[column.id]) if column.id in refused else None
                if problem != column.problem:
                    note_problem(self._database, column.id, problem)
        return Asked(turns=turns, refused=refused)

    def _new_column(self, entry: Entry, models: Mapping[str, ModelSpec], *, user_id: str) -> NewColumn:
        model = models.get(entry.model_id)
        if model is None:
            return NewColumn(model_id=entry.model_id, model_label=entry.model_id, parameters=entry.parameters)
        # What is not legal stays in: the engine refuses it in words, in this column alone.
        chosen = resolve(model, layers_of(self._database, entry, user_id=user_id)).chosen()
        return NewColumn(model_id=model.id, model_label=model.label, parameters=chosen)

    def _start(
        self,
        comparison: Comparison,
        column: Column,
        words: Words,
        history: Sequence[Message],
        *,
        begun: bool,
        again: str | None = None,
        continues: str | None = None,
    ) -> LiveTurn:
        parameters = dict(column.parameters)
        prompt, most_usd = parameters.pop(SYSTEM_PROMPT, None), parameters.pop(MOST_USD, None)
        return self._engine.start(
            TurnRequest(
                user_id=comparison.user_id,
                model_id=column.model_id,
                text="" if again or continues else words.text,
                answer_again=again,
                continues=continues,
                conversation_id=column.id if begun else None,
                begins=None if begun else ColumnToBegin(column.id, comparison.id),
                parameters=parameters,
                system_prompt=None if prompt is None else str(prompt),
                # A comparison is about this very model.
                fallback="never",
                source=SOURCE,
                use_case=words.use_case,
                most_usd=usable_cap(most_usd or words.most_usd),
                attachments=() if again or continues else words.attachments,
                before=history,
            )
        )


def check_line_up(entries: Sequence[Entry]) -> None:
    """Raises TurnRefused for a line-up of fewer than two or more than eight models."""
    if len(entries) < FEWEST:
        raise TurnRefused(
            "line_up",
            "A comparison takes at least two models.",
            next_step="Add one to the line-up. The same model twice, with other parameters, is fine.",
        )
    if len(entries) > MOST:
        raise TurnRefused("line_up", f"A comparison takes at most {MOST} models.", next_step="Take some out.")


def layers_of(database: Database, entry: Entry, *, user_id: str) -> Layers:
    """What the team, a person and the line-up set for a model."""
    layers = load_layers(database, user_id=user_id, model_id=entry.model_id, conversation_id=None)
    return Layers(team=layers.team, mine=layers.mine, conversation=entry.parameters)


def _in_column(error: SwitchboardError) -> str:
    """Why a column was not asked. The next step of a refusal is for a message box, and there the message is not."""
    return f"{error.user_message} When that has changed, Retry sends the message."


def _nobody() -> TurnRefused:
    return TurnRefused("busy", "All columns are still being answered.", next_step="Wait for them or stop them.")
