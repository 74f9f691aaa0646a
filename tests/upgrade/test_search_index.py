"""Does no copy, comparison, restore or move know of the search's index, and is it made anew?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.backup.catalog import list_backups
from app.backup.create import create_backup
from app.database import Database, open_database
from app.entries import search_due, search_index, write
from app.entries.endpoints import add_missing_endpoints
from app.entries.search import search
from app.entries.search_making import Maker
from app.entries.search_question import search_question
from app.full_text import OWN_NAME
from app.privacy.levels import MOST_OPEN
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.storage.registry import storage_at, storage_for
from app.upgrade.detect.recognise import describe
from app.upgrade.move.move import run_move
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from tests.conftest import SettingsIn
from tests.databases import PostgreSQLDatabases, SQLiteDatabases
from tests.upgrade.places import execute

WORD = "xylophonist"
OWNER = Viewer("person", 1, "ann")


@pytest.fixture
def settings(home: Path, settings_in: SettingsIn, sqlite_databases: SQLiteDatabases) -> Settings:
    """The settings of a folder with a database that was searched."""
    sqlite_databases.fresh(home)
    found = settings_in(home)
    execute(
        found.database_path,
        "INSERT INTO users (id, username, email, hashed_password, is_active) VALUES (1, 'ann', 'a', 'x', 1)",
    )
    with closing(open_database(found)) as database:
        with database.writing() as connection:
            add_missing_endpoints(connection)
            write.create(connection, OWNER, "ideas", {"content": f"the {WORD}"})
        index_all(database)
        assert finds(database) == 1
    return found


def index_all(database: Database) -> None:
    """Do what the server does when it opens a database, and its job then."""
    with database.writing() as connection:
        search_index.see_to_it(connection)
    with database.reading() as connection:
        made = Maker(connection, MOST_OPEN).make(search_due.ids_after(connection, 0, 100))
    with database.writing() as connection:
        search_index.keep(connection, made)


def finds(database: Database) -> int:
    """Return how many entries are found."""
    with database.reading() as connection:
        return len(search(connection, search_question(WORD)).items)


def test_no_copy_comparison_or_upgrade_knows_of_it(settings: Settings) -> None:
    storage = storage_for(settings.database_url)
    assert exit_code_of(make_plan(settings)) == 0
    with storage.looking() as connection:
        assert not [name for name in connection.schema().tables if name.startswith(OWN_NAME)]
        assert not [name for name in connection.tables() if name.startswith(OWN_NAME)]
        ours = connection.schema().tables
        owners = connection.typed_rows().owners_statements((*ours, *connection.schema().indexes))
        assert not [name for _, name, _ in owners if name.startswith(OWN_NAME)]
        assert not connection.soundness().damage
    assert run_upgrade(settings).state == "nothing_to_do"
    made = create_backup(settings, "manual", storage=storage, describe=describe)
    assert [one.state for one in list_backups(settings) if one.name == made.name] == ["good"]
    restore_and_hold(settings, made.name)
    assert exit_code_of(make_plan(settings)) == 0
    with closing(open_database(settings)) as database:
        with database.writing() as connection:
            search_index.see_to_it(connection)
        assert finds(database) == 1  # it came with its rows


def test_a_copy_that_is_written_anew_has_no_byte_of_it(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    storage_for(settings.database_url).copy_online(copy)
    execute(copy, "DELETE FROM search_rows", "DELETE FROM data_entries", "DELETE FROM audit_logs")
    execute(copy, "DELETE FROM text_findings")
    assert WORD.encode() in copy.read_bytes()
    storage_at(copy).rewrite()
    assert WORD.encode() not in copy.read_bytes()
    with closing(open_database(replace(settings, database_url=f"sqlite:///{copy}"))) as database:
        index_all(database)
        assert finds(database) == 0


@pytest.mark.needs("postgresql")
def test_it_is_not_moved_and_made_on_the_other_engine(
    settings: Settings, postgresql_databases: PostgreSQLDatabases
) -> None:
    postgresql_databases.begin_test()
    there = replace(settings, database_url=postgresql_databases.place(settings.data_dir))
    run_move(settings, there)
    with closing(open_database(there)) as database:
        index_all(database)
        assert finds(database) == 1
    assert exit_code_of(make_plan(there)) == 0
    back = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'new' / 'back.db'}")
    run_move(there, back)
    with storage_for(back.database_url).looking() as connection:
        names = connection.rows("SELECT name FROM sqlite_master")
        assert not [name for (name,) in names if str(name).startswith(OWN_NAME)]
    with closing(open_database(back)) as database:
        index_all(database)
        assert finds(database) == 1
