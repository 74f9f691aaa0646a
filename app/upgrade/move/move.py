"""Move operation. How does a database go to the other engine, with nothing lost, and how does one go back?

    ready? target empty? -> census -> both locked -> copy, compare, mark as half made, COMMIT (at the target)
    -> files beside -> the file's mark decides that it is moved -> the server's mark says so, too

The source is only read; its mark is beside its rows. Killed before the commit there is nothing at the target;
killed after it, what is there is not served, and the next try clears it away. From the decision on, which is
one write, the target is served and the source is not; a mark on a server that was not written any more is
made up for by asking the file's (`records.moved`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app import clock, database_urls, files, installation, interrupt, journal, log
from app.errors import DaemonError, MovedDatabase, Refused, UsageError
from app.progress import Event, OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import StorageError
from app.upgrade.move import into_file, into_server
from app.upgrade.move.census import Census, take_census
from app.upgrade.move.contents import contents_of
from app.upgrade.move.copy import Copying, refuse_if_different
from app.upgrade.move.files_beside import copy_files
from app.upgrade.move.placement import Placing
from app.upgrade.readiness import ask_readiness
from app.upgrade.records.moved import (
    Moved,
    State,
    find_moved,
    is_left_over,
    read_mark,
    refusal_of,
    settle,
    url_to_keep,
)

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from app.storage.typed_rows import RowsDigest
    from app.storage.types import MigrationConnection, StorageConnection
    from app.upgrade.move.contents import Contents

WAIT_SECONDS = 60.0
UNCHANGED = "nothing was moved"
_SPARE_BYTES = 1 << 20
_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Done:
    """A move that was done: what there was, what of it did not fit, and whether an earlier try was ended."""

    census: Census
    digests: dict[str, RowsDigest] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    was_ended: bool = False
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows are the same on both sides."""
        return sum(digest.count for digest in self.digests.values())


def check_move(source: Settings, target: Settings) -> Census:
    """Return what is in the source and what of it would not fit the target. Writes nothing, anywhere.

    Raises as `run_move` does for whatever would keep it from beginning.
    """
    with named_by_engine(source, target, UNCHANGED):
        _refuse_what_cannot_begin(source, target)
        return _census(source, target)


def run_move(
    source: Settings,
    target: Settings,
    *,
    on_event: OnEvent = say_nothing,
    wait_seconds: float = WAIT_SECONDS,
) -> Done:
    """Move the database of ``source`` to the place of ``target``, and hold the source.

    Servers are asked to let go of both and waited for. Raises UsageError, MovedDatabase, Refused, Busy,
    Failed and Interrupted: the source is as it was then, and may be served; at the target is nothing, or what
    is marked as half made. Where only the server's last mark is missing, MovedDatabase says so.
    """
    began = time.monotonic()
    with interrupt.interruptible(), named_by_engine(source, target, UNCHANGED):
        _refuse_what_cannot_begin(source, target)
        files.private_folder(target.data_dir)  # the files of its lock are there
        on_event(Event("phase", "lock", "Waiting until no one else uses the databases"))
        with (
            process_lock_at(source.database_path).exclusive(wait_seconds),
            process_lock_at(target.database_path).exclusive(wait_seconds),
        ):
            here = _refuse_what_cannot_begin(source, target, locked=True)  # again: anything could happen
            done = _moved(source, target, on_event) if here is None else _ended(source, target, here)
    _tell(source, target, done)
    return replace(done, seconds=round(time.monotonic() - began, 3))


@contextmanager
def named_by_engine(one: Settings, other: Settings, outcome: str) -> Iterator[None]:
    """As `failures.named`, for errors of either of two databases, of which one is on a server."""
    try:
        yield
    except StorageError as error:
        is_of_server = type(error.orig).__module__.startswith("psycopg")
        settings = one if database_urls.is_of_server(one.database_url) == is_of_server else other
        raise failures.from_database(error, settings.database_path, outcome) from error
    except OSError as error:
        raise failures.from_system(error, one.data_dir, outcome) from error


# -- may it begin? -------------------------------------------------------------------------------------------


def _refuse_what_cannot_begin(source: Settings, target: Settings, *, locked: bool = False) -> Moved | None:
    """Raise where the move cannot begin; return the source's mark where only the last one is missing."""
    _refuse_same_engine(source, target)
    here, there = read_mark(storage_for(source.database_url)), _mark_of_target(target)
    if here is not None and there is not None and _lacks_last_mark(here, there):
        return here
    found = find_moved(storage_for(source.database_url))
    if found is not None and (refusal := refusal_of(found, source.database_name)) is not None:
        raise refusal
    if not locked:  # the lock that is held now is what readiness would tell of
        _refuse_unless_ready(source)
    _refuse_unless_empty(source, target, there)
    is_server = database_urls.is_of_server(target.database_url)
    if not is_server:  # which has no answer to how much room it has
        needed_bytes = storage_for(source.database_url).size_bytes() + _SPARE_BYTES
        failures.refuse_if_short(target.database_path.parent, needed_bytes, UNCHANGED)
    obstacle = into_server.find_obstacle(target) if is_server else into_file.find_obstacle(target)
    if obstacle is not None:
        raise Refused(f"{obstacle.message.rstrip('.')}: {UNCHANGED}.", hint=obstacle.hint)
    return None


def _lacks_last_mark(here: Moved, there: Moved) -> bool:
    """Whether it is decided that it is moved, and only the other mark does not say so yet."""
    return here.move == there.move and (here.state, there.state) in (
        ("moved", "half_made"),
        ("leaving", "arrived"),
    )


def _refuse_same_engine(source: Settings, target: Settings) -> None:
    is_of_server = database_urls.is_of_server(source.database_url)
    if is_of_server != database_urls.is_of_server(target.database_url):
        return
    other = "pg_dump and pg_restore" if is_of_server else "daemon backup restore, or daemon init --adopt PATH"
    raise UsageError(
        "`daemon move` leads from SQLite to PostgreSQL and back, and both URLs are of one engine;"
        f" {UNCHANGED}.",
        hint=f"To another place on the same engine: {other}",
    )


def _mark_of_target(target: Settings) -> Moved | None:
    storage = storage_for(target.database_url)
    return read_mark(storage) if storage.file_kind() != "missing" else None


def _refuse_unless_ready(source: Settings) -> None:
    readiness = ask_readiness(source, storage_for(source.database_url))
    if readiness.state == "BEHIND":
        raise Refused(
            f"{readiness.sentence} A database is moved at the newest version only; {UNCHANGED}.",
            hint="daemon upgrade run   # and then the move again",
        )
    if readiness.state != "READY":
        raise Refused(f"{readiness.sentence.rstrip('.')}: {UNCHANGED}.", hint=readiness.command)


def _refuse_unless_empty(source: Settings, target: Settings, mark: Moved | None) -> None:
    kind = storage_for(target.database_url).file_kind()
    is_left = kind == "database" and mark is not None and is_left_over(mark, source.database_url)
    if kind == "missing" or (is_left and _id_in(source) == _id_in(target)):  # what it holds is in the source
        return
    what = "is a database already" if kind == "database" else "something is already"
    raise Refused(
        f"At {target.database_name} {what}, and a database is moved to an empty place only; {UNCHANGED}.",
        hint="createdb NAME   # or a file that is not there yet",
    )


def _id_in(settings: Settings) -> str | None:
    with storage_for(settings.database_url).looking() as connection:
        found = installation.find_installation(connection)
    return found.id if found else None


# -- the move ------------------------------------------------------------------------------------------------


def _census(source: Settings, target: Settings) -> Census:
    with storage_for(source.database_url).looking() as connection, connection.placeholders():
        contents = _contents(connection)
        _refuse_foreign(contents, source)
        return take_census(contents, storage_for(target.database_url).engine_name)


def _contents(connection: StorageConnection) -> Contents:
    return contents_of(connection.engine_name, connection.typed_rows(), connection)


def _refuse_foreign(contents: Contents, source: Settings) -> None:
    foreign = contents.foreign_objects()
    if foreign:
        raise Refused(
            f"{source.database_name} also holds {', '.join(foreign)}, which SQLite would not understand;"
            f" {UNCHANGED}.",
            hint="Put what is not Daemon's into another schema: ALTER TABLE NAME SET SCHEMA OTHER",
        )


def _moved(source: Settings, target: Settings, on_event: OnEvent) -> Done:
    is_server = database_urls.is_of_server(target.database_url)
    settle(storage_for(source.database_url))  # no file is asked whose mark becomes another one now
    if not is_server and _mark_of_target(target) is not None:
        into_file.remove(target)
    fill = into_server.fill if is_server else into_file.fill
    move = str(uuid.uuid4())
    on_event(Event("phase", "census", f"Looking at every value of {source.database_name}"))
    census = _census(source, target)
    digests: dict[str, RowsDigest] = {}
    # Held for writing, and not written to: whoever heeds no lock of ours cannot write there meanwhile either.
    with storage_for(source.database_url).migration_connection() as held, held.placeholders():
        held.hold_tables()

        def copy(migration: MigrationConnection) -> None:
            digests.update(_copied(held, migration, target, census, on_event))

        fill(target, copy, _mark("half_made", move, source).as_text())
        copied = copy_files(source, target)
        _decide(source, target, held, move)
    _mark_server(source, target, move)
    return Done(census, digests, tuple(copied))


def _decide(source: Settings, target: Settings, held: MigrationConnection, move: str) -> None:
    """Write the file's mark, before anyone else may write at the source; the server asks for it from now."""
    on_server = held.of_server
    if on_server is None:
        storage_for(source.database_url).set_note(_mark("moved", move, target).as_text())
        return
    on_server.set_note(_mark("leaving", move, target).as_text())
    on_server.commit_durably()
    storage_for(target.database_url).set_note(_mark("arrived", move, source).as_text())


def _mark_server(source: Settings, target: Settings, move: str) -> None:
    """Write the mark of the one that is on a server. Raises MovedDatabase where it cannot be written."""
    is_source = database_urls.is_of_server(source.database_url)
    server, file = (source, target) if is_source else (target, source)
    try:
        storage_for(server.database_url).set_note(
            _mark("moved" if is_source else "arrived", move, file).as_text()
        )
    except (DaemonError, StorageError, OSError) as error:
        raise MovedDatabase(
            f"Everything is at {target.database_name}, and {source.database_name} is not served any more."
            f" That could not be noted at {server.database_name} ({error}), which asks for the note beside"
            f" {file.database_name} until it is.",
            hint="With DATABASE_URL as it is: daemon move --to URL   # once more, which ends it",
            other=target.database_name,
        ) from error


def _copied(
    connection: StorageConnection,
    migration: MigrationConnection,
    target: Settings,
    census: Census,
    on_event: OnEvent,
) -> dict[str, RowsDigest]:
    """Copy everything into the open target, read it again there, and compare; return the digests."""
    contents = _contents(connection)

    def on_table(table: str, rows: int) -> None:
        interrupt.stop_if_asked()
        on_event(Event("progress", "copy", f"copying {table}: {rows:,} rows"))

    on_event(Event("phase", "copy", f"Copying {census.rows:,} rows to {target.database_name}"))
    copying = Copying(contents, migration.typed_rows(), Placing(contents, migration.engine_name), on_table)
    before = copying.run(installation.here(target.database_path))
    on_event(Event("phase", "compare", "Reading every row at the target and comparing"))
    with migration.placeholders():
        refuse_if_different(before, _contents(migration).digests())
    return before


def _ended(source: Settings, target: Settings, here: Moved) -> Done:
    """End a move that was killed when all was done but the last mark."""
    is_of_before = here.state == "moved" and database_urls.is_of_server(source.database_url)
    if is_of_before:  # of a Daemon that marked the server first
        storage_for(target.database_url).set_note(_mark("arrived", here.move, source).as_text())
    else:
        settle(storage_for((source if here.state == "leaving" else target).database_url))
    return Done(Census(()), was_ended=True)


def _mark(state: State, move: str, other: Settings) -> Moved:
    now = clock.rfc3339(clock.now().replace(microsecond=0))
    return Moved(state, move, other.database_name, url_to_keep(other.database_url), now)


def _tell(source: Settings, target: Settings, done: Done) -> None:
    words = f"the database was moved from {source.database_name} to {target.database_name}"
    _logger.info(words, extra={"rows": done.rows, "kept": len(done.census.misfits)})
    for settings in (source, target):
        journal.try_to_write(settings, "moved", message=words, rows=done.rows)
