"""Does a proof find every damage, and does it leave no trace?"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.backup.manifest import manifest_path
from app.backup.verify import prove_backup
from app.errors import Damaged, NotFound, Refused, UnknownDatabase
from app.settings import Settings
from tests.backup.worlds import describe, flip_byte, make_daemon, snapshot, spoil_a_page


def test_a_sound_backup_is_proved_without_a_trace(home_in_either_mode: Settings, tmp_path: Path) -> None:
    made = create_backup(home_in_either_mode, describe=describe)
    before = snapshot(tmp_path)
    proof = prove_backup(home_in_either_mode, made.name, describe=describe)
    assert snapshot(tmp_path) == before
    assert proof.manifest == made.manifest
    assert proof.contents.rows["data_entries"] == 51
    assert proof.orphans == 1
    assert proof.checks[0] == "SHA-256 as in its manifest"


def test_a_sound_backup_is_proved_on_either_engine(anywhere: Settings, tmp_path: Path) -> None:
    made = create_backup(anywhere, describe=describe)
    before = snapshot(tmp_path)
    proof = prove_backup(anywhere, made.name, describe=describe)
    assert snapshot(tmp_path) == before
    assert proof.manifest == made.manifest
    assert proof.contents.rows == dict(made.manifest.rows) if made.manifest else None
    assert proof.checks[0] == "SHA-256 as in its manifest"


def test_a_backup_without_manifest_is_proved_as_far_as_it_goes(home: Settings, tmp_path: Path) -> None:
    home.backup_dir.mkdir()
    make_daemon(home.backup_dir / "daemon_backup_20250102_030405.db", wal=True)
    before = snapshot(tmp_path)
    proof = prove_backup(home, "daemon_backup_20250102_030405.db", describe=describe)
    assert snapshot(tmp_path) == before
    assert proof.manifest is None
    assert "nothing vouches" in proof.checks[0]


@pytest.mark.parametrize("part", range(12))
def test_any_flipped_byte_is_found(home: Settings, part: int) -> None:
    made = create_backup(home, describe=describe)
    flip_byte(made.path, part * (made.size_bytes - 1) // 11)
    with pytest.raises(Damaged):
        prove_backup(home, made.name, describe=describe)


def test_damage_without_a_manifest_is_found(home: Settings) -> None:
    made = create_backup(home, describe=describe)
    manifest_path(made.path).unlink()
    spoil_a_page(made.path)
    with pytest.raises(Damaged):
        prove_backup(home, made.name, describe=describe)


def test_what_is_no_daemon_is_said(anywhere: Settings, ending: str) -> None:
    anywhere.backup_dir.mkdir()
    (anywhere.backup_dir / f"text{ending}").write_text("hello")
    with pytest.raises((Damaged, UnknownDatabase)):
        prove_backup(anywhere, f"text{ending}", describe=describe)
    with pytest.raises(NotFound):
        prove_backup(anywhere, f"nothing{ending}", describe=describe)


def test_no_room_for_the_copy_is_said(anywhere: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_backup(anywhere, describe=describe)
    monkeypatch.setattr("app.storage.failures.free_bytes", lambda folder: 10)
    with pytest.raises(Refused, match="too little room"):
        prove_backup(anywhere, made.name, describe=describe)
