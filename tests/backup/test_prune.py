"""Does retention touch only what is ours, old, and needed by no one?"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.backup import prune
from app.backup.catalog import Backup, list_backups
from app.backup.create import create_backup
from app.backup.manifest import manifest_path, read_manifest
from app.backup.prune import prune_backups
from app.settings import Settings
from tests.backup.worlds import describe, flip_byte, make_daemon


def backup_of(home: Settings, days_old: int, purpose: str = "manual", version: str | None = None) -> Backup:
    """A backup that was made that many days ago."""
    made = create_backup(home, purpose, describe=describe)
    manifest = read_manifest(manifest_path(made.path))
    assert manifest is not None
    then = clock.now() - timedelta(days=days_old)
    name = f"backup_{clock.stamp(then)}{made.path.suffix}"
    aged = replace(manifest, file=name, created_at=clock.rfc3339(then), version=version or manifest.version)
    manifest_path(made.path).unlink()
    path = made.path.rename(made.path.with_name(name))
    manifest_path(path).write_bytes(aged.as_bytes())
    return replace(made, name=name, path=path)


@pytest.fixture
def one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest one alone stays whatever its age: these tests are about what else stays."""
    monkeypatch.setattr(prune, "NEWEST_KEPT", 1)


def names(home: Settings) -> set[str]:
    return {backup.name for backup in list_backups(home)}


def test_the_newest_seven_good_ones_stay_however_old(home: Settings) -> None:
    good = [backup_of(home, 400 + number) for number in range(9)]
    damaged = backup_of(home, 399)
    flip_byte(damaged.path, 5000)
    pruned = prune_backups(home)
    assert names(home) == {backup.name for backup in good[:7]}
    assert [reason for _, reason in pruned.stays][1:] == ["one of the newest 7 good ones"] * 6


def test_one_from_the_future_is_none_of_the_seven(home: Settings) -> None:
    future = [backup_of(home, -400 - number) for number in range(2)]
    good = [backup_of(home, 400 + number) for number in range(8)]
    prune_backups(home)
    assert names(home) == {backup.name for backup in [*future, *good[:7]]}


@pytest.mark.usefixtures("one_is_enough")
def test_old_ones_go_with_their_manifests(anywhere: Settings) -> None:
    old, young, newest = (backup_of(anywhere, days) for days in (31, 29, 1))
    pruned = prune_backups(anywhere)
    assert [backup.name for backup in pruned.removed] == [old.name]
    assert names(anywhere) == {young.name, newest.name}
    assert not manifest_path(old.path).exists()


@pytest.mark.usefixtures("one_is_enough")
def test_a_dry_run_removes_nothing(anywhere: Settings) -> None:
    old, newest = (backup_of(anywhere, days) for days in (31, 1))
    assert [backup.name for backup in prune_backups(anywhere, dry_run=True).removed] == [old.name]
    assert names(anywhere) == {old.name, newest.name}


@pytest.mark.usefixtures("one_is_enough")
def test_the_newest_good_one_stays_however_old(home: Settings) -> None:
    good, damaged = backup_of(home, 400), backup_of(home, 300)
    flip_byte(damaged.path, 5000)
    pruned = prune_backups(home)
    assert names(home) == {good.name}
    assert pruned.stays[0][1] == "the newest good one"


def test_where_no_backup_is_good_all_stay(home: Settings) -> None:
    damaged = [backup_of(home, days) for days in (400, 300)]
    for backup in damaged:
        flip_byte(backup.path, 5000)
    assert prune_backups(home).removed == ()
    assert names(home) == {backup.name for backup in damaged}


@pytest.mark.usefixtures("one_is_enough")
def test_what_an_upgrade_needs_stays(home: Settings) -> None:
    first = backup_of(home, 300, "upgrade", "0.1.0")
    failed_before = backup_of(home, 301, "upgrade", "0.1.0")
    second = backup_of(home, 200, "upgrade", "0.2.0")
    newest = backup_of(home, 1)
    pruned = prune_backups(home)
    assert [backup.name for backup in pruned.removed] == [failed_before.name]
    assert names(home) == {first.name, second.name, newest.name}


@pytest.mark.usefixtures("one_is_enough")
def test_what_the_caller_needs_stays(anywhere: Settings) -> None:
    old, newest = (backup_of(anywhere, days) for days in (31, 1))
    prune_backups(anywhere, needed={old.name})
    assert names(anywhere) == {old.name, newest.name}


@pytest.mark.usefixtures("one_is_enough")
def test_what_is_not_ours_stays(home: Settings) -> None:
    newest = backup_of(home, 1)
    renamed = backup_of(home, 400)
    kept = renamed.path.rename(home.backup_dir / "before the wedding.db")
    manifest_path(renamed.path).rename(manifest_path(kept))
    lost_manifest = backup_of(home, 401)
    manifest_path(lost_manifest.path).unlink()
    strangers = [
        "daemon_backup_20200101_000000.db",
        "pre_restore_20200101_000000.db",
        "my own.db",
        "backup_20200101_000000.db",
    ]
    for name in strangers:
        make_daemon(home.backup_dir / name)
        os.utime(home.backup_dir / name, (0, 0))
    (home.backup_dir / "notes.txt").write_text("hello")
    before = names(home)
    assert prune_backups(home, retention_days=1).removed == ()
    assert names(home) == before
    assert (home.backup_dir / "notes.txt").exists()
    assert newest.path.exists()


@pytest.mark.usefixtures("one_is_enough")
def test_the_age_is_that_of_the_backup_not_of_the_file(anywhere: Settings) -> None:
    old, young = backup_of(anywhere, 31), backup_of(anywhere, 1)
    os.utime(young.path, (0, 0))
    os.utime(old.path)
    prune_backups(anywhere)
    assert names(anywhere) == {young.name}


def test_nothing_to_prune_is_no_error(anywhere: Settings) -> None:
    assert prune_backups(anywhere).removed == ()
    assert not anywhere.backup_dir.exists()


@pytest.mark.usefixtures("one_is_enough")
@pytest.mark.parametrize("killed_after", ["file", "manifest"])
def test_killed_half_way_it_leaves_no_backup_without_manifest(
    anywhere: Settings, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    old, newest = (backup_of(anywhere, days) for days in (31, 1))
    unlink = Path.unlink

    def stop(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        if path == (old.path if killed_after == "file" else manifest_path(old.path)):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", stop)
        with pytest.raises(KeyboardInterrupt):
            prune_backups(anywhere)
    assert names(anywhere) == {newest.name}
