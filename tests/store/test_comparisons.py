"""Comparisons on the real engine and store: independent columns, restarts, continuing, deletion."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal

import pytest

from core.arena.asking import Arena, Words
from core.arena.comparison import (
    NewColumn,
    Origin,
    comparisons_with,
    delete_comparison,
    list_comparisons,
    load_comparison,
    rename_comparison,
    restore_comparison,
)
from core.arena.continuing import continue_with
from core.arena.foresight import Foresight
from core.arena.line_ups import Entry
from core.arena.said import messages_in, messages_of_column, versions_of
from core.chat.branches import show_branch
from core.chat.conversation import branch, by_id
from core.chat.export import load_parcels
from core.chat.own_data import delete_data, export_data
from core.chat.recovery import recover_turns
from core.chat.search import find_comparisons, find_conversations, find_messages, index_changed
from core.chat.search_query import parse_query
from core.chat.store import delete_conversation, list_conversations, load_conversation, load_messages
from core.costs.output_lengths import OutputLengths
from core.costs.refusals import RefusalLog
from core.errors import ErrorClass, LimitReached, NotFound, ProviderError, SwitchboardError, TurnRefused
from core.providers.events import TextDelta
from core.providers.scripted import Gate, answer
from core.store.database import Database
from tests.support.conversations import make_conversation
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.turns import finish, model, rig, wait_until

MODELS = {name: model(name) for name in ("one", "two", "three")}


@contextmanager
def stage(database, **options):
    """A rig that knows three models, and an arena on it."""
    with rig(database, *MODELS.values(), **options) as made:
        yield made, Arena(database, made.engine)


def begin(arena, *names, text="Why?", user_id="ann", **options):
    entries = [Entry(model_id=name) for name in names]
    return arena.begin(user_id=user_id, words=Words(text=text), entries=entries, models=MODELS, **options)


def said(database, comparison):
    """What every column holds, in its order."""
    return [
        [message.content for message in messages_of_column(database, comparison, column)]
        for column in comparison.columns
    ]


def settle(made, comparison):
    """Wait until no column is being answered."""
    assert wait_until(lambda: not any(made.engine.find(column.id) for column in comparison.columns))


def compared(made, arena, *names, **options):
    """A comparison with an answer in every column."""
    for name in names:
        made.gateway.enqueue(name, *answer(f"{name} says"))
    comparison = begin(arena, *names, **options)
    settle(made, comparison)
    return comparison


def test_a_slow_and_a_failing_column_hold_up_no_other(database):
    gate = Gate()
    with stage(database) as (made, arena):
        made.gateway.enqueue("one", TextDelta("Slow"), gate)
        made.gateway.enqueue("two", ProviderError(ErrorClass.AUTHENTICATION, "The key is wrong."))
        made.gateway.enqueue("three", *answer("Quick"))
        comparison = begin(arena, "one", "two", "three")
        slow, failing, quick = comparison.columns
        assert wait_until(lambda: set(arena.running(comparison)) == {slow.id})
        assert comparisons_with(database, made.engine.running()) == {comparison.id}

        assert messages_of_column(database, comparison, quick)[-1].content == "Quick"
        failed = messages_of_column(database, comparison, failing)[-1]
        assert (failed.status, failed.requested_model) == ("failed", "two")
        made.engine.stop(arena.running(comparison)[slow.id])
        settle(made, comparison)
        assert messages_of_column(database, comparison, slow)[-1].status == "stopped"
        assert {row["source"] for row in made.rows("attempts")} == {"compare"}
        assert {row["conversation_id"] for row in made.rows("attempts")} == {column.id for column in comparison.columns}


def test_the_same_model_twice_with_its_own_parameters_and_system_prompts(database):
    with stage(database) as (made, arena):
        made.gateway.enqueue("one", *answer("Hot"))
        made.gateway.enqueue("one", *answer("Cold"))
        entries = [
            Entry(model_id="one", parameters={"temperature": 1.5, "system_prompt": "Be wild."}),
            Entry(model_id="one", parameters={"temperature": 0.0}),
        ]
        comparison = arena.begin(user_id="ann", words=Words(text="Why?"), entries=entries, models=MODELS)
        settle(made, comparison)

        asked = {request.parameters["temperature"]: request for request in made.gateway.history}
        assert asked[1.5].messages[0].content == "Be wild."
        assert [message.role for message in asked[0.0].messages] == ["user"]
        loaded = load_comparison(database, comparison_id=comparison.id, user_id="ann")
        assert loaded.columns[0].parameters == {"temperature": 1.5, "system_prompt": "Be wild."}


def test_a_column_that_cannot_take_the_prompt_says_so_and_the_others_answer(database):
    with stage(database) as (made, arena):
        made.gateway.enqueue("one", *answer("Fine"))
        entries = [Entry(model_id="one"), Entry(model_id="two", parameters={"temperature": 99.0})]
        comparison = arena.begin(user_id="ann", words=Words(text="Why?"), entries=entries, models=MODELS)
        settle(made, comparison)

        good, refused = load_comparison(database, comparison_id=comparison.id, user_id="ann").columns
        assert good.problem is None
        assert "temperature" in str(refused.problem)
        assert said(database, comparison) == [["Why?", "Fine"], []]


def test_when_nobody_can_take_the_prompt_nothing_is_stored(database):
    with stage(database) as (made, arena):
        entries = [Entry(model_id="gone"), Entry(model_id="gone too")]
        with pytest.raises(TurnRefused, match="no longer offered"):
            arena.begin(user_id="ann", words=Words(text="Why?"), entries=entries, models=MODELS)

        tables = ("comparisons", "comparison_columns", "conversations", "messages", "turns")
        assert [database.fetch_all(f"select * from {table}") for table in tables] == [[]] * 5  # noqa: S608
        assert not made.gateway.history


@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_line_up_has_two_to_eight_models(database, count):
    with stage(database) as (_, arena), pytest.raises(TurnRefused, match="models"):
        begin(arena, *["one"] * count)


def test_a_follow_up_goes_to_all_or_to_one(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        made.gateway.enqueue("one", *answer("one goes on"))
        arena.follow_up(comparison, comparison.columns[:1], Words(text="And?"))
        settle(made, comparison)
        made.gateway.enqueue("one", *answer("one ends"))
        made.gateway.enqueue("two", *answer("two ends"))
        arena.follow_up(comparison, comparison.columns, Words(text="So?"))
        settle(made, comparison)

        assert said(database, comparison) == [
            ["Why?", "one says", "And?", "one goes on", "So?", "one ends"],
            ["Why?", "two says", "So?", "two ends"],
        ]
        assert [message.content for message in made.gateway.history[-1].messages][:2] == ["Why?", "two says"]


def test_a_retry_answers_the_same_question_again(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        [column, _] = comparison.columns
        [question, _] = messages_of_column(database, comparison, column)
        made.gateway.enqueue("one", *answer("Better"))
        finish(arena.retry(comparison, column, question=question, words=Words(text="")))

        assert said(database, comparison)[0] == ["Why?", "Better"]
        shown = messages_in(database, comparison, comparison.columns)
        [(answer_id, place)] = versions_of(database, shown).items()
        assert answer_id == shown[column.id][-1].id
        assert (place.number, place.count, place.next) == (2, 2, None)
        show_branch(database, conversation_id=column.id, user_id="ann", message_id=place.previous)
        assert said(database, comparison)[0] == ["Why?", "one says"]


def test_the_history_of_a_chat_comes_first_and_is_not_copied(database):
    chat = make_conversation(database, "ann", "First", "An answer")
    [_, last] = load_messages(database, conversation=load_conversation(database, conversation_id=chat, user_id="ann"))
    with stage(database) as (made, arena):
        origin = Origin(conversation_id=chat, message_id=last.id)
        comparison = compared(made, arena, "one", "two", origin=origin)

        for request in made.gateway.history:
            assert [message.content for message in request.messages] == ["First", "An answer", "Why?"]
        assert said(database, comparison) == [["Why?", "one says"], ["Why?", "two says"]]
        delete_conversation(database, conversation_id=chat, user_id="ann")
        with pytest.raises(TurnRefused, match="was deleted"):
            arena.follow_up(comparison, comparison.columns, Words(text="And?"))


def test_continuing_makes_the_column_a_branch_of_its_chat(database):
    chat = make_conversation(database, "ann", "First", "An answer", "Second", "Another")
    before = load_messages(database, conversation=load_conversation(database, conversation_id=chat, user_id="ann"))
    with stage(database) as (made, arena):
        origin = Origin(conversation_id=chat, message_id=before[1].id)
        comparison = compared(made, arena, "one", "two", origin=origin)
        winner = comparison.columns[1]

        assert continue_with(database, comparison, winner) == chat
        # A second time nothing is added.
        assert continue_with(database, comparison, winner) == chat

        conversation = load_conversation(database, conversation_id=chat, user_id="ann")
        messages = load_messages(database, conversation=conversation)
        shown = branch(by_id(messages), leaf_id=conversation.leaf_message_id)
        assert [message.content for message in shown] == ["First", "An answer", "Why?", "two says"]
        assert len(messages) == 6
        assert conversation.model_id == "two"
        in_column = messages_of_column(database, comparison, winner)[-1]
        assert shown[-1].figures == in_column.figures
        assert shown[-1].figures is not None
        assert said(database, comparison) == [["Why?", "one says"], ["Why?", "two says"]]


def test_continuing_without_a_chat_makes_one_that_goes_on(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        assert list_conversations(database, user_id="ann", limit=10) == []

        chat = continue_with(database, comparison, comparison.columns[0])

        [listed] = list_conversations(database, user_id="ann", limit=10)
        assert (listed.id, listed.title, listed.model_id) == (chat, "Why?", "one")
        made.gateway.enqueue("one", *answer("And on"))
        finish(made.ask("And?", conversation_id=chat, model_id="one"))
        assert [message.content for message in made.messages(chat)] == ["Why?", "one says", "And?", "And on"]


def test_a_column_without_an_answer_cannot_be_continued(database):
    with stage(database) as (made, arena):
        made.gateway.enqueue("one", TextDelta("Half"), Gate())
        made.gateway.enqueue("two", ProviderError(ErrorClass.AUTHENTICATION, "The key is wrong."))
        comparison = begin(arena, "one", "two")
        assert wait_until(lambda: len(arena.running(comparison)) == 1)

        for column in comparison.columns:
            with pytest.raises(TurnRefused, match="no answer"):
                continue_with(database, comparison, column)


def test_a_merge_is_an_answer_with_its_sources_and_its_cost(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        sources = [messages_of_column(database, comparison, column)[-1].id for column in comparison.columns]
        made.gateway.enqueue("three", *answer("The best of both"))
        new = NewColumn(model_id="three", model_label="THREE", parameters={}, kind="merge", sources=sources)
        column = arena.merge(comparison, new, Words(text="Fuse these."))
        settle(made, load_comparison(database, comparison_id=comparison.id, user_id="ann"))

        [merge] = load_comparison(database, comparison_id=comparison.id, user_id="ann").merges
        assert (merge.id, merge.sources) == (column.id, tuple(sources))
        merged = messages_of_column(database, comparison, merge)
        assert [message.content for message in merged] == ["Fuse these.", "The best of both"]
        assert merged[-1].figures is not None
        assert merged[-1].figures.cost_usd is not None
        loaded = load_comparison(database, comparison_id=comparison.id, user_id="ann")
        chat = continue_with(database, loaded, merge)
        assert [message.content for message in made.messages(chat)] == ["Why?", "The best of both"]


def test_comparisons_are_in_no_list_or_export_of_chats_and_are_found_as_what_they_are(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two", text="Marmalade?")

    index_changed(database, user_id="ann")
    query = parse_query("marmalade", zone=UTC)
    assert find_messages(database, user_id="bob", query=query) == []
    [hit] = find_messages(database, user_id="ann", query=query)
    assert (hit.comparison_id, hit.title, hit.hits_in_conversation) == (comparison.id, "Marmalade?", 1)
    assert {
        (hit.comparison_id, hit.content)
        for hit in find_messages(database, user_id="ann", query=parse_query("says", zone=UTC))
    } == {(comparison.id, "one says"), (comparison.id, "two says")}
    assert [found.id for found in find_comparisons(database, user_id="ann", query=query)] == [comparison.id]
    assert find_comparisons(database, user_id="bob", query=query) == []
    assert find_conversations(database, user_id="ann", query=query) == []
    assert load_parcels(database, user_id="ann") == []
    assert [found.id for found in list_comparisons(database, user_id="ann", limit=10)] == [comparison.id]
    assert list_comparisons(database, user_id="bob", limit=10) == []
    with pytest.raises(NotFound):
        load_comparison(database, comparison_id=comparison.id, user_id="bob")


def test_a_comparison_is_renamed_by_its_owner_and_never_to_nothing(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        rename_comparison(database, comparison_id=comparison.id, user_id="bob", title="Bob's")
        rename_comparison(database, comparison_id=comparison.id, user_id="ann", title="  Which\n one ")
        assert [found.title for found in list_comparisons(database, user_id="ann", limit=10)] == ["Which one"]
        with pytest.raises(SwitchboardError, match="cannot be empty"):
            rename_comparison(database, comparison_id=comparison.id, user_id="ann", title=" \n ")
        hits = find_messages(database, user_id="ann", query=parse_query("one says", zone=UTC))
        assert {hit.title for hit in hits} == {"Which one"}


def test_a_deleted_comparison_comes_back_and_the_ledger_stays(database):
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two")
        delete_comparison(database, comparison_id=comparison.id, user_id="bob")
        assert list_comparisons(database, user_id="ann", limit=10) != []

        delete_comparison(database, comparison_id=comparison.id, user_id="ann")
        assert list_comparisons(database, user_id="ann", limit=10) == []
        assert said(database, comparison) == [[], []]
        restore_comparison(database, comparison_id=comparison.id, user_id="ann")

        assert said(database, comparison) == [["Why?", "one says"], ["Why?", "two says"]]
        assert len(made.rows("attempts")) == 2


def test_ones_data_holds_the_comparisons_and_deleting_it_leaves_none(database):
    ada = add_person(database, "ada")
    with stage(database) as (made, arena):
        comparison = compared(made, arena, "one", "two", user_id=ada.id)
        continue_with(database, comparison, comparison.columns[0])

    exported = json.loads(export_data(database, ada))
    [held] = exported["comparisons"]
    assert [column["conversation"]["messages"][-1]["content"] for column in held["columns"]] == ["one says", "two says"]
    assert [len(chat["messages"]) for chat in exported["conversations"]] == [2]
    delete_data(database, ada)
    tables = ("comparisons", "comparison_columns", "comparison_continuations", "conversations", "messages")
    assert [database.fetch_all(f"select * from {table}") for table in tables] == [[]] * 5  # noqa: S608


_VICTIM = """
import os, signal, sys
from core.arena.asking import Arena, Words
from core.arena.line_ups import Entry
from core.providers.events import TextDelta
from core.providers.scripted import Gate, answer
from tests.support.turns import model, open_store, rig, wait_until

database = open_store(sys.argv[1])
models = {name: model(name) for name in ("one", "two")}
with rig(database, *models.values(), checkpoint_s=0.01) as made:
    made.gateway.enqueue("one", TextDelta("Half"), Gate())
    made.gateway.enqueue("two", *answer("Whole"))
    entries = [Entry(model_id=name) for name in models]
    Arena(database, made.engine).begin(user_id="ann", words=Words(text="Why?"), entries=entries, models=models)
    assert wait_until(lambda: {row["partial_text"] for row in made.rows("turns")} == {"Half", ""})
    assert wait_until(lambda: len(made.rows("attempts")) == 1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_after_a_kill_a_comparison_has_all_that_had_come(store_url):
    killed = subprocess.run(
        [sys.executable, "-c", _VICTIM, store_url], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -9, killed.stderr.decode()

    database = Database(store_url)
    assert recover_turns(database, find_model=MODELS.get) == 1
    [listed] = list_comparisons(database, user_id="ann", limit=10)
    comparison = load_comparison(database, comparison_id=listed.id, user_id="ann")
    half, whole = (messages_of_column(database, comparison, column)[-1] for column in comparison.columns)
    database.close()
    assert (half.content, half.status) == ("Half", "interrupted")
    assert (whole.content, whole.status) == ("Whole", "complete")
    assert half.figures is not None
    assert half.figures.cost_usd is not None
    assert half.figures.cost_usd > Decimal(0)


class Purse:
    """A budget with so many dollars left, as far as comparisons ask."""

    def __init__(self, left_usd):
        self.left = left_usd

    def left_usd(self, _user_id):
        return self.left

    def check_together(self, _user_id, costs, **_words):
        if sum(cost.high_usd for cost in costs) > self.left:
            raise LimitReached("budget", "That is more than is left.", limit_id="b")


@pytest.mark.parametrize(("left_usd", "fits"), [(Decimal("0.02"), True), (Decimal("0.019"), False), (None, True)])
def test_a_budget_holds_what_all_columns_cost_together(database, left_usd, fits):
    # An answer of 441 tokens at 15 dollars a million is the most that is expected: 0.0066 and the prompt, three times.
    refusals = RefusalLog(database)
    foresight = Foresight(budgets=Purse(left_usd), lengths=OutputLengths, refusals=refusals)
    with rig(database, *MODELS.values()) as made:
        arena = Arena(database, made.engine, find_model=MODELS.get, foresight=foresight)
        if fits:
            compared(made, arena, "one", "two", "three")
            return
        with pytest.raises(LimitReached, match="more than is left"):
            begin(arena, "one", "two", "three")
        assert database.fetch_all("select * from comparisons") == []
        # Administrators see it among those who were refused.
        assert [(one.model_id, one.source) for one in refusals.newest()] == [("one, two, three", "compare")]
        comparison = compared(made, arena, "one", "two")
        with pytest.raises(LimitReached):
            arena.follow_up(comparison, comparison.columns, Words(text="And? " * 1000))
        assert said(database, comparison) == [["Why?", "one says"], ["Why?", "two says"]]
