"""Audit. Who did what, and when? One row a change, in the transaction of the change; its one writer.

What reading and refused logins leave here goes through `audit_memory`: it is folded, and written later. Rows
are only added, and each is a link of a chain (`audit_chain`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from app import audit_chain, clock
from app.accounts import audit_head
from app.audit_chain import Hashes, Link
from app.prepared_statements import PreparedStatement
from app.tables import audit_logs

LONGEST_AGENT_CHARACTERS = 500
LONGEST_ADDRESS_CHARACTERS = 45

# What changed: kept for ever. docs/audit.md has a row for each action.
CREATE = "CREATE"
CREATE_UNCLAIMED = "CREATE_UNCLAIMED"
UPDATE = "UPDATE"
DELETE = "DELETE"
PUBLISH = "PUBLISH"
CLAIM = "CLAIM"
PASSWORD = "PASSWORD"
LOGGED_OUT = "LOGGED_OUT"
REFRESH_REUSED = "REFRESH_REUSED"
ADMIN = "ADMIN"
ACTIVE = "ACTIVE"
REVOKE = "REVOKE"
LINK_USED = "LINK_USED"
SECOND_FACTOR = "SECOND_FACTOR"
LOGIN_LINK = "LOGIN_LINK"
IMPORT = "IMPORT"
ADMIN_CHANGE = "ADMIN_CHANGE"
STORAGE = "STORAGE"
RESTORE = "RESTORE"
UNDELETE = "UNDELETE"
ERASE = "ERASE"
LEAVE = "LEAVE"
STAY = "STAY"
CHANGES = (
    *(CREATE, CREATE_UNCLAIMED, UPDATE, DELETE, PUBLISH, RESTORE, UNDELETE, ERASE),
    *(CLAIM, PASSWORD, LOGGED_OUT, REFRESH_REUSED, ADMIN, ACTIVE, REVOKE, LINK_USED, SECOND_FACTOR, IMPORT),
    *(ADMIN_CHANGE, STORAGE, LEAVE, STAY, LOGIN_LINK),
)

# What happened without a change: kept for AUDIT_DAYS.
LOGIN = "LOGIN"
LOGIN_REFUSED = "LOGIN_REFUSED"
LOGIN_SLOWED = "LOGIN_SLOWED"
KEY_USE = "KEY_USE"
READ = "READ"
READ_AUDIT = "READ_AUDIT"
EXPORT = "EXPORT"
EVENTS = (LOGIN, LOGIN_REFUSED, LOGIN_SLOWED, KEY_USE, READ, READ_AUDIT, EXPORT)


@dataclass(frozen=True)
class Actor:
    """Who does something, and from where; nothing of it is known on the command line."""

    user_id: int | None = None
    ip_address: str | None = None
    user_agent: str | None = None


COMMAND_LINE = Actor()
_ADD = PreparedStatement(
    insert(audit_logs),
    *("action", "table_name", "record_id", "old_values", "new_values"),
    *("user_id", "ip_address", "user_agent", "created_at", "api_key_id"),
    *("salt", "changes_hash", "events_hash"),
)


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
    api_key_id: int | None = None,
) -> None:
    """Write one audit row. Values are kept as JSON, no value as the JSON word null, as in old rows."""
    record_texts(
        connection,
        action,
        table_name,
        record_id,
        now=now,
        old_text=json.dumps(old_values),
        new_text=json.dumps(new_values),
        user_id=user_id,
        ip_address=ip_address,
        user_agent=user_agent,
        api_key_id=api_key_id,
    )


def record_texts(
    connection: Connection,
    action: str,
    table_name: str,
    record_id: int,
    *,
    now: datetime,
    old_text: str = "null",
    new_text: str = "null",
    user_id: int | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
    api_key_id: int | None = None,
) -> None:
    """As `record`, with values that are JSON already, as an entry's are."""
    address = ip_address[:LONGEST_ADDRESS_CHARACTERS] if ip_address else None
    agent = user_agent[:LONGEST_AGENT_CHARACTERS] if user_agent else None
    link = Link(action, table_name, record_id, clock.stored(now), api_key_id)
    salt, head = audit_chain.new_salt(), audit_head.head_of(connection, link.created_at)
    of_values = audit_chain.values_digest(salt, old_text, new_text)
    of_actor = audit_chain.actor_digest(salt, user_id, address, agent)
    after = next_hashes(head.hashes, link, of_values, of_actor)
    _ADD.run(
        connection,
        {
            "action": action,
            "table_name": table_name,
            "record_id": record_id,
            "old_values": old_text,
            "new_values": new_text,
            "user_id": user_id,
            "ip_address": address,
            "user_agent": agent,
            "created_at": link.created_at,
            "api_key_id": api_key_id,
            "salt": salt,
            "changes_hash": after.changes,
            "events_hash": after.events,
        },
    )
    head.hashes = after


def next_hashes(before: Hashes, link: Link, of_values: str, of_actor: str) -> Hashes:
    """Return what both chains come to with a row, of which it is a link in one."""
    changes, events = before
    if link.action in EVENTS:
        return Hashes(changes, audit_chain.linked(events, changes, link, of_values, of_actor))
    return Hashes(audit_chain.linked(changes, events, link, of_values, of_actor), events)
