"""Does what is hidden from assistants change no byte of what they are answered, and none of it get through?

The planted installation of the self-test has something hidden for each reason; every tool and resource is
asked for every person, kind and entry.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import clock
from app.server.selftest.asking import Answer, Application, ask
from app.server.selftest.plant import ADMIN, OPEN, OTHER, Planted
from app.server.selftest.run import served
from app.settings import Settings
from app.web.app import create_app
from tests.databases import Databases
from tests.web.test_non_interference import PlantedPlace, change_what_is_hidden, plant_place

HEADERS = {"accept": "application/json, text/event-stream", "x-request-id": "the-same-for-all"}
LEVEL = "ai_safe"


@pytest.fixture(scope="module")
def planted(lasting_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> PlantedPlace:
    return plant_place(lasting_databases, tmp_path_factory.mktemp("planted"))


def messages(planted: Planted) -> Iterator[tuple[str, dict[str, Any]]]:
    people = [None, *(one.username for one in planted.people.values()), "nobody"]
    for person in people:
        whose = {} if person is None else {"person": person}
        yield "tools/call", {"name": "who_is", "arguments": whose}
        yield "tools/call", {"name": "list_kinds", "arguments": whose}
        yield "tools/call", {"name": "search", "arguments": {**whose, "q": "selftest*"}}
        for kind in planted.kinds:
            yield "tools/call", {"name": "read_items", "arguments": {**whose, "kind": kind}}
    for kind, entry_id in (*planted.entries, *planted.others_entries):
        yield "tools/call", {"name": "get_item", "arguments": {"kind": kind, "item": str(entry_id)}}
        yield "resources/read", {"uri": f"daemon://{planted.people[OPEN].username}/{kind}/{entry_id}"}
    for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
        yield method, {}


async def asked(application: Application, planted: Planted, **headers: str) -> dict[str, Answer]:
    found = {}
    for method, params in messages(planted):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        name = f"{method} {json.dumps(params)}"
        found[name] = await ask(application, "POST", "/mcp", {**HEADERS, **headers}, body)
    return found


async def everything(settings: Settings, planted: Planted, **headers: str) -> dict[str, Answer]:
    application = create_app(settings)
    with served(application.server):
        found = await asked(application, planted, **headers)
        await application.framework.state.assistants.close()
    return found


def test_what_is_hidden_from_assistants_changes_no_byte(
    planted: PlantedPlace, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    answers = []
    for name in ("one", "other"):
        settings = planted.copied(databases, tmp_path / name)
        if name == "other":
            assert change_what_is_hidden(settings.database_url, planted.there, LEVEL) > 100
        answers.append(asyncio.run(everything(settings, planted.there)))
    one, other = answers
    assert [name for name in one if one[name].whole != other[name].whole] == []


@pytest.mark.parametrize("whose", ["nobody", OTHER, ADMIN])
def test_no_marker_that_assistants_must_not_see_gets_through(
    planted: PlantedPlace, databases: Databases, tmp_path: Path, whose: str
) -> None:
    settings, there = planted.copied(databases, tmp_path), planted.there
    key = {} if whose == "nobody" else there.headers[f"{whose}'s key that reads"]
    found = asyncio.run(everything(settings, there, **key))
    own_id = None if whose == "nobody" else there.people[whose].id
    shown_count, wrong = 0, []
    for name, answer in found.items():
        assert answer.status == 200, name
        for marker in there.markers.found_in(answer.whole):
            if LEVEL in marker.levels and marker.for_assistants:
                shown_count += 1
            elif own_id is None or marker.owner_id != own_id:
                wrong.append((name, marker.place))
    assert wrong == []
    assert shown_count > 20
