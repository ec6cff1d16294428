"""Parameters are kept per conversation, per person and model, and for the team."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.accounts.audit import list_audit
from core.catalog.effective import Layers
from core.chat.kept_parameters import (
    from_json,
    keep_for_conversation,
    keep_for_model,
    keep_for_team,
    load_layers,
    to_json,
)
from core.chat.store import insert_conversation
from core.clock import utc_now

VALUES = st.dictionaries(
    st.text(max_size=5),
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    # A list with one kind of items: what a parameter may hold.
    | st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=5), max_size=3).map(tuple),
    max_size=4,
)


def start(database, conversation_id="c", user_id="ada"):
    database.transaction(
        lambda cur: insert_conversation(
            cur, conversation_id=conversation_id, user_id=user_id, first_text="Hi", model_id="gpt", now=utc_now()
        )
    )


def layers(database, user_id="ada", model_id="gpt", conversation_id="c"):
    return load_layers(database, user_id=user_id, model_id=model_id, conversation_id=conversation_id)


def test_every_place_is_read_for_the_model_and_the_conversation(database):
    start(database)
    keep_for_team(database, model_id="gpt", values={"seed": 1}, actor_id="root")
    keep_for_model(database, user_id="ada", model_id="gpt", values={"temperature": 0.5})
    keep_for_conversation(database, user_id="ada", conversation_id="c", values={"stop": ("a",)})

    assert layers(database) == Layers(team={"seed": 1}, mine={"temperature": 0.5}, conversation={"stop": ("a",)})
    assert layers(database, model_id="other") == Layers(conversation={"stop": ("a",)})
    assert layers(database, conversation_id=None) == Layers(team={"seed": 1}, mine={"temperature": 0.5})
    assert layers(database, user_id="bob") == Layers(team={"seed": 1})


def test_nobody_sets_the_parameters_of_a_conversation_of_somebody_else(database):
    start(database)

    keep_for_conversation(database, user_id="bob", conversation_id="c", values={"seed": 1})
    keep_for_conversation(database, user_id="bob", conversation_id="never made", values={"seed": 1})

    assert database.fetch_all("select * from conversation_parameters") == []


def test_a_second_time_replaces_and_nothing_clears(database):
    start(database)
    for values in ({"seed": 1}, {"seed": 2}, {}):
        keep_for_conversation(database, user_id="ada", conversation_id="c", values=values)
        keep_for_model(database, user_id="ada", model_id="gpt", values=values)
        keep_for_team(database, model_id="gpt", values=values, actor_id="root")
        assert layers(database) == Layers(team=values, mine=values, conversation=values)
    assert [entry.action for entry in list_audit(database)] == ["team.default"] * 3


@given(VALUES)
def test_values_come_back_as_they_were_but_for_control_characters(values):
    cleaned = from_json(to_json(values))

    assert cleaned.keys() == values.keys()
    assert from_json(to_json(cleaned)) == cleaned
    assert {name: value for name, value in cleaned.items() if not isinstance(value, str)} == {
        name: value for name, value in values.items() if not isinstance(value, str)
    }
