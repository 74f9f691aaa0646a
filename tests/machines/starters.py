"""Many servers started at once on a database that is behind. Does one upgrade it, and do all serve it then?

python -m tests.machines.starters [--times N] [--servers N] prints what was seen; the test takes one round.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.backup.catalog import list_backups
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.versions.releases import NEWEST
from tests.machines.several import server_within
from tests.postgresql import PostgreSQL, own_server
from tests.upgrade.on_either_engine import make_older

SERVERS = 8
WAIT_SECONDS = 200.0  # eight processes, perhaps on a machine that has much else to do


@dataclass
class Seen:
    """What became of a round."""

    upgrades: int  # lines of the history
    backups: int
    serving: int  # servers that answer with the newest version
    seconds: float


def start_at_once(folder: Path, url: str, count: int = SERVERS) -> Seen:
    """Start servers of one machine at once and wait until each of them serves."""
    shared = {"DATA_DIR": str(folder / "data"), "BACKUP_DIR": str(folder / "backups")}
    began = time.monotonic()
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        made = [
            server_within(WAIT_SECONDS, folder / f"server{number}", url, shared) for number in range(count)
        ]
        servers = list(pool.map(stack.enter_context, made))
        answers = [server.ask("/health")[1] for server in servers]
    settings = Settings(database_url=url, data_dir=folder / "data", backup_dir=folder / "backups")
    with storage_for(url).looking() as connection:
        steps = "SELECT count(*) FROM database_versions WHERE version = :version"
        ((upgrades,),) = connection.rows(steps, {"version": NEWEST})
    return Seen(
        upgrades,
        len([one for one in list_backups(settings) if one.purpose == "upgrade"]),
        sum(answer["database"] == {"state": "ready", "version": NEWEST} for answer in answers),
        round(time.monotonic() - began, 1),
    )


def is_right(seen: Seen, count: int = SERVERS) -> bool:
    """Whether exactly one upgraded, and every one serves."""
    return (seen.upgrades, seen.backups, seen.serving) == (1, 1, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--servers", type=int, default=SERVERS)
    asked = parser.parse_args()
    wrong = 0
    with own_server() as server:
        make_older(server.create("older"))
        for number in range(asked.times):
            with tempfile.TemporaryDirectory() as folder:
                seen = _round(server, Path(folder), asked.servers)
            wrong += not is_right(seen, asked.servers)
            print(f"round {number + 1}: {seen}", flush=True)
    print(f"{asked.times - wrong} of {asked.times} rounds as they must be")
    raise SystemExit(1 if wrong else 0)


def _round(server: PostgreSQL, folder: Path, count: int) -> Seen:
    url = server.create("behind", "older")
    try:
        return start_at_once(folder, url, count)
    finally:
        server.drop("behind")


if __name__ == "__main__":
    main()
