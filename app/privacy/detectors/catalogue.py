"""Detector data (TOML files). What do the detectors look for?

Each file beside this one is a detector: what it looks for, and texts in which something must be found
(between « and ») and others in which nothing may be. They are read at the first search, not at the start of
the program.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


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
