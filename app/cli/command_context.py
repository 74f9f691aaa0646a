"""What does a command need before it begins? Its settings, the log, a database that may be used."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from app import interrupt, journal, log, temporary
from app.cli.output import Output
from app.control_characters import one_line
from app.settings import Settings, load_settings, sqlite_tmpdir

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database

LONGEST_COMMAND = 500


def settings_for_looking(output: Output) -> Settings:
    """The settings, their warnings said. For commands that only look: not even a log line is written."""
    settings = load_settings()
    temporary.prefer(sqlite_tmpdir(), settings.backup_dir)
    for warning in settings.warnings:
        output.warn(warning)
    return settings


def settings_for_doing(output: Output) -> Settings:
    """The settings, and ``logs/server.log`` open: what is done is written down there."""
    settings = settings_for_looking(output)
    log.configure(settings, console=False)
    temporary.clear_leftovers(settings.data_dir)
    return settings


@contextmanager
def opened_for_reading(output: Output) -> Iterator[tuple[Settings, Connection]]:
    """The settings and a connection to the database; raises what the gate says where it is not ready."""
    settings = settings_for_looking(output)
    # Loaded here, so that commands which only need settings stay quick.
    from app.cli.open_database import ready_database

    with ready_database(settings) as database, database.reading() as connection:
        yield settings, connection


@contextmanager
def opened_of_any_version(output: Output) -> Iterator[Connection]:
    """A connection to read from; of an older database to an upgraded copy, which is gone afterwards."""
    settings = settings_for_looking(output)
    from app.cli.open_database import readable_database

    with readable_database(settings) as database, database.reading() as connection:
        yield connection


@contextmanager
def opened_for_writing(output: Output) -> Iterator[tuple[Settings, Connection]]:
    """As `opened_for_reading`; what was written is committed at its end, whatever signal comes."""
    with database_for_writing(output) as (settings, database), database.writing() as connection:
        yield settings, connection


@contextmanager
def database_for_writing(output: Output) -> Iterator[tuple[Settings, Database]]:
    """The settings and the database, for more than one transaction; the last words go into the journal."""
    settings = settings_for_doing(output)
    from app.cli.open_database import writable_database

    with interrupt.interruptible():
        with writable_database(settings) as database:
            yield settings, database
        write_into_journal(settings)


def write_into_journal(settings: Settings) -> None:
    """Write down which command was done, and who ran it; the words typed, and never what was asked for."""
    journal.try_to_write(settings, "command", message=one_line(_command_as_typed())[:LONGEST_COMMAND])


def _command_as_typed() -> str:
    context = click.get_current_context()
    program = context.find_root().command_path
    words = [f"daemon{context.command_path.removeprefix(program)}"]
    for parameter in context.command.params:
        words += _words_of(parameter, context.params.get(parameter.name or ""))
    return " ".join(words)


def _words_of(parameter: click.Parameter, value: object) -> list[str]:
    if value is None or value is False or value == ():
        return []
    values = [shlex.quote(str(each)) for each in (value if isinstance(value, tuple) else (value,))]
    if isinstance(parameter, click.Argument):
        return values
    return [parameter.opts[0], *(() if value is True else values)]
