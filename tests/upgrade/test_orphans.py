"""Are orphans repaired without loss, and is a failure anywhere on the way no repair at all?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.errors import Refused
from app.journal import read_journal
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.legacy import orphans
from app.upgrade.operations import repair_orphans
from app.upgrade.operations.repair_orphans import find_repairs, run_orphan_repair
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.places import execute

Old = Callable[[str], Path]


@pytest.fixture
def place(old: Old, settings: Settings) -> Path:
    """A database at the newest version, with orphans of every sort."""
    path = old("layout_b")
    assert run_upgrade(settings).state == "done"
    execute(
        path, "CREATE TABLE notes (id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES data_entries (id), t)"
    )
    execute(path, "INSERT INTO notes VALUES (1, 987654, X'00ff'), (2, NULL, 1.5)")
    execute(
        path, "UPDATE data_entries SET created_by_id = 4711 WHERE id IN (SELECT id FROM data_entries LIMIT 2)"
    )
    execute(path, "UPDATE data_entries SET endpoint_id = 815 WHERE id = (SELECT max(id) FROM data_entries)")
    execute(path, "UPDATE api_keys SET user_id = 'ann' WHERE id = (SELECT min(id) FROM api_keys)")
    return path


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: rows(path, f'SELECT * FROM "{table}" ORDER BY 1') for table in tables}


def test_what_would_become_of_each_is_told_and_nothing_is_written(place: Path, settings: Settings) -> None:
    before = place.read_bytes()
    found = {(one.table, one.action, one.parent_id) for one in find_repairs(settings)}
    assert found == {
        ("data_entries", "comes back", 4711),
        ("data_entries", "comes back", 815),
        ("api_keys", "is moved", None),
        ("notes", "is moved", None),
    }
    assert place.read_bytes() == before


def test_no_row_is_lost_and_no_key_leads_nowhere(place: Path, settings: Settings) -> None:
    before = everything(place)
    outcome = run_orphan_repair(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    after = everything(place)
    assert rows(place, "PRAGMA foreign_key_check") == []
    assert after["data_entries"] == before["data_entries"]
    assert after["notes"] == [(2, None, 1.5)]
    assert rows(place, "SELECT username, is_active, is_admin FROM users WHERE id = 4711") == [
        ("missing_4711", 0, 0)
    ]
    assert rows(place, "SELECT name, is_active, is_public FROM endpoints WHERE id = 815") == [
        ("missing_815", 0, 0)
    ]
    kept = rows(
        place,
        "SELECT column_name, value, value_type FROM kept_values"
        " WHERE table_name = 'notes' AND row_key = '1' ORDER BY id",
    )
    assert kept == [("id", 1, "integer"), ("entry_id", 987654, "integer"), ("t", b"\x00\xff", "blob")]
    (key,) = set(before["api_keys"]) - set(after["api_keys"])
    moved = rows(place, "SELECT value FROM kept_values WHERE table_name = 'api_keys' ORDER BY id")
    assert tuple(value for (value,) in moved)[-len(key) :] == key
    assert [line.event for line in read_journal(settings)][-1] == "repaired"
    assert run_orphan_repair(settings).state == "nothing_to_do"


def test_the_backup_takes_it_back(place: Path, settings: Settings) -> None:
    before = everything(place)
    backup = run_orphan_repair(settings).backup
    assert backup is not None
    restore_and_hold(settings, backup)
    assert everything(place) == before


def test_what_comes_back_takes_no_name_that_is_taken(place: Path, settings: Settings) -> None:
    execute(place, "UPDATE users SET username = 'missing_4711' WHERE id = 1")
    assert run_orphan_repair(settings).state == "done"
    assert rows(place, "SELECT username FROM users WHERE id = 4711") == [("missing_4711_2",)]


@pytest.mark.parametrize("fault", ["apply_repairs", "_faults", "_bring_back", "_move"])
def test_a_failure_leaves_everything_as_it_was(
    fault: str, place: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(place)

    def broken(*_: object) -> list[str]:
        raise Refused("planted")

    monkeypatch.setattr(orphans if fault in ("_bring_back", "_move") else repair_orphans, fault, broken)
    outcome = run_orphan_repair(settings)
    assert outcome.exit_code != 0
    assert "planted" in outcome.message
    assert everything(place) == before


def test_a_row_that_was_lost_on_the_way_is_found_before_the_commit(
    place: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(place)
    real = orphans.apply_repairs

    def and_more(migration: Any, repairs: Any) -> None:
        real(migration, repairs)
        migration.execute("DELETE FROM notes WHERE id = 2")

    monkeypatch.setattr(repair_orphans, "apply_repairs", and_more)
    outcome = run_orphan_repair(settings)
    assert outcome.exit_code == 1
    assert "notes" in outcome.message
    assert everything(place) == before


def test_an_old_database_is_upgraded_first(old: Old, settings: Settings) -> None:
    old("orphans")
    outcome = run_orphan_repair(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert "daemon upgrade check" in outcome.hint
    assert run_upgrade(settings).state == "done"
    assert run_orphan_repair(settings).state == "done"
    with storage_for(settings.database_url).looking() as connection:
        assert connection.orphans_count() == 0


def test_what_stands_in_the_way_of_an_upgrade_stands_in_its_way(place: Path, settings: Settings) -> None:
    os.link(place, place.with_name("second.db"))
    before = place.read_bytes()
    outcome = run_orphan_repair(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert "2 names" in outcome.message
    assert place.read_bytes() == before
    place.with_name("second.db").unlink()
    assert run_orphan_repair(settings).state == "done"
