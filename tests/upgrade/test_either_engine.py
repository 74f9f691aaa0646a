"""Upgrade, rollback, restore and init, on either engine: the same states, words, records and proofs?"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from app import journal
from app.cli.open_database import readable_database
from app.errors import DaemonError, Damaged
from app.progress import Event
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.types import Reason, StorageConnection, StorageError
from app.tables import users, webhooks
from app.upgrade.detect import identity
from app.upgrade.detect.identity import identity_of
from app.upgrade.operations import erase_again, init, rollback
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.init import initialise
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.statements import statements_of
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.operations.would_be_lost import by_rollback
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import Readiness, ask_readiness, may_upgrade_by_itself
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.history import read_history
from app.upgrade.records.running import find_running, progress_path
from app.upgrade.report import render, status_text
from app.upgrade.steps.apply import apply
from app.upgrade.versions.releases import FIRST_ON_SERVERS, NEWEST, SCHEMA_VERSIONS
from tests.conftest import SettingsIn
from tests.databases import Databases
from tests.upgrade.on_either_engine import change, seen

ENTRY = (
    "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility, slug)"
    " VALUES (77, 1, '{}', 1, 1, 'public', 'later')"
)
VERSIONS = [row.version for row in SCHEMA_VERSIONS]
STEPS = VERSIONS[VERSIONS.index(FIRST_ON_SERVERS) + 1 :]


@pytest.fixture
def nothing(databases: Databases, home: Path, settings_in: SettingsIn) -> Settings:
    """An installation in an operator's folder, without a database yet."""
    return settings_in(home, database_url=databases.place(home), data_dir=home / "data")


def ask(settings: Settings) -> Readiness:
    return ask_readiness(settings, storage_for(settings.database_url))


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    """What became of so many that begin together."""
    done: list[object] = []
    together = threading.Barrier(count)

    def run() -> None:
        together.wait()
        done.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return done


# -- a new one -----------------------------------------------------------------------------------------------


def test_a_fresh_one_has_every_step_in_its_history(nothing: Settings) -> None:
    assert ask(nothing).state == "EMPTY"
    outcome = initialise(nothing)
    assert (outcome.state, outcome.exit_code) == ("done", 0)
    assert ask(nothing).state == "READY"
    steps = [line for line in read_history(nothing) if line.event == "step"]
    assert [line.version for line in steps] == VERSIONS
    assert journal.read_journal(nothing)[-1].event == "initialised"
    assert make_plan(nothing).steps == ()
    assert initialise(nothing).state == "nothing_to_do"


def test_of_many_at_once_one_makes_it_and_all_find_it(nothing: Settings) -> None:
    done = at_once(4, lambda: initialise(nothing).state)
    assert sorted(map(str, done)) == ["done", *["nothing_to_do"] * 3]


def test_a_fault_leaves_nothing(nothing: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:

        def fails(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patched.setattr(init, "apply_all", fails)
        with pytest.raises((OSError, DaemonError)):
            initialise(nothing)
    assert storage_for(nothing.database_url).file_kind() == "missing"
    assert initialise(nothing).state == "done"


# -- an upgrade ----------------------------------------------------------------------------------------------


def test_one_that_is_behind_is_upgraded_and_nothing_of_it_is_lost(behind: Settings) -> None:
    before = seen(behind)
    found = ask(behind)
    assert (found.state, found.command) == ("BEHIND", "daemon upgrade run")
    plan = make_plan(behind)
    assert not plan.blockers
    assert exit_code_of(plan) == 10
    assert seen(behind) == before

    outcome = run_upgrade(behind)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert outcome.backup is not None
    assert (behind.backup_dir / outcome.backup).is_file()
    assert seen(behind) == before
    assert ask(behind).state == "READY"
    assert exit_code_of(make_plan(behind)) == 0
    assert run_upgrade(behind).state == "nothing_to_do"

    events = [line.event for line in journal.read_journal(behind)]
    assert [event for event in events if event in ("started", "committed")] == ["started", "committed"]
    steps = [line for line in read_history(behind) if line.event == "step"]
    assert [line.version for line in steps][-len(STEPS) :] == STEPS
    assert steps[-1].backup == outcome.backup
    rows = status_text.history_rows(read_history(behind))
    upgraded = [(row[2], row[3]) for row in rows if row[1] == "upgraded"]
    assert (f"{FIRST_ON_SERVERS} -> {NEWEST}", outcome.backup) in upgraded


def test_the_plan_is_told_in_the_same_words(behind: Settings) -> None:
    text = render.check_text(make_plan(behind), everything=True)
    assert FIRST_ON_SERVERS in text
    assert NEWEST in text
    assert status_text.status_as_json(behind)["progress"] is None


def test_what_its_steps_would_run_is_printed_and_nothing_is_changed(behind: Settings) -> None:
    before = seen(behind)
    lines = statements_of(behind, make_plan(behind))
    assert lines[0] in ("BEGIN IMMEDIATE;", "BEGIN;")
    heads = [line.split(":")[0].removeprefix("-- ") for line in lines if line.startswith("-- 0")]
    assert len(heads) == len(STEPS)
    assert any("CREATE TABLE webhooks" in line for line in lines)
    assert seen(behind) == before
    assert ask(behind).state == "BEHIND"


def test_one_that_is_behind_is_read_from_an_upgraded_copy(behind: Settings) -> None:
    before = seen(behind)
    with readable_database(behind) as database, database.reading() as connection:
        found = connection.execute(select(webhooks)).all()
        assert (found, connection.execute(select(users.c.username)).scalars().all()) == ([], ["ann"])
    assert seen(behind) == before
    assert ask(behind).state == "BEHIND"


def test_a_target_on_the_way_is_stopped_at(behind: Settings) -> None:
    first, *rest = STEPS
    assert run_upgrade(behind, target=first).state == "done"
    assert ask(behind).state == ("BEHIND" if rest else "READY")
    assert run_upgrade(behind).state == ("done" if rest else "nothing_to_do")


def test_a_step_that_loses_a_row_is_found_and_taken_back(
    behind: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(behind)

    def lossy(migration: StorageConnection, *rest: object, **more: object) -> object:
        done = apply(migration, *rest, **more)  # type: ignore[arg-type]
        migration.execute("DELETE FROM data_entries WHERE id = 3")  # type: ignore[attr-defined]
        return done

    monkeypatch.setattr("app.upgrade.operations.upgrade.apply", lossy)
    outcome = run_upgrade(behind)
    assert outcome.exit_code == 1
    assert "data_entries" in outcome.message
    assert seen(behind) == before
    assert ask(behind).state == "BEHIND"


def test_of_many_at_once_exactly_one_upgrades(behind: Settings) -> None:
    done = at_once(4, lambda: run_upgrade(behind).state)
    assert sorted(map(str, done)) == ["done", *["nothing_to_do"] * 3]
    steps = [line.version for line in read_history(behind) if line.event == "step"]
    assert len(steps) == len(set(steps))


def test_each_phase_is_seen_by_others_and_nothing_is_left(behind: Settings) -> None:
    found = []
    assert run_upgrade(behind, on_event=lambda _: found.append(find_running(behind))).state == "done"
    phases = [one.phase for one in found if one is not None]
    assert list(dict.fromkeys(phases)) == ["backup", "measure", "steps", "verify", "commit"]
    assert find_running(behind) is None
    assert not progress_path(behind).exists()


def test_a_signal_under_the_steps_leaves_it_as_it_was(behind: Settings) -> None:
    before = seen(behind)

    def on_event(event: Event) -> None:
        if event.phase == "steps":
            os.kill(os.getpid(), signal.SIGINT)

    outcome = run_upgrade(behind, on_event=on_event)
    assert (outcome.state, outcome.exit_code) == ("interrupted", 130)
    assert seen(behind) == before
    assert ask(behind).state == "BEHIND"


def test_drift_is_unknown_until_it_is_mended(behind: Settings) -> None:
    assert run_upgrade(behind).state == "done"
    change(behind, "DROP INDEX ix_users_email")
    found = ask(behind)
    assert found.state == "UNKNOWN"
    assert "--repair" in found.command
    outcome = run_upgrade(behind)
    assert (outcome.state, outcome.exit_code) == ("refused", 11)
    assert "ix_users_email" in outcome.message
    assert run_upgrade(behind, repair=True).state == "done"
    assert ask(behind).state == "READY"


def test_a_newer_one_is_ahead_and_left_alone(behind: Settings) -> None:
    assert run_upgrade(behind).state == "done"
    change(
        behind,
        "INSERT INTO database_versions (id, version, outcome, is_claim) VALUES (900, '9.0.0', 'done', 0)",
    )
    before = seen(behind)
    assert ask(behind).state == "AHEAD"
    assert run_upgrade(behind).exit_code == 12
    assert seen(behind) == before


def test_while_an_operator_has_it_it_is_busy(behind: Settings) -> None:
    with storage_for(behind.database_url).process_lock().exclusive(5):
        assert ask(behind).state == "BUSY"
        assert run_upgrade(behind, wait_seconds=0.1).exit_code == 16
    assert ask(behind).state == "BEHIND"


# -- and back ------------------------------------------------------------------------------------------------


def test_an_upgrade_is_taken_back_and_not_done_again_until_it_is_told(behind: Settings) -> None:
    before = seen(behind)
    assert run_upgrade(behind).exit_code == 0
    outcome = run_rollback(behind)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert seen(behind) == before
    found = ask(behind)
    assert found.state == "BEHIND"
    assert "was rolled back" in found.sentence
    assert not may_upgrade_by_itself(behind, found)
    assert [line.event for line in read_history(behind) if line.source == "journal"] == [
        "started",
        "committed",
        "rolled_back",
    ]
    assert run_upgrade(behind).state == "done"
    assert auto_upgrade_block.find_hold(behind) is None


def test_what_was_written_since_is_counted_where_it_is_left_behind(behind: Settings) -> None:
    before = seen(behind)
    assert run_upgrade(behind).exit_code == 0
    change(behind, ENTRY)
    outcome = run_rollback(behind, discard=True)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert outcome.details["written_since"] == {"data_entries": {"added": 1, "changed": 0, "removed": 0}}
    assert seen(behind) == before


def test_what_was_written_since_goes_back_and_comes_again(behind: Settings) -> None:
    assert run_upgrade(behind).exit_code == 0
    change(behind, ENTRY, "UPDATE users SET email = 'new@example.org' WHERE id = 1")
    now = seen(behind)
    foretold = by_rollback(behind).lines
    assert {"  entries: 1 new", "  people: 1 changed"} <= set(foretold), foretold
    assert seen(behind) == now
    assert run_rollback(behind).state == "done"
    assert ask(behind).state == "BEHIND"
    assert seen(behind) == now, "what an older version can hold goes back"
    assert run_upgrade(behind).state == "done"
    assert seen(behind) == now


def test_without_an_upgrade_there_is_nothing_to_take_back(behind: Settings) -> None:
    before = seen(behind)
    outcome = run_rollback(behind)
    assert (outcome.state, outcome.exit_code) == ("refused", 1)
    assert seen(behind) == before
    assert auto_upgrade_block.find_hold(behind) is None


def test_a_backup_that_is_damaged_or_gone_is_refused(behind: Settings) -> None:
    made = spoil(behind, run_upgrade(behind).backup)
    before = seen(behind)
    outcome = run_rollback(behind)
    assert (outcome.state, outcome.exit_code) == ("refused", 14)
    made.unlink()
    assert run_rollback(behind).exit_code == 1
    assert seen(behind) == before
    assert auto_upgrade_block.find_hold(behind) is None


def spoil(settings: Settings, name: str | None) -> Path:
    """Change a byte of a backup."""
    path = settings.backup_dir / str(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return path


def test_the_hold_is_set_before_the_database_is_touched(
    behind: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_upgrade(behind)
    before, found = seen(behind), []

    def failing(*_: object, **__: object) -> None:
        found.append(auto_upgrade_block.find_hold(behind))
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rollback, "restore_backup", failing)
    assert run_rollback(behind).state == "failed_unchanged"
    assert found[0] is not None
    assert auto_upgrade_block.find_hold(behind) is None
    assert seen(behind) == before


def test_a_signal_before_it_begins_stops_it(behind: Settings) -> None:
    run_upgrade(behind)
    before = seen(behind)

    def on_event(event: Event) -> None:
        if event.phase == "restore":
            os.kill(os.getpid(), signal.SIGINT)

    outcome = run_rollback(behind, on_event=on_event)
    assert (outcome.state, outcome.exit_code) == ("interrupted", 130)
    assert seen(behind) == before
    assert auto_upgrade_block.find_hold(behind) is None


# -- a backup put back ---------------------------------------------------------------------------------------


def test_restoring_an_older_one_holds(behind: Settings) -> None:
    before = seen(behind)
    made = run_upgrade(behind).backup
    assert made is not None
    done = restore_and_hold(behind, made)
    assert seen(behind) == before
    assert auto_upgrade_block.find_hold(behind) is not None
    assert journal.read_journal(behind)[-1].event == "restored"
    assert done.safety is not None
    restore_and_hold(behind, done.safety)
    assert ask(behind).state == "READY"


def test_restoring_one_of_today_does_not_hold_and_keeps_whose_it_is(behind: Settings) -> None:
    assert run_upgrade(behind).state == "done"
    whose, made = identity_of(behind), back_up(behind, "manual")
    restore_and_hold(behind, made.name)
    assert auto_upgrade_block.find_hold(behind) is None
    assert identity_of(behind).installation_id == whose.installation_id


@pytest.mark.parametrize("reason", ["busy", "not_opened", "damaged"])
@pytest.mark.parametrize("asked", [(erase_again, "ledger_in"), (identity, "identity_in")])
def test_what_the_database_alone_knows_is_not_taken_for_nothing_where_it_cannot_be_asked_for_now(
    behind: Settings, monkeypatch: pytest.MonkeyPatch, asked: tuple[object, str], reason: Reason
) -> None:
    """What was erased, and whose people are there: a lock, or a connection that is cut, is no answer."""
    made = run_upgrade(behind).backup
    assert made is not None
    before = seen(behind)
    on_server = storage_for(behind.database_url).engine_name != "sqlite"

    def fail(*_: object) -> None:
        driver = psycopg if on_server else sqlite3
        raise StorageError(reason, driver.OperationalError("planted"))

    monkeypatch.setattr(*asked, fail)
    if reason == "damaged" or (reason == "not_opened" and not on_server):  # lost: that is why
        assert restore_and_hold(behind, made).safety is not None
        return
    with pytest.raises(DaemonError, match="nothing was changed") as refused:
        restore_and_hold(behind, made)
    assert "planted" in refused.value.message
    assert seen(behind) == before


def test_a_refused_restore_leaves_the_hold_as_it_was(behind: Settings) -> None:
    made = spoil(behind, run_upgrade(behind).backup)
    with pytest.raises(Damaged):
        restore_and_hold(behind, made.name)
    assert auto_upgrade_block.find_hold(behind) is None
    auto_upgrade_block.set_hold(behind, "mine")
    with pytest.raises(Damaged):
        restore_and_hold(behind, made.name)
    held = auto_upgrade_block.find_hold(behind)
    assert held is not None
    assert held.reason == "mine"
