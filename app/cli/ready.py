"""May a command use the database as it is? The same gate decides as for the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.database import Database, open_database
from app.errors import Busy, DaemonError, Damaged, LostVolume, NewerDatabase, Refused, UnknownDatabase
from app.settings import Settings
from app.storage.engine import storage_for
from app.upgrade.gate import GateState, ask_gate

REFUSALS: dict[GateState, type[DaemonError]] = {
    "EMPTY": UnknownDatabase,
    "AHEAD": NewerDatabase,
    "UNKNOWN": UnknownDatabase,
    "DAMAGED": Damaged,
    "BUSY": Busy,
    "LOST": LostVolume,
}


@contextmanager
def ready_database(settings: Settings) -> Iterator[Database]:
    """The database, where it is at today's version; raises what the gate says where it is not."""
    gate = ask_gate(settings, storage_for(settings.database_url))
    if gate.state != "READY":
        raise REFUSALS.get(gate.state, Refused)(gate.sentence, hint=gate.command)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
