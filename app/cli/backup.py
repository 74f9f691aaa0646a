"""What does ``daemon backup`` do? It shows what the backup room made, found or put back."""

from __future__ import annotations

import click

from app import clock
from app.backup import catalog, create, restore
from app.cli.opening import settings_for_doing, settings_for_looking
from app.cli.options import json_option, yes_option
from app.cli.output import Output


@click.group()
def backup() -> None:
    """Make, list, prove, restore and clear away backups.

    \b
    daemon backup create                               safe while the server writes
    daemon backup list
    daemon backup prove backup_YYYYMMDD_HHMMSS.db      restore it to a scratch file and check it
    daemon backup restore backup_YYYYMMDD_HHMMSS.db    the state before is kept as a backup too
    """
