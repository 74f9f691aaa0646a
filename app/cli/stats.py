"""What does ``daemon stats`` do? It counts entries by kind, and accounts."""

from __future__ import annotations

import click

from app.cli.command_context import opened_for_reading
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.statistics import statistics_of

COLUMNS = ("kind", "entries", "deleted")


@click.command()
@json_option
@click.pass_obj
def stats(output: Output) -> int:
    """How many entries of which kind there are, and how many deleted ones are kept."""
    with opened_for_reading(output) as (settings, connection):
        found = statistics_of(connection, settings)
    rows = [(kind, each["active"], each["deleted"]) for kind, each in found["endpoints"].items()]
    totals = found["totals"]
    output.table(COLUMNS, [row for row in rows if row[1] or row[2]], found)
    if not output.json:
        output.say(
            f"{totals['active_entries']} entries, {totals['deleted_entries']} deleted ones,"
            f" {totals['users']} accounts."
        )
    return 0
