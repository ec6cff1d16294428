"""Conversations in the store: only their owner's, renamed, deleted and brought back, with figures that add up."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from core.accounts.audit import record
from core.catalog.models import Prices
from core.chat.conversation import Message
from core.chat.organise import restore_conversations
from core.chat.store import (
    delete_conversation,
    insert_conversation,
    insert_message,
    list_conversations,
    load_conversation,
    load_messages,
    rename_conversation,
    set_model,
)
from core.costs.ledger import Attempt, record_attempt
from core.costs.price_book import PriceBook
from core.costs.price_sheets import NewPrice
from core.costs.pricing import price_attempt
from core.errors import NotFound, SwitchboardError
from core.ids import new_id
from core.providers.events import Usage
from tests.support.turns import PRICES

NOW = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the store's own form


def make(database, *, user_id="ann", text="Hello there", now=NOW):
    """A conversation with one question and one answer; returns its id."""
    conversation_id = new_id()
    question = _message(conversation_id, "user", text, parent_id=None, now=now)
    answer = _message(conversation_id, "assistant", "Hi", parent_id=question.id, now=now + timedelta(seconds=1))

    def work(cur):
        insert_conversation(
            cur, conversation_id=conversation_id, user_id=user_id, first_text=text, model_id="gpt", now=now
        )
        insert_message(cur, question)
        insert_message(cur, answer)

    database.transaction(work)
    return conversation_id


def _message(conversation_id, role, content, *, parent_id, now):
    return Message(
        id=new_id(),
        conversation_id=conversation_id,
        parent_id=parent_id,
        turn_id="turn-1",
        role=role,
        content=content,
        status="complete",
        created_at=now,
    )


def load(database, conversation_id, user_id="ann"):
    return load_conversation(database, conversation_id=conversation_id, user_id=user_id)


def titles(database, user_id="ann", limit=50):
    return [conversation.title for conversation in list_conversations(database, user_id=user_id, limit=limit)]


def test_a_conversation_comes_back_as_it_was_made(database):
    conversation_id = make(database)

    conversation = load(database, conversation_id)
    question, answer = load_messages(database, conversation=conversation)

    assert (conversation.title, conversation.title_source, conversation.model_id) == ("Hello there", "auto", "gpt")
    assert conversation.leaf_message_id == answer.id
    assert (conversation.created_at, conversation.updated_at) == (NOW, NOW + timedelta(seconds=1))
    assert (question.content, answer.content, answer.parent_id) == ("Hello there", "Hi", question.id)
    assert question.figures is None


def test_the_conversation_used_last_is_listed_first_and_the_list_has_a_limit(database):
    for minute, text in enumerate(["Old", "Newer", "Newest"]):
        make(database, text=text, now=NOW + timedelta(minutes=minute))
    make(database, user_id="eve", text="Not yours")

    assert titles(database) == ["Newest", "Newer", "Old"]
    assert titles(database, limit=2) == ["Newest", "Newer"]


def _never_made(database):
    return "no-such-id"


def _deleted(database):
    conversation_id = make(database)
    delete_conversation(database, conversation_id=conversation_id, user_id="ann")
    return conversation_id


def _of_somebody_else(database):
    return make(database, user_id="eve")


@pytest.mark.parametrize("missing", [_never_made, _deleted, _of_somebody_else])
def test_what_is_not_there_not_yours_or_deleted_looks_the_same(database, missing):
    with pytest.raises(NotFound) as error:
        load(database, missing(database))

    assert str(error.value) == ("This conversation was not found. Open another one from the list or start a new chat.")


def test_nobody_else_can_rename_delete_restore_or_point_a_conversation(database):
    conversation_id = make(database)
    theirs = {"conversation_id": conversation_id, "user_id": "eve"}

    rename_conversation(database, **theirs, title="Mine now")
    set_model(database, **theirs, model_id="other")
    delete_conversation(database, **theirs)
    untouched = load(database, conversation_id)
    delete_conversation(database, conversation_id=conversation_id, user_id="ann")
    restore_conversations(database, conversation_ids=[conversation_id], user_id="eve")

    assert (untouched.title, untouched.model_id) == ("Hello there", "gpt")
    assert titles(database) == []


def test_delete_is_undone_by_restore_with_everything_in_place(database):
    conversation_id = make(database)
    before = load(database, conversation_id)

    delete_conversation(database, conversation_id=conversation_id, user_id="ann")
    assert titles(database) == []
    restore_conversations(database, conversation_ids=[conversation_id], user_id="ann")

    assert load(database, conversation_id) == before
    assert len(load_messages(database, conversation=before)) == 2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  My\n title ", "My title"),
        ("x" * 300, "x" * 200),
        ("y" * 199 + " z", "y" * 199),
        ("a\x00b", "a␀b"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_a_title_of_ones_own_is_one_clean_line(database, typed, kept):
    conversation_id = make(database)

    rename_conversation(database, conversation_id=conversation_id, user_id="ann", title=typed)

    conversation = load(database, conversation_id)
    assert (conversation.title, conversation.title_source) == (kept, "user")


@pytest.mark.parametrize("title", ["", "  \n"])
def test_an_empty_title_is_refused(database, title):
    with pytest.raises(SwitchboardError, match="cannot be empty"):
        rename_conversation(database, conversation_id=make(database), user_id="ann", title=title)


def test_the_model_of_the_next_message_is_kept(database):
    conversation_id = make(database)

    set_model(database, conversation_id=conversation_id, user_id="ann", model_id="other")

    assert load(database, conversation_id).model_id == "other"


# --- figures ---------------------------------------------------------------------------------------------------------


def pay(
    database, conversation_id, *, usage, prices=PRICES, start_s=0.0, first_s=1.0, end_s=3.0, status="ok", **changes
):
    """One ledger row of the turn "turn-1"; times in seconds after NOW, `first_s=None` when no token came."""
    fields = {
        "id": new_id(),
        "turn_id": "turn-1",
        "user_id": "ann",
        "conversation_id": conversation_id,
        "source": "chat",
        "use_case": None,
        "requested_model": "gpt",
        "served_model": "gpt",
        "upstream_model": None,
        "provider": "lab",
        "parameters": {},
        "started_at": NOW + timedelta(seconds=start_s),
        "first_token_at": None if first_s is None else NOW + timedelta(seconds=first_s),
        "ended_at": NOW + timedelta(seconds=end_s),
        "usage": usage,
        "cost": price_attempt(usage, prices, counted_by_us=False, partial=status != "ok"),
        "price_version": None,
        "status": status,
    }
    database.transaction(lambda cur: record_attempt(cur, Attempt(**(fields | changes))))


def figures(database, conversation_id):
    return load_messages(database, conversation=load(database, conversation_id))[1].figures


def test_figures_are_the_sums_over_all_attempts_and_the_times_of_the_last(database):
    conversation_id = make(database)
    pay(database, conversation_id, usage=Usage(input_tokens=10, output_tokens=5), status="stall", id="1", end_s=3)
    pay(
        database,
        conversation_id,
        usage=Usage(input_tokens=1000, output_tokens=90, cached_input_tokens=600, reasoning_tokens=20),
        id="2",
        start_s=4,
        first_s=4.5,
        end_s=7.5,
    )

    found = figures(database, conversation_id)
    independent = database.fetch_one(
        "select sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(reasoning_tokens), sum(cost_usd)"
        " from attempts where conversation_id = $id",
        id=conversation_id,
    )

    assert [
        found.input_tokens,
        found.output_tokens,
        found.cached_input_tokens,
        found.reasoning_tokens,
        found.cost_usd,
    ] == list(independent.values())
    assert found.cost_usd == (10 * 3 + 5 * 15 + 1000 * 3 + 90 * 15) / Decimal(1_000_000)
    assert found.cost_code == "computed"
    assert (found.first_token_ms, found.duration_ms, found.tokens_per_second) == (500, 3500, 30)


def test_figures_follow_what_a_price_entered_late_corrects(database):
    conversation_id = make(database)
    pay(database, conversation_id, usage=Usage(input_tokens=10, output_tokens=5), prices=None, id="1")
    assert figures(database, conversation_id).cost_code == "unpriced"

    clock = partial(NOW.__add__, timedelta(days=1))
    price = NewPrice(model_id="gpt", prices=PRICES, valid_from=NOW, reason="the invoice")
    PriceBook(database, record=record, clock=clock).enter(price, offered=None, actor_id=None)

    found = figures(database, conversation_id)
    assert (found.cost_usd, found.cost_code) == (Decimal("0.000105"), "computed")


def test_what_caches_saved_is_the_sum_over_all_attempts_and_nothing_where_a_price_is_unknown(database):
    conversation_id = make(database)
    cheaper = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), cache_write=Decimal("3.75"))
    written = Usage(input_tokens=1000, output_tokens=1, cache_write_tokens=600)
    read = Usage(input_tokens=1000, output_tokens=1, cached_input_tokens=600)
    pay(database, conversation_id, usage=written, prices=cheaper, id="1")
    assert figures(database, conversation_id).cache_saved_usd == Decimal("-0.00045")

    pay(database, conversation_id, usage=read, prices=cheaper, id="2")
    assert figures(database, conversation_id).cache_saved_usd == Decimal("0.00117")

    pay(database, conversation_id, usage=read, prices=None, id="3")
    assert figures(database, conversation_id).cache_saved_usd is None


def test_an_attempt_without_a_token_shows_no_first_token_of_an_earlier_one(database):
    conversation_id = make(database)
    pay(database, conversation_id, usage=Usage(input_tokens=10, output_tokens=5), id="1", first_s=1, end_s=2)
    pay(
        database,
        conversation_id,
        usage=Usage(input_tokens=0, output_tokens=0),
        id="2",
        start_s=3,
        first_s=None,
        end_s=4,
        status="rate_limit",
    )

    found = figures(database, conversation_id)

    assert (found.first_token_ms, found.tokens_per_second, found.duration_ms) == (None, None, 4000)


def test_a_sum_with_an_unknown_part_is_unpriced_and_never_the_known_part(database):
    conversation_id = make(database)
    pay(database, conversation_id, usage=Usage(input_tokens=10, output_tokens=5), prices=None, id="1")
    pay(database, conversation_id, usage=Usage(input_tokens=10, output_tokens=5), id="2")

    found = figures(database, conversation_id)

    assert (found.cost_usd, found.cost_code) == (None, "unpriced")


def test_the_ledger_keeps_every_column_exactly(database):
    conversation_id = make(database)
    usage = Usage(
        input_tokens=7,
        output_tokens=5,
        cached_input_tokens=2,
        cache_write_tokens=1,
        reasoning_tokens=3,
        image_tokens=4,
        reported_cost_usd=Decimal("0.123456789"),
    )
    pay(database, conversation_id, usage=usage, id="1", parameters={"b": 1, "a": ("x",)}, fallback_of="gpt-0")

    [row] = database.fetch_all("select * from attempts")

    buckets = ("input", "output", "cached_input", "cache_write", "reasoning", "image")
    assert [row[f"{bucket}_tokens"] for bucket in buckets] == [7, 5, 2, 1, 3, 4]
    assert (row["cost_usd"], row["reported_cost_usd"]) == (Decimal("0.123456789"), Decimal("0.123456789"))
    assert row["computed_cost_usd"] == (7 * 3 + 5 * 15) / Decimal(1_000_000)
    assert (row["cost_code"], row["parameters"], row["fallback_of"]) == ("reported", '{"a": ["x"], "b": 1}', "gpt-0")
    assert row["started_at"] == NOW
