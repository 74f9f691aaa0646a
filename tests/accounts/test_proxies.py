"""Is a proxy that no one named noted, and forgotten when it is gone?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app import clock
from app.accounts import proxies
from tests.conftest import SettingsIn

NOW = clock.now()


def test_a_note_is_news_once_and_ends_after_a_week(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    assert proxies.noted(settings, NOW) == []
    assert proxies.note(settings, "127.0.0.1", NOW)
    assert not proxies.note(settings, "127.0.0.1", NOW)
    assert proxies.noted(settings, NOW + timedelta(days=6)) == ["127.0.0.1"]
    assert not proxies.note(settings, "127.0.0.1", NOW + timedelta(days=6))
    assert proxies.noted(settings, NOW + timedelta(days=8)) == ["127.0.0.1"]
    assert proxies.noted(settings, NOW + timedelta(days=14)) == []


def test_what_is_trusted_now_is_not_told(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    for peer in ("172.18.0.1", "::1"):
        proxies.note(settings, peer, NOW)
    trusting = settings_in(tmp_path, trusted_proxies=("172.16.0.0/12",))
    assert proxies.noted(trusting, NOW) == ["::1"]


def test_junk_in_the_file_is_nothing(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    settings.proxies_path.write_bytes(b"\x1b[2J 2026-01-01T00:00:00Z\n\xff\n127.0.0.1\n\n")
    assert proxies.noted(settings, NOW) == []
