"""What does a request cost under another Python? A warm list and a POST, beside the Python that runs this.

python benchmarks/pythons.py INTERPRETER ... [--rounds N] [--seconds N]

Each must have the packages of requirements.txt (`python3.13 -m venv V; V/bin/pip install -r ...`).
Needs wrk. Processor time of the server for each request; the servers take turns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from connections import resident_megabytes
from peers import Peer, daemon, posting, renewing

ENTRIES = 2_000


def version_of(interpreter: str) -> str:
    said = subprocess.run(
        [interpreter, "-c", "import sys; print(sys.version.split()[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def measure(peer: Peer, seconds: int) -> dict[str, float]:
    """One round: microseconds for each request."""
    return {
        "warm list of 20, 16 connections": peer.load(16, seconds)["us"],
        "list of 50, every address new, 4": peer.load(4, seconds, renewing(peer))["us"],
        "POST of 200 characters, 8": peer.load(8, seconds, posting(peer))["us"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("interpreters", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        running: list[tuple[str, Peer]] = []
        try:
            for interpreter in (sys.executable, *asked.interpreters):
                version = version_of(interpreter)
                folder = Path(name) / f"{len(running)}"
                folder.mkdir()
                running.append((version, daemon(folder, ENTRIES, interpreter)))
            tell(running, asked.rounds, asked.seconds)
        finally:
            for _, peer in running:
                peer.process.terminate()
                peer.process.wait(30)
    return 0


def tell(running: list[tuple[str, Peer]], rounds: int, seconds: int) -> None:
    """Measure in turns, and print each Python as a multiple of the first, pair by pair."""
    found: list[dict[str, list[float]]] = [{} for _ in running]
    for _ in range(rounds):
        for at, (_, peer) in enumerate(running):
            for what, cost in measure(peer, seconds).items():
                found[at].setdefault(what, []).append(cost)
    for what, first in found[0].items():
        said = []
        for (version, _), figures in zip(running, found, strict=True):
            times = statistics.median(one / of for one, of in zip(figures[what], first, strict=True))
            said.append(f"{version}: {statistics.median(figures[what]):.0f} us ({times:.2f})")
        print(f"{what:34} " + "; ".join(said), flush=True)
    memory = "; ".join(f"{version}: {resident_megabytes(peer):.0f} MB" for version, peer in running)
    print(f"{'memory afterwards':34} {memory}")


if __name__ == "__main__":
    sys.exit(main())
