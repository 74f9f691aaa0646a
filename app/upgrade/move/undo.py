"""Undo of a move. How is a move taken back, as long as nothing was written at the target?

Both databases are locked and read whole: only where they hold the same is the mark taken from the source.
What a server notes by itself (the time, the place, what it searched) is no one's writing and does not count.
As in the move, the file's mark decides, and the one on the server asks for it meanwhile.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import clock, database_urls, installation, interrupt, journal, log
from app.errors import Conflict, DaemonError, NotFound
from app.storage import failures
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import StorageError
from app.upgrade.move.contents import contents_of
from app.upgrade.move.move import WAIT_SECONDS, named_by_engine
from app.upgrade.records.moved import Moved, find_moved, url_to_keep

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine
    from app.storage.typed_rows import RowsDigest
    from app.storage.types import MigrationConnection, StorageConnection

NOT_COUNTED = frozenset({installation.TABLE, "text_findings", "view_changes"})
_UNCHANGED = "nothing was changed"
_logger = log.get_logger(__name__)

SettingsFor = Callable[[str], "Settings"]
"""Returns the settings with another DATABASE_URL."""


@dataclass(frozen=True)
class Undone:
    """A move that was taken back: where the database is again, and what is not served any more.

    ``rows`` are those which are the same on both sides; None where the other one is gone.
    """

    source: Settings
    target: Settings
    rows: int | None


def undo_move(
    settings: Settings,
    settings_for: SettingsFor,
    to: str | None,
    *,
    is_gone: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> Undone:
    """Take back the move that led from or to the configured database; ``to`` is the URL of the other one.

    Without ``to`` it is the one that the mark names, whose password is not known there. With ``is_gone`` the
    new database may be a file that is not there any more: nothing is compared then. Raises NotFound where
    nothing was moved, Conflict where something was written at the target since or it is of another move,
    Busy, Refused.
    """
    source, target = _both(settings, settings_for, to)
    with (
        interrupt.interruptible(),
        named_by_engine(source, target, _UNCHANGED),
        process_lock_at(source.database_path).exclusive(wait_seconds),
        _locked(target, wait_seconds),
    ):
        rows = _taken_back(source, target, is_gone=is_gone)
    words = f"the move from {source.database_name} to {target.database_name} was taken back"
    _logger.info(words)
    for one in (source, target):
        journal.try_to_write(one, "moved", message=words)
    return Undone(source, target, rows)


def _locked(target: Settings, wait_seconds: float) -> AbstractContextManager[None]:
    is_file = not database_urls.is_of_server(target.database_url)
    if is_file and not target.database_path.parent.exists():  # then no one can hold anything there
        return nullcontext()
    return process_lock_at(target.database_path).exclusive(wait_seconds)


def _taken_back(source: Settings, target: Settings, *, is_gone: bool) -> int | None:
    """Write the marks; return how many rows are the same on both sides, None where one is gone."""
    of_source, of_target = storage_for(source.database_url), storage_for(target.database_url)
    here = find_moved(of_source)
    if here is None or here.state not in ("moved", "leaving"):
        raise _not_moved(source)
    _refuse_other_move(here, target, of_target)
    if of_target.file_kind() == "missing":
        _refuse_unless_gone(target, is_gone=is_gone)
        interrupt.last_moment()
        of_source.set_note("")
        return None
    if database_urls.is_of_server(target.database_url):
        return _taken_back_from_server(source, target, here)
    rows = _refuse_if_written(_digests(source), _digests(target), target)
    interrupt.last_moment()
    of_source.set_note(replace(here, state="leaving").as_text())
    of_target.set_note(_undone(here, source).as_text())  # which decides
    _note_afterwards(source, "")
    return rows


def _taken_back_from_server(source: Settings, target: Settings, here: Moved) -> int:
    """The same where a server has the target: what is compared there stays so, whoever writes.

    Whoever writes there waits for this transaction, and finds another note then (`write_guard`).
    """
    with storage_for(target.database_url).migration_connection() as held, held.placeholders():
        _refuse_what_is_not_compared(held, target)
        rows = _refuse_if_written(_digests(source), _digests_in(held), target)
        interrupt.last_moment()
        on_server = held.of_server
        assert on_server is not None
        on_server.set_note(replace(_undone(here, source), state="half_made").as_text())
        on_server.commit_durably()
    storage_for(source.database_url).set_note("")  # which decides
    _note_afterwards(target, _undone(here, source).as_text())
    return rows


def _note_afterwards(settings: Settings, text: str) -> None:
    """Write the server's last mark. Where it cannot be, the file is asked for its own until it is."""
    try:
        storage_for(settings.database_url).set_note(text)
    except (DaemonError, StorageError) as error:
        _logger.warning("that a move was taken back could not be noted there", extra={"why": str(error)})


def _both(settings: Settings, settings_for: SettingsFor, to: str | None) -> tuple[Settings, Settings]:
    """Return the settings of the source and of the target."""
    with failures.named(settings.database_path, _UNCHANGED):
        mark = find_moved(storage_for(settings.database_url))
    if mark is None or mark.state not in ("moved", "leaving", "arrived") or not (to or mark.other_url):
        raise _not_moved(settings)
    other = settings_for(to or mark.other_url)
    if mark.state != "arrived":
        return settings, other
    with failures.named(other.database_path, _UNCHANGED):
        there = find_moved(storage_for(other.database_url))
    if not to and there is not None and there.other != settings.database_name:  # a copy of it, perhaps
        raise Conflict(
            f"{other.database_name} was moved to {there.other}, and this is {settings.database_name};"
            f" {_UNCHANGED}.",
            hint=f"If it is the same: daemon move --undo --to {shlex.quote(other.database_url)}",
        )
    return other, settings


def _refuse_other_move(here: Moved, target: Settings, storage: StorageEngine) -> None:
    """Raise Conflict where what is there did not come by this move, or has gone on from there."""
    there = find_moved(storage)
    if there is None or (there.move == here.move and there.state in ("arrived", "half_made", "undone")):
        return
    if there.state == "moved":
        what = f"What was moved to {target.database_name} is at {there.other} now"
    else:
        what = f"What is at {target.database_name} came by another move"
    raise Conflict(
        f"{what}: this one cannot be taken back; {_UNCHANGED}.",
        hint="Take the later move back first: daemon move --undo   # or go back with what is there: daemon"
        " move --to URL",
    )


def _refuse_unless_gone(target: Settings, *, is_gone: bool) -> None:
    if database_urls.is_of_server(target.database_url):
        raise Conflict(
            f"There is no database of Daemon at {target.database_name}, so nothing can be compared;"
            f" {_UNCHANGED}.",
            hint="daemon move --undo --to URL   # of the database that it was moved to",
        )
    if not is_gone:
        raise Conflict(
            f"{target.database_name} is not there, so nothing can be compared: what was written there since"
            f" would be lost, and where it is served elsewhere there would be two; {_UNCHANGED}.",
            hint="If it is nowhere any more: daemon move --undo --gone",
        )


def _refuse_what_is_not_compared(held: MigrationConnection, target: Settings) -> None:
    """Raise Conflict where there is something of its owner's, of which the source cannot have anything."""
    contents = contents_of(held.engine_name, held.typed_rows(), held)
    found = [*contents.foreign_objects(), *contents.foreign_columns()]
    if found:
        raise Conflict(
            f"{target.database_name} also holds {', '.join(found)}, which is not at the old place;"
            f" {_UNCHANGED}.",
            hint="Put what is not Daemon's into another schema: ALTER TABLE NAME SET SCHEMA OTHER",
        )


def _not_moved(settings: Settings) -> NotFound:
    return NotFound(
        f"No move leads from or to {settings.database_name} that could be taken back; {_UNCHANGED}.",
        hint="daemon status",
    )


def _refuse_if_written(before: dict[str, RowsDigest], after: dict[str, RowsDigest], target: Settings) -> int:
    """Return how many rows are the same on both sides; raise Conflict where they are not."""
    changed = sorted(
        name
        for name in before.keys() | after.keys()
        if name not in NOT_COUNTED and before.get(name) != after.get(name)
    )
    changed = [name for name in changed if _count(before, name) or _count(after, name)]
    if changed:
        raise Conflict(
            f"Something was written at {target.database_name} since the move ({', '.join(changed)}): taking"
            f" it back would lose that; {_UNCHANGED}.",
            hint="To go back with it, move it to a new place: daemon move --to URL",
            tables=changed,
        )
    return sum(digest.count for digest in before.values())


def _digests(settings: Settings) -> dict[str, RowsDigest]:
    with storage_for(settings.database_url).looking() as connection, connection.placeholders():
        return _digests_in(connection)


def _digests_in(connection: StorageConnection) -> dict[str, RowsDigest]:
    return contents_of(connection.engine_name, connection.typed_rows(), connection).digests()


def _count(digests: dict[str, RowsDigest], name: str) -> int:
    return digests[name].count if name in digests else 0


def _undone(here: Moved, source: Settings) -> Moved:
    """The mark of the target: ``here`` is the source's."""
    now = clock.rfc3339(clock.now().replace(microsecond=0))
    return Moved("undone", here.move, source.database_name, url_to_keep(source.database_url), now)
