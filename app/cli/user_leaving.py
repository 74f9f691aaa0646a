"""What does ``daemon user`` do about leaving? It lets someone leave and be erased, or undoes that."""

from __future__ import annotations

import shlex
import sys

import click

from app import clock, erased_people
from app.accounts import departures, users
from app.backup.holders import find_holders
from app.cli.command_context import database_for_writing, opened_for_writing
from app.cli.erasing import scrub
from app.cli.options import json_option
from app.cli.output import Output
from app.database import Database
from app.entries import leaving
from app.erasures import TABLES
from app.errors import DaemonError, UsageError
from app.settings import Settings
from app.upgrade.detect.identity import identity_of

HOLDERS = ("backup", "made", "until", "why it may stay")


@click.command()
@click.argument("username")
@click.option("--confirm", metavar="USERNAME", help="The name again: it is meant. Else it is asked for.")
@click.option("--now", "at_once", is_flag=True, help="Erase at once; nothing of it can be undone.")
@json_option
@click.pass_obj
def erase(output: Output, username: str, confirm: str | None, at_once: bool) -> int:
    """Let USERNAME leave: out of sight at once, erased in seven days, or now. Nothing of theirs stays.

    Until then: daemon user keep USERNAME. The receipt says which backups may still hold something, and
    until when; restoring one of them erases it again. A running server erases those whose days are over.
    """
    _check_meant(username, confirm, at_once)
    with database_for_writing(output) as (settings, database):
        with database.writing() as connection:
            begun, now = departures.find_begun(connection, username), clock.now()
            user = begun or users.get_user(connection, username)
            if begun is None and user.username != username:
                raise UsageError(f"The name is {user.username!r}; nothing was changed.")
            found = departures.leave(connection, user, now, at_once=at_once)
            line = departures.line_of(connection, found)
        holders = find_holders(settings, identity_of(settings, serving=True), line)
        fault = _erase_now(settings, database, user.id) if at_once else None
    said = (
        f"{username} is erased." if at_once else f"{username} is out of sight, and erased at {found.due_at}."
    )
    output.say(said if at_once else f"{said} To undo that: daemon user keep {shlex.quote(username)}")
    if fault is not None:
        output.warn(
            f"Free pages of the database hold parts of it still ({fault.message}) The server clears them."
        )
    rows = [(one.name, one.made_at, one.until, one.note) for one in holders]
    whole = {
        "username": username,
        "asked_at": clock.rfc3339(found.asked_at),
        "final_at": clock.rfc3339(found.due_at),
        "is_scrubbed": at_once and fault is None,
        "backups": [vars(one) for one in holders],
    }
    output.table(HOLDERS, rows, whole)
    return 0


@click.command()
@click.argument("username")
@json_option
@click.pass_obj
def keep(output: Output, username: str) -> int:
    """Undo that USERNAME leaves, as long as the seven days last: the account is as it was."""
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        departures.stay(connection, user, clock.now())
        kept = users.get_user(connection, username)
    how = "can log in again" if kept.is_active else "is deactivated, as before"
    output.answer(
        f"{kept.username} stays, and {how}.", {"username": kept.username, "is_active": kept.is_active}
    )
    return 0


def _check_meant(username: str, confirm: str | None, at_once: bool) -> None:
    if confirm is None and sys.stdin.isatty():
        confirm = input(f"Everything of {username} goes{' now' if at_once else ''}. The name again: ")
    if confirm != username:
        quoted = shlex.quote(username)
        raise UsageError(
            f"Nothing was changed: erasing {username} has to be meant.",
            hint=f"daemon user erase {quoted} --confirm {quoted}{' --now' if at_once else ''}",
        )


def _erase_now(settings: Settings, database: Database, user_id: int) -> DaemonError | None:
    """Do all steps, and clear what is free; why that could not be done."""
    is_more = True
    while is_more:
        with database.writing() as connection:
            is_more = leaving.erase_step(connection, user_id, clock.now())
    try:
        scrub(settings, database, tuple(dict.fromkeys((*TABLES, *erased_people.TABLES))))
    except DaemonError as error:
        return error
    return None


COMMANDS = (erase, keep)
