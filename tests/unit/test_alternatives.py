"""Which models are offered to somebody whose model did not answer."""

from __future__ import annotations

from decimal import Decimal

from core.catalog.models import Prices
from core.chat.alternatives import alternatives
from tests.support.turns import model


def priced(name, dollars):
    return model(name, prices=Prices(input=Decimal(dollars), output=Decimal(dollars)))


MODELS = {spec.id: spec for spec in (priced("a", 1), priced("b", 9), priced("c", 3), priced("d", 2), priced("e", 4))}
ASKED = model("a", fallbacks=("gone", "b"))


def ids(asked, *, states=None, tried=("a",), models=MODELS):
    return [spec.id for spec in alternatives(asked, models, states=states or {}, tried=tried)]


def test_fallbacks_come_first_then_the_cheapest():
    assert ids(ASKED) == ["b", "d", "c"]


def test_what_was_tried_or_cannot_be_asked_is_not_offered():
    assert ids(ASKED, tried=("a", "b"), states={"d": "down", "c": "no_key"}) == ["e"]


def test_a_healthy_model_comes_before_a_slow_one():
    assert ids(ASKED, states={"d": "slow"}) == ["b", "c", "e"]


def test_a_model_that_is_gone_and_an_empty_registry_are_no_trouble():
    assert ids(None) == ["d", "c", "e"]
    assert ids(ASKED, models={}) == []
