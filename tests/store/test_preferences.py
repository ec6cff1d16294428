"""Preferences are kept per person and replaced by name."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.audit import list_audit
from core.accounts.preferences import (
    Preferences,
    density_in_force,
    load_preferences,
    load_team_defaults,
    read_preferences,
    save_preference,
    save_team_default,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def test_they_start_empty_and_belong_to_one_person(database):
    save_preference(database, user_id="ada", name="default_model", value="gpt")

    assert load_preferences(database, "ada") == {"default_model": "gpt"}
    assert load_preferences(database, "bob") == {}


def test_a_second_value_replaces_the_first(database):
    save_preference(database, user_id="ada", name="favourites", value=["a"])
    save_preference(database, user_id="ada", name="favourites", value=["a", "b"])

    assert load_preferences(database, "ada") == {"favourites": ["a", "b"]}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_any_json_comes_back(database, value):
    save_preference(database, user_id="ada", name="x", value=value)

    assert load_preferences(database, "ada").get("x") == value


def test_what_json_cannot_hold_is_refused(database):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_preference(database, user_id="ada", name="x", value=math.nan)
    assert load_preferences(database, "ada") == {}


def test_none_unsets(database):
    save_preference(database, user_id="ada", name="default_model", value="gpt")
    save_preference(database, user_id="ada", name="default_model", value=None)

    assert load_preferences(database, "ada") == {}


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({}, Preferences()),
        ({"default_model": "gpt", "fallback": "ask"}, Preferences(default_model="gpt", fallback="ask")),
        ({"favourites": ["b", "a"], "time_zone": "UTC"}, Preferences(favourites=("b", "a"), time_zone="UTC")),
        ({"default_model": 3, "favourites": "gpt", "hidden_models": [1], "fallback": "perhaps"}, Preferences()),
        ({"density": "compact"}, Preferences(density="compact")),
        ({"density": "tiny", "fallback": "compact"}, Preferences()),
        ({"default_model": "", "of a later version": {"a": 1}}, Preferences()),
    ],
    ids=["nothing", "texts", "lists", "of another kind", "a choice", "no choice of its name", "unknown names"],
)
def test_stored_values_read_as_typed_ones(stored, read):
    assert read_preferences(stored) == read


def test_the_teams_defaults_are_kept_and_audited(database):
    save_team_default(database, name="default_model", value="gpt", actor_id=None)
    save_team_default(database, name="default_model", value="gpt", actor_id=None)
    save_team_default(database, name="default_model", value=None, actor_id=None)

    assert load_team_defaults(database) == {}
    assert [(entry.subject, entry.before, entry.after) for entry in list_audit(database)] == [
        ("default_model", {"value": "gpt"}, {"value": None}),
        ("default_model", {"value": None}, {"value": "gpt"}),
    ]


@pytest.mark.parametrize(
    ("mine", "team", "in_force"),
    [
        (None, None, "comfortable"),
        (None, "compact", "compact"),
        ("comfortable", "compact", "comfortable"),
        ("compact", None, "compact"),
    ],
)
def test_ones_own_density_comes_before_the_teams(mine, team, in_force):
    assert density_in_force(Preferences(density=mine), Preferences(density=team)) == in_force
