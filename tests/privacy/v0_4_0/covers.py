"""Is all that a view shows shown by another one too?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_HIDDEN = re.compile(r"\*\*\*REDACTED\*\*\*|\[REDACTED\]|\*\*\*")


def shown_beyond(after: Any, before: Any, at: str = "") -> Iterator[str]:
    """Yield the place of whatever ``after`` shows and ``before`` does not."""
    if isinstance(after, dict):
        for key, child in after.items():
            if not isinstance(before, dict) or (key not in before and not _HIDDEN.search(key)):
                yield f"{at}/{key}"
            elif key in before:
                yield from shown_beyond(child, before[key], f"{at}/{key}")
    elif isinstance(after, list):
        yield from _elements_beyond(after, before if isinstance(before, list) else [], at)
    elif isinstance(after, str):
        shown = (re.escape(part) for part in _HIDDEN.split(after))
        text = before if isinstance(before, str) else "" if before is None else repr(before)
        if re.fullmatch(".*".join(shown), text, re.DOTALL) is None:
            yield at
    elif after is not None and (after != before or isinstance(after, bool) != isinstance(before, bool)):
        yield at


def _elements_beyond(after: list[Any], before: list[Any], at: str) -> Iterator[str]:
    """Elements keep their order; some of them may be left out."""
    place = 0
    for index, child in enumerate(after):
        while place < len(before) and next(shown_beyond(child, before[place]), None) is not None:
            place += 1
        if place == len(before):
            yield f"{at}/{index}"
            return
        place += 1
