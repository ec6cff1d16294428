"""What Switchboard holds about a person: handed out as one file, or deleted.

The ledger's rows stay after a deletion, because what was spent was spent: they hold figures, models, parameters and
times, and no text of any conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.accounts.audit import record
from core.accounts.groups import group_names
from core.accounts.preferences import load_preferences
from core.accounts.users import User
from core.chat.attachment_care import export_attachments, hashes_of_user, remove_unnamed
from core.chat.exchange import header, to_document
from core.chat.export import load_parcels, to_json
from core.chat.presets import list_presets
from core.clock import Clock, utc_now
from core.errors import SwitchboardError
from core.store.database import Cursor, Database, Row
from core.store.files import FileStore
from core.store.sql import load_queries

_SQL = load_queries("own_data")
# In this order: messages are found through their conversations.
_DELETIONS = (
    "delete_feedback",
    "delete_votes",
    "delete_blind_rounds",
    "delete_branch_leaves",
    "delete_summaries",
    "delete_messages",
    "delete_search_texts",
    "delete_search_state",
    "delete_turns",
    "delete_conversation_parameters",
    "delete_conversations",
    "delete_kept_answers",
    "delete_presets",
    "delete_prompts",
    "delete_shares",
    "delete_comparison_columns",
    "delete_comparisons",
    "delete_continuations",
    "delete_line_ups",
    "delete_machine_judgements",
    "delete_run_answers",
    "delete_run_prompts",
    "delete_set_jobs",
    "delete_set_runs",
    "delete_set_prompts",
    "delete_prompt_sets",
    "delete_preferences",
)


def export_data(database: Database, user: User, *, files: FileStore | None = None, clock: Clock = utc_now) -> bytes:
    """Everything of this person as JSON in UTF-8.

    That is the profile, preferences, presets, conversations and comparisons with their messages, feedback, the
    ledger's figures, and the attached files that `files` holds. Times are UTC, money is decimal text in US dollars.
    """
    with database.cursor() as cur:
        read = {name: cur.fetch_all(_SQL[f"export_{name}"], user_id=user.id) for name in _EXPORTED}
    presets = [preset for preset in list_presets(database, user_id=user.id) if preset.own]
    exported = {
        **header(clock()),
        "profile": {
            **{name: getattr(user, name) for name in ("username", "display_name", "email", "role", "created_at")},
            "groups": group_names(database, user.id),
        },
        "preferences": load_preferences(database, user.id),
        "presets": [
            {name: getattr(preset, name) for name in ("name", "model_id", "parameters", "shared")} for preset in presets
        ],
        "conversations": [to_document(parcel) for parcel in load_parcels(database, user_id=user.id, removed=True)],
        "comparisons": _comparisons(database, user, read),
        "line_ups": [{**row, "entries": json.loads(row["entries"])} for row in read["line_ups"]],
        "prompt_sets": _prompt_sets(read),
        "prompt_set_runs": read["set_runs"],
        "prompt_set_answers": _set_answers(database, user, read),
        "machine_judgements": read["machine_judgements"],
        "attachments": [] if files is None else export_attachments(database, files, user_id=user.id),
        "prompts": read["prompts"],
        "shared_links": read["shares"],
        "feedback": read["feedback"],
        "votes": read["votes"],
        "summaries": read["summaries"],
        "ledger": [{**row, "parameters": json.loads(row["parameters"])} for row in read["attempts"]],
    }
    return to_json(exported)


_EXPORTED = (
    "attempts",
    "summaries",
    "feedback",
    "prompts",
    "shares",
    "votes",
    "comparisons",
    "columns",
    "line_ups",
    "prompt_sets",
    "set_prompts",
    "set_runs",
    "run_answers",
    "machine_judgements",
)


def _prompt_sets(read: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Every set with its prompts in order."""
    return [
        {
            **kept,
            "prompts": [
                {"category": prompt["category"], "turns": json.loads(prompt["turns"])}
                for prompt in read["set_prompts"]
                if prompt["set_id"] == kept["id"]
            ],
        }
        for kept in read["prompt_sets"]
    ]


def _set_answers(database: Database, user: User, read: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """What models answered to sets, each as a conversation of the exchange format."""
    if not read["run_answers"]:
        return []
    parcels = load_parcels(database, user_id=user.id, removed=True, compared=True)
    said = {parcel.id: to_document(parcel) for parcel in parcels}
    return [{**row, "conversation": said.get(row["conversation_id"])} for row in read["run_answers"]]


def _comparisons(database: Database, user: User, read: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Every comparison with its columns, each with its messages as a conversation of the exchange format."""
    parcels = load_parcels(database, user_id=user.id, removed=True, compared=True)
    said = {parcel.id: to_document(parcel) for parcel in parcels}
    return [
        {
            **comparison,
            "columns": [
                {
                    **{name: column[name] for name in ("kind", "model_id", "model_label")},
                    "parameters": json.loads(column["parameters"]),
                    "sources": json.loads(column["sources"] or "[]"),
                    "conversation": said.get(column["conversation_id"]),
                }
                for column in read["columns"]
                if column["comparison_id"] == comparison["id"]
            ],
        }
        for comparison in read["comparisons"]
    ]


def delete_data(database: Database, user: User, *, files: FileStore | None = None, clock: Clock = utc_now) -> None:
    """Delete a person's conversations, kept answers, presets, parameters and preferences for good. Leaves an audit row.

    The files of their messages go from `files`, but for those that somebody else sent as well.

    The account and the ledger's figures stay. Raises SwitchboardError while an answer is being written.
    """

    def work(cur: Cursor) -> None:
        if _count(cur, "running_turns", user):
            raise SwitchboardError(
                "An answer of yours is still being written. Nothing was deleted.",
                next_step="Stop it or wait for its end, then delete.",
            )
        gone = {
            "conversations": _count(cur, "count_conversations", user),
            "presets": _count(cur, "count_presets", user),
        }
        for statement in _DELETIONS:
            cur.execute(_SQL[statement], user_id=user.id)
        record(cur, actor_id=user.id, action="data.delete", subject=user.username, before=gone, clock=clock)

    hashes = hashes_of_user(database, user_id=user.id)
    database.transaction(work)
    if files is not None:
        remove_unnamed(database, files, hashes)


def _count(cur: Cursor, statement: str, user: User) -> int:
    row = cur.fetch_one(_SQL[statement], user_id=user.id)
    return int(next(iter(row.values()))) if row else 0
