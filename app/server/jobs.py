"""Background jobs. What does the server do by itself, now and then, and what happens where that fails?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app import log
from app.errors import DaemonError

LOOK_SECONDS = 1.0  # how soon a job is begun that has a reason now and had none before

_log = log.get_logger(__name__)


def _always() -> bool:
    return True


@dataclass
class Job:
    """Work to do again every ``every_seconds``, once ``is_wanted`` says that there is a reason for it.

    First it is done at once, or ``first_after_seconds`` after it was made. ``at_end`` is done besides when
    the server stops. Whatever these raise is written down and harms no one.
    """

    name: str
    every_seconds: float
    work: Callable[[], object]
    is_wanted: Callable[[], bool] = _always
    at_end: Callable[[], object] | None = None
    first_after_seconds: float = 0.0
    begun_at: float | None = None
    made_at: float = field(default_factory=time.monotonic)

    def seconds_until_due(self) -> float:
        """Return in how many seconds it is due, for the first time or again."""
        if self.begun_at is None:
            return max(0.0, self.made_at + self.first_after_seconds - time.monotonic())
        return max(0.0, self.begun_at + self.every_seconds - time.monotonic())


class BackgroundJobs:
    """One thread that does every job in its turn, as long as ``may_run`` says that the database is open."""

    def __init__(self, may_run: Callable[[], bool], begins: Callable[[], object] = _always) -> None:
        """``begins`` returns when it is time for the first round."""
        self._may_run = may_run
        self._begins = begins
        self._jobs: list[Job] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background-jobs", daemon=True)

    def add(self, job: Job) -> None:
        """Have a job done from now on; any door may add its own."""
        self._jobs.append(job)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no job any more, and do what is to be done at the end.

        A backup that runs is cut off, which leaves nothing but an unfinished file.
        """
        self._stopping.set()
        self._thread.join(1.0)
        if self._may_run():
            for job in self._jobs:
                if job.at_end is not None:
                    _attempt(job, job.at_end)

    def run_due(self) -> None:
        """Do every job that is due and wanted, one after the other."""
        for job in tuple(self._jobs):
            if self._may_run() and job.seconds_until_due() <= 0 and job.is_wanted():
                job.begun_at = time.monotonic()
                _attempt(job, job.work)

    def _run(self) -> None:
        self._begins()
        while not self._stopping.is_set():
            self.run_due()
            log.tell_what_was_folded()
            soonest = min((job.seconds_until_due() for job in self._jobs), default=LOOK_SECONDS)
            self._stopping.wait(max(LOOK_SECONDS, soonest))


def _attempt(job: Job, work: Callable[[], object]) -> None:
    try:
        work()
    except DaemonError as error:
        told = {"job": job.name, "why": error.message, "hint": error.hint}
        _log.warning("A background job failed.", extra=told)
    except Exception as error:  # noqa: BLE001 - the server serves on
        _log.error("A background job failed.", exc_info=error, extra={"job": job.name})
