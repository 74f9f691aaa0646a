"""What was done to this database, and when? The rows of its own history and the lines of the journal as one.

The database's rows go back with it at a rollback or a restore; the journal's lines do not. Looks only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app import clock
from app.errors import DaemonError
from app.journal import OF_OPERATORS, JournalLine, is_of_this, read_journal
from app.storage.registry import storage_for
from app.storage.types import StorageConnection, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.settings import Settings

_COLUMNS = (
    "version",
    "applied_at",
    "migration_script",
    "description",
    "from_version",
    "started_at",
    "duration_ms",
    "outcome",
    "backup_file",
    "tool_version",
    "steps_hash",
    "is_claim",
)


@dataclass(frozen=True)
class HistoryLine:
    """One thing that was recorded. ``source`` says where; a claim is what an old script wrote by itself."""

    source: Literal["database", "journal"]
    at: str
    event: str  # "step" and "claim" of the database, and the journal's own words
    version: str | None = None
    from_version: str | None = None
    outcome: str | None = None
    step: str | None = None
    backup: str | None = None
    duration_ms: int | None = None
    tool_version: str | None = None
    steps_hash: str | None = None
    message: str = ""
    by: str = ""
    hidden: dict[str, int] = field(default_factory=dict)  # entries hidden from strangers, by kind


def read_history(settings: Settings, *, with_operators: bool = False) -> tuple[HistoryLine, ...]:
    """Return every line that can be read, oldest first. A database that cannot be read adds none.

    Each of the two sources keeps its order, whatever the clock said. ``with_operators``: of the journal also
    what left the version as it was, as backups and commands do. Lines about other databases are not among
    them.
    """
    told = (line for line in read_journal(settings) if is_of_this(line, settings))
    wanted = (line for line in told if with_operators or line.event not in OF_OPERATORS)
    return tuple(_merged(list(_of_database(settings)), list(map(of_journal, wanted))))


def _merged(rows: list[HistoryLine], lines: list[HistoryLine]) -> Iterator[HistoryLine]:
    """Put two lists together by time without changing the order of either."""
    while rows and lines:
        yield (rows if clock.rfc3339(rows[0].at) <= clock.rfc3339(lines[0].at) else lines).pop(0)
    yield from rows or lines


@dataclass(frozen=True)
class Operation:
    """One upgrade, rollback, restore, start or claim, of all lines that were recorded about it."""

    at: str
    what: str
    version: str | None
    from_version: str | None
    backup: str | None
    by: str
    hidden: dict[str, int]


def operations_of(lines: Iterable[HistoryLine]) -> tuple[Operation, ...]:
    """Return what was done, oldest first, one value each: an upgrade is many lines, with one backup."""
    groups: dict[tuple[object, ...], list[HistoryLine]] = {}
    for number, line in enumerate(lines):
        is_upgrade = line.backup is not None and line.event in ("step", "started", "committed", "failed")
        groups.setdefault(("upgrade", line.backup) if is_upgrade else (number,), []).append(line)
    return tuple(_operation(group) for group in groups.values())


def _operation(group: list[HistoryLine]) -> Operation:
    told = next((line for line in reversed(group) if line.source == "journal"), group[-1])
    return Operation(
        at=group[0].at,
        what=_WORDS.get(told.event, told.event),
        version=group[-1].version,
        from_version=next((line.from_version for line in group if line.from_version), None),
        backup=told.backup,
        by=told.by,
        hidden=told.hidden,
    )


_WORDS = {"step": "upgraded", "committed": "upgraded", "started": "cut short", "rolled_back": "rolled back"}


def rows_of_history(connection: StorageConnection) -> tuple[HistoryLine, ...]:
    """Return the rows of database_versions, oldest first; empty when there is no such table.

    Raises StorageError where the database is damaged.
    """
    if "version" not in connection.columns("database_versions"):
        return ()
    rows = connection.as_written("database_versions", _COLUMNS)
    return tuple(_of_row(dict(zip(_COLUMNS, row, strict=True))) for row in rows)


def last_upgrade(lines: Iterable[HistoryLine]) -> HistoryLine | None:
    """Return the newest step that this engine recorded with a backup, among the rows of a database."""
    done = [line for line in lines if line.event == "step" and line.outcome == "done" and line.backup]
    return done[-1] if done else None


def _of_database(settings: Settings) -> tuple[HistoryLine, ...]:
    storage = storage_for(settings.database_url)
    try:
        if storage.file_kind() != "database":
            return ()
        with storage.looking() as connection:
            return rows_of_history(connection)
    except (OSError, StorageError, DaemonError):
        return ()


def _of_row(row: dict[str, object]) -> HistoryLine:
    is_claim = row["outcome"] is None or bool(row["is_claim"])
    return HistoryLine(
        source="database",
        at=_text(row["applied_at"]) or "",
        event="claim" if is_claim else "step",
        version=_text(row["version"]),
        from_version=_text(row["from_version"]),
        outcome=_text(row["outcome"]),
        step=_text(row["migration_script"]),
        backup=_text(row["backup_file"]) or None,
        duration_ms=row["duration_ms"] if isinstance(row["duration_ms"], int) else None,
        tool_version=_text(row["tool_version"]),
        steps_hash=_text(row["steps_hash"]),
        message=_text(row["description"]) or "",
    )


def of_journal(line: JournalLine) -> HistoryLine:
    """Return a line of the journal as one of the history."""
    duration = line.details.get("duration_ms")
    return HistoryLine(
        source="journal",
        at=line.at,
        event=line.event,
        version=line.to_version,
        from_version=line.from_version,
        backup=line.backup,
        duration_ms=duration if isinstance(duration, int) else None,
        tool_version=line.tool_version,
        message=line.message,
        by=line.who,
        hidden=_counts(line.details.get("hidden")),
    )


def _counts(said: object) -> dict[str, int]:
    """Return what the journal says was hidden; a line of an older release says nothing of it."""
    if not isinstance(said, dict):
        return {}
    return {str(kind): count for kind, count in said.items() if isinstance(count, int)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
