"""What does ``daemon upgrade`` do? It shows what the upgrade room found or did, and gives its exit status."""

from __future__ import annotations

import time
from typing import Any

import click

from app.cli.command_context import settings_for_doing, settings_for_looking
from app.cli.options import all_option, json_option, yes_option
from app.cli.output import Output
from app.journal import journal_path
from app.progress import Event
from app.settings import Settings
from app.storage.access import READ, find_denial
from app.upgrade.model import Outcome, Plan
from app.upgrade.operations.look_ahead import plan_with_hidden
from app.upgrade.plan import exit_code_of
from app.upgrade.records.running import find_running
from app.upgrade.report import render, status_text

target_option = click.option(
    "--target",
    metavar="VERSION",
    help="At least this version (default: the newest). Going down is never done.",
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Go on where a check only warns, and run again what is already recorded. Never skips the backup,"
    " the lock or the verification.",
)
repair_option = click.option(
    "--repair", is_flag=True, help="Mend what is missing or changed in the schema on the way."
)
WATCH_SECONDS = 0.25


@click.group()
def upgrade() -> None:
    """Look at, upgrade, or take back the database's version.

    \b
    daemon upgrade check      is there anything to do? (10: yes)
    daemon upgrade run        backup, every step, verification, in one transaction
    daemon upgrade rollback   the state before, from that backup

    check, plan, status and history write nothing. docs/upgrade_guide.md tells the whole story.
    """


@upgrade.command()
@target_option
@all_option
@json_option
@click.pass_obj
def check(output: Output, target: str | None, everything: bool) -> int:
    """Which version, is it sound, what would be done, how long, how much disk. Writes nothing.

    Exit status 0: nothing to do. 10: an upgrade is pending. 11 to 16: it would be refused, and why is said.
    """
    plan = plan_with_hidden(settings_for_looking(output), target=target)
    output.answer(render.check_text(plan, everything=everything), render.plan_as_json(plan))
    return exit_code_of(plan)


@upgrade.command()
@target_option
@force_option
@repair_option
@all_option
@click.option("--sql", is_flag=True, help="Print the SQL that the steps would run, found on a copy.")
@json_option
@click.pass_obj
def plan(output: Output, target: str | None, force: bool, repair: bool, everything: bool, sql: bool) -> int:
    """Every step that `upgrade run` would take with the same options. Writes nothing.

    Exit status 0: it can be run, or there is nothing to do. 11 to 16: it would be refused.
    """
    settings = settings_for_looking(output)
    made = plan_with_hidden(settings, target=target, force=force, repair=repair)
    if sql and not made.blockers:
        _show_sql(output, settings, made)
    else:
        output.answer(render.plan_text(made, everything=everything), render.plan_as_json(made))
    return made.blockers[0].exit_code if made.blockers else 0


def _show_sql(output: Output, settings: Settings, made: Plan) -> None:
    from app.upgrade.operations.statements import statements_of  # with Alembic and SQLAlchemy

    statements = statements_of(settings, made)
    output.answer("\n".join(statements), {**render.plan_as_json(made), "sql": list(statements)})


@upgrade.command()
@target_option
@force_option
@repair_option
@all_option
@click.option("--yes", is_flag=True, expose_value=False, help="For scripts; nothing is asked anyhow.")
@json_option
@click.pass_obj
def run(output: Output, target: str | None, force: bool, repair: bool, everything: bool) -> int:
    """Backup, every step to the target, verification, commit: one transaction.

    Whatever fails before the commit leaves the database as it was, and says so. With --json each line of the
    answer is one event, the last of them of type "result".
    """
    return run_and_report(output, everything=everything, target=target, force=force, repair=repair)


@upgrade.command()
@click.option("--watch", is_flag=True, help="Show the progress of an upgrade that runs, until it has ended.")
@json_option
@click.pass_obj
def status(output: Output, watch: bool) -> int:
    """Where things stand: version, what is pending, whether something is running or held. Writes nothing."""
    settings = settings_for_looking(output)
    if watch:
        _watch(output, settings)
    output.answer(status_text.status_text(settings), status_text.status_as_json(settings))
    return 0


@upgrade.command()
@click.option("--all", "everything", is_flag=True, help="Backups and commands that changed accounts, too.")
@json_option
@click.pass_obj
def history(output: Output, everything: bool) -> int:
    """Every upgrade, rollback and restore that was recorded, a line each, and who ran it.

    In the database, and in the journal beside the backups. With --all every single line of both: each step,
    backups made and cleared away, exports, and every command that changed accounts, keys or entries.
    """
    settings = settings_for_looking(output)
    if (unread := find_denial(journal_path(settings), READ)) is not None:
        output.warn(f"The journal is left out: {unread.sentence}. {unread.command}")
    lines = status_text.history(settings, with_operators=everything)
    as_json = {"history": status_text.history_as_json(lines)}
    if everything:
        output.table(status_text.ALL_HISTORY_COLUMNS, status_text.all_history_rows(lines), as_json)
    else:
        rows, hidden = status_text.history_rows(lines), status_text.hidden_by_upgrades(lines)
        output.table(status_text.HISTORY_COLUMNS, rows, as_json, below=hidden)
    return 0


@upgrade.command()
@click.option("--discard", is_flag=True, help="Go back without what was written since: a backup has it.")
@click.option("--dry-run", is_flag=True, help="Only say what would go back, and what would be kept.")
@all_option
@yes_option
@json_option
@click.pass_obj
def rollback(output: Output, discard: bool, dry_run: bool, everything: bool, yes: bool) -> int:
    """The state before the last upgrade, from its backup, with what was written since.

    Rows that the older version cannot hold or protect are kept in a file beside the database, and come back
    with the next upgrade. The whole state until now is kept in a backup of its own, and the answer counts
    every row. Automatic upgrades hold until `daemon upgrade run`.
    """
    if dry_run:
        from app.upgrade.operations.would_be_lost import by_rollback

        found = by_rollback(settings_for_looking(output), discard=discard)
        output.answer("\n".join(found.lines), found.as_json())
        return 0
    settings = settings_for_doing(output)
    if not output.confirm("Take the database back to the state before the last upgrade?", yes):
        return _left_alone(output)
    from app.upgrade.operations.rollback import run_rollback

    outcome = run_rollback(settings, discard=discard, on_event=output.event)
    return closing(output, outcome, everything=everything)


def _watch(output: Output, settings: Settings) -> None:
    """Show what an upgrade of another process tells, until it has ended; with --json a line a change."""
    last = None
    while (running := find_running(settings)) is not None:
        if running != last:
            event = Event(
                "progress", running.phase, f"upgrading: {running.phase}", running.percent, running.eta_seconds
            )
            output.event(event)
        last = running
        time.sleep(WATCH_SECONDS)


def run_and_report(output: Output, *, everything: bool = False, **options: Any) -> int:
    """Run the upgrade, showing its events; returns its exit status. ``everything``: no line is folded."""
    from app.upgrade.operations.upgrade import (
        run_upgrade,  # with Alembic and SQLAlchemy: looking needs neither
    )

    outcome = run_upgrade(settings_for_doing(output), on_event=output.event, **options)
    return closing(output, outcome, everything=everything)


def closing(output: Output, outcome: Outcome, *, everything: bool = False) -> int:
    """Say how it ended; returns its exit status. ``everything``: no line is folded."""
    text = render.outcome_text(outcome, everything=everything)
    output.result(render.outcome_as_json(outcome), text, is_error=outcome.exit_code != 0)
    return outcome.exit_code


def _left_alone(output: Output) -> int:
    output.say("Nothing was done.")
    return 0
