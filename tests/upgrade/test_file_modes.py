"""Do the files of an installation lose what others could read, and nothing that its owner gave?"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.backup.manifest import manifest_path
from app.settings import Settings
from app.upgrade.checks.file_modes import narrow_files
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.init import initialise
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import as_nobody, open_folder

OURS = {
    "data": (
        "daemon.db",
        "daemon.db-wal",
        "daemon.db-shm",
        "daemon.db-journal",
        "daemon.db.lock",
        "daemon.db.empty-20261122_065801",
        "secret_key",
        "proxies_seen",
    ),
    "backups": (
        "daemon_backup_20251122_065801.db",
        "pre_restore_20251122_065801.db",
        "backup_20261122_065801.db",
        "backup_20261122_065801.db.json",
        "backup_20261122_065801_2.db",
        "upgrade_journal.jsonl",
    ),
    "logs": ("server.log", "server.log.1", "server.log.5"),
}


@pytest.fixture
def settings(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """An installation as an older server left it: everything readable by everyone."""
    for folder, names in OURS.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder).chmod(0o755)
        for name in names:
            (tmp_path / folder / name).touch()
            (tmp_path / folder / name).chmod(0o644)
    return settings_in(tmp_path)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_file_and_folder_is_closed_to_others_and_told(settings: Settings) -> None:
    told = narrow_files(settings)
    root = settings.data_dir.parent
    for folder, names in OURS.items():
        assert mode_of(root / folder) == 0o750
        assert {name: mode_of(root / folder / name) for name in names} == dict.fromkeys(names, 0o640)
    assert len(told) == 1
    assert "Every account of this machine could read" in told[0]
    assert narrow_files(settings) == ()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660])
def test_what_the_group_may_stays(settings: Settings, mode: int) -> None:
    settings.database_path.chmod(mode | 0o004)
    narrow_files(settings)
    assert mode_of(settings.database_path) == mode


@pytest.mark.parametrize("folder", ["data", "backups", "logs"])
def test_a_folder_that_holds_other_files_is_told_and_left(settings: Settings, folder: str) -> None:
    place = settings.data_dir.parent / folder
    (place / "notes.txt").touch()
    (place / "notes.txt").chmod(0o644)
    told = narrow_files(settings)
    assert (mode_of(place), mode_of(place / "notes.txt")) == (0o755, 0o644)
    assert [sentence for sentence in told if f"sudo chmod o-rwx {place}" in sentence]
    assert all(mode_of(place / name) == 0o640 for name in OURS[folder])


def test_the_owners_own_databases_are_left(settings: Settings) -> None:
    own = [settings.backup_dir / name for name in ("photos.db", "photos.db.json", "copy.db")]
    for path in own:
        path.write_text("{}")
        path.chmod(0o644)
    narrow_files(settings)
    assert {mode_of(path) for path in own} == {0o644}


def test_a_backup_that_was_renamed_is_known_by_its_manifest(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    initialise(settings)
    made = create_backup(settings, describe=describe).path
    renamed = [made.rename(made.with_name("mine.db"))]
    renamed.append(manifest_path(made).rename(manifest_path(renamed[0])))
    for path in renamed:
        path.chmod(0o644)
    narrow_files(settings)
    assert {mode_of(path) for path in renamed} == {0o640}


def test_a_checkout_that_holds_everything(tmp_path: Path, settings_in: SettingsIn) -> None:
    """The old default: the database in the folder of the program, backups and logs in folders below."""
    tmp_path.chmod(0o755)
    settings = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'daemon.db'}")
    for name in ("daemon.db", "README.md"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    told = narrow_files(settings)
    assert (mode_of(tmp_path), mode_of(tmp_path / "daemon.db")) == (0o755, 0o640)
    assert len(told) == 2


def test_the_database_behind_a_link_is_closed_too(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings, real = settings_in(tmp_path), tmp_path / "disk" / "real.db"
    real.parent.mkdir()
    settings.data_dir.mkdir()
    real.touch()
    real.chmod(0o644)
    settings.database_path.symlink_to(real)
    settings.claim_path.touch()
    settings.claim_path.chmod(0o644)
    narrow_files(settings)
    assert (mode_of(real), mode_of(settings.claim_path)) == (0o640, 0o640)


@pytest.mark.needs("root")
def test_what_an_account_may_not_change_is_told_with_the_command(settings_in: SettingsIn) -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        settings.data_dir.mkdir(mode=0o755)
        path = settings.database_path
        path.touch()
        path.chmod(0o644)
        told = as_nobody(lambda: narrow_files(settings))
        assert mode_of(path) == 0o644
        assert any(f"sudo chown nobody {path} && sudo chmod o-rwx {path}" in sentence for sentence in told)


def test_an_upgrade_does_it_and_reports_it(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    build("layout_a", settings.database_path)
    settings.database_path.chmod(0o664)
    outcome = run_upgrade(settings)
    assert (outcome.exit_code, mode_of(settings.database_path)) == (0, 0o660)
    assert [note for note in outcome.notes if "Every account of this machine could read" in note]
