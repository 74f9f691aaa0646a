"""Does a log without its database never meet a new one, and is an old life found whatever it is called?"""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.errors import LostVolume, Refused
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.init import initialise
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.records import auto_upgrade_block
from tests.upgrade.old_databases import build
from tests.upgrade.places import everything_in, value

CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(f"PRAGMA journal_mode = {sys.argv[2]}")
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.execute("UPDATE data_entries SET is_active = 0")
connection.execute("CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                   " WHERE i < 3000) SELECT i, randomblob(200) FROM n")
if sys.argv[2] == "wal":
    connection.execute("COMMIT")
os._exit(0)
"""


def crash(path: Path, mode: str) -> list[Path]:
    """Leave a log or a journal beside the database, as a killed process does; return what was left."""
    build("layout_b", path)
    subprocess.run([sys.executable, "-c", CRASH, str(path), mode], check=True)
    left = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal", "-shm")]
    return [one for one in left if one.exists()]


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_nothing_begins_beside_a_log_whose_database_is_absent(mode: str, settings: Settings) -> None:
    left = crash(settings.database_path, mode)
    assert left
    settings.database_path.rename(settings.data_dir / "elsewhere")
    (settings.data_dir / "elsewhere").rename(settings.data_dir.parent / "away")
    before = everything_in(settings.data_dir)
    source = settings.data_dir.parent / "mine.db"
    build("layout_a", source)
    for how in ({}, {"adopt": source}):
        with pytest.raises(Refused) as caught:
            initialise(settings, **how)  # type: ignore[arg-type]
        assert left[0].name in caught.value.message
        assert "init --fresh" in caught.value.hint
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    assert readiness.state == "LOST", "the server waits"
    assert exit_code_of(make_plan(settings)) == 15
    assert everything_in(settings.data_dir) == before


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_fresh_one_keeps_the_log_under_another_name_and_says_how_it_goes_back(
    mode: str, settings: Settings
) -> None:
    left = crash(settings.database_path, mode)
    whole = {path.name: path.read_bytes() for path in (settings.database_path, *left)}
    settings.database_path.rename(settings.data_dir.parent / "away")
    outcome = initialise(settings, fresh=True)
    assert outcome.state == "done"
    assert exit_code_of(make_plan(settings)) == 0, "what was made is sound"
    assert value(settings.database_path, "PRAGMA integrity_check") == "ok"
    commands = [shlex.split(one) for one in outcome.hint.partition("puts it back: ")[2].split("; ")]
    assert len(commands) == len(left)
    settings.database_path.unlink()
    (settings.data_dir.parent / "away").rename(settings.database_path)
    for command in commands:
        subprocess.run(command, check=True)
    assert {path.name: path.read_bytes() for path in (settings.database_path, *left)} == whole
    with contextlib.closing(sqlite3.connect(settings.database_path)) as back:
        (most,) = back.execute("SELECT max(is_active) FROM data_entries").fetchone()
    assert most == (0 if mode == "wal" else 1)


@pytest.mark.parametrize(
    "name",
    [
        "data/.daemon.db",
        "data/daemon.sqlite3",
        "data/daemon.sqlite",
        "data/daemon",
        "data/daemon.db.bak",
        "data/DAEMON.DB",
        "data/db/daemon.db",
        "data/of 2024/a#b.old",
        "daemon.sqlite3",
        "daemon.db",
    ],
)
def test_an_old_life_is_found_whatever_it_is_called(name: str, settings: Settings, home: Path) -> None:
    build("layout_a", home / name)
    with pytest.raises(LostVolume) as caught:
        initialise(settings)
    assert str(home / name) in caught.value.message
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "LOST"
    words = shlex.split(caught.value.hint.partition("go on with it: ")[2].partition("   To begin")[0])
    assert words == ["daemon", "init", "--adopt", str(home / name)]
    assert initialise(settings, adopt=words[-1]).state == "done"


def test_files_that_are_no_daemons_are_no_old_life(settings: Settings, home: Path) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "notes.db").write_text("SQLite format 3, they say")
    with contextlib.closing(sqlite3.connect(settings.data_dir / "music.sqlite")) as other:
        other.execute("CREATE TABLE songs (title)")
    os.mkfifo(home / "pipe")
    assert initialise(settings).state == "done"


def test_a_link_and_its_file_have_one_hold(settings: Settings, home: Path) -> None:
    real = home / "volume" / "daemon.db"
    build("layout_a", real)
    settings.data_dir.mkdir()
    settings.database_path.symlink_to(real)
    auto_upgrade_block.set_hold(settings, "by the link")
    assert (home / "volume" / "daemon.db.hold").exists()
    assert not settings.data_dir.joinpath("daemon.db.hold").exists()


@pytest.mark.parametrize("place", ["file", "folder"])
def test_nothing_begins_where_a_link_leads_nowhere(place: str, settings: Settings, home: Path) -> None:
    if place == "file":
        settings.data_dir.mkdir()
        settings.database_path.symlink_to(home / "volume" / "daemon.db")
    else:
        settings.data_dir.symlink_to(home / "volume")
    before = everything_in(home)
    for how in ({}, {"fresh": True}):
        with pytest.raises(Refused, match="link") as caught:
            initialise(settings, **how)  # type: ignore[arg-type]
        assert str(home / "volume") in caught.value.message
    assert exit_code_of(make_plan(settings)) == 15
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    assert (readiness.state, "link" in readiness.sentence) == ("UNKNOWN", True)
    assert everything_in(home) == before


@pytest.mark.parametrize("name", ["backups/daemon_backup_20250101_000000.db", "backups/odd.old", "data/x.db"])
def test_a_backup_is_no_old_life_and_is_named_with_what_puts_it_back(
    name: str, settings: Settings, home: Path
) -> None:
    path = home / name
    path.parent.mkdir()
    build("layout_a", path)
    if path.parent != settings.backup_dir:  # a backup of ours, copied elsewhere, is known by its manifest
        path.with_name(path.name + ".json").write_text("{}")
    with pytest.raises(LostVolume, match="the backup") as caught:
        initialise(settings)
    assert "--adopt" not in caught.value.hint
    command = caught.value.hint.partition("put the backup back: ")[2].partition("   To begin")[0]
    assert command.endswith(f"daemon backup restore {path.name}")
    assert ask_readiness(settings, storage_for(settings.database_url)).command == caught.value.hint
    build("layout_b", home / "daemon.db")
    with pytest.raises(LostVolume) as both:
        initialise(settings)
    assert f"init --adopt {home / 'daemon.db'}" in both.value.hint
    assert "backup restore" in both.value.hint


def test_an_empty_file_and_its_log_are_kept_and_it_is_said_how_they_go_back(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.database_path.touch()
    log = settings.database_path.with_name("daemon.db-wal")
    log.write_bytes(b"the last writes")
    outcome = initialise(settings, fresh=True)
    commands = [shlex.split(one) for one in outcome.hint.partition("puts it back: ")[2].split("; ")]
    assert exit_code_of(make_plan(settings)) == 0
    settings.database_path.unlink()
    for command in commands:
        subprocess.run(command, check=True)
    assert (settings.database_path.read_bytes(), log.read_bytes()) == (b"", b"the last writes")


@pytest.mark.parametrize("target", ["daemon.db", "one.db"])
def test_a_link_that_leads_back_to_itself_is_named(target: str, settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.database_path.symlink_to(target)
    (settings.data_dir / "one.db").symlink_to("daemon.db")
    assert exit_code_of(make_plan(settings)) == 15
    for act in (lambda: initialise(settings), lambda: create_backup(settings, describe=describe)):
        with pytest.raises(Refused, match="back to itself"):
            act()


@pytest.mark.parametrize("kind", ["a link to nowhere", "a file", "below a file"])
def test_a_backup_folder_that_cannot_be_there_is_found_beforehand(
    kind: str, settings: Settings, home: Path
) -> None:
    build("layout_a", settings.database_path)
    if kind == "a link to nowhere":
        settings.backup_dir.symlink_to(home / "volume")
    else:
        (home / "file").touch()
        settings = replace(settings, backup_dir=home / "file" / ("x" if kind == "below a file" else ""))
    plan = make_plan(settings)
    assert exit_code_of(plan) == run_upgrade(settings).exit_code == 15
    assert [each.code for each in plan.blockers] == ["backup_folder_not_writable"]
    with pytest.raises(Refused) as caught:
        create_backup(settings, describe=describe)
    assert "mkdir" not in caught.value.hint
