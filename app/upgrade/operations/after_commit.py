"""After the commit. Is the upgraded database what it should be, seen from outside, and what if it is not?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import log
from app.errors import DaemonError
from app.storage.types import StorageError
from app.upgrade.detect.recognise import is_past, recognise
from app.upgrade.model import Applied, Outcome, Plan
from app.upgrade.operations.bring_back import BroughtBack
from app.upgrade.report import outcomes

if TYPE_CHECKING:
    from app.backup.catalog import Backup
    from app.storage.engine import StorageEngine
    from app.upgrade.report.progress import Progress

_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Finished:
    """What was done inside the transaction, and verified: all that is left is to commit it."""

    plan: Plan
    backup: Backup
    applied: tuple[Applied, ...]
    hidden_now: tuple[dict[str, object], ...]
    notes: tuple[str, ...]
    highest_ids: dict[str, int]
    back: BroughtBack


def after_the_commit(storage: StorageEngine, progress: Progress, finished: Finished) -> Outcome:
    """Look at the database from outside; say that it is done, or put the backup back and say so."""
    fault = _fault_seen_from_outside(storage, finished.plan)
    if fault is not None:
        return _put_back(storage, progress, finished.backup, fault)
    finished.back.remove_files()
    return _done(finished)


def _fault_seen_from_outside(storage: StorageEngine, plan: Plan) -> str | None:
    """Look at the committed file as any other program would; return what is wrong with it.

    Through SQLite and not through a private copy: for that there may be no room, which is no fault.
    """
    try:
        with storage.peek() as connection:
            known = recognise(connection)
    except StorageError as error:
        if error.reason == "busy":
            _logger.warning("someone holds the database; it was not looked at again from outside")
            return None
        return str(error)
    return None if known.kind == "daemon" and is_past(known, plan.target) else f"it is now {known.label}"


def _put_back(storage: StorageEngine, progress: Progress, backup: Backup, fault: str) -> Outcome:
    try:
        storage.copy_into_live(backup.path, progress.pages)
    except (OSError, StorageError, DaemonError) as error:
        _logger.exception("the backup could not be put back")
        what = (
            f"The upgrade failed after its commit ({fault}), and the backup could not be put back ({error})"
        )
        return outcomes.operator_needed(what, storage.path, backup.name)
    return outcomes.restored(fault, backup.name)


def _done(finished: Finished) -> Outcome:
    plan, backup = finished.plan, finished.backup.name
    return Outcome(
        "done",
        0,
        f"Done: the database is at {plan.target} (it was {plan.current.label}). "
        f"The state before is in the backup {backup}.",
        backup=backup,
        plan=plan,
        applied=finished.applied,
        notes=finished.notes,
        hidden_now=finished.hidden_now,
    )
