"""Does every hazard of an old database, one generated database each, come through with nothing lost?"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Collection
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.fingerprint import fingerprint
from app.storage.registry import schema_from_sql, storage_for
from app.upgrade.operations.rehearse import with_hidden
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.versions.releases import FINGERPRINTS, NEWEST, sheet_of
from tests.upgrade.kept_again import kept_tables, rebuild
from tests.upgrade.old_databases import MIXTURES, NAMES, Facts, build
from tests.upgrade.places import (
    columns_of,
    contents,
    everything_in,
    lost_rows,
    value,
    without_history,
)

VISIBLE = """
    SELECT u.username, p.name, e.id FROM data_entries e
    JOIN endpoints p ON p.id = e.endpoint_id JOIN users u ON u.id = e.created_by_id
    WHERE e.is_active = 1 AND e.visibility = 'public' AND p.is_active = 1 AND p.is_public = 1
    AND u.is_active = 1
"""


pytestmark = pytest.mark.sweep


@pytest.fixture(params=NAMES)
def facts(request: pytest.FixtureRequest, settings: Settings) -> Facts:
    """A generated old database, in its place."""
    return build(request.param, settings.database_path)


def test_nothing_is_lost_or_it_is_refused(facts: Facts, settings: Settings, tmp_path: Path) -> None:
    before = Path(shutil.copytree(settings.data_dir, tmp_path / "before")) / settings.database_path.name
    untouched = everything_in(settings.data_dir)
    outcome = run_upgrade(settings)
    assert outcome.exit_code == facts.exit_code, outcome
    if not facts.upgrades:
        assert outcome.state == "refused"
        now = everything_in(settings.data_dir)
        assert {name: now[name] for name in untouched if name != "."} == {
            name: found for name, found in untouched.items() if name != "."
        }
        return
    assert losses(before, settings.database_path, tmp_path) == []
    assert fingerprint_of(settings) == FINGERPRINTS[NEWEST]
    assert value(settings.database_path, "PRAGMA integrity_check") == "ok"
    assert orphans(settings) <= facts.orphans
    assert value(settings.database_path, "PRAGMA journal_mode") == facts.journal_mode


def losses(before: Path, after: Path, scratch: Path) -> list[str]:
    """What is lost, once the odd tables are rebuilt in a copy of the upgraded database."""
    rebuilt = scratch / "rebuilt.db"
    with (
        contextlib.closing(sqlite3.connect(f"{after.as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(rebuilt, isolation_level=None)) as copy,
    ):
        source.backup(copy)
        whole = kept_tables(copy)
        for table in whole:
            rebuild(copy, table)
        put_texts_back(copy, whole)
    old = contents(before)
    return lost_rows(old, contents(rebuilt), columns_of(recovered(before)), columns_of(rebuilt))


def put_texts_back(copy: sqlite3.Connection, whole: Collection[str]) -> None:
    """Put the texts of switches back, of which 1 or 0 was stored, where the table itself was not kept."""
    found = copy.execute(
        "SELECT id, table_name, row_key, column_name FROM kept_values WHERE row_key NOT IN ('', 'form')"
    ).fetchall()
    for number, table, key, column in found:
        if table not in whole:
            kept = f"(SELECT value FROM kept_values WHERE id = {number})"
            copy.execute(f'UPDATE "{table}" SET "{column}" = {kept} WHERE rowid = ?', (int(key),))


def recovered(path: Path) -> Path:
    """The database with what lay beside it folded in, as opening it does."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return path


def fingerprint_of(settings: Settings) -> str:
    storage = storage_for(settings.database_url)
    with storage.looking() as connection:
        return fingerprint(connection.schema(), schema_from_sql(sheet_of(NEWEST)))


def orphans(settings: Settings) -> int:
    storage = storage_for(settings.database_url)
    with storage.looking() as connection:
        return len(connection.orphans())


def test_the_check_says_what_the_run_will_do(facts: Facts, settings: Settings) -> None:
    before = everything_in(settings.data_dir)
    plan = make_plan(settings)
    assert everything_in(settings.data_dir) == before
    assert (plan.blockers[0].exit_code if plan.blockers else 0) == facts.exit_code, plan.blockers
    if facts.upgrades:
        assert plan.pending
        outcome = run_upgrade(settings)
        assert [done.step.id for done in outcome.applied] == [step.id for step in plan.steps]
        assert make_plan(settings).steps == ()


def test_strangers_see_what_was_derived_by_hand(facts: Facts, settings: Settings) -> None:
    if not facts.upgrades:
        assert run_upgrade(settings).exit_code == facts.exit_code
        return
    beforehand = with_hidden(settings, make_plan(settings)).hidden
    outcome = run_upgrade(settings)
    assert beforehand == outcome.hidden_now
    seen: dict[tuple[str, str], set[int]] = {}
    storage = storage_for(settings.database_url)
    with storage.looking() as connection:
        for username, kind, entry in connection.rows(VISIBLE):
            seen.setdefault((username, kind), set()).add(entry)
    assert seen == {place: set(ids) for place, ids in facts.public_ids.items() if ids}
    told = {entry["id"] for entry in outcome.hidden_now}
    assert told.isdisjoint(set().union(*seen.values()))


def test_a_second_and_a_forced_run_change_nothing(facts: Facts, settings: Settings, home: Path) -> None:
    if run_upgrade(settings).exit_code:
        assert not facts.upgrades
        return
    before = everything_in(home)
    assert run_upgrade(settings).state == "nothing_to_do"
    assert everything_in(home) == before
    rows = contents(settings.database_path)
    forced = run_upgrade(settings, force=True)
    assert forced.state == "done", forced.message
    assert without_history(contents(settings.database_path)) == without_history(rows)


@pytest.mark.parametrize("name", MIXTURES[::5])
def test_any_mixture_of_forms_comes_through(name: str, settings: Settings, tmp_path: Path) -> None:
    build(name, settings.database_path)
    before = Path(shutil.copytree(settings.data_dir, tmp_path / "before")) / settings.database_path.name
    assert run_upgrade(settings).state == "done"
    assert losses(before, settings.database_path, tmp_path) == []
    assert fingerprint_of(settings) == FINGERPRINTS[NEWEST]
