"""How long a conversation is for a model: by the provider's word where there is one, else by our own count."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability, Prices
from core.chat.conversation import AnswerFigures, Attachment
from core.chat.history_size import CACHE_LIVES, MESSAGE_TOKENS, measure_history
from core.costs.kept_counts import KeptCounts
from tests.support.conversations import chain
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
COUNTS = KeptCounts(count=lambda text: len(text.split()))
CACHING = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))
FIGURES = AnswerFigures(
    input_tokens=2000,
    cached_input_tokens=1500,
    output_tokens=150,
    reasoning_tokens=50,
    cost_usd=Decimal(1),
    cost_code="computed",
    first_token_ms=1.0,
    duration_ms=2.0,
    tokens_per_second=3.0,
)
ASKED = model(prices=CACHING)


def history(*, figures: AnswerFigures | None = None, served: str = ASKED.id, **fields):
    """A question of 2,000 words, an answer of 100 and a question of three."""
    question, answer, again = chain("c", ("word " * 2000, "word " * 100, "and then what"), model=served, now=NOW)
    return [question, replace(answer, figures=figures, **fields), again]


def measured(messages, **options):
    return measure_history(messages, model=ASKED, counts=COUNTS, **options)


def test_without_figures_everything_is_counted_by_us() -> None:
    size = measured(history())

    assert (size.tokens, size.counted_by) == (2103 + 3 * MESSAGE_TOKENS, "us")
    assert size.cached(NOW) == (0, 0)


def test_a_system_prompt_is_part_of_what_is_sent() -> None:
    assert measured(history(), system_prompt="be brief").tokens == measured(history()).tokens + 2


def test_the_providers_figures_stand_for_everything_up_to_its_answer() -> None:
    size = measured(history(figures=FIGURES))

    assert (size.tokens, size.counted_by) == (2000 + 100 + MESSAGE_TOKENS + 3 + MESSAGE_TOKENS, "provider")
    assert (size.cached_surely, size.cached_at_best) == (1500, 2000)


@pytest.mark.parametrize("factor", [0.4, 2.0])
def test_figures_of_several_calls_are_no_count_of_this_history(factor) -> None:
    several = replace(FIGURES, input_tokens=round(2000 * factor))

    assert measured(history(figures=several)).counted_by == "us"


@pytest.mark.parametrize("messages", [history(figures=FIGURES, served="other"), history()])
def test_another_models_figures_say_nothing(messages) -> None:
    assert measured(messages).counted_by == "us"


def test_a_cache_lasts_five_minutes() -> None:
    messages = history(figures=FIGURES)
    size = measured(messages)
    until = messages[1].created_at + CACHE_LIVES

    assert size.cached(until - timedelta(seconds=1)) == (1500, 2000)
    assert size.cached(until) == (0, 0)


def test_a_model_that_keeps_no_prompts_has_nothing_cached() -> None:
    plain = replace(ASKED, prices=Prices(input=Decimal(1), output=Decimal(1)))

    size = measure_history(history(figures=FIGURES), model=plain, counts=COUNTS)

    assert (size.counted_by, size.cached_at_best) == ("provider", 0)


def test_files_count_as_the_model_reads_them() -> None:
    image = Attachment(
        name="a.png", kind="image", media_type="image/png", content_hash="0", size_bytes=9, width=512, height=512
    )
    text = Attachment(
        name="a.md", kind="text", media_type="text/markdown", content_hash="1", size_bytes=9, text_tokens=500
    )
    question, *_ = history()
    seeing = replace(ASKED, capabilities=ASKED.capabilities | {Capability.VISION})
    with_files = [replace(question, attachments=(image, text))]

    seen = measure_history(with_files, model=seeing, counts=COUNTS)

    assert seen.image_tokens > 0
    assert seen.tokens == 2000 + MESSAGE_TOKENS + 500 + seen.image_tokens
    assert measure_history(with_files, model=ASKED, counts=COUNTS).image_tokens == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 3000))
def test_no_more_is_cached_than_was_sent(sent, cached, out) -> None:
    figures = replace(FIGURES, input_tokens=sent, cached_input_tokens=cached, output_tokens=out, reasoning_tokens=0)

    size = measured(history(figures=figures))

    assert 0 <= size.cached_surely <= size.cached_at_best <= size.tokens
