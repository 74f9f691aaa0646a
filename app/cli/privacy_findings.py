"""What does ``daemon privacy findings`` do? It lists what is found in texts, and shows or hides it."""

from __future__ import annotations

from typing import Any

import click

from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import own_findings
from app.entries import releases as rooms
from app.errors import UsageError
from app.privacy.levels import NAMES

COLUMNS = ("entry", "kind", "place", "from", "to", "found", "value", "released", *NAMES)
RELEASES = ("id", "entry", "kind", "found", "value", "made")


@click.group()
def findings() -> None:
    """What was found in texts: contact data is hidden from strangers until its owner releases it.

    \b
    daemon privacy findings list ann
    daemon privacy findings release ann --entry 7                       all contact data of entry 7
    daemon privacy findings release ann --entry 7 --found phone --value HASH
    daemon privacy findings release ann --found mail --everywhere       "show mail addresses in my texts"
    daemon privacy findings releases ann
    daemon privacy findings withdraw ann 3
    """


@findings.command(name="list")
@click.argument("username")
@click.option("--entry", "entry_id", type=click.IntRange(1), help="Of this entry only.")
@json_option
@click.pass_obj
def list_command(output: Output, username: str, entry_id: int | None) -> int:
    """What was found in the texts of USERNAME, and what strangers are shown of it at each level."""
    found: list[dict[str, Any]] = []
    with opened_for_reading(output) as (_, connection):
        user, after_id = users.get_user(connection, username), 0
        while True:
            more, last = own_findings.findings_of(connection, user.id, entry_id=entry_id, after_id=after_id)
            found += more
            if last is None:
                break
            after_id = last
    output.table(COLUMNS, map(_row, found), {"findings": found})
    return 0


@findings.command()
@click.argument("username")
@click.option("--entry", "entry_id", type=click.IntRange(1), help="In this entry, as it is now.")
@click.option("--kind", help="In all entries of this kind, later ones too.")
@click.option("--everywhere", is_flag=True, help="In all texts, later ones too.")
@click.option("--found", "detector", help="What was found: mail, phone. Left out: any contact data.")
@click.option("--value", "value_hash", help="This value only, as `list` names it.")
@json_option
@click.pass_obj
def release(output: Output, /, username: str, *, everywhere: bool, **said: Any) -> int:
    """Show strangers what was found in the texts of USERNAME."""
    if [everywhere, said["entry_id"] is not None, said["kind"] is not None].count(True) != 1:
        raise UsageError("Say where: --entry ID, --kind KIND or --everywhere.")
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        made = rooms.release(connection, user.id, **said)
        found = [own_findings.release_view(connection, each) for each in made]
    ids = ", ".join(str(each["id"]) for each in found)
    hint = f"To hide it again: daemon privacy findings withdraw {username} ID"
    output.answer(f"Shown from the next request on, by release {ids}. {hint}", {"releases": found})
    return 0


@findings.command()
@click.argument("username")
@json_option
@click.pass_obj
def releases(output: Output, username: str) -> int:
    """What USERNAME has released."""
    with opened_for_reading(output) as (_, connection):
        found = own_findings.releases_view(connection, users.get_user(connection, username).id)
    names = ("id", "entry_id", "kind", "detector", "value_hash", "created_at")
    rows = [tuple("any" if each[name] is None else each[name] for name in names) for each in found]
    output.table(RELEASES, rows, {"releases": found})
    return 0


@findings.command()
@click.argument("username")
@click.argument("release_id", metavar="ID", type=click.IntRange(1))
@json_option
@click.pass_obj
def withdraw(output: Output, username: str, release_id: int) -> int:
    """Hide again what the release ID shows."""
    with opened_for_writing(output) as (_, connection):
        rooms.withdraw(connection, users.get_user(connection, username).id, release_id)
    output.answer(f"Release {release_id} is no more: what it showed is hidden.", {"id": release_id})
    return 0


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    names = ("entry_id", "entry_kind", "pointer", "start", "end", "kind", "value_hash", "released")
    return (*(found[name] for name in names), *(found["levels"][level] for level in NAMES))
