"""What does ``daemon user provider`` do? It says who comes in by way of a provider, and ends it."""

from __future__ import annotations

import click

from app import clock
from app.accounts import login_identities, users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output

COLUMNS = ("provider", "who there", "linked", "last login")


@click.command()
@click.argument("username")
@click.option("--unlink", is_flag=True, help="Let no one of a provider come in as USERNAME any more.")
@json_option
@click.pass_obj
def provider(output: Output, username: str, unlink: bool) -> int:
    """Who comes in as USERNAME by way of a provider of logins (OpenID Connect)."""
    if unlink:
        with opened_for_writing(output) as (_, connection):
            login_identities.unlink(connection, users.get_user(connection, username).id, clock.now())
        output.answer(f"No one of a provider comes in as {username} any more.", {"username": username})
        return 0
    with opened_for_reading(output) as (_, connection):
        found = login_identities.list_of(connection, users.get_user(connection, username).id)
    rows = [(each.issuer, each.subject, each.created_at, each.last_used_at) for each in found]
    output.table(COLUMNS, rows, {"identities": [each.as_json() for each in found]})
    return 0
