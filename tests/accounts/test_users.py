"""Are accounts made whole, with ids that no one ever had, and never by half?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, text

from app import tables
from app.accounts import account_rules, users
from app.accounts.users import NewUser
from app.errors import Conflict, InvalidContent, NotFound

ANN = NewUser("ann", "ann@example.org", "$argon2id$hash", "Ann Bee")


def put(connection: Connection, table: Table, **values: Any) -> None:
    connection.execute(insert(table).values(**values))


def test_an_account_comes_with_settings_and_an_audit_row(connection: Connection, now: datetime) -> None:
    made = users.create_user(connection, ANN, now)
    assert made.id == 1
    assert made.is_active
    assert not made.is_admin
    assert made.created_at == "2026-03-04 05:06:07"
    settings = connection.execute(select(tables.user_privacy_settings)).one()
    assert (settings.user_id, settings.show_salary_range, settings.custom_privacy_rules) == (1, 0, "{}")
    audited = connection.execute(select(tables.audit_logs)).one()
    assert (audited.action, audited.table_name, audited.record_id, audited.old_values) == (
        "CREATE",
        "users",
        1,
        "null",
    )
    assert "argon2" not in audited.new_values
    assert "example.org" not in audited.new_values


@pytest.mark.parametrize("name", ["ann", "Ann", "ANN"])
def test_names_and_mails_that_differ_by_case_only_are_taken(
    connection: Connection, now: datetime, name: str
) -> None:
    users.create_user(connection, ANN, now)
    with pytest.raises(Conflict):
        users.create_user(connection, NewUser(name, "other@example.org", "x"), now)
    with pytest.raises(Conflict):
        users.create_user(connection, NewUser("other", name + "@EXAMPLE.org", "x"), now)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.users, {"id": 41, "username": "old", "email": "o", "hashed_password": "x"}),
        (tables.data_entries, {"endpoint_id": 1, "data": "{}", "created_by_id": 41}),
        (tables.endpoints, {"name": "x", "schema": "{}", "created_by_id": 41}),
        (tables.api_keys, {"name": "x", "key_hash": "x", "user_id": 41}),
        (tables.audit_logs, {"action": "UPDATE", "table_name": "x", "record_id": 1, "user_id": 41}),
        (tables.audit_logs, {"action": "CREATE", "table_name": "users", "record_id": 41}),
        (tables.user_privacy_settings, {"user_id": 41}),
        (tables.id_counters, {"table_name": "users", "last_id": 41}),
    ],
)
def test_a_new_id_is_above_every_one_ever_named(
    connection: Connection, now: datetime, table: Table, values: dict[str, Any]
) -> None:
    put(connection, table, **values)
    assert users.was_any_user_ever_named(connection)
    assert users.create_user(connection, ANN, now).id == 42
    connection.execute(tables.users.delete())
    connection.execute(tables.audit_logs.delete())
    connection.execute(tables.user_privacy_settings.delete())
    assert users.create_user(connection, ANN, now).id > 42, "also where every trace was cleared away"


@pytest.mark.only_on("sqlite")
def test_odd_values_do_not_use_up_the_ids(connection: Connection, now: datetime) -> None:
    for odd in (2**63 - 1, "ann", b"\x00", 3.5):
        put(connection, tables.data_entries, endpoint_id=1, data="{}", created_by_id=5)
        connection.execute(
            text("INSERT INTO data_entries (endpoint_id, data, created_by_id) VALUES (1, '{}', :odd)"),
            {"odd": odd},
        )
    assert users.create_user(connection, ANN, now).id == 6


def test_nobody_was_ever_named_in_an_empty_database(connection: Connection) -> None:
    assert not users.was_any_user_ever_named(connection)


def test_odd_stored_values_of_an_account_are_not_a_yes(connection: Connection) -> None:
    odds = (None, 0, 1, 2, "true") if connection.dialect.name == "sqlite" else (None, 0, 1, 2, -1)
    for number, odd in enumerate(odds):
        connection.execute(
            text(
                "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin, created_at)"
                " VALUES (:id, :name, :name, 'x', :odd, :odd, 'yesterday')"
            ),
            {"id": number + 1, "name": f"user{number}", "odd": odd},
        )
    found = users.list_users(connection)
    assert [each.is_active for each in found] == [False] * 2 + [True] + [False] * 2
    assert found[0].created_at == "yesterday"


def test_twins_by_case_are_two_accounts(connection: Connection) -> None:
    for number, name in enumerate(("Ann", "ann")):
        put(connection, tables.users, id=number + 1, username=name, email=name, hashed_password="x")
    ann, other = users.find_user(connection, "ann"), users.find_user(connection, "Ann")
    assert ann is not None
    assert other is not None
    assert (ann.id, other.id) == (2, 1)
    assert users.find_user(connection, "ANN") is None


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"username": "ab"}, "/username"),
        ({"username": "a" * 51}, "/username"),
        ({"username": "a b c"}, "/username"),
        ({"username": "../ann"}, "/username"),
        ({"username": ".ann"}, "/username"),
        ({"username": "ann\n"}, "/username"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b@c"}, "/email"),
        ({"email": "a\u0000@b"}, "/email"),
        ({"email": "a" * 99 + "@b"}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "x" * 1025}, "/password"),
        ({"password": "long enough \ud83d"}, "/password"),
        ({"password": " " * 12}, "/password"),
        ({"password": "Password1"}, "/password"),
        ({"username": "ann.of.alton", "password": "ANN.of.Alton"}, "/password"),
        ({"password": "Ann+Tag@example"}, "/password"),
        ({"full_name": "x" * 101}, "/full_name"),
        ({"full_name": "a\tb"}, "/full_name"),
    ],
)
def test_what_no_account_can_be_made_of_is_named(changed: dict[str, str], pointer: str) -> None:
    wanted: dict[str, Any] = {
        "username": "ann",
        "email": "ann+tag@example",
        "password": "long enough",
        "full_name": None,
    }
    account_rules.check_new_user(**wanted)
    with pytest.raises(InvalidContent) as caught:
        account_rules.check_new_user(**(wanted | changed))
    errors = caught.value.details["errors"]
    assert isinstance(errors, list)
    assert [each["pointer"] for each in errors] == [pointer]


def test_the_last_active_admin_stays(connection: Connection, now: datetime) -> None:
    users.create_user(connection, NewUser("ann", "a@x", "h", is_admin=True), now)
    users.create_user(connection, NewUser("ben", "b@x", "h"), now)
    with pytest.raises(Conflict):
        users.set_admin(connection, "ann", False, now)
    with pytest.raises(Conflict):
        users.set_active(connection, "ann", False, now)
    users.set_admin(connection, "ben", True, now)
    users.set_active(connection, "ann", False, now)
    found = users.get_user(connection, "ann")
    assert not found.is_active
    assert found.is_admin


def test_changing_nobody_is_not_found(connection: Connection, now: datetime) -> None:
    with pytest.raises(NotFound):
        users.change_password(connection, "nobody", "h", now)
