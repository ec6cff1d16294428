"""Tokens and what they may, models, usage, health and metrics of a whole server."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api_calls import HELLO, ask, bearer, command, new_token


def test_nothing_of_what_was_said_is_stored_but_the_cost_is(http) -> None:
    # Another test's call may still be ending: not this model's.
    asked = {"by": "source", "model": "thinker"}
    before = http.get("/api/usage", params=asked).json()
    ask(http, model="thinker")
    after = http.get("/api/usage", params=asked).json()
    assert after["totals"]["calls"] == before["totals"]["calls"] + 1
    assert {row["source"] for row in after["rows"]} == {"api"}
    table = http.get("/api/usage", params={"by": "model,day", "format": "csv"})
    assert table.text.splitlines()[0].startswith("model,day,calls,cost_usd")


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"by": "shoe"}, "by"),
        ({"by": "hour,day"}, "by"),
        ({"period": "shoe"}, "period"),
        ({"modle": "fast"}, "modle"),
        ({"zone": "Moon/Sea"}, "zone"),
        ({"page": "0"}, "page"),
        ({"measure": "joy"}, "measure"),
        ({"format": "xml"}, "format"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-05-01", "to": "tomorrow"}, "to"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "from"),
        ({"model": "x" * 300}, "model"),
    ],
)
def test_a_question_about_usage_that_cannot_be_meant_is_refused(http, wrong, param) -> None:
    answer = http.get("/api/usage", params=wrong)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)


def test_usage_adds_up_and_is_the_same_as_a_table(http) -> None:
    ask(http, model="able")
    asked = {"by": "model,source", "model": ["able", "thinker"], "zone": "Europe/Paris", "measure": "calls"}
    told = http.get("/api/usage", params=asked).json()
    assert sum(Decimal(row["cost_usd"]) for row in told["rows"]) == Decimal(told["totals"]["cost_usd"]) > 0
    assert sum(row["calls"] for row in told["rows"]) == told["totals"]["calls"]
    table = csv.DictReader(io.StringIO(http.get("/api/usage", params={**asked, "format": "csv"}).text))
    assert list(table) == [{name: str(value) for name, value in row.items()} for row in told["rows"]]


def test_usage_knows_people_by_their_names(http) -> None:
    ask(http)
    [row] = http.get("/api/usage", params={"by": "person", "person": "admin", "zone": "Europe/Paris"}).json()["rows"]
    assert row["person_name"] == "admin"
    assert row["calls"] > 0
    assert http.get("/api/usage", params={"person": "nobody"}).json()["totals"]["calls"] == 0


def test_tokens_are_checked(http, server) -> None:
    for header in ({}, {"authorization": "Bearer sb-wrong"}, {"authorization": "Basic x"}):
        answer = httpx.get(f"{server.url}/v1/models", headers=header, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    only_usage = bearer(new_token(server, scopes=("usage",)))
    assert ask(http).status_code == 200
    assert http.post("/v1/chat/completions", json={}, headers=only_usage).status_code == 403
    assert http.get("/v1/models", headers=only_usage).status_code == 200
    assert http.get("/metrics", headers=only_usage).status_code == 403
    assert http.get("/api/usage", headers=only_usage).status_code == 200


def test_a_token_keeps_to_its_models_its_rate_and_its_budget(http, server) -> None:
    told = bearer(new_token(server, models=("fast",), rpm_limit=1))
    assert [model["id"] for model in http.get("/v1/models", headers=told).json()["data"]] == ["fast"]
    body = {"model": "slow", "messages": HELLO}
    assert http.post("/v1/chat/completions", json=body, headers=told).status_code == 403
    body["model"] = "fast"
    first = http.post("/v1/chat/completions", json=body, headers=told)
    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    second = http.post("/v1/chat/completions", json=body, headers=told)
    assert second.status_code == 429
    assert 0 < int(second.headers["retry-after"]) <= 60
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert second.headers["x-ratelimit-reset-requests"] == f"{second.headers['retry-after']}s"

    rich, poor = (bearer(new_token(server, budget_usd=Decimal(usd))) for usd in ("0.01", "0.000001"))
    assert http.post("/v1/chat/completions", json=body, headers=rich).status_code == 200
    spent = http.post("/v1/chat/completions", json=body, headers=poor)
    assert (spent.status_code, spent.json()["error"]["code"]) == (429, "insufficient_quota")


def test_models_say_what_they_cost_and_how_they_are(http) -> None:
    [fast] = [model for model in http.get("/v1/models").json()["data"] if model["id"] == "fast"]
    assert fast["prices_usd_per_million_tokens"] == {"input": "3", "output": "6"}
    assert fast["status"]["state"]
    assert http.get("/v1/models/fast").json()["id"] == "fast"
    assert http.get("/v1/models/none").status_code == 404
    status = http.get("/api/models/silent/status").json()
    assert (status["id"], status["first_token_ms"]["half_hour"]["p95"]) == ("silent", None)
    assert http.get("/api/models/none/status").status_code == 404


def test_health_and_metrics(http, server) -> None:
    well = httpx.get(f"{server.url}/api/health", trust_env=False)
    assert (well.status_code, well.json()["status"]) == (200, "ok")
    ask(http)
    families = {family.name: family for family in text_string_to_metric_families(http.get("/metrics").text)}
    assert {"model": "fast", "status": "ok"} in [s.labels for s in families["switchboard_attempts"].samples]
    assert ({"model": "fast"}, 0) in [(s.labels, s.value) for s in families["switchboard_circuit_open"].samples]
    assert families["switchboard_turns_running"].samples
    assert {"budget_usd", "first_token_seconds", "event_loop_lag_seconds", "set_answers_queued"} <= {
        name.removeprefix("switchboard_") for name in families
    }
    openmetrics = http.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.text.endswith("# EOF\n")


def test_commands_list_and_revoke_while_the_server_runs(server) -> None:
    made = command(server, "create", "--user", "admin", "--name", "nightly", "--expires", "2099-01-31")
    token = made.stdout.splitlines()[-1]
    told = bearer(token)
    assert httpx.get(f"{server.url}/v1/models", headers=told, trust_env=False).status_code == 200
    listed = command(server, "list", "--user", "admin").stdout
    assert "nightly" in listed
    assert token not in listed
    assert command(server, "revoke", "--user", "admin", "nightly").returncode == 0
    assert httpx.get(f"{server.url}/v1/models", headers=told, trust_env=False).status_code == 401
    refused = command(server, "create", "--user", "nobody", "--name", "x")
    assert (refused.returncode, refused.stderr.startswith("Nobody here is called nobody.")) == (1, True)
    forged = httpx.post(f"{server.url}/api/local/tokens", json={"signed": "x.y.z"}, trust_env=False)
    assert forged.status_code == 403
    assert token not in server.output()


@pytest.mark.parametrize("path", ["/", "/costs", "/api/health", "/nowhere"])
def test_a_page_loads_pictures_from_here_alone_and_stands_in_nobody_elses_frame(http, path) -> None:
    policy = http.get(path).headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy
    assert "frame-ancestors 'self'" in policy
