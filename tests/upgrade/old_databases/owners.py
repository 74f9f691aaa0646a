"""What do owners add to their databases, and under which names?"""

from __future__ import annotations

from pathlib import Path

from tests.upgrade.old_databases.facts import Facts
from tests.upgrade.old_databases.making import Layout, changed, database, make, opened

FTS_TABLES = ("", "_data", "_idx", "_content", "_docsize", "_config")


@database("owners_things")
def owners_things(path: Path, name: str) -> Facts:
    """Tables, columns, indexes, a view, and a trigger that would write if any entry were rewritten."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE TABLE notes (word TEXT PRIMARY KEY COLLATE NOCASE, number REAL DEFAULT 1.5) WITHOUT ROWID;
            INSERT INTO notes VALUES ('one', 1), ('two', NULL);
            CREATE TABLE [strange "name] (a INTEGER PRIMARY KEY AUTOINCREMENT, b ANY, c AS (b || '!'));
            INSERT INTO [strange "name] (a, b) VALUES (1, x'00ff'), (5, 'text');
            ALTER TABLE data_entries ADD COLUMN mood TEXT DEFAULT 'calm';
            ALTER TABLE users ADD COLUMN shout TEXT AS (upper(username));
            UPDATE data_entries SET mood = 'glad' WHERE id = 2;
            CREATE INDEX by_mood ON data_entries (mood DESC) WHERE mood IS NOT NULL;
            CREATE INDEX by_number ON notes (number);
            CREATE VIEW glad_entries AS SELECT id, data FROM data_entries WHERE mood = 'glad';
            CREATE TRIGGER note_updates AFTER UPDATE ON data_entries BEGIN
                INSERT INTO notes VALUES ('entry ' || new.id, new.id);
            END;
            """
        )
    things = {"notes", 'strange "name', "data_entries.mood", "users.shout", "by_mood", "by_number"}
    return changed(facts, extras=frozenset({*things, "glad_entries", "note_updates"}))


@database("owners_guards")
def owners_guards(path: Path, name: str) -> Facts:
    """Triggers that forbid what an upgrade does, and a view through which one may write."""
    facts = make(path, name, Layout("a", settings="second", rules="second"))
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE TRIGGER no_update BEFORE UPDATE ON data_entries BEGIN
                SELECT RAISE(ABORT, 'entries are never changed'); END;
            CREATE TRIGGER no_endpoints BEFORE INSERT ON endpoints BEGIN
                SELECT RAISE(ABORT, 'no more endpoints'); END;
            CREATE TRIGGER no_delete BEFORE DELETE ON user_privacy_settings BEGIN
                SELECT RAISE(ABORT, 'settings stay'); END;
            CREATE VIEW people AS SELECT id, username FROM users;
            CREATE TRIGGER people_insert INSTEAD OF INSERT ON people BEGIN
                SELECT RAISE(ABORT, 'not this way'); END;
            """
        )
    guards = {"no_update", "no_endpoints", "no_delete", "people", "people_insert"}
    return changed(facts, extras=frozenset(guards))


@database("owners_names")
def owners_names(path: Path, name: str) -> Facts:
    """A table, a column, indexes and a view of the owner under names that the upgrade needs."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE TABLE Kept_Values (id INTEGER PRIMARY KEY, thing TEXT);
            INSERT INTO Kept_Values VALUES (1, 'a stone'), (2, 'a feather');
            CREATE TABLE owner_kept_values (id INTEGER PRIMARY KEY);
            CREATE VIEW things AS SELECT thing FROM Kept_Values;
            CREATE VIEW database_versions AS SELECT 1 AS one;
            ALTER TABLE data_entries ADD COLUMN visibility TEXT;
            UPDATE data_entries SET visibility = 'public' WHERE id = 2;
            CREATE INDEX ix_data_entries_visible ON data_entries (visibility);
            CREATE INDEX ix_kept_values_place ON Kept_Values (thing);
            CREATE TRIGGER on_thing AFTER INSERT ON Kept_Values BEGIN
                UPDATE Kept_Values SET thing = 'new' WHERE thing IS NULL; END;
            """
        )
    taken = {"Kept_Values", "database_versions", "data_entries.visibility", "ix_data_entries_visible"}
    others = {"owner_kept_values", "things", "ix_kept_values_place", "on_thing"}
    return changed(
        facts,
        extras=frozenset(taken | others),
        variants={**facts.variants, "kept_values": "of no known form"},
    )


@database("owners_versions_table")
def owners_versions_table(path: Path, name: str) -> Facts:
    """A table database_versions of the owner's own, about something else."""
    facts = make(path, name, Layout("a"))
    with opened(path) as connection:
        connection.executescript(
            "CREATE TABLE database_versions (wine TEXT, vintage INTEGER);"
            "INSERT INTO database_versions VALUES ('red', 1999);"
        )
    return changed(
        facts,
        extras=frozenset({"database_versions"}),
        variants={**facts.variants, "database_versions": "of no known form"},
    )


@database("owners_full_name")
def owners_full_name(path: Path, name: str) -> Facts:
    """An owner who helped herself to the column that 0.2.2 lacked, with a type of her own."""
    facts = make(path, name, Layout("a"))
    with opened(path) as connection:
        connection.executescript(
            "ALTER TABLE users ADD COLUMN full_name TEXT NOT NULL DEFAULT '';"
            "UPDATE users SET full_name = 'Ann Bee' WHERE id = 1;"
        )
    return changed(facts, extras=frozenset({"users.full_name"}))


@database("owners_on_odd_tables")
def owners_on_odd_tables(path: Path, name: str) -> Facts:
    """Columns and indexes of the owner on tables that are turned into another form."""
    facts = make(path, name, Layout("altered", settings="second", rules="second"))
    with opened(path) as connection:
        connection.executescript(
            """
            ALTER TABLE user_privacy_settings ADD COLUMN remark TEXT;
            UPDATE user_privacy_settings SET remark = 'of user ' || user_id;
            ALTER TABLE data_privacy_rules ADD COLUMN endpoint_name BLOB;
            UPDATE data_privacy_rules SET endpoint_name = x'ff' WHERE id = 7;
            CREATE INDEX by_remark ON user_privacy_settings (remark);
            CREATE INDEX by_filters ON user_privacy_settings (custom_filters);
            """
        )
    added = {"user_privacy_settings.remark", "data_privacy_rules.endpoint_name", "by_remark", "by_filters"}
    return changed(facts, extras=frozenset(added))


@database("owners_search")
def owners_search(path: Path, name: str) -> Facts:
    """A full-text search of the owner's, kept up by a trigger."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE VIRTUAL TABLE search USING fts5(data);
            INSERT INTO search (rowid, data) SELECT id, data FROM data_entries;
            CREATE TRIGGER keep_search AFTER UPDATE OF data ON data_entries BEGIN
                INSERT INTO search (rowid, data) VALUES (new.id, new.data); END;
            """
        )
    return changed(facts, extras=frozenset({"keep_search", *(f"search{end}" for end in FTS_TABLES)}))


@database("owners_broken_view")
def owners_broken_view(path: Path, name: str) -> Facts:
    """A view of a table that was dropped long ago, beside a column whose name is needed."""
    facts = make(path, name, Layout("a"))
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE TABLE gone (a);
            CREATE VIEW broken AS SELECT a FROM gone;
            DROP TABLE gone;
            ALTER TABLE data_entries ADD COLUMN Visibility INTEGER;
            """
        )
    return changed(facts, extras=frozenset({"broken", "data_entries.Visibility"}))
