"""What do the script names of earlier releases do? The same as ``daemon upgrade``, in the old spelling."""

from __future__ import annotations

import click

from app.cli.command_context import settings_for_looking
from app.cli.options import all_option, json_option
from app.cli.output import Output
from app.cli.upgrade import (
    force_option,
    repair_option,
    run_and_report,
    target_option,
)
from app.upgrade.operations.look_ahead import plan_with_hidden
from app.upgrade.plan import make_plan
from app.upgrade.report import render, status_text


@click.command()
@target_option
@force_option
@repair_option
@click.option(
    "--check-only", is_flag=True, help="Only look: nothing is written. Exit status 0 also when pending."
)
@all_option
@json_option
@click.pass_obj
def comprehensive(
    output: Output, target: str | None, force: bool, repair: bool, check_only: bool, everything: bool
) -> int:
    """Upgrade the database: checks, verified backup, every step, verification, commit.

    The same as `daemon upgrade run`; with --check-only the same as `daemon upgrade check`, where only what
    would be refused is an error.
    """
    if not check_only:
        return run_and_report(output, everything=everything, target=target, force=force, repair=repair)
    settings = settings_for_looking(output)
    plan = plan_with_hidden(settings, target=target, force=force, repair=repair)
    output.answer(render.check_text(plan, everything=everything), render.plan_as_json(plan))
    return plan.blockers[0].exit_code if plan.blockers else 0


@click.command()
@all_option
@json_option
@click.pass_obj
def tracker(output: Output, everything: bool) -> int:
    """Current version, schema integrity, full history, the path to the newest. Writes nothing."""
    settings = settings_for_looking(output)
    plan, lines = make_plan(settings), status_text.history(settings)
    output.answer(
        render.tracker_text(plan, lines, everything=everything),
        {**render.plan_as_json(plan), "history": status_text.history_as_json(lines)},
    )
    return 0 if plan.current.kind == "daemon" or not plan.blockers else plan.blockers[0].exit_code


@click.command()
@all_option
@json_option
@click.pass_obj
def database(output: Output, everything: bool) -> int:
    """Upgrade the database to the newest version, and tell every step (the entry point of 0.1.x)."""
    if not output.json:
        plan = make_plan(settings_for_looking(output))
        output.say(render.plan_text(plan, everything=everything))
    return run_and_report(output, everything=everything)
