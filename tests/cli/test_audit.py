"""Does ``daemon audit list`` show who did what, and is an export in it?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.cli.conftest import Typed

DATABASE = "data/daemon.db"


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        yield connection


@pytest.fixture
def people(typed: Typed) -> Typed:
    """An installation with ann, an admin, and bob."""
    typed("init")
    for words in (("ann", "--admin"), ("bob",)):
        typed("user", "create", *words, "--password-stdin", stdin="a long sentence is best\n")
    return typed


def test_rows_are_newest_first_and_chosen_by_account_action_and_number(people: Typed) -> None:
    people("key", "create", "bob", "phone")
    shown = people("audit", "list", "--json").json["entries"]
    assert [row["id"] for row in shown] == sorted((row["id"] for row in shown), reverse=True)
    assert (shown[0]["action"], shown[0]["table_name"]) == ("CREATE", "api_keys")
    assert "key_hash" not in str(shown)
    claims = people("audit", "list", "--action", "claim", "--json").json["entries"]
    assert [row["username"] for row in claims] == ["ann"]
    of_bob = people("audit", "list", "--user", "Bob", "--json").json["entries"]
    assert [(row["table_name"], row["record_id"]) for row in of_bob] == [("users", 2)]
    assert len(people("audit", "list", "--limit", "1").out.splitlines()) == 2
    assert people("audit", "list", "--user", "nobody", status=None).status != 0


def test_the_limit_goes_past_one_look(people: Typed) -> None:
    with database() as connection:
        row = "('UPDATE', 'data_entries', 1, 'null', 'null')"
        connection.execute(
            "INSERT INTO audit_logs (action, table_name, record_id, old_values, new_values) VALUES "
            + ",".join([row] * 5000)
        )
    assert len(people("audit", "list", "--action", "CLAIM", "--json").json["entries"]) == 1


def test_what_a_row_holds_does_not_steer_the_terminal(people: Typed) -> None:
    with database() as connection:
        connection.execute(
            "INSERT INTO audit_logs (action, table_name, record_id, ip_address, new_values)"
            " VALUES ('x' || char(27) || '[2J', 'users', 1, char(27) || ']0;owned',"
            ' \'{"a": "\\u001b[2J"}\')'
        )
    said = people("audit", "list").out
    assert "\x1b" not in said
    assert "owned" in said


def test_an_export_is_in_the_audit(people: Typed) -> None:
    people("export-user-data", "bob", "--output-dir", "out")
    newest = people("audit", "list", "--limit", "1", "--json").json["entries"][0]
    assert (newest["action"], newest["table_name"], newest["record_id"]) == ("EXPORT", "users", 2)


def test_an_export_that_the_audit_cannot_take_is_made_and_told(
    people: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.cli import export
    from app.errors import Busy

    def busy(_settings: object) -> object:
        raise Busy("Someone else holds the database.")

    monkeypatch.setattr(export, "writable_database", busy)
    done = people("export-user-data", "bob", "--output-dir", "out")
    assert "This export is not in the audit: Someone else holds the database." in done.err
    assert "files of bob" in done.out


def test_verify_says_whether_the_audit_is_whole_and_where_it_is_not(people: Typed) -> None:
    whole = people("audit", "verify", "--json")
    assert whole.json["is_whole"] is True
    with database() as connection:
        connection.execute("UPDATE audit_logs SET action = 'DELETE' WHERE id = 2")
    broken = people("audit", "verify", "--json", status=1)
    assert [fault["id"] for fault in broken.json["faults"]] == [2]
