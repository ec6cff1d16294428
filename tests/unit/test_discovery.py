"""What endpoints answer when asked for their models, in the shapes of the servers people run."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.discovery import Reported, discovered_model, read_list
from core.catalog.models import Prices, ProviderSpec


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"object": "list", "data": [{"id": "gpt", "object": "model"}]}, [Reported("gpt")]),
        ({"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 32768}]}, [Reported("Qwen/Qwen3-8B", 32768)]),
        ({"data": [{"id": "phi", "meta": {"n_ctx_train": 4096}}]}, [Reported("phi", 4096)]),
        ({"models": [{"name": "llama3.2:1b", "size": 1}]}, [Reported("llama3.2:1b")]),
        ({"data": []}, []),
        ({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, [Reported("a"), Reported("b")]),
        (
            {"data": [None, 3, {}, {"id": ""}, {"id": 5}, {"id": "x" * 300}, {"id": "a\nb"}, {"id": "ok"}]},
            [Reported("ok")],
        ),
        ({"data": [{"id": "a", "context_length": True, "max_model_len": -1}]}, [Reported("a")]),
    ],
)
def test_a_list_is_read(answer, expected):
    assert read_list(answer) == expected


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"data": {}}, {"error": "no"}, 3])
def test_another_shape_is_refused(answer):
    with pytest.raises(ValueError, match="list"):
        read_list(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(JSON | st.fixed_dictionaries({"id": JSON, "meta": JSON, "max_model_len": JSON}), max_size=8))
def test_no_answer_of_the_right_shape_breaks_it(entries):
    names = [reported.name for reported in read_list({"data": entries})]

    assert len(names) == len(set(names))
    assert all(name and name.isprintable() for name in names)


def test_ten_thousand_models_are_cut_to_a_thousand():
    assert len(read_list({"data": [{"id": str(number)} for number in range(10_000)]})) == 1000


def test_a_discovered_model_is_named_after_its_endpoint():
    free = Prices(input=Decimal(0), output=Decimal(0))
    provider = ProviderSpec(id="lab", kind="openai", api_base="http://127.0.0.1:1/v1", discovered_prices=free)

    model = discovered_model(provider, Reported("Qwen/Qwen3", 1000))

    assert (model.id, model.label, model.upstream) == ("lab/Qwen/Qwen3", "Qwen/Qwen3", "Qwen/Qwen3")
    assert (model.context_tokens, model.prices) == (1000, free)
