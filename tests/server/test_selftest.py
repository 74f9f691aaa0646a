"""Does the self-test pass where nothing leaves, and fail for each bug that is planted?"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from app import database_urls
from app.entries import access, findings, kinds, policies, prefetch, store, strangers_rows
from app.server.selftest.crawl import LEFT_OUT
from app.server.selftest.run import crawl, run_selftest
from app.settings import Settings
from app.web.app import WebApp, create_app
from tests.databases import Databases, outside, run
from tests.server.planted_bugs import BUGS, Bug
from tests.web.test_non_interference import PlantedPlace, plant_place

HERE = "app.server.entry_lookup:SEARCHED_MOST_HERE"
SAMPLE = 4  # of the planted bugs, in CI; `make bugs` plants all


def chosen() -> list[Bug]:
    count = int(os.environ.get("DAEMON_PLANTED_BUGS", SAMPLE))
    rng = random.Random(os.environ.get("DAEMON_PLANTED_BUGS_SEED", "0.5.0"))
    return list(BUGS) if count >= len(BUGS) else rng.sample(BUGS, count)


@pytest.fixture(scope="module")
def planted(lasting_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> PlantedPlace:
    """A database in which all is planted, of a few kinds; it is copied for each crawl."""
    return plant_place(lasting_databases, tmp_path_factory.mktemp("planted"))


@pytest.fixture
def copied(planted: PlantedPlace, databases: Databases, tmp_path: Path) -> Settings:
    return planted.copied(databases, tmp_path)


@contextmanager
def _in_place(place: str, instead: Any) -> Iterator[None]:
    module, _, path = place.partition(":")
    *above, name = path.split(".")
    owner: Any = import_module(module)
    for part in above:
        owner = getattr(owner, part)
    before = owner.__dict__[name]
    setattr(owner, name, instead(before))
    try:
        yield
    finally:
        setattr(owner, name, before)


def forget_what_is_kept() -> None:
    policies.policy_for.cache_clear()
    import app.privacy.filter as filters

    filters.hidden_names.cache_clear()
    findings._remembered.clear()
    for function in (
        *(access.knows_kind, access.is_public, access.sees_whole, access.of_list, access.of_strangers_list),
        *(store._page, store.query_of_one, strangers_rows._list, strangers_rows.among, prefetch._statement),
    ):
        function.cache_clear()
    for name in ("_built_in_lists", "_custom_lists"):
        getattr(kinds, name).cache_clear()


def test_nothing_leaves_and_every_door_is_asked(planted: PlantedPlace, copied: Settings) -> None:
    outcome = crawl(create_app(copied), planted.there, copied)
    assert outcome.faults == ()
    assert outcome.asked_count > 1000


@pytest.mark.only_on("sqlite")  # about doors, and not about rows
def test_a_new_door_is_asked_or_is_a_fault(planted: PlantedPlace, copied: Settings) -> None:
    application = create_app(copied)
    router = APIRouter()

    @router.get("/api/v2/everything")
    def leaking_door() -> list[str]:
        return list(planted.there.markers.planted)[:1]

    @router.get("/api/v2/{thing}/x")
    def new_door(thing: str) -> dict[str, str]:
        return {}

    application.addresses.extend(router.routes)
    outcome = crawl(application, planted.there, copied)
    assert any("/api/v2/{thing}/x is a door that" in fault for fault in outcome.faults)
    assert any(fault.startswith("/api/v2/everything shows a stranger") for fault in outcome.faults)


def test_what_is_left_out_is_served_and_has_a_reason() -> None:
    routes: Any = create_app(Settings()).addresses
    served = {f"{method} {route.path_format}" for route in routes for method in route.methods}
    assert set(LEFT_OUT) <= served
    assert all(LEFT_OUT.values())


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own() -> None:
    assert len(BUGS) >= 30
    assert len({bug.name for bug in BUGS}) == len(BUGS)


@pytest.mark.only_on("sqlite")  # each is planted into what both engines share
@pytest.mark.parametrize("bug", chosen(), ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(planted: PlantedPlace, copied: Settings, bug: Bug) -> None:
    forget_what_is_kept()
    places = [_in_place(place, bug.instead) for place in bug.place.split()]
    places.append(_in_place(HERE, lambda _most: 10**9))  # in a worker process there would be no bug
    for place in places:
        place.__enter__()
    try:
        outcome = crawl(create_app(copied), planted.there, copied, stops_at_first=True)
    finally:
        for place in reversed(places):
            place.__exit__(None, None, None)
        forget_what_is_kept()
    assert outcome.faults, f"no answer of {outcome.asked_count} showed that {bug.name}"


@pytest.mark.only_on("sqlite")
def test_the_database_itself_is_only_looked_at(planted: PlantedPlace, copied: Settings) -> None:
    path = copied.database_path
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())
    made: list[Settings] = []

    def make(scratch: Settings) -> WebApp:
        made.append(scratch)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_selftest(copied, make)
    assert made[0].database_path != path
    assert not made[0].database_path.exists()
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before


def test_a_copy_on_the_same_engine_is_asked_and_gone_afterwards(copied: Settings) -> None:
    asked: list[Settings] = []

    def make(scratch: Settings) -> WebApp:
        asked.append(scratch)
        with outside(scratch.database_url) as connection:
            assert run(connection, "SELECT count(*) FROM data_entries").scalar_one() > 0
            run(connection, "DELETE FROM data_entries")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_selftest(copied, make)
    (scratch,) = asked
    assert scratch.database_url.partition(":")[0] == copied.database_url.partition(":")[0]
    assert scratch.database_url != copied.database_url
    assert not scratch.data_dir.exists()
    with outside(copied.database_url) as connection:
        assert run(connection, "SELECT count(*) FROM data_entries").scalar_one() > 0
        if connection.dialect.name == "postgresql":
            name = scratch.database_url.rpartition("/")[2]
            assert not run(connection, "SELECT 1 FROM pg_database WHERE datname = ?", name).all()
            assert database_urls.newest_url() == copied.database_url, (
                "dumps are looked into beside the live one"
            )
