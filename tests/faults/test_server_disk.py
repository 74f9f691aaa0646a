"""Disk full of a PostgreSQL server. Is all that was answered there, and nothing half?"""

from __future__ import annotations

import random
from pathlib import Path
from string import ascii_lowercase

import pytest
import sqlalchemy

from app.database import Database, open_database
from app.entries import write
from app.errors import DaemonError
from tests.faults.server_operations import ANN, Seen, contents, judge_writes, prepare_served, settings_of
from tests.faults.small_disk import fill, go_on, small_disk
from tests.postgresql import own_server

pytestmark = pytest.mark.needs("postgresql", "root")

MOST = 600
LENGTH = 16_000  # which no compression makes short
LEFT_BYTES = 1_000_000


def written(database: Database, number: int) -> int:
    with database.writing() as connection:
        content = {"content": "".join(random.Random(number).choices(f"{ascii_lowercase}    ", k=LENGTH))}
        return write.create(connection, ANN, "ideas", content).id


def test_a_full_disk_leaves_the_whole_of_what_was_said_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(160) as disk, own_server("max_wal_size=32MB", parent=disk) as server:
        url = server.create("small")
        prepare_served(url, tmp_path)
        before = contents(url)
        database = open_database(settings_of(url, tmp_path))
        filler = fill(disk, LEFT_BYTES)
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
        seen = Seen(before, contents(url), "\n".join(said), tmp_path, url)
        assert judge_writes(seen) in ("old", "new")
