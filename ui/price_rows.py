"""The price book as tables: plain values, no Streamlit. Prices are exact; a table's numbers are there to be sorted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.catalog.models import BUCKETS, Prices
from core.costs.price_lines import STANDARD, Line, to_lines
from core.costs.price_sheets import Proposal, Sheet, effective_end
from core.costs.repricing import Effect
from core.spreadsheet import safe_cell

# Every bucket as people call it, the ones that matter most first.
NAMES = {
    "input": "Input",
    "cached_input": "Cached input",
    "output": "Output",
    "reasoning": "Reasoning",
    "cache_write": "Cache write, 5 min",
    "cache_write_1h": "Cache write, 1 h",
    "image": "Images",
    "audio": "Audio in",
    "audio_output": "Audio out",
    "request": "Per call",
}
_NAMED = 5
# Stands in the file for a version that ends a price.
_NO_LINE = Line(STANDARD, 0, "unpriced", Decimal(0))
_CSV = (
    "version",
    "model",
    "service",
    "above_tokens",
    "bucket",
    "usd_per_million",
    "valid_from_utc",
    "valid_to_utc",
    "source",
    "entered_at_utc",
    "entered_by",
    "reason",
)


def exact_price(usd: Decimal) -> str:
    """`$0.40`, `$0.0375`, `$0.0000004`: every digit, at least two after the point."""
    whole, _, places = f"{usd.normalize():,f}".partition(".")
    return f"${whole}.{places.ljust(2, '0')}"


def price_table(
    sheets: Sequence[Sheet], labels: Mapping[str, str], *, moments: Callable[[Sequence[datetime | None]], Any]
) -> dict[str, list[Any]]:
    """One row per sheet. Buckets that none of them prices have no column. `moments` makes a column of times.

    A sheet of a model that another one follows ends where that one begins, if both are among `sheets`.
    """
    used = [name for name in NAMES if any(_usual(sheet, name) is not None for sheet in sheets)]
    return {
        "Model": [labels.get(sheet.model_id, sheet.model_id) for sheet in sheets],
        **{NAMES[name]: [_number(_usual(sheet, name)) for sheet in sheets] for name in used},
        "Also": ["no price: unpriced" if sheet.prices is None else other_prices(sheet.prices) for sheet in sheets],
        "From": moments([sheet.valid_from for sheet in sheets]),
        "Until": moments([effective_end(sheet, sheets) for sheet in sheets]),
        "Source": [source_words(sheet) for sheet in sheets],
        "Why": [sheet.reason for sheet in sheets],
        "Version": [sheet.version for sheet in sheets],
    }


def proposal_table(proposals: Sequence[Proposal], effects: Mapping[str, Effect]) -> dict[str, list[Any]]:
    """One row per proposal: what changes, and what it would have made of this month."""
    found = [effects.get(proposal.model_id, Effect()) for proposal in proposals]
    return {
        "Model": [proposal.label for proposal in proposals],
        "What changes": [changes(proposal) for proposal in proposals],
        "Calls this month": [effect.calls for effect in found],
        "This month": [float(effect.before_usd) for effect in found],
        "At the new price": [float(effect.after_usd) for effect in found],
        "Difference": [float(effect.difference_usd) for effect in found],
        "Source": [source_name(proposal.offered.source) for proposal in proposals],
    }


def changes(proposal: Proposal) -> str:
    """`input $0.40 → $0.50, output above 200k $15.00 → none`, per million."""
    before = by_place(proposal.current.prices) if proposal.current and proposal.current.prices else {}
    after = by_place(proposal.offered)
    places = [place for place in dict.fromkeys((*before, *after)) if before.get(place) != after.get(place)]
    words = [f"{_place(place)} {_usd(before.get(place))} → {_usd(after.get(place))}" for place in places]
    return ", ".join(words) or "off-peak hours"


def by_place(prices: Prices) -> dict[tuple[str, int, str], Line]:
    """The lines of prices by service, length of the input and bucket, in the order of a price list."""
    lines = sorted(to_lines(prices), key=lambda line: (line.service != STANDARD, line.service, line.above_tokens))
    return {(line.service, line.above_tokens, line.bucket): line for line in lines}


def other_prices(prices: Prices) -> str:
    """What a call at another length, level of service or hour costs: `above 200,000: input $6.00, output $22.50`."""
    groups: dict[str, list[str]] = {}
    for place, line in by_place(prices).items():
        if place[:2] != (STANDARD, 0):
            groups.setdefault(_when(line), []).append(f"{_bucket(line.bucket)} {_usd(line)}")
    return "; ".join(f"{when}: {', '.join(words)}" for when, words in groups.items())


def source_words(sheet: Sheet) -> str:
    """Where a price is from, and who entered it: `LiteLLM 1.106.2, accepted by Ada`."""
    name = source_name(sheet.source)
    if sheet.entered_by is None:
        return name
    return sheet.entered_by if sheet.source == "administrator" else f"{name}, accepted by {sheet.entered_by}"


def source_name(source: str) -> str:
    """`LiteLLM 1.106.2`, `Registry file`."""
    return source.replace("litellm", "LiteLLM").replace("registry", "Registry file")


def audit_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a change of prices was: `input 0.4 → 3, output 1.6 → 15 · a reason`."""
    new = after.get("offered", after)
    changed = [name for name in BUCKETS if before.get(name) != new.get(name)]
    words = ", ".join(
        f"{_bucket(name)} {f'{before[name]} → ' if name in before else ''}{new.get(name, 'none')}" for name in changed
    )
    since = f"from {after['valid_from'][:16].replace('T', ' ')} UTC" if "valid_from" in after else ""
    named = list(after.get("models", ()))
    models = ", ".join([*named[:_NAMED], f"{len(named) - _NAMED} more"] if len(named) > _NAMED else named)
    return " · ".join(part for part in (words, models, since, str(after.get("reason", ""))) if part)


def book_csv(sheets: Iterable[Sheet]) -> bytes:
    """Every line of every version, exact, for a spreadsheet. UTF-8 with the mark that Excel looks for."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV)
    for sheet in sorted(sheets, key=lambda sheet: sheet.version):
        for line in by_place(sheet.prices).values() if sheet.prices else (_NO_LINE,):
            writer.writerow([safe_cell(value) for value in _csv_values(sheet, line)])
    return text.getvalue().encode("utf-8-sig")


def _csv_values(sheet: Sheet, line: Line) -> list[Any]:
    return [
        *(sheet.version, sheet.model_id, line.service, line.above_tokens, line.bucket),
        "" if line is _NO_LINE else f"{line.usd_per_million.normalize():f}",
        *(_moment(sheet.valid_from), _moment(sheet.valid_to), sheet.source, _moment(sheet.entered_at)),
        *(sheet.entered_by, sheet.reason),
    ]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ")


def _usual(sheet: Sheet, bucket: str) -> Decimal | None:
    return None if sheet.prices is None else getattr(sheet.prices, bucket)


def _number(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)


def _place(place: tuple[str, int, str]) -> str:
    service, above_tokens, bucket = place
    words = [_bucket(bucket), service.replace("_", "-") if service != STANDARD else ""]
    return " ".join(word for word in (*words, f"above {above_tokens:,}" if above_tokens else "") if word)


def _when(line: Line) -> str:
    words = [line.service.replace("_", "-") if line.service != STANDARD else ""]
    return " ".join(word for word in (*words, f"above {line.above_tokens:,}" if line.above_tokens else "") if word)


def _bucket(name: str) -> str:
    return NAMES[name].lower()


def _usd(line: Line | None) -> str:
    if line is None:
        return "none"
    return exact_price(line.usd_per_million / 1_000_000 if line.bucket == "request" else line.usd_per_million)
