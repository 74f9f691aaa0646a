"""Who changed what, and when? One row a change, in the transaction of the change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from app import clock
from app.tables import audit_logs

LONGEST_AGENT_CHARACTERS = 500
LONGEST_ADDRESS_CHARACTERS = 45


@dataclass(frozen=True)
class Actor:
    """Who does something, and from where; nothing of it is known on the command line."""

    user_id: int | None = None
    ip_address: str | None = None
    user_agent: str | None = None


COMMAND_LINE = Actor()


def record(
    connection: Connection,
    action: str,
    table_name: str,
    record_id: int,
    *,
    now: datetime,
    user_id: int | None = None,
    old_values: Mapping[str, object] | None = None,
    new_values: Mapping[str, object] | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
) -> None:
    """Write one audit row. Values are kept as JSON, no value as the JSON word null, as in old rows."""
    connection.execute(
        insert(audit_logs).values(
            action=action,
            table_name=table_name,
            record_id=record_id,
            old_values=json.dumps(old_values),
            new_values=json.dumps(new_values),
            user_id=user_id,
            ip_address=ip_address[:LONGEST_ADDRESS_CHARACTERS] if ip_address else None,
            user_agent=user_agent[:LONGEST_AGENT_CHARACTERS] if user_agent else None,
            created_at=clock.stored(now),
        )
    )
