"""Stored findings (text_findings). What was found in an entry's texts, and was all of it searched?

A row holds for the text whose hash it names, for one set of detectors and for the words of the owner's
never-list as they were. Where one of these is another now, the text is searched before anyone is shown
anything of it, no matter what wrote it: SQL, an older server. What was found so is remembered for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from threading import Lock
from typing import Any

from cachetools import LRUCache
from sqlalchemy import Connection, Row, bindparam, insert, update

from app import clock
from app.entries.json_safe import stored_text
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, find_key, get_or_make_key, keyed_hash
from app.entries.row_types import EntryTexts
from app.entries.searched_texts import Pairs, search_text
from app.prepared_statements import PreparedStatement
from app.privacy import patterns
from app.privacy.detected import OLD, RULE, kind_of
from app.privacy.detectors.finding import DETECTORS_VERSION
from app.privacy.entry_search import Words
from app.privacy.found import Found
from app.tables import text_findings

NOTHING = "[]"
_OLDER = (OLD, RULE)
_REMEMBERED_MOST = 50_000  # findings, about 10 MB
_Key = tuple[str, int, bytes | None]
_remembered: LRUCache[_Key, tuple[Found, ...]] = LRUCache(
    _REMEMBERED_MOST, getsizeof=lambda found: len(found) + 1
)
_lock = Lock()


def content_hash(owner_id: int | None, stored: object) -> str:
    """Return the hash by which a row knows the text that it is about, and whose words were looked for."""
    return sha256(f"{owner_id or 0:d}\n{stored_text(stored)}".encode("utf-8", "surrogatepass")).hexdigest()


def set_version() -> int:
    """Return the version of what searches: below 0 where RE2 is missing, and rules hide whole texts."""
    return -DETECTORS_VERSION if patterns.missing() else DETECTORS_VERSION


def hashed(found: Iterable[tuple[Found, str]], key: bytes | None) -> tuple[Found, ...]:
    """Return findings with the hashes of their values; without them where there is no key yet."""
    if key is None:
        return tuple(one for one, _ in found)
    return tuple(
        one._replace(value_hash=keyed_hash(key, kind_of(one.detector), value)) for one, value in found
    )


@dataclass(frozen=True)
class Searched:
    """An entry that was searched: what `write` makes a row of."""

    entry_id: int
    content_hash: str
    words_generation: int
    found: tuple[Found, ...]
    text_length: int = 0


class Findings:
    """The findings of entries in one snapshot. An owner's never-list is read once, and only if needed."""

    def __init__(self, connection: Connection, policies: Policies) -> None:
        self._connection = connection
        self._policies = policies
        self._keys: list[bytes | None] = []  # none is asked for twice, where there is none too
        self._version = 0  # of what searches; asked for once, and only if needed

    def found_in(self, row: EntryTexts) -> tuple[Found, ...]:
        """Return what is found in an entry; its row has data, created_by_id and FINDINGS (store.py)."""
        owner_id = row.created_by_id
        wanted = content_hash(owner_id, row.data)
        generation = self._policies.words_generation_of(owner_id)
        stored = self._stored(row, wanted, generation)
        return self._searched(owner_id, row.data, wanted, generation) if stored is None else stored

    def stored_in(self, row: EntryTexts) -> tuple[Found, ...] | None:
        """Return the same where the entry was searched before; None where it would have to be now."""
        owner_id = row.created_by_id
        generation = self._policies.words_generation_of(owner_id)
        return self._stored(row, content_hash(owner_id, row.data), generation)

    def _stored(self, row: EntryTexts, wanted: str, generation: int) -> tuple[Found, ...] | None:
        return _stored(row, wanted, generation, self._version_of_now)

    def _version_of_now(self) -> int:
        self._version = self._version or set_version()
        return self._version

    def keep(
        self,
        entry_id: int,
        owner_id: int | None,
        stored: object,
        now: datetime,
        pairs: Pairs | None = None,
        *,
        is_new: bool = False,
    ) -> tuple[Found, ...]:
        """Keep what is found in an entry that was just written, ``pairs`` where that is known; return it.

        Writes text_findings, and privacy_secrets where it is the first that finds anything.
        """
        if pairs is None:
            pairs = search_text(stored, self._policies.words_of(owner_id))
        searched = self._searched_now(entry_id, owner_id, stored, pairs, now)
        write(self._connection, searched, now, is_new=is_new)
        return searched.found

    def _searched_now(
        self, entry_id: int, owner_id: int | None, stored: object, pairs: Pairs, now: datetime
    ) -> Searched:
        key = get_or_make_key(self._connection, FINDING_VALUES, now) if pairs else None
        generation = self._policies.words_generation_of(owner_id)
        return Searched(entry_id, content_hash(owner_id, stored), generation, hashed(pairs, key))

    def searched_anew(self, row: Row[Any]) -> Searched | None:
        """Search an entry whose stored findings do not fit it; None where they do. The row has an id too."""
        owner_id = row.created_by_id
        wanted = content_hash(owner_id, row.data)
        generation = self._policies.words_generation_of(owner_id)
        if self._stored(row, wanted, generation) is not None:
            return None
        found = self._searched(owner_id, row.data, wanted, generation)
        return Searched(row.id, wanted, generation, found, len(stored_text(row.data)))

    def _searched(
        self, owner_id: int | None, stored: object, wanted: str, generation: int
    ) -> tuple[Found, ...]:
        if not self._keys:
            self._keys.append(find_key(self._connection, FINDING_VALUES))
        return _searched(stored, wanted, generation, self._keys[0], lambda: self._policies.words_of(owner_id))


def found_with(row: EntryTexts, words: Words | None, generation: int, key: bytes | None) -> tuple[Found, ...]:
    """Return what `Findings.found_in` does, without the database: given what that would read of the owner."""
    wanted = content_hash(row.created_by_id, row.data)
    stored = _stored(row, wanted, generation, set_version)
    return _searched(row.data, wanted, generation, key, lambda: words) if stored is None else stored


def _stored(
    row: EntryTexts, wanted: str, generation: int, version: Callable[[], int]
) -> tuple[Found, ...] | None:
    """The findings that a row has; None where they are not those of its text, set and words."""
    if row.content_hash != wanted or (row.words_generation or 0) != generation:
        return None
    if row.detectors_version != version():
        return None
    return () if row.found == NOTHING else _read(row.found)


def _searched(
    stored: object, wanted: str, generation: int, key: bytes | None, words: Callable[[], Words | None]
) -> tuple[Found, ...]:
    memory = (wanted, generation, key)
    with _lock:
        found = _remembered.get(memory)
    if found is None:
        found = hashed(search_text(stored, words()), key)
        if len(found) < _REMEMBERED_MOST:
            with _lock:
                _remembered[memory] = found
    return found


def write(connection: Connection, searched: Searched, now: datetime, *, is_new: bool = False) -> None:
    """Write the row of an entry: of a new one, or in the place of what was found in an older text."""
    row = {**row_of(searched), "searched_at": clock.stored(now)}
    if is_new or not _CHANGE.run(connection, {**row, "of_entry": row["entry_id"]}):
        _ADD.run(connection, row)


def row_of(searched: Searched) -> dict[str, object]:
    """Return the row of an entry, but for the time."""
    return {
        "entry_id": searched.entry_id,
        "content_hash": searched.content_hash,
        "detectors_version": set_version(),
        "words_generation": searched.words_generation,
        "found": _written(searched.found),
    }


def write_new(connection: Connection, rows: Iterable[Mapping[str, object]], now: datetime) -> None:
    """Write the rows (`row_of`) of entries that have none with one statement."""
    searched_at = clock.stored(now)
    written = [{**row, "searched_at": searched_at} for row in rows]
    written.sort(key=itemgetter("entry_id"))  # as they stand in the table
    _ADD.run_all(connection, written)


def write_again(connection: Connection, rows: Iterable[Mapping[str, object]], now: datetime) -> None:
    """Write the rows (`row_of`) of entries that mostly have one with one statement, two where one has none.

    Whoever searches what no one has searched yet may have written some meanwhile.
    """
    at = clock.stored(now)
    written = [{**row, "searched_at": at, "of_entry": row["entry_id"]} for row in rows]
    if _CHANGE.run_all(connection, written) < len(written):
        _ADD_MISSING.run_all(connection, written)


_VALUES = ("content_hash", "detectors_version", "words_generation", "found", "searched_at")
_ADD = PreparedStatement(insert(text_findings), "entry_id", *_VALUES)
_ADD_MISSING = PreparedStatement(insert(text_findings), "entry_id", *_VALUES, unless_taken="entry_id")
_CHANGE = PreparedStatement(
    update(text_findings).where(text_findings.c.entry_id == bindparam("of_entry")), *_VALUES
)


def _written(found: Sequence[Found]) -> str:
    """The findings as JSON; those that older versions hide as well stand last, after a 0.

    So the text begins with ``[[`` where an older version would show something (step 0005 asks for that).
    """
    rows: list[object] = [_row(one) for one in found if not one.detector.startswith(_OLDER)]
    known = [_row(one) for one in found if one.detector.startswith(_OLDER)]
    return json.dumps([*rows, 0, *known] if known else rows, separators=(",", ":"))


def _row(found: Found) -> list[object]:
    return [found.pointer, int(found.in_key), *found[2:]]


def _read(stored: object) -> tuple[Found, ...] | None:
    """The findings of a row; None where something else than this program wrote it."""
    try:
        rows = json.loads(str(stored))
        found = tuple(Found(str(row[0]), row[1] == 1, *row[2:]) for row in rows if row != 0)
    except (ValueError, TypeError, IndexError, RecursionError):
        return None
    is_whole = all(
        isinstance(one.detector, str) and isinstance(one.start, int) and isinstance(one.end, int)
        for one in found
    )
    return found if is_whole else None
