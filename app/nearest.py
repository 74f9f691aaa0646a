"""Spelling suggestions. Which of the known words was meant where another one was written?"""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that takes the fewest edits to come to, case aside; of equals the first."""
    return min(known, key=lambda one: edits(word.lower()[:100], one.lower()))


def edits(one: str, other: str) -> int:
    """Return how many letters must be put in, left out or exchanged to come from one text to the other."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], at
        for column, wanted in enumerate(other, 1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (letter != wanted)),
            )
    return row[-1]
