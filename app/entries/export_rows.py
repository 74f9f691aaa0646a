"""Export of everything (rows of entries). Which rows of this room are a person's, and how do they leave?

Never a token of a link, or the keyed hash of a never-list word: with those something could be opened or
tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from sqlalchemy import Column, Connection, LargeBinary, Row, Select, Table, cast, func, select

from app import erasures
from app.accounts.export_rows import readable
from app.entries import endpoints, own_kinds, privacy_rules, storage_use
from app.entries.endpoints import NAME
from app.entries.exported_content import as_exported
from app.erasures import OfToday
from app.row_pages import ROWS_OF_A_PAGE, Reading, rows_in_pages
from app.tables import (
    data_entries,
    entry_revisions,
    finding_releases,
    import_files,
    imported_entries,
    imports,
    never_words,
    page_wishes,
    pictures,
    share_links,
    share_targets,
    text_findings,
    view_changes,
    webhook_deliveries,
    webhooks,
)
from app.tables import endpoints as kinds

Stored = dict[str, Any]
Rows = Iterator[Stored]
ENTRIES_OF_A_PAGE = 20  # each may be as large as a body
_ENTRY, _STATE = data_entries.c, entry_revisions.c


def count_entries(connection: Connection, user_id: int) -> int:
    """Return how many entries a person has, deleted ones too."""
    query = select(func.count()).select_from(data_entries).where(_ENTRY.created_by_id == user_id)
    return int(connection.execute(query).scalar_one())


def entry_files(reading: Reading, user_id: int) -> Iterator[tuple[str, Rows, Rows]]:
    """Yield for each kind that a person has entries of: a name for files, entries, their earlier states."""
    used = select(_ENTRY.endpoint_id).where(_ENTRY.created_by_id == user_id).distinct()
    query = select(kinds.c.id, NAME.label("kind")).where(kinds.c.id.in_(used)).order_by(kinds.c.id)
    with reading() as connection:
        found = connection.execute(query).all()
    taken: set[str] = set()
    for endpoint_id, kind in found:
        name = file_name(kind)
        name = name if name not in taken else f"{name}-{endpoint_id}"
        taken.add(name)
        mine = (_ENTRY.created_by_id == user_id, _ENTRY.endpoint_id == endpoint_id)
        yield name, _entries(reading, kind, mine), _states(reading, kind, mine)


def file_name(text: object) -> str:
    """Return a name of a file that says this, whatever is in it."""
    return quote(str(text), safe=" ", errors="replace").replace(".", "%2E")[:100] or "%"


def other_rows(reading: Reading, user_id: int) -> Iterator[tuple[str, Rows]]:
    """Yield the name of each other file, without its ending, and its rows, which are read when asked for."""
    yield "kinds", _kinds(reading, user_id)
    with reading() as connection:
        versions = own_kinds.version_rows_of(connection, user_id)
        rules = privacy_rules.own_rules(connection, user_id)
        storage = storage_use.as_json(connection, user_id)
    yield "kind_versions", iter(versions)
    yield "privacy_rules", iter(rules)
    yield "storage", iter([storage])
    yield "never_list", _told(reading, never_words, user_id, "word_hash")
    yield "findings", _of_entries(reading, text_findings, user_id)
    yield "view_changes", _of_entries(reading, view_changes, user_id)
    yield "releases", _told(reading, finding_releases, user_id)
    yield "share_links", _told(reading, share_links, user_id, "token_hash")
    yield "share_targets", _targets(reading, user_id)
    yield "page", _told(reading, page_wishes, user_id)
    yield "webhooks", _told(reading, webhooks, user_id, "secret")
    yield "webhook_deliveries", _deliveries(reading, user_id)
    yield "pictures", _told(reading, pictures, user_id)
    yield "imports", _told(reading, imports, user_id)
    yield "imported_entries", _told(reading, imported_entries, user_id)
    yield "erased", _erased(reading, user_id)


def source_files(reading: Reading, user_id: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a person's imports were made of: a path, and the bytes as they came."""
    file = import_files.c
    mine = file.import_id.in_(select(imports.c.id).where(imports.c.user_id == user_id))
    query = select(file.import_id, file.number, file.path, file.content).where(mine)
    for row in rows_in_pages(reading, query, file.import_id, file.number, most=1):
        yield f"imports/{row.import_id}/{row.number}-{file_name(row.path)}", _bytes(row.content)


def ids_of_own(connection: Connection, user_id: int, entry_ids: list[int]) -> set[int]:
    """Return which of these are ids of a person's entries."""
    query = select(_ENTRY.id).where(_ENTRY.id.in_(entry_ids), _ENTRY.created_by_id == user_id)
    return set(connection.execute(query).scalars())


# -- inside


def _kinds(reading: Reading, user_id: int) -> Rows:
    """Without who made a kind that is the installation's: that is someone else."""
    with reading() as connection:
        rows = endpoints.rows_of_entries_by(connection, user_id)
    for row in rows:
        yield {name: value for name, value in row.items() if name != "created_by_id"}


def _entries(reading: Reading, kind: str, mine: tuple[Any, ...]) -> Rows:
    columns = [column for column in data_entries.c if column.name not in ("data", "position", "endpoint_id")]
    query = select(*columns, cast(_ENTRY.data, LargeBinary).label("stored")).where(*mine)
    for row in rows_in_pages(reading, query, _ENTRY.id, most=ENTRIES_OF_A_PAGE):
        yield _with_content(kind, row)


def _states(reading: Reading, kind: str, mine: tuple[Any, ...]) -> Rows:
    columns = [column for column in entry_revisions.c if column.name != "data"]
    query: Select[Any] = select(*columns, cast(_STATE.data, LargeBinary).label("stored"))
    query = query.join_from(entry_revisions, data_entries, _STATE.entry_id == _ENTRY.id).where(*mine)
    for row in rows_in_pages(reading, query, _STATE.entry_id, _STATE.number, most=ENTRIES_OF_A_PAGE):
        yield _with_content(kind, row)


def _with_content(kind: str, row: Row[Any]) -> Stored:
    said = {name: value for name, value in row._mapping.items() if name != "stored"}
    return {"kind": kind, **said, **as_exported(_bytes(row.stored))}


def _bytes(stored: Any) -> bytes:
    return stored.encode("utf-8", "surrogatepass") if isinstance(stored, str) else bytes(stored)


def _told(reading: Reading, table: Table, user_id: int, *but: str) -> Rows:
    columns = [column for column in table.c if column.name not in but]
    query = select(*columns).where(table.c.user_id == user_id)
    return map(readable, rows_in_pages(reading, query, *table.primary_key.columns))


def _of_entries(reading: Reading, table: Table, user_id: int) -> Rows:
    mine = table.c.entry_id.in_(select(_ENTRY.id).where(_ENTRY.created_by_id == user_id))
    key: list[Column[Any]] = list(table.primary_key.columns)
    return map(readable, rows_in_pages(reading, select(table).where(mine), *key))


def _targets(reading: Reading, user_id: int) -> Rows:
    mine = share_targets.c.link_id.in_(select(share_links.c.id).where(share_links.c.user_id == user_id))
    key: list[Column[Any]] = list(share_targets.primary_key.columns)
    return map(readable, rows_in_pages(reading, select(share_targets).where(mine), *key))


def _deliveries(reading: Reading, user_id: int) -> Rows:
    sent = webhook_deliveries
    mine = sent.c.webhook_id.in_(select(webhooks.c.id).where(webhooks.c.user_id == user_id))
    return map(readable, rows_in_pages(reading, select(sent).where(mine), sent.c.id))


def _erased(reading: Reading, user_id: int) -> Rows:
    after_id = 0
    while lines := _erased_after(reading, user_id, after_id):
        yield from (line._asdict() for line in lines)
        after_id = lines[-1].record_id


def _erased_after(reading: Reading, user_id: int, after_id: int) -> list[erasures.Erasure]:
    with reading() as connection:
        return erasures.of_person(OfToday(connection), user_id, after_id, ROWS_OF_A_PAGE)
