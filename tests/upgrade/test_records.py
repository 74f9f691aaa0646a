"""Are the hold, the journal and the history read as they are, whatever a crash or a hand left there?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app import journal
from app.settings import Settings
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.history import read_history
from app.upgrade.report import status_text
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS
from tests.upgrade.places import execute

Old = Callable[[str], Path]


def test_a_torn_last_line_never_breaks_the_journal(settings: Settings) -> None:
    journal.write_line(settings, "started", to_version="0.3.0", steps=["0002"])
    path = journal.journal_path(settings)
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole + whole[:length])
        assert [line.event for line in journal.read_journal(settings)][:1] == ["started"]
        journal.write_line(settings, "committed", to_version="0.3.0")
        assert journal.read_journal(settings)[-1].event == "committed"
        assert [line.event for line in journal.read_journal(settings)][:1] == ["started"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"event": "x"}\n',
        b"[" * 100_000 + b"\n",
        b'{"event": "x", "at": "y", "details": 5}\n',
    ],
)
def test_a_line_that_is_none_is_passed_over(settings: Settings, content: bytes) -> None:
    settings.backup_dir.mkdir()
    journal.journal_path(settings).write_bytes(content)
    assert journal.read_journal(settings) == ()
    journal.write_line(settings, "started")
    assert [line.event for line in journal.read_journal(settings)] == ["started"]


def test_the_journal_is_private_and_names_the_file_the_time_and_the_tool(settings: Settings) -> None:
    journal.write_line(settings, "committed", from_version="0.1.0", to_version="0.3.0", backup="b.db")
    assert journal.journal_path(settings).stat().st_mode & 0o777 == 0o600
    (line,) = journal.read_journal(settings)
    assert line.database == str(settings.database_path)
    assert (line.from_version, line.to_version, line.backup) == ("0.1.0", "0.3.0", "b.db")
    assert line.at.endswith("Z")
    assert line.tool_version


def test_a_hold_that_cannot_be_read_holds(settings: Settings) -> None:
    assert auto_upgrade_block.find_hold(settings) is None
    settings.data_dir.mkdir()
    settings.hold_path.write_text("{")
    held = auto_upgrade_block.find_hold(settings)
    assert held is not None
    assert auto_upgrade_block.clear_hold(settings)
    assert not auto_upgrade_block.clear_hold(settings)
    auto_upgrade_block.set_hold(settings, "a reason")
    held = auto_upgrade_block.find_hold(settings)
    assert held is not None
    assert held.reason == "a reason"
    assert settings.hold_path.stat().st_mode & 0o777 == 0o600


def test_history_tells_claims_from_what_was_done(old: Old, settings: Settings) -> None:
    old("claim_0_3_0_on_layout_b")
    assert [line.event for line in read_history(settings)] == ["claim"] * len(read_history(settings))
    run_upgrade(settings)
    lines = read_history(settings)
    steps = [line for line in lines if line.event == "step"]
    assert [line.version for line in steps] == [row.version for row in SCHEMA_VERSIONS[1:]]
    assert all(line.outcome == "done" and line.tool_version and line.backup for line in steps)
    assert all(line.steps_hash and len(line.steps_hash) == 64 for line in steps)
    assert [line for line in lines if line.event == "claim"]
    assert {line.source for line in lines} == {"database", "journal"}
    rows = status_text.all_history_rows(lines)
    assert len(rows) == len(lines)
    assert all(len(row) == len(status_text.ALL_HISTORY_COLUMNS) for row in rows)
    upgrades = [row for row in status_text.history_rows(lines) if row[1] == "upgraded"]
    assert [(row[2], row[3]) for row in upgrades] == [(f"0.2.2 -> {NEWEST}", steps[0].backup)]
    assert len(upgrades[0]) == len(status_text.HISTORY_COLUMNS)
    json.dumps(status_text.history_as_json(lines))


def test_history_of_what_cannot_be_read_is_what_the_journal_says(settings: Settings) -> None:
    assert read_history(settings) == ()
    journal.write_line(settings, "started")
    settings.data_dir.mkdir(exist_ok=True)
    settings.database_path.write_text("Dear diary")
    assert [line.event for line in read_history(settings)] == ["started"]


def test_a_table_of_that_name_of_the_owners_is_no_history(settings: Settings) -> None:
    settings.data_dir.mkdir()
    execute(
        settings.database_path,
        "CREATE TABLE database_versions (a)",
        "INSERT INTO database_versions VALUES (1)",
    )
    assert read_history(settings) == ()
