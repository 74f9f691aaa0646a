"""Disk full of a PostgreSQL server. Is all that was answered there, and nothing half?"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase

import psycopg
import pytest
import sqlalchemy

from app.database import Database, open_database
from app.entries import write
from app.errors import DaemonError
from tests.faults.server_operations import ANN, contents, judge_writes, prepare_served, settings_of
from tests.postgresql import PostgreSQL, own_server

pytestmark = pytest.mark.needs("postgresql", "root")

MOST = 600
LENGTH = 16_000  # which no compression makes short
LEFT_BYTES = 1_000_000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 160 MB that is in memory."""
    folder = Path(tempfile.mkdtemp(prefix="daemon-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=1777", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


def written(database: Database, number: int) -> int:
    with database.writing() as connection:
        content = {"content": "".join(random.Random(number).choices(f"{ascii_lowercase}    ", k=LENGTH))}
        return write.create(connection, ANN, "ideas", content).id


def test_a_full_disk_leaves_the_whole_of_what_was_said_and_nothing_else(
    small_disk: Path, tmp_path: Path
) -> None:
    with own_server("max_wal_size=32MB", parent=small_disk) as server:
        url = server.create("small")
        prepare_served(url, tmp_path)
        before = contents(url)
        database = open_database(settings_of(url, tmp_path))
        filler = fill(small_disk, LEFT_BYTES)
        said, refusal = [], None
        for number in range(MOST):
            try:
                said.append(f"written {written(database, number)}")
            except (DaemonError, sqlalchemy.exc.DBAPIError) as error:
                refusal = error
                break
        assert isinstance(refusal, DaemonError), refusal
        filler.unlink()
        go_on(server)
        said.append(f"written {written(database, MOST)}")
        database.close()
        assert judge_writes(before, contents(url), "\n".join(said), tmp_path) in ("old", "new")


def fill(disk: Path, left_bytes: int) -> Path:
    """Leave only so much room on the disk."""
    status = os.statvfs(disk)
    path = disk / "filler"
    taken = status.f_bavail * status.f_frsize - left_bytes
    subprocess.run(["fallocate", "-l", str(taken), path], check=True)
    return path


def go_on(server: PostgreSQL) -> None:
    """Start the server where it has given up, as a service manager does."""
    try:
        server.execute("SELECT 1")
    except psycopg.OperationalError:
        server.start()
