"""Does each upgrade do what the guide's table of versions says? (G30 to G35, G37)"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import NEWEST
from tests.contract.conftest import ROOT, Operator
from tests.contract.test_commands import CORE_TABLES

MIGRATE = "python scripts/migrate_comprehensive.py"
LATER = {  # the columns that an upgrade adds
    table: set(schema_at(NEWEST).tables[table].columns) - set(schema_at("0.1.0").tables[table].columns)
    for table in CORE_TABLES
}
VERSIONS = "SELECT version FROM database_versions WHERE is_claim = 0 ORDER BY id"


def columns(operator: Operator, table: str) -> list[str]:
    return [str(row[1]) for row in operator.rows(f"PRAGMA table_info({table})")]


def test_g30_0_1_to_0_2(operator: Operator) -> None:
    operator.put("guide_0_1")
    assert "full_name" not in columns(operator, "users")
    operator.type(f"{MIGRATE} --target 0.2.0")
    assert "full_name" in columns(operator, "users")
    assert operator.rows("SELECT COUNT(*) FROM data_privacy_rules") == [(14,)]
    assert operator.rows("SELECT user_id FROM user_privacy_settings ORDER BY user_id") == operator.rows(
        "SELECT id FROM users ORDER BY id"
    )
    assert operator.rows(VERSIONS) == [("0.2.0",)]


def test_g31_0_2_to_0_3_changes_no_schema(operator: Operator) -> None:
    operator.put("guide_0_1")
    operator.type(f"{MIGRATE} --target 0.2.2")
    schema = operator.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    operator.type(f"{MIGRATE} --target 0.3.0")
    assert operator.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name") == schema
    assert operator.rows(VERSIONS) == [("0.2.0",), ("0.3.0",)]


def test_g32_0_1_to_0_3_in_one_go_equals_both_after_each_other(
    operator: Operator, new_operator: Callable[[], Operator]
) -> None:
    other = new_operator()
    for each in (operator, other):
        each.put("guide_0_1")
    operator.type(f"{MIGRATE} --target 0.3.0")
    other.type(f"{MIGRATE} --target 0.2.0")
    other.type(f"{MIGRATE} --target 0.3.0")
    # Times aside: what the upgrade itself adds has the time of that upgrade.
    for name, columns_wanted in {
        "users": "*",
        "endpoints": "id, name, description, schema, is_active, is_public",
        "data_entries": "*",
        "api_keys": "*",
        "audit_logs": "*",
        "data_privacy_rules": "id, field_name, pattern, privacy_level, is_active",
    }.items():
        query = f"SELECT {columns_wanted} FROM {name} ORDER BY id"
        assert operator.rows(query) == other.rows(query), name
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    assert operator.rows(tables) == other.rows(tables)
    assert operator.rows(VERSIONS) == other.rows(VERSIONS) == [("0.2.0",), ("0.3.0",)]


def test_g33_the_settings_of_0_2(operator: Operator) -> None:
    (operator.folder / ".env").write_text(
        "PRIVACY_LEVEL=business_card\nBACKUP_ENABLED=true\nDATABASE_URL=sqlite:///./data/daemon.db\n"
    )
    done = operator.type("python -m app.cli init")
    assert "Warning" not in done.err
    assert operator.database.is_file()
    done = operator.type("PRIVACY_LEVEL=everything python -m app.cli status", status=2)
    assert "PRIVACY_LEVEL" in done.err


def test_g34_the_unit_file_has_the_new_folder() -> None:
    unit = (ROOT / "daemon.service").read_text()
    assert "/opt/daemon/" in unit
    assert "pmac" not in unit


def test_g35_schema_default_data_and_the_form_of_contents(old: Operator) -> None:
    old.type(MIGRATE)
    assert old.rows("SELECT COUNT(*) FROM data_privacy_rules WHERE is_active = 1") == [(14,)]
    assert old.rows("SELECT COUNT(DISTINCT name) >= 33 FROM endpoints") == [(1,)]
    assert old.rows("SELECT COUNT(*) FROM data_entries WHERE visibility IS NULL") == [(0,)]


@pytest.mark.sweep
def test_g37_nothing_is_lost_in_any_of_the_old_databases(operator: Operator, legacy_database: Path) -> None:
    operator.data.mkdir()
    operator.database.write_bytes(legacy_database.read_bytes())
    for suffix in ("-wal", "-journal"):
        beside = legacy_database.with_name(legacy_database.name + suffix)
        if beside.exists():
            operator.database.with_name(operator.database.name + suffix).write_bytes(beside.read_bytes())
    before = rows_of_every_table(operator.database)
    operator.type(MIGRATE)
    after = rows_of_every_table(operator.database)
    for table in set(before) & set(CORE_TABLES):
        assert [row for row in after[table] if row in before[table]] == before[table], table
    operator.type(f"{MIGRATE} --check-only")
    with operator.server():
        operator.wait_for("/health", 200)
        assert operator.ask("/api/v1/ideas").status == 200


def rows_of_every_table(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of the core tables, in the columns that every version has."""
    found: dict[str, list[dict[str, object]]] = {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.row_factory = sqlite3.Row
        names = [
            row[0].decode()
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in set(names) & set(CORE_TABLES):
            rows = connection.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()
            found[name] = [
                {
                    key: row[key]
                    for key in row.keys()  # noqa: SIM118 a row is a sequence of values
                    if key not in {*LATER[name], "last_login", "is_active"}
                }
                for row in rows
            ]
    return found


@pytest.mark.parametrize("target", ["0.2.0", "0.2.1", "0.2.2", "0.3.0", "0.3.1", "0.3.2"])
def test_g51_any_version_to_any_newer_one(operator: Operator, target: str) -> None:
    operator.put("guide_0_1")
    operator.type(f"{MIGRATE} --target {target}")
    last = operator.rows("SELECT version FROM database_versions ORDER BY id DESC LIMIT 1")
    assert last == [("0.2.0" if target < "0.3" else "0.3.0",)]
