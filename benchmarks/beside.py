"""What do reads take while a backup, a bulk write or an upgrade check is at work? In WAL, 200,000 entries.

python benchmarks/beside.py [--rounds N] [--seconds N] [--entries N] [--journal delete]

Needs wrk. Median and 99th percentile of lists of 50 that were never asked, by two connections, beside those
of the quiet rounds right before. The server has one core, the load generator the other; the work is on that
one too, with the lowest priority.
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
import threading
from collections.abc import Iterator
from pathlib import Path

import growth
from measure import TOP, python, run
from peers import Peer, new_addresses, renewing, started
from serving import free_port

BAR = 2.0
BULK = """
import sys
from app import clock
from app.accounts import users
from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.settings import load_settings

database = open_database(load_settings())
with database.reading() as connection:
    ann = Viewer("person", users.get_user(connection, "ann").id, "ann")
with database.writing() as connection:
    for number in range(int(sys.argv[1])):
        write.create(connection, ann, "ideas", {"content": f"A thought. {number}"})
database.close()
"""


def installation(folder: Path, entries: int, journal: str) -> dict[str, str]:
    """Make one with so many entries of ann's; returns its environment."""
    env = {
        "DATABASE_URL": f"sqlite:///{folder}/daemon.db",
        "BACKUP_DIR": str(folder / "backups"),
        "LOG_DIR": str(folder / "logs"),
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
    }
    run(python("-m", "app.cli", "init"), env=env)
    words = ("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin")
    subprocess.run(
        python("-m", "app.cli", *words),
        cwd=TOP,
        env={**os.environ, **env},
        input=b"a long sentence is best\n",
        check=True,
        capture_output=True,
    )
    growth.fill(folder / "daemon.db", entries)
    with contextlib.closing(sqlite3.connect(folder / "daemon.db")) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    return env


class Work(threading.Thread):
    """Something long, done again and again by another process until it is stopped."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        super().__init__()
        self._command = ["taskset", "-c", "1", "nice", "-n", "19", *command]
        self._env = env
        self._is_over = threading.Event()
        self.count = 0

    def run(self) -> None:
        while not self._is_over.is_set():
            subprocess.run(
                self._command, cwd=TOP, env={**os.environ, **self._env}, check=True, capture_output=True
            )
            self.count += 1

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@contextlib.contextmanager
def at_work(command: list[str], env: dict[str, str]) -> Iterator[Work]:
    work = Work(command, env)
    work.start()
    try:
        yield work
    finally:
        work.stop()


def compare(peer: Peer, works: dict[str, list[str]], env: dict[str, str], seconds: int, rounds: int) -> None:
    """Measure each work beside a quiet time, in turns, and print the ratios."""
    script = renewing(peer)
    peer.load(2, 2, script)
    for name, command in works.items():
        pairs = []
        for _ in range(rounds):
            quiet = peer.load(2, seconds, script)
            with at_work(command, env) as work:
                busy = peer.load(2, seconds, script)
            pairs.append((quiet, busy))
        times = {
            which: statistics.median(busy[which] / quiet[which] for quiet, busy in pairs)
            for which in ("p50", "p99", "us")
        }
        middle = {
            which: "/".join(f"{statistics.median(one[at][which] for one in pairs):.1f}" for at in (1, 0))
            for which in ("p50", "p99")
        }
        verdict = "met" if max(times["p50"], times["p99"]) <= BAR else "NOT MET"
        print(
            f"{name:14} p50 {times['p50']:.2f} times ({middle['p50']} ms), p99 {times['p99']:.2f} times"
            f" ({middle['p99']} ms), processor time {times['us']:.2f} times; done {work.count} times."
            f" Bar {BAR}: {verdict}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--bulk", type=int, default=5_000)
    parser.add_argument("--journal", default="wal")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = installation(folder, asked.entries, asked.journal)
        port = free_port()
        command = python("-m", "app.cli", "serve", "--port", str(port))
        peer = started("daemon", command, port, "/api/v1/ideas?limit=20", env)
        works = {
            "backup": python("-m", "app.cli", "backup", "create"),
            "bulk write": python("-c", BULK, str(asked.bulk)),
            "upgrade check": python("-m", "app.cli", "upgrade", "check"),
        }
        try:
            peer.new_addresses = new_addresses(peer.wait(), 3_000)
            compare(peer, works, env, asked.seconds, asked.rounds)
        finally:
            peer.process.terminate()
            peer.process.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
