"""Repair commands: what is wrong in the rows of a database, put right without losing any."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.command_context import settings_for_doing, settings_for_looking
from app.cli.options import all_option, json_option, yes_option
from app.cli.output import Output
from app.cli.upgrade import closing
from app.upgrade.operations.repair_orphans import find_repairs, run_orphan_repair
from app.upgrade.report.fold import folded_lines


@click.group()
def repair() -> None:
    """Put right what is wrong in the rows of the database, without losing any."""


@repair.command()
@click.option("--dry-run", is_flag=True, help="Only say what would become of each row. Writes nothing.")
@all_option
@yes_option
@json_option
@click.pass_obj
def orphans(output: Output, dry_run: bool, everything: bool, yes: bool) -> int:
    """Rows that name a row which is not there.

    An owner or a kind that is gone comes back, deactivated, under its old id; every other such row is moved,
    each value with its type, into kept_values. With a verified backup, in one transaction, verified before
    its commit; `daemon backup restore` of that backup takes it back.
    """
    settings = settings_for_looking(output)
    found = find_repairs(settings)
    listed = list(folded_lines([one.sentence for one in found], everything=everything))
    if dry_run or not found:
        words = "\n".join(listed) if found else "Every foreign key leads to its row."
        output.answer(words, {"repairs": [asdict(one) for one in found]})
        return 0
    if not output.json:
        output.say("\n".join(listed))
    if not output.confirm(f"Repair these {len(found)} orphans?", yes):
        output.say("Nothing was done.")
        return 0
    outcome = run_orphan_repair(settings_for_doing(output), on_event=output.event)
    return closing(output, outcome, everything=everything)
