"""Does a failure before the commit leave the database as it was, say so, and work when run again?"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import files, journal
from app.errors import Refused
from app.progress import Event
from app.settings import Settings
from app.storage.sqlite.migration import SQLiteMigration
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import CommitUncertain
from app.upgrade.checks import host, verify
from app.upgrade.model import Outcome
from app.upgrade.operations import after_commit, upgrade
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.records.history import read_history
from app.upgrade.versions.releases import NEWEST
from tests.upgrade.places import backups_in, contents, execute, value

Old = Callable[[str], Path]

PHASES = ("look", "lock", "backup", "measure", "steps", "verify", "commit")


class Planted(Exception):
    """A fault of the test's own."""


def failing_at(phase: str) -> Callable[[Event], None]:
    """An on_event that raises when ``phase`` begins: what belongs to that phase has not happened yet."""

    def on_event(event: Event) -> None:
        if event.type == "phase" and event.phase == phase:
            raise Planted(f"planted at {phase}")

    return on_event


@pytest.mark.parametrize("phase", PHASES)
def test_a_fault_at_the_start_of_each_phase(old: Old, settings: Settings, phase: str) -> None:
    path = old("layout_a")
    before = contents(path)
    outcome = run_upgrade(settings, on_event=failing_at(phase))
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1)
    assert "as it was before" in outcome.message
    assert contents(path) == before
    assert not path.with_name(path.name + "-journal").exists()
    if phase in PHASES[3:]:
        assert outcome.backup == backups_in(settings.backup_dir)[0].name
        assert outcome.backup in outcome.message
        assert contents(settings.backup_dir / outcome.backup) == before
    assert run_upgrade(settings).state == "done"


def test_tries_that_fail_leave_one_backup_for_each_state(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    for _ in range(4):
        outcome = run_upgrade(settings, on_event=failing_at("verify"))
        assert outcome.exit_code == 1
        assert outcome.backup is not None
        assert outcome.backup in outcome.message
    assert len(backups_in(settings.backup_dir)) == 1
    execute(path, "UPDATE users SET last_login = '2030-01-01 00:00:00'")
    for _ in range(3):
        run_upgrade(settings, on_event=failing_at("verify"))
    assert len(backups_in(settings.backup_dir)) == 2
    done = run_upgrade(settings)
    assert done.state == "done"
    assert contents(settings.backup_dir / str(done.backup))["users"], "and the last one is of the last state"
    assert run_rollback(settings).state == "done"
    assert value(path, "SELECT max(last_login) FROM users") == "2030-01-01 00:00:00"


def test_a_damaged_backup_of_the_same_state_is_not_taken_for_one(old: Old, settings: Settings) -> None:
    old("layout_a")
    run_upgrade(settings, on_event=failing_at("verify"))
    (first,) = backups_in(settings.backup_dir)
    content = bytearray(first.read_bytes())
    content[27] ^= 1  # in the counter that each copying changes
    first.write_bytes(content)
    assert run_upgrade(settings).state == "done"
    assert len(backups_in(settings.backup_dir)) == 2


CALLS = {
    "create_backup": upgrade,
    "measure": verify,
    "apply": upgrade,
    "compare": verify,
    "schema_faults": verify,
    "notes_of": upgrade,
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        Planted("planted"),
        sqlite3.OperationalError("no such column: planted"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "errno", "") or ""),
)
def test_a_fault_in_each_part(
    old: Old,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    when: str,
    error: Exception,
) -> None:
    path = old("second_shape")
    before = contents(path)
    real = getattr(CALLS[name], name)

    def faulty(*positional: Any, **named: Any) -> Any:
        if when == "after":
            real(*positional, **named)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(CALLS[name], name, faulty)
        outcome = run_upgrade(settings)
    refused = name == "create_backup" and getattr(error, "errno", 0) == errno.ENOSPC
    assert (outcome.state, outcome.exit_code) == (("refused", 15) if refused else ("failed_unchanged", 1))
    assert "Traceback" not in outcome.message
    assert contents(path) == before
    assert run_upgrade(settings).state == "done"


def test_the_end_of_a_failure_is_in_the_journal(old: Old, settings: Settings) -> None:
    old("layout_a")
    run_upgrade(settings, on_event=failing_at("verify"))
    run_upgrade(settings)
    assert [line.event for line in journal.read_journal(settings)] == [
        "started",
        "failed",
        "started",
        "committed",
    ]


# -- signals -------------------------------------------------------------------------------------------------


def signalling_at(phase: str, number: signal.Signals) -> Callable[[Event], None]:
    def on_event(event: Event) -> None:
        if event.type == "phase" and event.phase == phase:
            os.kill(os.getpid(), number)

    return on_event


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_before_the_commit_takes_it_back(
    old: Old, settings: Settings, phase: str, number: signal.Signals
) -> None:
    path = old("layout_a")
    before = contents(path)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    outcome = run_upgrade(settings, on_event=signalling_at(phase, number))
    assert (outcome.state, outcome.exit_code) == ("interrupted", 130)
    assert contents(path) == before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert run_upgrade(settings).state == "done"


def test_a_signal_during_the_commit_does_not_hide_what_was_done(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")
    real = SQLiteMigration.commit_durably

    def signalled(migration: SQLiteMigration) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        real(migration)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SQLiteMigration, "commit_durably", signalled)
    assert run_upgrade(settings).state == "done"


def test_killed_in_the_middle_of_the_steps_it_is_the_old_one(old: Old, settings: Settings) -> None:
    """A process that dies with its transaction open and half written to the file."""
    path = old("layout_a")
    before = contents(path)
    script = (
        "import os\n"
        "from app.settings import load_settings\n"
        "from app.upgrade.operations.upgrade import run_upgrade\n"
        "def on_event(event):\n"
        "    if event.phase == 'verify':\n"
        "        os.kill(os.getpid(), 9)\n"
        "run_upgrade(load_settings(), on_event=on_event)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], env=environment(settings), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert contents(path) == before
    assert [line.event for line in read_history(settings)] == ["started"]
    assert make_plan(settings).pending
    assert run_upgrade(settings).state == "done"


def environment(settings: Settings) -> dict[str, str]:
    """What a process of its own needs to work on the same installation."""
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
        "LOG_DIR": str(settings.log_dir),
    }


# -- the commit itself ---------------------------------------------------------------------------------------


def test_an_error_after_the_commit_took_place_is_answered_by_looking(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT reports an error, and the file has it: it is done, once the folder is synced."""
    old("layout_a")
    real = SQLiteMigration.commit_durably

    def lying(migration: SQLiteMigration) -> None:
        real(migration)
        raise CommitUncertain("planted")

    monkeypatch.setattr(SQLiteMigration, "commit_durably", lying)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0)
    assert make_plan(settings).current.recorded == NEWEST


def test_an_error_instead_of_the_commit_is_answered_by_looking(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)

    def refusing(migration: SQLiteMigration) -> None:
        raise CommitUncertain("planted")

    with monkeypatch.context() as patched:
        patched.setattr(SQLiteMigration, "commit_durably", refusing)
        outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1)
    assert contents(path) == before
    assert run_upgrade(settings).state == "done"


def test_done_is_not_said_while_the_folder_is_not_synced(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is in the file, and the disk refuses to confirm its name: no one is told that it is done."""
    old("layout_a")
    real = files.sync_folder

    def refusing(path: Path) -> None:
        if path == settings.data_dir:
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    monkeypatch.setattr(files, "sync_folder", refusing)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("uncertain", 18)
    assert outcome.backup is not None
    assert outcome.backup in outcome.message + outcome.hint
    assert not [line for line in journal.read_journal(settings) if line.event == "committed"]


# -- after the commit ----------------------------------------------------------------------------------------


def spoil_after_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the look from outside find something else than what was committed."""
    real = SQLiteMigration.commit_durably

    def spoiled(migration: SQLiteMigration) -> None:
        real(migration)
        execute(migration.path, "DROP INDEX ix_data_entries_shown")

    monkeypatch.setattr(SQLiteMigration, "commit_durably", spoiled)


def test_a_fault_seen_after_the_commit_puts_the_backup_back(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)
    with monkeypatch.context() as patched:
        spoil_after_commit(patched)
        outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("restored", 17)
    assert contents(path) == before
    assert [line.event for line in journal.read_journal(settings)] == ["started", "restored"]
    assert run_upgrade(settings).state == "done"


def test_a_backup_that_cannot_be_put_back_needs_the_operator(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)
    spoil_after_commit(monkeypatch)

    def refusing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(SQLiteStorage, "copy_into_live", refusing)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("uncertain", 18)
    assert outcome.backup is not None
    assert outcome.backup in outcome.hint
    assert contents(settings.backup_dir / outcome.backup) == before


def test_what_cannot_be_written_down_afterwards_does_not_undo_what_is_done(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")
    real = journal.write_line

    def full(place: Settings, event: Any, **words: Any) -> None:
        if event == "committed":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(place, event, **words)

    monkeypatch.setattr(journal, "write_line", full)
    assert run_upgrade(settings).state == "done"


def test_a_journal_that_cannot_be_written_before_stops_it(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal, "write_line", full)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert "no room" in outcome.message.lower() or "no space" in outcome.message.lower()
    assert contents(path) == before


def test_room_that_goes_while_the_backup_is_made_stops_it(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)

    def short(*_: object) -> None:
        raise Refused("There is not enough room.")

    monkeypatch.setattr(host, "refuse_if_short", short)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert contents(path) == before


def test_an_unknown_word_is_told_and_nothing_is_looked_at(old: Old, settings: Settings) -> None:
    from app.errors import UsageError

    old("layout_a")
    with pytest.raises(UsageError, match=r"9\.9\.9"):
        run_upgrade(settings, target="9.9.9")


def test_the_time_it_took_is_told(old: Old, settings: Settings) -> None:
    old("layout_a")
    began = time.monotonic()
    outcome: Outcome = run_upgrade(settings)
    assert 0 < outcome.seconds <= time.monotonic() - began
    assert value(settings.database_path, "SELECT max(duration_ms) FROM database_versions") > 0


@pytest.mark.parametrize("name", ["layout_a", "wal_mode"])
def test_no_room_for_a_private_copy_after_the_commit_is_no_fault(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The temporary folder goes while the upgrade commits: what was done is done, and is said to be."""
    old(name)

    def on_event(event: Event) -> None:
        if event.phase == "commit":
            monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")

    assert run_upgrade(settings, on_event=on_event).state == "done"


def test_whatever_follows_the_commit_never_says_that_nothing_happened(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")

    def broken(_: object) -> None:
        raise Planted("planted")

    monkeypatch.setattr(after_commit, "_done", broken)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("uncertain", 18)
    assert "was committed" in outcome.message
    assert "as it was" not in outcome.message
