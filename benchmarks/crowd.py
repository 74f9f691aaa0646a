"""How long does /health take while strangers ask for the costliest lists there are?

python benchmarks/crowd.py [--asked N] [--at-once N]

Milliseconds of /health, one request after the other on a connection of its own: idle, then while lists are
asked for without a pause, each with an address of its own so that no kept answer serves. The kinds of list:
entries as large as a body may be; many whose large part a stranger is not shown; many small ones.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import TOP, python
from serving import free_port

FORKED = multiprocessing.get_context("fork")  # apart, so that they do not hold up who measures
WORDS = "Some words about 12 ideas of mine, written on 2026-01-31, see https://site.example/a/b for more. "
LARGE = WORDS * 50_000
KINDS = {
    "entries of 5 MB": ("ideas", [{"content": LARGE[:4_900_000]}] * 6),
    "200 with 1 MB hidden": ("goals", [{"content": "a goal", "password": LARGE[:1_000_000]}] * 200),
    "200 of 5 kB": ("quotes", [{"content": WORDS * 50}] * 200),
    "200 of 120 B": ("hobbies", [{"content": WORDS}] * 200),
    "60 of 120 B": ("values", [{"content": WORDS}] * 60),
}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[int]:
    """A server on a database with such entries; gives its port."""
    port = free_port()
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'data' / 'daemon.db'}",
        "BACKUP_DIR": str(folder / "backups"),
        "LOG_DIR": str(folder / "logs"),
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
        "PYTHONPATH": str(TOP),
    }
    daemon = [*python(), "-m", "app.cli"]
    quiet = {"cwd": folder, "env": env, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*daemon, "init"], **quiet)  # type: ignore[call-overload]
    subprocess.run(
        [*daemon, "user", "create", "ann", "ann@site.example", "--admin", "--password-stdin"],
        input=b"a long sentence is best\n",
        **quiet,
    )  # type: ignore[call-overload]
    fill(folder / "data" / "daemon.db")
    process = subprocess.Popen(
        [*daemon, "serve", "--port", str(port)], cwd=folder, env=env, stdout=subprocess.DEVNULL
    )
    try:
        wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def fill(path: Path) -> None:
    """Put the entries of every kind of list into a database."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for kind, contents in KINDS.values():
            rows = ((json.dumps(content), kind) for content in contents)
            connection.executemany(
                "INSERT INTO data_entries (data, endpoint_id, is_active, created_by_id, visibility) "
                "SELECT ?, id, 1, 1, 'public' FROM endpoints WHERE name = ?",
                rows,
            )


def wait(port: int) -> None:
    """Return when the server answers."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if ask(port, "/health") == 200:
                return
        time.sleep(0.05)
    sys.exit("The server never answered.")


def ask(port: int, path: str) -> int:
    """Return the status of one answer, read whole."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def health(port: int, asked: int) -> list[float]:
    """Return how many milliseconds each of so many answers took, in order of size."""
    found = []
    for _ in range(asked):
        began = time.perf_counter()
        ask(port, "/health")
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(0.005)
    return sorted(found)


@contextlib.contextmanager
def crowd(port: int, kind: str, at_once: int) -> Iterator[list[int]]:
    """Ask for lists of a kind without a pause, by so many processes; afterwards gives the statuses."""
    statuses: list[int] = []
    is_over, seen = FORKED.Event(), FORKED.SimpleQueue()

    def keep_asking(who: int) -> None:
        turn, found = 0, []
        while not is_over.is_set():
            number = who + at_once * turn
            person, level = ("", "/users/ann")[number % 2], ("public_full", "ai_safe")[number // 2 % 2]
            path = f"/api/v1/{kind}{person}?level={level}&limit={200 - number // 4 % 100}"
            found.append(ask(port, path))
            turn += 1
        seen.put(found)

    processes = [FORKED.Process(target=keep_asking, args=(who,)) for who in range(at_once)]
    for process in processes:
        process.start()
    try:
        yield statuses
    finally:
        is_over.set()
        for _ in processes:
            statuses += seen.get()
        for process in processes:
            process.join()


def line(name: str, found: list[float], idle: float, statuses: list[int]) -> str:
    """Say what was measured."""
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    lists = f"{statuses.count(200)} lists, {len(statuses) - statuses.count(200)} refused" if statuses else ""
    return f"{name:24} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   {p99 / (idle or p99):5.1f} times   {lists}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asked", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="crowd."))
    try:
        with served(folder) as port:
            health(port, 100)
            for name, (kind, _contents) in KINDS.items():
                quiet = health(port, options.asked)  # beside each: other programs of the machine count too
                print(line("idle", quiet, 0, []))
                with crowd(port, kind, options.at_once) as statuses:
                    time.sleep(1.0)
                    found = health(port, options.asked)
                print(line(name, found, quiet[int(len(quiet) * 0.99)], statuses), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
