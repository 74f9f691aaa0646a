"""Written state on PostgreSQL: is what was read believed later only where it holds still?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from app import clock
from app.accounts import claim, users
from app.accounts.users import NewUser
from app.database import Database, open_database
from app.entries import write
from app.errors import DaemonError
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.snapshot_memory import written_state
from app.storage.types import WriteJob
from app.upgrade.operations.init import initialise
from tests.postgresql import PostgreSQL, own_server

pytestmark = pytest.mark.needs("postgresql")
ANN = Viewer("person", 1, "ann")


@pytest.fixture
def database(postgresql_server: PostgreSQL, postgresql_database: str, tmp_path: Path) -> Iterator[Database]:
    """A database of ann on a server."""
    with closing(of_ann(postgresql_server.url(postgresql_database), tmp_path)) as opened:
        yield opened


def of_ann(url: str, folder: Path) -> Database:
    settings = Settings(database_url=url, data_dir=folder / "data", backup_dir=folder / "backups")
    assert initialise(settings).state == "done"
    opened = open_database(settings)
    with opened.writing() as connection:
        claim.create_account(connection, NewUser("ann", "ann@example.org", "-", is_admin=True), clock.now())
    return opened


@pytest.fixture
def owner(postgresql_server: PostgreSQL, postgresql_database: str) -> Iterator[psycopg.Connection]:
    """Who works on it with psql."""
    with psycopg.connect(postgresql_server.conninfo(postgresql_database), autocommit=True) as opened:
        yield opened


def new_idea(connection: Connection) -> None:
    write.create(connection, ANN, "ideas", {"content": "new"})


def name_of_ann(connection: Connection) -> object:
    found = users.find_user_by_id(connection, 1)
    return found and found.username


def others_seen(database: Database, do: Callable[[Connection], object] = name_of_ann) -> int:
    """A number that is another one where a transaction of ours believes nothing from before."""
    with database.writing() as connection:
        do(connection)
        state = written_state(connection)
        assert state is not None
        return state.others  # type: ignore[attr-defined, no-any-return]


def both(first: Callable[[Connection], object], second: Callable[[Connection], object]) -> list[WriteJob]:
    return [WriteJob(first), WriteJob(second)]


def fail(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE users SET username = 'eve'")
    assert name_of_ann(connection) == "eve"
    raise ZeroDivisionError


def test_commits_of_our_own_leave_it_as_it_is(tmp_path: Path) -> None:
    """On a server of its own: what happens in other databases, and vacuum, count, too."""
    with (
        own_server("autovacuum=off") as server,
        closing(of_ann(server.create("alone"), tmp_path)) as database,
    ):
        seen = others_seen(database)
        for count in (1, 2, 5):
            jobs = [WriteJob(new_idea) for _ in range(count)]
            assert [each.error for each in database.write_each(iter(jobs))] == [None] * count
            assert others_seen(database) == seen
        assert others_seen(database, new_idea) == seen
        assert others_seen(database) == seen
        server.execute("UPDATE users SET full_name = 'Ann'", "alone")
        assert others_seen(database) != seen


@pytest.mark.parametrize("ours", [name_of_ann, new_idea])
def test_a_commit_of_someone_else_is_seen(
    database: Database, owner: psycopg.Connection, ours: Callable[[Connection], object]
) -> None:
    """After a transaction of ours that took a number, and after one that took none."""
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
        ours(connection)
    owner.execute("UPDATE users SET username = 'eve'")
    with database.writing() as connection:
        assert name_of_ann(connection) == "eve"


def test_so_is_one_that_was_under_way_when_ours_began(
    database: Database, owner: psycopg.Connection, postgresql_server: PostgreSQL, postgresql_database: str
) -> None:
    conninfo = postgresql_server.conninfo(postgresql_database)
    for has_ended in (False, True):
        with psycopg.connect(conninfo) as slow:
            slow.execute("UPDATE users SET full_name = full_name || '.'")  # takes its number
            if has_ended:
                owner.execute("UPDATE endpoints SET description = description")
            with database.writing() as connection:
                name = name_of_ann(connection)
                new_idea(connection)
            slow.execute(f"UPDATE users SET username = '{name}x'")
        with database.writing() as connection:
            assert name_of_ann(connection) == f"{name}x"


def test_so_is_one_within_ours(database: Database, owner: psycopg.Connection) -> None:
    """Whoever works with psql waits for none of our locks."""
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
        owner.execute("UPDATE users SET username = 'eve'")
        new_idea(connection)
    with database.writing() as connection:
        assert name_of_ann(connection) == "eve"


def test_what_was_read_of_a_change_that_was_taken_back_is_not_believed(database: Database) -> None:
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
    for jobs in (both(new_idea, fail), both(fail, new_idea), [WriteJob(fail)]):
        taken = database.write_each(iter(jobs))
        assert [type(job.error) for job in taken if job.do is fail] == [ZeroDivisionError]
        with database.writing() as connection:
            assert name_of_ann(connection) == "ann"
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        fail(connection)
    with database.writing() as connection:
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            fail(connection)
        assert name_of_ann(connection) == "ann"


def test_one_that_fails_takes_nobody_with_it(database: Database, owner: psycopg.Connection) -> None:
    """Those after the first one wait for the next commit."""
    jobs = iter([WriteJob(fail), *both(new_idea, fail), WriteJob(new_idea)])
    assert [type(job.error) for job in database.write_each(jobs)] == [ZeroDivisionError]
    assert [type(job.error) for job in database.write_each(jobs)] == [
        type(None),
        ZeroDivisionError,
        type(None),
    ]
    assert owner.execute("SELECT count(*) FROM data_entries").fetchone() == (2,)


def refused_in_passing(connection: Connection) -> None:
    """A statement fails and no one hears of it: the server does nothing more in that transaction."""
    with pytest.raises(psycopg.Error):
        connection.connection.cursor().execute("SELECT 1 / 0")


@pytest.mark.parametrize("is_first", [True, False])
def test_one_whose_statement_had_failed_is_told_so_alone(
    database: Database, owner: psycopg.Connection, is_first: bool
) -> None:
    jobs = both(refused_in_passing, new_idea) if is_first else both(new_idea, refused_in_passing)
    waiting = iter(jobs)
    while taken := database.write_each(waiting):
        for job in taken:
            assert isinstance(job.error, DaemonError) == (job.do is refused_in_passing), job.error
    assert owner.execute("SELECT count(*) FROM data_entries").fetchone() == (1,)


def test_what_was_ended_within_is_not_believed(database: Database) -> None:
    """Whoever ends the transaction of a connection that is lent takes back what was read of it, too."""
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET username = 'eve'")
        assert name_of_ann(connection) == "eve"
        connection.exec_driver_sql("ROLLBACK")
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"


def delete_the_entries(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM text_findings")
    connection.exec_driver_sql("DELETE FROM data_entries")


@pytest.mark.parametrize(
    "change",
    [
        delete_the_entries,
        lambda connection: connection.exec_driver_sql("UPDATE users SET full_name = 'Ann'"),
        lambda connection: connection.exec_driver_sql("LOCK TABLE users"),
        lambda connection: connection.exec_driver_sql("CREATE TABLE owners (id BIGINT)"),
    ],
)
def test_what_it_does_besides_is_a_change(database: Database, change: Callable[[Connection], object]) -> None:
    with database.writing() as connection:
        new_idea(connection)
        state = written_state(connection)
        assert state is not None
        before = state.now()
        change(connection)
        assert state.now() != before
        assert state.find_changes() is None


@pytest.mark.parametrize(
    "made",
    [
        "CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE users SET username = 'eve'; RETURN NULL; END $$;"
        " CREATE TRIGGER renames AFTER INSERT ON data_entries EXECUTE FUNCTION rename()",
        "CREATE RULE renames AS ON INSERT TO data_entries DO ALSO UPDATE users SET username = 'eve'",
    ],
)
def test_where_the_owner_has_triggers_or_rules_nothing_is_believed(
    database: Database, owner: psycopg.Connection, made: str
) -> None:
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
    owner.execute(made)
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
        connection.exec_driver_sql(
            "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_at, created_by_id)"
            " SELECT 1, id, '{}', 1, '2026-01-01 00:00:00', 1 FROM endpoints LIMIT 1"
        )
        assert name_of_ann(connection) == "eve"
    with database.writing() as connection:
        assert written_state(connection) is None
        assert name_of_ann(connection) == "eve"


def test_a_connection_that_was_lost_is_not_believed(database: Database, owner: psycopg.Connection) -> None:
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
    owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    owner.execute("UPDATE users SET username = 'eve'")
    with database.writing() as connection:
        assert name_of_ann(connection) == "eve"
