"""Backups that hold something erased. Which of them still have a row that is gone, and until when?

A backup is never changed. It holds what was there when it was made, unless its manifest's ledger names the
erasure; retention removes it in time, or its owner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from app import clock
from app.backup.catalog import Backup, list_backups
from app.backup.ownership import Identity
from app.backup.prune import find_reasons
from app.erasures import Erasure
from app.settings import Settings

NEVER = "it is removed by nobody but its owner"
SHORTLY = timedelta(seconds=2)  # times of backups are told in whole seconds


@dataclass(frozen=True)
class Holder:
    """A backup that may hold it: since when it is there, until when it stays (None: no one can tell), why."""

    name: str
    made_at: str
    until: str | None
    note: str = ""


def find_holders(
    settings: Settings, identity: Identity | None, line: Erasure, now: datetime | None = None
) -> list[Holder]:
    """Return the backups that may hold what was erased, newest first. Raises Refused where none can be read.

    Another installation's are left out; those of which it cannot be told whose they are, are not.
    """
    now = now or clock.now()
    backups = [
        one for one in list_backups(settings, hashing=False, identity=identity) if one.whose != "another"
    ]
    reasons = find_reasons(backups, now)
    return [_holder(settings, one, reasons.get(one.name, "")) for one in backups if _may_hold(one, line)]


def _may_hold(backup: Backup, line: Erasure) -> bool:
    if backup.manifest is not None and line.key in {each.key for each in backup.manifest.erased}:
        return False
    erased_at = clock.parse_stored(line.erased_at)
    if erased_at is not None and backup.manifest is not None and backup.created_at > erased_at + SHORTLY:
        return False
    created_at = clock.parse_stored(line.created_at)
    return created_at is None or backup.created_at >= created_at - SHORTLY


def _holder(settings: Settings, backup: Backup, reason: str) -> Holder:
    made_at = clock.rfc3339(backup.created_at)
    if backup.manifest is None or backup.whose != "this":
        return Holder(backup.name, made_at, None, NEVER)
    until = backup.created_at + timedelta(days=settings.backup_retention_days)
    return Holder(backup.name, made_at, clock.rfc3339(until), reason)


def receipt(
    line: Erasure, holders: list[Holder], files: Sequence[str], *, is_scrubbed: bool
) -> dict[str, object]:
    """Return what whoever erased an entry is told: what went when, and what may still hold it until when.

    ``files`` are the names of files in the data folder that may.
    """
    return {
        "entry_id": line.record_id,
        "created_at": clock.rfc3339(line.created_at) if line.created_at else None,
        "erased_at": clock.rfc3339(line.erased_at),
        "is_scrubbed": is_scrubbed,
        "backups": [asdict(one) for one in holders],
        "files": list(files),
    }
