"""Database supervisor. May this server use the database now, and does an operator want it?

It asks whether the database is ready, opens it when it is, and yields it when an operator wants it. A thread
of its own does all of that, again and again, so that no request ever waits for it:

    is it ready? -- READY   --> take the process lock, ask again, open, serve until an operator wants it
                 |- EMPTY   --> a first start: make a fresh database
                 |- BEHIND  --> upgrade by itself where that is allowed, once; else wait
                 `- others  --> wait: another process may put it right, and then it opens by itself

While it waits, nothing is written. Requests reach the database through `reading` and `writing` only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from app.errors import Busy, DaemonError
from app.log import get_logger
from app.server import public_errors
from app.server.automatic_upgrade import AutomaticUpgrade, file_stamp
from app.server.database_status import DatabaseStatus, version_of
from app.server.write_health import WriteHealth
from app.storage.registry import process_lock_at, storage_for
from app.storage.sharing import find_sharing
from app.storage.types import StorageError, WriteJob

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database
    from app.settings import Settings
    from app.upgrade.readiness import Readiness

LOOK_SECONDS = 0.2  # how soon an operator who wants the database is noticed
WAIT_SECONDS = 0.5  # how soon a repaired database is noticed
DRAIN_SECONDS = 10.0  # how long running requests may hold up an operator
FILE_LOOK_SECONDS = 1.0
OTHERS_AT_WORK = ("BUSY", "UNREACHABLE")  # what ends by itself, and not by what an operator does here
DECIDING_SECONDS = 10.0  # so long at most who comes during the start waits for the database
UPGRADE_END_SECONDS = 600.0  # how long stopping the server waits for an upgrade that runs

_log = get_logger(__name__)


class DatabaseSupervisor:
    """Holds the one open database of the server process, or the reason why there is none."""

    def __init__(self, settings: Settings, on_open: Callable[[Database], None]) -> None:
        """``on_open`` is called with a database that is ready, before the first request gets it.

        ``on_wait``, where someone sets it, is called again and again while an operator is waited for, first
        before anyone hears that it is.
        """
        self._settings = settings
        self._on_open = on_open
        self.on_wait: Callable[[], None] | None = None
        self._storage = storage_for(settings.database_url)
        self._process_lock = process_lock_at(settings.database_path)
        self._shared_jobs = self._storage.shared_jobs()
        self._status = DatabaseStatus("starting", sentence="The server is starting.", command="Try again.")
        self._database: Database | None = None
        is_file = self._storage.engine_name == "sqlite"
        self.write_health = WriteHealth(settings.database_path if is_file else None)
        self._users = 0
        self._told: set[str] = set()
        self._usage = threading.Condition()
        self._decided = threading.Event()
        self._decides_until = 0.0
        self._stopping = threading.Event()
        self._upgrade = AutomaticUpgrade(settings, self._set_status)
        self._thread = threading.Thread(target=self._run, name="database-supervisor", daemon=True)

    # -- for the doors

    @property
    def status(self) -> DatabaseStatus:
        """Where the server stands now."""
        return self._status

    @property
    def is_open(self) -> bool:
        """Whether requests may use the database."""
        return self._status.phase == "ready"

    def start(self, wait_seconds: float = 0.0) -> None:
        """Begin the rounds; returns when it is known whether there is something to serve, or later."""
        self._decides_until = time.monotonic() + DECIDING_SECONDS
        self._thread.start()
        self.wait_until_decided(wait_seconds)

    @property
    def is_undecided(self) -> bool:
        """Whether it may still be found out, soon, that there is something to serve: since the start only."""
        is_starting = not self._decided.is_set() and self._thread.is_alive()
        return is_starting and time.monotonic() < self._decides_until

    def wait_until_decided(self, wait_seconds: float) -> bool:
        """Wait until it is known whether there is something to serve, or so long; returns whether it is."""
        return self._decided.wait(wait_seconds)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """While this lasts, for DRAIN_SECONDS at most, writes may still wait for another machine."""
        timer = threading.Timer(DRAIN_SECONDS, self._database.break_off if self._database else _nothing)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def stop(self) -> None:
        """Let running requests end and close the database."""
        self._stopping.set()
        if self._thread.is_alive():
            is_upgrading = self._status.phase == "upgrading"
            self._thread.join(UPGRADE_END_SECONDS if is_upgrading else DRAIN_SECONDS + 5)
        self._shared_jobs.close()

    def generation(self) -> int:
        """Return a number that changes with every commit, no matter who made it; -1 while closed."""
        with self._usage:
            if self._database is None or not self.is_open:
                return -1
            try:
                return self._database.generation()
            except DaemonError:
                return -1

    def find_changes(self, before: int, after: int) -> list[Any] | None:
        """Return what was changed between two generations; None where that is not known (`Database`)."""
        database = self._database
        return None if database is None else database.find_changes(before, after)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading, one snapshot; raises Busy while the database is closed."""
        with self._using() as database, database.reading() as connection:
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """Give the same in passing; raises Busy while the database is closed, and where one would wait."""
        with self._using() as database, database.glancing() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection for writing, committed when the block ends; raises Busy while closed."""
        try:
            with self._using() as database, database.writing() as connection:
                yield connection
        except DaemonError as error:
            self.write_health.failed(error)
            raise
        self.write_health.succeeded()

    def write_each(self, jobs: Iterator[WriteJob]) -> None:
        """Do each job as a block of `writing` would; raises Busy while closed, and where none is begun."""
        try:
            with self._using() as database:
                taken = database.write_each(jobs)
        except DaemonError as error:
            self.write_health.failed(error)
            raise
        for job in taken:
            if isinstance(job.error, DaemonError):
                self.write_health.failed(job.error)
            elif job.error is None:
                self.write_health.succeeded()

    def is_mine(self, job: str) -> bool:
        """Whether this process does what one of those has to do that serve the database; not while unsure."""
        try:
            return self._shared_jobs.is_mine(job)
        except DaemonError:
            return False

    def checkpoint(self) -> None:
        """Fold a write-ahead log into the file; raises Busy while the database is closed."""
        with self._using() as database:
            database.checkpoint()

    def scrub(self, tables: Sequence[str]) -> None:
        """See to it that nothing deleted is in the database any more; see `Database.scrub`."""
        with self._using() as database:
            database.scrub(tables)

    def clear_leftovers(self) -> None:
        """Remove copies of the database that killed processes left on its server; raises DaemonErrors."""
        self._storage.clear_leftovers()

    @contextmanager
    def lending(self) -> Iterator[None]:
        """See to it that the database stays open to a process of ours; raises Busy while it is closed."""
        with self._using():
            yield

    def closed_error(self) -> DaemonError:
        """Return what to answer while the database is closed: no one can be known to be an admin then."""
        return public_errors.maintenance(self._status)

    @contextmanager
    def _using(self) -> Iterator[Database]:
        with self._usage:
            if self._database is None or not self.is_open:
                raise self.closed_error()
            database = self._database
            self._users += 1
        try:
            yield database
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._usage:
            self._users -= 1
            if self._database is None:  # someone waits for the last one
                self._usage.notify_all()

    # -- the rounds

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except DaemonError as error:
                self._set_status(DatabaseStatus("maintenance", error.code.upper(), error.message, error.hint))
            except Exception as error:  # noqa: BLE001 - whatever it is, the server stays up and says so
                sentence = f"The database cannot be used: {type(error).__name__}; the log says more."
                if sentence != self._status.sentence:  # once, not at every round
                    _log.error("The database cannot be served.", exc_info=error)
                self._set_status(DatabaseStatus("maintenance", "UNKNOWN", sentence, "daemon upgrade check"))
            self._stopping.wait(WAIT_SECONDS)
        self._decided.set()

    def _round(self) -> None:
        gate = self._ask()
        if gate.state == "READY":
            self._serve()
        elif gate.state == "EMPTY":
            self._make_fresh()
        elif gate.state == "BEHIND":
            if self._upgrade.attempt(gate, self._status):
                self._serve()
        else:
            status = DatabaseStatus("maintenance", gate.state, gate.sentence, gate.command, version_of(gate))
            self._set_status(status)

    def _ask(self) -> Readiness:
        from app.upgrade.readiness import ask_readiness

        return ask_readiness(self._settings, self._storage)

    def _serve(self) -> None:
        self._process_lock.serve()
        try:
            gate = self._ask()  # again: before the process lock was ours, anything could happen
            if gate.state == "READY":
                self._open_and_watch(version_of(gate))
        finally:
            self._process_lock.yield_()

    def _open_and_watch(self, version: str) -> None:
        from app.database import open_database

        self.note_place_and_time()
        database = open_database(self._settings)
        try:
            self._on_open(database)
            self._warn_of_place()
            with self._usage:
                self._database = database
            self._set_status(DatabaseStatus("ready", "READY", version=version))
            self._watch(database)
        finally:
            self._close(database)

    def _warn_of_place(self) -> None:
        """Take from others of this machine what they may read here; say where the file alone is shared.

        The database is open by now, so the files beside it are there too. Each sentence is said once.
        """
        from app.upgrade.checks.file_modes import narrow_files

        shared = find_sharing(self._settings.database_path)
        self._warn_once(*narrow_files(self._settings), *([shared.in_words] if shared else []))

    def note_place_and_time(self) -> None:
        """Have the database know where and when it is served; say what is odd about either."""
        from app.upgrade.operations.identify import note_opening

        with self._usage:
            database = self._database  # None where it is just being opened
        with database.without_writers() if database else nullcontext():
            self._warn_once(*note_opening(self._settings))

    def _warn_once(self, *sentences: str) -> None:
        for sentence in sentences:
            if sentence not in self._told:
                self._told.add(sentence)
                _log.warning("%s", sentence)

    def _watch(self, database: Database) -> None:
        """Return when someone wants the database, when its file is another one, or when the server stops."""
        path = self._settings.database_path
        opened_file, looked_at = file_stamp(path)[:2], time.monotonic()
        looked_at_commit = -1
        while not self._stopping.wait(LOOK_SECONDS):
            if self._is_wanted():
                return
            if not self._process_lock.is_held():
                _log.warning(
                    "The database is not held any more: the connection is lost, or it is another one."
                )
                return
            if time.monotonic() - looked_at >= FILE_LOOK_SECONDS:
                looked_at = time.monotonic()
                is_usable, looked_at_commit = self._look(database, looked_at_commit)
                if file_stamp(path)[:2] != opened_file or not is_usable:
                    _log.warning("The database was replaced or became unusable while it was served.")
                    return

    def _is_wanted(self) -> bool:
        try:
            return self._process_lock.wanted()
        except DaemonError:  # no descriptor is free just now: no one can have asked for it either
            return False

    def _look(self, database: Database, looked_at_commit: int) -> tuple[bool, int]:
        """Whether it can still be served, and the commit that this is about; asked once for each."""
        try:
            commit = database.generation()
        except Busy:
            return True, looked_at_commit
        except DaemonError:
            return False, looked_at_commit
        return commit == looked_at_commit or self._has_whole_schema(), commit

    def _has_whole_schema(self) -> bool:
        """Whether every statement can still be run: someone may have added what this engine cannot read."""
        try:
            with self._storage.peek() as connection:
                return connection.has_whole_schema()
        except StorageError as error:
            return error.reason == "busy"
        except (OSError, DaemonError):  # no room for a look, or no descriptor: that says nothing about it
            return True

    def _close(self, database: Database) -> None:
        if self._stopping.is_set():
            self._set_status(
                DatabaseStatus("stopping", "BUSY", "The server is stopping.", "Try again in a moment.")
            )
        else:
            holders = [str(one) for one in self._process_lock.holders()]
            _log.info("The database is handed over.", extra={"to": holders})
            sentence = "Someone works on the database; the server goes on by itself afterwards."
            self._set_status(DatabaseStatus("yielding", "BUSY", sentence, "Try again in a moment."))
        ends = time.monotonic() + DRAIN_SECONDS
        with self._usage:
            self._database = None
            while self._users and time.monotonic() < ends:
                self._usage.wait(ends - time.monotonic())
            if self._users:
                _log.warning(
                    "Requests still run while the database is handed over.", extra={"count": self._users}
                )
        database.close()

    def _set_status(self, status: DatabaseStatus) -> None:
        if (status.phase, status.sentence) != (self._status.phase, self._status.sentence):
            told_in_log = {"gate": status.gate, "why": status.sentence, "next": status.command}
            says = "waiting" if status.phase == "maintenance" else status.phase
            _log.info("The server is %s.", says, extra=told_in_log)
        if status.phase == "maintenance" and status.gate not in OTHERS_AT_WORK and self.on_wait is not None:
            self.on_wait()
        self._status = status
        self._decided.set()

    # -- what it may do by itself

    def _make_fresh(self) -> None:
        from app.upgrade.operations.init import initialise

        initialise(self._settings)
        _log.info("A fresh database was made.", extra={"path": self._settings.database_name})
        self._serve()


def _nothing() -> None:
    """No database is open: no one writes."""
