"""Chips, search text and order of the models."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.health import ModelStatus
from core.catalog.models import Capability, ModelSpec, Prices, ProviderSpec
from ui.model_filter import all_chips, by_provider, chips_of, is_fast, recommended, rivals, search_text

USE_CASES = ("coding", "writing", "fast")
STATES = ("healthy", "unknown", "slow", "starting", "down", "no_key")

prices = st.none() | st.builds(
    lambda input_usd, output_usd: Prices(input=Decimal(input_usd), output=Decimal(output_usd)),
    st.sampled_from(["0", "0.25", "3"]),
    st.sampled_from(["0", "2", "15"]),
)
models = st.lists(
    st.builds(
        ModelSpec,
        id=st.text("abc-.:/019", min_size=1, max_size=8),
        label=st.text(min_size=1, max_size=12),
        provider=st.sampled_from([ProviderSpec(id=name, kind="openai") for name in ("openai", "team-vllm", "groq")]),
        upstream=st.just("x"),
        prices=prices,
        use_cases=st.lists(st.sampled_from(USE_CASES), unique=True).map(tuple),
        capabilities=st.frozensets(st.sampled_from(Capability)),
    ),
    unique_by=lambda model: model.id,
    max_size=12,
).map(lambda found: {model.id: model for model in found})
states = st.lists(st.sampled_from(STATES), min_size=12, max_size=12)


def model(model_id: str = "m", **fields) -> ModelSpec:
    provider = ProviderSpec(id=fields.pop("provider", "openai"), kind="openai")
    return ModelSpec(**{"id": model_id, "label": model_id.title(), "provider": provider, "upstream": "x", **fields})


def costing(input_usd: str, output_usd: str) -> Prices:
    return Prices(input=Decimal(input_usd), output=Decimal(output_usd))


@given(models)
def test_every_model_is_listed_once_and_those_of_a_provider_are_together(found):
    listed = by_provider(found)

    assert sorted(item.id for item in listed) == sorted(found)
    providers = [item.provider.id for item in listed]
    changes = sum(left != right for left, right in itertools.pairwise(providers))
    assert changes == max(0, len(set(providers)) - 1)


@given(models)
def test_the_order_within_a_provider_is_the_registrys(found):
    places = list(found)
    listed = [item.id for item in by_provider(found)]

    for provider in {item.provider.id for item in found.values()}:
        own = [name for name in listed if found[name].provider.id == provider]
        assert own == sorted(own, key=places.index)


@given(models)
def test_a_model_is_found_by_id_label_provider_and_use_case(found):
    for item in found.values():
        text = search_text(item)
        assert all(word in text for word in (item.id, item.label, item.provider.id, *item.use_cases))


@given(models)
def test_every_chip_is_unique_and_all_but_those_of_a_price_find_something(found):
    chips = all_chips(found)
    carried = frozenset().union(*(chips_of(item) for item in found.values()))

    assert len({chip.id for chip in chips}) == len(chips)
    assert {chip.id for chip in chips if chip.group != "price"} == carried - {"free", "cheap"}


@given(models, states)
def test_recommended_are_the_models_named_for_it_the_callable_and_the_cheaper_first(found, drawn):
    statuses = {name: ModelStatus(state, "") for name, state in zip(found, drawn, strict=False)}
    names = recommended(found, statuses, "coding", limit=100)

    assert sorted(names) == sorted(name for name, item in found.items() if "coding" in item.use_cases)
    placed = [STATES.index(statuses[name].state) for name in names]
    assert placed == sorted(placed)


def test_among_equals_the_registry_decides_and_the_limit_cuts():
    same = {name: model(name, use_cases=("coding",), prices=costing("1", "2")) for name in ("b", "c", "a")}
    statuses = dict.fromkeys(same, ModelStatus("healthy", "healthy"))

    assert recommended(same, statuses, "coding", limit=2) == ["b", "c"]


def test_an_unpriced_model_comes_after_priced_ones():
    found = {"unpriced": model("unpriced", use_cases=("coding",))}
    found["dear"] = model("dear", use_cases=("coding",), prices=costing("15", "75"))
    statuses = dict.fromkeys(found, ModelStatus("healthy", "healthy"))

    assert recommended(found, statuses, "coding") == ["dear", "unpriced"]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (None, set()),
        (costing("0", "0"), {"free", "cheap"}),
        (costing("0.25", "2.00"), {"cheap"}),
        (costing("0.80", "1.60"), {"cheap"}),
        (costing("3", "15"), set()),
    ],
)
def test_free_and_cheap_follow_from_the_price(price, expected):
    assert chips_of(model(prices=price)) & {"free", "cheap"} == expected


@pytest.mark.parametrize(
    ("first_token_ms", "use_cases", "expected"),
    [(500, (), True), (501, ("fast",), False), (None, ("fast",), True), (None, (), False)],
)
def test_fast_is_what_was_measured_else_what_the_registry_says(first_token_ms, use_cases, expected):
    status = ModelStatus("healthy", "healthy", first_token_ms)

    assert is_fast(model(use_cases=use_cases), status) is expected


def test_rivals_are_the_best_for_the_use_case_then_those_asked_instead():
    found = {
        "one": model("one", use_cases=("writing", "coding"), fallbacks=("spare",)),
        "two": model("two", use_cases=("coding",)),
        "three": model("three", use_cases=("writing",)),
        "spare": model("spare"),
    }
    statuses = dict.fromkeys(found, ModelStatus("unknown", "not tried lately"))

    assert rivals(found["one"], found, statuses, use_case="coding") == ["two", "spare"]
    assert rivals(found["one"], found, statuses, use_case=None) == ["three", "spare"]
    assert rivals(found["two"], {"two": found["two"]}, statuses, use_case="fast") == []


@given(models, states)
def test_a_model_is_never_its_own_rival(found, given_states):
    statuses = {name: ModelStatus(state, "") for name, state in zip(found, given_states, strict=False)}
    for spec in found.values():
        others = rivals(spec, found, statuses, use_case="coding")
        assert spec.id not in others
        assert len(others) == len(set(others)) <= 2
