"""The price book: what applies at once, what waits for an administrator, and which price a moment has."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.accounts.audit import list_audit, record
from core.catalog.models import Hours, ModelSpec, OffPeak, Prices, ProviderSpec
from core.costs.price_book import PriceBook
from core.costs.price_sheets import NewPrice
from core.errors import PriceRefused
from tests.support.moving_clock import MovingClock

LAB = ProviderSpec(id="lab", kind="openai")
CHEAP = Prices(input=Decimal("0.4"), output=Decimal("1.6"), source="litellm 1.0")
DEAR = Prices(input=Decimal(3), output=Decimal(15), source="litellm 1.1")
OWN = Prices(input=Decimal(1), output=Decimal(2))
DAY = timedelta(days=1)


def model(prices, name="gpt"):
    return ModelSpec(id=name, label=name.upper(), provider=LAB, upstream=name, prices=prices)


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="book")
def _book(database, clock):
    return PriceBook(database, record=record, clock=clock)


def usual(prices):
    return None if prices is None else (prices.input, prices.output)


def test_a_first_price_applies_at_once_and_not_before(book, clock):
    book.follow([model(CHEAP), model(None, "local")])

    assert usual(book.price_at(model(None), clock())) == (Decimal("0.4"), Decimal("1.6"))
    assert book.price_at(model(CHEAP), clock() - timedelta(microseconds=1)) is None
    assert book.prices().keys() == {"gpt"}


def test_every_version_has_a_name_that_the_ledger_can_keep(book, clock):
    book.follow([model(CHEAP), model(DEAR, "claude")])

    assert book.price_at(model(None), clock()).name == "book 1"
    assert book.price_at(model(None, "claude"), clock()).name == "book 2"


def test_a_model_that_the_book_does_not_know_costs_what_it_says_itself(book, clock):
    assert book.price_at(model(CHEAP), clock()) == CHEAP
    assert book.price_at(model(None), clock()) is None


def test_what_a_new_litellm_brings_is_a_proposal(book, clock):
    book.follow([model(CHEAP)])
    book.follow([model(DEAR)])

    (proposal,) = book.proposals([model(DEAR)])
    assert usual(book.prices()["gpt"]) == usual(CHEAP)
    assert (proposal.model_id, usual(proposal.offered), usual(proposal.current.prices)) == (
        "gpt",
        usual(DEAR),
        usual(CHEAP),
    )


def test_another_version_with_the_same_prices_is_none(book):
    book.follow([model(CHEAP)])

    assert book.proposals([model(replace(CHEAP, source="litellm 2.0"))]) == []


def test_an_accepted_price_holds_from_then_on_and_the_past_does_not_move(book, clock):
    book.follow([model(CHEAP)])
    before = clock()
    clock.advance(days=1)
    (proposal,) = book.proposals([model(DEAR)])

    book.accept(proposal, reason="announced", actor_id="ann")

    assert usual(book.price_at(model(None), before)) == usual(CHEAP)
    assert usual(book.price_at(model(None), clock() - timedelta(seconds=1))) == usual(CHEAP)
    assert usual(book.price_at(model(None), clock())) == usual(DEAR)
    assert book.proposals([model(DEAR)]) == []
    assert usual(book.prices()["gpt"]) == usual(DEAR)


def test_a_declined_price_is_not_proposed_again_until_it_changes(book):
    book.follow([model(CHEAP)])
    (proposal,) = book.proposals([model(DEAR)])

    book.decline(proposal, reason="we have a contract", actor_id="ann")

    assert book.proposals([model(DEAR)]) == []
    assert len(book.proposals([model(replace(DEAR, output=Decimal(16)))])) == 1


def test_the_operators_own_change_in_the_file_applies_at_once(book, clock):
    book.follow([model(CHEAP)])
    clock.advance(days=1)

    book.follow([model(OWN)])

    assert usual(book.prices()["gpt"]) == usual(OWN)
    assert usual(book.price_at(model(None), clock() - DAY)) == usual(CHEAP)
    assert book.proposals([model(OWN)]) == []


def test_the_file_is_asked_about_where_an_administrator_had_entered_a_price(book, clock):
    book.follow([model(CHEAP)])
    price = NewPrice(model_id="gpt", prices=DEAR, valid_from=clock(), reason="our contract")
    book.enter(price, offered=CHEAP, actor_id="ann")

    assert book.proposals([model(CHEAP)]) == []
    book.follow([model(OWN)])
    assert usual(book.prices()["gpt"]) == usual(DEAR)
    assert len(book.proposals([model(OWN)])) == 1


def test_following_again_enters_nothing(book, database):
    for _ in range(3):
        book.follow([model(CHEAP), model(OWN, "own")])

    assert database.fetch_one("select count(*) as n from price_sheets") == {"n": 2}


def test_a_price_of_the_future_waits_for_its_day(book, clock):
    book.follow([model(CHEAP)])
    price = NewPrice(model_id="gpt", prices=DEAR, valid_from=clock() + DAY, reason="announced")
    book.enter(price, offered=None, actor_id="ann")
    before = book.prices()

    clock.advance(days=1)

    assert usual(before["gpt"]) == usual(CHEAP)
    assert usual(book.prices()["gpt"]) == usual(DEAR)
    assert book.prices() is book.prices()


def test_a_late_price_replaces_another_for_its_time_only(book, clock):
    start = clock()
    book.follow([model(CHEAP)])
    clock.advance(days=10)
    late = NewPrice(
        model_id="gpt", prices=DEAR, valid_from=start + 2 * DAY, valid_to=start + 4 * DAY, reason="the invoice"
    )

    book.enter(late, offered=None, actor_id="ann")

    days = [usual(book.price_at(model(None), start + number * DAY)) for number in range(6)]
    assert days == [usual(CHEAP)] * 2 + [usual(DEAR)] * 2 + [usual(CHEAP)] * 2


def test_a_price_ends_without_another_one_and_the_past_does_not_move(book, database, clock):
    book.follow([model(CHEAP)])
    clock.advance(days=1)

    sheet = book.end("gpt", at=None, reason="no longer sold", offered=CHEAP, actor_id="ann")

    assert (sheet.prices, sheet.valid_from, sheet.source) == (None, clock(), "administrator")
    assert usual(book.price_at(model(CHEAP), clock() - timedelta(seconds=1))) == usual(CHEAP)
    assert book.price_at(model(CHEAP), clock()) is None
    assert book.prices() == {"gpt": None}
    book.follow([model(CHEAP), model(replace(OWN, source="registry"))])
    assert book.proposals([model(CHEAP)]) == []
    (proposal,) = book.proposals([model(DEAR)])
    assert proposal.current is None
    assert PriceBook(database, record=record, clock=clock).sheets() == book.sheets()
    assert list_audit(database)[0].after["reason"] == "no longer sold"


def test_the_end_of_a_price_waits_for_its_day_and_leaves_the_next_one(book, clock):
    book.follow([model(CHEAP)])
    next_one = NewPrice(model_id="gpt", prices=DEAR, valid_from=clock() + 5 * DAY, reason="announced")
    book.enter(next_one, offered=None, actor_id="ann")

    book.end("gpt", at=clock() + 2 * DAY, reason="a pause", offered=None, actor_id="ann")

    days = [usual(book.price_at(model(None), clock() + number * DAY)) for number in range(7)]
    assert days == [usual(CHEAP)] * 2 + [None] * 3 + [usual(DEAR)] * 2
    assert usual(book.prices()["gpt"]) == usual(CHEAP)
    clock.advance(days=3)
    assert book.prices()["gpt"] is None


@pytest.mark.parametrize(
    ("days", "reason", "said"), [(-1, "why not", "ends now or later"), (0, " ", "says why")], ids=["past", "no reason"]
)
def test_an_end_that_breaks_a_rule_is_refused(book, clock, days, reason, said):
    book.follow([model(CHEAP)])

    with pytest.raises(PriceRefused, match=said):
        book.end("gpt", at=clock() + days * DAY, reason=reason, offered=None, actor_id="ann")
    with pytest.raises(PriceRefused, match="No price holds then"):
        book.end("unknown", at=None, reason="why not", offered=None, actor_id="ann")


def test_the_book_is_the_same_after_a_restart(book, database, clock):
    night = OffPeak(hours=(Hours(since=60, until=120, weekdays=frozenset({1, 7}), zone="Asia/Shanghai"),), prices=OWN)
    full = replace(
        CHEAP.with_tier(200_000, input=Decimal(6), cached_input=Decimal("0.000000001")),
        request=Decimal("0.005"),
        off_peak=night,
    )
    book.follow([model(full)])

    again = PriceBook(database, record=record, clock=clock)

    assert again.sheets() == book.sheets()
    assert again.prices()["gpt"].tiers[0].prices.cached_input == Decimal("0.000000001")
    assert again.prices()["gpt"].off_peak.hours == night.hours
    assert again.proposals([model(full)]) == []


def test_a_price_of_float_noise_is_not_a_change(book):
    book.follow([model(replace(CHEAP, input=Decimal("0.050000000000000004")))])

    assert book.prices()["gpt"].input == Decimal("0.05")
    assert book.proposals([model(replace(CHEAP, input=Decimal("0.05")))]) == []


def test_every_change_is_in_the_audit_with_who_and_why(book, database):
    book.follow([model(CHEAP)])
    (proposal,) = book.proposals([model(DEAR)])
    book.decline(proposal, reason="a mistake", actor_id="ann")
    book.accept(proposal, reason="no mistake", actor_id="ann")

    entries = {entry.action: entry for entry in list_audit(database)}
    assert set(entries) == {"price.fill", "price.decline", "price.accept"}
    assert entries["price.decline"].after == {"offered": {"input": "3", "output": "15"}, "reason": "a mistake"}
    accepted = entries["price.accept"]
    assert (accepted.actor_id, accepted.before["input"], accepted.after["input"]) == ("ann", "0.4", "3")
    assert (accepted.after["version"], accepted.after["reason"]) == (2, "no mistake")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": " "}, "says why"),
        ({"valid_to": datetime(2020, 1, 1)}, "end before it begins"),  # noqa: DTZ001 - naive UTC
        ({"prices": replace(OWN, output=Decimal(-1))}, "no price for output"),
        ({"prices": replace(OWN, input=Decimal(1_000_001))}, "no price for input"),
    ],
)
def test_a_price_that_breaks_a_rule_is_refused(book, clock, changed, said):
    price = NewPrice(model_id="gpt", prices=OWN, valid_from=clock(), reason="why not")

    with pytest.raises(PriceRefused, match=said):
        book.enter(replace(price, **changed), offered=None, actor_id="ann")
    assert book.sheets() == {}


def test_five_hundred_models_are_entered_in_one_go(book):
    book.follow([model(replace(CHEAP, input=Decimal(number)), f"model-{number}") for number in range(500)])

    assert len(book.prices()) == 500
    assert book.prices()["model-321"].input == 321


def test_a_store_that_fails_leaves_the_models_with_their_own_prices(book, database, clock):
    database.close()

    book.follow([model(CHEAP)])

    assert book.price_at(model(CHEAP), clock()) == CHEAP
