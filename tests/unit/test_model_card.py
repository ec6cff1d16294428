"""What the card says about a model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal

import pytest

from core.catalog.health import Calls, Figures, Headroom, ModelStatus, Percentiles
from core.catalog.models import Capability, Hours, ModelSpec, OffPeak, Prices, ProviderSpec
from core.costs.model_figures import ModelFigures
from ui.model_card import facts, known_facts, measured, month_line, price_line

UNKNOWN = ModelStatus("unknown", "not tried lately")
TIERED = Prices(
    input=Decimal("2.5"), output=Decimal(15), cached_input=Decimal("0.25"), request=Decimal("0.005")
).with_tier(199_999, input=Decimal(5), output=Decimal("22.5"), cache_write=Decimal(6))


def _model(**fields) -> ModelSpec:
    provider = ProviderSpec(id="openai", kind="openai")
    return ModelSpec(**{"id": "m", "label": "M", "provider": provider, "upstream": "x", **fields})


def _known(spec: ModelSpec, status: ModelStatus = UNKNOWN, **labels: str) -> dict[str, str | None]:
    return known_facts(spec, status, ModelFigures(), labels, zone=UTC)


def test_an_unknown_model_shows_no_figure_that_nobody_knows():
    known = _known(_model())

    assert known["Input"] == known["Output"] == "unpriced"
    assert known["Context window"] is known["Longest answer"] is known["First token, 24 h"] is None
    assert known["Left this minute"] is known["Prices from"] is None
    assert known["Cost me this month"] == "not used"


def test_every_bucket_with_a_price_of_its_own_is_shown():
    prices = Prices(input=Decimal("0.25"), output=Decimal(2), cached_input=Decimal("0.0000004"))
    known = _known(_model(prices=prices, capabilities=frozenset({Capability.PDF})))

    assert known["Input"] == "$0.25 per million"
    assert known["Cached input"] == "$0.0000004 per million"
    assert known["Output"] == "$2.00 per million"
    assert known["Reasoning"] is None
    assert known["Can"] == "PDF"


def test_every_price_says_what_it_is_in_which_tier():
    known = _known(_model(prices=TIERED.with_tier(1_000_000, input=Decimal(9))))

    assert known["Input"] == "$2.50 per million, $5.00 above 200k, $9.00 above 1M"
    assert known["Output"] == "$15.00 per million, $22.50 above 200k"
    assert known["Cached input"] == "$0.25 per million"
    assert known["Cache write"] == "$6.00 above 200k"
    assert known["Every call"] == "$0.005"


def test_off_peak_prices_stand_beside_the_usual_ones_with_their_hours():
    usual = Prices(input=Decimal("0.3"), output=Decimal("1.2"), reasoning=Decimal(3))
    cheap = replace(usual, input=Decimal("0.15"), output=Decimal("0.6"))
    night = OffPeak(hours=(Hours(since=990, until=30),), prices=cheap)
    spec = _model(prices=replace(usual, off_peak=night))
    known = _known(spec)

    assert (known["Input"], known["Reasoning"]) == ("$0.30 per million, $0.15 off-peak", "$3.00 per million")
    assert known["Off-peak"] == "16:30 to 00:30 UTC"
    assert price_line(spec) == ("$0.30 in, $1.20 out per million ($0.15 in, $0.60 out off-peak) · context unknown")


def test_what_was_measured_and_what_the_limits_leave_are_shown():
    figures = Figures(
        day=Calls(worked=1180, failed=20),
        first_token_day_ms=Percentiles(1200, 640.0, 1900.0),
        tokens_per_second=Percentiles(1200, 82.4, 120.0),
        last_error="The provider is overloaded.",
    )
    status = ModelStatus("healthy", "healthy", 640.0, None, figures, Headroom(480, 500, None, None))
    known = _known(_model(), status)

    assert measured(status) == ["0.6 s to first token", "82 tok/s"]
    assert known["First token, 24 h"] == "0.6 s (p95 1.9 s)"
    assert known["Speed, 24 h"] == "82 tok/s (p95 120 tok/s)"
    assert known["Worked in 24 h"] == "1,180 of 1,200 calls"
    assert known["Last error"] == "The provider is overloaded."
    assert known["Left this minute"] == "480 of 500 requests"
    said = replace(status, headroom=Headroom(480, None, 900, 1000, reported=True))
    left = "480 requests, 900 of 1,000 tokens, says the provider"
    assert _known(_model(), said)["Left this minute"] == left


def test_facts_name_others_by_their_labels_and_the_day_of_retirement():
    known = _known(
        _model(fallbacks=("b", "gone"), retires_on=date(2027, 3, 5), successor="b", rpm_limit=500), b="Model B"
    )

    assert known["Falls back to"] == "Model B, gone"
    assert known["Retires"] == "5 Mar 2027, then Model B"
    assert known["Limits per minute"] == "500 requests"
    assert known["Status"] == "○ not tried lately"
    assert known["First token, 7 days"] is None


def test_every_model_has_the_same_facts_and_none_is_empty():
    full = _model(prices=TIERED, context_tokens=5, use_cases=("a",), note="N", access=())
    one, other = (facts(spec, UNKNOWN, ModelFigures(), {}, zone=UTC) for spec in (_model(), full))

    assert list(one) == list(other)
    assert all(one.values())
    assert all(other.values())


def test_a_model_that_is_switched_off_says_so():
    assert str(_known(_model(enabled=False))["Status"]).startswith("✕ switched off")


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (ModelFigures(), "not used"),
        (ModelFigures(calls=1, spent_usd=Decimal("0.00094")), "$0.00094 for 1 call"),
        (ModelFigures(calls=1200, spent_usd=Decimal("1.24")), "$1.24 for 1,200 calls"),
        (ModelFigures(calls=3, spent_usd=Decimal("1.24"), unpriced=1), "at least $1.24 for 3 calls"),
        (ModelFigures(calls=2, spent_usd=Decimal(0), unpriced=2), "unpriced, 2 calls"),
    ],
)
def test_an_unknown_cost_is_never_zero(figures, expected):
    assert month_line(figures) == expected


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (None, "unpriced · context unknown"),
        (Prices(input=Decimal(0), output=Decimal(0)), "free · context unknown"),
        (Prices(input=Decimal("0.25"), output=Decimal(2)), "$0.25 in, $2.00 out per million · context unknown"),
        (TIERED, "$2.50 in, $15.00 out per million ($5.00 in, $22.50 out above 200k) · context unknown"),
    ],
)
def test_the_price_line_has_words_and_figures(prices, expected):
    assert price_line(_model(prices=prices)) == expected
