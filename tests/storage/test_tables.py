"""Is the sheet of tables the schema that the steps end in, and do values pass it unchanged?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from app.database import Database
from app.storage.fingerprint import Schema, difference, fingerprint
from app.storage.registry import schema_from_sql, storage_at, storage_for
from app.storage.sqlite.storage import SQLiteStorage
from app.tables import data_entries, endpoints, kept_values, metadata, users
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from tests.conftest import SettingsIn

ODD_VALUES: list[object] = [
    None,
    0,
    1,
    7,
    -3.5,
    "true",
    "",
    b"\x00\xff",
    "2026-11-22T06:44:58+02:00",
    2**62,
    "\ud7ff",
]


def schema_of_the_sheet() -> Schema:
    dialect = sqlite.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    for table in metadata.sorted_tables:
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return schema_from_sql(";\n".join(statements))


def test_it_is_the_newest_schema_of_the_releases(root: Path) -> None:
    file = SCHEMA_VERSIONS[-1].file
    frozen = schema_from_sql((root / "app/upgrade/versions/schemas" / file).read_text())
    assert difference(schema_of_the_sheet(), frozen) == []
    assert fingerprint(schema_of_the_sheet(), frozen) == fingerprint(frozen, frozen)


def test_values_go_in_and_come_out_as_they_are(folder: Path) -> None:
    path = folder / "daemon.db"
    path.touch()
    with SQLiteStorage(path).migration_connection() as migration:
        metadata.create_all(migration.connection)
        migration.commit_durably()
    database = Database(SQLiteStorage(path))
    with database.writing() as connection:
        for value in ODD_VALUES:
            connection.execute(
                kept_values.insert().values(
                    table_name="t", row_key="1", column_name="c", value=value, kept_at=value
                )
            )
    with database.reading() as connection:
        rows = connection.execute(
            sqlalchemy.select(kept_values.c.value, kept_values.c.kept_at).order_by(kept_values.c.id)
        ).all()
    database.close()
    assert [row.value for row in rows] == ODD_VALUES
    assert [type(row.value) for row in rows] == [type(value) for value in ODD_VALUES]
    assert [str(row.kept_at) for row in rows] == [str(value) for value in ODD_VALUES]


def test_what_is_no_json_no_date_and_no_boolean_does_not_stop_a_reader(folder: Path) -> None:
    path = folder / "daemon.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            ";".join(str(CreateTable(table)) for table in (users, endpoints, data_entries))
        )
        connection.execute("INSERT INTO endpoints (id, name, schema) VALUES (1, 'ideas', '{}')")
        connection.execute(
            "INSERT INTO data_entries (endpoint_id, data, is_active, created_at) "
            """VALUES (1, '{"a": NaN}', 'yes', 'some day')"""
        )
    database = Database(SQLiteStorage(path))
    with database.reading() as reading:
        row = reading.execute(sqlalchemy.select(data_entries)).one()
    database.close()
    assert (row.data, row.is_active, row.created_at) == ('{"a": NaN}', "yes", "some day")


def test_the_storage_of_a_url_is_the_file_of_the_settings(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path / "with space % and ü")
    assert storage_for(settings.database_url).path == settings.database_path
    assert storage_at(settings.database_path).path == settings.database_path
