"""What does ``daemon audit`` do? It lists who came in, who was refused, and who changed or read what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import Connection

from app.accounts import audit_reading, users
from app.accounts.audit_reading import Wanted
from app.cli.command_context import opened_for_reading
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.shown_audit import audit_view

COLUMNS = ("id", "when", "action", "what", "by", "key", "from", "says")
MOST = 10_000
DEFAULT = 50
LONGEST_SAID = 60


@click.group()
def audit() -> None:
    """The audit: logins, refusals, uses of keys, changes, exports, and what admins read of others.

    \b
    daemon audit list                          the newest rows
    daemon audit list --user ann --limit 200   by or about ann
    daemon audit list --action LOGIN_REFUSED   one kind of row (docs/audit.md has them)
    """


@audit.command(name="list")
@click.option("--user", "username", metavar="NAME", help="By or about this account.")
@click.option("--action", help="Rows of this action only.")
@click.option("--limit", type=click.IntRange(1, MOST), default=DEFAULT, show_default=True, help="How many.")
@json_option
@click.pass_obj
def list_command(output: Output, username: str | None, action: str | None, limit: int) -> int:
    """The rows of the audit, newest first. With --json also the values before and after a change."""
    with opened_for_reading(output) as (_, connection):
        user_id = None if username is None else users.get_user(connection, username).id
        found = list(_rows(connection, Wanted(user_id, action and action.upper()), limit))
    output.table(COLUMNS, [_cells(each) for each in found], {"entries": found})
    return 0


def _rows(connection: Connection, wanted: Wanted, limit: int) -> Iterator[dict[str, Any]]:
    before: int | None = None
    while limit > 0:
        found = audit_reading.look(connection, wanted, limit, before)
        yield from map(audit_view, audit_reading.rows_of(connection, found.ids))
        limit -= len(found.ids)
        before = found.next
        if before is None:
            return


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    said = (
        "" if row["table_name"] == "data_entries" or not row["new_values"] else json.dumps(row["new_values"])
    )
    return (
        row["id"],
        row["created_at"],
        row["action"],
        f"{row['table_name']} {row['record_id']}",
        row["username"],
        row["api_key_id"],
        row["ip_address"],
        said[:LONGEST_SAID],
    )
