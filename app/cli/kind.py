"""What does ``daemon kind`` do? A person's own kinds of entries are listed, made, changed and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import all_kinds, own_kinds
from app.entries.entry import parse_body
from app.entries.own_schemas import BYTES_MOST
from app.entries.visibility import WORDS
from app.errors import UsageError

ALL_COLUMNS = ("id", "name", "of", "in use", "public")
ALL_MOST = 10_000
COLUMNS = ("name", "title", "version", "in use", "public", "entries are")
File = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE_BYTES_MOST = 4 * BYTES_MOST  # a schema that is written with spaces


@click.group()
def kind() -> None:
    """Kinds of entries of a person's own, each with a schema (JSON Schema 2020-12) and an example.

    \b
    daemon kind list ann
    daemon kind create ann recipes --schema recipes.schema.json --example soup.json
    daemon kind change ann recipes --schema recipes.schema.json --example soup.json
    daemon kind change ann recipes --public
    daemon kind versions ann recipes
    daemon kind remove ann recipes
    daemon kind all                     the installation's, and everyone's own
    daemon kind use 12 --off            its entries stay, and no stranger sees them
    """


schema_option = click.option("--schema", type=File, help="A file with the JSON Schema of an object.")
example_option = click.option("--example", type=File, help="A file with what fits the schema.")
title_option = click.option("--title", help="What people read.")
description_option = click.option("--description", help="What it is for.")
visibility_option = click.option(
    "--visibility", "default_visibility", type=click.Choice(WORDS), help="Of an entry that says none."
)
public_option = click.option("--public/--private", "is_public", default=None, help="May others know of it?")


@kind.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """The kinds of USERNAME's own."""
    with opened_for_reading(output) as (_, connection):
        found = own_kinds.own_kinds(connection, users.get_user(connection, username).id)
    output.table(COLUMNS, map(_row, found), {"kinds": found})
    return 0


@kind.command()
@click.argument("username")
@click.argument("name")
@json_option
@click.pass_obj
def versions(output: Output, username: str, name: str) -> int:
    """The schemas that USERNAME's kind NAME has had."""
    with opened_for_reading(output) as (_, connection):
        found = own_kinds.versions_of(connection, users.get_user(connection, username).id, name)
    rows = ((each["version"], each["created_at"]) for each in found)
    output.table(("version", "since"), rows, {"versions": found})
    return 0


@kind.command()
@click.argument("username")
@click.argument("name")
@schema_option
@example_option
@title_option
@description_option
@visibility_option
@public_option
@json_option
@click.pass_obj
def create(output: Output, /, username: str, name: str, **said: Any) -> int:
    """Make the kind NAME of USERNAME's own; private, unless it is said otherwise."""
    for option in ("schema", "example"):
        if said[option] is None:
            raise UsageError(f"--{option} is missing.", hint="daemon kind create --help")
    members = _members(said)
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        made = own_kinds.create_kind(connection, user.id, name, members)
    output.answer(f"{username} has the kind {name} now: version {made['version']}.", made)
    return 0


@kind.command()
@click.argument("username")
@click.argument("name")
@schema_option
@example_option
@title_option
@description_option
@visibility_option
@public_option
@click.option("--on/--off", "is_active", default=None, help="Is it in use?")
@json_option
@click.pass_obj
def change(output: Output, /, username: str, name: str, **said: Any) -> int:
    """Change USERNAME's kind NAME. Another schema or example is another version; entries stay as they are."""
    members = _members(said)
    if not members:
        raise UsageError("What is to be changed?", hint="daemon kind change --help")
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        changed = own_kinds.change_kind(connection, user.id, name, members)
    output.answer(f"{name} of {username} is changed: version {changed.get('version')}.", changed)
    return 0


@kind.command()
@click.argument("username")
@click.argument("name")
@json_option
@click.pass_obj
def remove(output: Output, username: str, name: str) -> int:
    """Remove USERNAME's kind NAME, of which there is no entry."""
    with opened_for_writing(output) as (_, connection):
        own_kinds.remove_kind(connection, users.get_user(connection, username).id, name)
    output.answer(f"{username} has no kind {name} any more.", {"name": name})
    return 0


@kind.command(name="all")
@json_option
@click.pass_obj
def all_command(output: Output) -> int:
    """Every kind, the installation's and everyone's own, in use or not."""
    with opened_for_reading(output) as (_, connection):
        found = all_kinds.list_all(connection, 0, ALL_MOST)
    output.table(ALL_COLUMNS, all_kinds.as_rows(found), {"kinds": found})
    return 0


@kind.command()
@click.argument("kind_id", metavar="ID", type=int)
@click.option("--on/--off", "is_active", required=True, help="Is it in use?")
@json_option
@click.pass_obj
def use(output: Output, kind_id: int, is_active: bool) -> int:
    """Put the kind ID in use, or take it out: its entries stay, and no stranger sees them."""
    with opened_for_writing(output) as (_, connection):
        changed = all_kinds.set_active(connection, kind_id, is_active)
    output.answer(f"{changed['name']} is {'in use' if is_active else 'not in use'}.", changed)
    return 0


def _members(said: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _read(value) if isinstance(value, Path) else value
        for name, value in said.items()
        if value is not None
    }


def _read(path: Path) -> object:
    with path.open("rb") as file:
        content = file.read(_FILE_BYTES_MOST + 1)
    if len(content) > _FILE_BYTES_MOST:
        raise UsageError(f"{path} has more than {_FILE_BYTES_MOST} bytes.")
    return parse_body(content)


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    is_used, is_public = ("yes" if found[name] else "no" for name in ("is_active", "is_public"))
    shown = (found["name"], found["title"], found.get("version", "-"))
    return (*shown, is_used, is_public, found["default_visibility"])
