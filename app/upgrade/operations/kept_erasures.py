"""Kept writes (erasures). How do rows of what was erased for good leave the files that rollbacks wrote?

The rows of a file are put into tables in memory, and erased there by what erases in a database (`erasures`,
`erased_people`): so nothing has to be known here of which row is whose. An entry or a person is known by id
and time of creation; where the file has no row of it, by the id, which is never given again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app import erased_people, log
from app.erasures import ENTRIES, Erasure, Reads, erase, has_ledger, ledger_in, merged
from app.erasures import installation_id as id_in
from app.errors import Failed
from app.storage.registry import memory_tables
from app.storage.schema import folded
from app.upgrade.operations.keyed_rows import key_of
from app.upgrade.records import kept_writes
from app.upgrade.records.kept_writes import ERASED, KeptRow, KeptWrites
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from pathlib import Path

    from app.storage.types import MemoryTables, Values

PEOPLE = erased_people.TABLE
_NUMBER = re.compile(r"\d{1,19}")
_NAMELESS = "#" + "0" * 28  # of a person who has no row in a file: as one whose name is gone
_logger = log.get_logger(__name__)


def forget_erased(
    path: Path, database: Reads, more: Iterable[Erasure] = (), installation_id: str | None = None
) -> None:
    """Take what was erased out of the files beside the database at ``path``.

    The ledger is that of the database, and ``more``. Files of another database, and what cannot be read, stay
    as they are. Raises Failed where one cannot be written: then it is to be tried again.
    """
    found = kept_writes.find_all(path)
    if not found:
        return
    own = id_in(database) if installation_id is None else installation_id
    ledger = [line for line in merged(ledger_in(database), more) if line.installation_id == own]
    first = _first_account(database)
    for file, kept in found:
        if kept is None or not _is_of(kept, first):
            continue
        left = without_erased(kept, ledger)
        if left != kept:
            _rewrite(file, left)


def own_ledger(database: Reads) -> list[Erasure]:
    """Return what the ledger of a database says of its own installation; nothing where it has none."""
    if not has_ledger(database):
        return []
    own = id_in(database)
    return [line for line in ledger_in(database) if line.installation_id == own]


def without_erased(kept: KeptWrites, ledger: Sequence[Erasure]) -> KeptWrites:
    """Return what one rollback kept, without what the ledger of its installation names."""
    named = _ids_in(kept.rows)
    lines = [line for line in ledger if line.record_id in named and line.table_name in (ENTRIES, PEOPLE)]
    if not lines:
        return kept
    rows = _after_erasing([row.was for row in kept.rows], kept.rows, lines)
    rows = _after_erasing([row.now for row in kept.rows], rows, lines, is_now=True)
    return replace(kept, rows=tuple(rows))


def _rewrite(file: Path, kept: KeptWrites) -> None:
    try:
        kept_writes.replace_rows(file, kept)
    except (OSError, ValueError) as error:
        raise Failed(
            f"{file} holds what was erased, and cannot be written ({error}).",
            hint="The server tries it again; or remove the file, if nothing of it is to come back.",
        ) from error
    _logger.info("What was erased is no longer in %s.", file.name)


def _first_account(database: Reads) -> tuple[str, str] | None:
    found = database.rows(f"SELECT id, created_at FROM {PEOPLE} ORDER BY id LIMIT 1")
    return (str(found[0][0]), str(found[0][1])) if found else None


def _is_of(kept: KeptWrites, first: tuple[str, str] | None) -> bool:
    """Whether a file is about this database; the name of its first account may be erased."""
    said = kept.first_account
    return said is None or first is None or (said[0], said[-1]) == first


def _ids_in(rows: Iterable[KeptRow]) -> set[int]:
    """All numbers that rows hold: whatever is erased is named by one."""
    found: set[int] = set()
    for row in rows:
        for value in (*row.key, *(row.was or {}).values(), *(row.now or {}).values()):
            if isinstance(value, int):
                found.add(value)
        for side in (row.was, row.now):
            outcome = (side or {}).get("outcome")  # of a request that was answered: ",ID,ID,"
            found |= {int(each) for each in _NUMBER.findall(outcome)} if isinstance(outcome, str) else set()
    return found


# -- in memory


def _after_erasing(
    sides: Sequence[Values | None], rows: Sequence[KeptRow], lines: Sequence[Erasure], *, is_now: bool = False
) -> list[KeptRow]:
    """Return the rows after one side of them was erased."""
    names = {folded(name): name for name in schema_at(NEWEST).tables}
    known = [names.get(folded(row.table)) for row in rows]
    tables = memory_tables(_columns(known, sides))
    try:
        numbers = {
            place: tables.add(table, _with_key(table, rows[place], side))
            for place, (table, side) in enumerate(zip(known, sides, strict=True))
            if table is not None and side is not None
        }
        for line in lines:
            _erase(tables, line)
        made = list(rows)
        for place, number in numbers.items():
            side, table = sides[place], known[place]
            assert side is not None
            assert table is not None
            left = tables.now(table, number, side)
            if left is None:
                made[place] = ERASED
            elif made[place] != ERASED and left != side:
                made[place] = replace(made[place], now=left) if is_now else replace(made[place], was=left)
        return made
    finally:
        tables.close()


def _columns(known: Sequence[str | None], sides: Sequence[Values | None]) -> dict[str, list[str]]:
    """The columns of all tables of ours; and those that rows have besides, of an older form."""
    columns = {name: list(table.columns) for name, table in schema_at(NEWEST).tables.items()}
    for table, side in zip(known, sides, strict=True):
        if table is not None and side is not None:
            have = set(map(folded, columns[table]))
            columns[table] += [name for name in side if folded(name) not in have]
    return columns


def _with_key(table: str, row: KeptRow, side: Values) -> Values:
    """The values of a row, of which a file may hold some only, with those of its key."""
    names = key_of(schema_at(NEWEST).tables[table])
    key = dict(zip(names, row.key, strict=False)) if len(names) == len(row.key) else {}
    have = set(map(folded, side))
    return {**side, **{name: value for name, value in key.items() if folded(name) not in have}}


def _erase(tables: MemoryTables, line: Erasure) -> None:
    made = [row[0] for row in _rows_of(tables, line)]
    if any(each is not None and str(each) != line.created_at for each in made):
        return  # another one has that id
    if line.table_name == ENTRIES:
        erase(tables, line.record_id)
        return
    if not made:
        values: Values = {"id": line.record_id, "username": _NAMELESS, "created_at": line.created_at}
        tables.add(PEOPLE, values)
    erased_people.erase_whole(tables, line.record_id, line.erased_at)


def _rows_of(tables: MemoryTables, line: Erasure) -> Iterator[Sequence[object]]:
    query = f"SELECT created_at FROM {line.table_name} WHERE id = :id"
    yield from tables.rows(query, {"id": line.record_id})
