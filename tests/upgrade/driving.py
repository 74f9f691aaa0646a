"""How do the tests of the steps carry them out? With the transaction alone: no backup, no verification."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from app.storage.registry import storage_at, storage_for
from app.upgrade.detect.recognise import recognise
from app.upgrade.legacy.switches import find_odd_switches, with_switches
from app.upgrade.model import Applied, Plan, Recognition
from app.upgrade.steps.apply import apply, make_room
from app.upgrade.steps.steps import repairs_for, steps_between
from app.upgrade.versions.releases import NEWEST


def upgrade(place: Path | str, target: str = NEWEST) -> tuple[Applied, ...]:
    """Do what an upgrade of a file, or of the database of a URL, does inside its transaction, and commit."""
    storage = storage_at(place) if isinstance(place, Path) else storage_for(place)
    with storage.migration_connection() as migration:
        known = recognise(migration)
        steps = with_switches(
            (*repairs_for(known), *steps_between(known, target)), find_odd_switches(migration)
        )
        plan = Plan(known, target, steps)
        made_room = make_room(migration, target)
        aside = migration.drop_triggers()
        applied = apply(migration, known, plan, made_room=made_room)
        migration.create_again(aside)
        migration.commit_durably()
    return applied


def fresh(path: Path) -> Path:
    """Make a new database by running every step from zero."""
    path.touch()
    upgrade(path)
    return path


def look(path: Path) -> Recognition:
    """Recognise the database without touching it."""
    with storage_at(path).looking() as connection:
        return recognise(connection)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection to a file that no one else uses."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def notes(applied: tuple[Applied, ...]) -> list[str]:
    """Every sentence that the steps said."""
    return [note for one in applied for note in one.notes]
