"""May a command use the database as it is? The same gate decides as for the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from app.database import Database, open_database
from app.errors import (
    Busy,
    DaemonError,
    Damaged,
    LostVolume,
    MovedDatabase,
    NewerDatabase,
    Refused,
    UnknownDatabase,
)
from app.settings import Settings
from app.storage import failures
from app.storage.registry import process_lock_at, storage_for
from app.upgrade.operations.identify import note_opening
from app.upgrade.operations.rehearse import upgraded_copy
from app.upgrade.readiness import ReadinessState, ask_readiness

WAIT_SECONDS = 20.0
REFUSALS: dict[ReadinessState, type[DaemonError]] = {
    "EMPTY": UnknownDatabase,
    "AHEAD": NewerDatabase,
    "DAMAGED": Damaged,
    "BUSY": Busy,
    "UNREACHABLE": Busy,
    "LOST": LostVolume,
    "MOVED": MovedDatabase,
}


@contextmanager
def ready_database(settings: Settings) -> Iterator[Database]:
    """The database, where it is at today's version; raises what the gate says where it is not."""
    _refuse_unless_ready(settings)
    _load_what_searches()
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def writable_database(settings: Settings) -> Iterator[Database]:
    """The same for writing: no upgrade and no restore begins meanwhile. Raises Busy where one is at work."""
    _refuse_unless_ready(settings)
    process_lock = process_lock_at(settings.database_path)
    process_lock.serve(WAIT_SECONDS)
    try:
        note_opening(settings)
        with ready_database(settings) as database:
            yield database
    finally:
        process_lock.yield_()


@contextmanager
def readable_database(settings: Settings) -> Iterator[Database]:
    """The database to read from; for an older version an upgraded copy, gone afterwards."""
    if ask_readiness(settings, storage_for(settings.database_url)).state != "BEHIND":
        with ready_database(settings) as database:
            yield database
        return
    with ExitStack() as stack:
        with failures.named(settings.database_path, "no copy could be made to look at; nothing was changed"):
            copied = stack.enter_context(upgraded_copy(settings))
        yield stack.enter_context(ready_database(copied))


def _load_what_searches() -> None:
    """Load it for a command that may search texts: one that does so later holds up others meanwhile."""
    entry_search = sys.modules.get("app.privacy.entry_search")
    if entry_search is not None:
        entry_search.load()


def _refuse_unless_ready(settings: Settings) -> None:
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    if readiness.state != "READY":
        refusal = readiness.error if readiness.state == "UNKNOWN" else REFUSALS.get(readiness.state, Refused)
        raise refusal(readiness.sentence, hint=readiness.command)
