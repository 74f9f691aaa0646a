"""Finding (span). What did which detector find, and where?"""

from __future__ import annotations

from typing import NamedTuple

# The version of the whole set: it rises with every change of what is found, and stored findings name it.
DETECTORS_VERSION = 2


class Finding(NamedTuple):
    """A part of a text: ``start`` and ``end`` in code points, ``detector`` the name of a data file here."""

    detector: str
    start: int
    end: int
