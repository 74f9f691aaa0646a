"""What does ``daemon audit`` do? It tells who came in or was refused, changed or read what; it verifies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
from sqlalchemy import Connection

from app.accounts import audit_reading, audit_verify, users
from app.accounts.audit_reading import Wanted
from app.accounts.audit_verify import Verified
from app.cli.command_context import opened_for_reading
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.own_audit import own_audit_view
from app.entries.shown_audit import audit_view
from app.errors import Failed

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
    daemon audit of ann                        what ann is told of it herself
    daemon audit verify                        is it as it was written, with no row missing?
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


@audit.command(name="of")
@click.argument("username")
@click.option("--limit", type=click.IntRange(1, MOST), default=DEFAULT, show_default=True, help="How many.")
@json_option
@click.pass_obj
def of_command(output: Output, username: str, limit: int) -> int:
    """What USERNAME sees of the audit by the API: the rows by or about that person, without values."""
    with opened_for_reading(output) as (_, connection):
        user_id = users.get_user(connection, username).id
        ids = audit_reading.look(connection, Wanted(user_id), limit).ids
        found = [own_audit_view(row, user_id) for row in audit_reading.rows_of(connection, ids)]
    cells = [
        (
            each["created_at"],
            each["action"],
            f"{each['table_name']} {each['record_id']}",
            each["by"],
            each["api_key_id"],
            each["ip_address"],
        )
        for each in found
    ]
    output.table(COLUMNS[1:-1], cells, {"entries": found})
    return 0


@audit.command()
@json_option
@click.pass_obj
def verify(output: Output) -> int:
    """Whether the audit is as it was written: no row changed, none missing, none put in.

    Each row since 0.7.0 is a link of a chain; rows of older versions are told, and proved by nothing. Exit
    status 0: it is whole; 1: it is not, and the first rows that do not fit are named.
    """
    with opened_for_reading(output) as (_, connection):
        found = audit_verify.verify(connection)
    told = [f"Row {one.id} ({one.created_at}, {one.action}): {one.what}." for one in found.faults]
    more = found.faults_count - len(told)
    lines = [_sentence(found), *told, *([f"And {more} more."] if more else [])]
    output.answer("\n".join(lines), {"is_whole": found.is_whole, **asdict(found)})
    return 0 if found.is_whole else Failed.exit_code


def _sentence(found: Verified) -> str:
    besides = [
        f"{count:,} {words}"
        for count, words in (
            (found.erased_count, "of them erased"),
            (found.cleared_count, "cleared away in their time"),
            (found.unchained_count, "of a version without a chain"),
        )
        if count
    ]
    state = "is whole" if found.is_whole else "is NOT whole"
    return f"The audit {state}: {', '.join([f'{found.chained_count:,} rows in the chain', *besides])}."


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
