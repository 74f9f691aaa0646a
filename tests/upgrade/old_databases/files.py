"""What lies beside a database whose program was killed, and what if a file is damaged or no database?"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.upgrade.old_databases.facts import Facts
from tests.upgrade.old_databases.household import SAID_PUBLIC, Entry, add_entries, public_ids
from tests.upgrade.old_databases.making import Layout, changed, database, make, opened
from tests.upgrade.old_databases.rows import insert_many

# -- beside the file -----------------------------------------------------------------------------------------


@database("wal_left_behind")
def wal_left_behind(path: Path, name: str) -> Facts:
    """A database in WAL mode whose newest rows are committed in the -wal and nowhere else."""
    entries = tuple(Entry(500 + number, "ideas", 1, SAID_PUBLIC, True) for number in range(40))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work.db"
        facts = make(work, name, Layout("b"))
        with contextlib.closing(sqlite3.connect(work)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            add_entries(connection, entries)
            connection.commit()
            for suffix in ("", "-wal"):  # while it is open: closing it would take the -wal in
                shutil.copyfile(f"{work}{suffix}", f"{path}{suffix}")
    return changed(facts, journal_mode="wal", public_ids=public_ids(*Layout().entries, *entries))


@database("wal_mode")
def wal_mode(path: Path, name: str) -> Facts:
    """A database in WAL mode that was closed well: nothing lies beside it."""
    facts = make(path, name, Layout("a"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return changed(facts, journal_mode="wal")


KILLED_MIDWAY = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE data_entries SET data = '{}', is_active = 1, created_by_id = 1")
connection.execute("DELETE FROM users")
os.kill(os.getpid(), signal.SIGKILL)
"""


@database("hot_journal")
def hot_journal(path: Path, name: str) -> Facts:
    """Killed within a transaction: the file is half changed, and the -journal takes it back."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        insert_many(connection, 300)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED_MIDWAY, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() != before, "no page was spilled: the journal would not matter"
    assert path.with_name(path.name + "-journal").stat().st_size > 0
    return facts


# -- damage --------------------------------------------------------------------------------------------------


def _many_pages(path: Path, name: str) -> Facts:
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        insert_many(connection, 300)
    return changed(facts, exit_code=14)


def _page_of(path: Path, table: str) -> int:
    """Return the offset of the table's root page."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((root - 1) * size)


def _overwrite(path: Path, offset: int, new: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(new)


@database("damaged_truncated")
def damaged_truncated(path: Path, name: str) -> Facts:
    """The first half of a file, as a full disk or a broken copy leaves it."""
    facts = _many_pages(path, name)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 8192 * 4096)
    return facts


@database("damaged_zero_page")
def damaged_zero_page(path: Path, name: str) -> Facts:
    """A page of zeros where rows were."""
    facts = _many_pages(path, name)
    _overwrite(path, path.stat().st_size - 20 * 4096, bytes(4096))
    return facts


@database("damaged_flipped")
def damaged_flipped(path: Path, name: str) -> Facts:
    """A few bits of a table's page turned round."""
    facts = _many_pages(path, name)
    _overwrite(path, _page_of(path, "data_entries") + 8, b"\xff\xff\xff\xff")
    return facts


@database("damaged_index")
def damaged_index(path: Path, name: str) -> Facts:
    """An index that no longer knows the rows: every query by it lies, and every row is there."""
    facts = _many_pages(path, name)
    _overwrite(path, _page_of(path, "ix_users_username") + 3, b"\x00\x00")
    return facts


# -- no database of ours -------------------------------------------------------------------------------------


@database("zero_bytes")
def zero_bytes(path: Path, name: str) -> Facts:
    """An empty file."""
    path.touch()
    return Facts(name, exit_code=13)


@database("text_file")
def text_file(path: Path, name: str) -> Facts:
    """A file that is no database at all."""
    path.write_text("This is my diary, and no database.\n" * 100)
    return Facts(name, exit_code=13)


@database("no_tables")
def no_tables(path: Path, name: str) -> Facts:
    """An SQLite database without a single table."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("CREATE TABLE a (b); DROP TABLE a;")
    return Facts(name, exit_code=13)


@database("foreign")
def foreign(path: Path, name: str) -> Facts:
    """Another program's database."""
    with opened(path) as connection:
        connection.executescript(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL); INSERT INTO orders VALUES (1, 9.5);"
        )
    return Facts(name, exit_code=13)


@database("foreign_users")
def foreign_users(path: Path, name: str) -> Facts:
    """Another program's database with tables of the same names: users, api_keys, audit_logs."""
    with opened(path) as connection:
        connection.executescript(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, email TEXT, password_hash TEXT,
                is_active INTEGER DEFAULT 1, created_at TEXT);
            CREATE TABLE api_keys (id TEXT PRIMARY KEY, owner TEXT, secret BLOB);
            CREATE TABLE audit_logs (at REAL, who TEXT, what TEXT);
            CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), body TEXT);
            INSERT INTO users (username) VALUES ('somebody');
            """
        )
    return Facts(name, exit_code=13)


# -- newer ---------------------------------------------------------------------------------------------------

OUR_VERSIONS = """
CREATE TABLE database_versions (id INTEGER PRIMARY KEY AUTOINCREMENT, version VARCHAR(20) NOT NULL,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, migration_script VARCHAR(100), description TEXT,
    rollback_notes TEXT, from_version VARCHAR(20), started_at TIMESTAMP, duration_ms INTEGER,
    outcome VARCHAR(20), backup_file VARCHAR(255), tool_version VARCHAR(20), steps_hash VARCHAR(64),
    is_claim BOOLEAN);
"""


@database("newer_by_history")
def newer_by_history(path: Path, name: str) -> Facts:
    """A line of our own history with a version that is yet to come."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executescript(OUR_VERSIONS)
        connection.execute(
            "INSERT INTO database_versions (version, migration_script, outcome, is_claim)"
            " VALUES ('1.2.0', '0009_v1_2_0_something', 'done', 0)"
        )
    return changed(facts, exit_code=12)


@database("newer_by_header")
def newer_by_header(path: Path, name: str) -> Facts:
    """Our mark in the header, with a schema number above all that are known."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.execute("PRAGMA application_id = 0x446D6E31")
        connection.execute("PRAGMA user_version = 999")
    return changed(facts, exit_code=12)


# -- drift ---------------------------------------------------------------------------------------------------

DRIFTS = {
    "drift_index_missing": ("DROP INDEX ix_users_email;", {"ix_users_email"}),
    "drift_index_changed": (
        "DROP INDEX ix_users_username; CREATE INDEX ix_users_username ON users (username);",
        {"ix_users_username"},
    ),
    "drift_column_missing": ("ALTER TABLE users DROP COLUMN last_login;", {"users.last_login"}),
    "drift_column_changed": (
        """
        CREATE TABLE keys_2 (id INTEGER NOT NULL, name VARCHAR(100) NOT NULL, key_hash VARCHAR(64),
            user_id INTEGER NOT NULL, is_active BOOLEAN, expires_at DATETIME, last_used DATETIME,
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP), mine TEXT DEFAULT 'kept', PRIMARY KEY (id),
            FOREIGN KEY(user_id) REFERENCES users (id));
        INSERT INTO keys_2 (id, name, key_hash, user_id, is_active, expires_at)
            SELECT id, name, key_hash, user_id, is_active, expires_at FROM api_keys;
        DROP TABLE api_keys;
        ALTER TABLE keys_2 RENAME TO api_keys;
        CREATE INDEX ix_api_keys_id ON api_keys (id);
        CREATE UNIQUE INDEX ix_api_keys_key_hash ON api_keys (key_hash);
        """,
        {"api_keys.key_hash"},
    ),
    "drift_table_missing": ("DROP TABLE audit_logs;", {"audit_logs"}),
}


def _drifted(path: Path, name: str) -> Facts:
    facts = make(path, name, Layout("b"))
    statements, drift = DRIFTS[name]
    with opened(path) as connection:
        connection.executescript(statements)
    variants = dict(facts.variants)
    if name == "drift_table_missing":
        variants["audit_logs"] = "absent"
    extras = {"api_keys.mine"} if name == "drift_column_changed" else set()
    return changed(facts, exit_code=11, drift=frozenset(drift), variants=variants, extras=frozenset(extras))


for _name in DRIFTS:
    database(_name)(_drifted)


@database("drift_of_no_known_form")
def drift_of_no_known_form(path: Path, name: str) -> Facts:
    """A table under one of our names that is like none of its forms: nobody can mend it by rule."""
    facts = make(path, name, Layout("b", rules="none"))
    with opened(path) as connection:
        connection.executescript(
            "CREATE TABLE data_privacy_rules (id INTEGER PRIMARY KEY, foo TEXT, bar TEXT);"
        )
    return changed(
        facts,
        exit_code=11,
        drift=frozenset({"data_privacy_rules"}),
        variants={**facts.variants, "data_privacy_rules": "of no known form"},
        extras=frozenset(),
    )
