"""Does the doctor find what is old or dangerous and mend what can be mended, and can that be undone?"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.backup.create import create_backup
from app.doctor.examine import examine
from app.doctor.findings import Finding, Place
from app.doctor.fix import apply, changes_of, diff_of
from app.errors import Refused
from app.privacy import patterns
from app.settings import Settings, load_settings
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.init import initialise
from tests.upgrade.old_databases import build

ENV = """APP_NAME=Daemon
SECRET_KEY=your-super-secret-key-here-change-me
DATABASE_URL=sqlite:///./daemon.db
CORS_ORIGINS=["http://localhost:3000"]
MCP_ENABLED=true
BACKUP_DIR=/opt/daemon-pmac/backups
"""
COMPOSE = """services:
  api:
    container_name: daemon-pmac-api
    environment:
      - SECRET_KEY=${SECRET_KEY:-change-me-in-production}
    volumes:
      - ./daemon.db:/app/daemon.db
      - daemon-pmac-data:/app/data
volumes:
  daemon-pmac-data:
"""
UNIT = """[Service]
User=daemon-pmac
WorkingDirectory=/opt/daemon-pmac
ExecStart=/opt/daemon-pmac/venv/bin/uvicorn app.main:app --host 0.0.0.0 --port 8004
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An installation of the old release, moved to its new folder but not otherwise touched."""
    folder, units, programs = (tmp_path / name for name in ("here", "units", "opt"))
    for each in (folder / "data", units, programs / "daemon"):
        each.mkdir(parents=True)
    build("layout_b", folder / "data" / "daemon.db")
    (folder / ".env").write_text(ENV)
    (folder / ".env").chmod(0o644)
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (units / "daemon.service").write_text(UNIT)
    monkeypatch.chdir(folder)
    for name in ("DATABASE_URL", "BACKUP_DIR", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Place(folder, (units,), programs)


def settings_of(place: Place, **changes: str) -> Settings:
    url = f"sqlite:///{place.folder}/data/daemon.db"
    return load_settings({"DATABASE_URL": url, "BACKUP_DIR": str(place.folder / "backups"), **changes})


def found(place: Place) -> dict[str, Finding]:
    return {one.code: one for one in examine(settings_of(place), place)}


def pictures(place: Place) -> dict[Path, tuple[bytes, int, int]]:
    paths = [
        path for folder in (place.folder, *place.unit_folders) for path in folder.rglob("*") if path.is_file()
    ]
    return {path: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in paths}


def test_an_installation_of_the_old_release_is_told_all_of_it_and_nothing_is_written(place: Place) -> None:
    before = pictures(place)
    codes = {code: one.severity for code, one in found(place).items()}
    assert codes.items() >= {
        ("old_database_url", "old"),
        ("missing_setting", "old"),
        ("secret_in_file", "danger"),
        ("old_name", "old"),
        ("env_mode", "danger"),
        ("old_container_name", "old"),
        ("file_mounted_alone", "danger"),
        ("old_unit_file", "old"),
        ("old_account", "advice"),
        ("listens_everywhere", "advice"),
        ("setting_without_meaning", "advice"),
        ("no_recent_backup", "danger"),
        ("upgrade_pending", "old"),
    }
    assert pictures(place) == before


def test_a_missing_search_of_patterns_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "patterns" not in found(place)
    monkeypatch.setattr(patterns, "library", lambda: None)
    assert "hide whole texts" in found(place)["patterns"].message


def test_what_can_be_mended_is_and_is_found_no_more(place: Place) -> None:
    mendable = {one.code for one in examine(settings_of(place), place) if one.can_be_fixed}
    for change in changes_of(examine(settings_of(place), place)):
        apply(change)
    left = found(place)
    assert not {code for code in mendable if code in left and left[code].can_be_fixed}
    env = (place.folder / ".env").read_text()
    assert "DATABASE_URL=sqlite:///./data/daemon.db\n" in env
    assert "BACKUP_DIR=/opt/daemon/backups\n" in env
    assert "PRIVACY_LEVEL=public_full\nBACKUP_ENABLED=true\n" in env
    assert "your-super-secret" not in env
    assert (place.folder / ".env").stat().st_mode & 0o777 == 0o600
    unit = (place.unit_folders[0] / "daemon.service").read_text()
    assert "WorkingDirectory=/opt/daemon\n" in unit
    assert "User=daemon-pmac\n" in unit  # who owns the files keeps the name
    compose = (place.folder / "docker-compose.yml").read_text()
    assert "container_name: daemon-api" in compose
    assert "daemon-pmac-data:/app/data" in compose  # a volume that is renamed is an empty one
    assert "SECRET_KEY=${SECRET_KEY:-}" in compose


def test_it_is_undone_by_putting_the_kept_files_back(place: Place) -> None:
    before = {path: path.read_bytes() for path in pictures(place)}
    for change in changes_of(examine(settings_of(place), place)):
        assert os.system(apply(change).undo) == 0
    assert {path: path.read_bytes() for path in pictures(place)} == before


def test_a_diff_shows_every_line_and_no_secret(place: Place) -> None:
    shown = "\n".join(map(diff_of, changes_of(examine(settings_of(place), place))))
    assert "-    container_name: daemon-pmac-api" in shown
    assert "+    container_name: daemon-api" in shown
    assert "-      - SECRET_KEY=(not shown)\n+      - SECRET_KEY=(another, not shown)" in shown
    assert "your-super-secret" not in shown
    assert "change-me-in-production" not in shown
    assert ".env: mode 600" in shown


def test_a_file_that_changed_meanwhile_is_left_alone(place: Place) -> None:
    (change,) = [one for one in changes_of(examine(settings_of(place), place)) if one.path.name == ".env"]
    (place.folder / ".env").write_text("PORT=8004\n")
    with pytest.raises(Refused, match="changed meanwhile"):
        apply(change)
    assert (place.folder / ".env").read_text() == "PORT=8004\n"


def test_line_ends_and_other_lines_stay_as_they_are(place: Place) -> None:
    text = "# mine\r\n\r\nexport database_url = sqlite:///./daemon.db\r\nPORT=8004\r\n"
    (place.folder / ".env").write_bytes(text.encode())
    for change in changes_of(examine(settings_of(place), place)):
        apply(change)
    mended = (place.folder / ".env").read_bytes().decode()
    assert mended.startswith("# mine\r\n\r\nDATABASE_URL=sqlite:///./data/daemon.db\r\nPORT=8004\r\n")
    assert "\n" not in mended.replace("\r\n", "")


def test_nothing_names_a_folder_that_is_not_moved_yet(place: Place) -> None:
    (place.programs / "daemon").rename(place.programs / "daemon-pmac")
    seen = found(place)
    assert str(place.programs / "daemon-pmac") in seen["old_folder"].message
    assert not seen["old_unit_file"].can_be_fixed
    assert not seen["old_name"].can_be_fixed


def test_a_database_at_the_old_place_is_kept_there(place: Place) -> None:
    (place.folder / "data" / "daemon.db").rename(place.folder / "daemon.db")
    (place.folder / ".env").write_text("PORT=8004\n")
    for change in changes_of(examine(settings_of(place), place)):
        apply(change)
    assert "DATABASE_URL=sqlite:///./daemon.db\n" in (place.folder / ".env").read_text()
    told = found(place)["database_at_old_place"]
    assert told.severity == "old"
    assert "init --adopt ./daemon.db" in told.hint


@pytest.mark.parametrize(
    ("age_days", "word"),
    [(None, "There is no backup"), (8, "8 days old"), (6, ""), (-3, "one of them is wrong")],
)
def test_backups_and_the_clock(
    age_days: int | None,
    word: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    settings_in: Callable[..., Settings],
) -> None:
    settings = settings_in(place.folder)
    (place.folder / "data" / "daemon.db").unlink()
    (place.folder / ".env").unlink()
    initialise(settings)
    if age_days is not None:
        create_backup(settings, "manual", describe=describe)
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=age_days))
    words = " ".join(
        one.message for one in examine(settings, place) if one.code in ("no_recent_backup", "clock")
    )
    assert word in words
    assert bool(word) == bool(words)


def test_a_fresh_installation_has_nothing_old_or_dangerous_but_its_first_backup(
    tmp_path: Path, settings_in: Callable[..., Settings]
) -> None:
    settings = settings_in(tmp_path)
    initialise(settings)
    codes = {one.code for one in examine(settings, Place(tmp_path, (), tmp_path)) if one.severity != "advice"}
    assert codes == {"no_recent_backup"}
