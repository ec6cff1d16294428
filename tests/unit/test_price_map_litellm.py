"""Our arithmetic beside LiteLLM's own, for every model of its map whose price depends on the length of the input."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.catalog.price_map import find_facts, installed_map
from core.costs.pricing import compute_cost
from core.providers.events import Usage
from core.providers.litellm_gateway import load_litellm

# Perplexity passes on other makers' models. LiteLLM's calculator for it knows no tiers and no cached input, though its
# map has both; and it counts reasoning beside the output, which our gateway has added to it by then.
SHORT_AND_PLAIN_ONLY = "perplexity"


def is_tiered(entry):
    """Either form: fields such as input_cost_per_token_above_200k_tokens, or a table of token ranges."""
    fields = any(field.startswith("input_cost_per_token_above_") and field.endswith("_tokens") for field in entry)
    return fields or any({"range", "input_cost_per_token"} <= row.keys() for row in entry.get("tiered_pricing", ()))


TIERED = {name: entry for name, entry in installed_map().items() if is_tiered(entry)}


def prices_of(name):
    provider = TIERED[name]["litellm_provider"]
    return find_facts(installed_map(), kind=provider, upstream=name.removeprefix(f"{provider}/")).prices


def usages(above_tokens):
    """Calls below, at, just above and far above a tier's beginning, with and without a cache and reasoning."""
    for tokens in (1000, above_tokens, above_tokens + 1, 2 * above_tokens):
        yield Usage(input_tokens=tokens, output_tokens=100)
        for written in (0, tokens // 4):
            yield Usage(
                input_tokens=tokens,
                output_tokens=100,
                cached_input_tokens=tokens // 2,
                cache_write_tokens=written,
                reasoning_tokens=30,
            )


def litellm_cost(litellm, name, usage):
    block = litellm.Usage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details={
            "cached_tokens": usage.cached_input_tokens,
            "cache_creation_tokens": usage.cache_write_tokens,
        },
        completion_tokens_details={"reasoning_tokens": usage.reasoning_tokens},
    )
    provider = TIERED[name]["litellm_provider"]
    return sum(litellm.cost_per_token(model=name, custom_llm_provider=provider, usage_object=block))


def test_the_map_has_tiers_of_both_forms():
    assert len(TIERED) > 200
    assert {"dashscope/qwen-flash", "gpt-6-astra"} <= TIERED.keys()


@pytest.mark.parametrize("name", TIERED)
def test_every_tiered_price_gives_what_litellm_computes(name):
    litellm, prices = load_litellm(), prices_of(name)
    short_and_plain_only = TIERED[name]["litellm_provider"] == SHORT_AND_PLAIN_ONLY

    assert prices.tiers
    for tier in prices.tiers:
        compared = list(usages(tier.above_tokens))
        for usage in compared[:1] if short_and_plain_only else compared:
            # Theirs are floats.
            difference = compute_cost(usage, prices) - Decimal(litellm_cost(litellm, name, usage))
            assert abs(difference) < Decimal("1e-8"), usage
