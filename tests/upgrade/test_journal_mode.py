"""Journal mode: WAL for fresh databases where it is sound, for others at their owner's word, and back?"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.doctor import health
from app.errors import Busy, Refused, UnknownDatabase
from app.server.database_supervisor import DatabaseSupervisor
from app.server.idle_checkpoint import IdleCheckpoint
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.sqlite import library
from app.upgrade.operations.init import initialise
from app.upgrade.operations.journal_mode import ROLLBACK, WAL, change_journal_mode
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build


@pytest.fixture
def settings(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    return settings_in(tmp_path, backup_enabled=False)


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without the WAL-reset fault, as far as its number says."""
    monkeypatch.setattr(library, "WITHOUT_WAL_RACE", (3, 0, 0))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library with it."""
    monkeypatch.setattr(library, "WITHOUT_WAL_RACE", (99, 0, 0))


def mode_of(settings: Settings) -> str:
    return storage_for(settings.database_url).journal_mode()


def advice(settings: Settings) -> list[str]:
    return [one.hint for one in health.findings_of(settings) if one.code == "rollback_journal"]


@pytest.mark.usefixtures("sound")
def test_a_fresh_database_uses_wal_where_that_is_sound(settings: Settings) -> None:
    initialise(settings)
    assert mode_of(settings) == WAL
    assert [one.name for one in settings.data_dir.iterdir() if "daemon.db-" in one.name] == []
    assert advice(settings) == []


@pytest.mark.usefixtures("faulty")
def test_elsewhere_it_keeps_a_rollback_journal_and_wal_is_refused(settings: Settings) -> None:
    initialise(settings)
    assert mode_of(settings) == ROLLBACK
    assert advice(settings) == []
    with pytest.raises(Refused, match="WAL mode"):
        change_journal_mode(settings, WAL)
    assert mode_of(settings) == ROLLBACK


@pytest.mark.usefixtures("sound")
def test_a_network_file_system_is_no_place_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.mounts.mount_kind", lambda path: "fuse.sshfs")
    initialise(settings)
    assert mode_of(settings) == ROLLBACK
    with pytest.raises(Refused, match="network file system"):
        change_journal_mode(settings, WAL)


def test_the_owner_changes_it_and_back_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "WITHOUT_WAL_RACE", (99, 0, 0))
    initialise(settings)
    monkeypatch.setattr(library, "WITHOUT_WAL_RACE", (3, 0, 0))
    assert advice(settings) == ["daemon database wal"]
    for mode in (WAL, ROLLBACK):
        assert change_journal_mode(settings, mode).state == "done"
        assert mode_of(settings) == mode
        assert change_journal_mode(settings, mode).state == "nothing_to_do"
        with closing(sqlite3.connect(settings.database_path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.usefixtures("sound")
def test_what_is_in_use_or_not_there_is_left_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownDatabase):
        change_journal_mode(settings, WAL)
    assert not settings.database_path.exists()
    initialise(settings)
    monkeypatch.setattr("app.storage.sqlite.exclusive.MODE_WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(settings.database_path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM users").fetchall()
        with pytest.raises(Busy):
            change_journal_mode(settings, ROLLBACK)
    assert mode_of(settings) == WAL


@pytest.mark.usefixtures("sound")
def test_the_idle_server_folds_the_log_once(settings: Settings) -> None:
    initialise(settings)
    supervisor = DatabaseSupervisor(settings, lambda database: None)
    supervisor.start(20.0)
    folds: list[int] = []
    checkpoint = supervisor.checkpoint
    supervisor.checkpoint = lambda: (folds.append(1), checkpoint())  # type: ignore[assignment, method-assign, func-returns-value]
    idle = IdleCheckpoint(supervisor)
    try:
        for _ in range(3):
            idle.look()
        folds.clear()  # what was there at the start
        for expected in (1, 2):
            with supervisor.writing() as connection:
                connection.exec_driver_sql("INSERT INTO id_counters VALUES (hex(randomblob(8)), 1)")
            idle.look()
            assert len(folds) == expected - 1, "no one knows yet whether it is idle"
            for _ in range(3):
                idle.look()
            assert len(folds) == expected
    finally:
        supervisor.stop()
    assert storage_for(settings.database_url).companions() == []


@pytest.mark.usefixtures("sound")
def test_of_an_upgraded_database_in_wal_a_copy_by_cp_while_no_one_writes_has_everything(
    settings: Settings, tmp_path: Path
) -> None:
    build("layout_a", settings.database_path)
    assert run_upgrade(settings).state == "done"
    assert mode_of(settings) == ROLLBACK, "it keeps the mode that it had"
    assert change_journal_mode(settings, WAL).state == "done"
    supervisor = DatabaseSupervisor(settings, lambda database: None)
    supervisor.start(20.0)
    idle, copied = IdleCheckpoint(supervisor), tmp_path / "copied.db"
    try:
        for number in range(3):
            with supervisor.writing() as connection:
                connection.exec_driver_sql("INSERT INTO id_counters VALUES (?, 1)", (f"written {number}",))
        log = settings.database_path.with_name(settings.database_path.name + "-wal")
        assert log.stat().st_size > 0, "or there is nothing to lose"
        for _ in range(3):
            idle.look()
        shutil.copyfile(settings.database_path, copied)
    finally:
        supervisor.stop()
    with closing(sqlite3.connect(copied)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT count(*) FROM id_counters WHERE table_name LIKE 'written %'"
        assert connection.execute(query).fetchone() == (3,)
