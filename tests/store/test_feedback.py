"""Thumbs: per answer and person, with model and use case, changeable, counted for the team."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.chat.feedback import Rating, load_ratings, rate
from core.errors import NotFound
from core.providers.scripted import answer
from tests.support.turns import finish, model, rig

NOW = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the store's own form
GOOD, BAD = Rating(rating=1), Rating(rating=-1, reason="Too long")


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database, model(), model("other")) as made:
        yield made


def said(chat, **fields):
    """The ids of an answered turn."""
    chat.gateway.enqueue(fields.get("model_id", "gpt"), *answer("Yes"))
    live = chat.ask("Is it?", **fields)
    finish(live)
    return live.ids


def ratings(chat, ids, user_id="ann"):
    return load_ratings(chat.database, conversation_id=ids.conversation, user_id=user_id)


def test_a_rating_is_kept_with_model_and_use_case_and_may_change(chat):
    ids = said(chat, use_case="coding")
    keep = {"message_id": ids.answer, "user_id": "ann", "use_case": "everyday"}

    rate(chat.database, **keep, rating=GOOD, clock=lambda: NOW)
    rate(chat.database, **keep, rating=BAD, clock=lambda: NOW + timedelta(minutes=1))

    assert ratings(chat, ids) == {ids.answer: BAD}
    [row] = chat.database.fetch_all("select * from feedback")
    assert (row["model_id"], row["use_case"], row["rating"], row["reason"]) == ("gpt", "coding", -1, "Too long")
    assert (row["created_at"], row["updated_at"]) == (NOW, NOW + timedelta(minutes=1))


def test_a_turn_without_a_use_case_takes_the_persons(chat):
    ids = said(chat)

    rate(chat.database, message_id=ids.answer, user_id="ann", rating=GOOD, use_case="writing")

    [row] = chat.database.fetch_all("select * from feedback")
    assert (row["model_id"], row["use_case"], row["rating"]) == ("gpt", "writing", 1)


def test_a_rating_is_taken_back(chat):
    ids = said(chat)
    rate(chat.database, message_id=ids.answer, user_id="ann", rating=GOOD)

    rate(chat.database, message_id=ids.answer, user_id="ann", rating=None)

    assert ratings(chat, ids) == {}


@pytest.mark.parametrize("who", ["bob", "ann"])
def test_only_ones_own_answers_can_be_rated(chat, who):
    ids = said(chat)
    wanted = ids.answer if who == "bob" else ids.question

    with pytest.raises(NotFound):
        rate(chat.database, message_id=wanted, user_id=who, rating=GOOD)

    assert ratings(chat, ids) == ratings(chat, ids, who) == {}


def test_a_long_or_empty_reason_is_cut_or_left_out(chat):
    first, second = said(chat), said(chat)

    rate(chat.database, message_id=first.answer, user_id="ann", rating=Rating(rating=-1, reason="x" * 2_000))
    rate(chat.database, message_id=second.answer, user_id="ann", rating=Rating(rating=-1, reason="  "))

    assert len(ratings(chat, first)[first.answer].reason or "") == 1_000
    assert ratings(chat, second)[second.answer].reason is None
