"""Lock files of SQLite: whose are they, who may use them, and which file is never given away?"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from app.errors import Refused
from app.storage.process_lock import ProcessLock
from tests.upgrade.places import as_nobody, open_folder


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "daemon.db"


def test_the_files_hold_nothing_and_stay(path: Path) -> None:
    with ProcessLock(path).exclusive(0):
        pass
    files = {file.name: (file.stat().st_size, file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert files == {"daemon.db.lock": (0, 0o600), "daemon.db.wanted": (0, 0o600)}


def modes(path: Path) -> dict[str, int]:
    files = (path.with_name(path.name + ending) for ending in (".lock", ".wanted"))
    return {file.suffix: file.stat().st_mode & 0o777 for file in files}


@pytest.mark.parametrize(
    ("of_the_database", "expected"), [(0o600, 0o600), (0o640, 0o600), (0o644, 0o600), (0o660, 0o660)]
)
def test_the_group_may_use_them_where_it_may_write_the_database(
    path: Path, of_the_database: int, expected: int
) -> None:
    path.touch()
    path.chmod(of_the_database)
    before = os.umask(0o077)
    try:
        with ProcessLock(path).exclusive(0):
            pass
    finally:
        os.umask(before)
    assert modes(path) == {".lock": expected, ".wanted": expected}


def test_what_an_older_version_left_is_mended_at_the_start(path: Path) -> None:
    path.touch(0o600)
    for ending in (".lock", ".wanted"):
        path.with_name(path.name + ending).touch(0o644)
    process_lock = ProcessLock(path)
    process_lock.serve()
    process_lock.yield_()
    assert modes(path) == {".lock": 0o600, ".wanted": 0o600}


@pytest.mark.needs("root")
def test_root_gives_them_to_whom_the_database_belongs(path: Path) -> None:
    path.touch()
    os.chown(path, 12345, 54321)
    for ending in (".lock", ".wanted"):
        path.with_name(path.name + ending).touch(0o600)
    with ProcessLock(path).exclusive(0):
        pass
    assert {(file.stat().st_uid, file.stat().st_gid) for file in path.parent.iterdir()} == {(12345, 54321)}


@pytest.mark.needs("root")
@pytest.mark.parametrize("trap", ["link", "hard link", "content"])
def test_root_gives_away_nothing_but_lock_files(path: Path, tmp_path: Path, trap: str) -> None:
    path.touch()
    os.chown(path, 12345, 12345)
    precious, name = tmp_path / "precious", path.with_name(path.name + ".wanted")
    precious.touch(0o644)
    if trap == "link":
        name.symlink_to(precious)
    elif trap == "hard link":
        name.hardlink_to(precious)
    else:
        precious = name
        name.write_text("not a lock")
    with contextlib.suppress(Refused), ProcessLock(path).exclusive(0):
        pass
    assert precious.stat().st_uid == 0


@pytest.mark.needs("root")
def test_an_account_that_may_only_read_is_told_too() -> None:
    with open_folder() as folder:
        path = folder / "daemon.db"
        path.touch()
        with ProcessLock(path).exclusive(0):
            assert as_nobody(lambda: ProcessLock(path).wanted()) is True
        assert as_nobody(lambda: ProcessLock(path).wanted()) is False


def test_one_fence_whatever_the_database_is_called(path: Path, tmp_path: Path) -> None:
    path.touch()
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with ProcessLock(path).exclusive(0):
        assert ProcessLock(link).wanted()


@pytest.mark.needs("root")
def test_made_by_root_they_belong_to_the_folders_owner(path: Path) -> None:
    os.chown(path.parent, 65534, 65534)
    with ProcessLock(path).exclusive(0):
        pass
    assert {(file.stat().st_uid, file.stat().st_gid) for file in path.parent.iterdir()} == {(65534, 65534)}


def test_where_no_file_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        ProcessLock(tmp_path / "none" / "daemon.db").serve()
