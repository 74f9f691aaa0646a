"""Does the gate say what a database is, quickly, and when may the server upgrade it by itself?"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.progress import Event
from app.settings import Settings
from app.storage.process_lock import ProcessLock
from app.storage.registry import storage_for
from app.upgrade import readiness
from app.upgrade.operations import upgrade
from app.upgrade.operations.init import initialise
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.readiness import Readiness, ask_readiness, may_upgrade_by_itself, upgrade_by_itself
from app.upgrade.records import auto_upgrade_block, last_attempt
from tests.upgrade.places import contents, everything_in, execute

Old = Callable[[str], Path]

READY_SECONDS = 0.020


def ask(settings: Settings) -> Readiness:
    return ask_readiness(settings, storage_for(settings.database_url))


def test_a_fresh_one_is_ready(settings: Settings) -> None:
    assert ask(settings).state == "EMPTY"
    initialise(settings)
    assert ask(settings).state == "READY"


def test_of_one_that_is_ready_no_plan_is_loaded(settings: Settings, home: Path) -> None:
    """A server that starts holds nothing of what only an upgrade needs."""
    initialise(settings)
    script = (
        "import sys\n"
        "from app.settings import load_settings\n"
        "from app.storage.registry import storage_for\n"
        "from app.upgrade.readiness import ask_readiness\n"
        "settings = load_settings()\n"
        "assert ask_readiness(settings, storage_for(settings.database_url)).state == 'READY'\n"
        "assert not {'app.upgrade.plan', 'sqlalchemy', 'alembic'} & set(sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "DATABASE_URL": settings.database_url}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=home, env=environment)


def test_an_old_one_is_behind_and_then_ready(old: Old, settings: Settings) -> None:
    old("layout_a")
    found = ask(settings)
    assert (found.state, found.command) == ("BEHIND", "daemon upgrade run")
    assert "0.1.0 to 0.2.1" in found.sentence
    run_upgrade(settings)
    assert ask(settings).state == "READY"


def test_one_at_0_2_0_is_behind(old: Old, settings: Settings) -> None:
    old("layout_a")
    run_upgrade(settings, target="0.2.0")
    assert ask(settings).state == "BEHIND"


def test_a_newer_one_is_ahead(settings: Settings) -> None:
    initialise(settings)
    execute(
        settings.database_path,
        "INSERT INTO database_versions (version, outcome, is_claim) VALUES ('9.0.0', 'done', 0)",
    )
    assert ask(settings).state == "AHEAD"
    plan = make_plan(settings)
    assert plan.blockers[0].exit_code == 12
    before = everything_in(settings.data_dir)
    assert run_upgrade(settings).exit_code == 12
    assert everything_in(settings.data_dir) == before


STRANGE: dict[str, tuple[Callable[[Path], object], str, int]] = {
    "zero bytes": (lambda path: path.write_bytes(b""), "UNKNOWN", 13),
    "a text": (lambda path: path.write_text("Dear diary,\n" * 500), "UNKNOWN", 13),
    "a short text": (lambda path: path.write_text("no"), "UNKNOWN", 13),
    "an empty database": (lambda path: execute(path, "PRAGMA user_version = 1"), "UNKNOWN", 13),
    "another program's": (
        lambda path: execute(path, "CREATE TABLE songs (id INTEGER PRIMARY KEY)"),
        "UNKNOWN",
        13,
    ),
    "a header without a database": (
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4080),
        "DAMAGED",
        14,
    ),
}


@pytest.mark.parametrize(("make", "state", "exit_code"), STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("forced", [False, True])
def test_what_is_no_daemon_is_named_and_left_alone(
    settings: Settings,
    make: Callable[[Path], object],
    state: str,
    exit_code: int,
    forced: bool,
) -> None:
    settings.data_dir.mkdir()
    make(settings.database_path)
    before = everything_in(settings.data_dir)
    found = ask(settings)
    assert found.state == state, found
    assert str(settings.database_path) in found.sentence
    assert found.command
    outcome = run_upgrade(settings, force=forced, repair=forced)
    assert (outcome.state, outcome.exit_code) == ("refused", exit_code)
    assert outcome.hint
    assert not may_upgrade_by_itself(settings, found)
    assert everything_in(settings.data_dir) == before
    assert not settings.backup_dir.exists()


def test_a_folder_in_its_place_is_named(settings: Settings) -> None:
    settings.database_path.mkdir(parents=True)
    assert ask(settings).state in ("UNKNOWN", "DAMAGED")
    assert run_upgrade(settings).state == "refused"


def test_damage_is_named_and_left_alone(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    content = bytearray(path.read_bytes())
    page = 4096 * (len(content) // 4096 - 2)
    content[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    before = everything_in(settings.data_dir)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 14), outcome
    assert make_plan(settings).blockers[0].exit_code == 14
    assert not may_upgrade_by_itself(settings, ask(settings))
    after = everything_in(settings.data_dir)
    assert after["daemon.db"] == before["daemon.db"]
    assert {name for name in after if name.endswith((".db", "-wal", "-journal"))} == {"daemon.db"}


def test_the_first_half_of_a_file(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    before = path.read_bytes()
    assert run_upgrade(settings).exit_code == 14
    assert path.read_bytes() == before


def test_drift_is_unknown_until_it_is_mended(settings: Settings) -> None:
    initialise(settings)
    execute(settings.database_path, "DROP INDEX ix_users_email")
    found = ask(settings)
    assert found.state == "UNKNOWN"
    assert "--repair" in found.command
    before = contents(settings.database_path)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 11)
    assert "ix_users_email" in outcome.message
    assert contents(settings.database_path) == before
    assert run_upgrade(settings, repair=True).state == "done"
    assert ask(settings).state == "READY"


def test_force_mends_drift_too(settings: Settings) -> None:
    initialise(settings)
    execute(settings.database_path, "DROP INDEX ix_users_email")
    assert run_upgrade(settings, force=True).state == "done"
    assert ask(settings).state == "READY"


def test_while_an_operator_has_it_the_gate_is_busy(settings: Settings) -> None:
    initialise(settings)
    with ProcessLock(settings.database_path).exclusive():
        assert ask(settings).state == "BUSY"
    assert ask(settings).state == "READY"


def test_ready_is_answered_quickly(old: Old, settings: Settings) -> None:
    """With a hundred tables of the owner's besides ours; in CPU time, the machine may be busy."""
    path = old("layout_a")
    execute(
        path, *(f"CREATE TABLE owner_{number} (id INTEGER PRIMARY KEY, a, b, c)" for number in range(100))
    )
    run_upgrade(settings)
    took = []
    for _ in range(30):
        began = time.process_time()
        assert ask(settings).state == "READY"
        took.append(time.process_time() - began)
    assert min(took) <= READY_SECONDS


# -- may it upgrade by itself? -------------------------------------------------------------------------------


def test_it_may_when_all_is_well(old: Old, settings: Settings) -> None:
    old("layout_a")
    assert may_upgrade_by_itself(settings, ask(settings))
    assert upgrade_by_itself(settings).state == "done"
    assert last_attempt.find_attempt(settings) is None
    assert ask(settings).state == "READY"


def test_it_may_not_when_it_is_manual(old: Old, settings: Settings) -> None:
    old("layout_a")
    assert not may_upgrade_by_itself(replace(settings, upgrade_on_start="manual"), ask(settings))


def test_it_may_not_when_it_is_held(old: Old, settings: Settings) -> None:
    old("layout_a")
    auto_upgrade_block.set_hold(settings, "someone went back")
    permission = may_upgrade_by_itself(settings, ask(settings))
    assert not permission
    assert "someone went back" in permission.reason
    assert "someone went back" in ask(settings).sentence
    assert run_upgrade(settings).state == "done"
    assert auto_upgrade_block.find_hold(settings) is None


def test_it_may_not_when_the_schema_drifted(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    execute(path, "DROP INDEX ix_users_email")
    assert not may_upgrade_by_itself(settings, ask(settings))


def test_it_may_not_without_room(old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old("layout_a")
    usage = shutil.disk_usage(settings.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    permission = may_upgrade_by_itself(settings, ask(settings))
    assert not permission
    assert "room" in permission.reason


def test_a_failure_is_not_tried_again_until_somebody_asks(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old("layout_a")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "apply", broken)
        assert upgrade_by_itself(settings).state == "failed_unchanged"
    permission = may_upgrade_by_itself(settings, ask(settings))
    assert not permission
    assert "planted" in permission.reason
    assert run_upgrade(settings).state == "done"
    assert last_attempt.find_attempt(settings) is None


def test_another_file_or_another_daemon_may_be_tried(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    last_attempt.remember_start(settings)
    last_attempt.remember_failure(settings, "planted")
    assert not may_upgrade_by_itself(settings, ask(settings))
    with monkeypatch.context() as patched:
        patched.setattr(last_attempt, "__version__", "9.9.9")
        assert may_upgrade_by_itself(settings, ask(settings))
    shutil.copyfile(path, path.with_name("copy"))
    path.with_name("copy").replace(path)
    assert may_upgrade_by_itself(settings, ask(settings))


def test_killed_again_and_again_it_is_not_a_loop(old: Old, settings: Settings) -> None:
    """The server's upgrade dies in the middle each time it is started: after the second time it waits."""
    old("layout_a")
    script = (
        "import os\n"
        "from app.settings import load_settings\n"
        "from app.upgrade.readiness import upgrade_by_itself\n"
        "upgrade_by_itself(load_settings(), lambda event: os._exit(9) if event.phase == 'verify' else None)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
    }
    times = 0
    while may_upgrade_by_itself(settings, ask(settings)):
        assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 9
        times += 1
        assert times < 5
    assert times == 2
    assert run_upgrade(settings).state == "done"


def test_an_interruption_is_no_failure(old: Old, settings: Settings) -> None:
    """A server that is stopped during its upgrade tries again at the next start."""
    import signal

    old("layout_a")

    def on_event(event: Event) -> None:
        if event.phase == "steps":
            os.kill(os.getpid(), signal.SIGTERM)

    assert upgrade_by_itself(settings, on_event).state == "interrupted"
    assert may_upgrade_by_itself(settings, ask(settings))


def test_a_memory_that_cannot_be_read_blocks(old: Old, settings: Settings) -> None:
    old("layout_a")
    last_attempt.attempt_path(settings).write_text("{")
    assert not may_upgrade_by_itself(settings, ask(settings))


def test_nothing_is_attempted_that_cannot_be_remembered(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_a")
    before = contents(path)

    def full(_: Settings) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(last_attempt, "remember_start", full)
    assert upgrade_by_itself(settings).exit_code == 15
    assert contents(path) == before


def test_an_error_of_sqlite_is_a_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    initialise(settings)

    def failing(_: object) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(readiness, "is_newest", failing)
    assert ask(settings).state == "UNKNOWN"
