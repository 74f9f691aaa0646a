"""Is every lossy step found out and rolled back? Each plants one loss behind the real steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.storage.types import MigrationConnection
from app.upgrade.operations import upgrade
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.steps.apply import apply
from app.upgrade.versions.releases import NEWEST
from tests.upgrade.places import contents, execute

Old = Callable[[str], Path]

REBUILD = (
    "CREATE TABLE other ({columns})",
    "INSERT INTO other SELECT * FROM {table}",
    "DROP TABLE {table}",
    "ALTER TABLE other RENAME TO {table}",
)
NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, entry_id INTEGER, text TEXT, number, "
    "FOREIGN KEY (entry_id) REFERENCES data_entries (id))",
    "INSERT INTO notes VALUES (1, 1, 'kept', '007'), (2, 1, 'too', 7.0), (3, NULL, x'00ff', NULL)",
    "CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "INSERT INTO pairs VALUES (1, 'x'), (2, 'y')",
    "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
    "INSERT INTO counted VALUES (40, 'x')",
    "DELETE FROM counted WHERE id = 40",
)

LOSSES: dict[str, tuple[str, ...]] = {
    "a row is deleted": ("DELETE FROM audit_logs WHERE id = (SELECT min(id) FROM audit_logs)",),
    "a cascade took the rows of a child": ("DELETE FROM api_keys",),
    "a WHERE was forgotten": ("UPDATE data_entries SET is_active = 1 - is_active",),
    "a text is cut": ("UPDATE data_entries SET data = substr(data, 1, length(data) - 1) WHERE id = 1",),
    "JSON is written anew": ("UPDATE data_entries SET data = json(data) WHERE json_valid(data)",),
    "a number becomes text": ("UPDATE notes SET number = CAST(number AS TEXT) WHERE id = 2",),
    "a text becomes a number": ("UPDATE notes SET number = 7 WHERE id = 1",),
    "a real becomes an integer": ("UPDATE notes SET number = CAST(number AS INTEGER) WHERE id = 2",),
    "affinity changes values in a rebuild": tuple(
        line.format(
            table="notes", columns="id INTEGER PRIMARY KEY, entry_id INTEGER, text TEXT, number INTEGER"
        )
        for line in REBUILD
    ),
    "a blob becomes text": ("UPDATE notes SET text = CAST(text AS TEXT) WHERE id = 3",),
    "NULL becomes an empty text": ("UPDATE notes SET number = '' WHERE number IS NULL",),
    "ids are renumbered": ("UPDATE audit_logs SET id = id + 1000",),
    "two rows swap their values": (
        "UPDATE notes SET text = CASE id WHEN 1 THEN 'too' WHEN 2 THEN 'kept' END WHERE id < 3",
    ),
    "a row is doubled": (
        "INSERT INTO audit_logs (action, table_name, record_id) SELECT action, table_name, record_id "
        "FROM audit_logs LIMIT 1",
    ),
    "one row replaces another": (
        "DELETE FROM api_keys WHERE id = (SELECT max(id) FROM api_keys)",
        "INSERT INTO api_keys (name, key_hash, user_id) VALUES ('new', 'new', 1)",
    ),
    "an old kind is gone for a new one": (
        "DELETE FROM endpoints WHERE id = 1",
        "INSERT INTO endpoints (name, schema) VALUES ('another', '{}')",
    ),
    "an old kind is changed": ("UPDATE endpoints SET is_public = 1 - is_public WHERE id = 1",),
    "a person's settings are changed": (
        "UPDATE user_privacy_settings SET show_location = 1 - show_location",
    ),
    "the owner's table is emptied": ("DELETE FROM notes",),
    "the owner's table is dropped": ("DROP TABLE notes",),
    "the owner's column is dropped": ("ALTER TABLE notes DROP COLUMN number",),
    "a table without rowids loses a row": ("DELETE FROM pairs WHERE a = 1",),
    "a new orphan": ("UPDATE notes SET entry_id = 999999 WHERE id = 1",),
    "a new orphan in a table that may grow": ("INSERT INTO user_privacy_settings (user_id) VALUES (987654)",),
    "ids would be given out again": ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'counted'",),
    "an index is missing at the end": ("DROP INDEX ix_data_entries_owner",),
    "a column is missing at the end": (
        "DROP INDEX ix_data_entries_shown",
        "ALTER TABLE data_entries DROP COLUMN visibility",
    ),
    "a unique index is plain at the end": (
        "DROP INDEX ix_users_email",
        "CREATE INDEX ix_users_email ON users (email)",
    ),
    "the history line is missing": (f"DELETE FROM database_versions WHERE version = '{NEWEST}'",),
}


@pytest.mark.parametrize("statements", LOSSES.values(), ids=LOSSES)
def test_a_planted_loss_is_found_and_taken_back(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, statements: tuple[str, ...]
) -> None:
    path = old("layout_b")
    execute(path, *NOTES)
    before = contents(path)
    with monkeypatch.context() as patched:
        plant(patched, *statements)
        outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert "verification found faults" in outcome.message
    assert contents(path) == before
    assert run_upgrade(settings).state == "done"


def plant(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """Let the steps run as they are, and then these statements in the same transaction."""
    real = apply

    def lossy(migration: MigrationConnection, *positional: Any, **named: Any) -> Any:
        applied = real(migration, *positional, **named)
        for statement in statements:
            migration.connection.exec_driver_sql(statement)
        return applied

    monkeypatch.setattr(upgrade, "apply", lossy)


KEPT_LOSSES = {
    "a kept value is lost": "DELETE FROM kept_values WHERE id = (SELECT max(id) FROM kept_values "
    "WHERE row_key NOT IN ('', 'form'))",
    "a kept value is another": "UPDATE kept_values SET value = 'another' WHERE column_name = 'pattern' AND "
    "row_key = '1'",
    "a kept value has another type": "UPDATE kept_values SET value = CAST(value AS TEXT) "
    "WHERE column_name = 'user_id'",
    "a kept row is lost": "DELETE FROM kept_values WHERE row_key = '1' AND table_name = 'data_privacy_rules'",
    "the form is lost": "DELETE FROM kept_values WHERE column_name = 'sql'",
    "the form is another": "UPDATE kept_values SET value = 'CREATE TABLE x (a)' WHERE column_name = 'sql'",
}


@pytest.mark.parametrize("statement", KEPT_LOSSES.values(), ids=KEPT_LOSSES)
def test_a_loss_in_what_is_kept_of_odd_tables_is_found(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    path = old("second_shape")
    before = contents(path)
    plant(monkeypatch, statement)
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("failed_unchanged", 1), outcome
    assert contents(path) == before


def test_what_is_added_is_no_loss(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, *NOTES)
    outcome = run_upgrade(settings)
    assert outcome.state == "done", outcome.message
    notes = {table: contents(path)[table] for table in ("notes", "pairs")}
    assert notes["notes"][0] == (1, 1, b"kept", b"007")
    assert notes["pairs"] == [(1, b"x"), (2, b"y")]
