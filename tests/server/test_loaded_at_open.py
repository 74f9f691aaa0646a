"""Does a server load what searches texts and reads tokens where it needs them, and before it reads?"""

from __future__ import annotations

from typing import Any

import pytest

from app.accounts import tokens
from app.database import Database
from app.entries import write
from app.privacy import entry_search, patterns
from app.privacy.viewer import Viewer
from app.server.state import ServerState
from app.settings import Settings
from tests.web.conftest import served_here


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked for since, of what a start does without."""
    asked: list[str] = []
    for what, module, name in (
        ("RE2", patterns, "library"),
        ("PyJWT", tokens, "library"),
        ("detectors", entry_search, "_detectors"),
    ):
        known = getattr(module, name)

        def noted(what: str = what, known: Any = known) -> Any:
            asked.append(what)
            return known()

        monkeypatch.setattr(module, name, noted)
    return asked


def test_a_server_that_has_nothing_loads_none_of_it(settings: Settings, asked_for: list[str]) -> None:
    with served_here(settings) as site:
        site.client.event_hooks = {}  # they look at every route
        site.app.server.text_backfill.step()
        site.app.server.search_upkeep.step()
        assert site.client.get("/health").status_code == 200
        assert asked_for == []


def test_with_entries_and_accounts_all_is_loaded_before_anyone_reads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, asked_for: list[str]
) -> None:
    with served_here(settings) as site:
        ann = site.add_user("ann", is_admin=True)
        with site.writing() as connection:
            write.create(connection, Viewer("admin", ann.id, "ann"), "ideas", {"content": "bees"})
    asked_for.clear()
    opened: list[list[str]] = []
    on_open = ServerState._on_open

    def noted(server: ServerState, database: Database) -> None:
        on_open(server, database)
        opened.append(sorted({*asked_for}))

    monkeypatch.setattr(ServerState, "_on_open", noted)
    with served_here(settings):
        assert opened == [["PyJWT", "RE2", "detectors"]]


def test_whoever_asks_for_any_other_route_has_all_loaded(settings: Settings, asked_for: list[str]) -> None:
    with served_here(settings) as site:
        site.client.event_hooks = {}
        assert site.client.get("/openapi.json").status_code == 200
        assert {*asked_for} == {"PyJWT", "RE2", "detectors"}
