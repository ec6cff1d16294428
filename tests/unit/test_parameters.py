"""What a model accepts, which value is in force, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.effective import Effective, Layers, legal_parameters, resolve
from core.catalog.models import Capability, ModelSpec, ProviderSpec
from core.catalog.parameters import OURS, SYSTEM_PROMPT, accepted_parameters
from core.catalog.registry import load_registry
from core.errors import TurnRefused
from core.providers.litellm_gateway import load_litellm
from tests.support.live_server import ROOT
from tests.support.turns import model

SHIPPED = load_registry(ROOT / "data" / "models.yaml").models
REASONING = frozenset({Capability.REASONING, Capability.JSON})
VALUES = st.one_of(
    st.booleans(),
    st.integers(-5, 200_000),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=6).map(tuple),
    st.sampled_from(["low", "none", "max"]),
)
NAMES = st.sampled_from(["temperature", "top_p", "max_tokens", "stop", "seed", "json_mode", "verbosity", "api_base"])
LAYER = st.dictionaries(NAMES, VALUES, max_size=4)


def spec_of(kind: str, upstream: str = "m", **changes) -> ModelSpec:
    return model("m", provider=ProviderSpec(id=kind, kind=kind), upstream=upstream, **changes)


def names(found: ModelSpec, **price_map) -> set[str]:
    return {spec.name for spec in accepted_parameters(found, price_map=price_map)} - OURS


@pytest.mark.slow
@pytest.mark.parametrize("model_id", SHIPPED)
def test_litellm_supports_what_is_offered_for_every_model_that_ships(model_id):
    found = SHIPPED[model_id]
    kind = "openai" if found.provider.kind == "local" else found.provider.kind

    supported = load_litellm().get_supported_openai_params(model=found.upstream, custom_llm_provider=kind)

    sent = {"response_format" if spec.name == "json_mode" else spec.name for spec in accepted_parameters(found)}
    assert sent - OURS <= set(supported)
    assert "max_tokens" in sent


@pytest.mark.parametrize(
    ("kind", "fields", "capabilities", "has", "has_not"),
    [
        ("openai", {}, (), {"temperature", "seed", "presence_penalty"}, {"reasoning_effort", "json_mode"}),
        ("openai", {}, REASONING, {"reasoning_effort", "json_mode"}, {"temperature", "top_p", "stop"}),
        ("openai", {"supports_none_reasoning_effort": True}, REASONING, {"temperature", "top_p"}, {"presence_penalty"}),
        ("anthropic", {}, REASONING, {"temperature", "reasoning_effort"}, {"seed", "json_mode", "presence_penalty"}),
        ("anthropic", {"supports_sampling_params": False}, (), {"max_tokens", "stop"}, {"temperature", "top_p"}),
        ("deepseek", {}, REASONING, {"reasoning_effort", "stop"}, {"temperature", "presence_penalty"}),
        ("xai", {}, (), {"stop", "presence_penalty"}, {"reasoning_effort"}),
        ("xai", {}, REASONING, {"temperature"}, {"stop", "presence_penalty"}),
        ("groq", {}, REASONING, {"temperature"}, {"reasoning_effort", "presence_penalty"}),
        ("somebody_else", {}, (), {"temperature", "top_p", "max_tokens", "stop"}, {"seed"}),
    ],
)
def test_what_is_offered_follows_the_wire_format_and_the_map(kind, fields, capabilities, has, has_not):
    found = spec_of(kind, capabilities=frozenset(capabilities))

    offered = names(found, m={"litellm_provider": kind, **fields})

    assert has <= offered
    assert not has_not & offered


def test_an_endpoint_of_ones_own_is_not_looked_up_by_name():
    own = model("m", provider=ProviderSpec(id="gateway", kind="openai"), upstream="m")

    assert "temperature" in names(own, m={"litellm_provider": "openai", "supports_sampling_params": False})


@pytest.mark.parametrize(
    ("fields", "levels"),
    [
        ({}, ("low", "medium", "high")),
        ({"supports_none_reasoning_effort": True, "supports_low_reasoning_effort": False}, ("none", "medium", "high")),
        ({"reasoning_effort_levels": ["max", "low"]}, ("low", "max")),
    ],
)
def test_reasoning_efforts_are_those_of_the_map(fields, levels):
    found = spec_of("openai", capabilities=REASONING)
    by_name = {
        spec.name: spec
        for spec in accepted_parameters(found, price_map={"m": {"litellm_provider": "openai", **fields}})
    }

    assert by_name["reasoning_effort"].choices == levels


def test_the_longest_answer_is_the_models_own_limit():
    limits = {
        spec.name: spec.maximum for spec in accepted_parameters(spec_of("openai", max_output_tokens=99), price_map={})
    }

    assert limits["max_tokens"] == 99


def test_the_strongest_place_wins_and_is_named():
    layers = Layers(
        team={"temperature": 0.1, "top_p": 0.5, "seed": 1},
        mine={"temperature": 0.2, "top_p": 0.6},
        conversation={"temperature": 0.3},
    )

    found = resolve(model(parameters={"temperature": 0.0, "max_tokens": 9}, system_prompt="Be brief."), layers)

    assert found.problems == {}
    assert found.values == {
        SYSTEM_PROMPT: Effective("Be brief.", "model"),
        "max_tokens": Effective(9, "model"),
        "seed": Effective(1, "team"),
        "top_p": Effective(0.6, "mine"),
        "temperature": Effective(0.3, "conversation"),
    }
    assert found.chosen() == {"seed": 1, "top_p": 0.6, "temperature": 0.3}


@given(team=LAYER, mine=LAYER, conversation=LAYER)
def test_nothing_set_is_dropped_and_nothing_illegal_is_sent(team, mine, conversation):
    spec = model(parameters={"top_k": 5}, max_output_tokens=1000)
    merged = {**team, **mine, **conversation}

    found = resolve(spec, Layers(team=team, mine=mine, conversation=conversation))

    assert set(found.values) == {"top_k", *merged}
    assert found.chosen().keys() == merged.keys()
    for name, effective in found.values.items():
        layer = {"model": spec.parameters, "team": team, "mine": mine, "conversation": conversation}[effective.origin]
        assert layer[name] is effective.value
    assert {"api_base", "verbosity"} & set(merged) <= set(found.problems)
    if found.problems:
        with pytest.raises(TurnRefused):
            legal_parameters(spec, merged)
        return
    sent = legal_parameters(spec, merged)
    assert sent == {"top_k": 5, **merged}
    assert 0 <= sent.get("temperature", 0) <= 2
    assert 1 <= sent.get("max_tokens", 1) <= 1000


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("temperature", 3, "GPT takes a number from 0 to 2 as temperature, not 3."),
        ("temperature", True, "not yes"),
        ("temperature", float("nan"), "not nan"),
        ("max_tokens", 0, "GPT takes a whole number from 1 as longest answer, not 0."),
        ("max_tokens", 1.5, "a whole number from 1"),
        ("stop", (), "GPT takes one to 4 texts as stop at, not 0 texts."),
        ("stop", ("a", ""), "one to 4 texts"),
        ("stop", ("a",) * 5, "not 5 texts"),
        ("json_mode", True, "GPT takes no json only."),
        ("api_base", "http://elsewhere", "GPT takes no api_base."),
        (SYSTEM_PROMPT, 3, "takes text as system prompt"),
    ],
)
def test_an_illegal_value_is_refused_in_a_sentence(name, value, says):
    with pytest.raises(TurnRefused) as refused:
        legal_parameters(model(), {name: value})

    assert says in str(refused.value)
    assert "Your message is kept" in refused.value.next_step


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("anthropic", {"temperature": 1.0, "top_p": 0.5}, "a temperature or a top p, not both"),
        ("anthropic", {"temperature": 1.0, "reasoning_effort": "low"}, "no temperature together with a reasoning"),
        ("openai", {"temperature": 1.0}, "unless its reasoning effort is none"),
        ("openai", {"top_p": 0.5, "reasoning_effort": "low"}, "no top p unless"),
        ("openai", {"temperature": 1.0, "reasoning_effort": "none"}, None),
        ("anthropic", {"top_p": 0.5}, None),
        ("gemini", {"temperature": 1.0, "top_p": 0.5, "reasoning_effort": "low"}, None),
    ],
)
def test_values_that_do_not_go_together_are_refused(kind, values, says):
    found = spec_of(kind, capabilities=REASONING)
    known = {"m": {"litellm_provider": kind, "supports_none_reasoning_effort": True}}

    resolution = resolve(found, Layers(conversation=values), price_map=known)

    assert list(resolution.problems.values()) == [] if says is None else says in str(resolution.problems)


def test_the_registry_entrys_own_values_are_the_administrators_business():
    entry = model(parameters={"repetition_penalty": 9.0, "temperature": 7.0})

    assert legal_parameters(entry, {}) == {"repetition_penalty": 9.0, "temperature": 7.0}
    assert legal_parameters(entry, {"temperature": 1.0}) == {"repetition_penalty": 9.0, "temperature": 1.0}
