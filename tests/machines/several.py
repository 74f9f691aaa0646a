"""Several machines for tests. How do servers with a folder each serve one database behind nginx?"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.settings import Settings
from app.upgrade.operations.init import initialise
from tests.conftest import ROOT, find_tool
from tests.postgresql import PostgreSQL
from tests.replication import url_of
from tests.web.conftest import PASSWORD, Server, free_port, wait_until

IDEAS = "/api/v1/ideas"
SECRET = "one-text-for-every-machine-so-that-tokens-are-good-at-each"
LONGEST_SECONDS = 60.0  # on a machine that has much else to do

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream daemon {{
{upstream}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://daemon;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@dataclass
class Machines:
    """Servers of one database, their one address at nginx, and a key that writes."""

    url: str
    servers: list[Server]
    address: Server
    key: str = ""

    def ask(
        self, path: str, *, method: str = "GET", body: object = None, server: Server | None = None
    ) -> Any:
        """Status and body of a request, with the key, at nginx or at one of the servers."""
        found = (server or self.address).ask(path, method=method, body=body, headers={"X-API-Key": self.key})
        return found[:2]


@contextlib.contextmanager
def serving(folder: Path, *servers: PostgreSQL, count: int = 2, **more: str) -> Iterator[Machines]:
    """An installation of ann's on ``servers``, the first of which is the primary, served by ``count``."""
    url = url_of(*servers, database=_made(folder, servers[0]))
    with contextlib.ExitStack() as running:
        started = [
            running.enter_context(server_in(folder / f"machine{number}", url, **more))
            for number in range(count)
        ]
        made = Machines(url, started, running.enter_context(nginx_before(folder / "nginx", started)))
        made.key = _claimed(made, folder)
        yield made


def _made(folder: Path, primary: PostgreSQL) -> str:
    url = primary.create("daemon")
    settings = Settings(
        database_url=url, data_dir=folder / "init", backup_dir=folder / "init", log_dir=folder / "init"
    )
    assert initialise(settings).state == "done"
    return "daemon"


def server_in(folder: Path, url: str, **more: str) -> AbstractContextManager[Server]:
    """A server process of a machine, which serves: what it keeps is in ``folder``."""
    return server_within(LONGEST_SECONDS, folder, url, more)


@contextlib.contextmanager
def server_within(wait_seconds: float, folder: Path, url: str, more: Mapping[str, str]) -> Iterator[Server]:
    """As `server_in`, where it may take so long until it serves; ``more`` is of its environment."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    environment = {
        "DATABASE_URL": url,
        **{name: str(folder / "data") for name in ("DATA_DIR", "BACKUP_DIR", "LOG_DIR")},
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
        "SECRET_KEY": SECRET,
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log"]
    with (folder / "console.txt").open("ab") as console:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment, **more}, stdout=console, stderr=console
        )
    try:
        made = Server(folder, port, process)  # type: ignore[arg-type]  # what it prints is in a file
        made.wait_for("/health", 200, wait_seconds)
        yield made
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def nginx_before(folder: Path, servers: list[Server]) -> Iterator[Server]:
    """An nginx before the servers."""
    folder.mkdir()
    port = free_port()
    upstream = "\n".join(f"        server 127.0.0.1:{server.port};" for server in servers)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    command = [
        str(find_tool("nginx")),
        "-p",
        str(folder),
        "-c",
        f"{folder}/nginx.conf",
        "-e",
        f"{folder}/error.log",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        made = Server(folder, port, process)  # type: ignore[arg-type]
        made.wait_for("/health/live", 200, LONGEST_SECONDS)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def _claimed(made: Machines, folder: Path) -> str:
    """Let ann claim it on one machine and log in on the other; returns a key of hers."""
    token = (folder / "machine0" / "data" / "claim").read_text().strip()
    body = {"username": "ann", "email": "a@example.org", "password": PASSWORD, "claim_token": token}
    status, said, _ = made.servers[0].ask("/auth/register", method="POST", body=body)
    assert status == 201, said
    form = urllib.parse.urlencode({"username": "ann", "password": PASSWORD}).encode()
    login = urllib.request.Request(f"http://127.0.0.1:{made.servers[-1].port}/auth/login", form)
    with urllib.request.urlopen(login, timeout=30) as answer:
        header = {"Authorization": f"Bearer {json.load(answer)['access_token']}"}
    key = {"name": "load", "can_write": True}
    status, found, _ = made.servers[0].ask("/auth/keys", method="POST", body=key, headers=header)
    assert status == 201, found
    return str(found["key"])


# -- load


@dataclass
class Load:
    """Threads that write and read as fast as they are answered, until they are stopped; and what they saw."""

    machines: Machines
    answered: list[str] = field(default_factory=list)  # what was answered with 201
    failed: list[str] = field(default_factory=list)  # what was answered otherwise, or not at all
    statuses: Counter[str] = field(default_factory=Counter)
    when: list[float] = field(default_factory=list)  # of each write that was answered with 201

    @contextlib.contextmanager
    def running(self, writers: int = 2, readers: int = 2) -> Iterator[None]:
        """While this lasts there is load."""
        stop = threading.Event()
        threads = [threading.Thread(target=self._write, args=(stop, number)) for number in range(writers)]
        threads += [threading.Thread(target=self._read, args=(stop,)) for _ in range(readers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(LONGEST_SECONDS)

    def wait_for_writes(self, count: int) -> None:
        """Wait until so many more writes are answered."""
        wanted = len(self.answered) + count
        wait_until(lambda: len(self.answered) >= wanted, f"no {count} writes are answered", LONGEST_SECONDS)

    def longest_pause(self) -> float:
        """The longest time between two writes that were answered."""
        times = sorted(self.when)
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)

    def _write(self, stop: threading.Event, number: int) -> None:
        made = 0
        while not stop.is_set():
            made += 1
            word = f"writer {number}, entry {made}"
            body = {"content": word, "meta": {"visibility": "public"}}
            status = self._status("write", IDEAS, "POST", body)
            if status == 201:
                self.answered.append(word)
                self.when.append(time.monotonic())
            else:
                self.failed.append(word)
                stop.wait(0.05)

    def _read(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self._status("read", f"{IDEAS}?limit=5", "GET", None) != 200:
                stop.wait(0.05)

    def _status(self, what: str, path: str, method: str, body: object) -> int:
        try:
            status, _ = self.machines.ask(path, method=method, body=body)
        except (OSError, ValueError):
            status = 0
        self.statuses[f"{what} {status}"] += 1
        return int(status)


def contents_in(server: PostgreSQL) -> list[str]:
    """What the entries of the database on a server say, told without Daemon."""
    rows = server.execute("SELECT data FROM data_entries", "daemon")
    return [json.loads(data)["content"] for (data,) in rows]
