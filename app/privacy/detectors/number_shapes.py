"""Shapes of numbers (groups of digits). What may be one detector's number, by the sizes of its groups?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.privacy.detectors.catalogue import data, names
from app.privacy.detectors.check_digits import Check
from app.privacy.detectors.labels import bit_of
from app.privacy.detectors.national_checks import CHECKS


@dataclass(frozen=True)
class Number:
    """Digits in groups that may be one detector's number.

    ``separators`` part the groups, the same one all along unless it is ``mixed``; a line end stands for any.
    ``before`` and ``after`` are what must surround the digits and belongs to the number. ``alone``: no
    further group of digits follows or precedes in the same manner.
    """

    detector: str
    separators: str
    check: Check | None
    labels: int
    needs_label: bool
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    mixed: bool
    alone: bool


@dataclass(frozen=True)
class Code:
    """One word of letters and digits that may be one detector's number."""

    detector: str
    find: re.Pattern[str]
    check: Check


@dataclass
class Shapes:
    """What follows groups of digits of these sizes: further sizes, and what the groups so far may be.

    ``rows`` are what needs nothing beside the digits; ``lettered`` have letters before or after, ``labelled``
    need one of the words of ``label_bits``.
    """

    further: dict[int, Shapes] = field(default_factory=dict)
    rows: tuple[Number, ...] = ()
    lettered: tuple[Number, ...] = ()
    labelled: tuple[Number, ...] = ()
    label_bits: int = 0
    is_end: bool = False

    def add(self, sizes: Iterable[int], row: Number) -> None:
        """Add what groups of these sizes may be."""
        at = self
        for size in sizes:
            at = at.further.setdefault(size, Shapes())
        at.is_end = True
        if row.needs_label:
            at.labelled = (*at.labelled, row)
            at.label_bits |= row.labels
        elif row.before or row.after:
            at.lettered = (*at.lettered, row)
        else:
            at.rows = (*at.rows, row)


@cache
def numbers() -> Shapes:
    """Return what groups of digits may be, by their sizes."""
    shapes = Shapes()
    for name in names():
        for row in data(name).get("number", ()):
            number = _number(name, row)
            for shape in dict.fromkeys(row["shapes"]):
                shapes.add(map(int, shape.split()), number)
    return shapes


def starts(sizes: list[int]) -> Iterator[int]:
    """Yield the groups that a number could begin with: where the sizes of a shape follow."""
    if len(sizes) < 8:
        yield from range(len(sizes))
    else:
        for match in _any_shape().finditer(as_text(sizes)):
            yield match.start()


def as_text(sizes: Iterable[int]) -> str:
    """Sizes of groups as a text, a character each: what they could be is then a pattern."""
    return "".join([chr(min(size, 99)) for size in sizes])


@cache
def _any_shape() -> re.Pattern[str]:
    """Looks ahead for the sizes of any shape, each size a character."""
    return re.compile(f"(?={_tree(numbers())})")


def _tree(shapes: Shapes) -> str:
    if shapes.is_end or not shapes.further:
        return ""
    return "(?:" + "|".join(re.escape(chr(size)) + _tree(on) for size, on in shapes.further.items()) + ")"


def _number(name: str, row: dict[str, Any]) -> Number:
    return Number(
        detector=name,
        separators=row.get("separators", " -."),
        check=CHECKS.get(row["check"]),
        labels=bit_of(row.get("labels", data(name)["labels"])),
        needs_label=row.get("needs_label", False),
        before=re.compile(row["before"] + r"\Z") if "before" in row else None,
        after=re.compile(row["after"]) if "after" in row else None,
        mixed=row.get("mixed", False),
        alone=row.get("alone", False),
    )


@cache
def codes() -> tuple[Code, ...]:
    """Return the words of letters and digits that are looked for."""
    return tuple(
        Code(name, re.compile(row["find"]), CHECKS[row["check"]])
        for name in names()
        for row in data(name).get("code", ())
    )
