"""What somebody typed into the search, as a value.

Words and "exact phrases" must all be in one message, or all in one title. `model:haiku`, `tag:work`, `title:plan`,
`before:2026-11-23` and `after:2026-11` narrow it down; anything else with a colon is a word like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from core.chat.plain_text import clean_text
from core.errors import SwitchboardError

# As many as the query has places for.
MOST_TERMS = 8
# An operator and its value, a phrase, or a word. A quotation mark that is not closed reaches to the end.
_PART = re.compile(
    r'(?P<operator>model|tag|title|before|after):(?:"(?P<quoted>[^"]*)(?:"|$)|(?P<value>\S*))'
    r'|"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+)',
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_EXAMPLES = {"model": "model:haiku", "tag": "tag:work", "title": 'title:"quarterly plan"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A search. `terms` are words and phrases; `before` (not included) and `after` (included) are naive UTC."""

    terms: tuple[str, ...] = ()
    model: str = ""
    tag: str = ""
    title: str = ""
    before: datetime | None = None
    after: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """True when nothing narrows the search."""
        return self == SearchQuery()


def parse_query(text: str, *, zone: tzinfo) -> SearchQuery:
    """Read what was typed; days are those of `zone`.

    Raises SwitchboardError with one sentence for a date that is none, an operator without a value or given twice, and
    for more than eight words and phrases.
    """
    terms: list[str] = []
    narrowed: dict[str, str] = {}
    for match in _PART.finditer(clean_text(text)):
        if operator := match["operator"]:
            _take(narrowed, operator.lower(), match["quoted"] if match["value"] is None else match["value"])
        else:
            terms.append(" ".join((match["phrase"] or match["word"] or "").split()))
    terms = list(dict.fromkeys(filter(None, terms)))
    if len(terms) > MOST_TERMS:
        raise SwitchboardError(f"A search takes at most {MOST_TERMS} words and phrases.", next_step="Leave some out.")
    return SearchQuery(
        terms=tuple(terms),
        model=narrowed.get("model", ""),
        tag=narrowed.get("tag", "").removeprefix("#"),
        title=narrowed.get("title", ""),
        before=_day(narrowed, "before", zone),
        after=_day(narrowed, "after", zone),
    )


def _take(narrowed: dict[str, str], operator: str, value: str) -> None:
    value = " ".join(value.split())
    if not value:
        example = _EXAMPLES.get(operator, f"{operator}:2026-11-23")
        raise SwitchboardError(f"{operator}: needs something after it, for example {example}.")
    if operator in narrowed:
        raise SwitchboardError(f"{operator}: can be given once.", next_step="Leave one out.")
    narrowed[operator] = value


def _day(narrowed: Mapping[str, str], operator: str, zone: tzinfo) -> datetime | None:
    if operator not in narrowed:
        return None
    match = _DATE.fullmatch(narrowed[operator])
    try:
        year, month, day = (int(part) if part else 1 for part in match.groups()) if match else (0, 0, 0)
        return datetime(year, month, day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise SwitchboardError(
            f"{operator}: needs a date such as 2026-11-23, a month such as 2026-11, or a year."
        ) from None
