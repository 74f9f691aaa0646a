"""Is it said before a restore that this Daemon cannot serve the backup, and does it take --yes?"""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.upgrade.old_databases import build

NAME = "backup_20300101_000000.db"


def unread(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        row = ("view", "odd", "odd", 0, "CREATE VIEW odd AS SELECT group_concat(1 FROB BY 2)")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()


@pytest.fixture(params=["newer_by_history", "newer_by_header", "unread"])
def backup(request: pytest.FixtureRequest, typed: Typed, tmp_path: Path) -> tuple[Path, int]:
    """A backup without a manifest that cannot be served, beside a database that can; the exit status."""
    typed("init")
    (tmp_path / "backups").mkdir(exist_ok=True)
    path = tmp_path / "backups" / NAME
    if request.param == "unread":
        shutil.copyfile(tmp_path / "data/daemon.db", path)
        unread(path)
        return path, 11
    build(request.param, path)
    return path, 12


def test_it_is_said_and_takes_yes(backup: tuple[Path, int], typed: Typed, tmp_path: Path) -> None:
    _, status = backup
    before = (tmp_path / "data/daemon.db").read_bytes()
    said = typed("backup", "restore", NAME, status=status).err
    assert "cannot serve it" in said
    assert f"backup restore {NAME} --yes" in said
    assert (tmp_path / "data/daemon.db").read_bytes() == before
    assert not list((tmp_path / "backups").glob("backup_2026*"))
    done = typed("backup", "restore", NAME, "--yes")
    assert "Warning" in done.err
    assert "cannot serve it" in done.err
    typed("upgrade", "check", status=status)
    taken_back = typed_again(done.out)
    done = typed(*taken_back)
    typed("upgrade", "check")
    assert typed_again(done.out)[-1] == "--yes"
    typed(*typed_again(done.out))
    typed("upgrade", "check", status=status)


def typed_again(said: str) -> list[str]:
    """The words of the command that the answer names for going back."""
    return shlex.split(said.partition("kept: ")[2].partition(" takes this back")[0])[1:]


def test_a_proof_of_it_tells_it_too(backup: tuple[Path, int], typed: Typed) -> None:
    said = typed("backup", "prove", NAME).out
    assert "is sound" in said
    assert "cannot serve it" in said
    assert "cannot serve it" in typed("backup", "prove", NAME, "--json").json["unservable"]


def test_programs_get_it_as_an_error_without_yes(backup: tuple[Path, int], typed: Typed) -> None:
    _, status = backup
    error = typed("backup", "restore", NAME, "--json", status=status).json["error"]
    assert error["exit_code"] == status
    assert "cannot serve it" in error["message"]
    assert typed("backup", "restore", NAME, "--json", "--yes").json["name"] == NAME


@pytest.mark.parametrize("name", ["newer_by_history", "newer_by_header"])
def test_the_list_says_which_are_newer(typed: Typed, tmp_path: Path, name: str) -> None:
    (tmp_path / "backups").mkdir()
    build(name, tmp_path / "backups" / NAME)
    build("layout_b", tmp_path / "backups/backup_20290101_000000.db")
    listed = typed("backup", "list").out.splitlines()
    assert ["newer than this Daemon" in line for line in listed] == [False, True, False]


def test_an_older_one_is_put_back_as_always(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    (tmp_path / "backups").mkdir(exist_ok=True)
    build("layout_b", tmp_path / "backups" / NAME)
    assert "cannot serve" not in typed("backup", "restore", NAME).err
