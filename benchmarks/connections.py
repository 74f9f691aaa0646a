"""What do 1,000 open connections cost? Rate, processor time and memory of a warm list, beside 32 connections.

python benchmarks/connections.py [--rounds N] [--seconds N] [--entries N]

Needs wrk. "Busy": each of the 1,000 asks without a pause; "idle": 1,000 have asked once and are kept, while
32 others ask. The sides take turns. The rate is bounded by whichever is slower, the server or the load
generator, so that the processor time of a request is beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from peers import Peer, daemon

MANY, FEW = 1_000, 32
RATE_BAR, MEMORY_BAR = 0.7, 200.0


def resident_megabytes(peer: Peer) -> float:
    status = Path(f"/proc/{peer.process.pid}/status").read_text()
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1e3


@contextlib.contextmanager
def kept_open(peer: Peer) -> Iterator[None]:
    """A thousand connections that have asked once and say nothing more."""
    ask = f"GET {peer.listed} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(MANY):
            connection = socket.create_connection(("127.0.0.1", peer.port), timeout=30)
            made.append(stack.enter_context(contextlib.closing(connection)))
            connection.sendall(ask)
        for connection in made:
            if not connection.recv(100).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("a connection was refused")
        yield


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=1_000)
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    sides: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        peer = daemon(Path(name), asked.entries)
        try:
            print(f"memory after the start {resident_megabytes(peer):.0f} MB", flush=True)
            for _ in range(asked.rounds):
                for side, connections in ((f"{FEW} busy", FEW), (f"{MANY} busy", MANY)):
                    found = peer.load(connections, asked.seconds)
                    sides.setdefault(side, []).append(found | {"memory": resident_megabytes(peer)})
                with kept_open(peer):
                    found = peer.load(FEW, asked.seconds)
                    side = f"{MANY} idle, {FEW} busy"
                    sides.setdefault(side, []).append(found | {"memory": resident_megabytes(peer)})
        finally:
            peer.process.terminate()
            peer.process.wait(30)
    tell(sides)
    return 0


def tell(sides: dict[str, list[dict[str, float]]]) -> None:
    """Print the medians of each side, and its rate as a part of that of the few, pair by pair."""
    few = sides[f"{FEW} busy"]
    for side, found in sides.items():
        middle = {what: statistics.median(one[what] for one in found) for what in found[0]}
        times = statistics.median(one["rate"] / least["rate"] for one, least in zip(found, few, strict=True))
        is_met = times >= RATE_BAR and middle["memory"] < MEMORY_BAR
        print(
            f"{side:20} {middle['us']:.0f} us, {middle['rate']:.0f}/s ({times:.2f} of {FEW}), p50"
            f" {middle['p50']:.1f} p99 {middle['p99']:.1f} ms, {middle['memory']:.0f} MB"
            f"   bars {RATE_BAR} and {MEMORY_BAR:.0f} MB: {'met' if is_met else 'NOT MET'}"
        )


if __name__ == "__main__":
    sys.exit(main())
