"""Which models are recommended for a use case, in which order, and the sentence that says why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.health import Calls, Cooling, Figures, ModelStatus, Percentiles
from core.catalog.models import Capability, ModelSpec, Prices
from core.catalog.recommend import Reasons, recommend, use_cases
from tests.support.turns import model
from ui.recommendation import sentence

LATER = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere
USE_CASES = ("everyday", "coding", "images")
STATES = ("healthy", "unknown", "slow", "starting", "down", "no_key")


def priced(usd: str | None) -> Prices | None:
    return None if usd is None else Prices(input=Decimal(usd), output=Decimal(usd))


def for_coding(name: str, usd: str | None = "1", **changes) -> ModelSpec:
    return model(name, **{"prices": priced(usd), "use_cases": ("coding",), **changes})


def status(state: str = "healthy", *, calls: Calls = Calls(), p50_ms: float | None = None, **changes) -> ModelStatus:  # noqa: B008
    first = Percentiles.of(calls.worked, p50_ms, p50_ms)
    return ModelStatus(state, state, figures=Figures(day=calls, first_token_day_ms=first), **changes)


def order(*pairs: tuple[ModelSpec, ModelStatus], use_case: str = "coding") -> list[str]:
    models = {spec.id: spec for spec, _ in pairs}
    return [found.model_id for found in recommend(models, {spec.id: of for spec, of in pairs}, use_case)]


GOOD = Calls(worked=210, failed=2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(("9", status(calls=GOOD)), ("1", status()), id="measured before unmeasured, whatever it costs"),
        pytest.param(("9", status("unknown", calls=GOOD)), ("1", status()), id="a measured day outlives ten minutes"),
        pytest.param(("9", status(calls=Calls(50))), ("1", status(calls=Calls(99, 1))), id="success before price"),
        pytest.param(
            ("9", status(calls=GOOD, p50_ms=400)), ("1", status(calls=GOOD, p50_ms=900)), id="first token before price"
        ),
        pytest.param(
            ("1", status(calls=GOOD, p50_ms=480)),
            ("9", status(calls=GOOD, p50_ms=410)),
            id="price within half a second",
        ),
        pytest.param(("9", status()), ("1", status(calls=Calls(97, 3))), id="under 98 % after the unmeasured"),
        pytest.param(("9", status("unknown")), ("1", status("slow", calls=GOOD)), id="slow after the untried"),
        pytest.param(("9", status()), ("1", status("unknown")), id="answered lately before untried"),
        pytest.param(("1", status("unknown")), ("9", status("unknown")), id="the cheaper of the unmeasured"),
        pytest.param(("9", status("unknown")), (None, status("unknown")), id="a known price before none"),
        pytest.param(("9", status()), ("1", status("unknown", calls=Calls(19))), id="19 calls measure nothing"),
        pytest.param(("1", status("unknown")), ("1", status("unknown")), id="of equals the registry's first"),
    ],
)
def test_order(first, second) -> None:
    winner, other = (for_coding("winner", first[0]), first[1]), (for_coding("other", second[0]), second[1])

    assert order(winner, other) == ["winner", "other"]
    if first != second:
        assert order(other, winner) == ["winner", "other"]


@pytest.mark.parametrize("state", ["no_key", "down", "starting"])
def test_no_model_that_cannot_be_called(state: str) -> None:
    assert order((for_coding("a"), status(state, calls=GOOD)), (for_coding("b"), status("unknown"))) == ["b"]
    assert order((for_coding("a"), status(state, calls=GOOD))) == []


def test_no_model_that_cools() -> None:
    assert order((for_coding("a"), status("slow", calls=GOOD, cooling=Cooling(LATER, "429")))) == []


@pytest.mark.parametrize(
    ("use_case", "changes", "expected"),
    [
        ("coding", {"context_tokens": 8_192}, []),
        ("coding", {"context_tokens": 32_000}, ["a"]),
        ("coding", {"context_tokens": None}, ["a"]),
        ("everyday", {"context_tokens": 8_192}, ["a"]),
        ("images", {"capabilities": frozenset()}, []),
        ("images", {"capabilities": frozenset({Capability.VISION})}, ["a"]),
        ("coding", {"use_cases": ("writing",)}, []),
    ],
)
def test_what_the_use_case_needs_comes_before_any_figure(use_case: str, changes, expected: list[str]) -> None:
    spec = for_coding("a", **{"use_cases": (use_case,), **changes})

    assert order((spec, status(calls=GOOD, p50_ms=100)), use_case=use_case) == expected


def test_use_cases_are_the_registrys() -> None:
    models = {"a": for_coding("a", use_cases=("fast", "coding")), "b": for_coding("b", use_cases=("coding", "new one"))}

    assert use_cases(models) == ["fast", "coding", "new one"]
    assert use_cases({}) == []


@pytest.mark.parametrize(
    ("calls", "p50_ms", "usd", "expected"),
    [
        (
            GOOD,
            620,
            "0.25",
            (
                "Our suggestion, measured over 24 h: 99 % of 212 calls worked, 0.6 s to first token (210 measured), "
                "$0.25 in, $0.25 out per million, 400k context."
            ),
        ),
        (
            Calls(1_999, 1),
            None,
            "0",
            "Our suggestion, measured over 24 h: 99 % of 2,000 calls worked, free, 400k context.",
        ),
        (Calls(), None, "3", "Our suggestion, not measured yet: $3.00 in, $3.00 out per million, 400k context."),
        (Calls(1), None, None, "Our suggestion, not measured yet (1 call in 24 h, too few): unpriced, 400k context."),
        (Calls(6, 1), 90, "0", "Our suggestion, not measured yet (7 calls in 24 h, too few): free, 400k context."),
    ],
)
def test_one_sentence_gives_the_numbers_or_says_that_there_are_none(calls, p50_ms, usd, expected: str) -> None:
    reasons = Reasons(calls, Percentiles.of(calls.worked, p50_ms, p50_ms), priced(usd), 400_000)

    assert sentence(reasons) == expected


specs = st.builds(
    lambda usd, cases, window, sees: {"usd": usd, "use_cases": tuple(cases), "context_tokens": window, "sees": sees},
    st.sampled_from([None, "0", "0.25", "3"]),
    st.lists(st.sampled_from(USE_CASES), unique=True),
    st.sampled_from([None, 8_192, 400_000]),
    st.booleans(),
)
statuses = st.builds(
    lambda state, worked, failed, ms, cools: status(
        state, calls=Calls(worked, failed), p50_ms=ms, cooling=Cooling(LATER, "429") if cools else None
    ),
    st.sampled_from(STATES),
    st.integers(0, 300),
    st.sampled_from([0, 1, 4, 50]),
    st.none() | st.floats(1, 10_000),
    st.booleans(),
)


@st.composite
def offers(draw: st.DrawFn) -> list[tuple[ModelSpec, ModelStatus]]:
    drawn = draw(st.lists(st.tuples(specs, statuses), max_size=8))
    return [(_spec(f"m{place}", **fields), of) for place, (fields, of) in enumerate(drawn)]


def _spec(name: str, *, sees: bool, **fields) -> ModelSpec:
    return for_coding(name, capabilities=frozenset({Capability.VISION} if sees else ()), **fields)


@given(offers(), st.sampled_from(USE_CASES))
def test_every_fitting_model_once_and_none_without_a_key(pairs, use_case: str) -> None:
    found = order(*pairs, use_case=use_case)

    assert len(found) == len(set(found))
    assert found == order(*pairs, use_case=use_case)
    by_id = {spec.id: (spec, of) for spec, of in pairs}
    for name in found:
        spec, of = by_id[name]
        assert use_case in spec.use_cases
        assert of.state not in {"no_key", "down", "starting"}


@given(offers(), st.data())
def test_whether_another_model_is_there_changes_nothing_between_two(pairs, data) -> None:
    gone = data.draw(st.sampled_from([spec.id for spec, _ in pairs] or ["none"]))
    fewer = [(spec, of) for spec, of in pairs if spec.id != gone]

    assert order(*fewer) == [name for name in order(*pairs) if name != gone]


@given(offers())
def test_no_unmeasured_model_above_a_measured_healthy_one(pairs) -> None:
    states = {spec.id: of.state for spec, of in pairs}
    models = {spec.id: spec for spec, _ in pairs}
    found = recommend(models, {spec.id: of for spec, of in pairs}, "coding")
    good = [
        one.reasons.measured and (one.reasons.calls.share or 0) >= 0.98 and states[one.model_id] != "slow"
        for one in found
    ]

    assert good == sorted(good, reverse=True)
