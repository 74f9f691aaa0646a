"""Operations in the background (threads). What runs here for people who do not wait for it?

Each is a row (`accounts.operations`) and a thread of this process. The row says every few seconds that the
thread lives, so that every process of the installation can tell what became of one that was killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import clock, log
from app.accounts import operations
from app.accounts.operations import Operation, Result
from app.errors import Busy, DaemonError
from app.typed_commands import in_answer

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor

AT_ONCE = 3
NOTE_SECONDS = 10.0
CLOSED_SECONDS = 600.0  # how long the end of one waits for a database that someone else has
PAUSE_SECONDS = 0.5
END_SECONDS = 5.0

_log = log.get_logger(__name__)


class Stopped(Exception):
    """The server stops: an operation ends here, and begins again when someone asks."""


@dataclass
class Progress:
    """How far an operation is; what runs says so, as often as it likes, and hears when it has to stop."""

    operation_id: int
    stopping: threading.Event
    done: int | None = None
    total: int | None = None

    def note(self, done: int | None = None, total: int | None = None) -> None:
        """Say how far it is; raises Stopped when the server stops."""
        self.done, self.total = done, total if total is not None else self.total
        if self.stopping.is_set():
            raise Stopped


Work = Callable[[Progress], Result]


class Operations:
    """Runs the operations that people began in this process."""

    def __init__(self, supervisor: DatabaseSupervisor, at_once: int = AT_ONCE) -> None:
        self._supervisor = supervisor
        self._free = threading.BoundedSemaphore(at_once)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()

    def start(self, user_id: int, name: str, work: Work, *, one_at_all: bool = False) -> Operation:
        """Begin ``work`` and return at once. What it raises is the end of it, told in the row.

        Raises Conflict where it is running already, Busy where too much runs here.
        """
        if not self._free.acquire(blocking=False):
            raise Busy("Too many operations at the same time.", hint="Try again.", retry_after_seconds=10)
        try:
            with self._supervisor.writing() as connection:
                begun = operations.begin(connection, user_id, name, clock.now(), one_at_all=one_at_all)
            thread = threading.Thread(target=self._run, args=(begun, work), name=name, daemon=True)
            self._threads.add(thread)
            thread.start()
        except BaseException:
            self._free.release()
            raise
        return begun

    def close(self) -> None:
        """Have what runs stop, and wait for it a moment. To be called while the database is open."""
        self._stopping.set()
        ends = time.monotonic() + END_SECONDS
        for thread in tuple(self._threads):
            thread.join(max(0.0, ends - time.monotonic()))

    def _run(self, begun: Operation, work: Work) -> None:
        over = threading.Event()
        progress = Progress(begun.id, self._stopping)
        beat = threading.Thread(target=self._beat, args=(begun, progress, over), daemon=True)
        beat.start()
        fault: str | None = None
        result = Result()
        try:
            result = work(progress)
        except Stopped:
            fault = "The server was stopped while this ran. Begin it again."
        except DaemonError as error:
            fault = f"{error.message} {in_answer(error.hint)}".strip()
        except Exception as error:  # noqa: BLE001 - its person is told that it failed, the log says why
            _log.error("An operation failed.", exc_info=error, extra={"operation": begun.name})
            fault = "It failed; the log of the server says why."
        finally:
            over.set()
            beat.join()
        self._note_end(begun, progress, result, fault)
        self._threads.discard(threading.current_thread())
        self._free.release()

    def _beat(self, begun: Operation, progress: Progress, over: threading.Event) -> None:
        noted: tuple[int | None, int | None] = (None, None)
        seen = time.monotonic()
        while not over.wait(PAUSE_SECONDS):
            state = (progress.done, progress.total)
            if state == noted and time.monotonic() - seen < NOTE_SECONDS:
                continue
            noted, seen = state, time.monotonic()
            try:
                with self._supervisor.writing() as connection:
                    operations.note(connection, begun.id, clock.now(), *state)
            except DaemonError as error:
                _log.info("How far an operation is could not be noted.", extra={"why": error.message})

    def _note_end(self, begun: Operation, progress: Progress, result: Result, fault: str | None) -> None:
        """Write how it ended, as soon as the database is open."""
        ends = time.monotonic() + CLOSED_SECONDS
        while True:
            try:
                with self._supervisor.writing() as connection:
                    operations.note(connection, begun.id, clock.now(), progress.done, progress.total)
                    if fault is None:
                        operations.finish(connection, begun.id, clock.now(), result)
                    else:
                        operations.fail(connection, begun.id, clock.now(), fault)
                return
            except DaemonError as error:
                if self._stopping.is_set() or time.monotonic() >= ends:
                    _log.warning("The end of an operation could not be noted.", extra={"why": error.message})
                    return
            time.sleep(PAUSE_SECONDS)
