"""What the Admin page shows of the audit: who changed what, and from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.audit import AuditEntry
from core.catalog.access import access_words
from ui.limit_words import limit_changes
from ui.people_view import ROLES
from ui.price_rows import audit_words
from ui.tables import time_column, utc_times

_DETAILS = ("role", "display_name", "source", "name")
_DETAILS_WORDS = {**ROLES, "password": "by password", "oidc": "by identity provider"}
_MODEL_FIELDS = {
    "enabled": "switched",
    "use_cases": "use cases",
    "rpm_limit": "requests per minute",
    "tpm_limit": "tokens per minute",
}
_GROUP_CHANGES = frozenset({"group.create", "group.members", "group.delete", "group.follow"})
_ACTIONS = {
    "user.create": "Added",
    "user.name": "Name changed",
    "user.role": "Role changed",
    "user.disable": "Disabled",
    "user.enable": "Enabled",
    "user.password": "Password set",
    "session.revoke": "Signed out everywhere",
    "model.change": "Model changed",
    "group.create": "Group added",
    "group.rename": "Group renamed",
    "group.members": "Group's members changed",
    "group.delete": "Group deleted",
    "group.follow": "Groups followed the identity provider",
    "conversation.read": "Conversation read",
    "price.fill": "Prices taken from their source",
    "price.accept": "Price accepted",
    "price.decline": "Price declined",
    "price.end": "Price ended",
    "price.enter": "Price entered",
    "budget.create": "Budget added",
    "budget.change": "Budget changed",
    "budget.delete": "Budget removed",
    "rate_limit.create": "Limit per minute added",
    "rate_limit.change": "Limit per minute changed",
    "rate_limit.delete": "Limit per minute removed",
    "team.default": "Team's setting changed",
    "token.create": "API token made",
    "token.revoke": "API token revoked",
    "share.create": "Conversation shared",
    "share.revoke": "Share ended",
    "invoice.import": "Provider's file imported",
    "invoice.remove": "Provider's file removed",
    "usage.import": "Usage imported",
    "data.delete": "Own data deleted",
}


def draw_audit(entries: Sequence[AuditEntry]) -> None:
    """The newest changes first."""
    columns: dict[str, list[Any]] = {
        "When": utc_times([entry.happened_at for entry in entries]),
        "Who": [entry.actor or "Switchboard" for entry in entries],
        "What": [_ACTIONS.get(entry.action, entry.action) for entry in entries],
        "Whom or what": [entry.subject for entry in entries],
        "Details": [_details(entry) for entry in entries],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={"When": time_column("When")},
        alt="Changes to people, groups and models, newest first",
    )


def _details(entry: AuditEntry) -> str:
    """What changed, where the action alone does not say it: `Member → Administrator`."""
    before, after = entry.before or {}, entry.after or {}
    if entry.action == "model.change":
        return ", ".join(f"{_MODEL_FIELDS.get(name, name)}: {_model_words(before, after, name)}" for name in after)
    if entry.action.startswith(("budget.", "rate_limit.")):
        return limit_changes(before, after)
    if entry.action in _GROUP_CHANGES:
        return _group_words(before, after)
    if entry.action.startswith("price."):
        return audit_words(before, after)
    if entry.action == "team.default":
        return " → ".join(_set_words(side.get("value")) for side in (before, after))
    shown = [name for name in after if name in _DETAILS]
    return ", ".join(" → ".join(_words(side[name]) for side in (before, after) if name in side) for name in shown)


def _group_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was added and what removed: `added: bob, removed: ada, eve`."""
    sides = (("added", after), ("removed", before))
    return ", ".join(
        f"{word}: {', '.join(names)}"
        for word, side in sides
        for names in side.values()
        if isinstance(names, list) and names
    )


def _set_words(value: Any) -> str:
    return "not set" if value is None else str(value)


def _model_words(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> str:
    return " → ".join(_model_value(side.get(name)) for side in (before, after))


def _model_value(value: Any) -> str:
    if value is None:
        return "as in the registry"
    if isinstance(value, bool):
        return "on" if value else "off"
    return (access_words(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _words(value: object) -> str:
    return _DETAILS_WORDS.get(str(value), str(value))
