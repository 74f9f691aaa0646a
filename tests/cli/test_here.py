"""Do init, status, backup and export answer people and programs?"""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from app import clock, files
from app.accounts import proxies
from app.privacy import patterns
from app.upgrade.records import last_attempt
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS
from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build


def test_init_makes_a_database_once(typed: Typed, tmp_path: Path) -> None:
    assert "data/daemon.db" in typed("init").out
    before = (tmp_path / "data/daemon.db").read_bytes()
    assert typed("init", "--json").json["state"] == "nothing_to_do"
    assert (tmp_path / "data/daemon.db").read_bytes() == before


def test_init_takes_one_decision_only(typed: Typed) -> None:
    typed("init", "--fresh", "--adopt", "x.db", status=2)


def test_status_before_and_after(typed: Typed, tmp_path: Path) -> None:
    said = typed("status", "--json").json
    assert said["database"] == str(tmp_path / "data/daemon.db")
    assert said["problems"]
    assert list(tmp_path.iterdir()) == []
    typed("init")
    said = typed("status", "--json").json
    assert (said["problems"], said["pending"], said["database_version"]) == ([], False, NEWEST)
    assert NEWEST in typed("status").out


def test_status_tells_why_the_upgrade_at_a_start_failed(
    typed: Typed, tmp_path: Path, settings_in: SettingsIn
) -> None:
    typed("init")
    last_attempt.remember_failure(settings_in(tmp_path), "there was no room in the folder of backups")
    assert "there was no room in the folder of backups" in typed("status").out


def test_backups_from_making_to_pruning(typed: Typed) -> None:
    assert "no backups" in typed("backup", "list").err
    assert typed("backup", "list", "--json").json["backups"] == []
    typed("init")
    name = typed("backup", "create", "--json").json["name"]
    assert name in typed("backup", "list").out
    (listed,) = typed("backup", "list", "--json").json["backups"]
    assert (listed["name"], listed["state"], listed["purpose"]) == (name, "good", "manual")
    assert "is sound" in typed("backup", "prove", name).out
    assert typed("backup", "prove", name, "--json").json["sound"] is True
    assert typed("backup", "restore", name, "--json").json["backup_of_the_state_before"].startswith("backup_")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD)
    said = typed("backup", "restore", name)  # nobody can be asked: it is said, before it is done
    assert said.err.index("people: 1 new") < said.err.index("keeping the state before")
    assert "What was written since would not be in it any more." in said.err
    assert typed("user", "list", "--json").json["users"] == []
    assert typed("backup", "prune", "--json").json["removed"] == []
    assert typed("backup", "prune", "--dry-run", "--json").json["dry_run"] is True
    assert typed("backup", "prove", "backup_20000101_000000.db", status=1).err.startswith("Error: ")


def test_an_export_never_overwrites_another(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD)
    first = typed("export-user-data", "ann", "--output-dir", "out", "--json").json
    second = typed("export-user-data", "ann", "--output-dir", "out", "--json").json
    assert first["folder"] != second["folder"]
    assert first["files"] == second["files"]
    for name in first["files"]:
        path = Path(first["folder"]) / name
        assert path.stat().st_mode & 0o077 == 0
        json.loads(path.read_text())
    assert not any(b"$argon2" in path.read_bytes() for path in (tmp_path / "out").rglob("*.json"))


def test_history_is_one_object(typed: Typed) -> None:
    typed("init")
    lines = typed("upgrade", "history", "--json").json["history"]
    assert [line["version"] for line in lines if line["event"] == "step"] == [
        row.version for row in SCHEMA_VERSIONS
    ]


def test_a_setting_that_cannot_be_used(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=ninety\nNONSENSE=1\n")
    said = typed("status", status=2)
    assert "PORT" in said.err
    (tmp_path / ".env").write_text("NONSENSE=1\n")
    assert "Warning: NONSENSE" in typed("status", "--json").err


def test_status_and_check_tell_of_a_published_secret(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    build("layout_b", tmp_path / "data/daemon.db")
    (tmp_path / ".env").write_text("SECRET_KEY=your-super-secret-key-here-change-me\n")
    for command in (("status",), ("upgrade", "check"), ("upgrade", "run")):
        said = typed(*command, status=None)
        assert "ran with a SECRET_KEY that was published" in said.out
        assert "your-super" not in said.out + said.err
    assert typed("status", "--json").json["published_secret"] is None


def test_status_says_where_rules_cannot_be_searched_for(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    assert typed("status", "--json").json["patterns"] is None
    monkeypatch.setattr(patterns, "library", lambda: None)
    assert "google-re2" in typed("status").out
    assert "hide whole texts" in typed("status", "--json").json["patterns"]


def test_status_tells_of_a_proxy_that_is_not_trusted(
    typed: Typed, tmp_path: Path, settings_in: SettingsIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    assert "TRUSTED_PROXIES" not in typed("status").out
    proxies.note(settings_in(tmp_path), "127.0.0.1", clock.now())
    assert "TRUSTED_PROXIES=127.0.0.1" in typed("status").out
    assert typed("status", "--json").json["untrusted_proxies"] == ["127.0.0.1"]
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.0/8")
    assert typed("status", "--json").json["untrusted_proxies"] == []


def test_a_usual_list_of_backups_fits_into_80_characters(typed: Typed, tmp_path: Path) -> None:
    build("guide_0_1", tmp_path / "data/daemon.db")
    typed("upgrade", "run")
    assert "Nothing was written since." in typed("upgrade", "rollback", "--dry-run").out
    assert typed("upgrade", "rollback", "--dry-run", "--discard", "--json").json["can_be_done"] is True
    typed("upgrade", "rollback", "--yes")
    typed("backup", "create")
    lines = typed("backup", "list").out.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80, lines


def test_an_export_that_finds_no_room_leaves_no_half(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD)
    whole: list[Path] = []
    real = files.write_atomically

    def full(path: Path, content: bytes, mode: int = 0o600, like: Path | None = None) -> None:
        if "out" in path.parts and whole:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole.append(path)
        real(path, content, mode, like)

    monkeypatch.setattr(files, "write_atomically", full)
    said = typed("export-user-data", "ann", "--output-dir", "out", status=15).err
    assert "no export was made" in said
    assert "df -h" in said
    assert list((tmp_path / "out").iterdir()) == []


def test_a_hold_that_finds_no_room_names_its_file(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build("layout_b", tmp_path / "data/daemon.db")
    name = typed("backup", "create", "--json").json["name"]
    typed("upgrade", "run")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.upgrade.records.auto_upgrade_block.set_hold", full)
    said = typed("backup", "restore", name, status=15).err
    assert str(tmp_path / "data") in said
    assert "nothing was changed" in said
