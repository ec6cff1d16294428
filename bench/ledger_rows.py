"""A store with a ledger of any size: real token counts of the Azure trace, resampled with a fixed seed.

The trace is Azure/AzurePublicDataset's `AzureLLMInferenceTrace` of 2023 (CC-BY 4.0; Patel et al., "Splitwise: Efficient
generative LLM inference using phase splitting", ISCA 2024). It is not in this repository: it lies beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.store.attempt_rows import take_rows
from core.store.database import Cursor, Database
from core.store.migrate import migrate
from core.store.sql import parse_queries

DAYS = 400
MODELS = 40

_ROOT = Path(__file__).resolve().parents[1]
_SQL = parse_queries(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Trace:
    """The two files of the trace: calls of conversations and calls of coding tools."""

    conversations: Path
    code: Path

    @property
    def missing(self) -> list[Path]:
        """Those files that are not there."""
        return [path for path in (self.conversations, self.code) if not path.is_file()]


def find_trace() -> Trace | None:
    """The trace in `../shared/data`; None where it is not, which is said."""
    folder = _ROOT.parent / "shared" / "data"
    trace = Trace(folder / "azure_llm_trace_2023_conv.csv", folder / "azure_llm_trace_2023_code.csv")
    if trace.missing:
        print(f"Skipped: the trace is not there ({', '.join(str(path) for path in trace.missing)}).")
        return None
    return trace


def build(path: Path, *, rows: int, until: datetime, trace: Trace) -> Database:
    """Make a store at `path` with `rows` attempts in the 400 days before `until`, by 200 people on 40 models.

    People and conversations are made with them, texts are not. The rows are the same for the same `rows` and `until`.
    """
    database = Database(f"duckdb:{path}")
    migrate(database)
    with database.cursor() as cur:
        _fill(cur, rows=rows, begin=until - timedelta(days=DAYS), trace=trace)
    return database


def _fill(cur: Cursor, *, rows: int, begin: datetime, trace: Trace) -> None:
    values = {
        "rows": rows,
        "days": DAYS,
        "begin": begin,
        "conversations": str(trace.conversations),
        "code": str(trace.code),
    }
    threads = cur.fetch_one("select current_setting('threads') as n") or {}
    # A join keeps the order of its left side as long as nobody swaps the sides.
    cur.execute("set disabled_optimizers = 'join_order, build_side_probe_side'")
    cur.execute("reset threads")
    for name, sql in _SQL.items():
        given = {key: value for key, value in values.items() if re.search(rf"\${key}\b", sql)}
        if name == "attempts":
            # By one thread, as the application writes: several leave other pieces behind, and a larger file.
            cur.execute("set threads = 1")
            take_rows(cur, f"({sql})", **given)
        else:
            cur.execute(sql, **given)
    cur.execute("reset disabled_optimizers")
    cur.execute(f"set threads = {threads['n']}")
    cur.execute("checkpoint")


def models() -> list[dict[str, Any]]:
    """The models the calls went to: `id`, `provider`, and prices in USD per million tokens, None where unpriced."""
    with Database("duckdb::memory:").cursor() as cur:
        cur.execute(_SQL["models"])
        return cur.fetch_all(
            "select id, provider, input_usd * 1000000 as input, cached_input_usd * 1000000 as cached_input, "
            "output_usd * 1000000 as output from models order by number"
        )
