"""Do the ids that a database draws by itself go on where rows came with theirs?

For every table of `tables` that has such an id, on both engines: after a move there and back, a restore, an
upgrade, a rollback and the upgrade after it, none is drawn that a row has.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, func, insert, inspect, select

from app.settings import Settings
from app.tables import ANYTHING, FLAG, JSON_TEXT, metadata
from app.upgrade.move.move import run_move
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.conftest import SettingsIn
from tests.databases import Databases, PostgreSQLDatabases, SQLiteDatabases, outside, run
from tests.upgrade.on_either_engine import place_older

COUNTED = [table for table in metadata.sorted_tables if table.autoincrement_column is not None]
UPGRADES_OWN = ("database_versions",)  # what stands there says which version the database is of
NUMBERS = itertools.count(1_000_001)


def test_the_tables_that_are_looked_at_are_those_with_an_id() -> None:
    assert {table.name for table in COUNTED} >= {"audit_logs", "audit_anchors", "webhook_events", "ai_reads"}
    assert all(table.autoincrement_column.name == "id" for table in COUNTED)  # type: ignore[union-attr]


def draw(settings: Settings, count: int = 3) -> dict[str, int]:
    """Have the database draw ids of every counted table that it has; return the highest of each."""
    found: dict[str, int] = {}
    with outside(settings.database_url) as connection:
        there = inspect(connection)
        for table in COUNTED:
            if not there.has_table(table.name) or table.name in UPGRADES_OWN:
                continue
            columns = {column["name"] for column in there.get_columns(table.name)} - {"id"}
            for _ in range(count):
                number = next(NUMBERS)
                values = {name: of(table.columns[name], number) for name in columns}
                connection.execute(insert(table).inline().values(values))
            found[table.name] = connection.execute(select(func.max(table.c.id))).scalar_one()
    return found


def of(column: Column[Any], number: int) -> object:
    """A value that no other row of the table has."""
    if column.type is ANYTHING:
        return str(number).encode()
    if column.type is JSON_TEXT:
        return json.dumps({"content": str(number)})
    if column.type is FLAG:
        return 1
    if column.name in ("erased_at", "shown_from", "shown_until"):
        return None
    if column.name in ("user_id", "created_by_id", "endpoint_id") and column.foreign_keys:
        return 1
    if column.name == "visibility":
        return "public"
    return number if isinstance(column.type, Integer) else str(number)


def with_id(settings: Settings, row_id: int) -> None:
    """Put a row with that id into each of them, as whoever brings rows from elsewhere does."""
    with outside(settings.database_url) as connection:
        for table in COUNTED:
            if table.name not in UPGRADES_OWN:
                number = next(NUMBERS)
                values = {column.name: of(column, number) for column in table.columns}
                connection.execute(insert(table).values({**values, "id": row_id}))


def ids_of(settings: Settings) -> dict[str, int]:
    with outside(settings.database_url) as connection:
        there = inspect(connection)
        return {
            table.name: connection.execute(select(func.max(table.c.id))).scalar() or 0
            for table in COUNTED
            if there.has_table(table.name)
        }


def assert_goes_on(settings: Settings) -> None:
    """What is drawn now is above all that is there."""
    before = ids_of(settings)
    drawn = draw(settings)
    for name in drawn:
        assert drawn[name] > before[name], name


@pytest.mark.needs("postgresql")
def test_after_a_move_there_and_back(
    home: Path,
    settings_in: SettingsIn,
    sqlite_databases: SQLiteDatabases,
    postgresql_databases: PostgreSQLDatabases,
) -> None:
    postgresql_databases.begin_test()
    here = replace(settings_in(home), database_url=sqlite_databases.fresh(home))
    there = replace(here, database_url=postgresql_databases.place(home))
    back = replace(here, database_url=f"sqlite:///{home / 'new' / 'back.db'}")
    with_id(here, 2_000_000)
    run_move(here, there)
    assert_goes_on(there)
    run_move(there, back)
    assert_goes_on(back)


@pytest.mark.needs("postgresql")
def test_after_a_move_of_an_id_behind_which_there_is_no_room(
    home: Path,
    settings_in: SettingsIn,
    sqlite_databases: SQLiteDatabases,
    postgresql_databases: PostgreSQLDatabases,
) -> None:
    postgresql_databases.begin_test()
    here = replace(settings_in(home), database_url=sqlite_databases.fresh(home))
    there = replace(here, database_url=postgresql_databases.place(home))
    with_id(here, 2_000_000)
    with_id(here, 2**63 - 1)
    run_move(here, there)
    with outside(there.database_url) as connection:
        for table in COUNTED:
            if table.name not in UPGRADES_OWN:
                values = {c.name: of(c, next(NUMBERS)) for c in table.columns if c.name != "id"}
                connection.execute(insert(table).inline().values(values))
                below = run(connection, f"SELECT max(id) FROM {table.name} WHERE id < {2**62}")
                assert below.scalar_one() > 2_000_000, table.name


@pytest.fixture
def behind(databases: Databases, home: Path, base_of_run: Path, settings_in: SettingsIn) -> Settings:
    """An installation whose database is of the oldest version that there was on servers."""
    url = place_older(databases, home, base_of_run)
    return settings_in(home, database_url=url, data_dir=home / "data")


def test_after_an_upgrade_a_restore_and_a_rollback(behind: Settings) -> None:
    with outside(behind.database_url) as connection:
        for table in ("users", "data_entries"):  # which were made with ids of their own
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE id > 1")
    draw_after_what_is_there(behind)
    assert run_upgrade(behind).state == "done"
    assert_goes_on(behind)

    made = back_up(behind, "manual")
    draw(behind)
    restore_and_hold(behind, made.name)
    assert_goes_on(behind)

    down = run_rollback(behind)
    assert down.state == "done", down.message
    assert_goes_on(behind)

    up = run_upgrade(behind)
    assert up.state == "done", up.message
    assert_goes_on(behind)


def draw_after_what_is_there(settings: Settings) -> None:
    """Draw, once what was made with ids of its own is behind: the first tries may meet it."""
    with outside(settings.database_url) as connection:
        if connection.dialect.name == "postgresql":
            for table in COUNTED:
                if inspect(connection).has_table(table.name):
                    highest = f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}"
                    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                    connection.exec_driver_sql(f"SELECT setval({sequence}, ({highest}), false)")
    draw(settings)
