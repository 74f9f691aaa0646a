"""Backfill of text_findings. Which entries were not searched yet, or with older detectors? Batch by batch.

After an upgrade, and after a change of the detectors, every text is searched once, in small batches: what is
found is read and searched in one snapshot, and written in a short transaction of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app import clock
from app.entries import store
from app.entries.findings import Findings, Searched, content_hash, write
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, find_key, get_or_make_key

ROWS_MOST = 500
SECONDS_MOST = 0.04  # of one snapshot: with a rollback journal no one's commit ends before it
WRITTEN_MOST = 100  # in one transaction, while which no one else writes: some 10 ms
LENGTH_MOST = 5_000_000  # of the texts that are compared in it
Opened = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class Batch:
    """What was searched, up to which entry, and whether that was the last one."""

    searched: tuple[Searched, ...]
    looked_at: int
    last_id: int
    is_last: bool


def search_batch(connection: Connection, after_id: int) -> Batch:
    """Search the entries after an id whose findings do not fit them, for a fraction of a second.

    Looks at 500 entries at most, and at one at least. Writes nothing.
    """
    findings = Findings(connection, Policies(connection))
    until = time.monotonic() + SECONDS_MOST
    searched: list[Searched] = []
    looked_at, last_id = 0, after_id
    with closing(store.with_findings(connection, after_id, ROWS_MOST)) as rows:
        for row in rows:
            looked_at, last_id = looked_at + 1, row.id
            found = findings.searched_anew(row)
            if found is not None:
                searched.append(found)
            if time.monotonic() > until:
                return Batch(tuple(searched), looked_at, last_id, is_last=False)
    return Batch(tuple(searched), looked_at, last_id, is_last=looked_at < ROWS_MOST)


def search_these(connection: Connection, entry_ids: Sequence[int]) -> Batch:
    """Search these entries as far as their findings do not fit them. Writes nothing."""
    findings = Findings(connection, Policies(connection))
    with closing(store.these_with_findings(connection, entry_ids)) as rows:
        searched = tuple(found for row in rows if (found := findings.searched_anew(row)) is not None)
    return Batch(searched, len(entry_ids), max(entry_ids, default=0), is_last=True)


def lacks_key(connection: Connection, batch: Batch) -> bool:
    """Whether the hashes of what was found have no key yet; with one it is to be searched again."""
    return any(one.found for one in batch.searched) and find_key(connection, FINDING_VALUES) is None


def make_key(connection: Connection, now: datetime) -> None:
    """Make that key where there is none yet. Writes privacy_secrets."""
    get_or_make_key(connection, FINDING_VALUES, now)


def parts_of(batch: Batch) -> Iterator[tuple[Searched, ...]]:
    """Yield what was searched in parts, each for a transaction that is over soon."""
    part: list[Searched] = []
    length = 0
    for one in batch.searched:
        if part and (len(part) >= WRITTEN_MOST or length + one.text_length > LENGTH_MOST):
            yield tuple(part)
            part, length = [], 0
        part.append(one)
        length += one.text_length
    if part:
        yield tuple(part)


def keep_part(connection: Connection, part: Sequence[Searched], now: datetime) -> None:
    """Write what was found, but of entries that were changed meanwhile. Writes text_findings."""
    there = store.texts_of(connection, [one.entry_id for one in part])
    for one in part:
        if one.entry_id in there and content_hash(*there[one.entry_id]) == one.content_hash:
            write(connection, one, now)


def search_and_keep(reading: Opened, writing: Opened, entry_ids: Sequence[int]) -> None:
    """Search the texts of entries, and keep what is found, a few at a time: others write in between."""
    for begin in range(0, len(entry_ids), WRITTEN_MOST):
        some = entry_ids[begin : begin + WRITTEN_MOST]
        with reading() as connection:
            batch = search_these(connection, some)
            is_keyless = lacks_key(connection, batch)
        if is_keyless:
            with writing() as connection:
                make_key(connection, clock.now())
            with reading() as connection:
                batch = search_these(connection, some)
        for part in parts_of(batch):
            with writing() as connection:
                keep_part(connection, part, clock.now())
