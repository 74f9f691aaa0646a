"""Is the secret made once, kept private, and the operator's own preferred?"""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from app.accounts.secret import read_or_make, signing_secret
from tests.conftest import SettingsIn


def test_the_operators_secret_is_used_and_no_file_made(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path, secret_key="an operator's secret that is long enough")
    assert signing_secret(settings) == settings.secret_key
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_made_once_and_readable_by_its_owner_only(
    tmp_path: Path, settings_in: SettingsIn
) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    made = signing_secret(settings)
    assert len(made) >= 32
    assert signing_secret(settings) == made
    assert stat.S_IMODE(settings.secret_path.stat().st_mode) == 0o600
    assert [each.name for each in settings.data_dir.iterdir()] == ["secret_key"]
    assert settings.secret_path.stat().st_uid == settings.data_dir.stat().st_uid


def test_of_many_that_make_it_one_wins(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_or_make(tmp_path / "key"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_an_empty_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    made = read_or_make(tmp_path / "key")
    assert made
    assert read_or_make(tmp_path / "key") == made


def test_a_published_secret_in_the_file_is_replaced(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    settings.secret_path.write_text("your-super-secret-key-here-change-me\n")
    made = signing_secret(settings)
    assert "secret" not in made
    assert signing_secret(settings) == made == settings.secret_path.read_text().strip()
    assert stat.S_IMODE(settings.secret_path.stat().st_mode) == 0o600
