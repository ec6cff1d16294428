"""How long real questions and answers are, as a table of quantiles, and drawing from it. Pure."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from random import Random

# Twenty equal steps from the least to the most, derived from the Azure LLM inference trace of 2023
# (AzurePublicDataset, CC-BY 4.0; Patel et al., "Splitwise: Efficient generative LLM inference using phase splitting",
# ISCA 2024). Tokens of input and of output, of a chat and of a coding service.
_CHAT_INPUT = (2, 181, 207, 372, 387, 396, 403, 414, 703, 984, 1020, 1045, 1071, 1097, 1130, 1189, 1315, 1876, 2734,
    4083, 14050)  # fmt: skip
_CHAT_OUTPUT = (7, 41, 54, 67, 77, 85, 91, 96, 103, 113, 129, 151, 177, 217, 384, 395, 400, 411, 424, 451, 1000)
_CODE_INPUT = (3, 75, 147, 232, 385, 578, 770, 938, 1075, 1261, 1469, 1690, 1909, 2163, 2433, 2744, 3192, 3919, 5186,
    7302, 7437)  # fmt: skip
_CODE_OUTPUT = (6, 6, 7, 7, 8, 9, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 29, 39, 55, 90, 1899)

# Share of a working day's questions in each hour from 7 to 20, local to nobody in particular.
_HOURS: Mapping[int, int] = {
    7: 2,
    8: 8,
    9: 14,
    10: 16,
    11: 14,
    12: 7,
    13: 10,
    14: 14,
    15: 14,
    16: 11,
    17: 7,
    18: 3,
    19: 2,
}
_WEEKEND = 0.08
_FRIDAY = 0.8


def draw_tokens(random: Random, *, coding: bool) -> tuple[int, int]:
    """Tokens of a question and of its answer."""
    table = (_CODE_INPUT, _CODE_OUTPUT) if coding else (_CHAT_INPUT, _CHAT_OUTPUT)
    return quantile(table[0], random.random()), quantile(table[1], random.random())


def quantile(table: Sequence[int], share: float) -> int:
    """The value below which `share` (0 to 1) of all lie, straight between the entries of a table of equal steps."""
    position = share * (len(table) - 1)
    below = min(int(position), len(table) - 2)
    return round(table[below] + (table[below + 1] - table[below]) * (position - below))


def draw_second_of_day(random: Random) -> int:
    """A second of a working day, in UTC."""
    bounds: list[int] = []
    for weight in _HOURS.values():
        bounds.append((bounds[-1] if bounds else 0) + weight)
    hour = list(_HOURS)[bisect(bounds, random.randrange(bounds[-1]))]
    return hour * 3600 + random.randrange(3600)


def activity(weekday: int, *, days_ago: int) -> float:
    """How much goes on: less on Fridays and weekends, a third more now than 90 days ago. `weekday` 0 is Monday."""
    week = (1.0, 1.0, 1.0, 1.0, _FRIDAY, _WEEKEND, _WEEKEND)[weekday]
    return week * (1 - days_ago / 360)
