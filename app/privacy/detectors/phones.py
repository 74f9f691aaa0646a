"""Telephone numbers (E.164, national forms). Which groups of digits can be called?

With + or 00 the country's plan decides; after a label whatever can be a number is one; after a weaker cue, or
without any, only what is written as telephone numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from app.privacy.detectors import phone_plan
from app.privacy.detectors.catalogue import data, labels
from app.privacy.detectors.check_digits import is_ean, isbn
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.runs import Run


def phones_in(run: Run) -> Iterator[Finding]:
    """Yield the telephone numbers of a run, in order."""
    if (run.digit_count < 6 or run.is_in_link or _is_decimal(run)) and not _is_call_link(run):
        return
    if len(run.sizes) == 3 and 4 in (run.sizes[0], run.sizes[2]) and _is_date(run, 0, 3):
        return
    found = _first_phone(run)
    first = 0
    while first < len(run.groups):
        if found:
            start, last = found
            yield Finding(
                "phone", start, run.extension if last == len(run.groups) else run.groups[last - 1][1]
            )
        first = found[1] if found else first + 1
        found = _further_phone(run, first, is_list=found is not None) if first < len(run.groups) else None


def _is_decimal(run: Run) -> bool:
    """Whether the run is a number such as 52.5200."""
    return (
        len(run.sizes) == 2 and run.sizes[0] <= 2 and run.text[run.start] != "0" and run.separator(1) == "."
    )


def says_phone(run: Run) -> bool:
    """Whether a + or a link says that the run is a telephone number."""
    return run.text[max(0, run.start - 3) : run.start].rstrip(" (").endswith("+") or _is_call_link(run)


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
        return start, next(_ends(run, 0, range(3, 16)), 1)
    if run.is_glued_before and not _is_glued_to_label(run):
        return None
    zeros = run.digits(0, len(run.groups)).startswith("00") and run.sizes[0] > 1 and not _is_article(run)
    last = (zeros and _international(run, 2)) or _labelled(run, 0) or _national(run, 0)
    return (start - _is_in_brackets(run, 0), last) if last else None


def _is_article(run: Run) -> bool:
    """Whether words say that the number is something public, or it is the number of an article (EAN)."""
    return run.is_public or (run.sizes == [13] and is_ean(run.digits(0, 1)))


def _is_glued_to_label(run: Run) -> bool:
    """Whether a label stands right before: Tel:030 123456, Phone/Fax:030 123456."""
    said = labels("phone", "labels")
    if run.text[run.start - 1] == "/":
        return run.before[-1:] != [] and run.before[-1] in said.single
    return run.text[run.start - 1] in ":=" and run.is_labelled(said)


def _further_phone(run: Run, first: int, *, is_list: bool) -> tuple[int, int] | None:
    """Where a number that begins with a later group begins, and the group after its last one."""
    size = run.sizes[first]
    start = run.groups[first][0]
    if not is_list and run.text[start] != "0" and size != 3 and not _is_in_brackets(run, first):
        return None
    separator = run.separator(first)
    if separator in ("-", ".", "/") or not set(separator) <= set(" \n\r\t(/"):
        return None
    last = (is_list and _labelled(run, first)) or _national(run, first)
    return (start - _is_in_brackets(run, first), last) if last else None


@cache
def _links() -> tuple[str, ...]:
    return tuple(data("phone")["links"])


def _is_call_link(run: Run) -> bool:
    before = run.text[max(0, run.start - 10) : run.start]
    return before[-1:] in (":", "=", "/", "B", "b", "+") and before.lower().removesuffix("+").endswith(
        _links()
    )


def _ends(run: Run, first: int, digits: range) -> Iterator[int]:
    """Yield the groups after which a number could end, the best first: where a line or a list goes on."""
    count = 0
    plain: list[int] = []
    for last in range(first + 1, len(run.groups) + 1):
        count += run.sizes[last - 1]
        if count >= digits.stop:
            break
        if count in digits:
            if last == len(run.groups) or _parts_numbers(run.separator(last)):
                yield last
            else:
                plain.append(last)
    yield from reversed(plain)


def _parts_numbers(separator: str) -> bool:
    return "\n" in separator or ("/" in separator and len(separator) > 1) or separator in (". ", "  ", ") ")


def _international(run: Run, skipped: int) -> int | None:
    """The end of a number that begins with a country code after ``skipped`` digits."""
    for last in _ends(run, 0, range(7 + skipped, 17 + skipped)):
        if phone_plan.is_international(run.digits(0, last)[skipped:]):
            return last
    return None


def _unplanned(run: Run, plus: int) -> int | None:
    """The end of a number after a + that no plan has, unless it counts or costs something."""
    if run.is_public or run.is_amount or run.text[plus : run.start].strip("+("):
        return None
    if run.is_glued_after or {3} == {*run.sizes[1:]}:
        return None
    for last in _ends(run, 0, range(8, 16)):
        if phone_plan.has_country(run.digits(0, last)):
            return last
    return None


def _labelled(run: Run, first: int) -> int | None:
    """The end of a number that words before it announce."""
    strong = run.is_labelled(labels("phone", "labels"))
    if not strong and (not run.is_labelled(labels("phone", "cues")) or run.is_amount):
        return None
    against = labels("words", "against")
    if run.is_public and labels("phone", "labels").last_in(run.before) < against.last_in(run.before):
        return None
    for last in _ends(run, first, range(6, 16) if strong else range(7, 16)):
        if _is_date(run, first, last):
            return None
        is_one = last == first + 1 and phone_plan.is_national(run.digits(first, last))
        if strong or is_one or (_is_grouped(run, first, last) and not _ends_in_postcode(run, last)):
            return last
    return None


@cache
def _shapes() -> frozenset[tuple[int, ...]]:
    return frozenset(tuple(map(int, shape.split())) for shape in data("phone")["shapes"])


def _is_grouped(run: Run, first: int, last: int) -> bool:
    """Whether the groups are two to five, none of them one digit but the first, on one line."""
    sizes = run.sizes[first:last]
    return 2 <= len(sizes) <= 5 and 1 not in sizes[1:] and "\n" not in run.kinds[first : last - 1]


def _national(run: Run, first: int) -> int | None:
    """The end of a number that is written as such, without any word beside it."""
    opened = _is_in_brackets(run, first)
    is_begin = run.text[run.groups[first][0]] in "01" or run.sizes[first] == 3 or _is_hyphened_row(run, first)
    is_signed = "@" in run.text and _is_a_line(run, first)
    if not (opened or is_begin or is_signed):
        return None
    if run.is_public or run.is_amount:
        return None
    for last in _ends(run, first, range(8, 13)):
        if (last == len(run.groups) and run.is_glued_after) or _ends_in_postcode(run, last):
            continue
        digits = run.digits(first, last)
        if last == first + 1:
            return last if _is_in_one_piece(digits) or (is_signed and _is_signed(run, first, last)) else None
        if _is_written_as_phone(run, first, last, opened) and _is_even(run, first, last):
            return None if _is_date(run, first, last) else last
        if is_signed and _is_signed(run, first, last):
            return last
    return None


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
        last == len(run.groups) and 1 not in run.sizes[first + 1 : last] and not _is_date(run, first, last)
    )
    digits = run.digits(first, last)
    return is_whole and len(digits) > 8 and not isbn(digits) and phone_plan.is_national(digits)


def _is_in_brackets(run: Run, first: int) -> bool:
    start = run.groups[first][0]
    return (
        first + 1 < len(run.groups) and run.text[start - 1 : start] == "(" and ")" in run.separator(first + 1)
    )


def _is_written_as_phone(run: Run, first: int, last: int, opened: bool) -> bool:
    sizes = tuple(run.sizes[first:last])
    digits = run.digits(first, last)
    is_hyphened = run.separator(last - 1) in ("-", ".")
    if opened and 2 <= sizes[0] <= 5:
        return digits[:2] not in ("19", "20")
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


def _ends_in_postcode(run: Run, last: int) -> bool:
    """Whether the last group begins a line, and a name follows it: 10115 Berlin."""
    start, end = run.groups[last - 1]
    return "\n" in run.text[start - 3 : start] and run.text[end : end + 2].strip().isalpha()


def _is_even(run: Run, first: int, last: int) -> bool:
    """Whether the groups are parted in one manner, apart from the area code: two lists are no number."""
    return len({run.separator(at) for at in range(first + 2, last)} - {"\n"}) <= 1


def _is_date(run: Run, first: int, last: int) -> bool:
    """Whether these groups are a date, or years."""
    sizes = run.sizes[first:last]
    if len(sizes) >= 3 and sorted(sizes[:3])[-1] == 4 and sorted(sizes[:3])[1] <= 2:
        year, *rest = sorted((int(run.digits(at, at + 1)) for at in range(first, first + 3)), reverse=True)
        return 1800 <= year <= 2100 and 1 <= rest[0] <= 31 and 1 <= rest[1] <= 12
    return all(
        size == 4 and run.digits(first + at, first + at + 1)[:2] in ("17", "18", "19", "20")
        for at, size in enumerate(sizes)
    )
