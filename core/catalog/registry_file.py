"""The registry file's shape: which fields there are, and a sentence with line and field for every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from core.catalog import located
from core.catalog.models import GROUP, Capability, GatewayChoice, ParameterValue
from core.catalog.price_entry import Entry, Price, PriceEntry, TierEntry, Tokens
from core.errors import RegistryError

_NEXT_STEP = "Correct the line and save the file."
_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$"
# A key in the file would end up in the repository; only the variable's name goes there.
_KEY = r"^(none|env:[A-Z][A-Z0-9_]*)$"
# Thirty days: what a model said longer ago is no longer what it would say.
_MOST_CACHE_MINUTES = 43_200


def _parameter(value: Any) -> ParameterValue:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, (str, int)):
        return value
    raise ValueError("text, a number, true or false, or a list of texts")


def _access(value: Any) -> Any:
    # {people: [ada], groups: [Legal]} says the same as [ada, "group:Legal"].
    if not isinstance(value, dict):
        return value
    named = [value.get(kind, []) for kind in ("roles", "people", "groups")]
    if value.keys() - {"roles", "people", "groups"} or not all(_is_texts(names) for names in named):
        raise ValueError("a list such as [admin, ada], or fields such as {groups: [Legal], people: [ada]}")
    roles, people, groups = named
    return [*roles, *people, *(f"{GROUP}{name}" for name in groups)]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("a day such as 2027-03-31") from None


Name = Annotated[str, Field(pattern=_ID)]


class LimitsEntry(Entry):
    """What the provider lets this account do per minute."""

    rpm: Annotated[int, Field(gt=0)] | None = None
    tpm: Annotated[int, Field(gt=0)] | None = None


class CacheEntry(Entry):
    """How long whole answers are kept for the same question, and whether other people get them too."""

    minutes: Annotated[int, Field(gt=0, le=_MOST_CACHE_MINUTES)]
    shared: bool = False


class ProviderEntry(Entry):
    """One provider. `kind` defaults to its own name; `price` is that of the models it is discovered to have."""

    kind: str | None = None
    api_base: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    api_key: Annotated[str, Field(pattern=_KEY)] | None = None
    discover: bool = False
    price: Price = None
    gateway: GatewayChoice | None = None


class ModelEntry(Entry):
    """One model, as written."""

    id: Name
    call: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]
    label: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    note: str = ""
    use_cases: list[str] = Field(default_factory=list)
    fallbacks: list[str] = Field(default_factory=list)
    price: Price = None
    limits: LimitsEntry = LimitsEntry()
    access: Annotated[list[str], BeforeValidator(_access)] = Field(default_factory=lambda: ["everyone"], min_length=1)
    context_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    capabilities: list[Annotated[Capability, Field(strict=False)]] | None = None
    parameters: dict[str, Annotated[ParameterValue, BeforeValidator(_parameter)]] = Field(default_factory=dict)
    system_prompt: str | None = None
    enabled: bool = True
    retires_on: Annotated[date | None, BeforeValidator(_day)] = None
    successor: str | None = None
    cache: CacheEntry | None = None


class RegistryFile(Entry):
    """The whole file."""

    providers: dict[Name, ProviderEntry] = Field(default_factory=dict)
    models: list[ModelEntry] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _no_null_section(cls, data: Any) -> Any:
        # `providers:` with every line below commented out is null in YAML, and means "none".
        if isinstance(data, dict) and data.get("providers", ...) is None:
            return {**data, "providers": {}}
        return data


class RegistryText:
    """A registry file that was read: its entries, and where each stands."""

    def __init__(self, path: Path, entries: RegistryFile, lines: located.Located) -> None:
        self.path = path
        self.entries = entries
        self._lines = lines

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check the file's shape. Raises RegistryError naming line, field and what was expected."""
        lines = _parse(path)
        try:
            return cls(path, RegistryFile.model_validate(lines.data), lines)
        except ValidationError as error:
            raise _explain(path, lines, error) from error

    def refuse(self, place: located.Path, message: str) -> NoReturn:
        """Refuse the file for what stands at `place`."""
        found, line = self._lines.nearest(place)
        raise refusal(self.path, line=line, place=found, message=message)


def suggest(word: str, known: Iterable[str]) -> str:
    """`, did you mean X?` when something known is close, else nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""


def refusal(path: Path, *, line: int, place: located.Path, message: str) -> RegistryError:
    """The error for one line of the file."""
    field = f", {_field(place)}" if place else ""
    ending = "" if message.endswith("?") else "."
    return RegistryError(f"{path}, line {line}{field}: {message}{ending}", next_step=_NEXT_STEP)


def _parse(path: Path) -> located.Located:
    try:
        return located.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegistryError(
            f"The registry file {path} cannot be read ({error.strerror}).",
            next_step="Restore it, or set SWITCHBOARD_MODELS to another file.",
        ) from error
    except UnicodeDecodeError as error:
        raise refusal(path, line=1, place=(), message="expected UTF-8 text") from error
    except located.LocatedError as error:
        raise refusal(path, line=error.line, place=error.path, message=str(error)) from error


def _explain(path: Path, lines: located.Located, error: ValidationError) -> RegistryError:
    # The mistake that stands first in the file, as people read from the top; a misspelt field before the missing one.
    problems = error.errors(include_url=False)
    first = min(problems, key=lambda problem: (lines.nearest(problem["loc"])[1], problem["type"] == "missing"))
    place, line = lines.nearest(first["loc"])
    if first["type"] == "missing":
        place = first["loc"]
    return refusal(path, line=line, place=place, message=_message(dict(first)))


def _message(problem: Mapping[str, Any]) -> str:
    kind, place, held = problem["type"], problem["loc"], problem["input"]
    if kind == "extra_forbidden":
        return f"expected a field of this list, found {place[-1]}{_closest_field(place)}"
    if kind == "missing":
        return f"expected {place[-1]}, found nothing"
    expected = _expected(problem)
    if "api_key" in place:
        return f"expected {expected}"  # whatever stands where a key belongs may be the key
    hint = " (put it in quotes if it is a name)" if expected == "text" and isinstance(held, bool) else ""
    return f"expected {expected}, found {_shown(held)}{hint}"


def _closest_field(place: located.Path) -> str:
    owner: type[BaseModel] = RegistryFile
    if "tiers" in place[:-1]:
        owner = TierEntry
    elif "price" in place[:-1]:
        owner = PriceEntry
    elif "limits" in place[:-1]:
        owner = LimitsEntry
    elif "cache" in place[:-1]:
        owner = CacheEntry
    elif place[0] == "providers" and len(place) > 1:
        owner = ProviderEntry
    elif place[0] == "models" and len(place) > 1:
        owner = ModelEntry
    known = list(owner.model_fields)
    return suggest(str(place[-1]), known) or f" (there are {', '.join(known)})"


def _expected(problem: Mapping[str, Any]) -> str:
    kind, place, limits = problem["type"], problem["loc"], problem.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(place[-1], _NAME_WORDS)
    if kind == "value_error":
        return str(limits["error"])
    if kind == "enum":
        return f"one of {', '.join(Capability)}"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**limits)
    return _WORDS.get(kind, str(problem["msg"]).lower())


_NAME_WORDS = "a name of letters, digits, dots, colons and dashes, 80 at most"
_PATTERNS: Mapping[str | int, str] = {
    "call": "provider/model",
    "api_key": "env:NAME_OF_VARIABLE or none (the key itself never stands in this file)",
    "api_base": "an address such as http://127.0.0.1:8000/v1",
}
_BOUNDS = {
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of {ge} or more",
    "less_than_equal": "a number of {le} or less",
    "too_short": "at least {min_length} entry",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
}
_WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "finite_number": "a number",
    "list_type": "a list",
    "dict_type": "fields with values",
    "bool_type": "true or false",
    "date_type": "a day such as 2027-03-31",
    "model_type": "fields with values",
    "model_attributes_type": "fields with values",
}


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "fields"
        case list():
            return "a list" if value else "an empty list"
        case str():
            return repr(re.sub(r"\s+", " ", value)[:60])
        case _:
            return str(value)


def _field(place: located.Path) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")
