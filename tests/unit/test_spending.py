"""Counters of what is spent and held: sums, holds, and readings of the ledger that meet turns on their way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.costs.counters import Counters
from core.costs.periods import PERIODS, period_start
from core.costs.spending import Counted, Paid, Purse, Spending, Sum

NOW = datetime(2026, 11, 25, 12, 0)  # noqa: DTZ001 - naive UTC
MONTH = Purse("month", ("ann",), Decimal(10))
ALL = Purse("month", None, Decimal(10))
AMOUNTS = st.decimals(min_value=0, max_value=1000, places=9)
ROWS = st.lists(
    st.builds(
        Paid,
        user_id=st.sampled_from(("ann", "bob", "eve")),
        started_at=st.datetimes(
            min_value=datetime(2026, 10, 1),  # noqa: DTZ001 - naive UTC
            max_value=NOW,
        ),
        cost_usd=st.none() | AMOUNTS,
    ),
    max_size=30,
)


def hold(spending, turn_id, usd, *, user_id="ann", purses=(MONTH,), instead=False):
    """How the purses stand where one has too little; else the turn holds the call, as `Counters` lets one pass."""
    cost_usd = Decimal(usd)
    balances = spending.short(turn_id, user_id=user_id, cost_usd=cost_usd, purses=purses, now=NOW, instead=instead)
    if balances is None:
        spending.put(turn_id, user_id=user_id, calls=spending.calls_with(turn_id, cost_usd, instead=instead))
    return balances


def paid(usd, *, user_id="ann", at=NOW):
    return Paid(user_id, at, None if usd is None else Decimal(usd))


@given(rows=ROWS, period=st.sampled_from(PERIODS), payers=st.none() | st.sets(st.sampled_from(("ann", "bob"))))
def test_a_balance_is_the_sum_of_the_rows_of_its_period_and_people(rows, period, payers):
    spending = Spending(zone=UTC)
    for number, row in enumerate(rows):
        spending.settle(f"turn {number}", [row])

    balance = spending.balance(Purse(period, payers, Decimal(0)), now=NOW)

    start = period_start(NOW, period, UTC)
    counted = [row for row in rows if row.started_at >= start and (payers is None or row.user_id in payers)]
    assert balance.spent.usd == sum((row.cost_usd for row in counted if row.cost_usd is not None), Decimal(0))
    assert balance.spent.unpriced == sum(row.cost_usd is None for row in counted)


@given(estimates=st.lists(AMOUNTS, max_size=20), amount=AMOUNTS)
def test_holds_never_exceed_what_is_there(estimates, amount):
    spending = Spending(zone=UTC)
    purse = Purse("day", None, amount)
    held = [
        usd for number, usd in enumerate(estimates) if hold(spending, f"turn {number}", usd, purses=(purse,)) is None
    ]

    balance = spending.balance(purse, now=NOW)

    assert balance.held_usd == sum(held, Decimal(0)) <= amount
    assert balance.left_usd == amount - balance.held_usd


@given(
    amount=st.decimals(min_value=1, max_value=100, places=9),
    calls=st.lists(
        st.tuples(st.decimals(min_value=0, max_value=5, places=9), st.decimals(min_value=0, max_value=50, places=9)),
        min_size=1,
        max_size=20,
    ),
    stretch=st.decimals(min_value=Decimal("0.1"), max_value=2, places=9),
)
def test_calls_that_grow_by_turns_spend_no_more_than_there_is(amount, calls, stretch):
    """Estimates may be as wrong as they like: each call takes what it holds, and more only when it gets it."""
    counters = Counters(zone=UTC)
    purse = Purse("day", None, amount)

    def left():
        return counters.spending.balance(purse, now=NOW).left_usd

    running = {}
    for number, (estimate, cost) in enumerate(calls):
        if hold(counters.spending, f"turn {number}", estimate, purses=(purse,)) is None:
            running[f"turn {number}"] = [estimate, cost]
    taken = {turn: min(estimate, cost) for turn, (estimate, cost) in running.items()}
    going = {turn for turn, (estimate, cost) in running.items() if cost > estimate}
    while going:
        for turn in sorted(going):
            granted = counters.grow(turn, user_id="ann", at=NOW, more=lambda: min(stretch, max(left(), Decimal(0))))
            running[turn][0] += granted
            taken[turn] = min(running[turn][0], running[turn][1])
            if not granted or taken[turn] == running[turn][1]:
                going.remove(turn)
        assert left() >= 0
    for turn, usd in taken.items():
        counters.settle(turn, [paid(usd)], tokens={})

    balance = counters.spending.balance(purse, now=NOW)
    assert (balance.spent.usd, balance.held_usd) == (sum(taken.values()), 0)
    assert balance.spent.usd <= amount
    # Nobody got less than was promised, and nothing was kept from those who wanted more.
    for turn, (_, cost) in running.items():
        assert taken[turn] >= min(calls[int(turn.split()[1])][0], cost)


def test_a_hold_that_comes_after_its_turn_has_settled_is_none():
    counters = Counters(zone=UTC)
    assert hold(counters.spending, "turn", 2) is None
    counters.settle("turn", [paid(1)], tokens={})

    # On a thread that nobody waits for any more.
    counters.grow("turn", user_id="ann", at=NOW, more=lambda: Decimal(3))
    hold(counters.spending, "turn", 2)

    assert counters.spending.balance(MONTH, now=NOW).held_usd == 0


def test_a_call_that_does_not_fit_holds_nothing_and_is_told_how_every_purse_stands():
    spending = Spending(zone=UTC)
    assert hold(spending, "one", 8, purses=(MONTH, ALL)) is None

    balances = hold(spending, "two", 3, purses=(MONTH, ALL))

    assert [balance.left_usd for balance in balances or ()] == [2, 2]
    assert spending.balance(MONTH, now=NOW).held_usd == 8


def test_another_call_of_a_turn_holds_more_and_one_instead_takes_the_last_ones_place():
    spending = Spending(zone=UTC)
    hold(spending, "turn", 2)
    hold(spending, "turn", 3)
    assert spending.balance(MONTH, now=NOW).held_usd == 5

    assert hold(spending, "turn", 8, instead=True) is None
    assert spending.balance(MONTH, now=NOW).held_usd == 10
    assert hold(spending, "turn", 9, instead=True) is not None
    assert spending.balance(MONTH, now=NOW).held_usd == 10


def test_settling_takes_the_holds_place_in_one_step():
    spending = Spending(zone=UTC)
    hold(spending, "turn", 2)

    spending.settle("turn", [paid("0.5"), paid(None)])

    balance = spending.balance(MONTH, now=NOW)
    assert (balance.spent, balance.held_usd) == (Sum(Decimal("0.5"), 1), 0)


def test_what_is_released_was_never_held():
    spending = Spending(zone=UTC)
    hold(spending, "turn", 2)
    spending.release("turn")
    spending.release("turn")

    assert spending.balance(MONTH, now=NOW).held_usd == 0
    assert spending.people(now=NOW) == set()


def test_a_new_period_begins_at_nothing_without_reading_anything():
    spending = Spending(zone=UTC)
    spending.settle("turn", [paid(4)])

    later = NOW + timedelta(days=10)
    assert spending.balance(MONTH, now=later).spent.usd == 0
    # An answer that began in November is November's, whenever it ends.
    spending.settle("late", [paid(1)])
    assert spending.balance(MONTH, now=later).spent.usd == 0
    assert spending.balance(MONTH, now=NOW).spent.usd == 5


def counted(usd, *turns):
    sums = {(period, period_start(NOW, period, UTC)): {"ann": Sum(Decimal(usd))} for period in PERIODS}
    return Counted(sums=sums, turns=frozenset(turns))


def test_a_turn_that_ends_while_the_ledger_is_read_counts_once_whether_or_not_it_was_seen():
    spending = Spending(zone=UTC)

    def read(_zone):
        spending.settle("seen", [paid(1)])
        spending.settle("too late", [paid(2)])
        return counted(1, "seen")

    spending.recount(read)

    assert spending.balance(MONTH, now=NOW).spent.usd == 3


def test_a_turn_whose_rows_were_read_before_it_settled_counts_once():
    spending = Spending(zone=UTC)
    hold(spending, "turn", 2)
    spending.recount(lambda _zone: counted(1, "turn"))

    spending.settle("turn", [paid(1)])

    balance = spending.balance(MONTH, now=NOW)
    assert (balance.spent.usd, balance.held_usd) == (1, 0)


def test_a_reading_that_fails_leaves_everything_as_it_was():
    spending = Spending(zone=UTC)
    spending.settle("turn", [paid(4)])

    def read(_zone):
        spending.settle("meanwhile", [paid(1)])
        raise OSError("the disk is gone")

    try:
        spending.recount(read)
    except OSError as error:
        raised = str(error)
    assert raised == "the disk is gone"
    assert spending.balance(MONTH, now=NOW).spent.usd == 5
