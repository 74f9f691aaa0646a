"""Is "damaged" said of pages alone? What SQLite cannot use, odd rows, stale indexes are named as such."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.backup.verify import prove_backup
from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.types import Soundness
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Plan
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import ask_readiness
from app.upgrade.versions.contracts import contract_of
from app.upgrade.versions.releases import SCHEMA_VERSIONS

Old = Callable[[str], Path]
Spoil = Callable[[sqlite3.Connection], object]

NOT_UNDERSTOOD = {
    "a view": "('view', 'mine', 'mine', 0, 'CREATE VIEW mine AS SELECT max(id FROB BY id) FROM users')",
    "a trigger": "('trigger', 'mine', 'users', 0, 'CREATE TRIGGER mine FROB users BEGIN SELECT 1; END')",
    "a table": "('table', 'mine', 'mine', {page}, 'CREATE TABLE mine (a) FROBBED')",
    "an index": "('index', 'mine', 'spare', {page}, 'CREATE INDEX mine ON spare (a FROB)')",
}


def spoil(path: Path, *acts: str | Spoil) -> None:
    """Change the database as a program of the owner's would, with functions and collations of its own."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.create_collation("german", lambda one, other: (one > other) - (one < other))
        connection.create_function("title_sort", 1, lambda value: value, deterministic=True)
        for act in acts:
            act(connection) if callable(act) else connection.execute(act)


def written_in_a_newer_sqlite(row: str) -> Spoil:
    def act(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE spare (a)")
        connection.execute("CREATE INDEX spare_index ON spare (a)")
        name = "spare_index" if "'index'" in row else "spare"
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        if "'table'" in row:
            connection.execute("CREATE TABLE mine (a)")
            name = "mine"
        page = connection.execute(find, (name,)).fetchone()[0]
        connection.execute("PRAGMA writable_schema = ON")
        if "{page}" in row:
            connection.execute("DELETE FROM sqlite_master WHERE rootpage = ?", (page,))
        connection.execute(f"INSERT INTO sqlite_master VALUES {row.format(page=page)}")

    return act


def names(path: Path) -> list[str]:
    """What the schema lists, also where SQLite cannot parse it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]


def words_of(plan: Plan) -> str:
    return "\n".join(f"{one.message} {one.hint}" for one in (*plan.blockers, *plan.warnings))


def assert_pages_can_be_copied(settings: Settings) -> None:
    """Backed up, listed, proved, and put back: a page copy needs no schema."""
    before = names(settings.database_path)
    made = create_backup(settings, describe=describe, storage=storage_for(settings.database_url))
    assert [one.state for one in list_backups(settings, describe=describe) if one.name == made.name] == [
        "good"
    ]
    assert prove_backup(settings, made.name, describe=describe).contents.is_daemon
    restore_and_hold(settings, made.name)
    assert names(settings.database_path) == before


@pytest.mark.parametrize("is_upgraded", [False, True], ids=["old", "newest"])
@pytest.mark.parametrize("row", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_sql_that_only_a_newer_sqlite_understands(
    row: str, is_upgraded: bool, old: Old, settings: Settings
) -> None:
    path = old("layout_b")
    if is_upgraded:
        assert run_upgrade(settings).exit_code == 0
    spoil(path, written_in_a_newer_sqlite(row))
    before = path.read_bytes()
    plan = make_plan(settings)
    assert (plan.blockers[0].code, exit_code_of(plan)) == ("unusable_schema", 11)
    assert "mine, which is yours" in plan.blockers[0].message
    assert sqlite3.sqlite_version in plan.blockers[0].message
    assert "is damaged is not proven" in plan.blockers[0].message
    assert "restore" not in words_of(plan)
    assert plan.current.kind == "daemon"
    ended = run_upgrade(settings)
    assert (ended.exit_code, plan.blockers[0].message in ended.message) == (11, True)
    assert path.read_bytes() == before
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    assert readiness.state == "UNKNOWN"
    assert "mine" in readiness.sentence
    assert_pages_can_be_copied(settings)


def test_a_rollback_goes_back_from_sql_that_is_not_understood(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    assert run_upgrade(settings).exit_code == 0
    spoil(path, written_in_a_newer_sqlite(NOT_UNDERSTOOD["a view"]))
    back = run_rollback(settings)
    assert (back.state, back.exit_code) == ("done", 0), back.message
    assert "mine" not in names(path)
    safety = next(one for one in list_backups(settings) if one.purpose == "before_restore")
    assert "mine" in names(safety.path)


OF_OUR_TABLES = {
    "an index in a collation": ("CREATE INDEX mine ON users (username COLLATE german)",),
    "a partial index": ("CREATE INDEX mine ON data_entries (id) WHERE title_sort(data) > ''",),
    "an index on a function": ("CREATE INDEX mine ON users (title_sort(username))",),
    "a generated column": ("ALTER TABLE users ADD COLUMN mine AS (title_sort(username))",),
    "a column with a check": ("ALTER TABLE endpoints ADD COLUMN mine CHECK (title_sort(mine) <> 'x')",),
}


@pytest.mark.parametrize("statements", OF_OUR_TABLES.values(), ids=OF_OUR_TABLES)
@pytest.mark.parametrize("is_upgraded", [False, True], ids=["old", "newest"])
def test_what_our_tables_need_and_only_the_owners_program_has(
    statements: tuple[str, ...], is_upgraded: bool, old: Old, settings: Settings
) -> None:
    path = old("layout_b")
    if is_upgraded:
        assert run_upgrade(settings).exit_code == 0
    spoil(path, *statements)
    before = path.read_bytes()
    plan = make_plan(settings)
    assert [one.code for one in plan.blockers] == ["unusable_schema"]
    assert exit_code_of(plan) == 11
    assert any(lack in plan.blockers[0].message for lack in ("function title_sort", "collation german"))
    assert "restore" not in words_of(plan)
    assert run_upgrade(settings).exit_code == 11
    assert path.read_bytes() == before
    assert_pages_can_be_copied(settings)


OF_THE_OWNERS_TABLES = {
    "an index in a collation": ("CREATE TABLE mine (a)", "CREATE INDEX i ON mine (a COLLATE german)"),
    "a column in a collation": ("CREATE TABLE mine (a TEXT COLLATE german UNIQUE)",),
    "a key in a collation": ("CREATE TABLE mine (a TEXT COLLATE german PRIMARY KEY) WITHOUT ROWID",),
    "an index on a function": ("CREATE TABLE mine (a)", "CREATE INDEX i ON mine (title_sort(a))"),
    "a check": ("CREATE TABLE mine (a CHECK (title_sort(a) <> 'x'))",),
    "a computed column": ("CREATE TABLE mine (a, b AS (title_sort(a)))",),
    "a stored column": ("CREATE TABLE mine (a, b AS (title_sort(a)) STORED)",),
}


@pytest.mark.parametrize("statements", OF_THE_OWNERS_TABLES.values(), ids=OF_THE_OWNERS_TABLES)
def test_what_the_owners_tables_need_stops_nothing(
    statements: tuple[str, ...], old: Old, settings: Settings
) -> None:
    path = old("layout_b")
    spoil(path, *statements, "INSERT INTO mine (a) VALUES ('ä'), ('Z'), ('b')")
    built = names(path)
    plan = make_plan(settings)
    assert exit_code_of(plan) == 10, words_of(plan)
    assert [one.code for one in plan.warnings if one.code == "not_proven"]
    ended = run_upgrade(settings)
    assert (ended.state, ended.exit_code) == ("done", 0), ended.message
    dropped = {name for row in SCHEMA_VERSIONS for name in contract_of(row.revision).drops}
    assert set(built) - dropped <= set(names(path))
    assert_pages_can_be_copied(settings)
    back = run_rollback(settings)
    assert (back.exit_code, names(path)) == (0, built), back.message


def rewritten(name: str, sql: str) -> Spoil:
    """Another text for what is there, as after an ALTER by hand."""

    def act(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))

    return act


CONTENT: dict[str, tuple[str | Spoil, ...]] = {
    "a NULL": (
        "CREATE TABLE mine (a)",
        "INSERT INTO mine VALUES (NULL), (NULL), (1)",
        rewritten("mine", "CREATE TABLE mine (a NOT NULL)"),
    ),
    "a check": (
        "CREATE TABLE mine (a CHECK (a > 1))",
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO mine VALUES (0), (2)",
    ),
    "two alike": (
        "CREATE TABLE mine (a)",
        "CREATE INDEX i ON mine (a)",
        "INSERT INTO mine VALUES (1), (1)",
        rewritten("i", "CREATE UNIQUE INDEX i ON mine (a)"),
    ),
    "a type": (
        "CREATE TABLE mine (a TEXT)",
        "INSERT INTO mine VALUES (x'00')",
        rewritten("mine", "CREATE TABLE mine (a TEXT) STRICT"),
    ),
    "a NULL of ours": (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '/*OT*/ NULL') WHERE name = 'endpoints'",
        "PRAGMA writable_schema = RESET",
        "UPDATE endpoints SET schema = NULL WHERE id = 1",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, '/*OT*/ NULL', 'NOT NULL') WHERE name = 'endpoints'",
    ),
}


@pytest.mark.parametrize("acts", CONTENT.values(), ids=CONTENT)
def test_rows_against_the_rules_of_their_table_are_content(
    acts: tuple[str | Spoil, ...], old: Old, settings: Settings
) -> None:
    spoil(old("layout_b"), *acts)
    plan = make_plan(settings)
    assert exit_code_of(plan) == 10, words_of(plan)
    assert [one.code for one in plan.warnings if one.code == "content"] == ["content"]
    assert "damaged" not in words_of(plan)
    ended = run_upgrade(settings)
    assert (ended.state, ended.exit_code) == ("done", 0), ended.message
    assert_pages_can_be_copied(settings)


STALE: dict[str, tuple[str | Spoil, ...]] = {
    "too many entries": (
        "CREATE TABLE mine (a, b)",
        "CREATE INDEX i ON mine (a)",
        "INSERT INTO mine VALUES (1, 2), (3, 4)",
        rewritten("i", "CREATE INDEX i ON mine (a) WHERE a > 1"),
    ),
    "entries of another column": (
        "CREATE TABLE mine (a, b)",
        "CREATE INDEX i ON mine (a)",
        "INSERT INTO mine VALUES (1, 2), (3, 4)",
        rewritten("i", "CREATE INDEX i ON mine (b)"),
    ),
    "no entries": (
        "CREATE TABLE mine (a, b)",
        "CREATE INDEX i ON mine (a) WHERE a IS NULL",
        "INSERT INTO mine VALUES (1, 2), (3, 4)",
        rewritten("i", "CREATE INDEX i ON mine (a)"),
    ),
    "an index on one of our tables": (
        "CREATE INDEX i ON data_entries (id) WHERE id < 0",
        rewritten("i", "CREATE INDEX i ON data_entries (id)"),
    ),
}


@pytest.mark.parametrize("acts", STALE.values(), ids=STALE)
def test_an_index_that_is_not_what_its_table_holds_is_made_anew(
    acts: tuple[str | Spoil, ...], old: Old, settings: Settings
) -> None:
    spoil(old("layout_b"), *acts)
    plan = make_plan(settings)
    assert exit_code_of(plan) == 10, words_of(plan)
    assert [one.message.split()[:3] for one in plan.warnings if one.code == "index"] == [
        ["The", "index", "i"]
    ]
    assert plan.steps[0].id == "rebuild:i"
    ended = run_upgrade(settings)
    assert (ended.state, ended.exit_code) == ("done", 0), ended.message
    assert ended.applied[0].step == plan.steps[0]
    assert soundness(settings) == Soundness()


@pytest.mark.parametrize("acts", STALE.values(), ids=STALE)
def test_where_nothing_else_is_to_be_done_a_repair_makes_the_index_anew(
    acts: tuple[str | Spoil, ...], old: Old, settings: Settings
) -> None:
    path = old("layout_b")
    assert run_upgrade(settings).exit_code == 0
    spoil(path, *acts)
    plan = make_plan(settings)
    assert exit_code_of(plan) == 0
    assert [one.hint for one in plan.warnings if one.code == "index"] == ["daemon upgrade run --repair"]
    assert (run_upgrade(settings).state, soundness(settings).indexes) == ("nothing_to_do", ("i",))
    ended = run_upgrade(settings, repair=True)
    assert (ended.state, ended.exit_code) == ("done", 0), ended.message
    assert soundness(settings) == Soundness()


def soundness(settings: Settings) -> Soundness:
    storage = storage_for(settings.database_url)
    with storage.looking() as connection:
        return connection.soundness()


@pytest.mark.parametrize("where", [0, 3, 8])
def test_a_page_that_is_overwritten_is_damage(where: int, old: Old, settings: Settings) -> None:
    path = old("layout_b")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'data_entries'"
        ).fetchone()[0]
    content = bytearray(path.read_bytes())
    at = (page - 1) * 4096 + where
    content[at : at + 60] = b"\xa5" * 60
    path.write_bytes(content)
    plan = make_plan(settings)
    assert (plan.blockers[0].code, exit_code_of(plan)) == ("damaged", 14)
    assert run_upgrade(settings).exit_code == 14
