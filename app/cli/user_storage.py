"""What does ``daemon user storage`` do? It says how much people may store, and how much they have."""

from __future__ import annotations

import click

from app import clock
from app.accounts import audit, users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import storage_use
from app.entries.storage_use import EVERYONE, LARGEST
from app.errors import UsageError

AMOUNT = click.IntRange(0, LARGEST)


@click.command()
@click.argument("username", required=False)
@click.option("--everyone", is_flag=True, help="Whoever has no limits of their own, in place of USERNAME.")
@click.option("--entries", type=AMOUNT, help="How many entries, deleted ones included.")
@click.option("--bytes", "size", type=AMOUNT, help="How many bytes of text.")
@click.option("--reset", is_flag=True, help="As everyone may; with --everyone: as it is shipped.")
@json_option
@click.pass_obj
def storage(
    output: Output,
    username: str | None,
    everyone: bool,
    entries: int | None,
    size: int | None,
    reset: bool,
) -> int:
    """How much USERNAME has stored and may store; with an option, let them store so much. Admins may all."""
    if (username is None) != everyone:
        raise UsageError("Whose storage?", hint="daemon user storage NAME, or daemon user storage --everyone")
    if not reset and entries is None and size is None:
        with opened_for_reading(output) as (_, connection):
            user_id = EVERYONE if username is None else users.get_user(connection, username).id
            found = storage_use.as_json(connection, user_id)
    else:
        with opened_for_writing(output) as (_, connection):
            user_id = EVERYONE if username is None else users.get_user(connection, username).id
            storage_use.set_limits(connection, user_id, entries, size)
            said = {"most_entries": entries, "most_bytes": size}
            audit.record(connection, audit.STORAGE, "users", user_id, now=clock.now(), new_values=said)
            found = storage_use.as_json(connection, user_id)
    most = f"{found['most_entries']} entries and {found['most_bytes']} bytes"
    words = f"Everyone may store {most}."
    if username is not None:
        words = f"{username} has {found['entries']} entries, {found['bytes']} bytes, and may store {most}."
    output.answer(words, found)
    return 0
