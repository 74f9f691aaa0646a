"""Is every genuine old database upgraded, with nothing lost, to what a fresh one is?"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from types import ModuleType

from app import clock
from app.settings import Settings
from app.storage.fingerprint import fingerprint
from app.storage.registry import schema_from_sql, storage_for
from app.upgrade.operations.init import initialise
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.versions.releases import FINGERPRINTS, NEWEST, sheet_of
from tests.conftest import SettingsIn
from tests.upgrade.kept_again import kept_tables, rebuild
from tests.upgrade.places import contents, everything_in, put, value, without_history


def test_nothing_is_lost(
    legacy_database: Path, settings: Settings, manifest_tool: ModuleType, tmp_path: Path
) -> None:
    """The manifest's checker finds every row; in odd tables, once they are rebuilt from kept_values."""
    put(legacy_database, settings.database_path)
    manifest = json.loads(legacy_database.with_suffix(".json").read_text())
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    faults = manifest_tool.check(str(settings.database_path), manifest)
    rebuilt = tmp_path / "rebuilt.db"
    shutil.copyfile(settings.database_path, rebuilt)
    adopted = rebuild_all(rebuilt)
    assert [fault for fault in faults if not any(table in fault for table in adopted)] == []
    assert manifest_tool.check(str(rebuilt), manifest) == []


def rebuild_all(path: Path) -> set[str]:
    """Put every kept table of a copy back; return their names."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        labels = kept_tables(connection)
        for label in labels:
            rebuild(connection, label)
    return {label.partition("#")[0] for label in labels}


def test_it_ends_in_what_a_fresh_database_is(
    legacy_database: Path, settings: Settings, settings_in: SettingsIn, tmp_path: Path
) -> None:
    put(legacy_database, settings.database_path)
    assert run_upgrade(settings).exit_code == 0
    fresh = settings_in(tmp_path / "fresh")
    assert initialise(fresh, fresh=True).exit_code == 0
    assert fingerprint_of(settings) == fingerprint_of(fresh) == FINGERPRINTS[NEWEST]


def fingerprint_of(settings: Settings) -> str:
    storage = storage_for(settings.database_url)
    with storage.looking() as connection:
        return fingerprint(connection.schema(), schema_from_sql(sheet_of(NEWEST)))


def test_a_second_run_changes_nothing(legacy_database: Path, settings: Settings, home: Path) -> None:
    put(legacy_database, settings.database_path)
    assert run_upgrade(settings).exit_code == 0
    before = everything_in(home)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("nothing_to_do", 0)
    assert everything_in(home) == before


def test_two_runs_by_way_of_0_2_0_give_the_same(
    legacy_database: Path, settings: Settings, settings_in: SettingsIn, tmp_path: Path
) -> None:
    put(legacy_database, settings.database_path)
    assert run_upgrade(settings).exit_code == 0
    by_way = settings_in(tmp_path / "by_way")
    put(legacy_database, by_way.database_path)
    half = run_upgrade(by_way, target="0.2.0")
    assert half.state in ("done", "nothing_to_do")
    assert run_upgrade(by_way).exit_code == 0
    one, two = (without_times(contents(place.database_path)) for place in (settings, by_way))
    assert one == two


def without_times(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, object]:
    """The tables but for the history, for which installation it is, and for the moments of the upgrade."""
    return {
        table: sorted(map(without_now, found), key=repr)
        for table, found in without_history(rows).items()
        if table != "installation"  # each has an id and a place of its own
    }


def without_now(row: tuple[object, ...]) -> tuple[object, ...]:
    """The row with whatever was stamped during this test made equal."""
    days = tuple(day.strftime("%Y-%m-%d").encode() for day in (BEGUN, clock.now()))  # a night may be between
    return tuple(
        "now" if isinstance(cell, bytes) and cell.startswith(days) and len(cell) == 19 else cell
        for cell in row
    )


BEGUN = clock.now()


def test_forced_again_it_loses_and_changes_nothing(legacy_database: Path, settings: Settings) -> None:
    put(legacy_database, settings.database_path)
    assert run_upgrade(settings).exit_code == 0
    before = contents(settings.database_path)
    outcome = run_upgrade(settings, force=True)
    assert (outcome.state, outcome.exit_code) == ("done", 0), outcome.message
    assert without_history(contents(settings.database_path)) == without_history(before)


def test_the_plan_says_what_is_run(legacy_database: Path, settings: Settings) -> None:
    put(legacy_database, settings.database_path)
    plan = make_plan(settings)
    assert plan.blockers == ()
    assert plan.pending
    outcome = run_upgrade(settings)
    assert [done.step.id for done in outcome.applied] == [step.id for step in plan.steps]
    assert make_plan(settings).steps == ()
    assert value(settings.database_path, "PRAGMA journal_mode") == "delete"
