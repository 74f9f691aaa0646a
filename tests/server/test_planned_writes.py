"""Planned writes: is what was planned written in the state that it is of, and planned again otherwise?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.database import Database, open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.server.planned_writes import PLANS_MOST, write_planned
from app.tables import endpoints
from tests.conftest import SettingsIn
from tests.databases import Databases

Meanwhile = Callable[[Connection], object]


@pytest.fixture
def database(databases: Databases, tmp_path: Path, settings_in: SettingsIn) -> Iterator[Database]:
    opened = open_database(settings_in(tmp_path, database_url=databases.fresh(tmp_path)))
    with opened.writing() as connection:
        for name in ("ann", "ben"):
            new = NewUser(name, f"{name}@example.org", "-", is_admin=name == "ann")
            claim.create_account(connection, new, clock.now())
    for user_id in (1, 2):  # with whose first entry it begins that their room is counted
        with opened.writing() as connection:
            writes(user_id)(connection)
    yield opened
    opened.close()


def writes(user_id: int) -> Meanwhile:
    """Someone writes an entry."""
    viewer = Viewer("person", user_id, "someone")
    return lambda connection: write.create(connection, viewer, "ideas", {"content": "x"})


def changes_a_kind(connection: Connection) -> None:
    connection.execute(update(endpoints).where(endpoints.c.name == "ideas").values(title="Other"))


class Between:
    """A database where others write right before one's turn to."""

    def __init__(self, database: Database, others: list[Meanwhile]) -> None:
        self._database, self._others = database, others
        self.generation, self.find_changes = database.generation, database.find_changes
        self.reading = database.reading

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        while self._others:
            with self._database.writing() as other:
                self._others.pop()(other)
        with self._database.writing() as connection:
            yield connection


def planned(database: Database, meanwhile: list[Meanwhile]) -> str:
    """Write what is planned for Ann while others write; return which plan was written."""
    made: list[str] = []

    def plan(connection: Connection) -> str:
        made.append(f"plan {len(made) + 1}")
        if not connection.get_execution_options().get("writing"):
            others.append(meanwhile.pop(0) if meanwhile else lambda connection: None)
        return made[-1]

    others: list[Meanwhile] = []
    door: Any = Between(database, others)
    return write_planned(door, plan, lambda connection, one: one, 1)


def test_what_no_one_disturbs_is_planned_once(database: Database) -> None:
    database.generation()
    assert planned(database, []) == "plan 1"


@pytest.mark.only_on("sqlite")  # another engine cannot tell what was changed between two states
def test_entries_of_others_change_nothing_of_a_plan(database: Database) -> None:
    database.generation()
    assert planned(database, [writes(2)]) == "plan 1"


@pytest.mark.parametrize("meanwhile", [writes(1), changes_a_kind], ids=["own entry", "kind"])
def test_what_a_plan_may_hang_on_has_it_made_again(database: Database, meanwhile: Meanwhile) -> None:
    database.generation()
    assert planned(database, [meanwhile]) == "plan 2"


def test_at_last_it_is_planned_while_no_one_else_can_write(database: Database) -> None:
    database.generation()
    assert planned(database, [writes(1)] * 10) == f"plan {PLANS_MOST + 1}"


@pytest.mark.only_on("sqlite")  # on a server it is a transaction of its own
def test_what_was_begun_in_the_same_transaction_counts(database: Database) -> None:
    """Others may share the commit: what they wrote is not committed yet, and there all the same."""
    from app.server.planned_writes import is_as_planned

    door: Any = database
    known = database.generation()
    for user_id, holds in ((2, True), (1, False)):
        with database.writing() as connection:
            writes(user_id)(connection)
            assert is_as_planned(door, connection, known, 1) is holds
        known = database.generation()
