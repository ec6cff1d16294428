"""Presets belong to one person, who may share them."""

from __future__ import annotations

import pytest

from core.chat.presets import delete_preset, list_presets, save_preset, share_preset
from core.errors import NotFound, SwitchboardError
from tests.support.people import add_person


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada").id


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob").id


def names(database, user_id):
    return [preset.name for preset in list_presets(database, user_id=user_id)]


def test_a_preset_comes_back_as_it_was_saved(database, ada):
    values = {
        "system_prompt": "Answer\nin German.",
        "temperature": 0.2,
        "stop": ("a", "b"),
        "json_mode": True,
        "seed": 3,
    }
    made = save_preset(database, owner_id=ada, name="  German \n reply ", model_id="gpt", parameters=values)

    (preset,) = list_presets(database, user_id=ada)

    assert (preset.id, preset.name, preset.model_id, preset.own, preset.shared) == (
        made,
        "German reply",
        "gpt",
        True,
        False,
    )
    assert preset.parameters == values
    assert preset.owner_name == "Ada"


def test_only_shared_presets_are_seen_by_others_and_ones_own_come_first(database, ada, bob):
    private = save_preset(database, owner_id=ada, name="Private", model_id=None, parameters={})
    save_preset(database, owner_id=ada, name="A shared one", model_id=None, parameters={}, shared=True)
    save_preset(database, owner_id=bob, name="My own", model_id=None, parameters={})

    assert names(database, bob) == ["My own", "A shared one"]
    share_preset(database, owner_id=ada, preset_id=private, shared=True)
    assert names(database, bob) == ["My own", "A shared one", "Private"]
    assert [preset.own for preset in list_presets(database, user_id=bob)] == [True, False, False]


def test_the_same_name_replaces_ones_own_and_nobody_elses(database, ada, bob):
    first = save_preset(database, owner_id=ada, name="Reply", model_id=None, parameters={"seed": 1})
    again = save_preset(database, owner_id=ada, name="REPLY", model_id=None, parameters={"seed": 2})
    save_preset(database, owner_id=bob, name="Reply", model_id=None, parameters={"seed": 3})

    assert first == again
    assert [preset.parameters for preset in list_presets(database, user_id=ada)] == [{"seed": 2}]


def test_nobody_changes_or_deletes_what_another_one_shares(database, ada, bob):
    shared = save_preset(database, owner_id=ada, name="Shared", model_id=None, parameters={}, shared=True)

    with pytest.raises(NotFound):
        delete_preset(database, owner_id=bob, preset_id=shared)
    with pytest.raises(NotFound):
        share_preset(database, owner_id=bob, preset_id=shared, shared=False)
    assert names(database, bob) == ["Shared"]

    delete_preset(database, owner_id=ada, preset_id=shared)
    assert names(database, bob) == []


@pytest.mark.parametrize("name", ["", " \n ", "x" * 81])
def test_a_name_is_needed_and_short(database, ada, name):
    with pytest.raises(SwitchboardError):
        save_preset(database, owner_id=ada, name=name, model_id=None, parameters={})
    assert names(database, ada) == []
