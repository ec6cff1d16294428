"""Which column of a usage file holds which field of a call: our own export, LiteLLM's spend logs, a given mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import ImportRefused

# What a file can say of a call, as `attempts` names it; `user` is a username, an email address or an id, and
# `metadata` is LiteLLM's JSON.
FIELDS = (
    "id",
    "turn_id",
    "parent_id",
    "conversation_id",
    "user",
    "use_case",
    "requested_model",
    "served_model",
    "upstream_model",
    "provider",
    "parameters",
    "started_at",
    "first_token_at",
    "ended_at",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "image_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_write_1h_tokens",
    "audio_tokens",
    "audio_output_tokens",
    "service_tier",
    "counted_by_us",
    "computed_cost_usd",
    "reported_cost_usd",
    "cost_usd",
    "cost_code",
    "cache_saved_usd",
    "price_version",
    "status",
    "error_message",
    "fallback_of",
    "cached",
    "metadata",
)
# The name of our own layout: rows of it keep their ids.
OWN = "Switchboard"
NEEDED = ("started_at", "requested_model", "input_tokens", "output_tokens")
# Words that people use for them in `--map`.
_ALSO = {"model": "requested_model", "user_id": "user", "cost": "reported_cost_usd", "time": "started_at"}

_LITELLM = {
    "id": "request_id",
    "user": "user",
    "requested_model": "model",
    "provider": "custom_llm_provider",
    "started_at": "startTime",
    "first_token_at": "completionStartTime",
    "ended_at": "endTime",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "reported_cost_usd": "spend",
    "status": "status",
    "cached": "cache_hit",
    "metadata": "metadata",
}


@dataclass(frozen=True, slots=True)
class UsageLayout:
    """A kind of file: its name, and the column of each field it has."""

    name: str
    columns: Mapping[str, str]


def find_layout(columns: Sequence[str], mapping: Mapping[str, str] | None = None) -> UsageLayout:
    """The layout of a file with these columns; a `mapping` of fields to columns adds to it or makes one.

    Raises ImportRefused naming what is missing.
    """
    found = _by_name(columns)
    wanted = {**(found.columns if found else {}), **_meant(mapping or {}, columns)}
    missing = [field for field in NEEDED if field not in wanted]
    if missing:
        raise ImportRefused(
            f"No column is known to hold {', '.join(missing)}. The file has: {', '.join(columns)}.",
            next_step=f"Say which one does: {' '.join(f'--map {field}=COLUMN' for field in missing)}.",
        )
    return UsageLayout(found.name if found else "mapped columns", wanted)


def _by_name(columns: Sequence[str]) -> UsageLayout | None:
    present = set(columns)
    if {"request_id", "startTime", "model", "spend"} <= present:
        kept = {field: column for field, column in _LITELLM.items() if column in present}
        # Logs name the end user where a service asks for its own users.
        return UsageLayout("LiteLLM spend logs", _instead(kept, present, "user", ("user", "end_user")))
    if set(NEEDED) <= present:
        kept = {field: field for field in FIELDS if field in present}
        return UsageLayout(OWN, _instead(kept, present, "user", ("username", "user_id", "user")))
    return None


def _instead(kept: dict[str, str], present: set[str], field: str, columns: Sequence[str]) -> dict[str, str]:
    column = next((column for column in columns if column in present), None)
    return kept if column is None else {**kept, field: column}


def _meant(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    meant = {_ALSO.get(field, field): column for field, column in mapping.items()}
    for field, column in meant.items():
        if field not in FIELDS:
            raise ImportRefused(
                f"There is no field {field}.", next_step=f"The fields are: {', '.join((*FIELDS, *_ALSO))}."
            )
        if column not in columns:
            raise ImportRefused(f"The file has no column {column}.", next_step=f"It has: {', '.join(columns)}.")
    return meant
