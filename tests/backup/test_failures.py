"""Is what stands in the way said in one sentence, with the command that mends it, and nothing changed?"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.backup import prune
from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.backup.prune import prune_backups
from app.backup.restore.restore import restore_backup
from app.errors import DaemonError, Refused
from app.settings import Settings
from app.storage import failures
from tests.backup.worlds import as_other_account, contents, describe, make_daemon, start_python, write_more
from tests.conftest import SettingsIn

OTHER = 54321


@pytest.fixture
def open_home(settings_in: SettingsIn) -> Iterator[Settings]:
    """As `home`, in a folder that another account can reach, with one backup."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = settings_in(Path(folder))
        make_daemon(home.database_path)
        home.data_dir.chmod(0o755)
        home.database_path.chmod(0o644)
        create_backup(home, describe=describe)
        write_more(home.database_path)
        yield home
        for path in (home.data_dir, home.backup_dir):
            path.chmod(0o700)


def forbid_writing(path: Path) -> None:
    """For another account (run as root), or for ourselves."""
    path.chmod(0o555 if path.is_dir() else 0o444)


def refused(act: Callable[[], object]) -> DaemonError:
    with as_other_account(OTHER), pytest.raises(DaemonError) as caught:
        act()
    return caught.value


def restore(home: Settings) -> object:
    name = next(path.name for path in home.backup_dir.iterdir() if path.suffix == ".db")
    return restore_backup(home, name, describe=describe, wait_seconds=1)


def test_no_backup_without_permission_to_write_one(open_home: Settings) -> None:
    before = contents(open_home.database_path)
    forbid_writing(open_home.backup_dir)
    error = refused(lambda: create_backup(open_home, describe=describe))
    assert isinstance(error, Refused)
    assert f"may not read and write {open_home.backup_dir}" in error.message
    assert "no backup was made" in error.message
    assert error.hint.startswith(("sudo chown ", "chmod u+rwx "))
    assert str(open_home.backup_dir) in error.hint
    assert contents(open_home.database_path) == before
    assert len(list(open_home.backup_dir.glob("backup_*"))) == 2


def test_no_backup_folder_where_none_can_be_made(open_home: Settings) -> None:
    shutil.rmtree(open_home.backup_dir)
    forbid_writing(open_home.backup_dir.parent)
    error = refused(lambda: create_backup(open_home, describe=describe))
    assert isinstance(error, Refused)
    assert str(open_home.backup_dir.parent) in error.hint
    assert not open_home.backup_dir.exists()
    open_home.backup_dir.parent.chmod(0o700)
    open_home.backup_dir.mkdir()


def test_a_backup_that_may_not_be_read_is_not_restored(open_home: Settings) -> None:
    before = contents(open_home.database_path)
    open_home.backup_dir.chmod(0o777)
    for path in open_home.backup_dir.iterdir():
        path.chmod(0o000)
    error = refused(lambda: restore(open_home))
    assert error.exit_code == 15
    assert contents(open_home.database_path) == before


def test_a_database_that_may_not_be_written_is_not_restored(open_home: Settings) -> None:
    before = contents(open_home.database_path)
    open_home.backup_dir.chmod(0o777)
    for path in open_home.backup_dir.iterdir():
        path.chmod(0o644)
    forbid_writing(open_home.database_path)
    forbid_writing(open_home.data_dir)
    error = refused(lambda: restore(open_home))
    assert isinstance(error, Refused)
    assert contents(open_home.database_path) == before
    assert not [path for path in open_home.backup_dir.iterdir() if path.name.startswith(".")]


def test_a_folder_that_may_not_be_read_is_not_listed(open_home: Settings) -> None:
    open_home.backup_dir.chmod(0o000)
    error = refused(lambda: list_backups(open_home))
    assert "cannot be listed" in error.message


def test_the_hints_name_a_command_for_every_obstacle(tmp_path: Path) -> None:
    with_space = tmp_path / "my backups"
    numbers = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
    for number in (*numbers, errno.EIO):
        said = failures.from_system(
            OSError(number, os.strerror(number), str(with_space)), with_space, "nothing was changed"
        )
        assert said.message.endswith("nothing was changed.")
        assert said.hint.split()[0] in ("df", "sudo", "mount", "mkdir", "ls")
        assert "\n" not in said.message
        assert said.exit_code == (1 if number == errno.EIO else 15)


ACT_WITHIN_A_LIMIT = """
import resource, sys
from pathlib import Path
from app.backup.create import create_backup
from app.backup.restore.restore import restore_backup
from app.errors import DaemonError
from app.settings import Settings
from app.storage import failures
from tests.backup.worlds import describe
folder, limit, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
settings = Settings(database_url=f"sqlite:///{folder}/data/daemon.db", backup_dir=folder / "backups")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if name:
        restore_backup(settings, name, describe=describe)
    else:
        create_backup(settings, describe=describe)
    print("done")
except DaemonError as error:
    print(error.exit_code, error.message)
"""


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9])
def test_a_disk_that_takes_no_more_leaves_no_backup(home: Settings, part: float) -> None:
    limit = int(home.database_path.stat().st_size * part)
    said, _ = start_python(ACT_WITHIN_A_LIMIT, home.data_dir.parent, limit, "").communicate(timeout=60)
    assert said.startswith("15 ")
    assert list(home.backup_dir.iterdir()) == []


@pytest.mark.parametrize("wal", [False, True])
def test_a_disk_that_takes_no_more_leaves_the_database_as_it_was(
    tmp_path: Path, settings_in: SettingsIn, wal: bool
) -> None:
    """The limit grows from nothing until the restore succeeds: each time it is all or nothing."""
    home = settings_in(tmp_path)
    make_daemon(home.database_path, wal=wal, entries=30)
    made = create_backup(home, describe=describe)
    old = contents(home.database_path)
    write_more(home.database_path, 150)
    before = contents(home.database_path)
    ends = []
    for limit in range(0, 20 * made.size_bytes, made.size_bytes // 2 + 1):
        process = start_python(ACT_WITHIN_A_LIMIT, tmp_path, limit, made.name)
        said, _ = process.communicate(timeout=60)
        now = contents(home.database_path)
        assert all(backup.state == "good" for backup in list_backups(home))
        ends.append(said)
        if said == "done\n":
            assert now == old
            break
        assert said.startswith("15 "), said
        assert now == before
    assert ends[-1] == "done\n"
    assert len(ends) > 3


@pytest.mark.needs("root")
def test_what_root_restores_belongs_to_the_owner_of_the_folder(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    home.database_path.unlink()
    os.chown(home.data_dir, OTHER, OTHER)
    os.chown(home.backup_dir, OTHER, OTHER)
    restore_backup(home, made.name, describe=describe, wait_seconds=1)
    known = home.database_path.stat()
    assert (known.st_uid, known.st_gid, stat.S_IMODE(known.st_mode)) == (OTHER, OTHER, 0o600)


def test_pruning_without_permission_says_so(open_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "NEWEST_KEPT", 1)
    create_backup(open_home, describe=describe)
    forbid_writing(open_home.backup_dir)
    for path in open_home.backup_dir.iterdir():
        path.chmod(0o644)
    error = refused(lambda: prune_backups(open_home, retention_days=-1))
    assert "not all old backups were removed" in error.message
    with contextlib.suppress(OSError):
        assert len(list_backups(open_home)) == 2
