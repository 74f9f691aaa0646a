"""Job end (date). Is a job over on a day, as far as its end can be read?

A job is the current one unless its end is a date that has passed: no end, words, a date that could be read
as one to come, and a day to come all mean that it goes on.
"""

from __future__ import annotations

import re
from calendar import monthrange
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
    last = _last_day(end)
    return last is not None and last < (today.year, today.month, today.day)


def days_alike(content: object, today: date) -> tuple[date, date | None]:
    """Return from which day on, and before which other one, `is_over` says what it says today.

    For every object in ``content``: an end that passes is what changes it. ``date.min`` and None: always.
    """
    first, before = date.min, None
    pending = [content]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            pending += here.values()
            for name in END_NAMES:
                day = _day_of_passing(_last_day(here.get(name)))
                if day is not None and day <= today:
                    first = max(first, day)
                elif day is not None:
                    before = day if before is None else min(before, day)
        elif isinstance(here, list):
            pending += here
    return first, before


_Day = tuple[int, int, int]  # year, month and day as they are written: there may be no such day


def _last_day(end: object) -> _Day | None:
    """The last day that an end may mean; None where it is no date."""
    if isinstance(end, int) and not isinstance(end, bool):
        return end, 12, 31
    if not isinstance(end, str):
        return None
    if named := _NAMED.fullmatch(end):
        word = named[1].casefold()
        if word in _SINCE:
            return None
        month = _month_named(word)
        return int(named[2]), month or 12, 31
    numbers = _NUMBERS.fullmatch(end)
    if numbers is None:
        return None
    year = int(numbers[2] or numbers[3])
    parts = [int(part) for part in re.findall(r"\d+", numbers[1] or numbers[4] or "")]
    return (year, *_last_reading(parts, is_year_first=numbers[3] is not None))


def _last_reading(parts: list[int], *, is_year_first: bool) -> tuple[int, int]:
    """The month and day that numbers beside a year mean, the latest where several can be meant.

    The last day, where none is said; the last month, where there is none of that number.
    """
    if not parts:
        return 12, 31
    if len(parts) == 1:
        readings = [(parts[0], 31)]
    else:
        readings = [(parts[0], parts[1])] if is_year_first else [(parts[0], parts[1]), (parts[1], parts[0])]
    return max((each for each in readings if 1 <= each[0] <= 12), default=(12, 31))


def _day_of_passing(last: _Day | None) -> date | None:
    """The first day after it; None where there is none that a calendar has."""
    if last is None or last[0] > date.max.year:
        return None
    year, month, day = last
    if year < date.min.year:
        return date.min
    if day < monthrange(year, month)[1]:
        return date(year, month, day + 1)
    if month < 12:
        return date(year, month + 1, 1)
    return date(year + 1, 1, 1) if year < date.max.year else None


def _month_named(word: str) -> int | None:
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])
