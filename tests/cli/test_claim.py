"""Does ``daemon claim review`` list what came in before the first account, publish it and delete it?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from app.database import open_database
from app.entries import write
from app.privacy.viewer import LOCAL
from app.settings import Settings
from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


@pytest.fixture
def came_in(typed: Typed, tmp_path: Path) -> Typed:
    """An installation in which three ideas came in through the open local door; no one has claimed it."""
    typed("init")
    database = open_database(Settings(database_url=f"sqlite:///{tmp_path / 'data/daemon.db'}"))
    with database.writing() as connection:
        for content in ("first \x1b[31m", "second", "third"):
            write.create(connection, LOCAL, "ideas", {"content": content})
    database.close()
    return typed


def claimed(typed: Typed) -> str:
    return typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD).err


def visible(tmp_path: Path) -> list[tuple[int, str]]:
    with sqlite3.connect(tmp_path / "data/daemon.db") as connection:
        query = "SELECT id, visibility FROM data_entries WHERE is_active = 1 ORDER BY id"
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_it_lists_what_waits_and_the_first_account_is_told(came_in: Typed) -> None:
    assert "daemon claim review" in claimed(came_in)
    said = came_in("claim", "review").out
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["1", "2", "3"]
    assert "\x1b" not in said
    items = came_in("claim", "review", "--json").json["items"]
    assert [(each["id"], each["kind"], each["publishes_as"]) for each in items] == [
        (number, "ideas", "public") for number in (1, 2, 3)
    ]


def test_it_publishes_some_deletes_some_and_publishes_the_rest(came_in: Typed, tmp_path: Path) -> None:
    claimed(came_in)
    assert visible(tmp_path) == [(1, "private"), (2, "private"), (3, "private")]
    assert "Entry 1 (ideas) is public now." in came_in("claim", "review", "--publish", "1").out
    assert came_in("claim", "review", "--delete", "2", "--json").json == {"published": [], "deleted": [2]}
    assert visible(tmp_path) == [(1, "public"), (3, "private")]
    came_in("claim", "review", "--all")
    assert visible(tmp_path) == [(1, "public"), (3, "public")]
    assert "Nothing waits" in came_in("claim", "review").err
    with sqlite3.connect(tmp_path / "data/daemon.db") as connection:
        told = connection.execute("SELECT action, record_id FROM audit_logs ORDER BY id")
        assert told.fetchall()[-3:] == [("PUBLISH", 1), ("DELETE", 2), ("PUBLISH", 3)]
    connection.close()


def test_several_ids_may_stand_in_a_row(came_in: Typed, tmp_path: Path) -> None:
    claimed(came_in)
    came_in("claim", "review", "--publish", "1", "3")
    assert visible(tmp_path) == [(1, "public"), (2, "private"), (3, "public")]


def test_nothing_is_published_before_there_is_an_owner(came_in: Typed, tmp_path: Path) -> None:
    assert len(came_in("claim", "review", "--json").json["items"]) == 3
    assert "user create" in came_in("claim", "review", "--all", status=1).err
    assert visible(tmp_path) == [(1, "private"), (2, "private"), (3, "private")]


@pytest.mark.parametrize("words", [("--publish", "1", "--all"), ("7",), ("--all", "7"), ("--publish", "x")])
def test_what_contradicts_itself_is_refused(came_in: Typed, words: tuple[str, ...]) -> None:
    claimed(came_in)
    came_in("claim", "review", *words, status=2)
    assert len(came_in("claim", "review", "--json").json["items"]) == 3


def test_an_id_that_does_not_wait_changes_nothing(came_in: Typed, tmp_path: Path) -> None:
    claimed(came_in)
    assert "4711" in came_in("claim", "review", "--publish", "1", "4711", status=1).err
    assert visible(tmp_path) == [(1, "private"), (2, "private"), (3, "private")]
