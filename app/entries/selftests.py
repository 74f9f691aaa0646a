"""Self-tests of privacy as stored rows. How did the last one end? The result, nothing that was planted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app import clock
from app.ids import next_id
from app.tables import privacy_selftests

PASSED, FAILED = "passed", "failed"
KEPT = 100
_ROW = privacy_selftests.c


@dataclass(frozen=True)
class Selftest:
    """How a self-test ended: PASSED, or FAILED with what was found wrong, one sentence each."""

    started_at: str | None
    finished_at: str | None
    outcome: str
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as admins are answered."""
        return {**self.as_anyone_may_know(), "started_at": self.started_at, "faults": list(self.faults)}

    def as_anyone_may_know(self) -> dict[str, Any]:
        """Return it without names and counts."""
        return {"outcome": self.outcome, "finished_at": self.finished_at}


def record(connection: Connection, started: datetime, finished: datetime, faults: Sequence[str]) -> Selftest:
    """Write down how a self-test ended, and return it; the oldest beyond KEPT are forgotten."""
    row_id = next_id(connection, privacy_selftests)
    outcome = FAILED if faults else PASSED
    values = {"started_at": clock.stored(started), "finished_at": clock.stored(finished)}
    values |= {"outcome": outcome, "findings": json.dumps(list(faults))}
    connection.execute(insert(privacy_selftests).values(id=row_id, **values))
    connection.execute(delete(privacy_selftests).where(_ROW.id <= row_id - KEPT))
    return Selftest(clock.rfc3339(started), clock.rfc3339(finished), outcome, tuple(faults))


def find_last(connection: Connection) -> Selftest | None:
    """Return how the last self-test ended, None before the first."""
    row = connection.execute(select(privacy_selftests).order_by(_ROW.id.desc()).limit(1)).first()
    if row is None:
        return None
    return Selftest(
        _moment(row.started_at), _moment(row.finished_at), str(row.outcome), _faults(row.findings)
    )


def _moment(stored: object) -> str | None:
    return None if stored is None else clock.rfc3339(str(stored))


def _faults(stored: object) -> tuple[str, ...]:
    try:
        found = json.loads(str(stored))
    except ValueError:
        return (str(stored),)
    return tuple(map(str, found)) if isinstance(found, list) else (str(stored),)
