"""Do ``daemon user erase`` and ``keep`` let someone leave, in two steps, and only where it is meant?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Typed

PASSWORD = "correct horse battery"


@pytest.fixture
def ben(typed: Typed) -> Typed:
    """An installation of ann's, in which ben has an account."""
    typed("init")
    for name, *more in (("ann", "--admin"), ("ben", "--full-name", "Benedict")):
        typed("user", "create", name, *more, "--password-stdin", stdin=PASSWORD + "\n")
    return typed


def test_it_has_to_be_meant(ben: Typed) -> None:
    for confirmed in ((), ("--confirm", "bEn")):
        said = ben("user", "erase", "ben", *confirmed, status=2).err
        assert "daemon user erase ben --confirm ben" in said
    assert "only active admin" in ben("user", "erase", "ann", "--confirm", "ann", status=1).err
    assert [each["is_active"] for each in ben("user", "list", "--json").json["users"]] == [True, True]


def test_one_leaves_and_can_be_kept(ben: Typed) -> None:
    said = ben("user", "erase", "ben", "--confirm", "ben", "--json").json
    assert (said["username"], said["is_scrubbed"], said["backups"]) == ("ben", False, [])
    assert "daemon user keep" in ben("user", "activate", "ben", status=1).err
    assert ben("user", "keep", "ben", "--json").json == {"username": "ben", "is_active": True}
    assert "not leaving" in ben("user", "keep", "ben", status=1).err


def test_now_everything_is_gone_from_the_file(ben: Typed, tmp_path: Path) -> None:
    backup = ben("backup", "create", "--json").json["name"]
    said = ben("user", "erase", "ben", "--confirm", "ben", "--now", "--json").json
    assert said["is_scrubbed"] is True
    assert [each["name"] for each in said["backups"]] == [backup]
    assert [each["username"] for each in ben("user", "list", "--json").json["users"]] == ["ann"]
    files = [path for path in tmp_path.rglob("*.db*") if path.is_file() and "backup" not in str(path)]
    assert files
    for path in files:
        assert b"Benedict" not in path.read_bytes()
        assert b"ben@localhost" not in path.read_bytes()
    assert "no user" in ben("user", "keep", "ben", status=1).err
    assert "taken" in ben("user", "create", "BEN", "--password-stdin", stdin=PASSWORD + "\n", status=1).err
    assert ben("audit", "verify", "--json").json["is_whole"] is True
