"""Dates as people write them. Which day, month or year does a text name, and how exactly?

What is not understood stays as it is written: a date that is guessed is worse than one that is a text.
"""

from __future__ import annotations

import re

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}
_ONGOING = frozenset({"present", "now", "current", "today", "ongoing"})
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ].*)?")
_MONTH_YEAR = re.compile(r"([A-Za-z]{3,9})\.?,? (\d{4})")
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})\.? ([A-Za-z]{3,9})\.?,? (\d{4})")
_MONTH_DAY_YEAR = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})(?:,.*)?")
_RANGE = re.compile(r"\s+(?:-|–|—|to|until)\s+|\s*[–—]\s*")
_YEARS = re.compile(r"(\d{4})\s*-\s*(\d{4}|[A-Za-z]+)")


def is_ongoing(text: str) -> bool:
    """Whether a text says that something has not ended: "Present"."""
    return text.strip().casefold() in _ONGOING


def date_of(text: str) -> str | None:
    """Return "2014", "2014-05" or "2014-05-03", as exact as the text is; None for what is no date."""
    text = " ".join(text.split())
    for pattern, order in (
        (_ISO, "ymd"),
        (_MONTH_YEAR, "my"),
        (_DAY_MONTH_YEAR, "dmy"),
        (_MONTH_DAY_YEAR, "mdy"),
        (_AMERICAN, "mdy"),
    ):
        found = pattern.fullmatch(text)
        if found:
            parts = dict(zip(order, found.groups(), strict=True))
            return _written(parts.get("y"), parts.get("m"), parts.get("d"))
    return None


def range_of(text: str) -> tuple[str, str] | None:
    """Return the two ends of "Dec 2019 - Present" as they are written, None for what is no range."""
    years = _YEARS.fullmatch(text.strip())
    ends = years.groups() if years else tuple(_RANGE.split(text.strip()))
    if len(ends) != 2:
        return None
    begin, end = ends
    if date_of(begin) is None or (date_of(end) is None and not is_ongoing(end)):
        return None
    return begin, end


def _written(year: str | None, month: str | None, day: str | None) -> str | None:
    if year is None:
        return None
    if len(year) == 2:
        year = f"20{year}" if int(year) < 70 else f"19{year}"
    if month is None:
        return year
    number = int(month) if month.isdigit() else _MONTHS.get(month.casefold(), 0)
    if not 1 <= number <= 12:
        return None
    if day is None:
        return f"{year}-{number:02d}"
    return f"{year}-{number:02d}-{int(day):02d}" if 1 <= int(day) <= 31 else None
