"""Budgets and rate limits in the store: kept, changed, removed, audited, and refused where they make no sense."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.accounts.audiences import Audiences
from core.accounts.audit import list_audit
from core.accounts.changes import set_role
from core.accounts.groups import Groups
from core.costs.limits import budget_words, rate_words
from core.errors import BudgetError, NotFound
from tests.support.budgets import Folk, budget, make_budgets, rate
from tests.support.people import add_person


def test_a_budget_is_kept_changed_and_removed_and_each_leaves_a_trace(database):
    budgets = make_budgets(database)
    saved = budgets.save(budget("50"), actor_id=None)

    budgets.save(replace(saved, amount_usd=Decimal("60.50")), actor_id=None)
    [kept] = make_budgets(database).budgets
    assert (kept.id, kept.amount_usd, kept.period, kept.hard) == (saved.id, Decimal("60.50"), "month", True)
    budgets.delete(kept, actor_id=None)

    assert make_budgets(database).budgets == ()
    removed, changed, added = list_audit(database)
    assert [entry.action for entry in (added, changed, removed)] == ["budget.create", "budget.change", "budget.delete"]
    assert (changed.before, changed.after) == ({"amount_usd": "50"}, {"amount_usd": "60.5"})
    assert (added.before, removed.after) == (None, None)


def test_a_rate_limit_is_kept_changed_and_removed(database):
    budgets = make_budgets(database)
    saved = budgets.save(rate(requests_per_minute=5, model_id="gpt"), actor_id=None)

    budgets.save(replace(saved, tokens_per_minute=1000), actor_id=None)
    [kept] = make_budgets(database).rate_limits
    assert (kept.requests_per_minute, kept.tokens_per_minute, kept.model_id) == (5, 1000, "gpt")
    budgets.delete(kept, actor_id=None)

    assert make_budgets(database).rate_limits == ()
    with pytest.raises(NotFound):
        budgets.delete(kept, actor_id=None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (budget("-1"), "no amount of money"),
        (budget("NaN"), "no amount of money"),
        (budget("1000000000"), "no amount of money"),
        (budget("0.0000000001"), "too many decimals"),
        (budget("5", warn_percent=0), "1 to 100 %"),
        (budget("5", audience="group"), "does not say whom"),
        (budget("5", subject="ann"), "does not say whom"),
        (budget("5", audience="cats", subject="tom"), "nobody that is known"),
        (budget("5", period="year"), "no period"),
        (rate(), "limits nothing"),
        (rate(requests_per_minute=0), "at least 1"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(database, wrong, said):
    budgets = make_budgets(database)

    with pytest.raises(BudgetError, match=said):
        budgets.save(wrong, actor_id=None)

    assert (budgets.budgets, budgets.rate_limits) == ((), ())


def test_the_same_limit_twice_is_refused(database):
    budgets = make_budgets(database, budget("5"), rate(requests_per_minute=5))
    budgets.save(budget("9", shared=True), actor_id=None)

    with pytest.raises(BudgetError, match="such a budget"):
        budgets.save(budget("7"), actor_id=None)
    with pytest.raises(BudgetError, match="such a limit"):
        budgets.save(rate(tokens_per_minute=5), actor_id=None)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (budget("50"), "$50.00 a month for each person"),
        (budget("500", shared=True, period="week"), "$500.00 a week for everybody together"),
        (budget("5", audience="role", subject="member"), "$5.00 a month for each member"),
        (budget("5", audience="role", subject="member", shared=True), "$5.00 a month shared by all members"),
        (budget("5", audience="group", subject="research"), "$5.00 a month for each in Research"),
        (budget("5", audience="group", subject="research", shared=True), "$5.00 a month shared by Research"),
        (budget("5", audience="user", subject="ann", period="day"), "$5.00 a day for Ann"),
    ],
)
def test_a_budget_in_words(limit, words):
    assert budget_words(limit, Folk()) == words


def test_a_rate_limit_in_words():
    limit = rate(requests_per_minute=10, tokens_per_minute=20_000, model_id="gpt")

    one = replace(limit, requests_per_minute=1, tokens_per_minute=None)
    assert rate_words(one, Folk(), model="GPT") == "1 request a minute of GPT for each person"
    assert rate_words(limit, Folk(), model="GPT") == "10 requests and 20,000 tokens a minute of GPT for each person"


def test_roles_and_groups_are_as_they_are_now(database):
    ann, bob = add_person(database, "ann"), add_person(database, "bob")
    groups = Groups(database)
    people = Audiences(database, groups)
    assert (people.role_of(ann.id), sorted(people.holders_of("member"))) == ("member", sorted([ann.id, bob.id]))

    set_role(database, user_id=ann.id, role="admin", actor_id=None)
    group = groups.create("Research", member_ids=[bob.id], actor_id=None)

    assert (people.role_of(ann.id), list(people.holders_of("member"))) == ("admin", [bob.id])
    assert (list(people.groups_of(bob.id)), set(people.members_of(group))) == ([group], {bob.id})
    assert people.name_of("group", group) == "Research"
    assert people.name_of("user", bob.id) == "Bob"
    assert people.name_of("user", "gone") == "a person (no longer here)"
