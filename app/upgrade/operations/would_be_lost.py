"""What would be lost? Of a rollback or a restore, counted before it is done. Writes nothing.

What a rollback carries back is known by trying: on copies, with the very work of the rollback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import clock
from app.backup.catalog import find_backup, read_known_manifest
from app.backup.verify import proved_copy
from app.errors import DaemonError, NotFound
from app.sizes import size_in_words
from app.storage.registry import DUMP_ENDING, storage_at, storage_for
from app.storage.types import StorageError
from app.temporary import temporary_folder
from app.upgrade.checks.row_changes import Written, written_since
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.carry_back import CarriedBack, carry_back
from app.upgrade.operations.rollback import (
    cannot_be_carried,
    highest_ids_of,
    in_rows,
    of_passwords,
    upgrade_to_undo,
)
from app.upgrade.operations.servable import find_unservable
from app.upgrade.records.kept_writes import by_table

if TYPE_CHECKING:
    from app.settings import Settings
    from app.upgrade.records.kept_writes import Counted

COPIES = 4  # of the backup two, of the present state one, and what an upgrade adds
NAMES = {
    "data_entries": "entries",
    "users": "people",
    "api_keys": "API keys",
    "endpoints": "kinds",
    "share_links": "share links",
    "audit_logs": "lines of the audit",
    "data_privacy_rules": "privacy rules",
    "user_privacy_settings": "privacy settings",
}
"""How tables are called to people; any other by its own name."""


@dataclass(frozen=True)
class WouldBeLost:
    """What there is to know before: sentences, the version afterwards, and the backup that is put back."""

    version: str
    backup: str
    lines: tuple[str, ...]
    can_be_done: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the same for a program."""
        lines, can = list(self.lines), self.can_be_done
        return {"version": self.version, "backup": self.backup, "lines": lines, "can_be_done": can}


def by_rollback(settings: Settings, *, discard: bool = False) -> WouldBeLost:
    """Return what a rollback would do, ``discard``: without what was written since.

    Raises NotFound where there is none to do, Failed where what was written since cannot be carried back,
    what `proved_copy` raises, and StorageError.
    """
    line = upgrade_to_undo(settings)
    assert line.backup is not None
    assert line.version is not None
    source = find_backup(settings, line.backup)
    version = _version_of(source)
    lines = [
        f"The database would be at {version} again, as before the upgrade of {_moment(line.at)}, from the"
        f" backup {source.name} ({size_in_words(source.stat().st_size)})."
    ]
    if discard:
        since = _since(settings, source, highest_ids_of(settings, source.name))
        lines += [*since, *([] if since == NOTHING else [_GONE])]
    else:
        lines += _carried(_tried(settings, source, line.version))
    lines += [_SAFETY, "The server does not upgrade it by itself until you say so."]
    return WouldBeLost(version, source.name, tuple(lines))


def _tried(settings: Settings, source: Path, version: str) -> CarriedBack:
    """Carry back on copies, and return what that did."""
    storage = storage_for(settings.database_url)
    room = COPIES * max(storage.size_bytes(), source.stat().st_size)
    with storage.opening_once(), temporary_folder(".daemon-copy-", settings.data_dir, room) as folder:
        before, now, then = (folder / f"{name}{source.suffix}" for name in ("before", "now", "then"))
        proved_copy(source, before, describe)
        storage.copy_unseen(now)
        storage_at(now).make_self_contained()
        try:
            return carry_back(before, now, then, version)
        except (OSError, StorageError, DaemonError) as error:
            raise cannot_be_carried(error) from error


def _carried(found: CarriedBack) -> Iterator[str]:
    """Say what goes back and what is kept: the same rows that the rollback tells of at its end."""
    if not found.carried and not found.whole:
        yield from NOTHING
    if found.carried:
        yield f"Written since, and goes back with the database ({in_rows(found.carried.total())}):"
        yield from _counted_lines(found.carried)
    if found.whole:
        yield f"Written since, and kept in a file beside the database ({in_rows(found.whole.total())}):"
        yield from _counted_lines(found.whole)
        yield (
            "The older version cannot hold or protect these. Nothing of them is lost: they come back by"
            " themselves with the next upgrade."
        )
    if found.parts:
        yield (
            f"Also kept beside the database, until the next upgrade: values of {in_rows(found.parts)} that go"
            " back, which the older version cannot hold or read."
        )
    if found.unreadable:
        yield of_passwords(found)


def _counted_lines(counted: Counted) -> list[str]:
    written = {table: Written(**counts) for table, counts in by_table(counted).items()}
    return [f"  {_counted(table, one)}" for table, one in _important_first(written)]


def by_restore(settings: Settings, name: str) -> WouldBeLost:
    """Return what putting a backup back would do; raises what `find_backup` raises, and StorageError."""
    source = find_backup(settings, name)
    version = _version_of(source)
    unservable = find_unservable(settings, source)
    if unservable is not None:
        refused = f"{unservable.sentence}. It cannot be put back here."
        return WouldBeLost(version, source.name, (refused,), can_be_done=False)
    manifest = read_known_manifest(source)
    named = (
        source.name if manifest is None else f"{source.name}, which was made {_moment(manifest.created_at)}"
    )
    since = _since(settings, source, {})
    lines = [f"The database would be as in the backup {named}, at {version}.", *since]
    if since != NOTHING:
        lines.append(_GONE)
    return WouldBeLost(version, source.name, (*lines, _SAFETY, _LOGINS))


NOTHING = ["Nothing was written since."]
_GONE = "What was written since would not be in it any more."
_SAFETY = "The state until now is kept as a backup first: put that one back, and you have it again."
_LOGINS = "Everyone signs in again afterwards, with the password that they had then."


def _version_of(source: Path) -> str:
    manifest = read_known_manifest(source)
    if manifest is not None:
        return manifest.version
    with storage_at(source).looking() as connection:
        return describe(connection).version_label


def _since(settings: Settings, source: Path, highest: Mapping[str, int]) -> list[str]:
    """Say what is in the database and not in the backup, as far as that can be told without restoring it."""
    if source.suffix == DUMP_ENDING:
        return _since_by_count(settings, source)
    storage = storage_for(settings.database_url)
    if storage.file_kind() != "database":
        raise NotFound(f"There is no database at {settings.database_name}.", hint="daemon backup list")
    with storage_at(source).looking() as before, storage.looking() as now:
        written = written_since(before, now, highest)
    if not written:
        return NOTHING
    return ["Written since:", *(f"  {_counted(table, one)}" for table, one in _important_first(written))]


def _since_by_count(settings: Settings, source: Path) -> list[str]:
    """The same for a dump: only its numbers of rows are known."""
    manifest = read_known_manifest(source)
    if manifest is None:
        return ["What was written since cannot be counted: no manifest is beside this backup."]
    with storage_for(settings.database_url).looking() as now:
        counts = {table: now.count(table) for table in now.tables() if table in manifest.rows}
    differing = {table: (manifest.rows[table], count) for table, count in counts.items()}
    lines = [
        f"  {_name_of(table)}: {was} rows then, {count} now"
        for table, (was, count) in differing.items()
        if was != count
    ]
    return ["Rows then and now, where that differs:", *lines] if lines else ["It has as many rows as now."]


def _important_first(written: Mapping[str, Written]) -> list[tuple[str, Written]]:
    order = list(NAMES)
    return sorted(written.items(), key=lambda one: order.index(one[0]) if one[0] in NAMES else len(order))


def _counted(table: str, one: Written) -> str:
    parts = [(one.added, "new"), (one.changed, "changed"), (one.removed, "deleted")]
    return f"{_name_of(table)}: " + ", ".join(f"{count} {word}" for count, word in parts if count)


def _name_of(table: str) -> str:
    return NAMES.get(table, f"rows of {table}")


def _moment(at: str) -> str:
    return f"{clock.rfc3339(at).replace('T', ' ')[:16]} UTC"
