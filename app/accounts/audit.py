"""Audit. Who did what, and when? One row a change, in the transaction of the change; its one writer.

What reading and refused logins leave here goes through `audit_memory`: it is folded, and written later. Rows
are only added, and each is a link of a chain (`audit_chain`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert

from app import audit_chain, clock
from app.accounts import audit_head
from app.audit_chain import NOTHING, Halves, Hashes, Link
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
    old_text: str = NOTHING,
    new_text: str = NOTHING,
    user_id: int | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
    api_key_id: int | None = None,
) -> None:
    """As `record`, with values that are JSON already, as an entry's are."""
    actor = Actor(user_id, ip_address, user_agent)
    line = line_of(
        action, table_name, record_id, actor, old_text=old_text, new_text=new_text, api_key_id=api_key_id
    )
    record_lines(connection, [line], now)


class Line(NamedTuple):
    """An audit row but for its time and its place in the chain, with what can be worked out before that."""

    row: dict[str, object]
    halves: Halves
    is_event: bool


def line_of(
    action: str,
    table_name: str,
    record_id: int,
    actor: Actor,
    *,
    old_text: str = NOTHING,
    new_text: str = NOTHING,
    api_key_id: int | None = None,
) -> Line:
    """Return an audit row to be; what it takes is done then, and needs no turn to write."""
    address = actor.ip_address[:LONGEST_ADDRESS_CHARACTERS] if actor.ip_address else None
    agent = actor.user_agent[:LONGEST_AGENT_CHARACTERS] if actor.user_agent else None
    salt = audit_chain.new_salt()
    of_values = audit_chain.values_digest(salt, old_text, new_text)
    of_actor = audit_chain.actor_digest(salt, actor.user_id, address, agent)
    row: dict[str, object] = {
        "action": action,
        "table_name": table_name,
        "record_id": record_id,
        "old_values": old_text,
        "new_values": new_text,
        "user_id": actor.user_id,
        "ip_address": address,
        "user_agent": agent,
        "api_key_id": api_key_id,
        "salt": salt,
    }
    link = Link(action, table_name, record_id, None, api_key_id)
    return Line(row, audit_chain.halves_of(link, of_values, of_actor), action in EVENTS)


def record_lines(connection: Connection, lines: Iterable[Line], now: datetime) -> None:
    """Write audit rows, each a link to the one before it, with one statement."""
    waiting, created_at = list(lines), clock.stored(now)
    if not waiting:
        return
    head, rows = audit_head.head_of(connection, created_at), list[dict[str, object]]()
    changes, events = head.hashes
    for row, halves, is_event in waiting:
        if is_event:
            events = audit_chain.joined(events, changes, halves, created_at)
        else:
            changes = audit_chain.joined(changes, events, halves, created_at)
        rows.append({**row, "created_at": created_at, "changes_hash": changes, "events_hash": events})
    if len(rows) == 1:
        _ADD.run(connection, rows[0])
    else:
        _ADD.run_all(connection, rows)
    head.hashes = Hashes(changes, events)


def next_hashes(before: Hashes, link: Link, of_values: str, of_actor: str) -> Hashes:
    """Return what both chains come to with a row, of which it is a link in one."""
    changes, events = before
    if link.action in EVENTS:
        return Hashes(changes, audit_chain.linked(events, changes, link, of_values, of_actor))
    return Hashes(audit_chain.linked(changes, events, link, of_values, of_actor), events)
