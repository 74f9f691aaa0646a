"""Ordinary JSON texts. Which entries say in the usual places, and nowhere else, who may see them? In SQL.

Most entries are of the form that clients write: content, and in `meta` a title, a date, tags and perhaps the
visibility. SQLite finds those with one reading of the text, in a fraction of what it takes to be sure of any
text whatever; only the rest is read with all care.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from app.other_words import USUAL_NAMES, VISIBILITY, WORDS
from app.storage.types import StorageConnection, StorageError

Found = TypeVar("Found")
Texts = tuple[str, ...]

_AS_CLIENTS_WRITE = ("$.content", "$.meta.title", "$.meta.date", "$.meta.tags")
_ALL_USUAL = tuple(f"{above}.{name}" for above in ("$", "$.meta") for name in sorted(USUAL_NAMES))
_DEEPEST = 400  # as in step 0002: what may be nested deeper is none of the ordinary ones


def _written(*says: Mapping[str, object]) -> Texts:
    """Return these as SQLite writes JSON."""
    return tuple(json.dumps(one, separators=(",", ":")) for one in says)


_HIDING = [word for word in WORDS if word != "public"]
# What an ordinary entry says, by what is left of its text without the usual members.
SILENT = _written({}, {"meta": {}})
PUBLIC = _written({"meta": {VISIBILITY: "public"}}, {VISIBILITY: "public"})
HIDDEN_IN_META = _written(*({"meta": {VISIBILITY: word}} for word in _HIDING))
HIDDEN_AT_THE_TOP = _written(*({VISIBILITY: word} for word in _HIDING))


def with_quick_reading(connection: StorageConnection, work: Callable[[str], Found]) -> Found:
    """Return what ``work`` finds when it is given the SQL that says whether a text ``e.data`` is JSON.

    SQLite before 3.42 reads each text once more for that; so it is first taken for granted, and where it is
    not so, which SQLite then says, ``work`` is called again. Newer ones read once, and more than JSON.
    """
    if _reads_nothing_but_json(connection):
        try:
            return work("1")
        except StorageError as error:
            if error.reason != "statement":
                raise
    return work("json_valid(e.data)")


def decided(answers: Mapping[Texts, str], otherwise: str, is_json: str) -> str:
    """Return SQL for the answer to the entry ``e``, by what is left of its text."""
    for places in (_ALL_USUAL, _AS_CLIENTS_WRITE):
        cases = " ".join(f"WHEN '{text}' THEN {sql}" for texts, sql in answers.items() for text in texts)
        otherwise = f"CASE {_left_of(places, is_json)} {cases} ELSE {otherwise} END"
    return otherwise


def _left_of(places: Iterable[str], is_json: str) -> str:
    """Return SQL for what is left of a text without its members at ``places``.

    NULL of what is no text, has a NUL in it, or may be nested too deeply. One of the texts above only where
    each key is there once, and spelled without escapes.
    """
    listed = ", ".join(f"'{place}'" for place in places)
    return f"""CASE WHEN typeof(e.data) = 'text' AND (e.data || char(1)) GLOB '*' || char(1)
        AND (length(CAST(e.data AS BLOB)) < {2 * _DEEPEST}
             OR length(e.data) - length(replace(replace(e.data, '[', ''), '{{', '')) <= {_DEEPEST})
        AND {is_json} THEN json_remove(e.data, {listed}) END"""


def _reads_nothing_but_json(connection: StorageConnection) -> bool:
    try:
        connection.rows("SELECT json_remove('{a:1}', '$.a')")
    except StorageError:
        return True
    return False
