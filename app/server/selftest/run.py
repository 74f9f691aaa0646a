"""Run of a self-test: copy, plant, serve in process, crawl, throw away. The database is only looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from app.database import open_database
from app.errors import Refused
from app.progress import Event, OnEvent, say_nothing
from app.server.selftest.asking import Message
from app.server.selftest.crawl import Crawl
from app.server.selftest.plant import Planted, Planting
from app.server.selftest.planted_pictures import plant_pictures
from app.settings import Settings
from app.upgrade.operations.rehearse import copy_of

if TYPE_CHECKING:
    from app.server.state import ServerState

OPEN_SECONDS = 60.0


class Served(Protocol):
    """An application and the state of its server, as a door makes them of settings."""

    server: ServerState

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""


@dataclass(frozen=True)
class Outcome:
    """What a self-test found wrong, and how many answers it looked at."""

    faults: tuple[str, ...]
    asked_count: int


def run_selftest(
    settings: Settings,
    make: Callable[[Settings], Served],
    only_kinds: Iterable[str] | None = None,
    on_event: OnEvent = say_nothing,
) -> Outcome:
    """Return what is found wrong with the doors that ``make`` makes, on a copy of the configured database.

    ``only_kinds``: of the built-in kinds only these are planted, to be faster. Raises Refused where no copy
    can be made or served, OSError and StorageError.
    """
    on_event(Event("phase", "copy", "copying the database"))
    with copy_of(settings) as copy:
        scratch = replace(
            copy,
            log_dir=copy.data_dir / "logs",
            backup_enabled=False,
            rate_limit_network=0,  # it asks as fast as it can
            rate_limit_person=0,
            rate_limit_writes=0,
        )
        application = make(scratch)
        on_event(Event("phase", "plant", "putting a marker into every private field of scratch people"))
        planted = plant(scratch, application.server.secret, only_kinds)
        return crawl(application, planted, scratch, on_event=on_event)


def crawl(
    application: Served,
    planted: Planted,
    scratch: Settings,
    *,
    stops_at_first: bool = False,
    on_event: OnEvent = say_nothing,
) -> Outcome:
    """Return what is found wrong with the doors of an application that was not started, on its copy."""
    on_event(Event("phase", "index", "finding the words of every entry, for the search"))
    with served(application.server):
        walk = Crawl(application, planted, scratch.privacy_level, stops_at_first, on_event)
        asyncio.run(walk.run())
    return Outcome(tuple(walk.faults), walk.asked_count)


def plant(scratch: Settings, secret: str, only_kinds: Iterable[str] | None) -> Planted:
    """Plant before anyone is served: with the first account the copy is claimed, and announces no token."""
    database = open_database(scratch)
    try:
        with database.writing() as connection:
            planted = Planting(connection, secret, only_kinds).everything()
            plant_pictures(connection, planted)
            return planted
    finally:
        database.close()


@contextmanager
def served(server: ServerState) -> Iterator[None]:
    """Serve without what a process of its own would do besides: its log, its jobs, its backups."""
    server.supervisor.start(OPEN_SECONDS)
    try:
        if not server.supervisor.is_open:
            raise Refused("The copy of the database cannot be served; nothing was changed.")
        server.search_upkeep.catch_up()
        yield
    finally:
        server.supervisor.stop()
        server.list_workers.close()
        server.hashing.close()
        server.hashing_at_known_places.close()
