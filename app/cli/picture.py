"""What does ``daemon picture`` do? It adds pictures of people and of entries, lists and removes them."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import Connection

from app import clock
from app.accounts import users
from app.accounts.audit import COMMAND_LINE
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import endpoints, history, pictures, read
from app.errors import NotFound
from app.formats.picture_process import PictureProcess
from app.formats.pictures import MOST_BYTES
from app.privacy.viewer import Viewer

COLUMNS = ("id", "of entry", "made", "address", "what is to be seen")
OF_PERSON = "themselves"


@click.group()
def picture() -> None:
    """Pictures of people and of their entries. Who sees the entry, or the page, sees them.

    \b
    daemon picture add ann me.jpg                          the picture of ann herself
    daemon picture add ann hive.jpg --entry 12 --alt "..."  one more of her entry 12
    daemon picture list ann
    daemon picture remove ann 34
    """


@picture.command()
@click.argument("username")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--entry", "entry_id", type=int, metavar="ID", help="Of this entry, not of the person.")
@click.option("--alt", default="", help="What is to be seen in it, in words.")
@json_option
@click.pass_obj
def add(output: Output, username: str, file: Path, entry_id: int | None, alt: str) -> int:
    """Add a picture of USERNAME, in the place of the one before, or one of an entry.

    FILE is a JPEG, PNG, WebP or AVIF. It is not kept: three sizes are made of it, of its pixels alone.
    """
    with file.open("rb") as opened:
        content = opened.read(MOST_BYTES + 1)  # what is larger is refused
    pictures.checked_alt(alt)
    with opened_for_reading(output) as (_, connection):
        _check_entry(connection, username, entry_id)
    sizes = PictureProcess().sizes_of(content, is_avatar=entry_id is None)
    with opened_for_writing(output) as (settings, connection):
        user_id = _check_entry(connection, username, entry_id)
        most = settings.picture_quota_bytes
        now = clock.now()
        replaced = entry_id is None and pictures.find_avatar(connection, user_id) is not None
        made = pictures.add(connection, user_id, entry_id, sizes, COMMAND_LINE, now, most_bytes=most, alt=alt)
    instead = ", in the place of the one before, which is gone" if replaced else ""
    said = f"Picture {made.id} is there{instead}: {made.size('large').path}"
    output.answer(said, {**made.as_json(str), "replaced": replaced})
    return 0


@picture.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """The pictures of USERNAME and of their entries."""
    with opened_for_reading(output) as (_, connection):
        found = pictures.of_person(connection, users.get_user(connection, username).id)
    items = [{**each.as_json(str), "entry_id": each.entry_id} for each in found]
    rows = [
        (each.id, each.entry_id or OF_PERSON, item["created_at"], each.size("large").path, each.alt)
        for each, item in zip(found, items, strict=True)
    ]
    output.table(COLUMNS, rows, {"items": items})
    return 0


@picture.command()
@click.argument("username")
@click.argument("picture_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def remove(output: Output, username: str, picture_id: int) -> int:
    """Remove the picture ID of USERNAME for good."""
    with opened_for_writing(output) as (_, connection):
        its = pictures.of_person(connection, users.get_user(connection, username).id)
        found = next((each for each in its if each.id == picture_id), None)
        if found is None:
            raise NotFound(f"{username} has no picture {picture_id}.", hint=f"daemon picture list {username}")
        pictures.remove(connection, found, COMMAND_LINE, clock.now())
    output.answer(f"Picture {picture_id} is gone.", {"removed": picture_id})
    return 0


def _check_entry(connection: Connection, username: str, entry_id: int | None) -> int:
    """Return the id of a person; raises NotFound where there is none, or the entry is not theirs."""
    user = users.get_user(connection, username)
    if entry_id is not None:
        endpoint = endpoints.find_of_entry(connection, entry_id)
        if endpoint is None:
            raise read.no_such_entry()
        history.kept_entry(connection, Viewer("person", user.id, user.username), endpoint, entry_id)
    return user.id
