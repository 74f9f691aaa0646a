"""What does ``daemon init`` do? It makes the database where there is none, or takes over an older one."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.command_context import settings_for_doing
from app.cli.options import json_option
from app.cli.output import Output
from app.upgrade.checks.file_modes import narrow_files
from app.upgrade.operations.init import initialise
from app.upgrade.report import render


@click.command()
@click.option("--fresh", is_flag=True, help="A new database, although an older one is nearby.")
@click.option(
    "--adopt",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Copy the database at PATH, checked, to where DATABASE_URL says; PATH stays as it is.",
)
@json_option
@click.pass_obj
def init(output: Output, fresh: bool, adopt: Path | None) -> int:
    """Make the database where there is none. One that is there is left alone.

    Where an older Daemon database is nearby (./daemon.db, data/, the backups), nothing is made beside it
    before you say which it is: --adopt PATH or --fresh.
    """
    settings = settings_for_doing(output)
    outcome = initialise(settings, fresh=fresh, adopt=adopt)
    for sentence in narrow_files(settings):
        output.say(sentence)
    text = "\n".join(filter(None, (outcome.message, outcome.hint)))
    output.answer(text, render.outcome_as_json(outcome))
    return outcome.exit_code
