"""Is what operators did written down, with who it was, and can it be read from its end?"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from app import journal
from app.backup import prune
from app.backup.create import create_backup
from app.backup.prune import prune_backups
from app.settings import Settings
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.init import initialise
from app.upgrade.records.history import read_history
from tests.conftest import SettingsIn


@pytest.fixture
def settings(settings_in: SettingsIn, tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def test_a_line_says_who_ran_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    journal.write_line(settings, "command", message="daemon user create zoe")
    monkeypatch.delenv("SUDO_USER")
    journal.write_line(settings, "command")
    by_ann, by_nobody_else = journal.read_journal(settings)
    name = pwd.getpwuid(os.geteuid()).pw_name
    assert by_ann.by == {"user": name, "uid": os.geteuid(), "sudo_user": "ann"}
    assert (by_ann.who, by_nobody_else.who) == (f"{name} (sudo by ann)", name)


def test_a_line_of_an_older_version_says_nobody(settings: Settings) -> None:
    settings.backup_dir.mkdir()
    journal.journal_path(settings).write_text('{"v": 1, "event": "started", "at": "2026-01-01T00:00:00Z"}\n')
    (line,) = journal.read_journal(settings)
    assert (line.by, line.who) == ({}, "")


def test_backups_and_what_was_cleared_away_are_in_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "NEWEST_KEPT", 1)
    initialise(settings)
    made = create_backup(settings, describe=describe)
    older = create_backup(settings, "daily", describe=describe)
    create_backup(settings, "upgrade", describe=describe)  # its own line names it
    pruned = prune_backups(settings, retention_days=-1)
    lines = journal.read_journal(settings)
    assert [line.event for line in lines] == ["initialised", "backup", "backup", "pruned"]
    assert [line.backup for line in lines[1:3]] == [made.name, older.name]
    assert lines[3].details["removed"] == [backup.name for backup in pruned.removed]


def test_the_history_of_versions_is_not_washed_out_by_it(settings: Settings) -> None:
    initialise(settings)
    journal.write_line(settings, "command", message="daemon user create zoe")
    assert {line.event for line in read_history(settings)} == {"step", "initialised"}
    everything = read_history(settings, with_operators=True)
    assert [(line.event, line.message) for line in everything][-1] == ("command", "daemon user create zoe")
