"""What do connections that ask nothing do to those that ask something?

python benchmarks/holding.py [--rounds N] [--seconds N]

The 99th percentile of /health on a new connection, asked a hundred times a second whatever the answers take,
while 1,100 connections are silent, 50 heads and 50 bodies come a byte at a time and 10 heads never end
(silent.py, a process of its own), beside that of the same server left alone; both take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import TOP, python, run
from serving import Server, cpu_seconds, free_port

ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
EVERY_SECONDS = 0.01
MOST_TIMES = 5.0


@contextlib.contextmanager
def served() -> Iterator[Server]:
    """A fresh installation, served."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {
            "DATABASE_URL": f"sqlite:///{folder / 'data/daemon.db'}",
            "BACKUP_DIR": str(folder / "backups"),
            "LOG_DIR": str(folder / "logs"),
            "BACKUP_ENABLED": "false",
            **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
        }
        run(python("-m", "app.cli", "init"), env=env)
        port = free_port()
        command = python("-m", "app.cli", "serve", "--port", str(port))
        server = Server("daemon", command, port, env, "/health")
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def silenced(port: int) -> Iterator[None]:
    """All the connections that ask nothing, open."""
    process = subprocess.Popen(
        python("benchmarks/silent.py", str(port)), cwd=TOP, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("silent.py did not come up")
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


async def ask_once(port: int) -> float:
    """Seconds until one whole answer; an answer that is not 200 is an error."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASK)
    answer = await reader.read()
    took = loop.time() - began
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"/health answered {answer[:40]!r}")
    return took


async def ask_for(port: int, seconds: float) -> list[float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked: list[asyncio.Task[float]] = []
    for number in range(int(seconds / EVERY_SECONDS)):
        await asyncio.sleep(max(0.0, began + number * EVERY_SECONDS - loop.time()))
        asked.append(asyncio.create_task(ask_once(port)))
    return list(await asyncio.gather(*asked))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.0, help="longer than a head has time")
    asked = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    idle, held = Side("left alone"), Side("held")
    with served() as server:
        for _ in range(asked.rounds):
            idle.ask(server, asked.seconds)
            with silenced(server.port):
                held.ask(server, asked.seconds)
    print(f"{asked.rounds} rounds of {asked.seconds:g} s each, {int(asked.seconds / EVERY_SECONDS)} requests")
    for side in (idle, held):
        side.tell()
    times = statistics.median(b / a for a, b in zip(idle.p99, held.p99, strict=True))
    print(f"held / alone {times:.2f}   target {MOST_TIMES:g}   {'met' if times <= MOST_TIMES else 'NOT MET'}")
    return 0


class Side:
    """What one of the two was measured to do, a figure for each round."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.p50: list[float] = []
        self.p99: list[float] = []
        self.busy: list[float] = []

    def ask(self, server: Server, seconds: float) -> None:
        """One round: milliseconds, and the part of a processor that the server took."""
        before = cpu_seconds(server.process.pid)
        found = asyncio.run(ask_for(server.port, seconds))
        self.busy.append((cpu_seconds(server.process.pid) - before) / seconds)
        self.p50.append(statistics.median(found) * 1000)
        self.p99.append(statistics.quantiles(found, n=100)[98] * 1000)

    def tell(self) -> None:
        """Print medians, and every round's 99th percentile: a busy machine shows there."""
        each = " ".join(f"{found:.1f}" for found in self.p99)
        p50, p99, busy = (statistics.median(found) for found in (self.p50, self.p99, self.busy))
        print(f"{self.name:10} p50 {p50:.2f} ms   p99 {p99:.1f} ms ({each})   processor {busy:.1%}")


if __name__ == "__main__":
    sys.exit(main())
