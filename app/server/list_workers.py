"""List worker processes. Who makes strangers' costly answers? A few beside the server, one answer at a time.

Filtering a megabyte takes a fifth of a second in which Python lets no one else run: in the server's own
process everyone would wait, /health too. So what is small is made here, one at a time, and what is large
there.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import app
from app.errors import Busy
from app.server.list_worker import ListAnswer, ListRequest, read_frame, write_frame

SEARCHED_MOST_HERE = 2_000
HERE_AT_ONCE = 1
WORKERS = max(1, min(4, (os.cpu_count() or 2) - 1))
TURN_SECONDS = 5.0  # anyone who has the turn may be waiting for a locked database
WAITING_MOST = 8
ANSWER_SECONDS = 60.0
_COMMAND = (sys.executable, "-c", "from app.server.list_worker import main; main()")


class ListWorkers:
    """Makes strangers' answers elsewhere. Its processes start with the first one that is large."""

    def __init__(self) -> None:
        self._here = threading.BoundedSemaphore(HERE_AT_ONCE)
        self._workers = [_Worker() for _ in range(WORKERS)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._lock = threading.Lock()
        self._asked = 0

    @contextmanager
    def here(self) -> Iterator[None]:
        """Wait for one's turn to make a small answer in this process; raises Busy where it does not come."""
        if not self._here.acquire(timeout=TURN_SECONDS):
            raise Busy("Too many lists at the same time.", hint="Try again.", retry_after_seconds=5)
        try:
            yield
        finally:
            self._here.release()

    def ask(self, job: ListRequest) -> ListAnswer:
        """Return the answer, made by one of the processes.

        Raises what making it raises, and Busy: too many wait already, or it took more than a minute.
        """
        with self._lock:
            if self._asked >= WORKERS + WAITING_MOST:
                raise Busy("Too many large lists at the same time.", hint="Try again.", retry_after_seconds=5)
            self._asked += 1
        try:
            worker = self._idle.get()
            try:
                return worker.ask(job)
            finally:
                self._idle.put(worker)
        finally:
            with self._lock:
                self._asked -= 1

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.end()


class _Worker:
    """One process; started when it is needed, and again when it is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, job: ListRequest) -> ListAnswer:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(ANSWER_SECONDS, process.kill)
        watchdog.start()
        try:
            write_frame(process.stdin, job)
            found = read_frame(process.stdout)
        except OSError:
            found = None
        finally:
            watchdog.cancel()
        if isinstance(found, Exception):
            raise found
        if not isinstance(found, ListAnswer):
            self.end()
            raise Busy("The list could not be made.", hint="Ask for fewer items.", retry_after_seconds=5)
        return found

    def end(self) -> None:
        """Stop the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,  # Ctrl+C is for the server, with which this input ends
            )
        return self._process


def _environment() -> dict[str, str]:
    """This process's environment, in which the other one finds the same program."""
    places = [str(Path(app.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
