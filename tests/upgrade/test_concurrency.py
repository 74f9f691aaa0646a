"""Several at once: does exactly one migrate, do readers and writers go on, and does everyone exit 0?"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.progress import Event
from app.settings import Settings
from app.storage.process_lock import ProcessLock
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.report import render
from tests.upgrade.places import backups_in, contents, value

Old = Callable[[str], Path]

PROCESSES = 4
RUN = (
    "from app.settings import load_settings\n"
    "from app.upgrade.operations.upgrade import run_upgrade\n"
    "settings = load_settings()\n"
    "print('loaded', flush=True)\n"
    "input()\n"
    "outcome = run_upgrade(settings)\n"
    "print(outcome.state, flush=True)\n"
    "raise SystemExit(outcome.exit_code)\n"
)


def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
        "LOG_DIR": str(settings.log_dir),
    }


def test_of_four_at_once_exactly_one_migrates(old: Old, settings: Settings) -> None:
    old("layout_a")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUN],
            env=environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
    said = []
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        out, _ = process.communicate(timeout=120)
        said.append((out.strip(), process.returncode))
    assert sorted(said) == [("done", 0), *[("nothing_to_do", 0)] * (PROCESSES - 1)]
    assert len(backups_in(settings.backup_dir)) == 1
    steps = value(settings.database_path, "SELECT count(*) FROM database_versions WHERE outcome = 'done'")
    assert steps == value(
        settings.database_path, "SELECT count(DISTINCT version) FROM database_versions WHERE outcome = 'done'"
    )


def test_a_second_one_waits_and_finds_it_done(old: Old, settings: Settings) -> None:
    """The second comes while the first is at its steps, waits, and says so."""
    old("layout_a")
    second: list[str] = []
    waiting = threading.Event()
    threads = []

    def come_second() -> None:
        outcome = run_upgrade(
            settings, on_event=lambda event: waiting.set() if event.phase == "lock" else None
        )
        second.append(outcome.message)

    def on_event(event: Event) -> None:
        if event.type == "phase" and event.phase == "steps":
            thread = threading.Thread(target=come_second)
            thread.start()
            threads.append(thread)
            assert waiting.wait(30)

    assert run_upgrade(settings, on_event=on_event).state == "done"
    threads[0].join(60)
    assert "Already done" in second[0]


def test_readers_go_on_and_a_writer_waits(old: Old, settings: Settings) -> None:
    """While the steps run, others read the old rows; a writer gets in afterwards, and its row is kept."""
    path = old("layout_a")
    count = value(path, "SELECT count(*) FROM data_entries")
    seen = []
    wrote = []

    def write() -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as writer:
            writer.execute("INSERT INTO data_entries (endpoint_id, data) VALUES (1, '{}')")
            wrote.append(time.monotonic())

    threads = []

    def on_event(event: Event) -> None:
        if event.type == "phase" and event.phase == "measure":
            threads.append(threading.Thread(target=write))
            threads[0].start()
        if event.type == "phase" and event.phase == "verify":
            seen.append(value(path, "SELECT count(*) FROM data_entries"))
            assert wrote == []

    outcome = run_upgrade(settings, on_event=on_event)
    threads[0].join(60)
    assert outcome.state == "done", outcome.message
    assert seen == [count]
    assert value(path, "SELECT count(*) FROM data_entries") == count + 1


def test_somebody_who_writes_without_end_makes_it_busy(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    before = contents(path)
    with ProcessLock(path).exclusive():
        outcome = run_upgrade(settings, wait_seconds=0.2)
    assert (outcome.state, outcome.exit_code) == ("refused", 16)
    assert contents(path) == before
    assert backups_in(settings.backup_dir) == []


def hold_the_write_lock(path: Path, locked: object, release: object) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        locked.set()  # type: ignore[attr-defined]
        release.wait(60)  # type: ignore[attr-defined]
        connection.execute("ROLLBACK")


def test_the_plan_says_that_somebody_writes(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    context = multiprocessing.get_context("spawn")
    locked, release = context.Event(), context.Event()
    holder = context.Process(target=hold_the_write_lock, args=(path, locked, release))
    holder.start()
    try:
        assert locked.wait(60)
        assert "locked" in [problem.code for problem in make_plan(settings).warnings]
    finally:
        release.set()
        holder.join(60)
    assert "locked" not in [problem.code for problem in make_plan(settings).warnings]


HOLD_FENCE = (
    "import sys\nfrom pathlib import Path\nfrom app.storage.process_lock import ProcessLock\n"
    "with ProcessLock(Path(sys.argv[1])).exclusive(0):\n    print('held', flush=True)\n    input()\n"
)
HOLD_SQLITE = (
    "import sqlite3, sys\nconnection = sqlite3.connect(sys.argv[1])\n"
    "connection.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\ninput()\n"
)


@pytest.mark.parametrize("program", [HOLD_FENCE, HOLD_SQLITE], ids=["upgrade", "another program"])
def test_who_holds_the_database_is_named(old: Old, settings: Settings, program: str) -> None:
    old("layout_a")
    command = [sys.executable, "-c", program, str(settings.database_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(settings), **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        outcome = run_upgrade(settings, wait_seconds=0.1)
        holder.communicate("\n")
    assert outcome.exit_code == 16
    account = pwd.getpwuid(os.geteuid()).pw_name
    said = render.outcome_text(outcome)
    assert f"  held by process {holder.pid} of {account}: {sys.executable} -c " in said
    assert str(holder.pid) not in outcome.message + outcome.hint  # which strangers may be told
