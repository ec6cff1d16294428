"""Counters of two replicas through a real Redis: decided together, told to each other, and alone while it is away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.catalog.rate_limits import HeardLimits
from core.costs.counters import Counters, Entry
from core.costs.rates import Lane
from core.costs.spending import Paid, Purse
from core.errors import ErrorClass, LimitReached, SettingsError
from core.providers.circuit import Circuits
from core.shared.redis_journal import RedisJournal, answers
from tests.support.live_server import free_port
from tests.support.redis_server import RedisServer, redis_server
from tests.support.turns import wait_until

NOW = datetime.now(UTC).replace(tzinfo=None)
PURSE = Purse("month", None, Decimal(1))
LANE = Lane(limit_id="limit", user_id="", model_id=None, requests=10, tokens=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    journal: RedisJournal
    counters: Counters
    tokens: Counters
    circuits: Circuits
    heard: HeardLimits

    def ask(self, turn_id: str, usd: str | None = "0.1", *, lanes=()) -> bool:
        """Whether a call passes a hard budget of one dollar and the windows."""
        cost_usd = None if usd is None else Decimal(usd)
        entry = Entry(turn_id=turn_id, user_id="ann", cost_usd=cost_usd, tokens=10, at=NOW, lanes=lanes)

        def check() -> None:
            spending, windows = self.counters.spending, self.counters.windows
            if windows.full(lanes, tokens=10, now=NOW) or (
                cost_usd and spending.short(turn_id, user_id="ann", cost_usd=cost_usd, purses=[PURSE], now=NOW)
            ):
                raise LimitReached("budget", "No.", limit_id="limit", next_step="")

        try:
            self.counters.enter(entry, check=check, binding=True)
        except LimitReached:
            return False
        return True

    def grow(self, turn_id: str) -> Decimal:
        """What a turn's call gets more of the dollar, a cent at most."""
        spending = self.counters.spending

        def more() -> Decimal:
            return min(Decimal("0.01"), max(Decimal(0), spending.balance(PURSE, now=NOW).left_usd))

        return self.counters.grow(turn_id, user_id="ann", at=NOW, more=more)

    @property
    def held_usd(self) -> Decimal:
        return self.counters.spending.balance(PURSE, now=NOW).held_usd

    @property
    def spent_usd(self) -> Decimal:
        return self.counters.spending.balance(PURSE, now=NOW).spent.usd


@contextmanager
def replica(server: RedisServer, name: str) -> Iterator[Replica]:
    journal = RedisJournal(server.url, replica_id=name)
    made = Replica(
        journal=journal,
        counters=Counters(zone=UTC, journal=journal),
        tokens=Counters(zone=UTC, journal=journal, of="token_"),
        circuits=Circuits(journal=journal),
        heard=HeardLimits(journal=journal),
    )
    journal.on_return(made.counters.tell_holds)
    journal.on_return(lambda: journal.tell({"kind": "hello"}))
    journal.start()
    try:
        yield made
    finally:
        journal.close()


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(name="pair")
def _pair(server) -> Iterator[tuple[Replica, Replica]]:
    import redis  # noqa: PLC0415 - skipped without a server

    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    with ExitStack() as stack:
        yield stack.enter_context(replica(server, "one")), stack.enter_context(replica(server, "two"))


def test_twenty_calls_at_once_on_two_replicas_hold_no_more_than_there_is(pair):
    with ThreadPoolExecutor(20) as threads:
        passed = list(threads.map(lambda number: pair[number % 2].ask(f"turn {number}"), range(20)))

    assert sum(passed) == 10
    assert [wait_until(lambda one=one: one.held_usd == Decimal(1)) for one in pair] == [True, True]


def test_calls_that_grow_on_two_replicas_take_no_more_than_there_is(pair):
    assert [pair[number % 2].ask(f"turn {number}", "0.02") for number in range(20)] == [True] * 20

    def grow(number):
        return sum(iter(lambda: pair[number % 2].grow(f"turn {number}"), 0))

    with ThreadPoolExecutor(20) as threads:
        grown = sum(threads.map(grow, range(20)))

    assert grown == Decimal("0.6")
    assert [wait_until(lambda one=one: one.held_usd == Decimal(1)) for one in pair] == [True, True]


def test_a_rate_limit_counts_the_requests_of_both(pair):
    passed = [pair[number % 2].ask(f"turn {number}", None, lanes=[LANE]) for number in range(12)]

    assert passed == [True] * 10 + [False] * 2


def test_what_a_turn_cost_takes_the_place_of_what_it_held_everywhere(pair):
    one, two = pair
    assert one.ask("turn", "0.9")
    assert not two.ask("other", "0.5")

    one.counters.settle("turn", [Paid("ann", NOW, Decimal("0.2"))], tokens={"gpt": 50})

    assert wait_until(lambda: two.spent_usd == Decimal("0.2"))
    assert (two.held_usd, two.ask("other", "0.5")) == (0, True)


def test_people_and_tokens_are_counted_in_one_journal_and_apart(pair):
    one, two = pair
    entry = Entry(turn_id="turn", user_id="token", cost_usd=Decimal("0.3"), tokens=0, at=NOW)

    one.tokens.enter(entry, check=lambda: None, binding=True)
    assert wait_until(lambda: two.tokens.spending.balance(PURSE, now=NOW).held_usd == Decimal("0.3"))
    one.tokens.settle("turn", [Paid("token", NOW, Decimal("0.2"))], tokens={})
    assert wait_until(lambda: two.tokens.spending.balance(PURSE, now=NOW).left_usd == Decimal("0.8"))

    assert (two.held_usd, two.spent_usd, one.held_usd, one.spent_usd) == (0, 0, 0, 0)


def test_a_model_that_fails_on_one_replica_is_left_alone_by_the_other(pair):
    one, two = pair
    one.circuits.fail("gpt", ErrorClass.RATE_LIMIT, retry_after_s=60)

    assert wait_until(lambda: not two.circuits.enter("gpt"))
    assert two.circuits.state("gpt").reason == "429"


def test_what_a_provider_says_is_left_is_known_to_both(pair):
    one, two = pair
    one.heard.hear("gpt", {"x-ratelimit-remaining-requests": "7", "x-ratelimit-limit-requests": "100"})

    assert wait_until(lambda: two.heard.headroom("gpt") is not None)
    assert two.heard.headroom("gpt") == one.heard.headroom("gpt")


def test_a_replica_that_joins_hears_what_is_held_and_open(pair, server):
    one, two = pair
    assert one.ask("turn", "0.9")
    two.circuits.fail("gpt", ErrorClass.RATE_LIMIT, retry_after_s=600)

    with replica(server, "three") as three:
        assert wait_until(lambda: three.held_usd == Decimal("0.9") and not three.circuits.enter("gpt"))
        # The first one goes: what it held goes with it.
        three.counters.forget(["one"])
        assert three.held_usd == 0


def test_without_redis_each_goes_on_alone_and_they_meet_again(pair, server, caplog):
    one, two = pair
    assert one.ask("before", "0.4")

    server.kill()
    alone = [one.ask("alone", "0.5"), two.ask("alone too", "0.5"), one.ask("too much", "0.2")]
    away = [one.journal.available, two.journal.available]
    server.start()

    assert (alone, away) == ([True, True, False], [False, False])
    assert wait_until(lambda: one.held_usd == two.held_usd == Decimal("1.4"))
    assert [one.journal.available, two.journal.available] == [True, True]
    assert not one.ask("more")
    said = [record.message for record in caplog.records if "Redis" in record.message]
    assert sum("does not answer" in message for message in said) == 2
    assert sum("answers again" in message for message in said) == 2


def test_the_doctor_knows_whether_redis_answers(server):
    assert answers(server.url)
    assert not answers(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(SettingsError, match="SWITCHBOARD_REDIS"):
        answers(server.url.replace("/0", "/9999"))


def test_a_redis_that_refuses_stops_the_start(server):
    journal = RedisJournal(server.url.replace("/0", "/9999"), replica_id="one")

    with pytest.raises(SettingsError, match="SWITCHBOARD_REDIS"):
        journal.start()
