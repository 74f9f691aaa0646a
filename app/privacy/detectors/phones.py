"""Telephone numbers (E.164, national forms). Which groups of digits can be called?

With + or 00 the country's plan decides; after a label whatever can be a number is one; after a weaker cue, or
without any, only what is written as telephone numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from app.privacy.detectors import phone_plan
from app.privacy.detectors.catalogue import data
from app.privacy.detectors.check_digits import is_ean
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.labels import bit, last_of, said_by
from app.privacy.detectors.phone_forms import (
    ends,
    ends_in_postcode,
    is_date,
    is_grouped,
    is_in_brackets,
    national_end,
)
from app.privacy.detectors.runs import Run


def phones_in(run: Run, taken: frozenset[int] = frozenset()) -> Iterator[Finding]:
    """Yield the telephone numbers of a run that begin with no group of those taken, in order."""
    if _is_none(run):
        return
    if len(run.sizes) == 3 and 4 in (run.sizes[0], run.sizes[2]) and is_date(run, 0, 3):
        return
    found = None if 0 in taken else _first_phone(run)
    count = len(run.groups)
    first = 0
    while True:
        if found:
            start, first = found
            yield Finding("phone", start, run.extension if first == count else run.groups[first - 1][1])
        else:
            first = _next_begin(run, first + 1, taken)
        if first >= count:
            return
        found = None if first in taken else _further_phone(run, first, is_list=found is not None)


def _next_begin(run: Run, first: int, taken: frozenset[int]) -> int:
    """The next group that a number could begin with: three digits, a 0, or an area in brackets."""
    text, groups, sizes = run.text, run.groups, run.sizes
    for at in range(first, len(sizes)):
        start = groups[at][0]
        if (sizes[at] == 3 or text[start] == "0" or text[start - 1] == "(") and at not in taken:
            return at
    return len(sizes)


def _is_none(run: Run) -> bool:
    """Whether the run is no telephone number, by what is quickly seen."""
    before = run.text[max(0, run.start - 1) : run.start]
    if before in ("", " ", "\n"):
        is_bare = len(run.sizes) == 1 and run.text[run.start] != "0" and not run.has_mail
        if is_bare and run.text[max(0, run.start - 3) : run.start].rstrip(" (")[-1:] != "+":
            return run.end - run.start < 6 or not run.said & (bit("phone", "labels") | bit("phone", "cues"))
        return run.end - run.start < 6 or _is_decimal(run)
    return (run.end - run.start < 6 or run.is_in_link or _is_decimal(run)) and not _is_call_link(run)


def _is_decimal(run: Run) -> bool:
    """Whether the run is a number such as 52.5200."""
    return (
        len(run.sizes) == 2 and run.sizes[0] <= 2 and run.text[run.start] != "0" and run.separator(1) == "."
    )


def says_phone(run: Run) -> bool:
    """Whether a + or a link says that the run is a telephone number."""
    before = run.text[max(0, run.start - 3) : run.start]
    return ("+" in before and before.rstrip(" (")[-1] == "+") or _is_call_link(run)


def _first_phone(run: Run) -> tuple[int, int] | None:
    """Where a number that begins with the run begins, and the group after its last one."""
    text, start = run.text, run.start
    before = text[max(0, start - 3) : start].rstrip(" (")
    if before.endswith("+"):
        plus = text.rindex("+", 0, start)
        glued = plus > 0 and (text[plus - 1].isalnum() or text[plus - 1] == "+")
        if glued and not _is_call_link(run):
            return None
        last = _international(run, 0) or _unplanned(run, plus)
        return (plus, last) if last else None
    if _is_call_link(run):
        return start, next(ends(run, 0, range(3, 16)), 1)
    if run.is_glued_before and not _is_glued_to_label(run):
        return None
    zeros = text.startswith("00", start) and run.sizes[0] > 1 and not _is_article(run)
    last = (zeros and _international(run, 2)) or _labelled(run, 0) or national_end(run, 0)
    return (start - is_in_brackets(run, 0), last) if last else None


def _is_article(run: Run) -> bool:
    """Whether words say that the number is something public, or it is the number of an article (EAN)."""
    return run.is_public or (run.sizes == [13] and is_ean(run.digits(0, 1)))


def _is_glued_to_label(run: Run) -> bool:
    """Whether a label stands right before: Tel:030 123456, Phone/Fax:030 123456."""
    is_nearest = run.text[run.start - 1] == "/"
    said = said_by(run.before[-1:]) if is_nearest else run.said
    words = bit("phone", "labels") | (bit("phone", "cues") if run.text[run.start - 1] == ":" else 0)
    return run.text[run.start - 1] in ":=/" and bool(said & words)


def _further_phone(run: Run, first: int, *, is_list: bool) -> tuple[int, int] | None:
    """Where a number that begins with a later group begins, and the group after its last one."""
    start = run.groups[first][0]
    separator = run.separator(first)
    if separator in ("-", ".", "/") or separator.strip(" \n\r\t(/"):
        return None
    last = (is_list and _labelled(run, first)) or national_end(run, first)
    return (start - is_in_brackets(run, first), last) if last else None


@cache
def _links() -> tuple[str, ...]:
    return tuple(data("phone")["links"])


def _is_call_link(run: Run) -> bool:
    if run.start == 0 or run.text[run.start - 1] not in ":=/Bb+":
        return False
    before = run.text[max(0, run.start - 10) : run.start].lower()
    return before.removesuffix("+").endswith(_links())


def _international(run: Run, skipped: int) -> int | None:
    """The end of a number that begins with a country code after ``skipped`` digits."""
    for last in ends(run, 0, range(7 + skipped, 17 + skipped)):
        if phone_plan.is_international(run.digits(0, last)[skipped:]):
            return last
    return None


def _unplanned(run: Run, plus: int) -> int | None:
    """The end of a number after a + that no plan has, unless it counts or costs something."""
    if run.is_public or run.is_amount or run.text[plus : run.start].strip("+("):
        return None
    if run.is_glued_after or {3} == {*run.sizes[1:]}:
        return None
    for last in ends(run, 0, range(8, 16)):
        if phone_plan.has_country(run.digits(0, last)):
            return last
    return None


def _is_called(run: Run, first: int, last: int) -> bool:
    """Whether the groups are written as a number, or are one of some country: after a cue, no label."""
    if is_grouped(run, first, last):
        return True
    return 1 not in run.sizes[first + 1 : last] and phone_plan.is_national(run.digits(first, last))


def _labelled(run: Run, first: int) -> int | None:
    """The end of a number that words before it announce."""
    labels = bit("phone", "labels")
    strong = bool(run.said & labels)
    if not strong and (not run.said & bit("phone", "cues") or run.is_amount):
        return None
    if run.is_public and last_of(run.before, labels) < last_of(run.before, bit("words", "against")):
        return None
    for last in ends(run, first, range(6, 16) if strong else range(7, 16)):
        if is_date(run, first, last):
            return None
        if strong or (_is_called(run, first, last) and not ends_in_postcode(run, last)):
            return last
    return None
