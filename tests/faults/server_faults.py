"""Faults of a database server, at each message that Daemon sends to it: what is there afterwards?

python -m tests.faults.server_faults [OPERATION ...] [--most N] [--fault FAULT] sweeps and prints a table; the
tests sweep a sample.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from app import log, uncaught
from tests.faults import server_copies, server_operations
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.server_operations import REFERENCE, Operation, Seen, contents, place_of
from tests.faults.small_disk import fill, go_on, small_disk
from tests.faults.sweep import DONE_WORDS, Findings
from tests.postgresql import PostgreSQL, own_server

DATABASE = "struck"
DEADLINE_SECONDS = 120
DISK_MEGABYTES = 300
SETTINGS = ("max_wal_size=32MB", "wal_recycle=off")  # its log needs room again and again
FAULTS = ("cut before", "cut after", "client killed", "server killed", "disk full")
OPERATIONS = {**server_operations.OPERATIONS, **server_copies.OPERATIONS}


Tell = Callable[[Findings], None]
"""Is called after each point."""


def say_nothing(findings: Findings) -> None:
    """Nothing."""


@dataclass(frozen=True)
class Point:
    """The n-th message, and what happens at it."""

    number: int
    fault: str


class ServerSweep:
    """One operation on a server of its own, each time on a copy of the same database and folder.

    On ``disk``, which fills up, are the server and the operator's folder.
    """

    def __init__(
        self, operation: Operation, server: PostgreSQL, proxy: Proxy, work: Path, disk: Path
    ) -> None:
        self.operation = operation
        self.server = server
        self.proxy = proxy
        self.output = work / "output.txt"
        self.folder_before = work / "before"
        self.disk = disk
        self.folder = disk / "operator"
        self.folder.mkdir()
        self.server.create("before")
        quiet = io.StringIO()
        with redirect_stdout(quiet), redirect_stderr(quiet), contextlib.chdir(work):
            operation.prepare(server.url("before"), self.folder)
        shutil.copytree(self.folder, self.folder_before)
        self.before = contents(server.url("before"))

    def points(self, faults: Sequence[str]) -> list[Point]:
        """Count the messages of one undisturbed run; each of them, with each fault, is a point."""
        self.begin()
        status, said = self.run(Point(0, "none"))
        state = self.judge(said)
        if (status, state) != (0, "new"):
            raise AssertionError(f"{self.operation.name} undisturbed: exit {status}, state {state}\n{said}")
        possible = [fault for fault in faults if fault != "disk full" or os.path.ismount(self.disk)]
        return [Point(number, fault) for fault in possible for number in range(1, self.proxy.sent + 1)]

    def begin(self) -> None:
        """Put the state before in the place."""
        for (name,) in self.server.execute("SELECT datname FROM pg_database"):
            if str(name).startswith(DATABASE):
                self.server.drop(name)
        self.server.create(DATABASE, "before")
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder_before, self.folder)

    def judge(self, said: str) -> str:
        url = self.server.url(DATABASE)
        try:
            now = contents(url)
        except sqlalchemy.exc.OperationalError as error:
            return f"it cannot be opened: {error.orig}"
        return self.operation.judge(Seen(self.before, now, said, self.folder, url))

    def hit(self, point: Point, findings: Findings) -> None:
        """One point: strike, judge, and act once more, which must end in the new state."""
        self.begin()
        status, said = self.run(point)
        state = self.judge(said)
        findings.points += 1
        findings.states[f"{point.fault}: {state}"] += 1
        for fault in self.faults_of(point, status, state, said):
            findings.wrong.append(f"{self.operation.name} {point}: {fault}\n{said[-600:]}")
        if state in ("old", "new"):
            status, again = self.run(Point(0, "none"))
            after = self.judge(said + again)
            if (status, after) not in ((0, "new"), (self.operation.status_when_done, state)):
                findings.wrong.append(
                    f"{self.operation.name} {point}: again: exit {status}, {after}\n{again[-600:]}"
                )

    def faults_of(self, point: Point, status: int, state: str, said: str) -> Iterator[str]:
        if state not in ("old", "new"):
            yield f"third state: {state}"
        if state == "new" and "nothing was moved" in said:
            yield "said that nothing was done, the state is new"
        if status == 0 and state != "new":
            yield f"said success, the state is {state}"
        if state == "old" and DONE_WORDS.search(said):
            yield "said done, the state is old"
        if "Traceback" in said:
            yield "a stack trace"
        yield from uncaught_in(self.folder / "logs" / log.FILE_NAME)
        if not self.proxy.is_over.is_set() and point.number < self.proxy.sent:
            yield "the fault did not strike"

    def run(self, point: Point) -> tuple[int, str]:
        """Act once, in a process of its own; return exit status (negative: the signal) and what it said."""
        url = place_of(self.server.url(DATABASE), self.proxy.port)
        read_end, write_end = os.pipe()
        pid = self._fork(url, read_end, write_end)
        os.close(read_end)
        strikes: dict[str, Callable[[], None]] = {
            "cut before": self.proxy.cut,
            "cut after": self.proxy.cut,
            "client killed": lambda: os.kill(pid, signal.SIGKILL),
            "server killed": self._kill_server,
            "disk full": self._fill_disk,
            "none": lambda: None,
        }
        self.proxy.arm(point.number, is_before=point.fault == "cut before", strike=strikes[point.fault])
        os.close(write_end)  # now it begins
        status = _wait(pid)
        if point.fault in ("server killed", "disk full") and self.proxy.sent >= point.number:
            assert self.proxy.is_over.wait(DEADLINE_SECONDS)
        self.proxy.cut()
        if point.fault == "disk full":
            (self.disk / "filler").unlink(missing_ok=True)
            go_on(self.server)
        return status, self.output.read_text(errors="replace")

    def _fill_disk(self) -> None:
        fill(self.disk)

    def _kill_server(self) -> None:
        self.server.stop("immediate")
        self.server.start()

    def _fork(self, url: str, read_end: int, write_end: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
            pid = os.fork()
        if pid:
            return pid
        status = 70
        try:
            os.close(write_end)
            target = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(target, 1)
            os.dup2(target, 2)
            sys.stdout = sys.stderr = os.fdopen(target, "w", buffering=1)
            logging.getLogger().addHandler(logging.NullHandler())  # what a log is told is in a file
            uncaught.keep_traces_from_people()
            os.read(read_end, 1)
            status = self.operation.act(url, self.folder)
        except BaseException:  # noqa: BLE001 - nothing of the child may reach the parent's test run
            traceback.print_exc()
        finally:
            os._exit(status)


def uncaught_in(path: Path) -> Iterator[str]:
    """What a log has of errors that no code caught: people saw nothing of them, and they are faults.

    Where the disk was full a line may be a part of one.
    """
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    wanted = json.dumps({"logger": uncaught.NAME})[1:-1]
    yield from (line for line in lines if wanted in line)


def _wait(pid: int) -> int:
    """Wait for the end of a child; one that does not end is killed, and told as that."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"not ended after {DEADLINE_SECONDS} seconds")


def sweep(
    operation: str,
    *,
    every: int = 1,
    most: int = 0,
    first: int = 0,
    faults: Sequence[str] = FAULTS,
    work: Path,
    tell: Tell = say_nothing,
) -> Findings:
    """Hit every ``every``-th point of an operation, or so many evenly; number ``first`` changes which."""
    findings = Findings(operation)
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(DISK_MEGABYTES)) if os.geteuid() == 0 else work
        server = stack.enter_context(own_server(*SETTINGS, parent=disk))
        proxy = stack.enter_context(proxy_to(server.port))
        running = ServerSweep(OPERATIONS[operation], server, proxy, work, disk)
        points = running.points(faults)
        every = max(1, len(points) // most) if most else every
        for point in points[first % every :: every]:
            running.hit(point, findings)
            tell(findings)
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operations", nargs="*", default=[name for name in OPERATIONS if name != REFERENCE])
    parser.add_argument("--most", type=int, default=240, help="take so many points of each, evenly")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this one; may be repeated")
    asked = parser.parse_args()
    wrong = 0
    for name in asked.operations:
        with tempfile.TemporaryDirectory() as work:
            findings = sweep(name, most=asked.most, faults=asked.fault or FAULTS, work=Path(work), tell=_tell)
        _tell(findings)
        for each in findings.wrong:
            print(f"  {each}", flush=True)
        wrong += len(findings.wrong)
    return int(wrong > 0)


def _tell(findings: Findings) -> None:
    states = ", ".join(f"{state} {count}" for state, count in sorted(findings.states.items()))
    print(
        f"{findings.operation}: {findings.points} points; {states}; {len(findings.wrong)} wrong", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
