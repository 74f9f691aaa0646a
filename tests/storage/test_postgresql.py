"""PostgreSQL storage: is a database on a server what one of SQLite is, in the words of every engine?"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from app import interrupt
from app.accounts.throttle import LoginThrottle
from app.database import Database
from app.errors import Busy, DaemonError, Damaged, Failed, Refused, UnknownDatabase
from app.prepared_statements import prepared
from app.settings import Settings
from app.storage import failures
from app.storage.engine import StorageEngine
from app.storage.postgresql import errors
from app.storage.registry import storage_for
from app.storage.types import STATE, Mark, StorageError, WriteJob
from app.upgrade.operations.init import initialise
from app.upgrade.readiness import ask_readiness
from app.upgrade.versions.expected_schema import is_whole, schema_at
from app.upgrade.versions.releases import APPLICATION_ID, NEWEST, SCHEMA_VERSIONS
from tests import pgbouncer
from tests.conftest import SettingsIn
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.needs("postgresql")
LONG_NAME = "n" * 5000

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("word", String(3)),
    Column("number", Integer),
)


@pytest.fixture
def storage(postgresql_server: PostgreSQL, postgresql_database: str) -> StorageEngine:
    """An empty database."""
    return storage_for(postgresql_server.url(postgresql_database))


@pytest.fixture(scope="module")
def made(postgresql_server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database that Daemon made, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("made")
    name = f"made_{os.getpid()}"
    url = postgresql_server.create(name)
    settings = Settings(database_url=url, data_dir=folder / "data", backup_dir=folder / "backups")
    assert initialise(settings).state == "done"
    yield settings
    postgresql_server.drop(name)


def with_notes(storage: StorageEngine) -> StorageEngine:
    """The storage, whose database has a table of notes and a history."""
    with storage.migration_connection() as migration:
        notes.create(migration.connection)
        migration.execute("CREATE TABLE database_versions (id BIGINT PRIMARY KEY)")
        migration.set_mark(Mark(APPLICATION_ID, 600))
        migration.commit_durably()
    return storage


# -- a new database ------------------------------------------------------------------------------------------


def test_a_new_database_has_the_schema_the_rows_and_the_history_of_one_of_sqlite(
    made: Settings, settings_in: SettingsIn, tmp_path: Path
) -> None:
    alike = settings_in(tmp_path / "alike")
    initialise(alike)
    with (
        storage_for(made.database_url).looking() as here,
        storage_for(alike.database_url).looking() as there,
    ):
        assert is_whole(here, here.schema(), NEWEST)
        assert here.mark() == Mark(APPLICATION_ID, SCHEMA_VERSIONS[-1].user_version)
        assert here.tables() == there.tables()
        for table in there.tables():
            columns = set(there.columns(table)) - {"applied_at", "started_at", "duration_ms", "created_at"}
            if table != "installation":
                ordered = sorted(columns)
                mine, theirs = (set(one.as_written(table, ordered)) for one in (here, there))
                assert mine == theirs, table
    assert ask_readiness(made, storage_for(made.database_url)).state == "READY"
    assert initialise(made).state == "nothing_to_do"


def test_a_row_without_an_id_gets_the_next_one(made: Settings) -> None:
    with storage_for(made.database_url).migration_connection() as migration:
        migration.execute("INSERT INTO endpoints (name, schema) VALUES ('later', '{}')")
        assert migration.rows("SELECT max(id), count(*) FROM endpoints") == [(34, 34)]


def test_columns_are_as_the_documents_say(made: Settings) -> None:
    with storage_for(made.database_url).looking() as connection:
        columns = connection.schema().tables["data_entries"].columns
        found = {name: columns[name].type for name in ("id", "is_active", "data", "created_at", "slug")}
        assert found == {
            "id": "BIGINT",
            "is_active": "SMALLINT",
            "data": "TEXT",
            "created_at": "TEXT",
            "slug": "TEXT",
        }
        ordering = connection.rows(
            "SELECT DISTINCT collation_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'text'"
        )
        assert ordering == [("C",)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users DROP COLUMN last_login",
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
        "ALTER TABLE users ALTER COLUMN is_admin TYPE BIGINT",
        "ALTER TABLE users ALTER COLUMN created_at DROP DEFAULT",
        'ALTER TABLE users ALTER COLUMN username TYPE TEXT COLLATE "C.utf8"',
        "DROP INDEX ix_users_email",
        "DROP INDEX ix_users_email; CREATE INDEX ix_users_email ON users (email)",
        "DROP INDEX ix_data_entries_ordered; CREATE INDEX ix_data_entries_ordered ON data_entries"
        " (endpoint_id, is_active, (coalesce(position, 0)))",
        "ALTER TABLE endpoints DROP CONSTRAINT endpoints_created_by_id_fkey",
        "ALTER TABLE login_places DROP CONSTRAINT login_places_pkey",
    ],
)
def test_a_schema_that_differs_is_not_taken_for_the_one_known(made: Settings, change: str) -> None:
    with storage_for(made.database_url).migration_connection() as migration:
        assert is_whole(migration, migration.schema(), NEWEST)
        for statement in change.split(";"):
            migration.execute(statement)
        assert not is_whole(migration, migration.schema(), NEWEST)


def test_what_the_owner_adds_is_no_difference(made: Settings) -> None:
    with storage_for(made.database_url).migration_connection() as migration:
        migration.execute("ALTER TABLE users ADD COLUMN shoe_size BIGINT")
        migration.execute("CREATE TABLE recipes (id BIGINT)")
        migration.execute("CREATE VIEW people AS SELECT username FROM users")
        assert is_whole(migration, migration.schema(), NEWEST)


def test_each_known_schema_is_found_again_as_it_was_made(storage: StorageEngine) -> None:
    for version in ("0.5.0", NEWEST):
        with storage.migration_connection() as migration:
            on_server = migration.of_server
            assert on_server is not None
            on_server.make_schema(schema_at(version))
            assert migration.schema() == migration.spelled(schema_at(version))


def test_only_one_of_many_that_begin_at_once_makes_the_database(
    storage: StorageEngine, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=storage.url,  # type: ignore[attr-defined]
        data_dir=tmp_path / "data",
        backup_dir=tmp_path / "backups",
    )
    ended: list[str] = []
    threads = [threading.Thread(target=lambda: ended.append(initialise(settings).state)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == ["done", "nothing_to_do", "nothing_to_do", "nothing_to_do"]


def test_an_old_database_of_sqlite_nearby_keeps_a_new_one_from_being_begun(
    storage: StorageEngine, settings_in: SettingsIn, tmp_path: Path
) -> None:
    initialise(settings_in(tmp_path))
    settings = Settings(
        database_url=storage.url,  # type: ignore[attr-defined]
        data_dir=tmp_path / "data",
        backup_dir=tmp_path / "backups",
    )
    with pytest.raises(DaemonError) as refused:
        initialise(settings)
    assert "daemon move --to" in refused.value.hint
    assert storage.file_kind() == "missing"
    assert initialise(settings, fresh=True).state == "done"


# -- reading and writing -------------------------------------------------------------------------------------


def test_a_commit_of_any_program_is_seen_by_the_next_question(
    postgresql_server: PostgreSQL, postgresql_database: str, storage: StorageEngine
) -> None:
    database = Database(with_notes(storage))
    with closing(storage.watch()) as watch:
        before = lasting(watch.commits)
        first = lasting(lambda: state_of(database))
        postgresql_server.execute("INSERT INTO notes (number) VALUES (1)", postgresql_database)
        assert watch.commits() != before
        assert state_of(database) != first
    database.close()


def state_of(database: Database) -> object:
    with database.reading() as connection:
        return connection.info[STATE]


def lasting(ask: Callable[[], object]) -> object:
    """What is answered twice running: others commit to other databases of the same server meanwhile."""
    for _ in range(1_000):
        if (found := ask()) == ask():
            return found
    raise AssertionError("it is another one each time")


def test_a_reader_sees_one_state_and_cannot_write(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with database.reading() as reader:
        assert reader.execute(select(func.count()).select_from(notes)).scalar() == 0
        with database.writing() as writer:
            writer.execute(insert(notes).values(number=1))
        assert reader.execute(select(func.count()).select_from(notes)).scalar() == 0
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            reader.execute(insert(notes).values(number=2))
    with database.reading() as reader:
        assert reader.execute(select(func.count()).select_from(notes)).scalar() == 1
    database.close()


def test_writers_come_one_after_the_other_in_one_process_and_in_many(storage: StorageEngine) -> None:
    databases = [Database(with_notes(storage)), Database(storage)]
    counted = func.count().label("so_many")

    def add(database: Database) -> None:
        for _ in range(20):
            with database.writing() as connection:
                so_many = connection.execute(select(counted).select_from(notes)).scalar_one()
                connection.execute(insert(notes).values(number=so_many))

    threads = [threading.Thread(target=add, args=(database,)) for database in databases * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with databases[0].reading() as connection:
        numbers = connection.execute(select(notes.c.number).order_by(notes.c.number)).scalars().all()
    assert numbers == list(range(120))
    for database in databases:
        database.close()


def test_what_is_unset_comes_first_and_words_are_ordered_by_their_bytes(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with database.writing() as connection:
        for word in ("b", None, "B", "ä", LONG_NAME):
            connection.execute(insert(notes).values(word=word))
    with database.reading() as connection:
        up = connection.execute(select(notes.c.word).order_by(notes.c.word)).scalars().all()
        assert up == [None, "B", "b", LONG_NAME, "ä"]
        down = connection.execute(select(notes.c.word).order_by(notes.c.word.desc())).scalars().all()
        assert down == up[::-1]
    database.close()


def test_what_no_text_of_postgresql_can_hold_is_found_nowhere(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with database.writing() as connection:
        connection.execute(insert(notes).values(word="a"))
    with database.reading() as connection:
        assert connection.execute(select(notes).where(notes.c.word == "a\0")).all() == []
    database.close()


def test_a_row_against_a_rule_is_told_without_what_is_in_it(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    twice = insert(notes).values([{"id": 1, "word": "a secret"}] * 2)
    with pytest.raises(IntegrityError) as refused, database.writing() as connection:
        connection.execute(twice)
    assert "notes_pkey" in str(refused.value)
    assert "secret" not in str(refused.value)
    with database.reading() as connection:
        assert connection.execute(select(notes)).all() == []
    database.close()


def test_rows_that_are_moved_there_tell_nothing_of_themselves_in_an_error(storage: StorageEngine) -> None:
    """Nor does what is written of it into a log, with all that led to it."""
    rows = [(4711, "a secret")] * 2
    with with_notes(storage).migration_connection() as migration:
        with pytest.raises(StorageError) as refused:
            migration.typed_rows().insert_all("notes", ["id", "word"], rows)
        trace = "".join(traceback.format_exception(refused.value))
    assert "notes_pkey" in trace
    assert "4711" not in trace
    assert "secret" not in trace


def test_a_transaction_that_failed_within_is_not_said_to_be_committed(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))

    def swallow(connection: sqlalchemy.Connection) -> None:
        connection.execute(insert(notes).values(id=1))
        with pytest.raises(IntegrityError):
            connection.execute(insert(notes).values(id=1))

    with pytest.raises(DaemonError, match="nothing was written"), database.writing() as connection:
        swallow(connection)
    database.close()


def test_connections_that_were_lost_while_they_rested_are_replaced(
    postgresql_server: PostgreSQL, postgresql_database: str, storage: StorageEngine
) -> None:
    database = Database(with_notes(storage))
    with database.reading(), database.reading():
        pass
    with database.writing() as connection:
        connection.execute(insert(notes).values(number=1))
    generation = database.generation()
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        "postgres",
        (postgresql_database,),
    )
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(notes)).scalar() == 1
    with database.writing() as connection:
        connection.execute(insert(notes).values(number=2))
    ends = time.monotonic() + 20
    while True:  # the watch makes its connection anew beside this
        try:
            assert database.generation() != generation
            break
        except Busy:
            assert time.monotonic() < ends
            time.sleep(0.02)
    database.close()


def cut_connections(server: PostgreSQL, database: str) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", "postgres", (database,)
    )


def test_rows_that_no_one_goes_on_with_end_quietly_where_the_connection_was_lost(
    postgresql_server: PostgreSQL, postgresql_database: str, storage: StorageEngine
) -> None:
    """Python ends what no one holds any more where nothing can be raised: it would print a trace."""
    with with_notes(storage).migration_connection() as migration:
        migration.execute("INSERT INTO notes (number) SELECT n FROM generate_series(1, 5000) n")
        migration.commit_durably()
    with storage.looking() as one, storage.looking() as other:
        left = [one.each_row("SELECT number FROM notes"), other.typed_rows().each("notes", ["number"])]
        assert [next(rows) for rows in left] == [(1,), (1,)]
        cut_connections(postgresql_server, postgresql_database)
        for rows in left:
            rows.close()  # type: ignore[attr-defined]
        with pytest.raises(StorageError) as lost:
            one.rows("SELECT 1")
        assert lost.value.reason == "not_opened"


def add_number(connection: sqlalchemy.Connection, number: int) -> None:
    connection.execute(insert(notes).values(number=number))


def add_number_below(connection: sqlalchemy.Connection, number: int) -> None:
    """The same, after a statement that goes past SQLAlchemy."""
    prepared(select(notes.c.number)).value(connection)
    add_number(connection, number)


@pytest.mark.parametrize("add", [add_number, add_number_below])
@pytest.mark.parametrize("lost_at", [0, 1, 2])
def test_who_shared_a_commit_is_told_that_the_connection_was_lost(
    postgresql_server: PostgreSQL,
    postgresql_database: str,
    storage: StorageEngine,
    lost_at: int,
    add: Callable[[sqlalchemy.Connection, int], None],
) -> None:
    """No one in the group is told of a fault of Daemon's own, and nothing of any is there."""
    database = Database(with_notes(storage))

    def do(connection: sqlalchemy.Connection, number: int) -> None:
        if number == lost_at:
            cut_connections(postgresql_server, postgresql_database)
        add(connection, number)

    taken = database.write_each(iter([WriteJob(partial(do, number=number)) for number in range(3)]))
    assert {type(job.error) for job in taken} == {Busy}
    with database.writing() as connection:
        add(connection, 9)
    with database.reading() as connection:
        assert connection.execute(select(notes.c.number)).scalars().all() == [9]
    database.close()


@pytest.mark.parametrize("add", [add_number, add_number_below])
@pytest.mark.parametrize("is_nested", [False, True])
def test_who_goes_on_after_a_lost_connection_is_told_so(
    postgresql_server: PostgreSQL,
    postgresql_database: str,
    storage: StorageEngine,
    is_nested: bool,
    add: Callable[[sqlalchemy.Connection, int], None],
) -> None:
    """Also where the error of the first statement is passed over and another one is run."""
    database = Database(with_notes(storage))

    def go_on(connection: sqlalchemy.Connection) -> None:
        cut_connections(postgresql_server, postgresql_database)
        with suppress(DBAPIError), connection.begin_nested() if is_nested else nullcontext():
            add(connection, 1)
        add(connection, 2)

    with pytest.raises(Busy), database.writing() as connection:
        go_on(connection)
    database.close()


def test_programs_of_the_owner_can_inspect_and_write(storage: StorageEngine) -> None:
    engine = with_notes(storage).engine_for_programs()
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE INDEX of_numbers ON notes (number)"))
        connection.execute(insert(notes).values(number=1))
    seen = sqlalchemy.inspect(engine)
    assert sorted(seen.get_table_names()) == ["database_versions", "notes"]
    assert [index["name"] for index in seen.get_indexes("notes")] == ["of_numbers"]
    with engine.connect() as connection:
        connection.execute(insert(notes).values(number=2))
    with engine.connect() as connection:
        assert connection.execute(select(notes.c.number)).scalars().all() == [1]
    engine.dispose()


# -- locks ---------------------------------------------------------------------------------------------------


def test_servers_share_the_database_and_an_operator_waits_for_them(storage: StorageEngine) -> None:
    first, second = storage.process_lock(), storage.process_lock()
    first.serve()
    second.serve()
    assert first.is_held()
    assert not first.wanted()
    operator = storage.process_lock()
    with pytest.raises(Busy) as busy, operator.exclusive(0.1):
        pass
    assert len(busy.value.details["holders"]) == 2  # type: ignore[arg-type]
    first.yield_()
    second.yield_()
    with operator.exclusive(5):
        assert second.wanted()
        with pytest.raises(Busy):
            second.serve()
    second.serve()
    second.yield_()


def test_what_a_server_holds_is_gone_with_its_session_and_then_nothing_is_written(
    postgresql_server: PostgreSQL, postgresql_database: str, storage: StorageEngine
) -> None:
    database = Database(with_notes(storage))
    lock = storage.process_lock()
    lock.serve()
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'daemon (lock)' AND datname = %s",
        "postgres",
        (postgresql_database,),
    )
    assert not lock.is_held()
    with pytest.raises(Busy, match="nothing was written"), database.writing():
        pytest.fail("it may not write")
    lock.yield_()
    lock.serve()
    with database.writing() as connection:
        connection.execute(insert(notes).values(number=1))
    lock.yield_()
    database.close()


def test_no_one_writes_beside_an_operator(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with (
        storage.process_lock().exclusive(5),
        pytest.raises(Busy, match="nothing was written"),
        database.writing(),
    ):
        pytest.fail("it may not write")
    with database.writing() as connection:
        connection.execute(insert(notes).values(number=1))
    database.close()


def test_a_server_whose_schema_moved_on_writes_nothing(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with database.reading():
        pass
    with storage.migration_connection() as migration:
        migration.set_mark(Mark(APPLICATION_ID, 700))
        migration.commit_durably()
    with pytest.raises(Busy, match="exchanged or moved under this server"), database.writing():
        pytest.fail("it may not write")
    database.close()
    opened_anew = Database(storage)
    with opened_anew.writing() as connection:
        connection.execute(insert(notes).values(number=1))
    opened_anew.close()


def test_an_upgrade_waits_for_who_writes_and_not_longer_than_it_was_told(storage: StorageEngine) -> None:
    database = Database(with_notes(storage))
    with database.writing() as connection:
        connection.execute(insert(notes).values(number=1))
        with pytest.raises(Busy), storage.migration_connection(0.2):
            pytest.fail("it has the lock of those who write")
    with storage.migration_connection(5) as migration:
        assert migration.count("notes") == 1
        assert storage.is_locked()
    database.close()
    ends = time.monotonic() + 30
    while storage.is_locked():  # until the server has noticed that the connection is closed
        assert time.monotonic() < ends


@pytest.mark.needs("pgbouncer")
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pool_that_hands_sessions_on_is_found_and_refused(
    postgresql_server: PostgreSQL, postgresql_database: str, mode: str
) -> None:
    with pgbouncer.pooled(postgresql_server, mode) as pooled:  # type: ignore[arg-type]
        lock = storage_for(pooled.url(postgresql_database)).process_lock()
        if mode == "session":
            lock.serve()
            lock.yield_()
            return
        with pytest.raises(Refused, match="PgBouncer") as refused:
            lock.serve()
        assert "pool_mode = session" in refused.value.hint


# -- what processes share ------------------------------------------------------------------------------------


def test_tries_are_counted_by_all_processes_together(storage: StorageEngine) -> None:
    counts = [storage.shared_counts(), storage.shared_counts()]
    assert counts[0] is not None
    assert counts[1] is not None
    throttles = [LoginThrottle(time.monotonic, shared) for shared in counts]
    tried = [throttle.start("ann", "192.0.2.1", is_known_place=False) for throttle in throttles * 6]
    assert [one.wait_seconds > 0 for one in tried] == [False] * 10 + [True] * 2
    throttles[0].came_in(tried[0])
    throttles[1].came_in(tried[1])
    assert throttles[0].start("ann", "192.0.2.1", is_known_place=False).wait_seconds < tried[-1].wait_seconds
    assert throttles[1].start("bob", "192.0.2.2", is_known_place=False).wait_seconds == 0
    with storage.looking() as connection:
        assert connection.tables() == ()
        told = str(connection.rows("SELECT * FROM _daemon_counts"))
    assert "ann" not in told
    assert "192.0" not in told
    assert storage.file_kind() == "missing"
    for shared in counts:
        shared.close()  # type: ignore[union-attr]


def test_counting_goes_on_after_its_connection_was_lost(
    postgresql_server: PostgreSQL, postgresql_database: str, storage: StorageEngine
) -> None:
    counts = storage.shared_counts()
    assert counts is not None
    with counts.changing(("a", "b")) as counted:
        counted.until["a"] = counted.now + 100
    with pytest.raises(KeyError), counts.changing(("a",)) as counted:
        counted.until["a"] = counted.until["of no one"]
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        "postgres",
        (postgresql_database,),
    )
    with counts.changing(("a", "b")) as counted:
        assert 90 < counted.until["a"] - counted.now <= 100
        assert "b" not in counted.until
    counts.close()


def test_a_job_is_done_by_one_process_and_by_the_next_when_that_is_gone(storage: StorageEngine) -> None:
    first, second = storage.shared_jobs(), storage.shared_jobs()
    assert first.is_mine("backup")
    assert first.is_mine("backup")
    assert not second.is_mine("backup")
    assert second.is_mine("text search")
    first.close()
    assert second.is_mine("backup")
    second.close()


# -- steps ---------------------------------------------------------------------------------------------------


def test_a_statement_that_takes_long_is_broken_off_by_a_signal(
    storage: StorageEngine, listening: None
) -> None:
    began = time.monotonic()

    def work() -> None:
        with interrupt.interruptible(), storage.migration_connection() as migration:
            migration.execute("CREATE TABLE gone (id BIGINT)")
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            migration.rows("SELECT pg_sleep(120)")

    with pytest.raises(interrupt.Interrupted):
        work()
    assert time.monotonic() - began < 60
    assert storage.file_kind() == "missing"


def test_rows_are_counted_hashed_and_numbered(storage: StorageEngine) -> None:
    with with_notes(storage).migration_connection() as migration:
        for number, word in enumerate(("a", "b", "50 % :word")):
            migration.execute("INSERT INTO notes (number, word) VALUES (:n, :w)", {"n": number, "w": word})
        assert migration.rows(
            "SELECT word FROM notes WHERE word LIKE '%:word' AND number = :n", {"n": 2}
        ) == [("50 % :word",)]
        assert migration.count("notes") == 3
        assert migration.counters() == {"notes": 3}
        assert migration.row_numbers("notes") == (1, 2, 3)
        whole = migration.digest("notes", ("id", "word"))
        assert whole.rows == 3
        assert migration.digest("notes", ("id", "word"), (1, 2, 3)) == whole
        assert migration.digest("notes", ("id", "word"), (1, 2)) != whole
        assert list(migration.each_row("SELECT id FROM notes ORDER BY id")) == [(1,), (2,), (3,)]
        migration.execute("UPDATE notes SET word = 'c' WHERE id = 1")
        assert migration.digest("notes", ("id", "word")).digest != whole.digest


def test_a_row_that_names_no_other_is_found(made: Settings) -> None:
    with storage_for(made.database_url).migration_connection() as migration:
        migration.execute("ALTER TABLE endpoints DROP CONSTRAINT endpoints_created_by_id_fkey")
        migration.execute("UPDATE endpoints SET created_by_id = 77 WHERE id = 1")
        migration.execute(
            "ALTER TABLE endpoints ADD FOREIGN KEY (created_by_id) REFERENCES users (id) NOT VALID"
        )
        (orphan,) = migration.orphans()
        assert (orphan.table, orphan.rowid, orphan.parent) == ("endpoints", 1, "users")


# -- what is said --------------------------------------------------------------------------------------------


def said(storage: StorageEngine, look: Callable[[StorageEngine], object]) -> DaemonError:
    """What a person hears of a look that fails."""
    with pytest.raises((StorageError, DaemonError)) as failed:
        look(storage)
    return storage.explained(failed.value)


def test_a_database_that_is_not_there_is_named_with_what_makes_it(postgresql_server: PostgreSQL) -> None:
    found = said(storage_for(postgresql_server.url("nowhere")), lambda one: one.file_kind())
    assert isinstance(found, UnknownDatabase)
    assert "nowhere" in found.message
    assert "createdb" in found.hint


def test_a_server_that_is_not_there_is_named_with_what_asks_for_it() -> None:
    found = said(
        storage_for("postgresql+psycopg://ann:hunter2@127.0.0.1:9/life"), lambda one: one.file_kind()
    )
    assert isinstance(found, Busy)
    assert "postgresql://127.0.0.1:9/life" in found.message
    assert "hunter2" not in found.message
    assert "pg_isready" in found.hint


def test_a_database_of_another_encoding_is_refused(postgresql_server: PostgreSQL) -> None:
    postgresql_server.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"
    )
    try:
        found = said(storage_for(postgresql_server.url("latin")), lambda one: one.file_kind())
        assert isinstance(found, Refused)
        assert "LATIN1" in found.message
    finally:
        postgresql_server.drop("latin")


def test_a_role_that_may_not_make_tables_is_told_so(
    postgresql_server: PostgreSQL, postgresql_database: str
) -> None:
    postgresql_server.execute("DROP ROLE IF EXISTS guest")
    postgresql_server.execute("CREATE ROLE guest LOGIN")
    url = postgresql_server.url(postgresql_database).replace("postgres@", "guest@")
    refusal = storage_for(url).find_refusal()
    assert refusal is not None
    assert "guest may not make tables" in refusal.message


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("23505", "rows", Failed),
        ("23503", "rows", Failed),
        ("40001", "busy", Busy),
        ("40P01", "busy", Busy),
        ("55P03", "busy", Busy),
        ("53300", "busy", Busy),
        ("53100", "full", Refused),
        ("57P01", "not_opened", Busy),
        ("57P03", "not_opened", Busy),
        ("08006", "not_opened", Busy),
        ("25006", "not_opened", Refused),
        ("28P01", "not_opened", Refused),
        ("42501", "not_opened", Refused),
        ("3D000", "not_opened", UnknownDatabase),
        ("58030", "disk", Busy),
        ("XX001", "damaged", Damaged),
        ("57014", "interrupted", Failed),
        ("42P01", "statement", Failed),
    ],
)
def test_each_error_of_the_server_is_a_reason_of_every_engine(
    code: str, reason: str, kind: type[DaemonError]
) -> None:
    import psycopg

    storage = storage_for("postgresql+psycopg://ann:hunter2@db/life")
    error = psycopg.errors.lookup(code)("what it said\nDETAIL:  Key (word)=(a secret)")
    found = errors.storage_error(error)
    assert (found.reason, storage.is_of_the_place(error)) == (
        reason,
        reason not in ("rows", "statement", "interrupted"),
    )
    said = storage.explained(error)
    assert type(said) is kind
    assert "secret" not in said.message
    assert "postgresql://db/life" in said.message


def test_a_server_that_cannot_write_before_it_makes_a_database_has_trouble_with_its_disk() -> None:
    """It says so in no code of its own."""
    import psycopg

    storage = storage_for("postgresql+psycopg://ann:hunter2@db/life")
    error = psycopg.errors.lookup("XX000")("checkpoint request failed\nHINT:  Consult recent messages")
    assert errors.storage_error(error).reason == "disk"
    assert not failures.is_lost(errors.storage_error(error), storage)
    said = storage.explained(error)
    assert type(said) is Busy
    assert "could not use its disk (checkpoint request failed)" in said.message


def test_a_driver_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused) as refused:
        storage_for(f"postgresql+psycopg://localhost/missing_{next(itertools.count())}")
    assert "daemon-personal-api[postgres]" in refused.value.hint
