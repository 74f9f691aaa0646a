"""Can an upgrade be watched by another process, and is what a killed one left believed no more?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from app.progress import Event
from app.settings import Settings
from app.storage.process_lock import ProcessLock
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.records.running import Running, find_running, progress_path
from app.upgrade.report import status_text

Old = Callable[[str], Path]


def test_each_phase_under_the_lock_is_seen_by_others_and_nothing_is_left(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    seen: list[Running | None] = []
    texts: list[str] = []

    def look(event: Event) -> None:
        seen.append(find_running(settings))
        texts.append(status_text.status_text(settings))

    assert run_upgrade(settings, on_event=look).state == "done"
    phases = [one.phase for one in seen if one is not None]
    assert list(dict.fromkeys(phases)) == ["backup", "measure", "steps", "verify", "commit"]
    percents = [one.percent for one in seen if one is not None and one.percent is not None]
    assert percents == sorted(percents)
    assert any("Running:   verify, " in text for text in texts)
    assert find_running(settings) is None
    assert not progress_path(settings).exists()


def test_what_a_killed_upgrade_left_is_not_believed(old: Old, settings: Settings) -> None:
    old("layout_b")
    left = Running("2026-01-01T00:00:00Z", "steps", 50.0, 1.0)
    progress_path(settings).write_text(json.dumps(asdict(left)))
    assert find_running(settings) is None
    with ProcessLock(settings.database_path).exclusive(1.0):
        assert find_running(settings) == left
    assert run_upgrade(settings).state == "done"
    assert not progress_path(settings).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"phase": 3}', b"x" * 10_000])
def test_a_file_that_says_nothing_stops_nothing(old: Old, settings: Settings, content: bytes) -> None:
    old("layout_b")
    progress_path(settings).write_bytes(content)
    with ProcessLock(settings.database_path).exclusive(1.0):
        assert find_running(settings) is None
        assert status_text.status_as_json(settings)["progress"] is None


def test_a_place_that_takes_no_file_stops_no_upgrade(old: Old, settings: Settings) -> None:
    old("layout_b")
    progress_path(settings).mkdir()
    assert run_upgrade(settings).state == "done"
