"""What does ``daemon user export`` do? It writes all that there is about a person into one ZIP."""

from __future__ import annotations

from pathlib import Path

import click

from app import clock, files, interrupt
from app.accounts import audit, users
from app.cli.command_context import database_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.person_archive import archive_of_person
from app.errors import UsageError
from app.storage import failures


@click.command(name="export")
@click.argument("username")
@click.option(
    "--to",
    "path",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The ZIP to make; one that is there is never overwritten.",
)
@json_option
@click.pass_obj
def export_command(output: Output, username: str, path: Path) -> int:
    """Everything about USERNAME as one ZIP, as they can have it themselves: JSON, README and checksums.

    It is to be read by people and programs; to take someone into another installation there is
    daemon export-user-data. The file is readable by its owner only, and the audit tells that it was made.
    """
    if path.exists():
        raise UsageError(f"{path} is there already; nothing was written.", hint="Name another file.")
    with database_for_writing(output) as (_, database):
        with database.writing() as connection:
            found = users.get_user(connection, username)
            audit.record(connection, audit.EXPORT, "users", found.id, now=clock.now())
        with failures.named(path, "no archive was made"), interrupt.interruptible():
            files.private_folder(path.absolute().parent)
            files.write_pieces(path, archive_of_person(database.reading, found))
    size_bytes = path.stat().st_size
    written = {"user": found.username, "file": path.absolute(), "size_bytes": size_bytes}
    output.answer(f"Everything about {found.username} is in {path} ({size_bytes:,} bytes).", written)
    return 0
