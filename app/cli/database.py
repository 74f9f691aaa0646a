"""Database commands: how the database keeps what is being written."""

from __future__ import annotations

import click

from app.cli.command_context import settings_for_doing, write_into_journal
from app.cli.options import json_option
from app.cli.output import Output
from app.cli.upgrade import closing
from app.upgrade.operations.journal_mode import ROLLBACK, WAL, change_journal_mode


@click.group()
def database() -> None:
    """How the database keeps what is being written."""


@database.command()
@click.option("--off", is_flag=True, help="Back to a rollback journal.")
@json_option
@click.pass_obj
def wal(output: Output, off: bool) -> int:
    """Use a write-ahead log: who reads does not wait for who writes, and writing takes less time.

    Refused where the SQLite library has the WAL-reset fault (before 3.51.3), and on network file systems.
    The running server steps aside for a moment. Do not copy the file with cp while the server runs: what is
    in the log would be missing. `daemon backup create` copies all of it.
    """
    settings = settings_for_doing(output)
    outcome = change_journal_mode(settings, ROLLBACK if off else WAL)
    if outcome.state == "done":
        write_into_journal(settings)
    return closing(output, outcome)
