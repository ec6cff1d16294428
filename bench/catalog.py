"""What is measured and what it should be: every target of the bench in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Samples = dict[str, list[float]]
Results = Mapping[str, Samples]  # by application: "plain", "ours"


@dataclass(frozen=True, slots=True)
class AtMost:
    """Our median is at most `limit`, in the measure's unit."""

    limit: float

    def text(self) -> str:
        return f"at most {self.limit:g}"

    def holds(self, *, ours: float, plain: float | None) -> bool | None:  # noqa: ARG002 - one signature for all targets
        return ours <= self.limit


@dataclass(frozen=True, slots=True)
class TimesPlain:
    """Our median is at least `factor` times that of the plain application."""

    factor: float

    def text(self) -> str:
        return f"at least {self.factor:g}x plain"

    def holds(self, *, ours: float, plain: float | None) -> bool | None:
        return ours >= self.factor * plain if plain else None


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `key` names its samples, `group` what `--only` selects."""

    key: str
    group: str
    label: str
    unit: str
    target: AtMost | TimesPlain | None = None


MEASURES: tuple[Measure, ...] = (
    Measure("first_start", "start", "first start to composer", "s"),
    Measure("second_start", "start", "second start to composer", "s", AtMost(5)),
    Measure("load_empty", "load", "page load, empty", "ms"),
    Measure("load_100", "load", "page load, 100 messages", "ms"),
    Measure("load_ratio", "load", "100 messages over empty", "x", AtMost(1.5)),
    Measure("first_token_empty", "first-token", "send to first token, empty", "ms", AtMost(40)),
    Measure("first_token_100", "first-token", "send to first token, 100 messages", "ms", AtMost(50)),
    Measure("asked_empty", "first-token", "  send to the provider's request, empty", "ms"),
    Measure("asked_100", "first-token", "  send to the provider's request, 100 messages", "ms"),
    Measure("first_change_empty", "first-token", "  first token in the document, empty", "ms"),
    Measure("first_change_100", "first-token", "  first token in the document, 100 messages", "ms"),
    Measure("end_lag_500", "answer", "end lag, 500 tokens", "ms"),
    Measure("end_lag_4000", "answer", "end lag, 4,000 tokens", "ms", AtMost(150)),
    Measure("main_thread_500", "answer", "main thread, 500 tokens", "s"),
    Measure("main_thread_4000", "answer", "main thread, 4,000 tokens", "s", AtMost(8)),
    Measure("processor_500", "answer", "  of it on a processor, 500 tokens", "s"),
    Measure("processor_4000", "answer", "  of it on a processor, 4,000 tokens", "s"),
    Measure("script_500", "answer", "  of it JavaScript, 500 tokens", "s"),
    Measure("script_4000", "answer", "  of it JavaScript, 4,000 tokens", "s"),
    Measure("received_500", "answer", "received, 500 tokens", "kB"),
    Measure("received_4000", "answer", "received, 4,000 tokens", "kB"),
    Measure("received_ratio", "answer", "bytes, 4,000 over 500 tokens", "x", AtMost(9)),
    Measure("switch", "switch", "model switch to ready", "ms", AtMost(80)),
    Measure("switch_5", "switch-among", "model switch among 5 models", "ms"),
    Measure("switch_50", "switch-among", "model switch among 50 models", "ms"),
    Measure("switch_500", "switch-among", "model switch among 500 models", "ms", AtMost(80)),
    Measure("sessions_speed", "sessions", "20 sessions, tokens a second", "/s", TimesPlain(1.5)),
    Measure("sessions_gap", "sessions", "20 sessions, p95 gap", "ms", AtMost(300)),
    Measure("sessions_first", "sessions", "20 sessions, p95 to first token", "ms"),
    Measure("memory_idle", "memory", "idle memory", "MB", AtMost(450)),
)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(measure.group for measure in MEASURES))

_RATIOS = {"load_ratio": ("load_100", "load_empty"), "received_ratio": ("received_4000", "received_500")}


def with_ratios(samples: Samples) -> Samples:
    """The samples plus those measures that are a ratio of two medians of the same application."""
    ratios = {
        key: [median(samples[over]) / median(samples[under])]
        for key, (over, under) in _RATIOS.items()
        if samples.get(over) and samples.get(under)
    }
    return {**samples, **ratios}


def chosen(groups: Sequence[str]) -> list[Measure]:
    """The measures of these groups, in the order of the table."""
    return [measure for measure in MEASURES if measure.group in groups]
