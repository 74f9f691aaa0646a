"""Telephone numbers by their form (national plans). What is written as a number, without any word beside it?

Areas in brackets, North American groups, a 0 and groups of usual sizes, mobile networks in one piece, and a
line of its own in a text that has a mail address too. A date, a list of years and a postal code are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from app.privacy.detectors import phone_plan
from app.privacy.detectors.catalogue import data
from app.privacy.detectors.check_digits import isbn
from app.privacy.detectors.number_shapes import as_text
from app.privacy.detectors.runs import Run


def ends(run: Run, first: int, digits: range) -> Iterator[int]:
    """Yield the groups after which a number could end, the best first: where a line or a list goes on."""
    count = 0
    plain: list[int] = []
    for last in range(first + 1, len(run.groups) + 1):
        count += run.sizes[last - 1]
        if count >= digits.stop:
            break
        if count in digits:
            is_end = last == len(run.groups)
            if is_end or (_parts_numbers(run.separator(last)) and not _is_stacked(run, first)):
                yield last
            else:
                plain.append(last)
    yield from reversed(plain)


def _is_stacked(run: Run, first: int) -> bool:
    """Whether every group has a line of its own: the lines then part no numbers."""
    kinds = run.kinds[first : first + 15]
    return len(kinds) > 1 and not kinds.strip("\n") and max(run.sizes[first : first + 16]) <= 5


def _parts_numbers(separator: str) -> bool:
    return "\n" in separator or ("/" in separator and len(separator) > 1) or separator in (". ", "  ", ") ")


@cache
def _shapes() -> frozenset[tuple[int, ...]]:
    return frozenset(tuple(map(int, shape.split())) for shape in data("phone")["shapes"])


def is_grouped(run: Run, first: int, last: int) -> bool:
    """Whether the groups are two to five, none of them one digit but the first, on one line."""
    sizes = run.sizes[first:last]
    return 2 <= len(sizes) <= 5 and 1 not in sizes[1:] and "\n" not in run.kinds[first : last - 1]


def national_end(run: Run, first: int) -> int | None:
    """The end of a number that is written as such, without any word beside it."""
    start = run.groups[first][0]
    begin = run.text[start : start + 2]
    opened = begin not in ("19", "20") and 2 <= run.sizes[first] <= 5 and is_in_brackets(run, first)
    is_signed = run.has_mail and _is_a_line(run, first)
    if not (opened or is_signed) and (begin == "00" or not _usual(begin[0]).match(run.sizes_text, first)):
        return None
    if run.is_public or run.is_amount:
        return None
    for last in ends(run, first, range(8, 13)):
        if (last == len(run.groups) and run.is_glued_after) or ends_in_postcode(run, last):
            continue
        digits = run.digits(first, last)
        if last == first + 1:
            return last if _is_in_one_piece(digits) or (is_signed and _is_signed(run, first, last)) else None
        if _is_written_as_phone(run, first, last, opened) and _is_even(run, first, last):
            return None if is_date(run, first, last) else last
        if is_signed and _is_signed(run, first, last):
            return last
    return None


@cache
def _usual(begin: str) -> re.Pattern[str]:
    """The sizes of groups that are a number without brackets, by its first digit."""
    rows = {(3, 3, 4), (1, 3, 3, 4), *_HYPHENED}
    if begin == "0":
        rows |= {*_shapes(), *((size,) for size in range(8, 13))}
    return re.compile("|".join(re.escape(as_text(row)) for row in sorted(rows)))


# Groups that are parted by more than a space: 62 3387-5004, 30/166 1318.
_HYPHENED = ((2, 4, 4), (2, 5, 4), (2, 3, 4), (1, 3, 4))


def _is_hyphened_row(run: Run, first: int) -> bool:
    """Whether an area, a space or slash, and two groups with a hyphen or space between follow."""
    if tuple(run.sizes[first : first + 3]) not in _HYPHENED or first + 3 < len(run.sizes):
        return False
    before, between = run.separator(first + 1), run.separator(first + 2)
    is_slashed = before in ("/", ")/") and between in ("-", " ") and run.sizes[first + 1] == 3
    return is_slashed or (before in (" ", ") ") and between == "-" and run.sizes[first + 1] > 3)


def _is_a_line(run: Run, first: int) -> bool:
    """Whether nothing else stands on the line, or between two bars, that the run begins."""
    before, after = run.text[max(0, run.start - 3) : run.start], run.text[run.end : run.end + 3]
    is_begun = first == 0 and (not before or before.rstrip(" ")[-1:] in _BARS)
    return is_begun and (not after or after.lstrip(" ")[:1] in _BARS)


_BARS = ("", "\n", "|", "·", "•")


def _is_signed(run: Run, first: int, last: int) -> bool:
    """Whether the whole line is a number of some country, below a name or beside an address."""
    is_whole = (
        last == len(run.groups) and 1 not in run.sizes[first + 1 : last] and not is_date(run, first, last)
    )
    digits = run.digits(first, last)
    return is_whole and len(digits) > 8 and not isbn(digits) and phone_plan.is_national(digits)


def is_in_brackets(run: Run, first: int) -> bool:
    start = run.groups[first][0]
    return (
        first + 1 < len(run.groups) and run.text[start - 1 : start] == "(" and ")" in run.separator(first + 1)
    )


def _is_written_as_phone(run: Run, first: int, last: int, opened: bool) -> bool:
    sizes = tuple(run.sizes[first:last])
    digits = run.digits(first, last)
    is_hyphened = run.separator(last - 1) in ("-", ".")
    if opened:
        return True
    if sizes == (3, 3, 4) or (sizes == (1, 3, 3, 4) and digits[0] == "1"):
        return (
            is_hyphened
            or phone_plan.is_north_american(digits[-10:])
            or (digits[0] == "0" and phone_plan.is_national(digits))
        )
    if _is_hyphened_row(run, first):
        return digits[2:4] not in ("19", "20") and phone_plan.is_national(digits)
    if sizes == (5, 4) and run.separator(last - 1) == "-":  # a postal code of the United States
        return False
    return digits[0] == "0" and digits[1] != "0" and sizes in _shapes() and phone_plan.is_national(digits)


def _is_in_one_piece(digits: str) -> bool:
    """Whether digits without a gap are a national number: a 0, an area or a mobile network, and as long."""
    lengths = data("phone")["mobile"].get(digits[:3]) or data("phone")["mobile"].get(digits[:2], (10, 11))
    is_one = digits[0] == "0" and digits[1] != "0" and len(digits) in lengths
    return is_one and not (len(digits) == 10 and isbn(digits)) and phone_plan.is_national(digits)


def ends_in_postcode(run: Run, last: int) -> bool:
    """Whether the last group begins a line, and a name follows it: 10115 Berlin."""
    start, end = run.groups[last - 1]
    return "\n" in run.text[start - 3 : start] and run.text[end : end + 2].strip().isalpha()


def _is_even(run: Run, first: int, last: int) -> bool:
    """Whether the groups are parted in one manner, apart from the area code: two lists are no number."""
    return len({run.separator(at) for at in range(first + 2, last)} - {"\n"}) <= 1


def is_date(run: Run, first: int, last: int) -> bool:
    """Whether these groups are a date, or years."""
    sizes = run.sizes[first:last]
    if 4 not in sizes:
        return False
    if len(sizes) >= 3:
        _, middle, longest = sorted(sizes[:3])
        if longest == 4 and middle <= 2:
            numbers = (int(run.digits(at, at + 1)) for at in range(first, first + 3))
            month, day, year = sorted(numbers)
            return 1800 <= year <= 2100 and 1 <= day <= 31 and 1 <= month <= 12
    if sizes.count(4) != len(sizes):
        return False
    years = (run.digits(at, at + 1) for at in range(first, last))
    return all(year[:2] in ("17", "18", "19", "20") for year in years)
