"""Upkeep of the search index: when is what was written made findable, while many write and afterwards?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.entries import write
from app.privacy.viewer import Viewer
from app.server import search_upkeep
from app.server.search_upkeep import SearchUpkeep
from app.server.state import ServerState
from tests.conftest import SettingsIn
from tests.databases import SQLiteDatabases

MANY = search_upkeep.BUSY_COUNT + 1


@pytest.fixture
def server(
    tmp_path: Path, settings_in: SettingsIn, sqlite_databases: SQLiteDatabases
) -> Iterator[ServerState]:
    """A server of ann's whose jobs do not run."""
    made = ServerState(settings_in(tmp_path, database_url=sqlite_databases.fresh(tmp_path)))
    made.supervisor.start(60)
    with made.supervisor.writing() as connection:
        claim.create_account(connection, NewUser("ann", "ann@example.org", "x", is_admin=True), clock.now())
    while not made.text_backfill.is_through:
        made.text_backfill.step()
    made.search_upkeep.step()
    yield made
    made.supervisor.stop()


def write_entries(server: ServerState, count: int) -> None:
    with server.supervisor.writing() as connection:
        for number in range(count):
            said = {"content": f"honey {number}", "meta": {"visibility": "public"}}
            write.create(connection, Viewer("person", 1, "ann"), "ideas", said)


def waiting(upkeep: SearchUpkeep) -> int:
    upkeep.step()
    return upkeep.progress.waiting


def test_what_few_write_is_made_at_once(server: ServerState) -> None:
    write_entries(server, 3)
    assert waiting(server.search_upkeep) == 0


def test_while_many_write_it_waits_and_then_makes_all(server: ServerState) -> None:
    upkeep = server.search_upkeep
    for rounds in (1, 2):
        write_entries(server, MANY)
        assert waiting(upkeep) == rounds * MANY
    assert waiting(upkeep) == 0


def test_it_waits_for_some_seconds_at_most(server: ServerState, monkeypatch: pytest.MonkeyPatch) -> None:
    write_entries(server, MANY)
    assert waiting(server.search_upkeep) == MANY
    monkeypatch.setattr(search_upkeep, "BUSY_WAIT_SECONDS", 0.0)
    write_entries(server, MANY)
    assert waiting(server.search_upkeep) < 2 * MANY
