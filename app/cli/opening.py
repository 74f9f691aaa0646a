"""What does a command need before it begins? Its settings, the log, a database that may be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app import interrupt, log
from app.cli.output import Output
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def settings_for_looking(output: Output) -> Settings:
    """The settings, their warnings said. For commands that only look: not even a log line is written."""
    settings = load_settings()
    for warning in settings.warnings:
        output.warn(warning)
    return settings


def settings_for_doing(output: Output) -> Settings:
    """The settings, and ``logs/server.log`` open: what is done is written down there."""
    settings = settings_for_looking(output)
    log.configure(settings, console=False)
    return settings


@contextmanager
def opened_for_reading(output: Output) -> Iterator[tuple[Settings, Connection]]:
    """The settings and a connection to the database; raises what the gate says where it is not ready."""
    settings = settings_for_looking(output)
    # Loaded here, so that commands which only need settings stay quick.
    from app.cli.ready import ready_database

    with ready_database(settings) as database, database.reading() as connection:
        yield settings, connection


@contextmanager
def opened_for_writing(output: Output) -> Iterator[tuple[Settings, Connection]]:
    """As `opened_for_reading`; what was written is committed at its end, whatever signal comes."""
    settings = settings_for_doing(output)
    from app.cli.ready import writable_database

    with (
        interrupt.interruptible(),
        writable_database(settings) as database,
        database.writing() as connection,
    ):
        yield settings, connection
