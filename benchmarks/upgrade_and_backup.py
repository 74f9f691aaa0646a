"""Do check, backup, upgrade and restore cost more than the same work by hand, and does a rebuild?

python benchmarks/upgrade_and_backup.py [--entries N] [--rounds N]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import large
from measure import Cost, python, ratio, row, run

UPGRADE_PENDING = 10
TARGET = 1.5
# What each does, in the letters of by_hand.py: b backup, i integrity check, h hashing pass, c copy back.
BY_HAND = {"check": "i", "backup": "bi", "upgrade": "bihhi", "restore": "biici"}
COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("upgrade", "check", "--json"),
    "backup": ("backup", "create"),
    "upgrade": ("upgrade", "run"),
    "restore": ("backup", "restore", "--yes"),
}


class Bench:
    """A folder with the old database, the upgraded one, and a fresh place for each round."""

    def __init__(self, folder: Path, entry_count: int) -> None:
        self.folder = folder
        self.place = folder / "place"
        self.old = folder / "old.db"
        large.make(self.old, entry_count)
        self.fresh()
        self.ours("upgrade")
        self.upgraded = folder / "upgraded.db"
        shutil.copyfile(self.place / "data/daemon.db", self.upgraded)

    def fresh(self, database: Path | None = None) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        (self.place / "data").mkdir(parents=True)
        shutil.copyfile(database or self.old, self.place / "data/daemon.db")

    def ours(self, task: str, *more: str) -> Cost:
        return run(
            python("-m", "app.cli", *COMMANDS[task], *more),
            env={
                "DATABASE_URL": f"sqlite:///{self.place}/data/daemon.db",
                "BACKUP_DIR": str(self.place / "backups"),
                "LOG_DIR": str(self.place / "logs"),
            },
            allowed=(0, UPGRADE_PENDING),
        )

    def by_hand(self, task: str) -> Cost:
        self.fresh(self.upgraded if task == "restore" else None)
        script = str(Path(__file__).with_name("by_hand.py"))
        return run(python(script, BY_HAND[task], str(self.place / "data/daemon.db"), str(self.place)))

    def check(self) -> Cost:
        self.fresh()
        return self.ours("check")

    def backup(self) -> Cost:
        self.fresh()
        return self.ours("backup")

    def upgrade(self) -> Cost:
        self.fresh()
        return self.ours("upgrade")

    def restore(self) -> Cost:
        """The backup is made before the clock runs."""
        self.fresh(self.upgraded)
        self.ours("backup")
        (made,) = (self.place / "backups").glob("backup_*.db")
        return self.ours("restore", made.name)

    def rebuild(self, how: str) -> Cost:
        self.fresh()
        script = str(Path(__file__).with_name("rebuild.py"))
        return run(python(script, how, str(self.place / "data/daemon.db")), says_seconds=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), asked.entries)
        print(f"{asked.entries} entries, {bench.old.stat().st_size / 1e6:.0f} MB, {asked.rounds} rounds")
        tasks: dict[str, Callable[[], Cost]] = {
            "check": bench.check,
            "backup": bench.backup,
            "upgrade": bench.upgrade,
            "restore": bench.restore,
        }
        for task, ours in tasks.items():
            found = ratio(ours, partial(bench.by_hand, task), asked.rounds)
            row(f"{task} / by hand ({BY_HAND[task]})", found, TARGET)
        found = ratio(partial(bench.rebuild, "ours"), partial(bench.rebuild, "raw"), asked.rounds)
        row("rebuild of data_entries / raw SQL", found, 1.1)


if __name__ == "__main__":
    main()
