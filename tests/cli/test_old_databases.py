"""Can every old database be looked at: no trace, not a byte written, the right status?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from app.errors import EXIT_UPGRADE_PENDING
from app.storage.access import Denial
from app.storage.types import StorageError
from tests.cli.conftest import Typed
from tests.cli.test_unservable_backups import unread
from tests.upgrade.old_databases import NAMES, build


def seen(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.sweep
@pytest.mark.parametrize("name", NAMES)
def test_looking_writes_nothing_and_has_the_status_of_the_run(
    typed: Typed, tmp_path: Path, name: str
) -> None:
    facts = build(name, tmp_path / "data/daemon.db")
    before = seen(tmp_path)
    expected = EXIT_UPGRADE_PENDING if facts.upgrades else facts.exit_code
    said = typed("upgrade", "check", "--json", status=None)
    assert said.status == expected, said
    assert said.json["exit_code"] == expected
    for words in (("upgrade", "check"), ("upgrade", "plan"), ("upgrade", "status"), ("upgrade", "history")):
        assert "fault of Daemon's own" not in typed(*words, status=None).err, words
    typed("status")
    typed("backup", "list")
    assert seen(tmp_path) == before


def test_a_copy_that_cannot_be_made_is_no_fault_of_daemon_s_own(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build("layout_a", tmp_path / "data/daemon.db")

    def fail(_: object) -> None:
        raise StorageError("full", sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr("app.cli.open_database.upgraded_copy", fail)
    said = typed("user", "list", status=1).err
    assert "no copy could be made" in said
    assert "daemon upgrade check" in said
    assert "fault of Daemon's own" not in said


@pytest.mark.parametrize(
    ("name", "status"),
    [("newer_by_history", 12), ("foreign", 13), ("drift_of_no_known_form", 11), ("unread", 11)],
)
def test_a_command_refuses_with_the_status_that_the_check_has(
    typed: Typed, tmp_path: Path, name: str, status: int
) -> None:
    path = tmp_path / "data/daemon.db"
    build("layout_b" if name == "unread" else name, path)
    if name == "unread":
        unread(path)
    assert typed("upgrade", "check", status=None).status == status
    typed("user", "list", status=status)
    typed("export-user-data", "ann", "--output-dir", "out", status=status)


def test_status_answers_also_where_the_backups_cannot_be_listed(typed: Typed, tmp_path: Path) -> None:
    build("layout_b", tmp_path / "data/daemon.db")
    (tmp_path / "file").touch()
    (tmp_path / ".env").write_text("BACKUP_DIR=./file\n")
    said = typed("status", "--json").json
    assert any(str(tmp_path / "file") in each for each in said["problems"])
    assert said["rows"]["users"] > 0


def test_a_journal_that_may_not_be_read_is_said_to_be_left_out(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build("layout_b", tmp_path / "data/daemon.db")
    typed("upgrade", "run")
    assert "left out" not in typed("upgrade", "history").err
    denied = Denial(tmp_path, "the account nobody may not read it", "sudo chown nobody it")
    monkeypatch.setattr("app.cli.upgrade.find_denial", lambda path, access: denied)
    said = typed("upgrade", "history")
    assert "The journal is left out: the account nobody may not read it. sudo chown nobody it" in said.err
    assert "backup_" in said.out


@pytest.mark.parametrize("name", ["newer_by_history", "newer_by_header"])
def test_of_a_newer_one_the_version_is_to_be_installed(typed: Typed, tmp_path: Path, name: str) -> None:
    build(name, tmp_path / "data/daemon.db")
    assert "Install that version again" in typed("upgrade", "check", status=12).out
    typed("repair", "orphans", status=12)
    (tmp_path / "data/daemon.db").rename(tmp_path / "other.db")
    typed("init", "--adopt", "other.db", status=12)
