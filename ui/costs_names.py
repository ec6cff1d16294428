"""What the cost pages call things: the names of people and models, and words for sources, statuses and codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.costs.ledger import NOBODY, OUT_OF_MONEY, PLACEHOLDER
from ui.model_filter import provider_name

SOURCES = {
    "chat": "Chat",
    "compare": "Compare",
    "judge": "Judging",
    "api": "API",
    "title": "Titles",
    "summary": "Summaries",
    "probe": "Probes",
    "import": "Imported",
}
STATUSES = {
    "ok": "Answered",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
    OUT_OF_MONEY: "Budget used up",
    "connection": "Not reachable",
    "authentication": "Key refused",
    "permission": "Not permitted",
    "not_found": "Not found",
    "rate_limit": "Rate limit",
    "bad_request": "Bad request",
    "context_length": "Too long",
    "content_policy": "Content policy",
    "server": "Provider's error",
    "stall": "Stalled",
    "truncated": "Broke off",
    "starting": "Still starting",
    "internal": "Our error",
}
CODES = {
    "reported": "Reported by provider",
    "computed": "Computed",
    "estimated": "Estimated",
    "partial": "Partial answer",
    "unpriced": "Unpriced",
    "free": "Free",
    "cached": "Kept answer",
}
NO_USE_CASE = "No use case"
# Of what calls are grouped by, in the order offered.
GROUP_LABELS = {
    "model": "Model",
    "provider": "Provider",
    "person": "Person",
    "use_case": "Use case",
    "source": "Source",
    "status": "Status",
    "code": "Cost code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of models by id in the order of the registry, and of people by id."""

    models: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    def of(self, group: str, value: str) -> str:
        """What a value of a group is called; what nobody knows keeps its id."""
        match group:
            case "model":
                return self.models.get(value, value)
            case "person":
                return self.people.get(value) or _nobody_here(value)
            case "provider":
                return provider_name(value)
            case "use_case":
                return value.replace("_", " ").capitalize() if value else NO_USE_CASE
            case _:
                return _WORDS.get(group, {}).get(value, value)


def _nobody_here(user_id: str) -> str:
    if user_id == NOBODY:
        return "Switchboard"
    # Whose calls came with a file, under the name that stood in it.
    name = user_id.removeprefix(PLACEHOLDER)
    return "Somebody who left" if name == user_id else f"{name} (imported)"


_WORDS: Mapping[str, Mapping[str, str]] = {"source": SOURCES, "status": STATUSES, "code": CODES}
