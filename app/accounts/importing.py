"""Import of an account. Which one here was it imported into, and how is it made of an exported row?

Where accounts and entries came from is kept in the audit, whose changes are never cleared away: that is how
importing twice is importing once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from app.accounts import account_rules, audit, claim, passwords, privacy_settings, users
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.export import Stored
from app.accounts.users import NewUser, User
from app.ids import highest_id
from app.tables import audit_logs
from app.tables import users as users_table


@dataclass(frozen=True)
class Source:
    """An account of another installation: its id, name and time of creation there, which never change."""

    id: int
    username: str
    created_at: str


def source_of(account: Stored) -> Source:
    """Return which account an exported row is."""
    return Source(int(account["id"]), str(account["username"]), str(account.get("created_at")))


def check_account(account: Stored) -> None:
    """Raise InvalidContent where no account can be made of an exported row."""
    account_rules.check_profile(*_profile(account))


def hash_of_no_password() -> str:
    """Return the hash of a password that no one knows: refusing a login with it takes the time of any."""
    return passwords.hash_password(secrets.token_urlsafe(32))


def make_account(
    connection: Connection,
    account: Stored,
    settings: Stored | None,
    *,
    hashed: str,
    is_admin: bool,
    now: datetime,
) -> User:
    """Write the account of an exported row and its privacy settings; ``hashed`` is that of its password.

    The first account takes over the installation, as any first one does. Raises Conflict for a name taken.
    """
    username, email, full_name = _profile(account)
    is_reader = account.get("role") == users.READER
    new = NewUser(username, email, hashed, full_name, is_admin=is_admin, is_reader=is_reader)
    made = claim.create_account(connection, new, now)
    users.set_as_it_was(
        connection, made.id, is_active=account.get("is_active") == 1, created_at=account.get("created_at")
    )
    if settings is not None:
        privacy_settings.replace_row(connection, made.id, settings)
    else:  # what earlier versions hid of this person stays hidden here too
        privacy_settings.change_row(connection, made.id, {"releases_shipped_rules": None}, now)
    return made


def _profile(account: Stored) -> tuple[str, str, str | None]:
    full_name = account.get("full_name")
    return account["username"], str(account.get("email")), full_name if isinstance(full_name, str) else None


def next_account_id(connection: Connection) -> int:
    """Return which id an account would get that was made now."""
    return highest_id(connection, users_table) + 1


def find_imported(connection: Connection, source: Source) -> User | None:
    """Return the account that was made of, or given the entries of, a source by an earlier import."""
    for user_id, _ in _noted(connection, "users", source):
        found = users.find_user_by_id(connection, user_id)
        if found is not None:
            return found
    return None


def imported_entries(connection: Connection, source: Source, user_id: int) -> dict[int, tuple[int, str]]:
    """Return what was imported of a source into an account: id there -> id here, SHA-256 of the text then."""
    return {
        said["id"]: (entry_id, str(said.get("sha256")))
        for entry_id, said in _noted(connection, "data_entries", source)
        if said.get("into") == user_id and isinstance(said.get("id"), int)
    }


def find_origin(connection: Connection, entry_id: int) -> tuple[Source, int] | None:
    """Return the account of which an import brought an entry, and its id there; None where none did."""
    row = audit_logs.c
    named = (row.table_name == "data_entries", row.record_id == entry_id, row.action == audit.IMPORT)
    for text in connection.execute(select(row.new_values).where(*named).order_by(row.id.desc())).scalars():
        said = json.loads(text) or {}
        if isinstance(said.get("from"), dict) and isinstance(said.get("id"), int):
            return Source(**said["from"]), said["id"]
    return None


def note_account(connection: Connection, user_id: int, source: Source, now: datetime) -> None:
    """Write down that an account here has what a source had. Writes audit_logs."""
    said = {"from": asdict(source)}
    audit.record(connection, audit.IMPORT, "users", user_id, now=now, new_values=said)


def line_of_entry(
    entry_id: int, source: Source, said: Mapping[str, object], actor: Actor = COMMAND_LINE
) -> audit.Line:
    """Return the line that says what an entry here was there: ``id``, ``sha256``, ``into``."""
    text = json.dumps({"from": _values_of(source), **said})
    return audit.line_of(audit.IMPORT, "data_entries", entry_id, actor, new_text=text)


@lru_cache(maxsize=1)
def _values_of(source: Source) -> dict[str, Any]:
    return asdict(source)


def _noted(connection: Connection, table_name: str, source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    row = audit_logs.c
    query = select(row.record_id, row.new_values).where(
        row.table_name == table_name, row.action == audit.IMPORT
    )
    for record_id, text in connection.execute(query.order_by(row.id)):
        said = json.loads(text) or {}  # nothing is said of what was erased since
        if said.get("from") == asdict(source):
            yield record_id, said
