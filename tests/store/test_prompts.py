"""Prompts belong to one person, who may share them; their variables are filled in once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.own_data import delete_data, export_data
from core.chat.prompts import delete_prompt, fill, list_prompts, save_prompt, share_prompt, variables
from core.errors import NotFound, SwitchboardError
from tests.support.people import add_person


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


def names(database, user):
    return [prompt.name for prompt in list_prompts(database, user_id=user.id)]


def test_a_prompt_comes_back_as_it_was_saved(database, ada):
    save_prompt(database, owner_id=ada.id, name="  Summary \n", body=" Sum up {{text}}\r\nin {{ language }}. ")

    (prompt,) = list_prompts(database, user_id=ada.id)

    assert (prompt.name, prompt.body) == ("Summary", "Sum up {{text}}\nin {{ language }}.")
    assert (prompt.own, prompt.shared, prompt.owner_name) == (True, False, "Ada")


def test_only_shared_prompts_are_seen_by_others_and_ones_own_come_first(database, ada, bob):
    private = save_prompt(database, owner_id=ada.id, name="Private", body="x")
    save_prompt(database, owner_id=ada.id, name="A shared one", body="x", shared=True)
    save_prompt(database, owner_id=bob.id, name="My own", body="x")

    assert names(database, bob) == ["My own", "A shared one"]
    share_prompt(database, owner_id=ada.id, prompt_id=private, shared=True)
    assert names(database, bob) == ["My own", "A shared one", "Private"]
    for change in (
        lambda: share_prompt(database, owner_id=bob.id, prompt_id=private, shared=False),
        lambda: delete_prompt(database, owner_id=bob.id, prompt_id=private),
    ):
        with pytest.raises(NotFound):
            change()
    delete_prompt(database, owner_id=ada.id, prompt_id=private)
    assert names(database, ada) == ["A shared one"]


def test_the_same_name_replaces_ones_own_and_nobody_elses(database, ada, bob):
    first = save_prompt(database, owner_id=ada.id, name="Reply", body="one")
    assert save_prompt(database, owner_id=ada.id, name="REPLY", body="two", shared=True) == first
    save_prompt(database, owner_id=bob.id, name="Reply", body="three")

    assert [prompt.body for prompt in list_prompts(database, user_id=ada.id)] == ["two"]


@pytest.mark.parametrize(("name", "body"), [("", "x"), (" \n", "x"), ("x" * 81, "x"), ("x", " "), ("x", "y" * 20_001)])
def test_name_and_text_are_needed_and_bounded(database, ada, name, body):
    with pytest.raises(SwitchboardError, match="A prompt"):
        save_prompt(database, owner_id=ada.id, name=name, body=body)
    assert names(database, ada) == []


def test_prompts_are_exported_and_deleted_with_ones_data(database, ada):
    save_prompt(database, owner_id=ada.id, name="Mine", body="Hidden words")
    assert b"Hidden words" in export_data(database, ada)

    delete_data(database, ada)

    assert database.fetch_all("select * from prompts") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("No variables", ()),
        ("{{a}} and {{ b c }} and {{a}}", ("a", "b c")),
        ("{{}} {{ }} {a} {{a\nb}} {{{c}}}", ("c",)),
        ("{{größe}}", ("größe",)),
    ],
)
def test_variables_are_found_once_each_in_order(body, expected):
    assert variables(body) == expected


def test_what_is_filled_in_is_not_filled_in_again():
    assert fill("{{a}} {{b}} {{c}}", {"a": "{{b}}", "b": "\\1"}) == "{{b}} \\1 {{c}}"


@given(body=st.text(alphabet="{} ab\n", max_size=40))
def test_only_variables_change_when_a_prompt_is_filled_in(body):
    found = variables(body)

    assert fill(body, {}) == body
    assert (fill(body, dict.fromkeys(found, "filled")) == body) == (not found)
