"""Job end (date). Is a job over on a day, as far as its end can be read?

A job is the current one unless its end is a date that has passed: no end, words, a date that could be read
as one to come, and a day to come all mean that it goes on.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

END_NAMES = ("end_date", "endDate")
_NUMBERS = re.compile(r"\s*((?:\d{1,2}[./-]){0,2})(\d{4})\s*|\s*(\d{4})((?:[./-]\d{1,2}){1,2})\s*")
_NAMED = re.compile(r"\s*([^\W\d_]{3,9})\.? (\d{4})\s*")
_SINCE = frozenset(
    {"since", "from", "ongoing", "seit", "ab", "depuis", "desde", "dal", "vanaf", "sinds", "od"}
)
_MONTHS = {
    beginning: month
    for month, beginnings in enumerate(
        (
            *(
                "jan ene gen sty",
                "feb fev fév lut",
                "mar mär maa mrt",
                "apr avr abr kwi",
                "may mai mei mag maj",
            ),
            *(
                "jun juin giu cze",
                "jul juil lug lip",
                "aug aou aoû ago sie",
                "sep set wrz",
                "oct okt ott out paź",
            ),
            *("nov lis", "dec dez déc dic gru"),
        ),
        start=1,
    )
    for beginning in beginnings.split()
}


def is_over(job: dict[str, Any], today: date) -> bool:
    """Whether an object that may be a job has an end that has passed; of several the latest counts."""
    ends = [job[name] for name in END_NAMES if name in job]
    return bool(ends) and all(is_past(end, today) for end in ends)


def is_past(end: object, today: date) -> bool:
    """Whether an end is a date, and the whole of the day, month or year that it names has passed."""
    if isinstance(end, int) and not isinstance(end, bool):
        return end < today.year
    if not isinstance(end, str):
        return False
    if named := _NAMED.fullmatch(end):
        word = named[1].casefold()
        if word in _SINCE:
            return False
        month = _month_named(word)
        return _has_passed(int(named[2]), [(month, 31)] if month else [(12, 31)], today)
    numbers = _NUMBERS.fullmatch(end)
    if numbers is None:
        return False
    year = int(numbers[2] or numbers[3])
    parts = [int(part) for part in re.findall(r"\d+", numbers[1] or numbers[4] or "")]
    return _has_passed(year, _readings(parts, is_year_first=numbers[3] is not None), today)


def _readings(parts: list[int], *, is_year_first: bool) -> list[tuple[int, int]]:
    """The months and days that numbers beside a year may mean; the last day, where none is said."""
    if not parts:
        return [(12, 31)]
    if len(parts) == 1:
        return [(parts[0], 31)]
    return [(parts[0], parts[1])] if is_year_first else [(parts[0], parts[1]), (parts[1], parts[0])]


def _has_passed(year: int, readings: list[tuple[int, int]], today: date) -> bool:
    possible = [each for each in readings if 1 <= each[0] <= 12] or [(12, 31)]
    return all((year, month, day) < (today.year, today.month, today.day) for month, day in possible)


def _month_named(word: str) -> int | None:
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])
