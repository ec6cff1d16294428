"""What the cost pages call people and models."""

from __future__ import annotations

import pytest

from core.costs.ledger import NOBODY
from tests.support.turns import model
from ui.costs_names import Names
from ui.costs_values import labels_apart


@pytest.mark.parametrize(
    ("user_id", "name"),
    [
        ("1", "Ada"),
        (NOBODY, "Switchboard"),
        ("import:bob", "bob (imported)"),
        ("import:unknown", "unknown (imported)"),
        ("2", "Somebody who left"),
    ],
)
def test_people_whom_nobody_here_knows_keep_the_name_in_their_file(user_id, name):
    assert Names(people={"1": "Ada"}).of("person", user_id) == name


def test_models_that_share_a_label_are_told_apart_by_their_ids():
    models = {name: model(name, label=label) for name, label in (("a/m", "M"), ("b/m", "M"), ("n", "N"))}

    assert labels_apart(models) == {"a/m": "M (a/m)", "b/m": "M (b/m)", "n": "N"}
