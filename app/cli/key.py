"""What does ``daemon key`` do? It lists, makes, changes and revokes API keys; a key's text is shown once."""

from __future__ import annotations

from datetime import timedelta

import click

from app import clock
from app.accounts import api_keys, users
from app.accounts.api_keys import Key, NewKey
from app.accounts.key_scope import READ, VERBS, Verb, new_scope
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.key_kinds import check_scope
from app.errors import UsageError
from app.privacy.levels import NAMES
from app.privacy.viewer import Viewer

COLUMNS = ("id", "name", "begins", "owner", "may", "last used", "expires")
LONGEST_DAYS = 36500


@click.group()
def key() -> None:
    """The API keys with which programs come in. A key reads entries, and writes only if it is told so.

    \b
    daemon key create ann "my phone"     a key that reads what ann may read
    daemon key create ann blog --verb create --kind ideas
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
        (
            each.id,
            each.name,
            each.prefix,
            each.owner,
            _scope(each),
            _day(each.last_used),
            _day(each.expires_at),
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"keys": [each.as_json() for each in found]})
    return 0


@key.command()
@click.argument("username")
@click.argument("name")
@click.option("--write", is_flag=True, help="It may write, too.")
@click.option("--verb", "verbs", multiple=True, type=click.Choice(VERBS), help="It may do this only.")
@click.option("--kind", "kinds", multiple=True, help="It is for entries of this kind only.")
@click.option("--level", type=click.Choice(NAMES), help="It sees what strangers see at this level, at most.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), help="It ends after so many days.")
@json_option
@click.pass_obj
def create(
    output: Output,
    username: str,
    name: str,
    write: bool,
    verbs: tuple[Verb, ...],
    kinds: tuple[str, ...],
    level: str | None,
    days: int | None,
) -> int:
    """Make a key of USERNAME, called NAME. It is shown once, and stored nowhere.

    Without options it reads what USERNAME reads. --verb and --kind can be given more than once.
    """
    now = clock.now()
    ends = None if days is None else now + timedelta(days=days)
    scope = new_scope(can_write=write or None, verbs=verbs or None, kinds=kinds or None, level=level)
    with opened_for_writing(output) as (_, connection):
        owner = users.get_user(connection, username)
        check_scope(connection, Viewer("person", owner.id, owner.username), scope)
        made, text = api_keys.make_key(connection, owner, NewKey(name, scope, ends), now)
    if not output.json:
        output.say(f"This is key {made.id} of {username}, which {_may(made)}. It is shown this once:")
    output.answer(text, {"id": made.id, "key": text, **made.as_json()})
    return 0


@key.command()
@click.argument("key_id", metavar="ID", type=int)
@click.option("--write/--read-only", "write", default=None, help="What it may do.")
@json_option
@click.pass_obj
def change(output: Output, key_id: int, write: bool | None) -> int:
    """Let the key ID write as its owner, or read only."""
    if write is None:
        raise UsageError("What may the key do?", hint=f"daemon key change {key_id} --write (or --read-only)")
    with opened_for_writing(output) as (_, connection):
        changed = api_keys.let_write(connection, api_keys.get_key(connection, key_id), write, clock.now())
    output.answer(f"Key {key_id} ({changed.name}) of {changed.owner} {_may(changed)}.", changed.as_json())
    return 0


@key.command()
@click.argument("key_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def revoke(output: Output, key_id: int) -> int:
    """End the key ID for good."""
    with opened_for_writing(output) as (_, connection):
        ended = api_keys.revoke_key(connection, api_keys.get_key(connection, key_id), clock.now())
    output.answer(f"Key {key_id} ({ended.name}) of {ended.owner} opens nothing any more.", ended.as_json())
    return 0


def _may(one: Key) -> str:
    scope = one.scope
    said = {READ: "reads only", VERBS: "reads and writes"}.get(scope.verbs) or f"may {', '.join(scope.verbs)}"
    if scope.kinds is not None:
        said += f", entries of {', '.join(scope.kinds)}"
    return said + (f", as strangers see them at {scope.level}" if scope.level else "")


def _scope(one: Key) -> str:
    """The same as `_may`, shorter."""
    scope = one.scope
    said = {READ: "read", VERBS: "read, write"}.get(scope.verbs) or ", ".join(scope.verbs)
    said += f" {', '.join(scope.kinds)}" if scope.kinds is not None else ""
    return said + (f" as {scope.level}" if scope.level else "")


def _day(stored: str | None) -> str | None:
    return stored and str(stored)[:10]
