"""What does ``daemon init`` do? It makes the database where there is none, or takes over an older one."""

from __future__ import annotations

from pathlib import Path

import click

from app import interrupt
from app.cli.command_context import settings_for_doing
from app.cli.options import json_option
from app.cli.output import Output
from app.errors import UsageError
from app.settings import Settings
from app.storage import failures
from app.upgrade.checks.file_modes import narrow_files
from app.upgrade.operations.identify import give_new_id, say_moved
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
@click.option("--new-id", is_flag=True, help="This database is a copy: make it an installation of its own.")
@click.option("--moved", is_flag=True, help="This database was moved here, and is used nowhere else.")
@json_option
@click.pass_obj
def init(output: Output, fresh: bool, adopt: Path | None, new_id: bool, moved: bool) -> int:
    """Make the database where there is none. One that is there is left alone.

    Where an older Daemon database is nearby (./daemon.db, data/, the backups), nothing is made beside it
    before you say which it is: --adopt PATH or --fresh. Where `daemon status` asks whether a database was
    copied or moved, --new-id or --moved answers.
    """
    if sum((fresh, adopt is not None, new_id, moved)) > 1:
        raise UsageError(
            "--fresh, --adopt, --new-id and --moved exclude each other.", hint="daemon init --help"
        )
    settings = settings_for_doing(output)
    if new_id or moved:
        return _identified(output, settings, is_new=new_id)
    outcome = initialise(settings, fresh=fresh, adopt=adopt)
    if outcome.state == "done" and adopt is None:
        _add_kinds(settings)
    for sentence in narrow_files(settings):
        output.say(sentence)
    text = "\n".join(filter(None, (outcome.message, outcome.hint)))
    output.answer(text, render.outcome_as_json(outcome))
    return outcome.exit_code


def _add_kinds(settings: Settings) -> None:
    """Make the kinds that came after the first ones: those are rows of a step, these of files of today."""
    from app.cli.open_database import writable_database
    from app.entries import endpoints

    with (
        interrupt.interruptible(),
        writable_database(settings) as database,
        database.writing() as connection,
    ):
        endpoints.add_missing_endpoints(connection)


def _identified(output: Output, settings: Settings, *, is_new: bool) -> int:
    with interrupt.interruptible(), failures.named(settings.database_path, "nothing was changed"):
        found = give_new_id(settings) if is_new else say_moved(settings)
    place = found.seen.path if found.seen else ""
    if is_new:
        text = (
            f"{place} is an installation of its own now: {found.id}. Backups of before stay the other one's."
        )
    else:
        text = f"{place} is where the installation {found.id} is now."
    output.answer(text, {"installation": found.id, "path": place})
    return 0
