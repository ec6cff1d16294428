"""Taking the demo team out of the store again, row by row as it was noted."""

from __future__ import annotations

from collections.abc import Mapping

from core.store.attempt_rows import take_out_rows
from core.store.database import Cursor, Database
from core.store.sql import load_queries

# The tables that rows of the demo stand in, and the column that tells them.
TABLES = {
    "users": "id",
    "user_groups": "id",
    "group_members": "group_id",
    "budgets": "id",
    "conversations": "id",
    "messages": "id",
    "turns": "id",
    "attempts": "id",
    "feedback": "message_id",
}
# What grew on those rows while somebody looked at the demo: a table, its column, and the table of the rows that it is
# about. What the demo's people began later goes with them; what they asked real models stays in the ledger, because it
# was paid for, and the audit stays as well.
GROWN = (
    *(
        (table, "conversation_id", "conversations")
        for table in (
            "search_texts",
            "search_state",
            "branch_leaves",
            "conversation_parameters",
            "summaries",
            "shares",
            "messages",
            "turns",
            "feedback",
            "comparison_columns",
            "run_answers",
            "machine_judgements",
        )
    ),
    ("adjustments", "attempt_id", "attempts"),
    ("run_prompts", "run_id", "set_runs"),
    ("set_jobs", "run_id", "set_runs"),
    ("set_runs", "id", "set_runs"),
    ("set_prompts", "set_id", "prompt_sets"),
    ("prompt_sets", "id", "prompt_sets"),
    *(
        (table, "user_id", "users")
        for table in (
            "comparisons",
            "comparison_continuations",
            "blind_rounds",
            "votes",
            "answer_cache",
            "preferences",
            "api_tokens",
            "group_claims",
            "group_members",  # of groups that are not the demo's
            "refusals",
        )
    ),
    *((table, "owner_id", "users") for table in ("line_ups", "presets", "prompts")),
    # Limits of those who are gone bind nobody.
    *((table, "subject", about) for table in ("budgets", "rate_limits") for about in ("users", "user_groups")),
)

_SQL = load_queries("demo")


def remove(database: Database) -> Mapping[str, int]:
    """Take out everything that was made, and what grew on it. Returns how many rows that were made went, by table."""

    def work(cur: Cursor) -> dict[str, int]:
        for query in ("note_later_conversations", "note_later_runs", "note_later_prompt_sets"):
            cur.execute(_SQL[query])
        counts = {table: count for table in TABLES if (count := _take_out(cur, table))}
        for table, column, about in GROWN:
            _delete_grown(cur, table, column=column, about=about)
        cur.execute(_SQL["forget_demo_rows"])
        return counts

    return database.transaction(work)


def _take_out(cur: Cursor, table: str) -> int:
    # Names of our own, not of anybody who types.
    made = f"{TABLES[table]} in (select row_id from demo_rows where table_name = $table)"  # noqa: S608
    counted = cur.fetch_one(f"select count(*) as rows from {table} where {made}", table=table)  # noqa: S608
    if table == "attempts":
        take_out_rows(cur, made, table=table)
    else:
        cur.execute(f"delete from {table} where {made}", table=table)  # noqa: S608
    return int(counted["rows"]) if counted else 0


def _delete_grown(cur: Cursor, table: str, *, column: str, about: str) -> None:
    # Names of our own, not of anybody who types.
    cur.execute(
        f"delete from {table} where {column} in (select row_id from demo_rows where table_name = $about)",  # noqa: S608
        about=about,
    )
