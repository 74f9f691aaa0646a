"""What does ``daemon page`` do? It shows what a person wishes of their page, and changes it."""

from __future__ import annotations

from typing import Any

import click

from app import clock
from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import page_wishes
from app.entries.page_wishes import Wishes
from app.errors import UsageError

NONE = "none"
NAMES = tuple(Wishes().as_json())
WORDS = ("theme", "accent", "language")


@click.command(name="page")
@click.argument("username")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
@click.pass_obj
def page(output: Output, username: str, changes: tuple[str, ...]) -> int:
    """Show what USERNAME wishes of their page, or change some of it.

    \b
    daemon page ann theme=garden kinds=ideas,projects kinds_left_out=quotes
    daemon page ann theme=none           what a page has by itself
    """
    patch = dict(_change(each) for each in changes)
    if patch:
        with opened_for_writing(output) as (_, connection):
            user = users.get_user(connection, username)
            now = page_wishes.wishes_of(connection, user.id).as_json()
            found = page_wishes.wish(connection, user.id, now | patch, clock.now())
    else:
        with opened_for_reading(output) as (_, connection):
            user = users.get_user(connection, username)
            found = page_wishes.wishes_of(connection, user.id)
    said = found.as_json()
    output.table(("wish", "is"), [(name, _word(value)) for name, value in said.items()], said)
    return 0


def _change(typed: str) -> tuple[str, Any]:
    name, equals, value = typed.partition("=")
    if not equals or name not in NAMES:
        raise UsageError(f"{typed!r} is no wish of a page.", hint=f"NAME=VALUE, of {', '.join(NAMES)}.")
    if value == NONE:
        return name, None
    return name, value if name in WORDS else [each.strip() for each in value.split(",") if each.strip()]


def _word(value: object) -> str:
    return NONE if value is None else ", ".join(value) if isinstance(value, list) else str(value)
