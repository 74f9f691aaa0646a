"""What does ``daemon key`` do? It lists, makes, changes and revokes API keys; a key's text is shown once."""

from __future__ import annotations

from datetime import timedelta

import click

from app import clock
from app.accounts import api_keys, users
from app.accounts.api_keys import Key, NewKey
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output

COLUMNS = ("id", "name", "owner", "may write", "last used", "expires", "made")
LONGEST_DAYS = 36500


@click.group()
def key() -> None:
    """The API keys with which programs come in. A key reads entries, and writes only if it is told so.

    \b
    daemon key create ann "my phone"     a key that reads what ann may read
    daemon key change 3 --write          lets a key write as its owner, never as an admin
    daemon key revoke 3                  ends it
    """


@key.command(name="list")
@click.argument("username", required=False)
@json_option
@click.pass_obj
def list_command(output: Output, username: str | None) -> int:
    """Every key that is not revoked, or those of USERNAME only."""
    with opened_for_reading(output) as (_, connection):
        user_id = None if username is None else users.get_user(connection, username).id
        found = api_keys.list_keys(connection, user_id)
    rows = [
        (each.id, each.name, each.owner, each.can_write, each.last_used, each.expires_at, each.created_at)
        for each in found
    ]
    output.table(COLUMNS, rows, {"keys": found})
    return 0


@key.command()
@click.argument("username")
@click.argument("name")
@click.option("--write", is_flag=True, help="It may write, too.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), help="It ends after so many days.")
@json_option
@click.pass_obj
def create(output: Output, username: str, name: str, write: bool, days: int | None) -> int:
    """Make a key of USERNAME, called NAME. It is shown once, and stored nowhere."""
    now = clock.now()
    ends = None if days is None else now + timedelta(days=days)
    with opened_for_writing(output) as (_, connection):
        owner = users.get_user(connection, username)
        made, text = api_keys.make_key(connection, owner, NewKey(name, write, ends), now)
    if not output.json:
        output.say(f"This is key {made.id} of {username}, which {_may(made)}. It is shown this once:")
    output.answer(text, {"id": made.id, "key": text, **vars(made)})
    return 0


@key.command()
@click.argument("key_id", metavar="ID", type=int)
@click.option("--write/--read-only", "write", default=None, required=True, help="What it may do.")
@json_option
@click.pass_obj
def change(output: Output, key_id: int, write: bool) -> int:
    """Let the key ID write as its owner, or read only."""
    with opened_for_writing(output) as (_, connection):
        changed = api_keys.let_write(connection, api_keys.get_key(connection, key_id), write, clock.now())
    output.answer(f"Key {key_id} ({changed.name}) of {changed.owner} {_may(changed)}.", changed)
    return 0


@key.command()
@click.argument("key_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def revoke(output: Output, key_id: int) -> int:
    """End the key ID for good."""
    with opened_for_writing(output) as (_, connection):
        ended = api_keys.revoke_key(connection, api_keys.get_key(connection, key_id), clock.now())
    output.answer(f"Key {key_id} ({ended.name}) of {ended.owner} opens nothing any more.", ended)
    return 0


def _may(one: Key) -> str:
    return "reads and writes" if one.can_write else "reads only"
