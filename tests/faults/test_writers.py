"""Does the judge of killed writers see what must not be: a lost answer, half a write, a part of nothing?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import writers
from tests.faults.operations import DATABASE
from tests.faults.sweep import Sweep

pytestmark = pytest.mark.needs("strace")

ONE = "(SELECT min(id) FROM data_entries)"
LOSSES = {
    "an entry": f"DELETE FROM data_entries WHERE id = {ONE}",
    "a change": "UPDATE data_entries SET data = replace(data, 'changed', 'made')",
    "a deletion": "UPDATE data_entries SET is_active = 1",
    "its audit": f"DELETE FROM audit_logs WHERE table_name = 'data_entries' AND record_id = {ONE}",
    "its findings": f"DELETE FROM text_findings WHERE entry_id = {ONE}",
    "the findings of another text": f"UPDATE text_findings SET content_hash = 'x' WHERE entry_id = {ONE}",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was written to by a server, and what it answered beside it."""
    running = Sweep("serve", tmp_path_factory.mktemp("served") / "sweep")
    try:
        running.points()
    finally:
        running.close()
    return running.work / "point" / DATABASE


def copied(served: Path, tmp_path: Path) -> Path:
    database = tmp_path / DATABASE
    database.parent.mkdir()
    with closing(sqlite3.connect(served)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)
    for told in served.parents[1].glob("*" + writers.TOLD):
        (tmp_path / told.name).write_bytes(told.read_bytes())
    return database


def test_what_is_whole_is_new(served: Path, tmp_path: Path) -> None:
    assert writers.judge(copied(served, tmp_path)) == "new"


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_loss_is_seen(served: Path, tmp_path: Path, loss: str) -> None:
    database = copied(served, tmp_path)
    with closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute(loss).rowcount > 0
    assert writers.judge(database) not in ("old", "new")


def test_what_was_on_its_way_may_be_there_or_not(served: Path, tmp_path: Path) -> None:
    database = copied(served, tmp_path)
    (told,) = tmp_path.glob("*" + writers.TOLD)
    said = json.loads(told.read_text())
    name = next(iter(said["states"]))
    said["states"][name] = [writers.ABSENT, *said["states"][name]]
    told.write_text(json.dumps(said | {"is_complete": False}))
    assert writers.judge(database) == "old"
