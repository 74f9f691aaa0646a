"""Does `upgrade plan --sql` print what the steps run, and change nothing?"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import Settings
from app.upgrade.operations.rehearse import copy_of
from app.upgrade.operations.statements import statements_of
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from tests.conftest import ROOT
from tests.upgrade.places import contents, execute
from tests.upgrade.test_contracts import THE_OWNERS

Old = Callable[[str], Path]


@pytest.mark.parametrize("name", ["layout_b", "guide_0_1", "second_shape", "third_shape", "fourth_shape"])
def test_every_step_is_there_in_order_and_nothing_changes(old: Old, settings: Settings, name: str) -> None:
    path = old(name)
    execute(path, "CREATE TABLE tags (word)", "CREATE VIEW all_tags AS SELECT * FROM tags")
    before, files = contents(path), sorted(settings.data_dir.parent.rglob("*"))
    plan = make_plan(settings)
    lines = statements_of(settings, plan)
    assert (lines[0], lines[-1]) == ("BEGIN IMMEDIATE;", "COMMIT;")
    heads = [line.split(":")[0].removeprefix("-- ") for line in lines if line.startswith("-- 0")]
    assert heads == [step.id for step in plan.steps if step.kind == "migrate"]
    text = "\n".join(lines)
    assert "ALTER TABLE users ADD COLUMN token_generation INTEGER;" in text
    assert "CREATE TABLE login_places (" in text
    assert "INSERT INTO database_versions" in text
    assert "DROP view" in text
    assert "CREATE VIEW all_tags AS SELECT * FROM tags;" in text
    assert contents(path) == before
    assert sorted(settings.data_dir.parent.rglob("*")) == files


def test_what_is_printed_makes_the_same_schema_when_it_is_typed(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, *THE_OWNERS)
    lines = statements_of(settings, make_plan(settings))
    with copy_of(settings) as copy, contextlib.closing(sqlite3.connect(copy.database_path)) as typed:
        for line in lines:
            if line.partition("(")[0].split(" ")[0] in ("CREATE", "ALTER", "DROP"):
                typed.execute(line.partition(";  --")[0])
        schema = sorted(typed.execute("SELECT type, name FROM sqlite_master"))
    assert run_upgrade(settings).state == "done"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        wanted = sorted(connection.execute("SELECT type, name FROM sqlite_master"))
    assert schema == wanted


def test_no_value_of_an_entry_or_an_account_is_printed(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, 'UPDATE data_entries SET data = \'{"content": "my secret", "meta": {"meta": 1}}\'')
    text = "\n".join(statements_of(settings, make_plan(settings)))
    assert "my secret" not in text
    assert "UPDATE data_entries SET visibility = ? WHERE id = ?;  -- and " in text


def test_it_is_typed(old: Old, settings: Settings) -> None:
    old("layout_b")
    said = _typed(settings)
    assert said.startswith("BEGIN IMMEDIATE;\n")
    assert said.endswith("COMMIT;\n")
    answer = json.loads(_typed(settings, "--json"))
    assert answer["sql"][0] == "BEGIN IMMEDIATE;"
    assert [step["id"] for step in answer["steps"]][-1] == SCHEMA_VERSIONS[-1].revision
    run_upgrade(settings)
    assert json.loads(_typed(settings, "--json"))["sql"] == []


def _typed(settings: Settings, *words: str) -> str:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": settings.database_url,
        "BACKUP_DIR": str(settings.backup_dir),
    }
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "upgrade", "plan", "--sql", *words],
        cwd=settings.data_dir,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
