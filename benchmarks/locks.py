"""How long is the write lock held at a time by what writes much? Search of texts, the audit, an import.

python benchmarks/locks.py [--entries N] [--journal wal]

Milliseconds from BEGIN to the end of COMMIT, of the longest transaction and of the median one: by the clock,
and the processor time of the thread in it. A rollback journal unless another one is asked for. An import
is one transaction, whatever its size.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import growth
from measure import TOP, python

sys.path.insert(0, str(TOP))

from app import clock
from app.accounts import audit
from app.cli import main as door
from app.database import Database
from app.server.database_supervisor import DatabaseSupervisor
from app.server.pending_audit import PendingAudit
from app.server.text_backfill import TextBackfill
from app.settings import load_settings

BAR_MS = 50.0
Times = list[tuple[float, float]]
AUDIT_ROWS = 2_000


@contextlib.contextmanager
def timed() -> Iterator[Times]:
    """Note how long each transaction lasts that writes."""
    found: Times = []
    writing = Database.writing

    @contextlib.contextmanager
    def measured(self: Database) -> Iterator[object]:
        with contextlib.ExitStack() as stack, writing(self) as connection:
            began = time.perf_counter(), time.thread_time()
            stack.callback(lambda: found.append(since(*began)))
            yield connection

    Database.writing = measured  # type: ignore[assignment, method-assign]
    try:
        yield found
    finally:
        Database.writing = writing  # type: ignore[method-assign]


def since(clock_seconds: float, thread_seconds: float) -> tuple[float, float]:
    return (time.perf_counter() - clock_seconds) * 1000, (time.thread_time() - thread_seconds) * 1000


def environment(folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder}/daemon.db",
        "BACKUP_DIR": str(folder / "backups"),
        "LOG_DIR": str(folder / "logs"),
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
    }


def typed(folder: Path, *words: str, stdin: str = "") -> None:
    env = {**os.environ, **environment(folder)}
    subprocess.run(
        python("-m", "app.cli", *words),
        cwd=TOP,
        env=env,
        input=stdin.encode(),
        check=True,
        capture_output=True,
    )


def installation(folder: Path, entries: int, journal: str) -> None:
    folder.mkdir()
    typed(folder, "init")
    words = ("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin")
    typed(folder, *words, stdin="a long sentence is best\n")
    growth.fill(folder / "daemon.db", entries)
    with contextlib.closing(sqlite3.connect(folder / "daemon.db")) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")


def tell(what: str, found: Times) -> None:
    by_clock, worked = [[one[at] for one in found] for at in (0, 1)]
    verdict = "met" if max(by_clock) <= BAR_MS else "NOT MET"
    print(
        f"{what:30} {len(found):4} transactions, median {statistics.median(by_clock):.1f} ms, longest"
        f" {max(by_clock):.1f} ms; processor time {statistics.median(worked):.1f} and {max(worked):.1f} ms"
        f"   bar {BAR_MS:.0f} ms: {verdict}",
        flush=True,
    )


def search(folder: Path) -> None:
    """Search all texts anew."""
    with contextlib.closing(sqlite3.connect(folder / "daemon.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM text_findings")

    def act(supervisor: DatabaseSupervisor) -> None:
        backfill = TextBackfill(supervisor)
        while not backfill.progress.is_done:
            backfill.step()

    tell("search of every text", supervised(act))


def write_audit() -> None:
    """Write what was noticed of many accounts in a minute."""

    def act(supervisor: DatabaseSupervisor) -> None:
        pending = PendingAudit(load_settings(), supervisor)
        for number in range(AUDIT_ROWS):
            pending.memory.remember(audit.READ, "users", number + 1, clock.now())
        pending.write()

    tell(f"{AUDIT_ROWS:,} rows of the audit", supervised(act))


def supervised(act: Callable[[DatabaseSupervisor], None]) -> Times:
    supervisor = DatabaseSupervisor(load_settings(), lambda database: None)
    supervisor.start(20.0)
    try:
        with timed() as found:
            act(supervisor)
        return found
    finally:
        supervisor.stop()


def import_all(export: Path) -> None:
    with timed() as found, contextlib.redirect_stdout(None):
        ended = door.run(lambda: door.daemon, ("import", str(export), "--admin"), "daemon")
    if ended != 0:
        raise RuntimeError("the import failed")
    tell("import: its one transaction", found[:1])
    tell("import: search of its texts", found[1:])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--journal", default="delete")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        full, other = Path(name) / "full", Path(name) / "other"
        installation(full, asked.entries, asked.journal)
        typed(full, "export-user-data", "ann", "--output-dir", str(Path(name) / "exports"))
        (export,) = (Path(name) / "exports").iterdir()
        other.mkdir()
        typed(other, "init")
        os.environ.update(environment(full))
        search(full)
        write_audit()
        os.environ.update(environment(other))
        import_all(export)
    return 0


if __name__ == "__main__":
    sys.exit(main())
