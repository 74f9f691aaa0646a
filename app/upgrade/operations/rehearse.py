"""Rehearsal: an older database as it would be after an upgrade, by way of an upgraded copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from app.errors import Refused
from app.storage.registry import storage_for
from app.temporary import temporary_folder
from app.upgrade.operations.upgrade import run_upgrade

COPIES = 3  # the copy, what an upgrade adds to it, and the backup that the upgrade makes

if TYPE_CHECKING:
    from app.settings import Settings
    from app.upgrade.model import Outcome, Plan


def with_hidden(settings: Settings, plan: Plan) -> Plan:
    """Return the plan with what the upgrade hides, found by a rehearsal where looking cannot tell.

    Raises Refused where the copy cannot be upgraded, OSError and StorageError where it cannot be made.
    """
    if plan.hidden is not None or plan.blockers:
        return replace(plan, hidden=plan.hidden or ())
    with _rehearsed(settings) as (_, outcome):
        return replace(plan, hidden=outcome.hidden_now)


@contextmanager
def upgraded_copy(settings: Settings) -> Iterator[Settings]:
    """Settings that name a copy of the database at today's version, in a temporary folder that is removed.

    The database itself is only looked at. Raises Refused where the copy cannot be upgraded, OSError and
    StorageError where it cannot be made.
    """
    with _rehearsed(settings) as (scratch, _):
        yield scratch


@contextmanager
def copy_of(settings: Settings) -> Iterator[Settings]:
    """Settings that name a copy of the database, on its engine, which is gone at the end with all beside it.

    The database itself is only looked at. Raises Refused where none can be made (a role without CREATEDB),
    OSError and StorageError.
    """
    storage = storage_for(settings.database_url)
    with (
        temporary_folder(".daemon-copy-", settings.data_dir, COPIES * storage.size_bytes()) as folder,
        storage.private_copy(folder) as url,
    ):
        yield replace(settings, database_url=url, data_dir=folder, backup_dir=folder / "backups")


@contextmanager
def _rehearsed(settings: Settings) -> Iterator[tuple[Settings, Outcome]]:
    with copy_of(settings) as scratch:
        outcome = run_upgrade(scratch)
        if outcome.exit_code != 0:
            raise Refused(f"A copy of the database could not be upgraded: {outcome.message}")
        yield scratch, outcome
