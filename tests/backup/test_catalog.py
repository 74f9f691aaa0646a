"""Does the list tell what is there, truly, and without a trace?"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.backup.catalog import Backup, find_newest_good, list_backups
from app.backup.create import create_backup
from app.backup.manifest import manifest_path
from app.settings import Settings
from tests.backup.worlds import describe, flip_byte, make_daemon, snapshot


def states(home: Settings) -> dict[str, str]:
    return {backup.name: backup.state for backup in list_backups(home, describe=describe)}


def test_no_folder_no_backups(anywhere: Settings) -> None:
    assert list_backups(anywhere) == []
    assert not anywhere.backup_dir.exists()


def test_newest_first_with_what_the_manifest_says(anywhere: Settings) -> None:
    first = create_backup(anywhere, "upgrade", describe=describe)
    second = create_backup(anywhere, describe=describe)
    listed = list_backups(anywhere)
    assert listed == [second, first]
    assert (listed[1].purpose, listed[1].version, listed[1].state) == ("upgrade", "0.1.0", "good")
    assert find_newest_good(anywhere) == second


def test_what_the_old_server_left_is_listed_as_without_manifest(home: Settings) -> None:
    home.backup_dir.mkdir()
    for name in ("daemon_backup_20250102_030405.db", "pre_restore_20250102_030406.db"):
        make_daemon(home.backup_dir / name, wal=True, version=2)
    listed = list_backups(home, describe=describe)
    assert [backup.name for backup in listed] == [
        "pre_restore_20250102_030406.db",
        "daemon_backup_20250102_030405.db",
    ]
    for backup in listed:
        assert (backup.state, backup.note, backup.version) == ("unproved", "without manifest", "0.2.0")
        assert backup.manifest is None
    local = datetime(2025, 1, 2, 3, 4, 5).astimezone(UTC)
    assert listed[1].created_at == local


def test_tells_the_damaged_and_the_foreign(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    flipped = create_backup(home, describe=describe)
    flip_byte(flipped.path, 5000)
    cut = create_backup(home, describe=describe)
    cut.path.write_bytes(cut.path.read_bytes()[:8192])
    edited = create_backup(home, describe=describe)
    manifest = manifest_path(edited.path)
    manifest.write_text(manifest.read_text().replace('"0.1.0"', '"0.3.0"'))
    folder = home.backup_dir
    (folder / "text.db").write_text("hello")
    (folder / "empty.db").write_bytes(b"")
    shutil.copyfile(cut.path, folder / "cut_copy.db")
    with contextlib.closing(sqlite3.connect(folder / "recipes.db")) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    (folder / "link.db").symlink_to(made.path)
    make_daemon(folder / "my_copy.sqlite")
    (folder / "notes.txt").write_text("hello")
    assert states(home) == {
        made.name: "good",
        flipped.name: "damaged",
        cut.name: "damaged",
        edited.name: "damaged",
        "text.db": "foreign",
        "empty.db": "foreign",
        "cut_copy.db": "damaged",
        "recipes.db": "foreign",
        "link.db": "foreign",
        "my_copy.sqlite": "unproved",
    }


def test_listing_leaves_no_trace(home: Settings, tmp_path: Path) -> None:
    create_backup(home, describe=describe)
    make_daemon(home.backup_dir / "daemon_backup_20250102_030405.db", wal=True)
    with contextlib.closing(sqlite3.connect(home.backup_dir / "open.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE users (id)")
        before = snapshot(tmp_path)
        list_backups(home, describe=describe)
        list_backups(home, hashing=False)
        assert snapshot(tmp_path) == before


def test_the_live_database_in_the_same_folder_is_no_backup(home: Settings) -> None:
    home = replace(home, backup_dir=home.data_dir)
    made = create_backup(home, describe=describe)
    os.link(home.database_path, home.data_dir / "second_name.db")
    assert [backup.name for backup in list_backups(home)] == [made.name]


def test_the_newest_good_one_is_found_by_reading_no_more_than_it_takes(anywhere: Settings) -> None:
    assert find_newest_good(anywhere) is None
    first = create_backup(anywhere, describe=describe)
    second = create_backup(anywhere, describe=describe)
    assert find_newest_good(anywhere) == second
    flip_byte(second.path, 5000)
    assert find_newest_good(anywhere) == first
    flip_byte(first.path, 5000)
    assert find_newest_good(anywhere) is None


def test_without_hashing_nothing_is_called_good(anywhere: Settings) -> None:
    create_backup(anywhere, describe=describe)
    assert [backup.state for backup in list_backups(anywhere, hashing=False)] == ["unproved"]


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"format": 99, "manifest_sha256": ""}'])
def test_json_of_somebody_else_is_no_manifest(anywhere: Settings, text: bytes) -> None:
    made = create_backup(anywhere, describe=describe)
    manifest_path(made.path).write_bytes(text)
    (listed,) = list_backups(anywhere)
    assert (listed.state, listed.manifest) == ("unproved", None)


def test_every_byte_of_a_manifest_counts(anywhere: Settings) -> None:
    made = create_backup(anywhere, describe=describe)
    path = manifest_path(made.path)
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        flip_byte(path, at)
        (listed,) = list_backups(anywhere)
        assert not _is_trusted_as_something_else(listed, made), content[at : at + 20]
        path.write_bytes(content)


def _is_trusted_as_something_else(listed: Backup, made: Backup) -> bool:
    """A manifest with a changed byte is refused, unless the change means nothing (in blanks, in the name)."""
    if listed.state != "good" or listed.manifest is None or made.manifest is None:
        return False
    return replace(listed.manifest, file="") != replace(made.manifest, file="")
