"""Do check, plan, status, history and the gate change nothing: not a byte, not a file, not a time?"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.plan import make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.records.history import read_history
from app.upgrade.report import status_text
from tests.upgrade.places import everything_in, execute, put

Old = Callable[[str], Path]

LOOKS: dict[str, Callable[[Settings], object]] = {
    "plan": make_plan,
    "plan --force --repair": lambda settings: make_plan(settings, force=True, repair=True),
    "status": status_text.status_as_json,
    "history": read_history,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_shared_database_is_only_read(
    legacy_database: Path, settings: Settings, home: Path, look: Callable[[Settings], object]
) -> None:
    put(legacy_database, settings.database_path)
    before = everything_in(home)
    look(settings)
    assert everything_in(home) == before


def left_wal(path: Path) -> None:
    """Leave a write-ahead log with committed rows beside the database, as a killed server does."""
    execute(path, "PRAGMA journal_mode=WAL")
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA wal_autocheckpoint=0')\n"
        "c.execute(\"INSERT INTO audit_logs (action, table_name, record_id) VALUES ('WAL', 'users', 1)\")\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=True)
    assert path.with_name(path.name + "-wal").stat().st_size > 0


def hot_journal(path: Path) -> None:
    """Leave a hot journal: a process dies in the middle of writing its changes to the file."""
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=1')\n"
        "c.execute('PRAGMA cache_spill=1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute(\"UPDATE audit_logs SET action = 'half'\")\n"
        "c.execute('CREATE TABLE half (a)')\n"
        "c.executemany('INSERT INTO half VALUES (?)', [('x' * 3000,)] * 500)\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=True)
    assert path.with_name(path.name + "-journal").stat().st_size > 0


@pytest.mark.parametrize("left", [left_wal, hot_journal])
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_a_crash_left_is_only_read(
    old: Old,
    settings: Settings,
    home: Path,
    left: Callable[[Path], None],
    look: Callable[[Settings], object],
) -> None:
    left(old("layout_a"))
    before = everything_in(home)
    look(settings)
    assert everything_in(home) == before


@pytest.mark.parametrize("left", [left_wal, hot_journal])
def test_what_a_crash_left_is_named_and_counted(
    old: Old, settings: Settings, left: Callable[[Path], None]
) -> None:
    path = old("layout_a")
    rows_before = make_plan(settings).rows
    left(path)
    plan = make_plan(settings)
    assert plan.blockers == ()
    assert any(problem.code in ("beside_wal", "beside_journal") for problem in plan.warnings)
    assert "half" not in plan.rows
    assert plan.rows["audit_logs"] - rows_before["audit_logs"] == (1 if left is left_wal else 0)


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_while_somebody_writes(
    old: Old, settings: Settings, home: Path, look: Callable[[Settings], object]
) -> None:
    path = old("layout_a")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM data_entries")
        before = everything_in(home)
        look(settings)
        assert everything_in(home) == before
        writer.execute("ROLLBACK")


def test_the_gate_makes_no_file(old: Old, settings: Settings, home: Path) -> None:
    old("layout_a")
    before = everything_in(home)
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "BEHIND"
    assert everything_in(home) == before


def test_where_nothing_is_nothing_is_made(settings: Settings, home: Path) -> None:
    for look in LOOKS.values():
        look(settings)
    assert ask_readiness(settings, storage_for(settings.database_url)).state == "EMPTY"
    assert list(home.iterdir()) == []


def test_it_works_without_the_web_framework(old: Old, settings: Settings, home: Path) -> None:
    """With every module of it unimportable, a plan is made; with nothing that only a migration needs, too."""
    old("layout_a")
    script = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'uvicorn', 'pydantic'):\n"
        "    sys.modules[name] = None\n"
        "from app.settings import load_settings\n"
        "from app.upgrade.plan import make_plan\n"
        "assert make_plan(load_settings()).pending\n"
        "assert not {'sqlalchemy', 'alembic'} & set(sys.modules)\n"
        "from app.upgrade.operations.upgrade import run_upgrade\n"
        "assert run_upgrade(load_settings()).exit_code == 0\n"
        "assert not {'sqlalchemy.dialects.postgresql', 'pygments'} & set(sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "DATABASE_URL": settings.database_url}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=home, env=environment)
