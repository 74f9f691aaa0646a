"""Scrubbing (erased entries). What of an erased entry is in memories and in the database's free pages?

Whoever erases has both cleared at once. A job makes up for it where that failed, was cut off, or where
another process erased; and at the start it looks into the manifests of the backups for what was erased since
the state that is served: someone may have put an older one into its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app import clock, erased_people, erasures, log
from app.accounts import export_files
from app.erasures import TABLES, Erasure, OfToday
from app.errors import DaemonError

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.settings import Settings

OF_PEOPLE_TOO = tuple(dict.fromkeys((*TABLES, *erased_people.TABLES)))

_log = log.get_logger(__name__)


class Scrubbing:
    """Clears memories and free pages, and remembers up to when it did."""

    def __init__(
        self, settings: Settings, supervisor: DatabaseSupervisor, forget: Callable[[], None]
    ) -> None:
        """``forget`` clears what this process remembers of entries."""
        self._settings = settings
        self._supervisor = supervisor
        self._forget = forget
        self._seen = ""
        self._is_merged = False

    def begin_again(self) -> None:
        """It may be another database than before."""
        self._is_merged = False

    def scrub(self) -> bool:
        """Clear both; False where the database cannot be written anew now: the job tries again."""
        self._forget()
        began = clock.now()
        try:
            with self._supervisor.reading() as connection:
                database = OfToday(connection)
                has_people = erased_people.is_anyone_erased_since(database, erasures.scrubbed_at(database))
            self._supervisor.scrub(OF_PEOPLE_TOO if has_people else TABLES)
            self._forget_in_files()
            with self._supervisor.writing() as connection:
                erasures.note_scrubbed(OfToday(connection), began)
        except DaemonError as error:
            _log.warning(
                "What was erased is in free pages of the database still.",
                extra={"why": error.message, "hint": error.hint},
            )
            return False
        return True

    def look(self) -> None:
        """Do what others left to be done; see the head of the file."""
        if not self._is_merged and self._supervisor.is_mine("scrubbing"):
            self._merge()
        with self._supervisor.reading() as connection:
            database = OfToday(connection)
            scrubbed_at, is_scrubbed = erasures.scrubbed_at(database), erasures.is_scrubbed(database)
        if scrubbed_at != self._seen:  # someone erased something
            self._forget()
            self._seen = scrubbed_at
        if not is_scrubbed and self._supervisor.is_mine("scrubbing"):
            self.scrub()

    def _merge(self) -> None:
        """Erase again what manifests of backups say was erased; write what is new to the ledger."""
        from app.backup.catalog import ledger_of, list_backups  # the start waits for none of these
        from app.upgrade.detect.identity import identity_of

        identity = identity_of(self._settings, serving=True)
        told = ledger_of(list_backups(self._settings, hashing=False, identity=identity))
        with self._supervisor.reading() as connection:
            database = OfToday(connection)
            known = {line.key for line in erasures.ledger_in(database)}
            new = [line for line in told if line.key not in known]
        for line in new:
            self._erase_again(line)
        self._forget_in_files(told)
        self._is_merged = True

    def _erase_again(self, line: Erasure) -> None:
        from app.accounts import departures  # with all that erasing needs: where there is something
        from app.entries.erase import erase_again

        with self._supervisor.writing() as connection:
            if not departures.leave_again(
                connection, line, clock.now()
            ):  # the rest of a person is done in steps
                erase_again(connection, line)

    def _forget_in_files(self, told: Sequence[Erasure] = ()) -> None:
        """Files beside the database hold nothing of it either; raises Failed."""
        from app.upgrade.operations.kept_erasures import forget_erased

        with self._supervisor.reading() as connection:
            forget_erased(self._settings.database_path, OfToday(connection), told)
            export_files.clear(self._settings.exports_path, connection)
