"""How long is the write lock held at a time by what writes much? Search, the audit, bulks, imports.

python benchmarks/locks.py [--entries N] [--journal wal]

Milliseconds from BEGIN to the end of COMMIT, of the longest transaction and of the median one: by the clock,
and the processor time of the thread in it. A rollback journal unless another one is asked for. A bulk and
an import are one transaction each, whatever their size.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import growth
from measure import TOP, python

sys.path.insert(0, str(TOP))

from app import clock
from app.accounts import audit
from app.cli import main as door
from app.database import Database
from app.entries import bulk_items
from app.server.database_supervisor import DatabaseSupervisor
from app.server.pending_audit import PendingAudit
from app.server.text_backfill import TextBackfill
from app.settings import load_settings

BAR_MS = 50.0
Times = list[tuple[float, float]]
AUDIT_ROWS = 2_000
HTTP_MOST = 2_400  # each is two files of a ZIP, which has 5,000 at most


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


def here(*words: str) -> dict[str, Any]:
    """Type a command in this process, with --json; return what it answers."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        ended = door.run(lambda: door.daemon, (*words, "--json"), "daemon")
    if ended != 0:
        raise RuntimeError(f"daemon {' '.join(words)} failed: {said.getvalue()}")
    answer: dict[str, Any] = json.loads(said.getvalue())
    return answer


def import_all(export: Path) -> None:
    with timed() as found:
        here("import", str(export), "--admin")
    tell("import: its one transaction", found[:1])
    tell("import: search of its texts", found[1:])


def write_bulks(folder: Path, entries: int) -> None:
    """Write as many new entries as a bulk takes, replace them; import as many from a CSV, and undo that."""
    count, file = min(entries, bulk_items.ITEMS_MOST), folder / "bulk.json"
    for what in ("new", "replaced", "replaced again"):
        texts = [json.loads(growth.stored(number)) for number in range(1, count + 1)]
        items = [
            {"content": {**each, "content": f"{each['content']} {what}"}, "slug": f"s{at}"}
            for at, each in enumerate(texts)
        ]
        file.write_text(json.dumps(items))
        with timed() as found:
            here("entry", "bulk", "ann", "ideas", str(file))
        tell(f"bulk of {count:,}: {what}", found)
    lines = (f'"{growth.TEXT}{number} again","{number}"' for number in range(entries))
    csv = folder / "many.csv"
    csv.write_text("\n".join(('"text","id"', *lines)) + "\n")
    with timed() as found:
        done = here("import", str(csv), "--into", "ann", "--kind", "ideas", "--column", "text=content")
    tell("import of a CSV", found)
    with timed() as found:
        here("import", "--undo", str(done["id"]), "--into", "ann")
    tell("import of a CSV: undone", found)


def import_over_http(archive: Path, entries: int) -> None:
    """Import an export over HTTP into an account that is there, as a trial first."""
    from starlette.testclient import TestClient

    from app.web.app import create_app

    app = create_app(load_settings())
    with TestClient(app, base_url="http://daemon.example", client=("192.0.2.1", 50000)) as client:
        if not app.server.supervisor.wait_until_decided(20.0):
            raise RuntimeError("the database is not served")
        login = client.post("/auth/login", data={"username": "ann", "password": growth.PASSWORD})
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        said = {"name": archive.name, "base64": base64.b64encode(archive.read_bytes()).decode()}
        for what, more in (("a trial", {"dry_run": True}), ("done", {})):
            with timed() as found:
                answer = client.post("/api/v1/import", json={**said, **more}, headers=headers)
            if answer.status_code != 200 or len(answer.json()["items"]) != entries:
                raise RuntimeError(answer.text[:500])
            tell(f"import over HTTP: {what}", found)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--journal", default="delete")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        full, other, third = (Path(name) / each for each in ("full", "other", "third"))
        installation(full, asked.entries, asked.journal)
        typed(full, "export-user-data", "ann", "--output-dir", str(Path(name) / "exports"))
        (export,) = (Path(name) / "exports").iterdir()
        typed(full, "export-user-data", "ann", "--zip", "--output-dir", str(Path(name) / "archives"))
        (archive,) = (Path(name) / "archives").iterdir()
        other.mkdir()
        typed(other, "init")
        installation(third, 0, asked.journal)
        os.environ.update(environment(full))
        search(full)
        write_audit()
        write_bulks(full, asked.entries)
        os.environ.update(environment(other))
        import_all(export)
        if asked.entries <= HTTP_MOST:
            os.environ.update(environment(third))
            import_over_http(archive, asked.entries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
