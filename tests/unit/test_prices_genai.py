"""Our prices and arithmetic beside `genai-prices`, whose tables and calculator are other people's work.

Ours come from LiteLLM's map. Every model that both know is compared bucket by bucket; where they disagree the reason
stands below, and a disagreement without one fails. Where they agree, random usages have to cost the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog.price_map import find_facts, installed_map
from core.costs.pricing import compute_cost
from core.providers.events import Usage

# LiteLLM's name of a provider, and theirs.
SAME = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "xai": "x-ai",
    "groq": "groq",
    "together_ai": "together",
    "cohere_chat": "cohere",
    "moonshot": "moonshotai",
    "perplexity": "perplexity",
    "cerebras": "cerebras",
    "zai": "zai",
    "minimax": "minimax",
}
# A Wednesday at noon: prices depend on the hour at some providers.
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SHORT, LONG = 1_000, 300_000

PROBES = {
    "input": Usage(input_tokens=SHORT, output_tokens=0),
    "output": Usage(input_tokens=0, output_tokens=SHORT),
    "cached input": Usage(input_tokens=SHORT, output_tokens=0, cached_input_tokens=SHORT),
    "cache write": Usage(input_tokens=SHORT, output_tokens=0, cache_write_tokens=SHORT),
    "cache write, 1 h": Usage(
        input_tokens=SHORT, output_tokens=0, cache_write_tokens=SHORT, cache_write_1h_tokens=SHORT
    ),
    "audio in": Usage(input_tokens=SHORT, output_tokens=0, audio_tokens=SHORT),
    "audio out": Usage(input_tokens=0, output_tokens=SHORT, audio_output_tokens=SHORT),
    "reasoning": Usage(input_tokens=0, output_tokens=SHORT, reasoning_tokens=SHORT),
    "long input": Usage(input_tokens=LONG, output_tokens=0),
}
EVERYTHING = frozenset(PROBES)


@dataclass(frozen=True)
class Disagreement:
    """In which buckets, and why."""

    buckets: frozenset[str]
    reason: str


def only(*buckets: str, why: str) -> Disagreement:
    """A disagreement in these buckets."""
    return Disagreement(frozenset(buckets), why)


def every(why: str) -> Disagreement:
    """A disagreement in every bucket."""
    return Disagreement(EVERYTHING, why)


PER_REQUEST = every(
    "They add 12 to 16 dollars per 1,000 requests. LiteLLM lists that apart, by the size of the search "
    "(search_context_cost_per_query), and our prices do not have it: Perplexity says what it bills, which comes first."
)
TOGETHER = every("The two name different prices of Together's list; LiteLLM names its page as the source.")
OFF_PEAK_OF_2025 = every(
    "They have the prices of before V3.2 (September 2025), with the night discount that ended then; LiteLLM has "
    "V3.2's. The name retired in July 2026."
)
DISAGREEMENTS = {
    ("anthropic", "claude-sonnet-4-5"): only(
        "long input",
        why="They keep the prices above 200,000 tokens of a beta that ended in April 2026: such a call is refused now.",
    ),
    ("deepseek", "deepseek-chat"): OFF_PEAK_OF_2025,
    ("deepseek", "deepseek-reasoner"): OFF_PEAK_OF_2025,
    ("deepseek", "deepseek-v3.2"): every("They list 0.2288 and 0.3432 dollars, LiteLLM DeepSeek's 0.28 and 0.40."),
    ("groq", "openai/gpt-oss-safeguard-20b"): only("cached input", why="LiteLLM lists 0.037, they the half of 0.075."),
    ("mistral", "mistral-large-4"): every(
        "LiteLLM has the price of its launch, 0.68 and 2.09; since 29 October 2026 Mistral lists 0.70 and 2.10."
    ),
    ("mistral", "mistral-tiny"): only("cached input", why="They have no price of cached input; LiteLLM has a tenth."),
    ("moonshot", "kimi-k3"): only(
        "cache write, 1 h", why="Listed since 15 October 2026 at twice the input; LiteLLM does not have it yet."
    ),
    ("openai", "gpt-4o-search-preview"): only(
        "cached input", why="They have no price of cached input; LiteLLM has the half that GPT-4o has."
    ),
    ("openai", "gpt-5.6-cyber"): only(
        "long input", why="LiteLLM doubles it above 272,000 tokens as for its family; OpenAI's page has no such price."
    ),
    ("perplexity", "sonar"): PER_REQUEST,
    ("perplexity", "sonar-pro"): PER_REQUEST,
    ("perplexity", "sonar-reasoning"): PER_REQUEST,
    ("perplexity", "sonar-reasoning-pro"): PER_REQUEST,
    ("together_ai", "NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO"): TOGETHER,
    ("together_ai", "Qwen/Qwen3.7-Max"): TOGETHER,
    ("together_ai", "Qwen/Qwen3.8-2.4T-A95B"): only(
        "cached input", why="LiteLLM has half of what they have for input from the cache."
    ),
    ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"): TOGETHER,
    ("together_ai", "mistralai/Mixtral-8x7B-Instruct-v0.1"): TOGETHER,
    ("xai", "grok-code-fast-1"): every(
        "They have xAI's first price, 0.20 and 1.50; its list, which LiteLLM names, says 1 and 2, and twice above 200k."
    ),
}


@dataclass(frozen=True)
class Compared:
    """A model that both know, with our prices at noon."""

    kind: str
    name: str

    @property
    def prices(self):
        """Ours."""
        found = find_facts(installed_map(), kind=self.kind, upstream=self.name).prices
        return found.on(NOON.replace(tzinfo=None))

    def ours(self, usage: Usage) -> Decimal:
        """What we make of it."""
        return compute_cost(usage, self.prices)

    def theirs(self, usage: Usage) -> Decimal:
        """What they make of it."""
        counts = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "cache_write_1h_tokens": usage.cache_write_1h_tokens,
            "input_audio_tokens": usage.audio_tokens,
            "output_audio_tokens": usage.audio_output_tokens,
            "output_reasoning_tokens": usage.reasoning_tokens,
        }
        given_counts = {
            name: count for name, count in counts.items() if count or name in {"input_tokens", "output_tokens"}
        }
        if usage.audio_tokens and usage.cached_input_tokens:
            # Each of our tokens is in one bucket; unless it is said that none is in both, they refuse to guess.
            given_counts["cache_audio_read_tokens"] = 0
        return genai_prices.calc_price(
            genai_prices.Usage(**given_counts),
            model_ref=self.name,
            provider_id=SAME[self.kind],
            genai_request_timestamp=NOON,
        ).total_price

    def agree(self, usage: Usage) -> bool:
        """Whether both come to the same: ours is rounded to a billionth of a dollar."""
        return abs(self.ours(usage) - self.theirs(usage)) <= Decimal("0.0000000005")

    @property
    def disagreement(self) -> Disagreement:
        """What is known to differ."""
        return DISAGREEMENTS.get((self.kind, self.name), Disagreement(frozenset(), ""))


def _both_know():
    theirs = {provider.id: {model.id for model in provider.models} for provider in providers}
    for name, entry in installed_map().items():
        kind = entry.get("litellm_provider")
        upstream = name.removeprefix(f"{kind}/")
        known = kind in SAME and entry.get("mode") == "chat" and upstream in theirs[SAME[kind]]
        if known and find_facts(installed_map(), kind=kind, upstream=upstream).prices is not None:
            yield Compared(kind, upstream)


COMPARED = sorted(set(_both_know()), key=lambda found: (found.kind, found.name))


def test_enough_models_are_compared():
    assert len(COMPARED) >= 50
    assert len({found.kind for found in COMPARED}) >= 10
    assert {(found.kind, found.name) for found in COMPARED} >= DISAGREEMENTS.keys()


@pytest.mark.parametrize("model", COMPARED, ids=lambda model: f"{model.kind}/{model.name}")
def test_every_bucket_costs_the_same_or_the_reason_is_known(model):
    differing = {bucket for bucket, usage in PROBES.items() if not model.agree(usage)}

    assert differing == model.disagreement.buckets


TOKENS = st.integers(0, 40_000)
AGREEING = [model for model in COMPARED if not model.disagreement.buckets]


@st.composite
def usages(draw):
    """Any usage: short or long, with a cache, reasoning and audio, each token in one bucket."""
    cached, written, for_an_hour, plain, heard = (draw(TOKENS) for _ in range(5))
    more = draw(st.sampled_from([0, 0, LONG]))
    reasoning, said, spoken = (draw(TOKENS) for _ in range(3))
    return Usage(
        input_tokens=cached + written + for_an_hour + plain + heard + more,
        output_tokens=reasoning + said + spoken,
        cached_input_tokens=cached,
        cache_write_tokens=written + for_an_hour,
        cache_write_1h_tokens=for_an_hour,
        reasoning_tokens=reasoning,
        audio_tokens=heard,
        audio_output_tokens=spoken,
    )


@settings(max_examples=400, deadline=None)
@given(model=st.sampled_from(AGREEING), usage=usages())
def test_random_usages_cost_the_same(model, usage):
    assert model.agree(usage), (model, usage, model.ours(usage), model.theirs(usage))
