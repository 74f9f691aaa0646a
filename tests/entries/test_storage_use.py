"""Is a member kept from storing more than they may, counted as they write, and admins from nothing?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select

from app.accounts import users
from app.accounts.users import NewUser, User
from app.entries import endpoints, storage_use, write
from app.entries.storage_use import EVERYONE, SHIPPED, Amount
from app.errors import InvalidContent, QuotaReached
from app.privacy.viewer import Viewer
from app.tables import storage_use as table
from tests.databases import Databases


@pytest.fixture
def now() -> datetime:
    """A moment."""
    return datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """A database with the kinds that are shipped, and no one in it."""
    with databases.rooms() as connection:
        endpoints.add_missing_endpoints(connection)
        yield connection


@pytest.fixture
def ben(connection: Connection, now: datetime) -> User:
    """A member."""
    users.create_user(connection, NewUser("ann", "a@x", "h", is_admin=True), now)
    return users.create_user(connection, NewUser("ben", "b@x", "h"), now)


def viewer_of(user: User) -> Viewer:
    return Viewer("admin" if user.is_admin else "person", user.id, user.username)


def post(connection: Connection, user: User, text: str = "x") -> int:
    return write.create(connection, viewer_of(user), "ideas", {"content": text}).id


def stored(connection: Connection) -> list[tuple[int, int]]:
    return [tuple(row) for row in connection.execute(select(table.c.entries_count, table.c.bytes_count))]


def test_entries_are_counted_as_they_are_written(connection: Connection, ben: User) -> None:
    size = len('{"content": "x"}')
    first = post(connection, ben)
    post(connection, ben)
    assert stored(connection) == [(2, 2 * size)]
    write.replace(connection, viewer_of(ben), "ideas", first, {"content": "xyz"})
    assert stored(connection) == [(2, 2 * size + 2)]
    write.replace(connection, viewer_of(ben), "ideas", first, {"content": "y"})
    assert stored(connection) == [(2, 2 * size + 2)], "less is found when it is counted anew"
    storage_use.forget(connection, ben.id)
    assert storage_use.use_of(connection, ben.id) == Amount(2, 2 * size)
    assert stored(connection) == [], "looking writes nothing"


def test_there_is_no_room_for_one_more_and_the_rest_stays(connection: Connection, ben: User) -> None:
    storage_use.set_limits(connection, EVERYONE, 2, None)
    first, _ = post(connection, ben), post(connection, ben)
    with pytest.raises(QuotaReached, match="2 entries"):
        post(connection, ben)
    write.delete(connection, viewer_of(ben), "ideas", first)
    with pytest.raises(QuotaReached):  # a deleted one is kept, until it is erased
        post(connection, ben)
    write.replace(connection, viewer_of(ben), "ideas", first + 1, {"content": "a longer text"})
    storage_use.set_limits(connection, ben.id, 3, None)
    post(connection, ben)


def test_bytes_are_limited_too_for_changes_as_well(connection: Connection, ben: User) -> None:
    storage_use.set_limits(connection, ben.id, None, 40)
    entry_id = post(connection, ben)
    with pytest.raises(QuotaReached, match="40 bytes"):
        write.merge(connection, viewer_of(ben), "ideas", entry_id, {"content": "x" * 26})
    write.merge(connection, viewer_of(ben), "ideas", entry_id, {"content": "x" * 25})


def test_what_went_meanwhile_makes_room(connection: Connection, ben: User) -> None:
    storage_use.set_limits(connection, ben.id, 1, None)
    post(connection, ben)
    connection.exec_driver_sql("DELETE FROM data_entries")
    post(connection, ben)


def test_admins_have_no_limit_and_are_not_counted(connection: Connection, ben: User) -> None:
    storage_use.set_limits(connection, EVERYONE, 0, 0)
    ann = users.get_user(connection, "ann")
    entry_id = post(connection, ann)
    assert write.create(connection, Viewer("person", ann.id, "ann"), "ideas", {"content": "by her key"}).id
    assert stored(connection) == []
    with pytest.raises(QuotaReached):
        post(connection, ben)
    assert entry_id


def test_an_admins_change_to_a_members_entry_is_counted_at_the_next_write(
    connection: Connection, ben: User
) -> None:
    entry_id = post(connection, ben)
    ann = viewer_of(users.get_user(connection, "ann"))
    write.replace(connection, ann, "ideas", entry_id, {"content": "x" * 100})
    assert stored(connection) == []
    post(connection, ben)
    assert stored(connection) == [(2, len('{"content": "x"}') * 2 + 99)]


def test_limits_of_ones_own_come_before_everyones_and_those_before_what_is_shipped(
    connection: Connection, ben: User
) -> None:
    assert storage_use.limits_of(connection, ben.id) == SHIPPED
    storage_use.set_limits(connection, EVERYONE, 5, None)
    storage_use.set_limits(connection, ben.id, None, 7)
    assert storage_use.limits_of(connection, ben.id) == Amount(5, 7)
    storage_use.set_limits(connection, ben.id, None, None)
    assert storage_use.limits_of(connection, ben.id) == Amount(5, SHIPPED.bytes)
    with pytest.raises(InvalidContent):
        storage_use.set_limits(connection, ben.id, -1, None)
