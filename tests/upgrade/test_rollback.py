"""Does going back give the state before, count what was written since, and hold the server back?"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from app import journal
from app.errors import DaemonError, Damaged
from app.progress import Event
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.operations import rollback
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.readiness import ask_readiness, may_upgrade_by_itself
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.history import read_history
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from tests.upgrade.driving import upgrade
from tests.upgrade.places import backups_in, contents, execute

Old = Callable[[str], Path]

WRITTEN = (
    "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility) "
    "VALUES (3, '{\"content\": \"since\"}', 1, 1, 'public')",
    "UPDATE users SET last_login = '2030-01-01 00:00:00' WHERE id = 1",
    "INSERT INTO endpoints (name, schema) VALUES ('since', '{}')",
    "INSERT INTO data_privacy_rules (endpoint_name, field_path) VALUES ('ideas', 'since')",
    "INSERT INTO users (username, email, hashed_password) VALUES ('since', 'since@example.org', 'x')",
    "INSERT INTO user_privacy_settings (user_id) SELECT id FROM users WHERE username = 'since'",
    "DELETE FROM api_keys WHERE id = (SELECT min(id) FROM api_keys)",
)
COUNTED = {
    "api_keys": {"added": 0, "changed": 0, "removed": 1},
    "data_entries": {"added": 1, "changed": 0, "removed": 0},
    "data_privacy_rules": {"added": 1, "changed": 0, "removed": 0},
    "endpoints": {"added": 1, "changed": 0, "removed": 0},
    "user_privacy_settings": {"added": 1, "changed": 0, "removed": 0},
    "users": {"added": 1, "changed": 1, "removed": 0},
}


@pytest.mark.parametrize("name", ["layout_a", "layout_b"])
def test_the_state_before_is_back_and_what_was_written_since_is_kept_and_counted(
    old: Old, settings: Settings, name: str
) -> None:
    path = old(name)
    before = contents(path)
    upgraded = run_upgrade(settings)
    execute(path, *WRITTEN)
    since = contents(path)
    outcome = run_rollback(settings, discard=True)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert contents(path) == before
    assert outcome.details["restored_from"] == upgraded.backup
    assert outcome.details["written_since"] == COUNTED
    assert outcome.backup is not None
    assert contents(settings.backup_dir / outcome.backup) == since
    assert "1 rows of data_entries" in outcome.message


@pytest.mark.parametrize(
    "name", ["guide_0_1", "second_shape", "third_shape", "fourth_shape", "claim_0_3_0_on_layout_b"]
)
def test_what_the_upgrade_put_in_itself_is_not_counted(old: Old, settings: Settings, name: str) -> None:
    path = old(name)
    before = contents(path)
    run_upgrade(settings)
    assert run_rollback(settings).details["written_since"] == {}
    assert contents(path) == before


def test_what_is_new_in_a_table_of_another_form_is_counted(old: Old, settings: Settings) -> None:
    path = old("second_shape")
    run_upgrade(settings)
    execute(path, *WRITTEN[3:6])
    counted = run_rollback(settings).details["written_since"]
    assert counted == {
        table: {"added": 1, "changed": 0, "removed": 0}
        for table in ("data_privacy_rules", "user_privacy_settings", "users")
    }


def test_the_server_does_not_upgrade_it_again_until_it_is_told(old: Old, settings: Settings) -> None:
    old("layout_a")
    run_upgrade(settings)
    run_rollback(settings)
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    assert readiness.state == "BEHIND"
    assert "rolled back" in readiness.sentence
    assert not may_upgrade_by_itself(settings, readiness)
    assert run_upgrade(settings).state == "done"
    assert auto_upgrade_block.find_hold(settings) is None
    assert run_rollback(settings).state == "done"


def test_history_shows_what_the_database_forgot(old: Old, settings: Settings) -> None:
    old("layout_a")
    run_upgrade(settings)
    run_rollback(settings)
    assert [line.event for line in read_history(settings)] == ["started", "committed", "rolled_back"]
    run_upgrade(settings)
    events = [line.event for line in read_history(settings)]
    assert sorted(events) == sorted(
        ["started", "committed", "rolled_back", "started", "committed", *["step"] * len(SCHEMA_VERSIONS[1:])]
    )


def test_two_upgrades_are_taken_back_one_by_one(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    oldest = contents(path)
    run_upgrade(settings, target="0.2.0")
    middle = contents(path)
    run_upgrade(settings)
    assert run_rollback(settings).state == "done"
    assert contents(path) == middle
    assert run_rollback(settings).state == "done"
    assert contents(path) == oldest
    outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 1)
    assert contents(path) == oldest


def test_without_an_upgrade_there_is_nothing_to_take_back(settings: Settings) -> None:
    outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 1)
    initialise(settings)
    before = contents(settings.database_path)
    outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 1)
    assert contents(settings.database_path) == before
    assert auto_upgrade_block.find_hold(settings) is None


def test_a_backup_that_is_gone_or_damaged_is_refused(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    run_upgrade(settings)
    (made,) = backups_in(settings.backup_dir)
    content = bytearray(made.read_bytes())
    content[5000] ^= 0xFF
    made.write_bytes(content)
    before = contents(path)
    outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 14)
    made.unlink()
    assert run_rollback(settings).exit_code == 1
    assert contents(path) == before
    assert auto_upgrade_block.find_hold(settings) is None


def test_the_hold_is_set_before_the_database_is_touched(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    run_upgrade(settings)
    before = contents(path)
    seen = []

    def failing(*_: object, **__: object) -> None:
        seen.append(auto_upgrade_block.find_hold(settings))
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rollback, "restore_backup", failing)
    outcome = run_rollback(settings)
    assert outcome.state == "failed_unchanged"
    assert seen[0] is not None
    assert auto_upgrade_block.find_hold(settings) is None
    assert contents(path) == before


def test_a_signal_before_it_begins_stops_it(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    run_upgrade(settings)
    before = contents(path)

    def on_event(event: Event) -> None:
        if event.phase == "restore":
            os.kill(os.getpid(), signal.SIGINT)

    outcome = run_rollback(settings, on_event=on_event)
    assert (outcome.state, outcome.exit_code) == ("interrupted", 130)
    assert contents(path) == before
    assert auto_upgrade_block.find_hold(settings) is None


# -- restoring a backup --------------------------------------------------------------------------------------


def test_restoring_an_older_one_holds(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    before = contents(path)
    upgraded = run_upgrade(settings)
    assert upgraded.backup is not None
    done = restore_and_hold(settings, upgraded.backup)
    assert contents(path) == before
    assert auto_upgrade_block.find_hold(settings) is not None
    assert journal.read_journal(settings)[-1].event == "restored"
    assert done.safety is not None
    restore_and_hold(settings, done.safety)
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "READY"


def test_restoring_one_of_today_does_not_hold(settings: Settings) -> None:
    from app.backup.create import create_backup
    from app.upgrade.detect.recognise import describe

    initialise(settings)
    made = create_backup(settings, "manual", describe=describe)
    restore_and_hold(settings, made.name)
    assert auto_upgrade_block.find_hold(settings) is None


def test_a_refused_restore_leaves_the_hold_as_it_was(old: Old, settings: Settings) -> None:
    old("layout_a")
    upgraded = run_upgrade(settings)
    assert upgraded.backup is not None
    made = settings.backup_dir / upgraded.backup
    content = bytearray(made.read_bytes())
    content[-100] ^= 0xFF
    made.write_bytes(content)
    with pytest.raises(Damaged):
        restore_and_hold(settings, made.name)
    assert auto_upgrade_block.find_hold(settings) is None
    auto_upgrade_block.set_hold(settings, "mine")
    with pytest.raises(DaemonError):
        restore_and_hold(settings, made.name)
    held = auto_upgrade_block.find_hold(settings)
    assert held is not None
    assert held.reason == "mine"


def test_what_was_written_to_a_table_that_came_with_the_upgrade_is_counted(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    settings.database_path.touch()
    upgrade(settings.database_path, "0.3.0")
    execute(settings.database_path, "CREATE TABLE id_notes (town TEXT)")
    assert run_upgrade(settings).state == "done"
    execute(settings.database_path, "INSERT INTO login_places (user_id, network) VALUES (1, 'somewhere')")
    outcome = run_rollback(settings)
    assert outcome.details["written_since"] == {"login_places": {"added": 1, "changed": 0, "removed": 0}}
