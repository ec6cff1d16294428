"""Filling a fresh store with the demo team; every row is noted, so that it can be taken out again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from core.catalog.models import ModelSpec
from core.costs.ledger import Attempt, record_attempts
from core.demo.calls import Question, call, id_at
from core.demo.removal import TABLES
from core.demo.shapes import activity, draw_second_of_day
from core.demo.team import ADMIN, MEMBERS, Member, topics
from core.errors import StoreError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

DAYS = 90

_SQL = load_queries("demo")
_SEED = 20260301
_FROM_A_SCRIPT, _RATED, _BAD = 0.06, 0.12, 0.2

Rows = dict[str, list[dict[str, Any]]]


@dataclass(slots=True)
class _Making:
    """What is being made: rows by table, and the calls."""

    random: Random
    models: Sequence[ModelSpec]
    now: datetime
    rows: Rows = field(default_factory=partial(defaultdict, list))
    attempts: list[Attempt] = field(default_factory=list)


def demo_present(database: Database) -> bool:
    """Whether the store holds the demo, or anything of it."""
    return database.fetch_one(_SQL["any_demo_row"]) is not None


def fill(
    database: Database, *, models: Sequence[ModelSpec], password_hash: str | None, now: datetime
) -> Mapping[str, int]:
    """Make the team and 90 days of its work, in one transaction. Returns how many rows of each table that is.

    `models` are those that may be asked. `now` is naive UTC; the same moment and models give the same team. Raises
    StoreError when the store is not fresh.
    """
    making = _Making(Random(_SEED), models, now)
    _make_people(making, password_hash)
    for days_ago in range(DAYS, -1, -1):
        _make_day(making, days_ago)

    def work(cur: Cursor) -> None:
        used = cur.fetch_one(_SQL["rows_of_a_used_store"])
        if used and used["rows"]:
            raise StoreError(
                "The store is not fresh: it holds people, conversations or calls.",
                next_step="Nothing was changed. Set SWITCHBOARD_DATA_DIR to an empty folder to look at the demo there.",
            )
        for table, rows in making.rows.items():
            cur.append(table, rows)
        record_attempts(cur, making.attempts)
        _note(cur, making)

    database.transaction(work)
    return {**{table: len(rows) for table, rows in making.rows.items()}, "attempts": len(making.attempts)}


def _note(cur: Cursor, making: _Making) -> None:
    noted = {(table, row[TABLES[table]]) for table, rows in making.rows.items() for row in rows}
    noted |= {("attempts", attempt.id) for attempt in making.attempts}
    cur.append("demo_rows", [{"table_name": table, "row_id": row_id} for table, row_id in sorted(noted)])


def _make_people(making: _Making, password_hash: str | None) -> None:
    begun = making.now - timedelta(days=DAYS + 1)
    groups = {name: id_at(begun, making.random) for name in sorted({member.group for member in MEMBERS})}
    for name, group_id in groups.items():
        row = {"id": group_id, "name": name, "name_key": name.casefold(), "created_at": begun}
        making.rows["user_groups"].append(row)
    for member in MEMBERS:
        user_id = id_at(begun, making.random)
        making.rows["users"].append(_user(member, user_id, password_hash, begun))
        making.rows["group_members"].append(
            {"group_id": groups[member.group], "user_id": user_id, "source": "admin", "added_at": begun}
        )
    for subject, amount, hard in ((groups["Engineering"], "12", False), (groups["Support"], "4", True)):
        making.rows["budgets"].append(_budget(making, subject, Decimal(amount), begun, hard=hard))


def _user(member: Member, user_id: str, password_hash: str | None, begun: datetime) -> dict[str, Any]:
    admin = member.username == ADMIN
    return {
        "id": user_id,
        "username": member.username,
        "display_name": member.display_name,
        # Only the administrator can sign in: the others are there to be looked at.
        "password_hash": password_hash if admin else None,
        "role": "admin" if admin else "member",
        "sessions_valid_after": begun,
        "created_at": begun,
    }


def _budget(making: _Making, group_id: str, amount: Decimal, begun: datetime, *, hard: bool) -> dict[str, Any]:
    return {
        "id": id_at(begun, making.random),
        "audience": "group",
        "subject": group_id,
        "shared": True,
        "period": "month",
        "amount_usd": amount,
        "hard": hard,
        "warn_percent": 80,
        "allow_unpriced": True,
        "created_at": begun,
        "updated_at": begun,
    }


def _make_day(making: _Making, days_ago: int) -> None:
    day = (making.now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)
    share = activity(day.weekday(), days_ago=days_ago)
    for member, user in zip(MEMBERS, making.rows["users"], strict=True):
        wanted = member.pace * share * making.random.uniform(0.5, 1.5)
        for _ in range(int(wanted) + (making.random.random() < wanted % 1)):
            begun = day + timedelta(seconds=draw_second_of_day(making.random))
            if begun < making.now - timedelta(hours=1):
                _make_conversation(making, user["id"], begun)


def _make_conversation(making: _Making, user_id: str, begun: datetime) -> None:
    topic = making.random.choice(topics())
    suited = [model for model in making.models if topic.use_case in model.use_cases]
    model = making.random.choice(suited or list(making.models))
    from_a_script = making.random.random() < _FROM_A_SCRIPT
    conversation_id = None if from_a_script else id_at(begun, making.random)
    first = Question(
        turn_id="",
        conversation_id=conversation_id,
        user_id=user_id,
        source="api" if from_a_script else "chat",
        use_case=topic.use_case,
        model=model,
        asked_at=begun,
        depth=0,
    )
    leaf, at = None, begun
    for depth, (asked, told) in enumerate(topic.turns):
        question = replace(first, turn_id=id_at(at, making.random), asked_at=at, depth=depth)
        attempts = call(question, making.models, making.random)
        making.attempts += attempts
        if from_a_script:
            return
        leaf = _make_messages(making, question, attempts, asked=asked, told=told, parent_id=leaf)
        at = attempts[-1].ended_at + timedelta(seconds=making.random.randint(20, 400))
    making.rows["conversations"].append(
        {
            "id": conversation_id,
            "user_id": user_id,
            "title": topic.title,
            "title_source": "auto",
            "model_id": model.id,
            "leaf_message_id": leaf,
            "created_at": begun,
            "updated_at": at,
        }
    )


def _make_messages(
    making: _Making, question: Question, attempts: Sequence[Attempt], *, asked: str, told: str, parent_id: str | None
) -> str:
    last = attempts[-1]
    answered = last.status in {"ok", "stopped"}
    question_id, answer_id = id_at(question.asked_at, making.random), id_at(last.ended_at, making.random)
    common = {"conversation_id": question.conversation_id, "turn_id": question.turn_id}
    answer = _answer(making, question, last, told, answered=answered)
    making.rows["messages"] += [
        {**common, "id": question_id, "parent_id": parent_id, **_question(question, asked)},
        {**common, "id": answer_id, "parent_id": question_id, **answer},
    ]
    making.rows["turns"].append(_turn(question, question_id, last))
    if answered and making.random.random() < _RATED:
        making.rows["feedback"].append(_feedback(making, question, answer_id, last))
    return answer_id


def _question(question: Question, asked: str) -> dict[str, Any]:
    return {
        "role": "user",
        "content": asked,
        "status": "complete",
        "requested_model": None,
        "served_model": None,
        "model_label": None,
        "error_class": None,
        "error_message": None,
        "created_at": question.asked_at,
    }


def _answer(making: _Making, question: Question, last: Attempt, told: str, *, answered: bool) -> dict[str, Any]:
    said = told[: len(told) // 2] if last.status == "stopped" else told if answered else ""
    return {
        "role": "assistant",
        "content": said,
        "status": "complete" if last.status == "ok" else "stopped" if answered else "failed",
        "requested_model": question.model.id,
        "served_model": last.served_model,
        "model_label": _label(making, last.served_model),
        "error_class": None if answered else last.status,
        "error_message": None if answered else last.error_message,
        "created_at": last.ended_at,
    }


def _label(making: _Making, model_id: str | None) -> str:
    return next((model.label for model in making.models if model.id == model_id), model_id or "")


def _turn(question: Question, message_id: str, last: Attempt) -> dict[str, Any]:
    status = {"ok": "completed", "stopped": "stopped"}.get(last.status, "failed")
    return {
        "id": question.turn_id,
        "conversation_id": question.conversation_id,
        "user_id": question.user_id,
        "user_message_id": message_id,
        "source": question.source,
        "use_case": question.use_case,
        "requested_model": question.model.id,
        "parameters": "{}",
        "status": status,
        "partial_text": "",
        "partial_reasoning": "",
        "started_at": question.asked_at,
        "ended_at": last.ended_at,
    }


def _feedback(making: _Making, question: Question, message_id: str, last: Attempt) -> dict[str, Any]:
    bad = making.random.random() < _BAD
    return {
        "message_id": message_id,
        "conversation_id": question.conversation_id,
        "user_id": question.user_id,
        "model_id": last.served_model,
        "use_case": question.use_case,
        "rating": -1 if bad else 1,
        "reason": "Not what was asked" if bad else None,
        "created_at": last.ended_at,
        "updated_at": last.ended_at,
    }
