"""Backup and move on PostgreSQL, swept with faults. Is the copy whole, and one database served?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.backup.catalog import list_backups
from app.backup.verify import prove_backup
from app.errors import DaemonError
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.typed_rows import RowsDigest
from app.upgrade.detect.recognise import describe
from app.upgrade.move.contents import contents_of
from app.upgrade.readiness import ask_readiness
from tests.faults.server_operations import (
    Operation,
    Seen,
    act_writes,
    prepare_served,
    settings_of,
    typed,
)
from tests.upgrade.typed import everything


def prepare_written(url: str, folder: Path) -> None:
    prepare_served(url, folder)
    act_writes(url, folder)


# -- backup


def act_backup(url: str, folder: Path) -> int:
    return typed(url, folder, "backup", "create")


def judge_backup(seen: Seen) -> str:
    """The database is as it was; a backup is listed only where it can be proved and holds all of it."""
    if {**seen.now, "installation": []} != {**seen.before, "installation": []}:  # where backups are counted
        return "the database changed"
    settings = settings_of(seen.url, seen.folder)
    listed = list_backups(settings)
    for one in listed:
        try:
            rows = prove_backup(settings, one.name, describe=describe).contents.rows
        except DaemonError as error:
            return f"{one.name} is listed as {one.state} and cannot be proved: {error}"
        if any(count != len(seen.before[table]) for table, count in rows.items()):
            return f"{one.name} does not hold all of it: {rows}"
    return "new" if listed else "old"


# -- move: from a file to the server, and from there into a file

MOVED = 15  # the exit status of MovedDatabase


def of_file(url: str, folder: Path) -> Settings:
    """The settings of the file that is moved to the server, or into which the server's database is moved."""
    return replace(settings_of(url, folder), database_url=f"sqlite:///{folder / 'data' / 'daemon.db'}")


def prepare_file(url: str, folder: Path) -> None:
    """A file with entries; the database on the server stays empty."""
    file = of_file(url, folder)
    prepare_written(file.database_url, folder)
    (folder / "wanted").write_text(repr(everything(file.database_path)))


def act_move(url: str, folder: Path) -> int:
    return typed(of_file(url, folder).database_url, folder, "move", "--to", url, "--yes")


def judge_move(seen: Seen) -> str:
    source, target = of_file(seen.url, seen.folder), settings_of(seen.url, seen.folder)
    if repr(everything(source.database_path)) != (seen.folder / "wanted").read_text():
        return "the source changed"
    return judge_both(source, target)


def act_move_back(url: str, folder: Path) -> int:
    return typed(url, folder, "move", "--to", of_file(url, folder).database_url, "--yes")


def judge_move_back(seen: Seen) -> str:
    if seen.now != seen.before:
        return "the source changed"
    return judge_both(settings_of(seen.url, seen.folder), of_file(seen.url, seen.folder))


def judge_both(source: Settings, target: Settings) -> str:
    """Old: the source is served. New: the target is, and holds what the source holds."""
    states = states_of(source, target)
    if states[0] == "READY" and states[1] in ("LOST", "EMPTY", "MOVED"):
        return "old"
    if states != ("MOVED", "READY"):
        return f"the source is {states[0]}, the target {states[1]}"
    return "new" if digests(source) == digests(target) else "the target holds something else"


# -- undo of either

NOT_FOUND = 1  # the exit status of NotFound


def prepare_moved(url: str, folder: Path) -> None:
    prepare_file(url, folder)
    assert act_move(url, folder) == 0


def act_undo(url: str, folder: Path) -> int:
    return typed(of_file(url, folder).database_url, folder, "move", "--undo", "--to", url)


def judge_undo(seen: Seen) -> str:
    return judge_either(of_file(seen.url, seen.folder), settings_of(seen.url, seen.folder))


def prepare_moved_back(url: str, folder: Path) -> None:
    prepare_written(url, folder)
    assert act_move_back(url, folder) == 0


def act_undo_back(url: str, folder: Path) -> int:
    return typed(url, folder, "move", "--undo", "--to", of_file(url, folder).database_url)


def judge_undo_back(seen: Seen) -> str:
    return judge_either(settings_of(seen.url, seen.folder), of_file(seen.url, seen.folder))


def judge_either(source: Settings, target: Settings) -> str:
    """Old: the target is served, to which it was moved. New: the source is. Both hold the same."""
    states = states_of(source, target)
    if digests(source) != digests(target):
        return "they do not hold the same"
    known = {("MOVED", "READY"): "old", ("READY", "MOVED"): "new"}
    return known.get(states, f"the source is {states[0]}, the target {states[1]}")


def states_of(source: Settings, target: Settings) -> tuple[str, str]:
    one, other = (ask_readiness(each, storage_for(each.database_url)).state for each in (source, target))
    return one, other


def digests(settings: Settings) -> dict[str, RowsDigest]:
    with storage_for(settings.database_url).looking() as connection:
        return contents_of(connection.engine_name, connection.typed_rows(), connection).digests()


OPERATIONS = {
    each.name: each
    for each in (
        Operation("backup", prepare_written, act_backup, judge_backup),
        Operation("move", prepare_file, act_move, judge_move, MOVED),
        Operation("move back", prepare_written, act_move_back, judge_move_back, MOVED),
        Operation("undo", prepare_moved, act_undo, judge_undo, NOT_FOUND),
        Operation("undo back", prepare_moved_back, act_undo_back, judge_undo_back, NOT_FOUND),
    )
}
