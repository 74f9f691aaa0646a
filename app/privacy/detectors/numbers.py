"""Numbers with check digits (cards, SSN, national ids). Which groups of digits are one of them?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.privacy.detectors.check_digits import isbn
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.labels import bit
from app.privacy.detectors.number_shapes import Number, Shapes, codes, numbers, starts
from app.privacy.detectors.runs import Run

_LETTER = re.compile(r"[A-Za-z+]")


def numbers_in(run: Run, taken: frozenset[int] = frozenset()) -> Iterator[Finding]:
    """Yield the numbers in a run that begin with no group of those taken, in order; they do not overlap."""
    sizes = run.sizes
    begin = numbers()
    done = 0
    for first in starts(sizes):
        if first < done or first in taken:
            continue
        found: tuple[int, Finding] | None = None
        shape = begin.further.get(sizes[first])
        last = first + 1
        while shape is not None:
            if shape.is_end and (rows := _rows(run, first, last, shape)):
                found = _found(run, first, last, rows) or found
            shape = shape.further.get(sizes[last]) if last < len(sizes) else None
            last += 1
        if found:
            done = found[0]
            yield found[1]


def _rows(run: Run, first: int, last: int, shape: Shapes) -> tuple[Number, ...]:
    """What the groups may be, by the letters and labels that are there."""
    rows = shape.rows
    if shape.lettered and _is_lettered(run, first, run.groups[last - 1][1]):
        rows += shape.lettered
    if shape.labelled and run.said & shape.label_bits:
        rows += shape.labelled
    return rows


def _is_lettered(run: Run, first: int, end: int) -> bool:
    """Whether letters stand right before or after the groups: only at the ends of a run."""
    if first == 0 and run.text[max(0, run.start - 2) : run.start].rstrip(" -")[-1:].isalpha():
        return True
    return end + 4 > run.end and _LETTER.search(run.text, end, end + 4) is not None


def _found(run: Run, first: int, last: int, rows: tuple[Number, ...]) -> tuple[int, Finding] | None:
    """What the groups are; of several, what a word beside them says."""
    digits = run.digits(first, last)
    possible = [(row, span) for row in rows if (span := _span(run, first, last, row, digits))]
    if not possible:
        return None
    if len(possible) > 1:
        possible.sort(key=lambda found: not run.said & found[0].labels)
    is_one = last == first + 1
    for row, span in possible:
        if _is_meant(run, digits, row, is_in_one_piece=is_one):
            return last, Finding(row.detector, *span)
    return None


def _span(run: Run, first: int, last: int, row: Number, digits: str) -> tuple[int, int] | None:
    """Where the number begins and ends; None where its digits, or what surrounds them, are another's."""
    if (row.needs_label and not run.said & row.labels) or (
        row.alone and not _is_parted(run, first, last, row)
    ):
        return None
    if row.after is not None or row.before is not None:
        span = _surrounded(run, first, last, row)
    elif row.check is None or row.check(digits):
        span = _bounds(run, first, last, row)
    else:
        return None
    return span if span and (row.alone or _is_parted(run, first, last, row)) else None


def _bounds(run: Run, first: int, last: int, row: Number) -> tuple[int, int] | None:
    """Where the groups begin and end; None where they only begin or end a longer word."""
    if _is_continued(run, first, row) or (last == len(run.groups) and run.is_glued_after):
        return None
    return run.groups[first][0], run.groups[last - 1][1]


def _is_continued(run: Run, first: int, row: Number) -> bool:
    """Whether the groups only continue a word or a number, and not the row's label: BSN:111222333."""
    if first or not run.is_glued_before:
        return False
    return not (run.text[run.start - 1] in ":=/#" and run.said & row.labels)


def _surrounded(run: Run, first: int, last: int, row: Number) -> tuple[int, int] | None:
    """Where the number begins and ends with what must surround it; None where it is none."""
    start, end = run.groups[first][0], run.groups[last - 1][1]
    if row.before and (first or not run.text[max(0, start - 2) : start].rstrip(" -")[-1:].isalpha()):
        return None
    after = row.after.match(run.text, end) if row.after else None
    before = row.before.search(run.text[max(0, start - 8) : start]) if row.before else None
    if (row.after and after is None) or (row.before and before is None):
        return None
    if row.before is None and _is_continued(run, first, row):
        return None
    span = start - len(before[0] if before else ""), after.end() if after else end
    plain = "".join([char for char in run.text[slice(*span)].upper() if char.isalnum()])
    return span if row.check is None or row.check(plain) else None


def _is_parted(run: Run, first: int, last: int, row: Number) -> bool:
    """Whether the groups are parted as the row says, and from further groups in another manner."""
    kinds = run.kinds
    inside = kinds[first : last - 1].replace("\n", "")
    if inside.strip(inside[:1] if not row.mixed else row.separators) or inside[:1] not in row.separators:
        return False
    outside = kinds[max(0, first - 1) : first] + (kinds[last - 1 : last] if row.after is None else "")
    loose = " \n" if row.check is not None and not row.alone else "\n"
    if outside.strip(loose) == "":
        return True
    return outside.strip("\n ") == "" and " " not in inside


def _is_meant(run: Run, digits: str, row: Number, *, is_in_one_piece: bool) -> bool:
    """Whether the words around do not say that the digits are something else."""
    if run.said & row.labels:
        return True
    if row.needs_label or run.is_public or run.is_in_link or run.is_amount:
        return False
    if row.detector.startswith("id_") and run.said & bit("phone", "labels"):
        return False
    return not (is_in_one_piece and len(digits) in (10, 13) and isbn(digits))


def codes_in(text: str, start: int, end: int) -> Iterator[Finding]:
    """Yield the word of letters and digits at a place if it is some country's number."""
    for code in codes():
        if code.find.fullmatch(text, start, end) and code.check(text[start:end].upper()):
            yield Finding(code.detector, start, end)
            return
