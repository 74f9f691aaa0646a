"""What does an anonymous list cost the server, beside a bare ASGI function and nginx?

python benchmarks/serving.py [--rounds N] [--seconds N]    (needs wrk and nginx)

Microseconds of server processor time per request (user + system of all its processes), which a noisy machine
disturbs least; the three take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import large
from measure import TOP, python, run

PATH = "/api/v1/ideas?limit=20"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children that are still there."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = sum(cpu_seconds(int(child)) for child in children)
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return total + (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Server:
    """A server process that listens on a port of its own."""

    def __init__(
        self, name: str, command: list[str], port: int, env: dict[str, str], path: str = PATH
    ) -> None:
        self.name, self.port, self.path = name, port, path
        self.figures: list[float] = []
        self.process = subprocess.Popen(
            command, cwd=TOP, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.body = self.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def wait(self) -> bytes:
        end = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    return bytes(answer.read())
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def load(self, seconds: int) -> None:
        """One round: microseconds of processor time per request."""
        before = cpu_seconds(self.process.pid)
        said = subprocess.run(
            ["wrk", "-t1", "-c16", f"-d{seconds}s", self.url], capture_output=True, text=True, check=True
        ).stdout
        if "Non-2xx" in said:
            raise RuntimeError(f"{self.name} refused requests: {said}")
        found = re.search(r"(\d+) requests in", said)
        assert found is not None
        self.figures.append((cpu_seconds(self.process.pid) - before) * 1e6 / int(found[1]))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def daemon(folder: Path) -> Server:
    """A served, upgraded database with 1,000 entries; its first user's ideas are what is asked for."""
    database = folder / "data/daemon.db"
    database.parent.mkdir()
    large.make(database, 1_000)
    env = {
        "DATABASE_URL": f"sqlite:///{database}",
        "BACKUP_DIR": str(folder / "backups"),
        "LOG_DIR": str(folder / "logs"),
        "BACKUP_ENABLED": "false",
        **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
    }
    run(python("-m", "app.cli", "upgrade", "run"), env=env)
    port = free_port()
    return Server("daemon", python("-m", "app.cli", "serve", "--port", str(port)), port, env)


def bare(folder: Path, body: bytes) -> Server:
    (folder / "body.json").write_bytes(body)
    port = free_port()
    command = python(
        "-m", "uvicorn", "bare:app", "--app-dir", "benchmarks", "--port", str(port), "--no-access-log"
    )
    return Server("bare ASGI", command, port, {"BARE_BODY": str(folder / "body.json")}, "/")


def nginx(folder: Path, body: bytes) -> Server:
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www/body.json").write_bytes(body)
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}\n"
    )
    return Server("nginx", ["nginx", "-c", str(folder / "nginx.conf")], port, {}, "/body.json")


@contextlib.contextmanager
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            started.append(daemon(folder))
            started.append(bare(folder, started[0].body))
            if shutil.which("nginx"):
                started.append(nginx(folder, started[0].body))
            yield started
        finally:
            for server in started:
                server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        print("wrk is not here: apt-get install wrk", file=sys.stderr)
        return 2
    with servers() as started:
        for _ in range(asked.rounds):
            for server in started:
                server.load(asked.seconds)
        ours = statistics.median(started[0].figures)
        print(f"{len(started[0].body)} bytes, {asked.rounds} rounds of {asked.seconds} s, 16 connections")
        for server in started:
            middle = statistics.median(server.figures)
            spread = f"{min(server.figures):.1f} to {max(server.figures):.1f}"
            print(
                f"{server.name:10} {middle:7.1f} us/request ({spread})   daemon / this: {ours / middle:.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
