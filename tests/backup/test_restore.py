"""Is the database that backup again, is the state before kept, and does a refusal change nothing?"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.backup.manifest import manifest_path
from app.backup.restore.restore import restore_backup
from app.errors import (
    Busy,
    DaemonError,
    Damaged,
    Failed,
    FailedRestored,
    NotFound,
    Refused,
    UnknownDatabase,
    UsageError,
)
from app.journal import JOURNAL_NAME
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.sqlite.exclusive import Exchange
from app.upgrade.detect.recognise import describe as recognise
from tests.backup.worlds import (
    add_entries,
    contents,
    contents_at,
    describe,
    flip_byte,
    leave_a_hot_journal,
    leave_a_log,
    make_daemon,
    snapshot,
    spoil_a_page,
    start_python,
    write_more,
    write_more_at,
)
from tests.conftest import SettingsIn


def restore(home: Settings, name: str):  # type: ignore[no-untyped-def]
    return restore_backup(home, name, describe=describe, wait_seconds=5)


def journal_mode(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_the_database_is_that_backup_again_and_it_can_be_undone(home_in_either_mode: Settings) -> None:
    home = home_in_either_mode
    mode = journal_mode(home.database_path)
    old = contents(home.database_path)
    made = create_backup(home, describe=describe)
    write_more(home.database_path, 500)
    new = contents(home.database_path)

    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert done.now.rows["data_entries"] == 51
    assert done.before is not None
    assert done.before.rows["data_entries"] == 551
    assert done.kept_aside is None
    assert done.safety is not None
    (safety,) = [backup for backup in list_backups(home) if backup.name == done.safety]
    assert (safety.state, safety.purpose) == ("good", "before_restore")
    assert contents(safety.path) == new
    assert journal_mode(home.database_path) == mode

    undone = restore(home, done.safety)
    assert contents(home.database_path) == new
    assert undone.before is not None
    assert undone.before.rows == done.now.rows


def test_on_either_engine_it_is_that_backup_again_and_can_be_undone(anywhere: Settings) -> None:
    url = anywhere.database_url
    old, made = contents_at(url), create_backup(anywhere, describe=describe)
    write_more_at(url, 500)
    new = contents_at(url)

    done = restore(anywhere, made.name)
    assert contents_at(url) == old
    assert done.before is not None
    assert done.before.rows["data_entries"] == done.now.rows["data_entries"] + 500
    assert done.safety is not None
    (safety,) = [backup for backup in list_backups(anywhere) if backup.name == done.safety]
    assert (safety.state, safety.purpose) == ("good", "before_restore")

    undone = restore(anywhere, done.safety)
    assert contents_at(url) == new
    assert undone.before is not None
    assert undone.before.rows == done.now.rows


def test_a_server_that_does_not_let_go_is_waited_for(anywhere: Settings) -> None:
    made = create_backup(anywhere, describe=describe)
    write_more_at(anywhere.database_url)
    before = contents_at(anywhere.database_url)
    lock = storage_for(anywhere.database_url).process_lock()
    lock.serve()
    with pytest.raises(Busy, match="nothing was changed"):
        restore_backup(anywhere, made.name, describe=describe, wait_seconds=0.5)
    lock.yield_()
    assert contents_at(anywhere.database_url) == before
    assert [backup.purpose for backup in list_backups(anywhere)] == ["manual"]


@pytest.mark.parametrize("live_page_size", [1024, 4096, 65536])
@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("is_larger", [False, True])
def test_any_page_size_and_journal_mode(
    home: Settings, live_page_size: int, wal: bool, is_larger: bool
) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    home.database_path.unlink()
    make_daemon(home.database_path, entries=2000 if is_larger else 1, wal=wal, page_size=live_page_size)
    before = contents(home.database_path)
    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert journal_mode(home.database_path) == ("wal" if wal else "delete")
    assert contents(home.backup_dir / str(done.safety)) == before


@pytest.mark.parametrize("wal", [False, True])
def test_a_missing_database_is_put_there(home: Settings, wal: bool) -> None:
    home.database_path.unlink()
    make_daemon(home.database_path, wal=wal)
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    shutil.rmtree(home.data_dir)
    done = restore(home, made.name)
    assert (done.before, done.safety, done.kept_aside) == (None, None, None)
    assert contents(home.database_path) == old
    assert journal_mode(home.database_path) == ("wal" if wal else "delete")
    assert stat.S_IMODE(home.database_path.stat().st_mode) == 0o600


def test_an_empty_file_is_as_good_as_none(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    home.database_path.write_bytes(b"")
    done = restore(home, made.name)
    assert (done.before, done.safety, done.kept_aside) == (None, None, None)
    assert contents(home.database_path) == old


def test_a_log_without_its_database_is_not_poured_into_the_new_one(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    left = leave_a_log(home.database_path)
    home.database_path.unlink()
    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert done.kept_aside is not None
    assert (done.kept_aside / left.name).read_bytes()


def test_the_log_of_a_crash_cannot_undo_the_restore(home: Settings) -> None:
    """Copied over the main file, a backup was silently undone by the log that lay beside it."""
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    leave_a_log(home.database_path)
    before = contents(home.database_path)
    assert before != old
    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert contents(home.backup_dir / str(done.safety)) == before


def test_a_hot_journal_is_taken_back_first(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    leave_a_hot_journal(home.database_path)
    before = contents(home.database_path)
    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert contents(home.backup_dir / str(done.safety)) == before


def break_header(path: Path) -> None:
    flip_byte(path, 3)


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def write_text_over(path: Path) -> None:
    path.write_text("The old server restored any file whatever. " * 100)


@pytest.mark.parametrize("damage", [spoil_a_page, break_header, cut_in_half, write_text_over])
@pytest.mark.parametrize("beside", ["nothing", "log"])
def test_a_damaged_database_is_replaced_and_its_bytes_are_kept(home: Settings, damage, beside: str) -> None:  # type: ignore[no-untyped-def]
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    damage(home.database_path)
    if beside == "log":
        home.database_path.with_name("daemon.db-wal").write_bytes(b"whatever was left there")
    there = {path.name: path.read_bytes() for path in home.data_dir.glob("daemon.db*")}
    done = restore(home, made.name)
    assert contents(home.database_path) == old
    assert (done.before, done.safety) == (None, None)
    assert done.kept_aside is not None
    assert {path.name: path.read_bytes() for path in done.kept_aside.iterdir()} == there
    (kept,) = [backup for backup in list_backups(home) if backup.state == "damaged"]
    assert kept.path == done.kept_aside
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o700


def test_backups_of_the_old_server_are_taken(home: Settings) -> None:
    home.backup_dir.mkdir()
    old_servers = home.backup_dir / "daemon_backup_20250102_030405.db"
    make_daemon(old_servers, entries=3)
    old = contents(old_servers)
    before = snapshot(home.backup_dir)[old_servers.name]
    restore(home, old_servers.name)
    assert contents(home.database_path) == old
    assert snapshot(home.backup_dir)[old_servers.name] == before


def test_a_copy_with_its_log_beside_it_is_taken_whole(home: Settings) -> None:
    home.backup_dir.mkdir()
    own_copy = home.backup_dir / "my own copy.db"
    make_daemon(own_copy, entries=3)
    leave_a_log(own_copy)
    old = contents(own_copy)
    restore(home, own_copy.name)
    assert contents(home.database_path) == old
    assert journal_mode(home.database_path) == "delete"


@pytest.mark.sweep
def test_every_old_database_is_backed_up_and_restored(home: Settings, legacy_database: Path) -> None:
    home.backup_dir.mkdir()
    old_servers = home.backup_dir / "daemon_backup_20250102_030405.db"
    shutil.copyfile(legacy_database, old_servers)
    home.database_path.unlink()
    restore_backup(home, old_servers.name, describe=recognise, wait_seconds=5)
    assert contents(home.database_path) == contents(legacy_database)
    made = create_backup(home, describe=recognise)
    write_over_an_entry(home.database_path)
    done = restore_backup(home, made.name, describe=recognise, wait_seconds=5)
    assert contents(home.database_path) == contents(legacy_database)
    assert done.now == done.before


def write_over_an_entry(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE users SET email = 'changed@example.org' WHERE id = 1")


@pytest.mark.parametrize(
    "name",
    [
        "../data/other.db",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a\0b",
        "sub/../../data/other.db",
        "{outside}/copy.db",
    ],
)
def test_what_is_not_in_the_backup_folder_is_refused(anywhere: Settings, tmp_path: Path, name: str) -> None:
    create_backup(anywhere, describe=describe)
    make_daemon(anywhere.data_dir / "other.db")
    make_daemon(tmp_path / "outside" / "copy.db")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="nothing was changed"):
        restore(anywhere, name.format(outside=tmp_path / "outside"))
    assert snapshot(tmp_path) == before


def test_a_path_that_leads_into_the_backup_folder_is_taken(
    anywhere: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = create_backup(anywhere, describe=describe)
    monkeypatch.chdir(tmp_path)
    assert restore(anywhere, str(made.path)).name == made.name
    assert restore(anywhere, f"backups/{made.name}").name == made.name
    assert restore(anywhere, f"./backups/../backups/{made.name}").name == made.name


def test_links_folders_and_devices_are_refused(anywhere: Settings, ending: str, tmp_path: Path) -> None:
    anywhere.backup_dir.mkdir()
    make_daemon(tmp_path / "elsewhere.db")
    (anywhere.backup_dir / f"link{ending}").symlink_to(tmp_path / "elsewhere.db")
    (anywhere.backup_dir / f"folder{ending}").mkdir()
    os.mkfifo(anywhere.backup_dir / f"pipe{ending}")
    before = snapshot(tmp_path)
    for name in (f"link{ending}", f"folder{ending}", f"pipe{ending}"):
        with pytest.raises(UsageError, match="not a backup"):
            restore(anywhere, name)
    assert snapshot(tmp_path) == before


def test_the_live_database_is_no_backup_of_itself(home: Settings) -> None:
    home.backup_dir.mkdir()
    os.link(home.database_path, home.backup_dir / "same.db")
    with pytest.raises(UsageError, match="live database itself"):
        restore(home, "same.db")


def test_a_name_that_is_not_there_and_a_folder_that_is_not_there(
    anywhere: Settings, ending: str, tmp_path: Path
) -> None:
    before = snapshot(tmp_path)
    with pytest.raises(NotFound, match="no backup folder"):
        restore(anywhere, f"backup_20250101_000000{ending}")
    assert snapshot(tmp_path) == before
    anywhere.backup_dir.mkdir()
    with pytest.raises(NotFound, match="no backup backup_20250101_000000"):
        restore(anywhere, f"backup_20250101_000000{ending}")


@pytest.mark.parametrize("at", [0, 20, 5000, -1])
def test_one_byte_changed_and_it_is_refused(anywhere: Settings, tmp_path: Path, at: int) -> None:
    made = create_backup(anywhere, describe=describe)
    flip_byte(made.path, at)
    before = snapshot(tmp_path)
    with pytest.raises(Damaged, match="nothing was changed"):
        restore(anywhere, made.name)
    assert without_backup_folder(snapshot(tmp_path)) == without_backup_folder(before)


def without_backup_folder(found: dict[str, tuple[int, int, bytes]]) -> dict[str, tuple[int, bytes]]:
    """The time of the backup folder itself changes when a workbench comes and goes in it."""
    return {name: (mode, content) for name, (mode, _, content) in found.items() if name != "backups"}


def test_damage_under_a_matching_manifest_is_found_too(home: Settings) -> None:
    """Someone who makes a manifest for a damaged file is not believed either."""
    made = create_backup(home, describe=describe)
    spoil_a_page(made.path)
    reseal(made.path)
    before = contents(home.database_path)
    with pytest.raises(Damaged, match="nothing was changed"):
        restore(home, made.name)
    assert contents(home.database_path) == before


def reseal(backup: Path) -> None:
    from dataclasses import replace

    from app.backup.catalog import sha256_of
    from app.backup.manifest import read_manifest

    manifest = read_manifest(manifest_path(backup))
    assert manifest is not None
    manifest_path(backup).write_bytes(replace(manifest, sha256=sha256_of(backup)).as_bytes())


def write_text(path: Path) -> None:
    path.write_text("hello" * 1000)


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_other_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")


def write_half_a_database(path: Path) -> None:
    make_daemon(path, entries=1000)
    cut_in_half(path)


def write_damaged_database(path: Path) -> None:
    make_daemon(path, entries=1000)
    spoil_a_page(path)


@pytest.mark.parametrize(
    "write", [write_text, write_nothing, write_other_database, write_half_a_database, write_damaged_database]
)
def test_without_a_manifest_only_a_sound_daemon_is_taken(home: Settings, tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    home.backup_dir.mkdir()
    write(home.backup_dir / "daemon_backup_20250102_030405.db")
    before = snapshot(tmp_path)
    with pytest.raises((Damaged, UnknownDatabase), match="nothing was changed"):
        restore(home, "daemon_backup_20250102_030405.db")
    assert without_backup_folder(snapshot(tmp_path)) == without_backup_folder(before)


def test_the_database_of_another_program_is_not_overwritten(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    home.database_path.unlink()
    write_other_database(home.database_path)
    before = contents(home.database_path)
    with pytest.raises(UnknownDatabase, match="another program") as refused:
        restore(home, made.name)
    assert refused.value.hint.startswith("mv ")
    assert contents(home.database_path) == before


def test_a_database_without_a_table_is_overwritten(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    home.database_path.unlink()
    with contextlib.closing(sqlite3.connect(home.database_path)) as connection:
        connection.execute("PRAGMA user_version=5")
    assert restore(home, made.name).safety is None
    assert contents(home.database_path) == old


def test_a_program_that_holds_the_database_is_waited_for_and_named(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    write_more(home.database_path)
    before = contents(home.database_path)
    with contextlib.closing(sqlite3.connect(home.database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        add = "INSERT INTO users VALUES (3, 'eve', 0)"
        other.execute(add)
        with pytest.raises(Busy, match="nothing was changed"):
            restore_backup(home, made.name, describe=describe, wait_seconds=0.5)
        other.execute("ROLLBACK")
    assert contents(home.database_path) == before
    assert [backup.purpose for backup in list_backups(home)] == ["manual"]


def test_no_room_in_either_folder_changes_nothing(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_backup(home, describe=describe)
    before = snapshot(home.data_dir)
    for full in (home.backup_dir, home.data_dir):
        monkeypatch.setattr(
            "app.storage.failures.free_bytes",
            lambda folder, full=full: 10 if full in [folder, *folder.parents] else 10**9,
        )
        with pytest.raises(Refused, match="too little room"):
            restore(home, made.name)
    assert {name: what[2] for name, what in snapshot(home.data_dir).items() if ".lock" not in name} == {
        name: what[2] for name, what in before.items() if ".lock" not in name
    }


def test_a_failure_while_writing_leaves_the_state_before(
    home_in_either_mode: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_in_either_mode
    monkeypatch.setattr("app.storage.sqlite.exclusive._PAGES_A_STEP", 2)
    made = create_backup(home, describe=describe)
    write_more(home.database_path, 3000)
    before = contents(home.database_path)

    def fail(event: object) -> None:
        if getattr(event, "phase", "") == "restore" and 0 < (getattr(event, "percent", 0) or 0) < 90:
            raise OSError(28, "No space left on device")

    with pytest.raises(DaemonError):
        restore_backup(home, made.name, describe=describe, on_event=fail, wait_seconds=5)
    assert contents(home.database_path) == before


def test_what_does_not_verify_afterwards_is_put_back(
    anywhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.backup.restore import restore as room

    made = create_backup(anywhere, describe=describe)
    write_more_at(anywhere.database_url)
    before = contents_at(anywhere.database_url)
    monkeypatch.setattr(room, "_fault", lambda task: "a page went bad")
    with pytest.raises(FailedRestored, match="the state before was put back"):
        restore(anywhere, made.name)
    assert contents_at(anywhere.database_url) == before


def test_an_error_at_the_commit_itself_is_looked_into(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk reports an error after the pages are there: every page is written once more."""
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    write_more(home.database_path)
    before = contents(home.database_path)
    copy_in = Exchange.copy_in
    times = []

    def fail_after_the_first(self: Exchange, *arguments: object) -> None:
        copy_in(self, *arguments)  # type: ignore[arg-type]
        times.append(1)
        if len(times) == 1:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Exchange, "copy_in", fail_after_the_first)
    done = restore(home, made.name)
    assert len(times) == 2
    assert contents(home.database_path) == old
    assert contents(home.backup_dir / str(done.safety)) == before


RESTORE = """
import sys
from pathlib import Path
from app.backup.restore.restore import restore_backup
from app.settings import Settings
from tests.backup.worlds import describe
folder = Path(sys.argv[1])
settings = Settings(database_url=f"sqlite:///{folder}/data/daemon.db", backup_dir=folder / "backups")
def stop(event):
    if event.phase == sys.argv[3] and event.type == "phase":
        print("there", flush=True)
        sys.stdin.readline()
restore_backup(settings, sys.argv[2], describe=describe, on_event=stop)
print("done", flush=True)
"""


@pytest.mark.parametrize("phase", ["copy", "check", "wait", "keep", "restore", "verify"])
def test_killed_in_any_phase_it_is_the_old_state_or_the_new_one(
    home_in_either_mode: Settings, phase: str
) -> None:
    home = home_in_either_mode
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    write_more(home.database_path, 300)
    before = contents(home.database_path)
    killed = start_python(RESTORE, home.data_dir.parent, made.name, phase)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "there\n"
    killed.kill()
    killed.communicate()
    now = contents(home.database_path)
    assert now == (old if phase == "verify" else before)
    assert all(backup.state == "good" for backup in list_backups(home))
    if phase in ("restore", "verify"):
        (safety,) = [backup for backup in list_backups(home) if backup.purpose == "before_restore"]
        assert contents(safety.path) == before
    restore(home, made.name)
    assert contents(home.database_path) == old
    assert not list(home.backup_dir.glob(".*"))


@pytest.mark.parametrize("wal", [False, True])
def test_a_link_to_the_database_stays_a_link(tmp_path: Path, settings_in: SettingsIn, wal: bool) -> None:
    home = settings_in(tmp_path)
    elsewhere = tmp_path / "other disk" / "real.db"
    make_daemon(elsewhere, wal=wal)
    home.data_dir.mkdir()
    home.database_path.symlink_to(elsewhere)
    made = create_backup(home, describe=describe)
    old = contents(elsewhere)
    leave_a_log(elsewhere)
    before = contents(elsewhere)
    done = restore(home, made.name)
    assert contents(elsewhere) == old
    assert contents(home.backup_dir / str(done.safety)) == before
    write_text_over(elsewhere)
    restore(home, made.name)
    elsewhere.unlink()
    restore(home, made.name)
    assert home.database_path.is_symlink()
    assert contents(elsewhere) == old


def test_a_sound_database_is_not_replaced_because_its_copy_went_bad(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create_backup(home, describe=describe)
    write_more(home.database_path)
    before = contents(home.database_path)
    copy_out = Exchange.copy_out

    def copy_badly(self: Exchange, target: Path, *arguments: object) -> None:
        copy_out(self, target)
        spoil_a_page(target)

    monkeypatch.setattr(Exchange, "copy_out", copy_badly)
    with pytest.raises(Failed, match="the database itself is not; nothing was changed"):
        restore(home, made.name)
    assert contents(home.database_path) == before
    assert sorted(path.name for path in home.backup_dir.iterdir()) == [
        made.name,
        f"{made.name}.json",
        JOURNAL_NAME,
    ]


@pytest.mark.parametrize("before", ["sound", "damaged"])
@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o644, 0o640), (0o666, 0o660)])
def test_what_is_restored_is_closed_to_others_and_the_group_keeps_its_access(
    home: Settings, before: str, mode: int, expected: int
) -> None:
    made = create_backup(home, describe=describe)
    if before == "damaged":
        home.database_path.write_bytes(b"not a database at all" * 100)
    home.database_path.chmod(mode)
    restore(home, made.name)
    assert stat.S_IMODE(home.database_path.stat().st_mode) == expected


def test_killed_while_the_file_is_moved_into_place_it_can_be_run_again(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    home.database_path.unlink()
    (home.data_dir / ".daemon.db.restoring").write_bytes(b"half")
    restore(home, made.name)
    assert contents(home.database_path) == old
    assert sorted(path.name for path in home.data_dir.glob(".*")) == []


def test_nobody_gets_in_between_the_two_copies(home_in_either_mode: Settings) -> None:
    """What another program commits is in the safety backup or it is refused, never in neither."""
    home = home_in_either_mode
    made = create_backup(home, describe=describe)
    tries = []

    def write_in_between(event: object) -> None:
        if getattr(event, "phase", "") == "restore" and getattr(event, "type", "") == "phase":
            with (
                contextlib.closing(
                    sqlite3.connect(home.database_path, timeout=0, isolation_level=None)
                ) as other,
                pytest.raises(sqlite3.OperationalError, match="locked"),
            ):
                add_entries(other, 1)
            tries.append(event)

    restore_backup(home, made.name, describe=describe, on_event=write_in_between)
    assert tries
