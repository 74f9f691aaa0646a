"""Is a backup whole, checked, private and consistent, no matter who writes meanwhile?"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app import clock
from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.backup.manifest import manifest_path, read_manifest
from app.backup.verify import prove_backup
from app.errors import Busy, Damaged, Refused, UnknownDatabase
from app.journal import JOURNAL_NAME
from app.progress import Event, OnPages
from app.settings import Settings
from app.storage.sqlite.storage import SQLiteStorage
from tests.backup.worlds import (
    add_entries,
    contents,
    describe,
    leave_a_hot_journal,
    leave_a_log,
    make_daemon,
    spoil_a_page,
    start_python,
    write_more,
)
from tests.conftest import SettingsIn
from tests.databases import Databases, outside


def names_in(folder: Path) -> list[str]:
    """What is in the backup folder beside the journal."""
    return sorted(path.name for path in folder.iterdir() if path.name != JOURNAL_NAME)


def test_holds_every_row_and_says_what_it_holds(home_in_either_mode: Settings) -> None:
    home = home_in_either_mode
    before = home.database_path.read_bytes()
    made = create_backup(home, "upgrade", describe=describe)
    assert made.name == f"backup_{clock.stamp(made.created_at)}.db"
    assert abs(clock.now() - made.created_at) < timedelta(seconds=60)
    assert contents(made.path) == contents(home.database_path)
    assert home.database_path.read_bytes() == before
    manifest = read_manifest(manifest_path(made.path))
    assert manifest is not None
    assert manifest == made.manifest
    assert manifest.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert manifest.size_bytes == made.path.stat().st_size
    assert manifest.rows == {"users": 2, "endpoints": 1, "data_entries": 51, "owner's table": 0}
    assert (manifest.version, manifest.fingerprint) == ("0.1.0", "f1")
    assert (manifest.purpose, manifest.page_size) == ("upgrade", 4096)
    assert manifest.database == str(home.database_path)


def test_a_table_of_the_owners_that_is_called_as_the_ledger_is_backed_up_too(home: Settings) -> None:
    with contextlib.closing(sqlite3.connect(home.database_path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS erasures")
        connection.execute("CREATE TABLE erasures (pencil TEXT)")
        connection.execute("INSERT INTO erasures VALUES ('soft')")
    made = create_backup(home, "manual", describe=describe)
    assert contents(made.path) == contents(home.database_path)
    manifest = read_manifest(manifest_path(made.path))
    assert manifest is not None
    assert manifest.erased == ()


def test_needs_no_sibling_and_remembers_the_journal_mode(home_in_either_mode: Settings) -> None:
    made = create_backup(home_in_either_mode, describe=describe)
    assert made.path.read_bytes()[18:20] == b"\x01\x01"
    with contextlib.closing(
        sqlite3.connect(f"file:{home_in_either_mode.database_path}?mode=ro", uri=True)
    ) as live:
        mode = live.execute("PRAGMA journal_mode").fetchone()[0]
    assert made.manifest is not None
    assert made.manifest.journal_mode == mode
    names = names_in(home_in_either_mode.backup_dir)
    assert names == [made.name, made.name + ".json"]


def test_what_is_still_in_the_write_ahead_log_is_in_the_backup(home: Settings) -> None:
    """The old server copied the main file: 563 rows live, 63 in its backup."""
    make = home.database_path
    make.unlink()
    make_daemon(make, entries=62, wal=True)
    with contextlib.closing(sqlite3.connect(make, isolation_level=None)) as server:
        server.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        add_entries(server, 500)
        plain_copy = make.with_name("plain_copy.db")
        shutil.copyfile(make, plain_copy)
        with contextlib.closing(sqlite3.connect(plain_copy)) as copied:
            assert copied.execute("SELECT count(*) FROM data_entries").fetchone() == (63,)
            assert copied.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        made = create_backup(home, describe=describe)
    assert made.manifest is not None
    assert made.manifest.rows["data_entries"] == 563
    assert len(contents(made.path)["data_entries"]) == 563


def test_works_while_another_holds_the_write_lock(home_in_either_mode: Settings) -> None:
    home = home_in_either_mode
    before = contents(home.database_path)
    with contextlib.closing(sqlite3.connect(home.database_path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM data_entries")
        made = create_backup(home, describe=describe)
        writer.execute("ROLLBACK")
    assert contents(made.path) == before


@pytest.mark.parametrize("leave", [leave_a_log, leave_a_hot_journal])
def test_what_a_crash_left_beside_the_database_is_heeded(
    home: Settings, leave: Callable[[Path], Path]
) -> None:
    leave(home.database_path)
    before = contents(home.database_path)
    made = create_backup(home, describe=describe)
    assert contents(made.path) == before
    assert contents(home.database_path) == before


TRY_TO_WRITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
try:
    connection.execute("BEGIN IMMEDIATE")
    print("got in")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_the_locks_of_the_own_process_outlive_a_backup(home_in_either_mode: Settings) -> None:
    """Closing a plain descriptor of the live file would drop the lock of an upgrade in this process."""
    home = home_in_either_mode
    with contextlib.closing(sqlite3.connect(home.database_path, isolation_level=None)) as upgrade:
        upgrade.execute("BEGIN IMMEDIATE")
        create_backup(home, describe=describe)
        list_backups(home, describe=describe)
        answer, _ = start_python(TRY_TO_WRITE, home.database_path).communicate(timeout=30)
        assert answer.strip() == "database is locked"


WRITE_ON_AND_ON = """
import random, sqlite3, sys
chance = random.Random(int(sys.argv[2]))
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
count = 0
print("ready", flush=True)
while True:
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(chance.randrange(1, 6)):
        count += 1
        text = "y" * chance.randrange(0, 5000)
        connection.execute("INSERT INTO entries VALUES (?, ?)", (count, text))
        connection.execute("UPDATE totals SET entries = entries + 1, letters = letters + ?", (len(text),))
    if chance.random() < 0.3:
        row = connection.execute("SELECT id, length(text) FROM entries ORDER BY random() LIMIT 1").fetchone()
        connection.execute("DELETE FROM entries WHERE id = ?", (row[0],))
        connection.execute("UPDATE totals SET entries = entries - 1, letters = letters - ?", (row[1],))
    connection.execute("COMMIT")
"""


@pytest.mark.parametrize("seed", range(3))
def test_is_one_moment_of_a_database_that_is_being_written(home_in_either_mode: Settings, seed: int) -> None:
    home = home_in_either_mode
    with contextlib.closing(sqlite3.connect(home.database_path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, text)")
        connection.execute("CREATE TABLE totals (entries, letters)")
        connection.execute("INSERT INTO totals VALUES (0, 0)")
    writer = start_python(WRITE_ON_AND_ON, home.database_path, seed)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        seen = []
        for _ in range(6):
            made = create_backup(home, describe=describe)
            with contextlib.closing(sqlite3.connect(made.path)) as backup:
                totals = backup.execute("SELECT entries, letters FROM totals").fetchone()
                counted = backup.execute(
                    "SELECT count(*), ifnull(sum(length(text)), 0) FROM entries"
                ).fetchone()
                assert totals == counted
                assert made.manifest is not None
                assert made.manifest.rows["entries"] == counted[0]
                seen.append(backup.execute("SELECT ifnull(max(id), 0) FROM entries").fetchone()[0])
            assert writer.poll() is None
        assert seen == sorted(seen)
        assert seen[-1] > seen[0]
    finally:
        writer.kill()
        writer.communicate()


CREATE = """
import sys
from dataclasses import replace
from pathlib import Path
from app.backup.create import create_backup
from app.settings import Settings
from app.progress import OnPages

from app.storage.sqlite.storage import SQLiteStorage
from tests.backup.worlds import describe
folder = Path(sys.argv[1])
settings = Settings(database_url=f"sqlite:///{folder}/data/daemon.db", backup_dir=folder / "backups")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    print(create_backup(settings, describe=describe).name, flush=True)
"""


def test_two_in_one_second_never_share_a_name(home: Settings) -> None:
    folder = home.data_dir.parent
    processes = [start_python(CREATE, folder, 6) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    names = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        names += said.split()
    assert len(names) == len(set(names)) == 24
    listed = list_backups(home)
    assert {backup.name for backup in listed} == set(names)
    assert {backup.state for backup in listed} == {"good"}
    assert len(names_in(home.backup_dir)) == 48


OF_FILES = [pytest.param(beside, marks=pytest.mark.only_on("sqlite")) for beside in ("-wal", "-journal")]


@pytest.mark.parametrize("there", ["", ".json", *OF_FILES])
def test_takes_no_name_beside_which_something_lies(
    anywhere: Settings, ending: str, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    moment = clock.now().replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: moment)
    anywhere.backup_dir.mkdir()
    stranger = anywhere.backup_dir / f"backup_{clock.stamp(moment)}{ending}{there}"
    stranger.write_text("someone's own")
    made = create_backup(anywhere, describe=describe)
    assert made.name == f"backup_{clock.stamp(moment)}_2{ending}"
    assert stranger.read_text() == "someone's own"
    assert prove_backup(anywhere, made.name, describe=describe).contents.rows["data_entries"] >= 50


def test_is_readable_by_its_owner_only(anywhere: Settings) -> None:
    os.umask(0)
    made = create_backup(anywhere, describe=describe)
    for path in (made.path, manifest_path(made.path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(anywhere.backup_dir.stat().st_mode) == 0o700


@pytest.mark.needs("root")
def test_made_as_root_it_belongs_to_the_owner_of_the_folder(home: Settings) -> None:
    home.backup_dir.mkdir()
    os.chown(home.backup_dir, 54321, 54322)
    made = create_backup(home, describe=describe)
    for path in (made.path, manifest_path(made.path)):
        assert (path.stat().st_uid, path.stat().st_gid) == (54321, 54322)


CREATE_AND_HANG = """
import sys, time
from pathlib import Path
from app.backup.create import create_backup
from app.settings import Settings
from app.progress import OnPages

from app.storage.sqlite.storage import SQLiteStorage
from tests.backup.worlds import describe
folder = Path(sys.argv[1])
settings = Settings(database_url=f"sqlite:///{folder}/data/daemon.db", backup_dir=folder / "backups")
def hang(connection):
    print("checking", flush=True)
    sys.stdin.readline()
    return describe(connection)
create_backup(settings, describe=hang)
"""


def test_what_a_killed_run_left_is_never_listed_and_cleared_by_the_next(home: Settings) -> None:
    killed = start_python(CREATE_AND_HANG, home.data_dir.parent)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "checking\n"
    (left,) = home.backup_dir.iterdir()
    assert list_backups(home) == []
    create_backup(home, describe=describe)
    assert left.exists(), "a run that is alive was cleared away"
    killed.kill()
    killed.communicate()
    assert left.exists()
    create_backup(home, describe=describe)
    assert not left.exists()
    assert {backup.state for backup in list_backups(home)} == {"good"}
    assert len(names_in(home.backup_dir)) == 4


def test_a_run_killed_between_its_two_names_leaves_no_backup(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    bench = home.backup_dir / f".{made.path.stem}.making"
    bench.mkdir()
    (bench / "lock").touch()
    made.path.rename(bench / "database.db")
    somebodys = home.backup_dir / "backup_20200101_000000.db.json"
    somebodys.write_bytes(manifest_path(made.path).read_bytes())
    assert list_backups(home) == []
    again = create_backup(home, describe=describe)
    names = names_in(home.backup_dir)
    assert names == sorted([again.name, again.name + ".json", somebodys.name])


def test_nothing_is_backed_up_where_there_is_no_database(
    databases: Databases, settings_in: SettingsIn, tmp_path: Path
) -> None:
    nothing = settings_in(tmp_path, database_url=databases.place(tmp_path), data_dir=tmp_path / "data")
    with pytest.raises(UnknownDatabase, match="no database at"):
        create_backup(nothing, describe=describe)
    assert not nothing.backup_dir.exists()


def test_an_empty_file_is_no_database(home: Settings) -> None:
    home.database_path.unlink()
    home.database_path.touch()
    with pytest.raises(UnknownDatabase, match="no database at"):
        create_backup(home, describe=describe)
    assert not home.backup_dir.exists()


def test_a_damaged_database_is_refused(home: Settings) -> None:
    spoil_a_page(home.database_path)
    with pytest.raises(Damaged, match="no backup was made"):
        create_backup(home, describe=describe)
    assert list(home.backup_dir.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(home: Settings) -> None:
    home.database_path.write_text("not a database, but long enough to look at" * 50)
    with pytest.raises((Damaged, UnknownDatabase), match="no backup was made"):
        create_backup(home, describe=describe)
    assert list(home.backup_dir.iterdir()) == []


def test_the_database_of_another_program_is_refused(
    databases: Databases, settings_in: SettingsIn, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    other = settings_in(tmp_path, database_url=databases.place(tmp_path), data_dir=tmp_path / "data")
    with outside(other.database_url) as connection:
        connection.execute(text("CREATE TABLE recipes (name TEXT)"))
    with pytest.raises(UnknownDatabase, match="not one of a Daemon"):
        create_backup(other, describe=describe)
    assert list(other.backup_dir.iterdir()) == []


def test_no_room_is_said_before_anything_is_copied(
    anywhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.failures.free_bytes", lambda folder: 1000)
    with pytest.raises(Refused, match=r"1,000 are free; no backup was made") as refused:
        create_backup(anywhere, describe=describe)
    assert refused.value.hint.startswith("df -h ")
    assert list(anywhere.backup_dir.iterdir()) == []


def test_a_backup_folder_that_is_a_file_is_said(anywhere: Settings) -> None:
    anywhere.backup_dir.write_text("a file")
    with pytest.raises(Refused, match="not a folder"):
        create_backup(anywhere, describe=describe)
    assert anywhere.backup_dir.read_text() == "a file"


def test_says_how_far_it_is(home: Settings) -> None:
    write_more(home.database_path, 20_000)
    events: list[Event] = []
    create_backup(home, describe=describe, on_event=events.append)
    percents = [event.percent for event in events if event.type == "progress" and event.percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert [event.phase for event in events if event.type == "phase"] == ["copy", "check"]
    assert events[-1].type == "result"


def test_the_manifest_is_json_that_people_can_read(anywhere: Settings, ending: str) -> None:
    made = create_backup(anywhere, describe=describe)
    known = json.loads(manifest_path(made.path).read_text())
    assert known["format"] == (2 if ending == ".db" else 3)
    assert known["file"] == made.name
    assert known["created_at"].endswith("Z")
    assert known["rows"]["owner's table"] == 0


class Impatient(SQLiteStorage):
    """Waits a moment, where the real one waits twenty seconds."""

    def copy_online(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = 0.2
    ) -> None:
        super().copy_online(target, progress, wait_seconds=wait_seconds)


def test_a_writer_that_never_lets_go_ends_in_a_sentence(home: Settings) -> None:
    """A writer that holds the exclusive lock of a rollback-journal database shuts out readers too."""
    with contextlib.closing(sqlite3.connect(home.database_path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy, match="holds the database"):
            create_backup(home, describe=describe, storage=Impatient(home.database_path))
    assert list(home.backup_dir.iterdir()) == []
