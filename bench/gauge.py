"""`python -m bench.gauge`: what the line above the composer costs a run of the page, at 100,000 tokens of history.

A conversation of 200 messages is measured and priced on the chosen model and four others out of 500, as the page does
at every run: when nothing of it was ever counted, when it was, and after one more answer. The draft is priced in the
browser and takes the server nothing. Target: under 30 ms, the first time as well.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.chat.conversation import Message
from core.chat.history_size import count_texts, measure_history
from core.chat.price_strip import others_to_show, quote
from core.clock import utc_now
from core.costs.kept_counts import KeptCounts
from core.costs.output_lengths import DEFAULT_LENGTH
from core.costs.token_count import estimate_tokens
from core.ids import new_id

TARGET_MS = 30.0
_MESSAGES, _TOKENS, _MODELS = 200, 100_000, 500
_WORDS = (
    "the",
    "price",
    "of",
    "every",
    "answer",
    "depends",
    "on",
    "how",
    "long",
    "its",
    "conversation",
    "has",
    "become",
)


def main() -> int:
    """Build, measure, print; 1 when the target is missed."""
    options = _options()
    chance = random.Random(1)
    messages, models = _history(chance), _models()
    estimate_tokens("warm")
    tokens = sum(estimate_tokens(message.content) for message in messages)
    print(f"{len(messages)} messages, {tokens:,} tokens; 5 of {len(models)} models")
    kept = KeptCounts()

    def first() -> None:
        nonlocal kept
        kept.wait()
        kept = KeptCounts()
        timed.append(_ms(lambda: _look(messages, models, kept)))

    timed: list[float] = []
    for _ in range(options.repetitions):
        first()
    worst = _say("the first look, nothing counted yet", timed)
    kept.wait()
    again = [_ms(lambda: _look(messages, models, kept)) for _ in range(options.repetitions)]
    worst = max(worst, _say("every other look", again))
    more = [_ms(lambda: _look([*messages, _message(chance)], models, kept)) for _ in range(options.repetitions)]
    worst = max(worst, _say("after one more answer", more))
    return 1 if worst > TARGET_MS else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gauge", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=31, help="looks of each kind")
    return parser.parse_args()


def _look(messages: Sequence[Message], models: dict[str, ModelSpec], counts: KeptCounts) -> None:
    now = utc_now()
    texts = count_texts(messages, counts)
    own = measure_history(messages, model=models["m0"], texts=texts)
    others = others_to_show(
        "m0", models, favourites=("m7",), use_case="coding", usable=lambda _model: True, tokens=own.tokens
    )
    sizes = [(models["m0"], own), *((model, measure_history(messages, model=model, texts=texts)) for model in others)]
    quotes = [quote(model, size, DEFAULT_LENGTH, now=now) for model, size in sizes]
    assert len(quotes) == 5


def _history(chance: random.Random) -> list[Message]:
    return [_message(chance) for _ in range(_MESSAGES)]


def _message(chance: random.Random) -> Message:
    words = " ".join(chance.choices(_WORDS, k=_TOKENS // _MESSAGES))
    return Message(
        id=new_id(),
        conversation_id="bench",
        parent_id=None,
        turn_id="bench",
        role="user",
        content=words,
        status="complete",
        created_at=utc_now(),
    )


def _models() -> dict[str, ModelSpec]:
    provider = ProviderSpec(id="bench", kind="openai")
    return {
        f"m{number}": ModelSpec(
            id=f"m{number}",
            label=f"Model {number}",
            provider=provider,
            upstream=f"m{number}",
            context_tokens=400_000,
            prices=Prices(input=Decimal(1 + number % 37), output=Decimal(2 + number % 91)),
            use_cases=("coding",) if number % 3 == 0 else (),
        )
        for number in range(_MODELS)
    }


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _say(name: str, samples: Sequence[float]) -> float:
    median = statistics.median(samples)
    print(f"{name}: {median:.1f} ms ({min(samples):.1f} to {max(samples):.1f})")
    return median


if __name__ == "__main__":
    sys.exit(main())
