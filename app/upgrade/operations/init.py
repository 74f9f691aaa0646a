"""How does a database begin? Made by running every step from zero, or taken over from where it was found.

Both are made beside their place, complete and synced, and then put there by a hard link, which never
overwrites: of two starters one wins and the other finds a database. Where an older life is nearby, nothing
begins before someone has decided.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import clock, database_urls, files, installation, interrupt, journal, log
from app.clock_leap import ClockSeen
from app.disk import real_path
from app.errors import Damaged, NewerDatabase, NotFound, Refused, UnknownDatabase, UsageError
from app.installation import Installation
from app.progress import OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import COMPANION_ENDINGS, process_lock_at, storage_at, storage_for
from app.storage.types import StorageError
from app.upgrade.checks import lost_volume, verify
from app.upgrade.detect.recognise import recognise
from app.upgrade.model import Outcome, Plan
from app.upgrade.operations.identify import say_moved_in, write_new
from app.upgrade.operations.journal_mode import use_wal_where_it_may_be
from app.upgrade.plan import look
from app.upgrade.records.moved import refuse_moved
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine
    from app.storage.types import MigrationConnection

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
WAIT_SECONDS = 60.0
_BESIDE = (*COMPANION_ENDINGS, ".lock", ".wanted")

_logger = log.get_logger(__name__)


def initialise(
    settings: Settings,
    *,
    fresh: bool = False,
    adopt: Path | str | None = None,
    on_event: OnEvent = say_nothing,
) -> Outcome:
    """Make the configured database where there is none, and say what was done.

    A database that is there is left alone ("nothing_to_do"). With neither word it is made only when no other
    Daemon database is nearby (else LostVolume). ``fresh`` begins anew all the same; ``adopt`` copies the
    database at that path, verified, into the configured place, and leaves the source as it is. An empty file
    in the place is moved aside by either word, never by none. Raises UsageError, NotFound, Refused,
    UnknownDatabase, Damaged, OSError, Interrupted; nothing is in the place then.
    """
    with interrupt.interruptible():
        try:
            return _initialised(settings, fresh, adopt, on_event)
        except StorageError as error:
            known = failures.explained(error, settings.database_path, "nothing was made")
            if known is None:
                raise
            raise known from error


def _initialised(settings: Settings, fresh: bool, adopt: Path | str | None, on_event: OnEvent) -> Outcome:
    if fresh and adopt is not None:
        raise UsageError("--fresh and --adopt exclude each other.", hint="daemon init --help")
    refuse_moved(settings)
    there = _what_is_there(settings, decided=fresh or adopt is not None)
    if isinstance(there, Outcome):
        return there
    moved = there
    if fresh:
        moved += _move_what_was_left_aside(settings)
    elif adopt is None:
        lost_volume.refuse_if_lost(settings)
    else:
        lost_volume.refuse_what_was_left(settings)
    files.private_folder(settings.data_dir)
    if adopt is not None and database_urls.is_of_server(settings.database_url):
        raise UsageError(
            "A file of SQLite is not adopted by a server, but moved there; nothing was changed.",
            hint=lost_volume.move_command(settings, Path(adopt)),
        )
    if adopt is not None:
        done = _adopted(settings, Path(adopt))
        return replace(done, hint="   ".join(filter(None, (done.hint, _puts_back(moved)))))
    return replace(_fresh(settings, on_event), hint=_puts_back(moved))


def _what_is_there(settings: Settings, *, decided: bool) -> Outcome | list[str]:
    """Return an outcome when a database is in the place already, else what puts back what was moved away."""
    path = settings.database_path
    storage = storage_for(settings.database_url)
    facts = look(storage)
    if facts.unasked is not None:
        raise facts.unasked
    known = facts.recognition
    if known.kind == "misplaced":
        raise storage.find_misplacement() or Refused(f"{known.label} Try again.")
    if known.kind == "missing":
        return []
    if known.kind == "unreadable":
        raise failures.no_permission(path, "whether it is a database cannot be seen; nothing was made")
    if known.kind != "empty":
        words = f"There is a database at {path} already ({known.label}); it was left as it is."
        if decided:
            raise Refused(words, hint="Move it away first, or set DATABASE_URL to another place.")
        return Outcome("nothing_to_do", 0, words)
    if not decided:
        raise UnknownDatabase(
            f"{path} is there and holds nothing ({known.label}): a disk may have lost it.",
            hint="daemon backup list shows what can be put back. To begin anew: daemon init --fresh",
        )
    beside = [path.with_name(path.name + suffix) for suffix in (*COMPANION_ENDINGS, "")]
    return _moved_aside(path, [each for each in beside if each.exists()], "empty")


def _move_what_was_left_aside(settings: Settings) -> list[str]:
    """Give a log or journal whose database is absent another name; return what puts it back."""
    left = storage_for(settings.database_url).left_behind()
    return _moved_aside(real_path(settings.database_path), left, "left")


def _moved_aside(place: Path, moving: list[Path], why: str) -> list[str]:
    """Give files in and beside the ``place`` another name; return the commands that put them back."""
    if not moving:
        return []
    interrupt.last_moment()
    aside = place.with_name(f"{place.name}.{why}-{clock.stamp(clock.now())}")
    back = []
    for path in moving:
        moved = aside.with_name(aside.name + path.name.removeprefix(place.name))
        path.rename(moved)
        back.append(f"mv {shlex.quote(str(moved))} {shlex.quote(str(path))}")
    files.sync_folder(place.parent)
    return back


def _puts_back(commands: list[str]) -> str:
    if not commands:
        return ""
    return f"What was there of another database was kept; this puts it back: {'; '.join(commands)}"


# -- a new one -----------------------------------------------------------------------------------------------


def _fresh(settings: Settings, on_event: OnEvent) -> Outcome:
    storage = storage_for(settings.database_url)
    if storage.engine_name != "sqlite":
        is_made = _made_on_server(settings, storage, on_event)
        return _said_fresh(settings) if is_made else _somebody_else(settings)
    with _beside(settings.database_path) as draft:
        run_every_step(draft, on_event)
        write_new(draft, settings.database_path)
        use_wal_where_it_may_be(storage_at(draft), settings.data_dir)
        files.sync_file(draft)
        if not _put_in_place(draft, settings):
            return _somebody_else(settings)
    return _said_fresh(settings)


def _made_on_server(settings: Settings, storage: StorageEngine, on_event: OnEvent) -> bool:
    """Make every table in one transaction; return False where someone else was faster."""
    with storage.process_lock().exclusive(WAIT_SECONDS), storage.migration_connection() as migration:
        if migration.tables():
            return False
        apply_all(migration, on_event)
        place = installation.here(settings.database_path)
        new = Installation(installation.new_id(), 0, place, ClockSeen(clock.now()))
        installation.write_installation(migration, new)
        interrupt.last_moment()
        migration.commit_durably()
        return True


def _said_fresh(settings: Settings) -> Outcome:
    _tell(settings, "initialised", f"A new database was made at {settings.database_name}.")
    return Outcome("done", 0, f"A new database was made at {settings.database_name} (version {NEWEST}).")


def run_every_step(draft: Path, on_event: OnEvent) -> None:
    draft.touch(mode=files.PRIVATE_FILE, exist_ok=False)
    storage = storage_at(draft)
    with storage.migration_connection() as migration:
        apply_all(migration, on_event)
        migration.commit_durably()


def apply_all(migration: MigrationConnection, on_event: OnEvent) -> None:
    """Run every step in a database without tables, and verify what they made; the caller commits."""
    nothing = recognise(migration)
    plan = Plan(nothing, NEWEST, steps_between(nothing, NEWEST))
    started_at = clock.stored(clock.now())
    apply(migration, nothing, plan, on_event, backup_file="", started_at=started_at)
    verify.refuse_unless_sound(verify.schema_faults(migration, NEWEST))


# -- one that was found --------------------------------------------------------------------------------------


def _adopted(settings: Settings, source: Path) -> Outcome:
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", hint="daemon init --help")
    with _beside(settings.database_path) as draft:
        label = _copied(source.absolute(), draft)
        say_moved_in(draft, settings.database_path)
        files.sync_file(draft)
        if not _put_in_place(draft, settings):
            return _somebody_else(settings)
    message = f"{source} ({label}) was copied to {settings.database_name}; the source is as it was."
    _tell(settings, "adopted", message)
    return Outcome("done", 0, message, "To bring it to the newest version: daemon upgrade run")


def _copied(source: Path, draft: Path) -> str:
    """Copy the database ``source``, whole and checked, into the new file ``draft``; return what it is."""
    storage = storage_at(source)
    known = look(storage).recognition
    if known.kind == "damaged":
        raise Damaged(f"{source} is damaged ({known.label}); nothing was changed.", hint="daemon backup list")
    if known.kind == "newer":
        raise NewerDatabase(
            f"{source} was written by a newer Daemon ({known.label}); nothing was changed.",
            hint="Install that version to go on with it, or adopt another file.",
        )
    if known.kind != "daemon":
        raise UnknownDatabase(
            f"{source} is no database that this Daemon can go on with ({known.label}); nothing was changed."
        )
    storage.copy_unseen(draft, lambda *_: interrupt.stop_if_asked())
    interrupt.stop_if_asked()
    copy = look(storage_at(draft), "pages")
    if copy.soundness.damage or copy.recognition != known:
        why = "; ".join(copy.soundness.damage[:3]) or "the copy differs"
        raise Damaged(
            f"{source} is damaged ({why}); nothing was changed.",
            hint="daemon backup list",
        )
    return known.label


# -- putting it in place -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` for the draft, and clear everything of that name away at the end."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        yield draft
    finally:
        for suffix in ("", *_BESIDE):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _put_in_place(draft: Path, settings: Settings) -> bool:
    """Give the finished draft its name; return False when someone else's file has it already.

    Under the lock, and only where no log or journal of another database is. What was made is looked at
    where it is before it is said to be made. Raises Refused, Damaged.
    """
    with process_lock_at(settings.database_path).exclusive(WAIT_SECONDS):
        lost_volume.refuse_what_was_left(settings)
        interrupt.last_moment()
        is_ours = link_in_place(draft, settings.database_path)
        if is_ours:
            _refuse_unless_sound(settings)
        return is_ours


def _refuse_unless_sound(settings: Settings) -> None:
    seen = look(storage_for(settings.database_url), "pages")
    if seen.recognition.kind != "daemon" or seen.soundness.damage:
        what = "; ".join(seen.soundness.damage[:3]) or seen.recognition.label
        raise Damaged(
            f"The database that was made at {settings.database_name} is not sound where it is ({what}).",
            hint=f"ls -la {shlex.quote(str(settings.data_dir))}",
        )


def link_in_place(draft: Path, path: Path) -> bool:
    files.private_file(draft)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if not _put_without_link(draft, path):
            return False
    files.sync_folder(path.parent)
    return True


def _put_without_link(draft: Path, path: Path) -> bool:
    # A file system without hard links: take the name first, so that no one else's file can be overwritten.
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE))
    except FileExistsError:
        return False
    draft.replace(path)
    return True


def _somebody_else(settings: Settings) -> Outcome:
    return Outcome("nothing_to_do", 0, f"Another process has just made {settings.database_name}.")


def _tell(settings: Settings, event: journal.JournalEvent, message: str) -> None:
    _logger.info("%s", message, extra={"database": settings.database_name})
    journal.try_to_write(
        settings, event, to_version=NEWEST if event == "initialised" else None, message=message
    )
