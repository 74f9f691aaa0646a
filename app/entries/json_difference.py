"""JSON difference. Where do two values differ, by JSON Pointer, and how do texts of several lines?"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from app.entries.entry import pointer_of

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
LINES_MOST = 2_000  # of a text of which the difference is told by line: it takes longer than its length says
_MISSING = object()

Difference = dict[str, Any]


def differences(before: object, after: object) -> Iterator[Difference]:
    """Yield where JSON values differ, in the order of the first, then of what the second has besides.

    Each has pointer, change (added, removed, changed), before and after where there is such a value and, of
    two texts one of which has several lines, lines: a unified difference.
    """
    pending: list[tuple[tuple[str | int, ...], object, object]] = [((), before, after)]
    while pending:
        path, old, new = pending.pop()
        children = _children(old, new)
        if children is None:
            yield from _leaf(path, old, new)
            continue
        pending += [((*path, name), old_one, new_one) for name, old_one, new_one in reversed(children)]


def _children(old: object, new: object) -> list[tuple[str | int, object, object]] | None:
    """The parts of two values side by side; None where they are not both objects, or both arrays."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [*old, *(name for name in new if name not in old)]
        return [(name, old.get(name, _MISSING), new.get(name, _MISSING)) for name in names]
    if isinstance(old, list) and isinstance(new, list):
        return [(at, _at(old, at), _at(new, at)) for at in range(max(len(old), len(new)))]
    return None


def _at(values: list[Any], at: int) -> object:
    return values[at] if at < len(values) else _MISSING


def _leaf(path: tuple[str | int, ...], old: object, new: object) -> Iterator[Difference]:
    if type(old) is type(new) and old == new:
        return
    change = ADDED if old is _MISSING else REMOVED if new is _MISSING else CHANGED
    told: Difference = {"pointer": pointer_of(path), "change": change}
    if old is not _MISSING:
        told["before"] = old
    if new is not _MISSING:
        told["after"] = new
    if isinstance(old, str) and isinstance(new, str):
        lines = _by_line(old.split("\n"), new.split("\n"))
        if lines:
            told["lines"] = lines
    yield told


def _by_line(old: list[str], new: list[str]) -> list[str]:
    if not 1 < max(len(old), len(new)) <= LINES_MOST:
        return []
    return list(unified_diff(old, new, "before", "after", lineterm=""))[2:]
