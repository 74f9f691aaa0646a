"""Audit memory. What reads and refused logins left and is not yet written, folded by the minute, bounded.

Reading never writes, and a refused login costs the same whether its account exists: both are remembered
here, and a background job of the server writes them in one transaction. A process that is killed forgets what
it had not written: a minute and a half at most.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.accounts import audit, users
from app.accounts.audit import Actor

MOST_ROWS = 5_000
MOST_OF_ONE = 200
MOST_OF_STRANGERS = 20
"""How many rows a minute may leave for one action and record; whatever comes beside them is only counted."""

STRANGERS = frozenset({audit.LOGIN_REFUSED, audit.LOGIN_SLOWED})  # anyone at all can cause these
_MINUTE = timedelta(minutes=1)

_Key = tuple[datetime, str, str, int, int | None, str]


@dataclass
class Folded:
    """One row to write: what happened ``count`` times in a minute, and who did it first, from where."""

    action: str
    table_name: str
    record_id: int
    actor: Actor
    api_key_id: int | None
    at: datetime
    about: dict[str, object] = field(default_factory=dict)
    count: int = 0


class AuditMemory:
    """What happened and is not written; what finds no room is counted in ``dropped``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[_Key, Folded] = {}
        self._of_one: Counter[_Key] = Counter()
        self.dropped = 0

    def __len__(self) -> int:
        """How many rows are remembered."""
        return len(self._rows)

    def remember(
        self,
        action: str,
        table_name: str,
        record_id: int,
        now: datetime,
        *,
        actor: Actor = audit.COMMAND_LINE,
        api_key_id: int | None = None,
        part: str = "",
        about: dict[str, object] | None = None,
    ) -> None:
        """Fold into one row whatever has the same action, record, account, ``part`` and minute."""
        minute = now.replace(second=0, microsecond=0)
        of_one = (minute, action, table_name, record_id, None, "")
        key = (minute, action, table_name, record_id, actor.user_id, part or "-")
        row = Folded(action, table_name, record_id, actor, api_key_id, now, dict(about or {}))
        is_strangers = action in STRANGERS
        with self._lock:
            if key not in self._rows:
                if self._of_one[of_one] >= (MOST_OF_STRANGERS if is_strangers else MOST_OF_ONE):
                    key, row = of_one, Folded(*_others(row))
                elif len(self._rows) < _room(is_strangers):
                    self._of_one[of_one] += 1
            self._fold(key, row, is_strangers)

    def _fold(self, key: _Key, row: Folded, is_strangers: bool) -> None:
        if key not in self._rows and len(self._rows) >= _room(is_strangers):
            self.dropped += 1
            return
        self._rows.setdefault(key, row).count += 1

    def take(self, until: datetime | None = None) -> list[Folded]:
        """Return, and forget, the rows of the minutes that were over at ``until``; None: all of them."""
        ends = None if until is None else until - _MINUTE
        with self._lock:
            over = [key for key in self._rows if ends is None or key[0] <= ends]
            taken = [self._rows.pop(key) for key in over]
            kept = {key: count for key, count in self._of_one.items() if ends is not None and key[0] > ends}
            self._of_one = Counter(kept)
        return taken

    def put_back(self, rows: Iterable[Folded]) -> None:
        """Remember rows that could not be written, as far as there is room."""
        with self._lock:
            for at, row in enumerate(rows):
                if len(self._rows) < MOST_ROWS:
                    self._rows[(row.at, row.action, row.table_name, row.record_id, at, "put back")] = row
                else:
                    self.dropped += row.count


def write(connection: Connection, rows: Iterable[Folded]) -> None:
    """Write what was remembered, as rows of the audit. Of an account that is gone, the row names none."""
    for row in rows:
        user_id = row.actor.user_id
        is_there = user_id is not None and users.find_user_by_id(connection, user_id) is not None
        audit.record_texts(
            connection,
            row.action,
            row.table_name,
            row.record_id,
            now=row.at,
            new_text=json.dumps({**row.about, "count": row.count}),
            api_key_id=row.api_key_id,
            user_id=user_id if is_there else None,
            ip_address=row.actor.ip_address,
            user_agent=row.actor.user_agent,
        )


def _room(is_strangers: bool) -> int:
    return MOST_ROWS // 2 if is_strangers else MOST_ROWS


def _others(row: Folded) -> tuple[str, str, int, Actor, int | None, datetime, dict[str, object]]:
    """Return what is left of a row that is only counted, beside those that were told."""
    about = {**row.about, "others": True}
    about.pop("kind", None)
    return row.action, row.table_name, row.record_id, audit.COMMAND_LINE, None, row.at, about
