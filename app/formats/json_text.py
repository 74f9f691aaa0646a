"""JSON text (RFC 8259). What does it hold, and which keys stand in it twice?

A key that stands twice is legal JSON with two meanings: readers differ in which one counts, and the other is
lost. So the person decides.
"""

from __future__ import annotations

import json
from typing import Any

from app.errors import InvalidContent
from app.formats.items import Choices
from app.formats.texts import place_in

CHOICES = ("first", "last", "both")
DEPTH_MOST = 60


def read_json(text: str, place: str, choices: Choices) -> Any:
    """Return what ``text`` holds. Raises InvalidContent with its place, and for keys that stand twice."""
    doubled: list[str] = []

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                doubled.append(key)
                found[key] = _chosen(found[key], value, choices.doubled)
            else:
                found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=as_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidContent(
            f"{place}, line {error.lineno}, column {error.colno}: no JSON ({error.msg}); nothing was"
            " imported.",
            hint="JSON has neither comments nor a comma after the last value.",
        ) from None
    except (RecursionError, ValueError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidContent(f"{place}: no JSON that can be read ({why}); nothing was imported.") from None
    if _depth_is_over(value, DEPTH_MOST):
        raise InvalidContent(f"{place} is nested more than {DEPTH_MOST} deep; nothing was imported.")
    _refuse_surrogates(value, text, place)
    if doubled and choices.doubled not in CHOICES:
        names = ", ".join(dict.fromkeys(doubled))
        raise InvalidContent(
            f"{place}: twice in one object: {names}. Which of them counts? Nothing was imported.",
            hint="daemon import PATH --doubled first   # or last, or both",
        )
    return value


def _chosen(before: Any, value: Any, choice: str | None) -> Any:
    if choice == "first":
        return before
    if choice != "both":
        return value
    if isinstance(before, list) and isinstance(value, list):
        return before + value
    if isinstance(before, dict) and isinstance(value, dict):
        return {**value, **before}
    return [before, value]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _depth_is_over(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _refuse_surrogates(value: Any, text: str, place: str) -> None:
    """Refuse what an escape can spell and no text can hold: half a character, and U+0000."""
    if "\\u" not in text:
        return
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and any(_is_no_character(letter) for letter in each):
            bad = next(letter for letter in each if _is_no_character(letter))
            at = text.lower().find(f"\\u{ord(bad):04x}")
            line, column = place_in(text, max(at, 0))
            raise InvalidContent(
                f"{place}, line {line}, column {column}: U+{ord(bad):04X} is no character of a text;"
                " nothing was imported."
            )


def _is_no_character(letter: str) -> bool:
    return letter == "\x00" or "\ud800" <= letter <= "\udfff"
