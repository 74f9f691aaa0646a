"""Is every database recognised for what it is, by its schema alone?"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from app.errors import UsageError
from app.storage.fingerprint import fingerprint
from app.storage.registry import schema_from_sql
from app.storage.sqlite.connection import SQLiteConnection
from app.upgrade.detect.recognise import describe, is_newest, recognise
from app.upgrade.legacy.table_forms import forms_of
from app.upgrade.steps.steps import repairs_for, steps_between
from app.upgrade.versions.expected_schema import our_tables
from app.upgrade.versions.releases import FINGERPRINTS, NEWEST, SCHEMA_VERSIONS, schema_version_for, sheet_of
from tests.conftest import sample
from tests.upgrade.driving import fresh, look, reading, upgrade
from tests.upgrade.old_databases import MIXTURES, NAMES, build
from tests.upgrade.places import everything_in, execute

REVISIONS = [row.revision for row in SCHEMA_VERSIONS]
NOT_READABLE = ("damaged_truncated", "damaged_zero_page", "damaged_flipped", "damaged_index", "text_file")
KINDS = {0: {"daemon"}, 11: {"daemon"}, 12: {"newer"}, 13: {"foreign", "empty"}}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_READABLE])
def test_a_generated_database_is_what_its_facts_say(name: str, tmp_path: Path) -> None:
    facts = build(name, tmp_path / "old.db")
    known = look(tmp_path / "old.db")
    assert known.kind in KINDS[facts.exit_code], known.label
    if known.kind == "daemon":
        assert known.variants == facts.variants
        assert {one.name for one in known.drift} == facts.drift
        assert known.exact is (not facts.drift)
        assert {extra.name for extra in known.extras} == facts.extras
        assert tuple(claim.version for claim in known.claims) == facts.claims
        assert bool(known.contradiction) is facts.is_contradicted, known.contradiction
        assert known.recorded is None


@pytest.mark.parametrize("users", ["a", "b", "altered"])
def test_every_mixture_of_known_forms_is_known_exactly(users: str, tmp_path: Path) -> None:
    for number, name in enumerate(name for name in MIXTURES if name.startswith(f"{users}-")):
        path = tmp_path / f"{number}.db"
        facts = build(name, path)
        known = look(path)
        assert (known.kind, known.exact, known.drift) == ("daemon", True, ()), name
        assert known.variants == facts.variants, name
        assert {extra.name for extra in known.extras} == facts.extras, name


# By hand, from what legacy_facts says of each file: the form of users, settings and rules, and the claims.
GENUINE = {
    "v0.1-minimal": ("layout A", "absent", "absent", ()),
    "v0.1.0": ("layout A", "layout", "layout", ()),
    "v0.2-script": ("layout B", "second shape", "second shape", ()),
    "v0.2-script-empty-folder": ("fourth shape with full_name", "second shape", "second shape", ()),
    "v0.2-script-failed-on-v0.1.0": ("layout B", "layout", "layout", ()),
    "v0.2.2": ("layout B", "layout", "layout", ()),
    "v0.3-script": ("layout B", "layout", "layout", ("0.3.0",)),
    "v0.3-script-baseline-0.1.0-genuine": ("layout A", "layout", "layout", ("0.1.0",)),
    "v0.3-script-baseline-0.1.0-minimal": ("layout A", "third shape", "third shape", ("0.1.0", "0.3.0")),
    "v0.3-script-baseline-0.2.2": ("layout B", "layout", "layout", ("0.2.2", "0.3.0")),
    "v0.3-script-from-v0.1-minimal": ("layout A", "absent", "absent", ("0.3.0",)),
    "v0.3-script-from-v0.1.0": ("layout A", "layout", "layout", ("0.3.0",)),
    "v0.3-script-from-v0.2-script": ("layout B", "second shape", "second shape", ("0.3.0",)),
    "v0.3-script-rollback-failed": ("layout A", "third shape", "layout", ("0.1.0",)),
    "v0.3-script-tracker-first": ("layout B", "layout", "layout", ("0.3.1", "0.3.0")),
    "v0.3.0": ("layout B", "layout", "layout", ()),
}


def test_a_genuine_database_is_what_is_known_of_it(legacy_database: Path) -> None:
    known = look(legacy_database)
    users, settings, rules, claims = GENUINE[legacy_database.stem]
    assert (known.kind, known.exact, known.recorded) == ("daemon", True, None)
    forms = (
        known.variants["users"],
        known.variants["user_privacy_settings"],
        known.variants["data_privacy_rules"],
    )
    assert forms == (users, settings, rules)
    assert tuple(claim.version for claim in known.claims) == claims


def test_a_claim_that_the_schema_denies_is_told_and_not_believed(tmp_path: Path) -> None:
    build("claim_0_3_1_on_layout_a", tmp_path / "old.db")
    known = look(tmp_path / "old.db")
    assert (known.lowest, known.highest) == ("0.1.0", "0.2.1")
    assert known.contradiction == (
        "database_versions says 0.3.1, but the schema is that of 0.1.0 to 0.2.1; the schema is believed."
    )
    assert [step.id for step in steps_between(known, NEWEST)] == ["script_versions", *REVISIONS[1:]]


def test_a_claim_beyond_all_that_is_known_says_the_way_out(tmp_path: Path) -> None:
    build("claim_9_9_9", tmp_path / "old.db")
    known = look(tmp_path / "old.db")
    assert known.contradiction is not None
    assert known.contradiction.startswith(
        "database_versions says 9.9.9, but the schema is that of 0.2.2 to 0.3.2"
    )
    assert "delete that row of database_versions" in known.contradiction
    execute(tmp_path / "old.db", "DELETE FROM database_versions WHERE version = '9.9.9'")
    assert look(tmp_path / "old.db").kind == "daemon"


def test_looking_at_a_database_changes_nothing(tmp_path: Path) -> None:
    for name in ("layout_a", "wal_left_behind", "hot_journal", "claim_9_9_9"):
        build(name, tmp_path / name / "old.db")
    before = everything_in(tmp_path)
    for name in ("layout_a", "wal_left_behind", "hot_journal", "claim_9_9_9"):
        look(tmp_path / name / "old.db")
    assert everything_in(tmp_path) == before


# -- what is ours --------------------------------------------------------------------------------------------


def test_a_fresh_database_is_at_the_newest_version(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    known = look(path)
    assert (known.kind, known.recorded, known.label, known.exact) == ("daemon", NEWEST, NEWEST, True)
    assert (known.claims, known.contradiction, known.extras) == ((), None, ())
    assert known.fingerprint == FINGERPRINTS[NEWEST]
    with reading(path) as connection:
        assert is_newest(SQLiteConnection(connection))
        described = describe(SQLiteConnection(connection))
    assert (described.version_label, described.fingerprint) == (NEWEST, FINGERPRINTS[NEWEST])
    assert described.is_daemon


def test_the_fingerprints_are_those_of_the_files() -> None:
    for row in SCHEMA_VERSIONS:
        sheet = schema_from_sql(sheet_of(row.version))
        assert fingerprint(sheet, sheet) == FINGERPRINTS[row.version]
    assert FINGERPRINTS["0.2.0"] == FINGERPRINTS["0.3.0"], "0.3.0 changes no schema"


def test_a_header_from_a_newer_daemon_is_not_the_newest(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(path, f"PRAGMA user_version = {SCHEMA_VERSIONS[-1].user_version + 1}")
    with reading(path) as connection:
        assert not is_newest(SQLiteConnection(connection))
        assert recognise(SQLiteConnection(connection)).kind == "newer"


def test_a_schema_without_our_history_line_is_not_at_a_version(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(path, "DELETE FROM database_versions")
    known = look(path)
    assert (known.recorded, known.exact) == (None, True)
    assert [step.id for step in steps_between(known, NEWEST)] == REVISIONS[1:]


def test_a_history_line_without_the_schema_is_not_at_a_version(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(path, "DROP INDEX ix_data_entries_owner")
    known = look(path)
    assert (known.recorded, known.exact) == (None, False)
    assert [(one.kind, one.name) for one in known.drift] == [("missing", "ix_data_entries_owner")]
    upgrade(path)
    assert look(path).recorded == NEWEST


def test_a_line_that_an_old_script_adds_later_is_a_claim(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(
        path, "INSERT INTO database_versions (version, migration_script) VALUES ('9.9.9', 'initial_setup')"
    )
    known = look(path)
    assert (known.kind, known.recorded) == ("daemon", NEWEST)
    assert "9.9.9" in (known.contradiction or "")


def test_a_copy_by_sql_loses_the_header_and_is_still_known(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    with reading(path) as connection, reading(tmp_path / "copy.db") as copy:
        copy.executescript("\n".join(connection.iterdump()))
    assert look(tmp_path / "copy.db").recorded == NEWEST


def test_what_the_owner_adds_later_is_listed_and_no_drift(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(
        path,
        "CREATE TABLE visits (a)",
        "ALTER TABLE users ADD COLUMN nickname TEXT",
        "CREATE INDEX by_nickname ON users (nickname)",
        "CREATE VIEW names AS SELECT username FROM users",
    )
    known = look(path)
    assert (known.recorded, known.fingerprint) == (NEWEST, FINGERPRINTS[NEWEST])
    assert {extra.name for extra in known.extras} == {"visits", "users.nickname", "by_nickname", "names"}


# -- edits ---------------------------------------------------------------------------------------------------


def edits(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every index and table dropped, every column renamed, one at a time: what is hit, statement."""
    found = []
    for kind, name, table in connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    ).fetchall():
        found.append((name, f"DROP {kind} {name}"))
        if kind == "table":
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
            found += [
                (f"{table}.{column}", f"ALTER TABLE {table} RENAME COLUMN {column} TO was_{column}")
                for (column,) in columns
                if column != "validation_status"  # an addition, and the owner's to rename
            ]
    return found


# Without one of these an old database is of another known form, and exactly that.
MAY_BE_ABSENT = {"user_privacy_settings", "data_privacy_rules", "database_versions"}


@pytest.mark.parametrize("name", ["layout_a", "third_shape", "fresh"])
def test_no_edit_of_the_schema_passes_as_exact(name: str, tmp_path: Path) -> None:
    """Drop or rename each thing there is, one at a time: the right thing is named every time."""
    path = tmp_path / "old.db"
    if name == "fresh":
        fresh(path)
    else:
        build(name, path)
    plain = path.read_bytes()
    with reading(path) as connection:
        planned = edits(connection)
    assert len(planned) > 60
    for thing, statement in sample(planned):
        with reading(Path(":memory:")) as scratch:
            scratch.deserialize(plain)
            scratch.execute(statement)
            known = recognise(SQLiteConnection(scratch))
        if known.exact:
            assert name != "fresh"
            assert thing in MAY_BE_ABSENT, statement
        else:
            named = {one.name for one in known.drift} | {one.name.partition(".")[0] for one in known.drift}
            assert thing in named, (statement, known.drift)


# -- words ---------------------------------------------------------------------------------------------------


def test_a_target_may_be_any_release_and_nothing_else() -> None:
    assert [schema_version_for(name) for name in ("0.1.1", "0.2.2", "v0.3.2")] == ["0.1.0", "0.2.0", "0.3.0"]
    for name in ("0.9.9", "latest", "", "0.3"):
        with pytest.raises(UsageError, match=re.escape(f"no version {name}.")) as caught:
            schema_version_for(name)
        assert "0.1.0, 0.1.1, 0.2.0" in caught.value.hint


def test_nothing_is_planned_below_what_is_there(tmp_path: Path) -> None:
    build("layout_b", tmp_path / "old.db")
    known = look(tmp_path / "old.db")
    assert steps_between(known, "0.1.0") == ()
    upgrade(tmp_path / "old.db")
    assert steps_between(look(tmp_path / "old.db"), "0.2.0") == ()


def test_each_drifted_table_is_mended_by_one_step(tmp_path: Path) -> None:
    build("layout_b", tmp_path / "old.db")
    execute(
        tmp_path / "old.db", "DROP INDEX ix_users_email", "DROP INDEX ix_users_id", "DROP TABLE audit_logs"
    )
    known = look(tmp_path / "old.db")
    assert [(step.id, step.kind) for step in repairs_for(known)] == [
        ("mend:users", "repair"),
        ("mend:audit_logs", "repair"),
    ]


def test_no_two_forms_of_a_table_are_the_same() -> None:
    for table in our_tables():
        schemas = [form.schema for form in forms_of(table)]
        assert all(schemas.count(schema) == 1 for schema in schemas), table
