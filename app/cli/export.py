"""What does ``daemon export-user-data`` do? It writes all that a person has into a folder of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from app import clock, files, interrupt
from app.accounts import audit, users
from app.accounts.users import User
from app.cli.command_context import settings_for_looking, write_into_journal
from app.cli.open_database import readable_database, writable_database
from app.cli.options import json_option, passphrase_from, passphrase_option
from app.cli.output import Output
from app.entries.export import export_user
from app.entries.export_archive import archive_of_files
from app.entries.words_transfer import FILE as WORDS_FILE
from app.errors import DaemonError
from app.settings import Settings
from app.storage import failures

NAME_OF_A_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@click.command(name="export-user-data")
@click.argument("user")
@click.option(
    "--output-dir",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put the export; a new folder is made in it.",
)
@click.option(
    "--zip", "is_zip", is_flag=True, help="One ZIP, with Markdown and other formats, to be read too."
)
@passphrase_option
@json_option
@click.pass_obj
def export_user_data(
    output: Output, user: str, output_dir: Path, is_zip: bool, passphrase_stdin: bool
) -> int:
    """Everything that USER has, as files that another installation can import.

    Profile, privacy settings, every entry as it is stored (private and deleted ones too), the names of API
    keys and the history of changes; never a password or a key. The files are readable by their owner only.
    With --zip also what people and other programs read: Markdown, JSON Resume, vCard, iCalendar, Atom.
    The audit tells that an export was made.
    The words of the never-list leave encrypted, with --passphrase-stdin, or not at all.
    Works before an upgrade too: an older database is copied, and the copy upgraded, for the export.
    """
    settings, passphrase = settings_for_looking(output), passphrase_from(passphrase_stdin)
    with readable_database(settings) as database, database.reading() as connection:
        contents = export_user(connection, user, settings.privacy_level, passphrase)
        account = users.find_user(connection, user)
    _tell_audit(output, settings, account)
    with interrupt.interruptible():  # short; half an export would look like a whole one
        place = _zipped(contents, output_dir, user) if is_zip else _written(contents, output_dir, user)
        write_into_journal(settings)
    key = "file" if is_zip else "folder"
    written = {"user": user, key: place.absolute(), "files": sorted(contents)}
    output.answer(f"{len(contents)} files of {user} are in {place}.", written)
    if WORDS_FILE in contents and passphrase is None:
        output.warn(
            "The words of the never-list are not in this export; whoever imports it has a private account. "
            "To take them along, encrypted: --passphrase-stdin"
        )
    return 0


def _written(contents: Mapping[str, bytes], output_dir: Path, user: str) -> Path:
    """Write all of it into a new folder, or leave none: half an export would look like a whole one."""
    with failures.named(output_dir, "no export was made"):
        folder = _new_folder(output_dir, user)
        try:
            for name, content in contents.items():
                path = folder / name
                files.private_folder(path.parent)
                files.write_atomically(path, content)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


def _zipped(contents: Mapping[str, bytes], output_dir: Path, user: str) -> Path:
    with failures.named(output_dir, "no export was made"):
        place = _new_place(output_dir, user, ".zip")
        files.write_pieces(place, archive_of_files(contents))
    return place


def _tell_audit(output: Output, settings: Settings, account: User | None) -> None:
    """Note the export before it is there; a database that takes no row now does not keep a person's data."""
    try:
        with writable_database(settings) as database, database.writing() as connection:
            if account is not None:
                audit.record(connection, audit.EXPORT, "users", account.id, now=clock.now())
    except (DaemonError, OSError) as error:
        output.warn(f"This export is not in the audit: {error}")


def _new_folder(parent: Path, user: str) -> Path:
    """A folder that was not there: an earlier export is never overwritten."""
    folder = _new_place(parent, user)
    files.private_folder(folder)
    return folder


def _new_place(parent: Path, user: str, suffix: str = "") -> Path:
    name = user if NAME_OF_A_FOLDER.fullmatch(user) else "user"
    stem = f"export_{name}_{clock.stamp(clock.now())}"
    files.private_folder(parent)
    number = 1
    while (place := parent / f"{stem if number == 1 else f'{stem}_{number}'}{suffix}").exists():
        number += 1
    return place
