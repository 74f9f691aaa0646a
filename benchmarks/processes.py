"""What does a request cost on SQLite, and on PostgreSQL with one, two and four server processes?

python benchmarks/processes.py [--requests N] [--rounds N] [--row NAME]

Needs PostgreSQL (Debian: apt-get install postgresql). Microseconds of processor time for each request, of the
server processes and, after the plus, of PostgreSQL; and requests a second, which on a machine that has
much else to do says little. The sides take turns; the median of the rounds counts. Four threads ask.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from measure import TOP

sys.path.insert(0, str(TOP))

from app import clock
from app.accounts import api_keys, claim
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import new_scope
from app.accounts.users import NewUser
from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.upgrade.operations.init import initialise
from tests.machines.several import server_in
from tests.postgresql import own_server
from tests.web.conftest import Server

ENTRIES = 1000
THREADS = 4
TEXT = "cello river evening library garden window paper lantern harbour winter bread copper " * 3
Ask = Callable[[http.client.HTTPConnection, int], None]


@dataclass
class Side:
    """Servers of one database, and a key that writes."""

    name: str
    servers: list[Server]
    key: str
    database_pid: int | None

    def cpu(self) -> tuple[float, float]:
        """Processor seconds of the servers, and of PostgreSQL, so far."""
        mine = sum(cpu_of(server.process.pid) for server in self.servers)
        return mine, cpu_of_all(self.database_pid) if self.database_pid else 0.0


def cpu_of(pid: int) -> float:
    """Processor seconds of a process, all its threads."""
    seconds = 0.0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            seconds += int(thread.read_text().split()[0]) / 1e9
    return seconds


def cpu_of_all(pid: int) -> float:
    """Processor seconds of a process and its children; those that have ended do not count."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_of(pid) + sum(cpu_of(int(child)) for child in children)


@contextlib.contextmanager
def side(name: str, folder: Path, url: str, count: int, database_pid: int | None = None) -> Iterator[Side]:
    """Servers of a database of ann's, with entries in it."""
    settings = Settings(database_url=url, data_dir=folder, backup_dir=folder / "b", log_dir=folder / "l")
    assert initialise(settings).state == "done"
    key = fill(settings)
    with contextlib.ExitStack() as running:
        servers = [running.enter_context(server_in(folder / str(n), url)) for n in range(count)]
        yield Side(name, servers, key, database_pid)


def fill(settings: Settings) -> str:
    """Make ann and her entries; returns a key of hers."""
    database = open_database(settings)
    with database.writing() as connection:
        new = NewUser("ann", "ann@example.org", "no hash, so that no one logs in", is_admin=True)
        ann = claim.create_account(connection, new, clock.now())
        _, key = api_keys.make_key(
            connection, ann, NewKey("load", scope=new_scope(can_write=True)), clock.now()
        )
        for number in range(ENTRIES):
            content = {"content": f"{number} {TEXT}", "meta": {"visibility": "public", "title": "an idea"}}
            write.create(connection, Viewer("person", ann.id, "ann"), "ideas", content)
    database.close()
    return key


def got(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body


def rows(side: Side) -> dict[str, Ask]:
    """What is asked, by its name in the table."""
    numbers = itertools.count()

    def posted(connection: http.client.HTTPConnection, _number: int) -> None:
        body = json.dumps({"content": f"{next(numbers)} {TEXT[:200]}", "meta": {"visibility": "public"}})
        headers = {"Content-Type": "application/json", "X-API-Key": side.key}
        connection.request("POST", "/api/v1/ideas", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 201, said

    def after_commit(connection: http.client.HTTPConnection, number: int) -> None:
        posted(connection, number)
        got(connection, "/api/v1/ideas?limit=50")

    return {
        "warm list of 20": lambda connection, _: got(connection, "/api/v1/ideas?limit=20"),
        "pages of 20 in turn": lambda connection, number: got(
            connection, f"/api/v1/ideas?size=20&page={number % (ENTRIES // 20) + 1}"
        ),
        "POST of 200 characters": posted,
        "POST, then a list of 50": after_commit,
    }


def measured(side: Side, ask: Ask, requests: int) -> tuple[float, float, float]:
    """Microseconds of the servers and of PostgreSQL for each request, and requests a second."""

    def ask_some(thread: int) -> None:
        server = side.servers[thread % len(side.servers)]
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as one:
            for number in range(thread, requests, THREADS):
                ask(one, number)

    before, began = side.cpu(), time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(ask_some, range(THREADS)))
    took, after = time.monotonic() - began, side.cpu()
    mine, databases = [(b - a) * 1e6 / requests for a, b in zip(before, after, strict=True)]
    return mine, databases, requests / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--row", default="", help="those with this in their name")
    asked = parser.parse_args()
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        server = running.enter_context(own_server(durable=True))
        pid = int((server.data / "postmaster.pid").read_text().split()[0])
        (folder / "s").mkdir()
        file = f"sqlite:///{folder}/s/daemon.db"
        sides = [running.enter_context(side("SQLite, 1 process", folder / "s", file, 1))]
        for count in (1, 2, 4):
            (folder / f"p{count}").mkdir()
            name, url = f"PostgreSQL, {count} process{'es' * (count > 1)}", server.create(f"p{count}")
            sides.append(running.enter_context(side(name, folder / f"p{count}", url, count, pid)))
            server.execute("ANALYZE", f"p{count}")  # as a server does by itself, if it is let
        for what in [name for name in rows(sides[0]) if asked.row in name]:
            found: dict[str, list[tuple[float, float, float]]] = {one.name: [] for one in sides}
            for _ in range(asked.rounds + 1):
                for one in sides:
                    found[one.name].append(measured(one, rows(one)[what], asked.requests))
            for name, each in found.items():
                mine, databases, rate = (statistics.median(values) for values in zip(*each[1:], strict=True))
                print(
                    f"{what:26} {name:24} {mine:7.0f} + {databases:5.0f} us {rate:7.0f} a second", flush=True
                )


if __name__ == "__main__":
    main()
