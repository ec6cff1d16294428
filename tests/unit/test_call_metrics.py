"""What is counted for Prometheus."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import yaml

from core.costs.call_metrics import CallMetrics, watch_lag
from core.costs.ledger import Attempt
from core.costs.pricing import Cost
from core.providers.events import Usage
from tests.support.architecture import ROOT

BEGAN = datetime.fromisoformat("2026-01-01T12:00:00")


def attempt(**changes) -> Attempt:
    cost_usd = changes.pop("cost_usd", Decimal("0.5"))
    fields = {
        "id": "a",
        "turn_id": "t",
        "user_id": "u",
        "conversation_id": None,
        "source": "api",
        "use_case": None,
        "requested_model": "gpt",
        "served_model": "gpt",
        "upstream_model": None,
        "provider": "openai",
        "parameters": {},
        "started_at": BEGAN,
        "first_token_at": BEGAN + timedelta(milliseconds=300),
        "ended_at": BEGAN + timedelta(seconds=2),
        "usage": Usage(input_tokens=10, cached_input_tokens=4, output_tokens=5, reasoning_tokens=2),
        "cost": Cost(code="computed", cost_usd=cost_usd, computed_cost_usd=cost_usd, reported_cost_usd=None),
        "price_version": None,
        "status": "ok",
    }
    return Attempt(**{**fields, **changes})


def value(metrics: CallMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"switchboard_{name}", labels)


def test_a_turn_counts_once_and_each_of_its_calls() -> None:
    metrics = CallMetrics()
    metrics.count([attempt(status="server", cost_usd=None, first_token_at=None), attempt()])
    assert value(metrics, "turns_total", source="api", status="completed") == 1
    assert value(metrics, "attempts_total", model="gpt", status="server") == 1
    assert value(metrics, "attempts_total", model="gpt", status="ok") == 1
    assert value(metrics, "tokens_total", model="gpt", kind="input") == 20
    assert value(metrics, "cost_usd_total", model="gpt") == 0.5
    assert value(metrics, "unpriced_attempts_total", model="gpt") == 1
    assert value(metrics, "first_token_seconds_bucket", model="gpt", le="0.25") == 0
    assert value(metrics, "first_token_seconds_bucket", model="gpt", le="0.5") == 1
    assert value(metrics, "attempt_duration_seconds_count", model="gpt") == 2


@pytest.mark.parametrize(("status", "ending"), [("stopped", "stopped"), ("rate_limit", "failed")])
def test_how_a_turn_ended_is_how_its_last_call_did(status: str, ending: str) -> None:
    metrics = CallMetrics()
    metrics.count([attempt(status=status)])
    assert value(metrics, "turns_total", source="api", status=ending) == 1


def test_a_kept_answer_says_nothing_about_the_models_speed() -> None:
    metrics = CallMetrics()
    metrics.count([attempt(cached=True)])
    assert value(metrics, "attempts_total", model="gpt", status="ok") == 1
    assert value(metrics, "attempt_duration_seconds_count", model="gpt") is None


async def test_a_loop_that_is_late_is_told() -> None:
    metrics, told = CallMetrics(), asyncio.Event()

    def late(seconds: float) -> None:
        metrics.late("engine", seconds)
        told.set()

    watch = asyncio.create_task(watch_lag(late, every_s=0))
    await told.wait()
    watch.cancel()
    assert (value(metrics, "event_loop_lag_seconds_count", loop="engine") or 0) >= 1


def test_the_alerts_of_the_manual_ask_for_what_is_told():
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [rules] = re.findall(r"^```yaml\n(groups:.*?)^```", manual, re.MULTILINE | re.DOTALL)
    [group] = yaml.safe_load(rules)["groups"]
    counted = {metric.name for metric in CallMetrics().registry.collect()}
    looked_up = re.findall(r'"(switchboard_\w+)"', (ROOT / "api" / "metrics.py").read_text(encoding="utf-8"))

    asked = {name for rule in group["rules"] for name in re.findall(r"switchboard_\w+", rule["expr"])}

    assert len(asked) > 5
    assert {re.sub("_(total|bucket)$", "", name) for name in asked} <= counted | set(looked_up)
    assert all(rule["annotations"]["summary"] for rule in group["rules"])
