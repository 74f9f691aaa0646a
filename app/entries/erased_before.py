"""Erased entries (import). Which entries of an export were erased here for good, and do not come in again?

The ledger names them in two ways: by id and time of creation, for the export of this installation; and where
an import had brought the entry, by a digest of where it came from, for the export of another one. Neither
tells anything of what was in it.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from sqlalchemy import Connection

from app import erasures
from app.accounts import importing
from app.accounts.importing import Source
from app.entries.export_folder import Exported, ExportedEntry
from app.erasures import BROUGHT, ENTRIES, Erasure, OfToday

ERASED = "it was erased here for good"


class ErasedBefore(NamedTuple):
    """What was erased: ids with times of creation, as the ledger has them, and digests of origins."""

    written: frozenset[tuple[int, str]]
    brought: frozenset[str]


def erased_entries(connection: Connection, exported: Exported, owner_id: int | None) -> set[int]:
    """Return the ids there of what was erased here; ``owner_id``: only where it was theirs.

    Whoever is not an operator is told of their own: a file can name any id.
    """
    database = OfToday(connection)
    known = ErasedBefore(
        frozenset(erasures.known_of(database, ENTRIES, owner_id)),
        frozenset(origin for _, origin in erasures.known_of(database, BROUGHT, owner_id)),
    )
    source = importing.source_of(exported.account)
    return {each.id for each in exported.entries if _is_erased(each, source, known)}


def line_of_origin(connection: Connection, line: Erasure) -> Erasure | None:
    """Return what the ledger keeps of where an entry came from, beside its line; None: it was written here.

    The audit tells it, until the entry is erased.
    """
    origin = importing.find_origin(connection, line.record_id)
    if origin is None:
        return None
    return line._replace(table_name=BROUGHT, created_at=_digest(*origin))


def _is_erased(entry: ExportedEntry, source: Source, known: ErasedBefore) -> bool:
    made = "" if entry.created_at is None else str(entry.created_at)
    if (entry.id, made) in known.written:
        return True
    return bool(known.brought) and _digest(source, entry.id) in known.brought


def _digest(source: Source, there: int) -> str:
    """Name an entry of another installation by numbers and a time, in the room that the ledger has."""
    said = json.dumps([source.id, source.created_at, there])
    return hashlib.sha256(said.encode()).hexdigest()[: erasures.ORIGIN_DIGITS]
