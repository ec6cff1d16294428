"""Saved line-ups: private, replaced by name, and the one in use kept between visits."""

from __future__ import annotations

import pytest

from core.arena.line_ups import Entry, delete_line_up, from_text, keep_in_use, list_line_ups, load_in_use, save_line_up
from core.errors import SwitchboardError

PAIR = [Entry(model_id="one", parameters={"temperature": 0.5, "stop": ("a", "b")}), Entry(model_id="one")]


def test_a_line_up_comes_back_as_it_was_and_only_to_its_owner(database):
    save_line_up(database, user_id="ann", name="  Cheap   ones ", entries=PAIR)

    [found] = list_line_ups(database, user_id="ann")
    assert (found.name, list(found.entries)) == ("Cheap ones", PAIR)
    assert list_line_ups(database, user_id="bob") == []


def test_the_same_name_in_any_case_replaces_it(database):
    first = save_line_up(database, user_id="ann", name="Mine", entries=PAIR)
    second = save_line_up(database, user_id="ann", name="MINE", entries=PAIR[:1])

    assert first == second
    assert [(found.name, len(found.entries)) for found in list_line_ups(database, user_id="ann")] == [("MINE", 1)]


def test_only_its_owner_deletes_it(database):
    kept = save_line_up(database, user_id="ann", name="Mine", entries=PAIR)
    delete_line_up(database, user_id="bob", line_up_id=kept)
    assert len(list_line_ups(database, user_id="ann")) == 1

    delete_line_up(database, user_id="ann", line_up_id=kept)
    assert list_line_ups(database, user_id="ann") == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_name_is_one_to_eighty_characters(database, name):
    with pytest.raises(SwitchboardError, match="name"):
        save_line_up(database, user_id="ann", name=name, entries=PAIR)


def test_the_one_in_use_is_kept_and_not_listed(database):
    assert load_in_use(database, user_id="ann") == ()
    keep_in_use(database, user_id="ann", entries=PAIR[:1])
    keep_in_use(database, user_id="ann", entries=PAIR)

    assert list(load_in_use(database, user_id="ann")) == PAIR
    assert list_line_ups(database, user_id="ann") == []


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"model_id": 3, "parameters": {}}]', '["a"]', "null"])
def test_what_is_no_line_up_reads_as_empty(text):
    assert from_text(text) == []
