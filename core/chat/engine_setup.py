"""What a turn engine is built from, and the building of its parts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core.catalog.models import ModelSpec
from core.chat.allowance import Limits, Unlimited
from core.chat.answer_cache import AnswerCache
from core.chat.asking import Asking
from core.chat.beginning import Beginning
from core.chat.elsewhere import Elsewhere, Nowhere
from core.chat.live_turn import LiveTurn
from core.chat.tool_steps import ToolRunner
from core.chat.turn_record import begin_script_turns
from core.chat.turn_writer import TurnWriter
from core.clock import Clock, utc_now
from core.costs.pricing import PriceAt, own_price
from core.providers.circuit import Circuits
from core.providers.gateway import Gateway
from core.store.database import Database
from core.store.files import FileStore
from core.store.together import Together
from core.tools.tool import TOOL_LIMITS, Tool, ToolLimits


def _refuse_nobody(_model: ModelSpec, _user_id: str) -> None:
    """Everybody may call every model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetup:
    """What an engine needs to know; what has a default can be left out.

    `refuse` raises TurnRefused for a model that a user may not have called now (no key, switched off, not open to
    them). `sleep` waits between two attempts. `on_close` runs on the loop before it ends: the place to close
    connections that a gateway keeps for reuse there. `files` holds what is attached to messages. `after_answer` runs
    beside the turns when one has ended and its readers have been told. `price_at` says what a call costs that ended at
    a moment. `limits` are budgets and rate limits, which every call has to pass. `tools` are those that models may
    call. `elsewhere` knows the turns of other replicas on the same store.
    """

    database: Database
    gateway: Gateway
    find_model: Callable[[str], ModelSpec | None]
    refuse: Callable[[ModelSpec, str], None] = _refuse_nobody
    stall_s: float = 30.0
    # Under the two seconds that a crash may cost.
    checkpoint_s: float = 1.5
    clock: Clock = utc_now
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    on_close: Callable[[], Awaitable[object]] | None = None
    files: FileStore | None = None
    after_answer: Callable[[LiveTurn], Coroutine[Any, Any, None]] | None = None
    price_at: PriceAt = own_price
    limits: Limits = field(default_factory=Unlimited)
    tools: Sequence[Tool] = ()
    tool_limits: ToolLimits = TOOL_LIMITS
    circuits: Circuits | None = None
    elsewhere: Elsewhere = field(default_factory=Nowhere)


def build_asking(setup: EngineSetup, cache: AnswerCache) -> Asking:
    """What asks models, with threads of its own for tools."""
    threads = ThreadPoolExecutor(4, thread_name_prefix="tool")
    return Asking(
        gateway=setup.gateway,
        cache=cache,
        circuits=setup.circuits or Circuits(clock=setup.clock),
        find_model=setup.find_model,
        refuse=setup.refuse,
        clock=setup.clock,
        stall_s=setup.stall_s,
        sleep=setup.sleep,
        chance=random.random,
        limits=setup.limits,
        tools=ToolRunner(tools=setup.tools, limits=setup.tool_limits, threads=threads),
        price_at=setup.price_at,
    )


def build_beginning(setup: EngineSetup, asking: Asking) -> Beginning:
    """What stores the question of a turn."""
    begin_scripts = partial(begin_script_turns, setup.database)
    return Beginning(
        database=setup.database,
        files=setup.files,
        asking=asking,
        clock=setup.clock,
        owner=setup.elsewhere.owner,
        script_turns=Together(begin_scripts, one_by_one=setup.database.is_shared),
    )


def build_writer(setup: EngineSetup, cache: AnswerCache) -> TurnWriter:
    """What stores a turn's checkpoints and its end."""
    return TurnWriter(
        database=setup.database,
        cache=cache,
        checkpoint_s=setup.checkpoint_s,
        clock=setup.clock,
        price_at=setup.price_at,
        limits=setup.limits,
        owned=setup.elsewhere.owner is not None,
    )
