"""Folding of alike lines. Which sentences of a report are one with their count, and all there with --all?

Alike are sentences in a row that begin with the same two words, whatever numbers and names are in these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

ALIKE_SHOWN = 3  # more of them are one line, and how many there are
_PARTICULAR = re.compile(r"'[^']*'|\d+")


def folded_lines(lines: Iterable[str], *, everything: bool = False) -> Iterator[str]:
    """Yield the lines, of many alike only the first and how many more; ``everything``: each of them."""
    for _, found in groupby(lines, key=_opening):
        alike = list(found)
        if everything or len(alike) <= ALIKE_SHOWN:
            yield from alike
        else:
            yield alike[0]
            yield f"and {len(alike) - 1} more like it; --all lists them"


def _opening(line: str) -> tuple[str, ...]:
    return tuple(_PARTICULAR.sub("#", line).split(maxsplit=2)[:2])
