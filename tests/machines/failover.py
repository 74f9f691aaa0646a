"""Failover by hand. What becomes of requests when the primary is killed and its standby is promoted?

python -m tests.machines.failover [--seconds N] [--times N] prints what was seen; the test takes one round.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.machines.several import IDEAS, Load, Machines, contents_in, server_in, serving
from tests.postgresql import PostgreSQL
from tests.replication import make_synchronous, promote, replicated
from tests.web.conftest import Server, wait_until


@dataclass
class Seen:
    """What one failover did to those who asked."""

    answered: int
    lost: list[str]  # answered with 201, and not in the database of the new primary
    unanswered_but_there: int
    statuses: Counter[str]
    pause_seconds: float  # the longest time between two writes that were answered
    written_to_the_old: int  # after it had come back, also by a server that was started again
    alone: tuple[int, int]  # statuses of a write and a read while the old primary alone is there

    def __str__(self) -> str:
        failed = {
            name: count for name, count in self.statuses.items() if name not in ("write 201", "read 200")
        }
        return (
            f"{self.answered} writes answered, {len(self.lost)} of them lost,"
            f" {self.pause_seconds:.1f} s without one; failed: {failed} of {self.statuses.total()} requests;"
            f" {self.unanswered_but_there} of the failed writes are there all the same;"
            f" {self.written_to_the_old} entries written to the old primary when it was back;"
            f" while it was alone there, a write and a read were answered with {self.alone}"
        )


def fail_over(folder: Path, primary: PostgreSQL, standby: PostgreSQL, seconds: float) -> Seen:
    """Serve under load, kill the primary, promote the standby, let the old primary come back."""
    with serving(folder, primary, standby) as machines:
        make_synchronous(primary)
        load = Load(machines)
        with load.running():
            load.wait_for_writes(20)
            time.sleep(seconds)
            primary.stop("immediate")
            promote(standby)
            load.wait_for_writes(20)
            primary.start()
            before = len(contents_in(primary))
            load.wait_for_writes(20)
            time.sleep(seconds)
        with server_in(folder / "machine0", machines.url) as again:  # another process of that machine
            write_at(machines, again)
        written = len(contents_in(primary)) - before
        standby.stop("immediate")
        wait_until(lambda: machines.ask(f"{IDEAS}?limit=3")[0] != 200, "what the old primary has is told")
        alone = write_at(machines)[0], machines.ask(f"{IDEAS}?limit=4")[0]
        standby.start()
    there = Counter(contents_in(standby))
    return Seen(
        answered=len(load.answered),
        lost=[word for word in load.answered if there[word] != 1],
        unanswered_but_there=sum(there[word] for word in load.failed),
        statuses=load.statuses,
        pause_seconds=load.longest_pause(),
        written_to_the_old=written,
        alone=alone,
    )


def write_at(machines: Machines, server: Server | None = None) -> Any:
    """Status and body of a write, at nginx or at one of the servers."""
    body = {"content": "one more", "meta": {"visibility": "public"}}
    return machines.ask(IDEAS, method="POST", body=body, server=server)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of load before and after each")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    for number in range(asked.times):
        with tempfile.TemporaryDirectory() as folder, replicated() as (primary, standby):
            print(
                f"failover {number + 1}: {fail_over(Path(folder), primary, standby, asked.seconds)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
