"""What does `daemon move` say and answer, and what do the other commands say of a database that was moved?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.needs("postgresql")
PASSWORD = "s3cret-of-the-role"


@pytest.fixture
def url(postgresql_server: PostgreSQL, postgresql_database: str) -> str:
    """An empty database, with a password that its server does not ask for."""
    return postgresql_server.url(postgresql_database).replace("postgres@", f"postgres:{PASSWORD}@")


def test_a_move_prints_what_to_set_and_is_told_by_every_command(
    typed: Typed, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    with closing(sqlite3.connect(tmp_path / "data/daemon.db")) as connection:
        connection.execute("UPDATE endpoints SET is_active = 'perhaps' WHERE id = 2")
        connection.commit()
    backup = typed("backup", "create", "--json").json["name"]
    checked = typed("move", "--to", url, "--check", "--json").json
    (misfit,) = next(one for one in checked["tables"] if one["table"] == "endpoints")["misfits"]
    assert misfit == {
        "column": "is_active",
        "reason": "a text in a flag",
        "rows": 1,
        "kept": "value",
        "examples": ["2"],
    }
    said = typed("move", "--to", url)
    assert f"DATABASE_URL={url}" in said.out
    assert "is not served any more" in said.out
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".db"]
    assert not [path for path in written if PASSWORD in path.read_text(errors="replace")]

    for words in (("user", "list"), ("backup", "restore", backup, "--yes"), ("init",), ("init", "--new-id")):
        refused = typed(*words, status=15)
        assert "was moved on" in refused.err
        assert "daemon move --undo" in refused.err
    assert "was moved on" in typed("status").out
    assert typed("upgrade", "check", status=15)

    monkeypatch.setenv("DATABASE_URL", url)
    assert "42 kinds" in typed("status").out
    typed("user", "list")
    undone = typed("move", "--undo", "--json").json
    assert undone["database"] == str(tmp_path / "data/daemon.db")
    typed("user", "list", status=15)
    monkeypatch.delenv("DATABASE_URL")
    typed("user", "list")


def test_what_cannot_be_asked_is_said(typed: Typed, url: str) -> None:
    typed("init")
    assert "Where to?" in typed("move", status=2).err
    assert "--to names no database" in typed("move", "--to", "nonsense", status=2).err
    assert "exclude each other" in typed("move", "--undo", "--check", status=2).err
    assert "--gone is for --undo" in typed("move", "--gone", "--to", "sqlite:///other.db", status=2).err
    assert "one engine" in typed("move", "--to", "sqlite:///other.db", status=2).err
    answer = typed("move", "--undo", "--json", status=1)
    assert json.loads(answer.out)["error"]["code"] == "not_found"
    unreachable = "postgresql://ann@127.0.0.1:1/none"
    error = typed("move", "--to", unreachable, "--check", "--json", status=16).json["error"]
    assert "cannot be reached" in error["message"]
    assert "nothing was moved" in error["message"]


def test_a_file_that_is_gone_is_said_to_be_so(
    typed: Typed, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    typed("move", "--to", url)
    monkeypatch.setenv("DATABASE_URL", url)
    typed("move", "--to", f"sqlite:///{tmp_path / 'back.db'}")
    (tmp_path / "back.db").unlink()
    refused = typed("move", "--undo", status=1).err
    assert "nothing was changed" in refused
    assert "daemon move --undo --gone" in refused
    typed("user", "list", status=15)
    assert "nothing was compared" in typed("move", "--undo", "--gone").out
    typed("user", "list")
