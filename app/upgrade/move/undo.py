"""Undo of a move. How is a move taken back, as long as nothing was written at the target?

Both databases are locked and read whole: only where they hold the same is the mark taken from the source.
What a server notes by itself (the time, the place, what it searched) is no one's writing and does not count.
As in the move, the file's mark decides, and the one on the server asks for it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import clock, database_urls, installation, interrupt, journal, log
from app.errors import Conflict, NotFound
from app.storage import failures
from app.storage.registry import process_lock_at, storage_for
from app.upgrade.move.contents import contents_of
from app.upgrade.move.move import WAIT_SECONDS, named_by_engine
from app.upgrade.records.moved import Moved, find_moved, url_to_keep

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.typed_rows import RowsDigest

NOT_COUNTED = frozenset({installation.TABLE, "text_findings", "view_changes"})
_UNCHANGED = "nothing was changed"
_logger = log.get_logger(__name__)

SettingsFor = Callable[[str], "Settings"]
"""Returns the settings with another DATABASE_URL."""


@dataclass(frozen=True)
class Undone:
    """A move that was taken back: where the database is again, and what is not served any more."""

    source: Settings
    target: Settings
    rows: int


def undo_move(
    settings: Settings, settings_for: SettingsFor, to: str | None, wait_seconds: float = WAIT_SECONDS
) -> Undone:
    """Take back the move that led from or to the configured database; ``to`` is the URL of the other one.

    Without ``to`` it is the one that the mark names, whose password is not known there. Raises NotFound where
    nothing was moved, Conflict where something was written at the target since, Busy, Refused.
    """
    source, target = _both(settings, settings_for, to)
    with (
        interrupt.interruptible(),
        named_by_engine(source, target, _UNCHANGED),
        process_lock_at(source.database_path).exclusive(wait_seconds),
        _locked(target, wait_seconds),
    ):
        rows = _taken_back(source, target)
    words = f"the move from {source.database_name} to {target.database_name} was taken back"
    _logger.info(words)
    for one in (source, target):
        journal.try_to_write(one, "moved", message=words)
    return Undone(source, target, rows)


def _locked(target: Settings, wait_seconds: float) -> AbstractContextManager[None]:
    if not target.database_path.parent.exists():  # then no one can hold anything there
        return nullcontext()
    return process_lock_at(target.database_path).exclusive(wait_seconds)


def _taken_back(source: Settings, target: Settings) -> int:
    """Write the marks; return how many rows are the same on both sides."""
    of_source, of_target = storage_for(source.database_url), storage_for(target.database_url)
    here = find_moved(of_source)
    if here is None or here.state not in ("moved", "leaving"):
        raise _not_moved(source)
    is_there = of_target.file_kind() != "missing"
    rows = _refuse_if_written(source, target) if is_there else 0
    interrupt.last_moment()
    undone = _undone(here, source).as_text()
    if not is_there:
        of_source.set_note("")
    elif database_urls.is_of_server(source.database_url):
        of_source.set_note(replace(here, state="leaving").as_text())
        of_target.set_note(undone)  # which decides
        of_source.set_note("")
    else:
        of_target.set_note(replace(_undone(here, source), state="half_made").as_text())
        of_source.set_note("")  # which decides
        of_target.set_note(undone)
    return rows


def _both(settings: Settings, settings_for: SettingsFor, to: str | None) -> tuple[Settings, Settings]:
    with failures.named(settings.database_path, _UNCHANGED):
        mark = find_moved(storage_for(settings.database_url))
    if mark is None or mark.state not in ("moved", "leaving", "arrived") or not (to or mark.other_url):
        raise _not_moved(settings)
    other = settings_for(to or mark.other_url)
    return (other, settings) if mark.state == "arrived" else (settings, other)


def _not_moved(settings: Settings) -> NotFound:
    return NotFound(
        f"No move leads from or to {settings.database_name} that could be taken back; {_UNCHANGED}.",
        hint="daemon status",
    )


def _refuse_if_written(source: Settings, target: Settings) -> int:
    """Return how many rows are the same on both sides; raise Conflict where they are not."""
    before, after = _digests(source), _digests(target)
    changed = sorted(
        name
        for name in before.keys() | after.keys()
        if name not in NOT_COUNTED and before.get(name, None) != after.get(name, None)
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
        contents = contents_of(connection.engine_name, connection.typed_rows(), connection)
        return contents.digests()


def _count(digests: dict[str, RowsDigest], name: str) -> int:
    return digests[name].count if name in digests else 0


def _undone(here: Moved, source: Settings) -> Moved:
    """The mark of the target: ``here`` is the source's."""
    now = clock.rfc3339(clock.now().replace(microsecond=0))
    return Moved("undone", here.move, source.database_name, url_to_keep(source.database_url), now)
