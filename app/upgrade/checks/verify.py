"""Verification. Is everything still there? Counts and hashes of every table, compared after the steps.

The contract is "nothing lost, nothing changed": each row and each column that was there before must be there
after, byte for byte. What a step may add or change it says in its contract; `excess` finds what is there
besides. An odd table, which is turned into another form, is held to the same: what `kept_values` gives back
must hash to what was there.

All of it runs inside the upgrade's own transaction, so a fault found here is rolled back with the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import Failed
from app.progress import say_nothing
from app.storage.fingerprint import difference
from app.storage.schema import folded
from app.upgrade.checks import excess
from app.upgrade.detect.name_collisions import OWNERS_PREFIX
from app.upgrade.detect.recognise import recognise
from app.upgrade.legacy import kept_rows
from app.upgrade.versions.expected_schema import is_whole, schema_at

if TYPE_CHECKING:
    from app.storage.types import Orphan, Soundness, StorageConnection, TableDigest
    from app.upgrade.checks.allowed_changes import Allowed

FAULTS_SHOWN = 10

OnTable = Callable[[str, int, int], None]


class VerificationFailed(Failed):
    """What the steps left is not what was promised; ``details['faults']`` lists it. Nothing was committed."""

    code = "verification_failed"


@dataclass(frozen=True)
class TableBefore:
    """A table as it was: its columns, the keys of its rows where rows may be added, and the digest."""

    columns: tuple[str, ...]
    digest: TableDigest  # over the columns that no step may change
    whole: TableDigest  # over all columns
    keys: tuple[int, ...] | None


@dataclass(frozen=True)
class Before:
    """Everything that must be found again after the steps."""

    tables: dict[str, TableBefore]
    orphans: Counter[tuple[str, str]]
    kept: kept_rows.KeptBefore
    sequences: dict[str, int]
    allowed: Allowed
    excess: excess.ExcessBefore


def measure(
    connection: StorageConnection,
    orphans: Iterable[Orphan],
    allowed: Allowed,
    on_table: OnTable = say_nothing,
) -> Before:
    """Return the counts and hashes of all that is in the database now; ``orphans`` are those it has."""
    names = connection.tables()
    tables = {}
    for number, name in enumerate(names):
        on_table(name, number, len(names))
        columns = connection.columns(name)
        keys = connection.row_numbers(name) if allowed.may_grow(folded(name)) else None
        held = _held_columns(name, columns, allowed)
        whole = connection.digest(name, columns)
        digest = whole if held == columns else connection.digest(name, held)
        tables[name] = TableBefore(columns, digest, whole, keys)
    return Before(
        tables,
        _counted(orphans),
        kept_rows.mark_of(connection),
        connection.counters(),
        allowed,
        excess.measure(connection, allowed),
    )


def compare(
    connection: StorageConnection,
    before: Before,
    on_table: OnTable = say_nothing,
) -> list[str]:
    """Return a sentence for each row, column or table that is lost or changed; empty when all is there."""
    names_now = set(connection.tables())
    faults: list[str] = []
    for number, (name, was) in enumerate(before.tables.items()):
        on_table(name, number, len(before.tables))
        if kept_rows.is_kept_whole(connection, name, before.kept):
            rebuilt = kept_rows.rebuilt_digest(connection, name, was.columns, before.kept)
            faults += _kept_faults(name, was, rebuilt)
        else:
            now = _name_now(name, names_now, before.tables)
            faults += _table_faults(connection, now, name, was, before.allowed)
    return faults + _orphan_faults(connection, before) + _sequence_faults(connection, before)


def schema_faults(connection: StorageConnection, target: str) -> list[str]:
    """Return what keeps the database from being at ``target``: nothing, if schema and history line agree."""
    sheet = connection.spelled(schema_at(target))
    have = connection.schema()
    if not is_whole(connection, have, target):
        differences = [one for one in difference(have, sheet) if one.kind != "extra"]
        return [
            f"{one.what} {one.name} is {one.kind} after the upgrade ({one.detail})" for one in differences
        ] or ["the schema is not that of " + target]
    recorded = recognise(connection).recorded
    return [] if recorded == target else [f"the history line says {recorded}, not {target}"]


def soundness_faults(before: Soundness, after: Soundness) -> list[str]:
    """Return what the check of all pages and rows finds now: damage, and what it did not find before."""
    faults = [*after.damage, *(f"the index {name} is not what its table holds" for name in after.indexes)]
    if len(after.content) > len(before.content):
        faults += (Counter(after.content) - Counter(before.content)).elements()
    return faults


def refuse_unless_sound(faults: Iterable[str]) -> None:
    """Raise VerificationFailed when there are ``faults``."""
    listed = list(faults)
    if listed:
        shown = "; ".join(listed[:FAULTS_SHOWN])
        more = f"; and {len(listed) - FAULTS_SHOWN} more" if len(listed) > FAULTS_SHOWN else ""
        raise VerificationFailed(f"The verification found faults: {shown}{more}.", faults=listed)


# -- one table -----------------------------------------------------------------------------------------------


def _table_faults(
    connection: StorageConnection, now: str | None, name: str, was: TableBefore, allowed: Allowed
) -> list[str]:
    if now is None:
        return [f"table {name} is gone ({was.digest.rows} rows)"]
    have = connection.columns(now)
    held, wanted = _held_columns(name, was.columns, allowed), was.digest
    if any(_column_now(column, have, was.columns) != column for column in set(was.columns) - set(held)):
        held, wanted = was.columns, was.whole  # that column was the owner's: renamed, it may not change
    names_now = [_column_now(column, have, was.columns) for column in held]
    lost = [column for column, column_now in zip(held, names_now, strict=True) if column_now is None]
    if lost:
        return [f"table {name} lost the columns {', '.join(lost)}"]
    digest = connection.digest(now, [column for column in names_now if column is not None], was.keys)
    return _digest_faults(f"table {name}", wanted, digest)


def _kept_faults(name: str, was: TableBefore, rebuilt: TableDigest | None) -> list[str]:
    """Compare what was in an odd table with what can be rebuilt from kept_values."""
    if rebuilt is None:
        return [f"the form of the table {name} cannot be rebuilt from kept_values"]
    return _digest_faults(f"table {name}, as rebuilt from kept_values,", was.whole, rebuilt)


def _digest_faults(what: str, was: TableDigest, now: TableDigest) -> list[str]:
    if was.rows != now.rows:
        return [f"{what} had {was.rows} rows and has {now.rows}"]
    return [] if was.digest == now.digest else [f"{what} has rows whose values changed"]


# -- names ---------------------------------------------------------------------------------------------------


def _name_now(name: str, names_now: set[str], before: dict[str, TableBefore]) -> str | None:
    """Return under which name a table of the owner is found now: one whose name we need is renamed."""
    return _now(name, names_now, before)


def _column_now(column: str, have: Iterable[str], before: Iterable[str]) -> str | None:
    return _now(column, have, before)


def _now(name: str, have: Iterable[str], before: Iterable[str]) -> str | None:
    have, before = set(have), set(before)
    renamed = sorted(
        other
        for other in have - before
        if other.lower().startswith(OWNERS_PREFIX)
        and other[len(OWNERS_PREFIX) :].lower().startswith(name.lower())
    )
    exact = [other for other in renamed if other[len(OWNERS_PREFIX) :].lower() == name.lower()]
    if exact:
        return exact[0]
    return name if name in have else (renamed[0] if renamed else None)


def _held_columns(table: str, columns: Iterable[str], allowed: Allowed) -> tuple[str, ...]:
    return tuple(column for column in columns if allowed.how(table, column) is None)


# -- what else must not change -------------------------------------------------------------------------------


def _orphan_faults(connection: StorageConnection, before: Before) -> list[str]:
    now = _counted(connection.orphans())
    return [
        f"table {table} has {count} rows that name a row of {parent} which is not there, and had "
        f"{before.orphans[(table, parent)]}"
        for (table, parent), count in now.items()
        if count > before.orphans[(table, parent)]
    ]


def _counted(orphans: Iterable[Orphan]) -> Counter[tuple[str, str]]:
    return Counter((one.table, one.parent) for one in orphans)


def _sequence_faults(connection: StorageConnection, before: Before) -> list[str]:
    now = connection.counters()
    return [
        f"table {name} would give out ids again that were used before ({seq} became {now[name]})"
        for name, seq in before.sequences.items()
        if name in now and now[name] < seq
    ] + [
        f"table {name} would skip ids ({seq} became {now[name]})"
        for name, seq in before.sequences.items()
        if now.get(name, seq) > seq and not _may_count_on(name, before)
    ]


def _may_count_on(table: str, before: Before) -> bool:
    return before.allowed.may_grow(folded(table)) or folded(table) in before.allowed.adopted
