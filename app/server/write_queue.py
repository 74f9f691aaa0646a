"""Write queue (group commit). How do requests on the event loop get what they write written, and hear of it?

A thread for each of them would be woken for its turn, for the end of the commit, and then wake the loop: for
a small entry that takes more processor time than writing it. So their jobs wait in one line; a thread takes
all that wait into one transaction, and those that come while it writes, and tells the loop of all of them at
once when the commit is on the disk. Where nothing waits there is no thread at work.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar, cast

from app.errors import Busy, DaemonError
from app.storage.types import WriteJob

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.database_supervisor import DatabaseSupervisor

T = TypeVar("T")
_Told = asyncio.Future[None]


class WriteQueue:
    """The jobs that wait to be written, and the thread that does so."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._waiting: deque[tuple[WriteJob, _Told]] = deque()
        self._is_at_work = False
        self._begun: SimpleQueue[bool] = SimpleQueue()  # a pool of threads takes twice the time for one
        self._thread: threading.Thread | None = None
        self._is_closed = False

    async def write(self, do: Callable[[Connection], T]) -> T:
        """Return what ``do`` returns, once what it wrote is on the disk; as a block of `writing` would.

        Raises what it raises, and then nothing of it is there, and what `writing` raises.
        """
        loop = asyncio.get_running_loop()
        job, told = WriteJob(do), loop.create_future()
        with self._lock:
            self._waiting.append((job, told))
            is_idle, self._is_at_work = not self._is_at_work, True
        if is_idle:  # once all have said what they write whose requests came in with this one
            loop.call_soon(self._begin)
        await told
        if job.error is not None:
            raise job.error
        return cast("T", job.value)

    def close(self) -> None:
        """Begin nothing more; what was begun is still written."""
        self._is_closed = True
        self._begun.put(False)

    def _begin(self) -> None:
        if self._is_closed:
            left = list(self._rest())
            _fail(left, Busy("The server is stopping; nothing was changed.", hint="Try again in a moment."))
            _tell(left)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()
        self._begun.put(True)

    def _run(self) -> None:
        while self._begun.get():
            self._write_all()

    def _write_all(self) -> None:
        """Write what waits, until nothing does."""
        while self._is_anything_waiting():
            taken: list[tuple[WriteJob, _Told]] = []
            try:
                self._supervisor.write_each(self._each(taken))
            except Exception as error:  # noqa: BLE001 - whatever it is, each of them is told
                taken += self._rest() if not taken else []
                _fail(taken, error)
            _tell(taken)

    def _is_anything_waiting(self) -> bool:
        with self._lock:
            self._is_at_work = bool(self._waiting)
            return self._is_at_work

    def _each(self, taken: list[tuple[WriteJob, _Told]]) -> Iterator[WriteJob]:
        """Yield what waits, and what begins to wait meanwhile."""
        while self._waiting:
            taken.append(self._waiting.popleft())
            yield taken[-1][0]

    def _rest(self) -> Iterator[tuple[WriteJob, _Told]]:
        while self._waiting:
            yield self._waiting.popleft()


def _fail(jobs: list[tuple[WriteJob, _Told]], error: Exception) -> None:
    for job, _ in jobs:
        job.error = job.error or (copy.copy(error) if isinstance(error, DaemonError) else error)


def _tell(jobs: list[tuple[WriteJob, _Told]]) -> None:
    """Wake those who wait: once for each loop, which is one but in tests."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Told]] = {}
    for _, told in jobs:
        by_loop.setdefault(told.get_loop(), []).append(told)
    for loop, all_told in by_loop.items():
        with suppress(RuntimeError):  # it was closed: no one waits any more
            loop.call_soon_threadsafe(_wake, all_told)


def _wake(all_told: list[_Told]) -> None:
    for told in all_told:
        if not told.done():  # who asked has gone: what was written stays written
            told.set_result(None)
