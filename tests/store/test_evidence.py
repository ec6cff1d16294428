"""What the team knows of its models, as the ledger and the votes have it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.arena.boards import Boards
from core.arena.evidence import Answers, KeptEvidence, Record, measure_evidence
from core.arena.votes import Ballot, Side, cast_vote
from core.costs.pricing import Cost
from core.store.views import create_views
from tests.support.attempts import add_attempt
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")


@pytest.fixture(name="database")
def _database(database):
    create_views(database)
    return database


def vote(database, number, outcome="left", use_case="coding"):
    sides = [
        Side(message_id=f"{name}{number}", model=model(name), text="Fine.", whole=True) for name in ("good", "bad")
    ]
    ballot = Ballot(user_id="ann", comparison_id="c", left=sides[0], right=sides[1], use_case=use_case)
    cast_vote(database, ballot, outcome, clock=lambda: NOW)


def add(database, *, usd=None, ago=timedelta(hours=1), **fields):
    amount = None if usd is None else Decimal(usd)
    cost = Cost(cost_usd=amount, code="computed", computed_cost_usd=amount, reported_cost_usd=None)
    add_attempt(database, ended_at=NOW - ago, cost=cost, **fields)


def test_answers_are_counted_per_use_case_and_over_all(database):
    add(database, model="a", usd="0.1", use_case="coding", first_token_ms=400)
    add(database, model="a", usd="0.3", use_case="coding", first_token_ms=800)
    add(database, model="a", first_token_ms=None, status="connection")
    add(database, model="a", first_token_ms=None, status="rate_limit")
    add(database, model="a", usd="9", source="probe")
    add(database, model="a", usd="9", ago=timedelta(days=31))

    answers = measure_evidence(database, Boards(database), now=NOW).answers

    coding = Answers(worked=2, failed=0, first_token_ms=600, timed=2, cost_usd=Decimal("0.2"), priced=2)
    assert answers["coding"]["a"] == coding
    assert answers[None]["a"].worked == 2
    assert (answers[None]["a"].failed, answers[None]["a"].judged) == (1, 3)
    assert set(answers) == {None, "coding"}


def test_votes_make_boards_and_records(database):
    for number in range(12):
        vote(database, number, "left" if number < 9 else "tie")
    vote(database, 99, "right", use_case="writing")

    found = measure_evidence(database, Boards(database), now=NOW)

    assert [one.model_id for one in found.boards["coding"].ratings] == ["good", "bad"]
    assert set(found.boards) == {None, "coding"}, "one vote makes no board"
    assert found.records["coding"] == {"good": Record(votes=12, wins=9), "bad": Record(votes=12, wins=0)}
    assert found.records[None]["bad"] == Record(votes=13, wins=1)


def test_kept_evidence_is_measured_anew_only_after_something_was_written(database):
    kept = KeptEvidence(database, Boards(database), clock=lambda: NOW)
    assert not kept.current().answers

    add(database, model="a")
    first = kept.measure()

    assert first.answers[None]["a"].worked == 1
    assert kept.measure() is first
    vote(database, 1)
    assert kept.measure().records[None]["good"].wins == 1
    assert kept.current() is kept.measure()
