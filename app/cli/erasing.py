"""Erasing (commands). What follows on what a command has erased, in free pages and in files beside them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app import clock, erasures
from app.accounts import export_files
from app.erasures import OfToday
from app.upgrade.operations.kept_erasures import forget_erased

if TYPE_CHECKING:
    from app.database import Database
    from app.settings import Settings


def scrub(settings: Settings, database: Database, tables: Sequence[str]) -> None:
    """Clear free pages and the files beside the database of what was erased until now.

    Raises DaemonError where that could not be done: the server tries again.
    """
    began = clock.now()
    database.scrub(tables)
    with database.reading() as connection:
        forget_erased(settings.database_path, OfToday(connection))
        export_files.clear(settings.exports_path, connection)
    with database.writing() as connection:
        erasures.note_scrubbed(OfToday(connection), began)
