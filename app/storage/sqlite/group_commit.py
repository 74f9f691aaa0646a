"""Group commit. How do writers that wait for the same disk share one commit, and none the fate of another?

One connection writes for the whole process, and whoever has the turn uses it. A commit waits for the disk
with the turn; those who come meanwhile wait in a line, and then go into the next transaction one after the
other, each in a savepoint. The last of the line commits for all of them, and each returns when that is on
the disk:

    A: write, commit ............ returned
    B:        (in line)           write                 returned
    C:        (in line)                  write          returned
    D:        (in line)                         write, commit ............ all three returned

A block that raises is taken back to its savepoint, and the others go on. Where the commit itself fails, or
SQLite has given up the transaction by itself (as on a full disk), everyone in it gets the error, and of none
of them anything is there.
"""

from __future__ import annotations

import copy
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app import garbage_collection
from app.errors import Busy, DaemonError, Failed
from app.storage.sqlite.connect import driver_connection
from app.storage.sqlite.errors import explained
from app.storage.sqlite.full_text import compact
from app.storage.sqlite.serving import SQLiteWrittenState, forget_written
from app.storage.types import STATE, CommitNotes, WriteJob

MEMBERS_MOST = 64
GROUP_SECONDS = 0.05  # after that a transaction is committed, whoever else waits


class Line:
    """Who has the turn, and who waits for it, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Semaphore] = deque()

    def enter(self, wait_seconds: float) -> None:
        """Wait for the turn; raises Busy where it does not come."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            own = threading.Semaphore(0)
            self._waiting.append(own)
        if own.acquire(timeout=wait_seconds):
            return
        with self._lock:
            if own not in self._waiting:  # it came at the last moment
                return
            self._waiting.remove(own)
        raise Busy("Too many requests write to the database at once.", hint="Try again in a moment.")

    def hand_on(self) -> bool:
        """Give the turn to who has waited longest; False, and it is kept, where there is no one."""
        with self._lock:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True

    def leave(self) -> None:
        """Give the turn away, to whoever comes."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


class Told:
    """Tells what each commit has changed, where that is known, between which numbers of the database.

    A number is read from the file. That before a commit is the one after the last commit, where nothing else
    was committed since then: neither by others, which the connection sees, nor by itself.
    """

    def __init__(self, notes: CommitNotes) -> None:
        self._notes = notes
        self._last: tuple[SQLiteWrittenState, int, int] | None = None

    def before(self, state: SQLiteWrittenState) -> tuple[int, tuple[Any, ...]] | None:
        """Return the number of the state that is changed, and the changes; None where they are not known.

        To be asked before each commit of the connection, while it holds the write lock: no one else commits.
        """
        last, changes = self._last, state.find_changes()
        self._last = None
        if changes is None:
            return None
        is_the_same = last is not None and last[0] is state and last[1] == state.others
        before = last[2] if last is not None and is_the_same else self._notes.number()
        return None if before is None else (before, changes)

    def after(self, state: SQLiteWrittenState, before: int, changes: tuple[Any, ...]) -> None:
        """Tell of a commit that has just been made, unless someone else has committed since."""
        number = self._notes.number()
        if number is not None and state.is_alone():
            self._last = state, state.others, number
            self._notes.note(before, number, changes)

    def forget(self) -> None:
        """Believe no number from before: the connection does something else."""
        self._last = None


class Group:
    """One transaction, and those whose changes are in it."""

    def __init__(self, connection: sqlalchemy.Connection, told: Told | None = None) -> None:
        """Take the write lock; raises what that raises. ``told`` is told what it has changed."""
        self.connection = connection
        self._told = told
        self.root = connection.begin()
        self.driver = driver_connection(connection)
        self.began_at = time.monotonic()
        self.members_count = 0
        self.is_over = threading.Event()
        self.is_committed = False
        self.failure: DaemonError | None = None
        garbage_collection.put_off()  # others wait from here on

    @property
    def is_full(self) -> bool:
        """Whether it is to be committed although others wait."""
        too_long = time.monotonic() - self.began_at > GROUP_SECONDS
        return self.failure is not None or self.members_count >= MEMBERS_MOST or too_long

    def enter(self) -> None:
        """Begin the part of one member."""
        self.driver.execute("SAVEPOINT member")

    def join(self) -> None:
        """End it, for good as far as the member goes; raises sqlite3.Error where the transaction is lost."""
        self.driver.execute("RELEASE member")
        self.members_count += 1

    def take_back(self) -> None:
        """End it as if it had not been; raises sqlite3.Error where the transaction is lost."""
        forget_written(self.connection)
        self.driver.execute("ROLLBACK TO member")
        self.driver.execute("RELEASE member")

    def lose(self, error: DaemonError) -> None:
        """Note that nothing of this transaction will be there, and why."""
        self.failure = self.failure or error

    def end(self) -> None:
        """Commit, where there is anything to commit, and tell everyone, whatever happens."""
        try:
            if self.failure is None and self.members_count:
                self._commit()
        except DaemonError as error:
            self.lose(error)
        finally:
            if not self.is_committed:
                with suppress(SQLAlchemyError, sqlite3.Error):
                    self.connection.close()  # which takes back what was done
            garbage_collection.go_on()
            self.is_over.set()

    def _commit(self) -> None:
        """Commit; then tell between which states of the database this was, if no one else came between."""
        state, told = self.connection.info.get(STATE), self._told
        if told is None or not isinstance(state, SQLiteWrittenState):
            self.root.commit()
            self.is_committed = True
            return
        noted = told.before(state)
        self.root.commit()
        self.is_committed = True
        if noted is not None:
            told.after(state, *noted)

    def check(self) -> None:
        """Raise to a member why its change is not on the disk, where it is not."""
        if not self.is_committed:
            raise self.reason()

    def reason(self) -> DaemonError:
        """Why nothing of it is on the disk."""
        return copy.copy(self.failure) if self.failure else Failed("The commit failed.")


class SharedWriter:
    """The one connection of a process that writes. Made when it is first used: most processes only read."""

    def __init__(self, make_engine: Callable[[], sqlalchemy.Engine], path: Path, wait_seconds: float) -> None:
        """``make_engine``'s gives one connection at most, whose transactions take the write lock first."""
        self._make_engine = make_engine
        self._engine: sqlalchemy.Engine | None = None
        self._connection: sqlalchemy.Connection | None = None  # of who has the turn, and kept between turns
        self._path = path
        self._wait_seconds = wait_seconds
        self._line = Line()
        self._group: Group | None = None
        self._told: Told | None = None

    def tell_of_commits(self, told: CommitNotes) -> None:
        """Tell of each commit what it has changed, where that is known."""
        self._told = Told(told)

    @contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """Give the connection to one writer at a time; what it did is on the disk when the block has ended.

        When the block raises, nothing of it is there. Raises what SQLite answered, as DaemonErrors.
        """
        self._line.enter(self._wait_seconds)
        group = self._begin()
        try:
            yield group.connection
        except BaseException as error:
            self._end_part(group, group.take_back, error)
            self._end_turn(group)
            raise
        self._end_part(group, group.join)
        self._end_turn(group)
        group.is_over.wait()
        group.check()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the turn without writing; raises Busy where it does not come."""
        with self._turn_alone(self._wait_seconds):
            yield

    def write_each(self, jobs: Iterator[WriteJob]) -> list[WriteJob]:
        """Do each job in a turn that they share, as a block of `writing` would; see `Writer`.

        Who waits in the line goes on after the last one, or after as many as one commit takes.
        """
        self._line.enter(self._wait_seconds)
        group, taken = self._begun(), list[WriteJob]()
        try:
            for job in jobs:
                taken.append(job)
                self._do(group, job)
                if group.is_full:
                    break
        except BaseException as error:
            group.lose(explained(error, self._path))
            raise
        finally:
            self._end_turn(group)
        group.is_over.wait()
        for job in taken:
            if not group.is_committed and job.error is None:
                job.error = group.reason()
        return taken

    def _do(self, group: Group, job: WriteJob) -> None:
        try:
            group.enter()
            job.value = job.do(group.connection)
        except Exception as error:  # noqa: BLE001 - it is the job's, who looks at it
            job.error = error
            self._end_part(group, group.take_back, error)
        else:
            self._end_part(group, group.join)

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file, if no one writes just now and no one reads an older state.

        In the other mode there is nothing to fold. Raises what SQLite answered, as DaemonErrors.
        """
        if self._engine is None:
            return
        with suppress(Busy), self._turn_alone(0.0):
            try:
                _fold(driver_connection(self._connected()))
            except sqlite3.Error as error:
                raise explained(error, self._path) from error

    def break_off(self) -> None:
        """Nothing: a commit to a file waits for no other machine."""

    def scrub(self, tables: Sequence[str]) -> None:
        """Write the whole file anew from the rows that are there, and fold the log, which is empty then.

        Zeros over what is deleted (`secure_delete`) are not enough: where SQLite moves rows between pages it
        leaves bytes of them behind. Raises what SQLite answered, as DaemonErrors, and Busy where someone
        reads an older state.
        """
        with self._turn_alone(self._wait_seconds):
            driver = driver_connection(self._connected())
            try:
                compact(driver)
                driver.execute("VACUUM")
                (is_busy, *_) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise explained(error, self._path) from error
        if is_busy:
            raise Busy("Someone reads an older state of the database.", hint="Try again in a moment.")

    def close(self) -> None:
        """Fold the log into the file, if there is one, and let go of the database; no one may be writing."""
        if self._engine is not None:
            with suppress(DaemonError):  # what is left in the log is folded by who opens the database next
                self.checkpoint()
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _turn_alone(self, wait_seconds: float) -> Iterator[None]:
        """Have the turn outside of any transaction; raises Busy where it does not come."""
        self._line.enter(wait_seconds)
        try:
            group, self._group = self._group, None
            if group is not None:  # handed on open, to the next who writes: no one else would end it
                group.end()
            if self._told is not None:
                self._told.forget()
            yield
        finally:
            self._line.leave()

    def _begin(self) -> Group:
        group = self._begun()
        try:
            group.enter()
        except sqlite3.Error as error:
            self._end_part(group, group.take_back, error)
            self._end_turn(group)
            group.check()
        return group

    def _begun(self) -> Group:
        """The transaction that others have begun and wait for, or a new one."""
        if self._group is None:
            try:
                self._group = _new_group(self._connected(), self._told)
            except BaseException:
                self._line.leave()
                raise
        return self._group

    def _connected(self) -> sqlalchemy.Connection:
        """The one connection; opened where there is none, or where something went wrong with it."""
        self._engine = self._engine or self._make_engine()
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect()
        return self._connection

    def _end_part(self, group: Group, end: Callable[[], None], error: BaseException | None = None) -> None:
        """End the part of one member; where that fails, all is lost."""
        try:
            end()
        except sqlite3.Error as lost:
            is_cause = isinstance(error, sqlite3.Error | DBAPIError)
            group.lose(explained(error if error and is_cause else lost, self._path))

    def _end_turn(self, group: Group) -> None:
        """Let the next one in; or, where there is none or it has lasted long enough, end the transaction."""
        if not group.is_full and self._line.hand_on():
            return
        self._group = None
        try:
            group.end()
        finally:
            self._line.leave()


def _fold(driver: sqlite3.Connection) -> None:
    (wait_milliseconds,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout = 0")  # who reads an older state is not waited for
    try:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        driver.execute(f"PRAGMA busy_timeout = {wait_milliseconds}")


def _new_group(connection: sqlalchemy.Connection, told: Told | None) -> Group:
    try:
        return Group(connection, told)
    except BaseException:
        connection.close()  # there is one only, and the next writer needs it
        raise
