"""The same work by hand: what a careful operator would do with the standard library and nothing else.

python benchmarks/by_hand.py TASK DATABASE FOLDER, where TASK is a list of letters, done in order:
  b  one online backup of the database into the folder
  i  one integrity check
  h  one hashing pass over every row of every table
  c  one online copy from the backup back into the database
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from pathlib import Path


def backup(database: Path, folder: Path) -> None:
    source, target = sqlite3.connect(database), sqlite3.connect(folder / "by_hand.db")
    source.backup(target)
    source.close()
    target.close()


def copy_back(database: Path, folder: Path) -> None:
    source, target = sqlite3.connect(folder / "by_hand.db"), sqlite3.connect(database)
    source.backup(target)
    source.close()
    target.close()


def integrity(database: Path, folder: Path) -> None:
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def hashing(database: Path, folder: Path) -> None:
    """Order-independent: the sum of one 8-byte BLAKE2b a row."""
    connection = sqlite3.connect(database)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        total = 0
        for row in connection.execute(f'SELECT * FROM "{name}"'):
            total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")
    connection.close()


TASKS = {"b": backup, "i": integrity, "h": hashing, "c": copy_back}

if __name__ == "__main__":
    for letter in sys.argv[1]:
        TASKS[letter](Path(sys.argv[2]), Path(sys.argv[3]))
