"""What an answer took, by its rows in hand and by the ledger: the same to the last digit."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.chat.admission import TurnRequest
from core.chat.answer_figures import figures_of
from core.chat.conversation import Message
from core.chat.store import with_figures
from core.chat.turn_record import TurnEnd, TurnIds, begin_turn, end_turns
from core.costs.ledger import Attempt
from core.costs.pricing import Cost
from core.ids import new_id
from core.providers.events import Usage

NOW = datetime.fromisoformat("2026-11-23T12:00:00.123456")


def attempt(ids: TurnIds, chance: random.Random, *, started_at: datetime, status: str) -> Attempt:
    ended_at = started_at + timedelta(microseconds=chance.randrange(1, 9_000_000))
    first_at = started_at + (ended_at - started_at) * chance.random()
    usd, saved = (chance.choice([None, Decimal(chance.randrange(10**12)) / 10**9]) for _ in range(2))
    return Attempt(
        id=new_id(),
        turn_id=ids.turn,
        user_id="ann",
        conversation_id=ids.conversation,
        source="api",
        use_case=None,
        requested_model="gpt",
        served_model="gpt",
        upstream_model=None,
        provider="lab",
        parameters={},
        started_at=started_at,
        first_token_at=chance.choice([None, first_at, ended_at]),
        ended_at=ended_at,
        usage=Usage(
            input_tokens=chance.randrange(10**6),
            output_tokens=chance.randrange(10**6),
            cached_input_tokens=chance.randrange(10**6),
            reasoning_tokens=chance.randrange(10**6),
        ),
        cost=Cost(
            cost_usd=usd,
            code="unpriced" if usd is None else chance.choice(["computed", "reported", "partial"]),
            computed_cost_usd=usd,
            reported_cost_usd=None,
            cache_saved_usd=saved,
        ),
        price_version=None,
        status=status,
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_rows_in_hand_and_the_ledger_say_the_same(database, seed):
    chance = random.Random(seed)
    ids = TurnIds(turn=new_id(), conversation=new_id(), question="", answer=new_id())
    begin_turn(database, TurnRequest(user_id="ann", model_id="gpt", temporary=()), ids=ids, question=None, now=NOW)
    attempts, started_at = [], NOW
    for _ in range(chance.randrange(1, 4)):
        attempts.append(
            attempt(ids, chance, started_at=started_at, status=chance.choice(["ok", "ok", "server", "stopped"]))
        )
        started_at = attempts[-1].ended_at + timedelta(microseconds=chance.randrange(10**6))
    end = TurnEnd(turn_id=ids.turn, status="completed", answer=None, attempts=attempts)
    assert end_turns(database, [end]) == [True]
    answer = Message(
        id=ids.answer,
        conversation_id=ids.conversation,
        parent_id=None,
        turn_id=ids.turn,
        role="assistant",
        content="Hi",
        status="complete",
        created_at=NOW,
    )

    [figured] = with_figures(database, [answer], conversation_id=ids.conversation)

    assert figures_of(attempts) == figured.figures
