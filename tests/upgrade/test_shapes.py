"""Is every odd form adopted: each choice obeyed, each value kept, the odd table there again on demand?"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.errors import Failed
from app.storage.registry import schema_from_sql
from app.upgrade.legacy.shapes import fourth_shape, second_shape, third_shape
from app.upgrade.legacy.table_forms import get_shape, shape_names
from app.upgrade.versions.expected_schema import only, our_tables, schema_at
from app.upgrade.versions.releases import NEWEST, NEWEST_UNMARKED
from tests.upgrade.driving import fresh, look, notes, reading, upgrade
from tests.upgrade.kept_again import kept_tables, rebuild
from tests.upgrade.old_databases import MIXTURES, NAMES, Facts, build
from tests.upgrade.places import execute, value

ODD = (
    "second_shape",
    "third_shape",
    "first_and_third",
    "half_second_shape",
    "half_third_shape",
    "settings_doubled",
    "settings_left_over_second",
    "settings_chosen_third",
    "odd_texts_in_odd_tables",
    "owners_on_odd_tables",
    "fourth_shape",
    "fourth_shape_then_served",
)

Table = tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]], list[Any]]


def whole(path: Path, table: str) -> Table:
    """All there is to a table: its statement, its indexes, every value with its type, its counter."""
    with reading(path) as connection:
        connection.text_factory = bytes
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? ORDER BY name",
            (table,),
        ).fetchall()
        names = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        values = ", ".join(f'"{name.decode()}", typeof("{name.decode()}")' for name in names)
        rows = connection.execute(f"SELECT rowid, {values} FROM {table} ORDER BY rowid").fetchall()
        counter = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchall()
    return sql, indexes, rows, counter


@pytest.mark.parametrize("name", ODD)
def test_an_odd_table_is_there_again_exactly(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    facts = build(name, path)
    assert facts.adopted
    before = {table: whole(path, table) for table in facts.adopted}
    upgrade(path)
    with reading(path) as connection:
        assert set(kept_tables(connection)) == facts.adopted
        for table in facts.adopted:
            assert rebuild(connection, table) == len(before[table][2])
    assert {table: whole(path, table) for table in facts.adopted} == before


def test_every_genuine_row_is_there_once_the_odd_tables_are_rebuilt(
    legacy_database: Path, manifest_tool: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(legacy_database, path)
    manifest = json.loads(legacy_database.with_suffix(".json").read_text())
    odd = {table for table, form in look(path).variants.items() if form.endswith("shape")} - {"users"}
    upgrade(path)
    faults = manifest_tool.check(str(path), manifest)
    assert [fault for fault in faults if not any(table in fault for table in odd)] == []
    with reading(path) as connection:
        assert set(kept_tables(connection)) == odd
        for table in odd:
            rebuild(connection, table)
    assert manifest_tool.check(str(path), manifest) == []


def test_a_table_that_is_kept_twice_is_rebuilt_from_the_later(tmp_path: Path) -> None:
    """An operator runs an old script once more, on an upgraded database."""
    path = tmp_path / "old.db"
    build("second_shape", path)
    upgrade(path)
    execute(
        path,
        "DROP TABLE user_privacy_settings",
        second_shape.SCHEMAS["second shape"].split(";")[0],
        "INSERT INTO user_privacy_settings (id, user_id, custom_filters) VALUES (50, 1, 'later')",
        "DELETE FROM database_versions",
        "PRAGMA application_id = 0",
    )
    before = whole(path, "user_privacy_settings")
    upgrade(path)
    with reading(path) as connection:
        assert rebuild(connection, "user_privacy_settings") == 1
    assert whole(path, "user_privacy_settings") == before


def test_what_is_not_kept_cannot_be_rebuilt(tmp_path: Path) -> None:
    build("layout_a", tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    with reading(tmp_path / "old.db") as connection, pytest.raises(LookupError):
        rebuild(connection, "user_privacy_settings")


@pytest.mark.parametrize("name", [name for name in MIXTURES if "own-own" not in name][::7])
def test_mixtures_end_in_the_one_schema(name: str, tmp_path: Path) -> None:
    build(name, tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    known = look(tmp_path / "old.db")
    assert (known.recorded, known.exact) == (NEWEST, True)


# -- settings ------------------------------------------------------------------------------------------------

CHOICES = (
    "privacy_level",
    "show_contact_info",
    "show_location",
    "show_salary_range",
    "business_card_mode",
    "ai_assistant_access",
    "custom_privacy_rules",
)


def choices(path: Path, user_id: int) -> dict[str, Any]:
    """A person's stored choices."""
    with reading(path) as connection:
        row = connection.execute(
            f"SELECT {', '.join(CHOICES)} FROM user_privacy_settings WHERE user_id = ?", (user_id,)
        ).fetchone()
    found = dict(zip(CHOICES, row, strict=True))
    found["custom_privacy_rules"] = json.loads(found["custom_privacy_rules"])
    return found


def usual(**changes: Any) -> dict[str, Any]:
    """What a person has who chose nothing but ``changes``."""
    return {
        "privacy_level": None,
        "show_contact_info": 1,
        "show_location": 1,
        "show_salary_range": 0,
        "business_card_mode": 0,
        "ai_assistant_access": 1,
        "custom_privacy_rules": {},
        **changes,
    }


def adopted(name: str, tmp_path: Path, *statements: str) -> Path:
    path = tmp_path / "old.db"
    build(name, path)
    execute(path, *statements)
    upgrade(path)
    return path


def test_the_choices_of_the_second_shape_are_obeyed(tmp_path: Path) -> None:
    path = adopted("second_shape", tmp_path)
    assert choices(path, 1) == usual(privacy_level="public_full")
    assert choices(path, 2) == usual(
        privacy_level="professional", show_contact_info=0, custom_privacy_rules={"contact.phone": "hide"}
    )
    assert choices(path, 3) == usual(), "Cleo had no row, and gets that of a new account"
    assert (
        value(path, "SELECT created_at FROM user_privacy_settings WHERE user_id = 1") == "2026-11-22 07:38:47"
    )


def test_of_doubled_rows_the_strictest_of_each_setting_counts(tmp_path: Path) -> None:
    assert choices(adopted("settings_doubled", tmp_path), 2) == usual(
        privacy_level="business_card",
        show_contact_info=0,
        ai_assistant_access=0,
        custom_privacy_rules={"contact.phone": "hide", "summary": "hide", "title": "redact"},
    )


FILTERS: list[tuple[str | None, dict[str, str], int]] = [
    (None, {}, 0),
    ("", {}, 0),
    ("{}", {}, 0),
    ("[]", {}, 0),
    ("null", {}, 0),
    ('["phone", "summary"]', {"phone": "hide", "summary": "hide"}, 0),
    ('{"phone": "redact"}', {"phone": "redact"}, 0),
    ('{"phone": "redact", "phone": "hide"}', {"phone": "hide"}, 0),
    ('{"phone": "hide", "mail": "blur"}', {"phone": "hide"}, 1),
    ('{"hide": ["phone"]}', {}, 1),
    ('[["phone"]]', {}, 1),
    ('[{"path": "phone"}]', {}, 1),
    ('[1, "phone"]', {"phone": "hide"}, 1),
    ("everything", {}, 1),
    ("{", {}, 1),
    ("true", {}, 1),
    ('"phone"', {}, 1),
    ("[" * 5000, {}, 1),
]


@pytest.mark.parametrize(("stored", "rules", "card_only"), FILTERS)
def test_a_filter_that_cannot_be_read_leaves_only_the_card(
    stored: str | None, rules: dict[str, str], card_only: int, tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    build("second_shape", path)
    with reading(path) as connection:
        connection.execute("UPDATE user_privacy_settings SET custom_filters = ? WHERE user_id = 1", (stored,))
    said = notes(upgrade(path))
    assert choices(path, 1) == usual(
        privacy_level="public_full", custom_privacy_rules=rules, business_card_mode=card_only
    )
    assert any("cannot be read" in note for note in said) is bool(card_only)


@pytest.mark.parametrize(
    ("stored", "show", "card"),
    [
        ("'true'", 1, 1),
        ("'FALSE'", 0, 0),
        ("2", 0, 1),
        ("'maybe'", 0, 1),
        ("NULL", None, None),
        ("1.0", 1, 1),
    ],
)
def test_a_flag_that_cannot_be_read_is_taken_strictly(
    stored: str, show: int | None, card: int | None, tmp_path: Path
) -> None:
    change = f"UPDATE user_privacy_settings SET show_contact_info = {stored}, business_card_mode = {stored}"
    found = choices(adopted("second_shape", tmp_path, change), 1)
    assert (found["show_contact_info"], found["business_card_mode"]) == (show, card)


def test_an_unknown_level_is_the_strictest(tmp_path: Path) -> None:
    path = adopted("second_shape", tmp_path, "UPDATE user_privacy_settings SET privacy_level = 'friends'")
    assert choices(path, 1)["privacy_level"] == "business_card"


def test_the_choices_of_the_third_shape_are_obeyed(tmp_path: Path) -> None:
    path = adopted("settings_chosen_third", tmp_path)
    assert choices(path, 1) == usual(privacy_level="professional", business_card_mode=1)
    assert choices(path, 2) == usual(
        show_contact_info=0, ai_assistant_access=0, custom_privacy_rules={"summary": "hide"}
    )
    assert choices(path, 3) == usual(business_card_mode=1), "what cannot be read leaves only the card"


def test_a_setting_without_a_meaning_is_kept_and_told(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build("third_shape", path)
    assert any("favourite_colour" in note for note in notes(upgrade(path)))
    kept = "SELECT value FROM kept_values WHERE column_name = 'setting_value' AND row_key = '3'"
    assert value(path, kept) == "green"


# -- rules ---------------------------------------------------------------------------------------------------


def rules(path: Path) -> list[tuple[Any, ...]]:
    with reading(path) as connection:
        return connection.execute(
            "SELECT id, endpoint_name, field_path, privacy_level, is_active, field_name, pattern"
            " FROM data_privacy_rules ORDER BY id"
        ).fetchall()


def test_the_rules_of_the_second_shape_keep_their_ids(tmp_path: Path) -> None:
    found = rules(adopted("second_shape", tmp_path))
    assert found[1] == (2, "*", "*", "ai_safe", 1, "ssn", r"\b\d{3}-\d{2}-\d{4}\b")
    assert found[2] == (7, "*", "*", "professional", 0, "mine", "orchard")
    assert len(found) == 3, "there were rules: the default ones are not put beside them"


def test_the_third_shapes_rules_about_hiding_are_obeyed(tmp_path: Path) -> None:
    found = rules(adopted("odd_texts_in_odd_tables", tmp_path))
    assert found == [(10, "*", "contact.phone", "professional", 1, None, None)]


def test_rules_that_hide_nothing_make_room_for_the_default_ones(tmp_path: Path) -> None:
    found = rules(adopted("third_shape", tmp_path))
    assert len(found) == 14
    assert found[0][0] == 3, "ids 1 and 2 were named before"


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ('{"field": "phone"}', [("*", "phone", None, None)]),
        (
            '{"fields": ["a", "b"], "level": "ai_safe"}',
            [("*", "a", "ai_safe", None), ("*", "b", "ai_safe", None)],
        ),
        ('{"endpoint": "resume", "pattern": "x+"}', [("resume", "*", None, "x+")]),
        ('{"days": 3}', []),
        ("[]", []),
        ("{", []),
    ],
)
def test_what_a_rules_json_says_to_hide(config: str, found: list[tuple[Any, ...]]) -> None:
    assert third_shape.rules_in(config) == found


# -- accounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fourth_shape", "fourth_shape_full_name"])
def test_the_fourth_shapes_accounts_are_active_and_unchanged(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    facts: Facts = build(name, path)
    with reading(path) as connection:
        old = connection.execute(
            "SELECT id, username, email, hashed_password, is_admin, created_at FROM users"
        )
        before = old.fetchall()
    upgrade(path)
    with reading(path) as connection:
        now = connection.execute(
            "SELECT id, username, email, hashed_password, is_admin, created_at FROM users"
        )
        assert now.fetchall() == before
        assert connection.execute("SELECT DISTINCT is_active FROM users").fetchall() == [(1,)]
        kept = connection.execute(
            "SELECT value FROM kept_values WHERE table_name = 'users' AND column_name = 'sqlite_sequence'"
        ).fetchall()
        secrets = connection.execute("SELECT count(*) FROM kept_values WHERE column_name = 'hashed_password'")
        assert secrets.fetchone() == (0,), "password hashes are not copied about"
    assert kept == [(9,)]
    assert len(before) == len(facts.accounts)


# -- the forms themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [second_shape, third_shape], ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_what_a_shape_makes_is_the_canonical_form(shape: Any) -> None:
    """Both have frozen copies of the new tables; the indexes come with the step after them."""
    made = schema_from_sql(shape.NEW_SETTINGS + ";" + shape.NEW_RULES)
    for table in ("user_privacy_settings", "data_privacy_rules"):
        assert made.tables[table] == only(schema_at(NEWEST_UNMARKED), table).tables[table]


def test_the_fourth_shape_becomes_todays_users() -> None:
    made = schema_from_sql(
        fourth_shape.NEW_USERS.replace("users__made_now", "users") + ";" + ";".join(fourth_shape.INDEXES)
    )
    assert made == only(schema_at(NEWEST_UNMARKED), "users")


def test_every_file_of_the_folder_is_a_shape() -> None:
    assert set(shape_names()) == {
        "fourth_shape",
        "names_taken",
        "script_versions",
        "second_shape",
        "third_shape",
    }
    for name in shape_names():
        shape = get_shape(name)
        assert shape.TITLE
        assert isinstance(shape.KEEP_VALUES, bool)
        for sql in shape.SCHEMAS.values():
            assert set(schema_from_sql(sql).tables) <= set(our_tables())


# -- the owner's things --------------------------------------------------------------------------------------


def test_what_has_a_name_we_need_is_renamed_with_all_that_refers_to_it(tmp_path: Path) -> None:
    path = adopted("owners_names", tmp_path)
    with reading(path) as connection:
        things = [("a stone",), ("a feather",)]
        assert connection.execute("SELECT thing FROM owner_Kept_Values_2").fetchall() == things
        assert connection.execute("SELECT thing FROM things").fetchall() == things, (
            "the view follows its table"
        )
        assert connection.execute("SELECT one FROM owner_database_versions").fetchall() == [(1,)]
        hers = connection.execute(
            "SELECT visibility, owner_visibility FROM data_entries WHERE id = 2"
        ).fetchone()
        assert hers == ("private", "public"), "her column says nothing about who may see the entry"
        connection.execute("INSERT INTO owner_Kept_Values_2 (id) VALUES (9)")
        new = connection.execute("SELECT thing FROM owner_Kept_Values_2 WHERE id = 9").fetchone()
        assert new == ("new",), "and so does her trigger"
        index = "SELECT name FROM pragma_index_info('owner_ix_data_entries_visible')"
        assert connection.execute(index).fetchall() == [("owner_visibility",)], "a later step drops only ours"


def test_a_broken_view_does_not_stop_a_rename(tmp_path: Path) -> None:
    path = adopted("owners_broken_view", tmp_path)
    assert value(path, "SELECT sql FROM sqlite_master WHERE name = 'broken'") == (
        "CREATE VIEW broken AS SELECT a FROM gone"
    )
    assert "owner_Visibility" in columns(path, "data_entries")


def columns(path: Path, table: str) -> list[str]:
    with reading(path) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def test_names_that_the_owner_had_written_down_are_taken_over(tmp_path: Path) -> None:
    path = adopted("owners_full_name", tmp_path)
    with reading(path) as connection:
        rows = connection.execute("SELECT full_name, owner_full_name FROM users ORDER BY id").fetchall()
    assert rows == [("Ann Bee", "Ann Bee"), (None, ""), (None, "")]


def test_columns_and_indexes_on_an_odd_table_come_along(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build("owners_on_odd_tables", path)
    said = notes(upgrade(path))
    with reading(path) as connection:
        remarks = connection.execute(
            "SELECT user_id, remark FROM user_privacy_settings ORDER BY user_id"
        ).fetchall()
        odd = connection.execute(
            "SELECT id, owner_endpoint_name FROM data_privacy_rules WHERE id = 7"
        ).fetchone()
        indexes = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'by!_%' ESCAPE '!'"
        ).fetchall()
    assert remarks == [(1, "of user 1"), (2, "of user 2"), (3, None)]
    assert odd == (7, b"\xff")
    assert indexes == [("by_remark",)]
    assert any("custom_filters" in note for note in said), "the index that fits no more is told"


def test_no_trigger_of_the_owner_fires(tmp_path: Path) -> None:
    path = adopted("owners_things", tmp_path)
    assert value(path, "SELECT count(*) FROM notes") == 2
    execute(path, "UPDATE data_entries SET is_active = 1 WHERE id = 2")
    assert value(path, "SELECT count(*) FROM notes") == 3, "afterwards it does again"
    guarded = tmp_path / "guarded.db"
    build("owners_guards", guarded)
    upgrade(guarded)
    with pytest.raises(sqlite3.IntegrityError, match="entries are never changed"):
        execute(guarded, "UPDATE data_entries SET is_active = 1")


# -- mending -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("drift_") and "form" not in name])
def test_a_drifted_table_is_mended_and_keeps_its_rows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build(name, path)
    with reading(path) as connection:
        before = connection.execute("SELECT id, name, key_hash, user_id, expires_at FROM api_keys").fetchall()
        users = connection.execute("SELECT id, username, hashed_password FROM users").fetchall()
    upgrade(path)
    assert (look(path).recorded, look(path).exact) == (NEWEST, True)
    with reading(path) as connection:
        assert (
            connection.execute("SELECT id, name, key_hash, user_id, expires_at FROM api_keys").fetchall()
            == before
        )
        assert connection.execute("SELECT id, username, hashed_password FROM users").fetchall() == users
    if name == "drift_column_changed":
        assert value(path, "SELECT mine FROM api_keys") == "kept", "the owner's column behind stays"


@pytest.mark.parametrize("table", our_tables())
def test_any_table_that_is_gone_is_made_again(table: str, tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(path, f"DROP TABLE {table}")
    assert [one.name for one in look(path).drift] == [table]
    upgrade(path)
    assert (look(path).recorded, look(path).exact) == (NEWEST, True)


def test_the_owners_columns_keep_their_meaning_in_a_table_that_is_mended(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    execute(
        path,
        "CREATE TABLE moods (name TEXT PRIMARY KEY)",
        "ALTER TABLE data_entries ADD COLUMN mood TEXT COLLATE NOCASE REFERENCES moods ON DELETE SET NULL",
        "ALTER TABLE data_entries ADD COLUMN loud TEXT AS (upper(mood))",
        "ALTER TABLE data_entries ADD COLUMN [kg, (net)] REAL DEFAULT 1.5 CHECK ([kg, (net)] <> ',')",
        "INSERT INTO data_entries (id, endpoint_id, data, mood) VALUES (1, 3, '{}', 'calm')",
        "ALTER TABLE data_entries DROP COLUMN updated_at",
    )
    upgrade(path)
    with reading(path) as connection:
        assert connection.execute("SELECT mood, loud, [kg, (net)] FROM data_entries").fetchall() == [
            ("calm", "CALM", 1.5)
        ]
        keys = connection.execute(
            "SELECT \"table\", on_delete FROM pragma_foreign_key_list('data_entries')"
        ).fetchall()
        assert ("moods", "SET NULL") in keys
        assert connection.execute("SELECT id FROM data_entries WHERE mood = 'CALM'").fetchall() == [(1,)]


def test_rows_that_do_not_fit_are_told_and_nothing_is_done(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build("drift_index_changed", path)
    execute(path, "UPDATE users SET username = 'twin' WHERE id IN (1, 2)")
    before = path.read_bytes()
    with pytest.raises(Failed, match=r"do not fit the schema .*users.username"):
        upgrade(path)
    assert path.read_bytes() == before


def test_a_table_of_no_known_form_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build("drift_of_no_known_form", path)
    with pytest.raises(Failed, match="like none that any release made"):
        upgrade(path)
