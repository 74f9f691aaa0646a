"""Detector data (TOML files). What do the detectors look for?

Each file beside this one is a detector: what it looks for, and texts in which something must be found
(between « and ») and others in which nothing may be. They are read at the first search, not at the start of
the program.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from app.privacy.detectors.check_digits import Check
from app.privacy.detectors.national_checks import CHECKS

_FOLDER = Path(__file__).parent
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall(text.lower())


class Labels:
    """Words, or rows of words, that say what the number beside them is."""

    def __init__(self, listed: Iterable[str]) -> None:
        rows = [words_of(row) for row in listed]
        self.single = frozenset(row[0] for row in rows if len(row) == 1)
        self.rows = tuple(dict.fromkeys(f" {' '.join(row)} " for row in rows if len(row) > 1))
        self.every = self.single.union(*(row for row in rows if len(row) > 1))

    def are_in(self, words: list[str]) -> bool:
        """Whether one of them is among the words."""
        if not self.single.isdisjoint(words):
            return True
        said = f" {' '.join(words)} " if self.rows else ""
        return any(row in said for row in self.rows)

    def last_in(self, words: list[str]) -> int:
        """The place of the last single one among the words; -1 where there is none."""
        return max((at for at, word in enumerate(words) if word in self.single), default=-1)


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
    labels: Labels
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


@cache
def data(name: str) -> dict[str, Any]:
    """Return what a data file says."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def names() -> tuple[str, ...]:
    """Return the names of the data files that are detectors."""
    found = sorted(path.stem for path in _FOLDER.glob("*.toml"))
    return tuple(name for name in found if "detector" in data(name))


@cache
def detectors_for_shipped_rule(field_name: str) -> frozenset[str]:
    """Return the detectors that answer, over text, for the shipped rule of a field name; none for a few.

    No detector looks for salaries, wages, postal codes and driving licences.
    """
    return frozenset(name for name in names() if field_name in data(name).get("shipped_rules", ()))


@cache
def labels(name: str, key: str) -> Labels:
    """Return a list of words of a data file."""
    return Labels(data(name)[key])


@dataclass
class Shapes:
    """What follows groups of digits of these sizes: further sizes, and what the groups so far may be."""

    further: dict[int, Shapes] = field(default_factory=dict)
    rows: tuple[Number, ...] = ()

    def add(self, sizes: Iterable[int], row: Number) -> None:
        """Add what groups of these sizes may be."""
        at = self
        for size in sizes:
            at = at.further.setdefault(size, Shapes())
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


def _number(name: str, row: dict[str, Any]) -> Number:
    return Number(
        detector=name,
        separators=row.get("separators", " -."),
        check=CHECKS.get(row["check"]),
        labels=Labels(row.get("labels", data(name)["labels"])),
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
