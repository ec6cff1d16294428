"""`python -m bench.search`: how long a search takes over 100,000 messages of one person.

The messages are made inside DuckDB in some seconds, questions of 20 words and answers of 150, fifty to a conversation,
in the order of time; `--people` adds as many for each other person, in turns. Target: at most 100 ms for a word, two
words, a phrase, a word that is everywhere, and a search narrowed to a model and a time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from core.chat.search import find_conversations, find_messages, index_changed
from core.chat.search_query import parse_query
from core.store.database import Database
from core.store.migrate import migrate

TARGET_MS = 100.0
_MESSAGES = 100_000
_VOCABULARY = 20_000
_BODIES = 20_000
_LETTERS = "abcdefghijklmnoprstuvé"
_START = "2026-01-01 00:00:00"

# Words as Zipf has them: the n-th is about 1/n as frequent as the first.
_WORDS = """
create temp table bodies as
select i, string_agg(word, ' ') || ' in the end.' as content
from (
    select i, floor(pow($vocabulary, (hash(i * 1000 + k) % 1000003) / 1000003.0))::integer - 1 as n
    from range($bodies) as body(i), lateral (select unnest(range(case when i % 2 = 0 then 20 else 150 end)) as k)
) join (select unnest($words) as word, unnest(range($vocabulary)) as n) using (n)
group by i"""
_CONVERSATIONS = """
insert into conversations (id, user_id, title, title_source, model_id, created_at, updated_at, tags)
select 'conversation-' || i, 'user-' || i % $people, 'Conversation ' || i || ' about a plan', 'auto', 'model-1',
    $start::timestamp + to_seconds(i * 3000), $start::timestamp + to_seconds(i * 3000 + 2940),
    case when i % 10 = 0 then 'work' end
from range($messages // 50) as numbers(i)"""
_FILL = """
insert into messages (
    id, conversation_id, turn_id, role, content, status, requested_model, served_model, model_label, created_at
)
select lpad(number::varchar, 36, '0'), 'conversation-' || number // 50, 'turn-' || number // 2,
    case when number % 2 = 0 then 'user' else 'assistant' end, content, 'complete', model, model, model,
    $start::timestamp + to_seconds(number * 60)
from (
    select number, content, case when number % 2 = 1 then 'model-' || number // 50 % 7 end as model
    from range($messages) as numbers(number) join bodies on bodies.i = number % $bodies
)
order by number"""


def main() -> int:
    """Build, measure, print; 1 when a search misses the target."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        database = Database(f"duckdb:{Path(folder) / 'bench.duckdb'}")
        migrate(database)
        words = fill(database, options.people)
        medians = [measure(database, text, options.repetitions) for text in searches(words)]
        database.close()
    return 1 if max(medians) > TARGET_MS else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--people", type=int, default=1, help=f"people in the store, with {_MESSAGES:,} messages each")
    parser.add_argument("--repetitions", type=int, default=11)
    return parser.parse_args()


def fill(database: Database, people: int) -> list[str]:
    """Make the messages, print how long the index takes to take them in, and return the words they are made of."""
    generator = random.Random(1)
    words = ["".join(generator.choices(_LETTERS, k=generator.randint(2, 9))) for _ in range(_VOCABULARY)]
    messages = _MESSAGES * people
    with database.cursor() as cur:
        cur.execute(_WORDS, words=words, vocabulary=_VOCABULARY, bodies=_BODIES)
        cur.execute(_CONVERSATIONS, people=people, messages=messages, start=_START)
        cur.execute(_FILL, messages=messages, bodies=_BODIES, start=_START)
    _timed(f"taking in {messages:,} messages", 1, lambda: _take_in(database, people))
    database.execute("checkpoint")
    return words


def _take_in(database: Database, people: int) -> None:
    for number in range(people):
        while index_changed(database, user_id=f"user-{number}"):
            pass


def searches(words: list[str]) -> list[str]:
    """What is looked for."""
    rare, usual, frequent = words[15_000], words[2_000], words[40]
    return [
        rare,
        f"{usual} {frequent}",
        '"in the end"',
        "nowhere-to-be-found",
        f"{frequent} model:model-3 after:2026-01-05 tag:work",
        "model:model-3",
    ]


def measure(database: Database, text: str, repetitions: int) -> float:
    """Print how long a search takes, and return the median in ms."""
    query = parse_query(text, zone=UTC)
    found = find_messages(database, user_id="user-0", query=query)

    def search() -> None:
        find_messages(database, user_id="user-0", query=query)
        find_conversations(database, user_id="user-0", query=query)

    return _timed(f"{text} ({len(found)} shown)", repetitions, search)


def _timed(name: str, repetitions: int, work: Callable[[], object]) -> float:
    samples = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        samples.append((time.perf_counter() - started) * 1000)
    print(f"{name}: {statistics.median(samples):.1f} ms ({min(samples):.1f} to {max(samples):.1f})")
    return statistics.median(samples)


if __name__ == "__main__":
    sys.exit(main())
