"""Is a full disk told beforehand, and survived where it comes on the way?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.settings import Settings
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import backups_in, contents, everything_in, execute

Old = Callable[[str], Path]

Usage = namedtuple("Usage", "total used free")
KIBIBYTE = 1024
MORE_ROWS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id) "
    "SELECT 3, json_object('content', hex(zeroblob(200)), 'n', i), 1, 1 FROM n"
)


def with_free(monkeypatch: pytest.MonkeyPatch, count: Callable[[str], int]) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, count(str(path))))


def test_too_little_room_is_told_before_anything_starts(
    old: Old, settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")
    before = everything_in(home)
    with_free(monkeypatch, lambda path: 100_000)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert "not enough room" in outcome.message
    assert f"df -h {settings.data_dir}" in outcome.hint
    assert everything_in(home) == before
    assert run_upgrade(settings, force=True).exit_code == 15


def test_what_both_folders_need_is_added_up_where_they_share_a_disk(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")
    needs = make_plan(settings).needs
    with_free(monkeypatch, lambda path: needs.data_bytes + needs.backup_bytes - 1)
    assert [problem.code for problem in make_plan(settings).blockers] == ["no_space"]
    with_free(monkeypatch, lambda path: needs.data_bytes + needs.backup_bytes)
    assert make_plan(settings).blockers == ()


def test_nothing_is_needed_where_nothing_is_to_be_done(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")
    run_upgrade(settings)
    with_free(monkeypatch, lambda path: 0)
    assert run_upgrade(settings).state == "nothing_to_do"


@contextmanager
def disk_of(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk of that size in ``folder``, until the end of the block."""
    folder.mkdir(parents=True)
    size = f"size={size_bytes}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """An old database of about two megabytes."""
    path = tmp_path / "template.db"
    build("layout_a", path)
    execute(path, MORE_ROWS)
    return path


@pytest.mark.needs("root")
@pytest.mark.parametrize("share", range(0, 300, 25))
def test_a_small_disk_is_told_or_is_enough(
    template: Path, home: Path, settings_in: SettingsIn, share: int
) -> None:
    """With that many per cent of it free besides the database: refused beforehand, or done."""
    size_bytes = template.stat().st_size
    with disk_of(home / "disk", int(size_bytes * (1 + share / 100))) as disk:
        settings = settings_in(disk)
        settings.data_dir.mkdir()
        shutil.copyfile(template, settings.database_path)
        before = contents(settings.database_path)
        outcome = run_upgrade(settings)
        if outcome.state != "done":
            assert (outcome.state, outcome.exit_code) == ("refused", 15), outcome.message
            assert contents(settings.database_path) == before
            assert backups_in(settings.backup_dir) == []


@pytest.mark.needs("root")
@pytest.mark.parametrize("share", range(0, 225, 15))
def test_a_disk_that_fills_up_on_the_way_leaves_the_old_one(
    template: Path, home: Path, settings_in: SettingsIn, monkeypatch: pytest.MonkeyPatch, share: int
) -> None:
    """The check is told a lie about the room: the disk fills up somewhere in the middle."""
    size_bytes = template.stat().st_size
    with disk_of(home / "disk", int(size_bytes * (1 + share / 100)) + 64 * KIBIBYTE) as disk:
        settings = settings_in(disk)
        settings.data_dir.mkdir()
        shutil.copyfile(template, settings.database_path)
        before = contents(settings.database_path)
        with_free(monkeypatch, lambda path: 10**12)
        outcome = run_upgrade(settings)
        if outcome.state != "done":
            assert outcome.state in ("refused", "failed_unchanged"), outcome
            assert outcome.exit_code in (1, 15)
            assert "room" in outcome.message or "space" in outcome.message, outcome.message
            assert contents(settings.database_path) == before
        assert not settings.database_path.with_name("daemon.db-journal").exists()


LIMITED = (
    "import json, resource, sys\n"
    "from app.settings import load_settings\n"
    "from app.upgrade.report import render as report\n"
    "from app.upgrade.operations.upgrade import run_upgrade\n"
    "limit = int(sys.argv[1])\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
    "print(json.dumps(report.outcome_as_json(run_upgrade(load_settings()))))\n"
)


@pytest.mark.parametrize("share", [20, 60, 90, 99, 101, 103, 110])
def test_a_limit_on_the_size_of_files_is_told_as_such(template: Path, settings: Settings, share: int) -> None:
    """SQLite calls it a disk I/O error; for people it is the room that is missing."""
    settings.data_dir.mkdir()
    shutil.copyfile(template, settings.database_path)
    before = contents(settings.database_path)
    limit = settings.database_path.stat().st_size * share // 100
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
    }
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    outcome = json.loads(ended.stdout)
    if outcome["state"] != "done":
        assert outcome["exit_code"] in (1, 15), outcome
        assert "room" in outcome["message"] or "space" in outcome["message"], outcome["message"]
        assert contents(settings.database_path) == before
    assert run_upgrade(settings).exit_code == 0
