"""Does a private copy go where there is room and permission, and leave nothing behind?"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app import temporary
from app.backup.create import create_backup
from app.backup.verify import prove_backup
from app.errors import Refused
from app.settings import Settings
from app.storage.registry import storage_at
from app.storage.sqlite import read_only
from app.storage.types import Soundness
from app.temporary import prefer, temporary_folder
from app.upgrade.detect.recognise import describe
from app.upgrade.plan import make_plan
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import everything_in

WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE IF NOT EXISTS log (n)")
print("on", flush=True)
while True:
    connection.execute("INSERT INTO log VALUES (1)")
    time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def none_is_preferred() -> Iterator[None]:
    yield
    prefer()


@pytest.fixture
def settings(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """An old database in WAL mode, so that looking at it takes a copy."""
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    settings.backup_dir.mkdir()
    build("layout_a", settings.database_path)
    with closing(sqlite3.connect(settings.database_path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return settings


def chosen(near: Path, needed_bytes: int = 1) -> Path:
    with temporary_folder("x-", near, needed_bytes) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        return folder.parent


def test_the_order_is_sqlites_folder_the_backups_and_the_data(tmp_path: Path) -> None:
    own, backups, data = (tmp_path / name for name in ("own", "backups", "data"))
    data.mkdir()
    backups.mkdir()
    prefer(own, backups)
    assert chosen(data) == backups  # the other is not there
    own.mkdir()
    assert chosen(data) == own
    prefer(None, backups)
    assert chosen(data) == backups
    prefer()
    assert chosen(data) == data
    assert chosen(tmp_path / "absent") == Path(tempfile.gettempdir())


def test_a_folder_without_room_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.setattr(temporary, "free_bytes", lambda folder: 10 if folder.name == "small" else 1000)
    prefer(tmp_path / "small")
    assert chosen(tmp_path, 500) == tmp_path
    with pytest.raises(Refused, match="small \\(10 are free\\)"), temporary_folder("x-", tmp_path, 5000):
        pass


def test_nothing_is_left_and_no_time_changes(settings: Settings, tmp_path: Path) -> None:
    prefer(settings.backup_dir)
    before = everything_in(tmp_path)
    with storage_at(settings.database_path).looking() as connection:
        # Its names are gone although it is open: what is killed now leaves nothing.
        assert everything_in(tmp_path) == before
        assert connection.count("users") > 0
        assert connection.soundness() == Soundness()
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("what", ["check", "prove", "log"])
def test_no_folder_of_the_system_is_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    if what == "prove":
        backup = create_backup(settings, "manual", describe=describe)
        assert prove_backup(settings, backup.name, describe=describe).contents.rows
        return
    if what == "log":  # rows that are in the log alone
        with closing(sqlite3.connect(settings.database_path)) as writer:
            writer.execute("INSERT INTO audit_logs (action, table_name, record_id) VALUES ('x', 'y', 1)")
            writer.commit()
            assert make_plan(settings).blockers == ()
    assert make_plan(settings).blockers == ()


def test_a_database_that_is_written_to_without_a_pause_can_be_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "_PATIENCE_SECONDS", 0.3)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(settings.database_path)], stdout=subprocess.PIPE, env=environment
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"on\n"
            with storage_at(settings.database_path).looking() as connection:
                first = connection.count("log")
                assert connection.count("log") == first  # one state
            assert make_plan(settings).current.kind == "daemon"
            assert sorted(path.name for path in settings.data_dir.iterdir()) == [
                *("daemon.db", "daemon.db-shm", "daemon.db-wal")
            ]
        finally:
            writer.kill()


KILLED = """
import os, signal, sys
from pathlib import Path
from app.temporary import temporary_folder
with temporary_folder(sys.argv[2], Path(sys.argv[1]), 1) as folder:
    (folder / "copy.db").write_bytes(b"a copy of everything")
    print(folder, flush=True)
    if len(sys.argv) > 3:
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("prefix", [".daemon-look-", ".daemon-restore-", ".daemon-copy-", ".daemon-prove-"])
def test_what_a_killed_process_left_is_cleared_away_by_the_next(tmp_path: Path, prefix: str) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), prefix]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(prefix)
    times = tmp_path.stat().st_mtime_ns
    with temporary_folder(prefix, tmp_path, 1) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns == times


def test_the_folder_of_a_process_that_is_alive_stays_and_so_does_what_is_not_ours(tmp_path: Path) -> None:
    for name in (".daemon-look-", ".daemon-look-mine.txt", "daemon-look-abcdefgh", ".daemon-odd"):
        (tmp_path / name).mkdir()
    (tmp_path / ".daemon-copy-abcdefgh").symlink_to(tmp_path / ".daemon-odd")
    kept = set(tmp_path.iterdir())
    command = [sys.executable, "-c", KILLED, str(tmp_path), ".daemon-look-", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        temporary.clear_leftovers(tmp_path)
        assert set(tmp_path.iterdir()) == {*kept, folder}
        process.communicate("")
    temporary.clear_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == kept
