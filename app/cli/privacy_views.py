"""Privacy views (commands). How do others see entries, how much does each level show, and why?"""

from __future__ import annotations

from typing import Any

import click

from app.accounts import users
from app.accounts.people import Person
from app.cli.command_context import opened_for_reading
from app.cli.options import json_option
from app.cli.output import Output, json_text
from app.entries import audience, explain, preview
from app.entries.preview import AUDIENCES
from app.privacy.levels import NAMES


@click.command(name="preview")
@click.argument("username")
@click.argument("kind")
@click.option("--entry", "entry_id", type=click.IntRange(1), help="This entry only.")
@click.option("--as", "audience", type=click.Choice(AUDIENCES), help="As this one only.")
@click.option("--level", type=click.Choice(NAMES), help="At this level only.")
@json_option
@click.pass_obj
def preview_command(
    output: Output, username: str, kind: str, entry_id: int | None, audience: str | None, level: str | None
) -> int:
    """What strangers at each level, an assistant, someone else and a key of USERNAME are answered."""
    wanted = preview.Wanted(kind, entry_id, audience, level)
    with opened_for_reading(output) as (settings, connection):
        user = users.get_user(connection, username)
        person = Person(user.id, user.username, is_active=user.is_active)
        found = preview.previews(connection, person, wanted, settings.privacy_level)
    lines = []
    for each in found:
        at = f" at {each['level']}" if each["level"] else ""
        answer = each["detail"] if each["answer"] is None else json_text(each["answer"], indent=2)
        lines.append(f"As {each['as']}{at} ({each['status']}):\n{answer}\n")
    output.answer("\n".join(lines), {"previews": found})
    return 0


@click.command(name="audience")
@click.argument("username")
@click.argument("kind", required=False)
@json_option
@click.pass_obj
def audience_command(output: Output, username: str, kind: str | None) -> int:
    """How many entries of USERNAME strangers find at each level, by kind; or of KIND, which fields."""
    with opened_for_reading(output) as (settings, connection):
        user = users.get_user(connection, username)
        person = Person(user.id, user.username, is_active=user.is_active)
        if kind is None:
            found = audience.audience(connection, person, settings.privacy_level)
        else:
            found = audience.fields_of(connection, person, kind, settings.privacy_level)
    if kind is None:
        rows = [
            (each["kind"], each["entries"], *(_at_level(each["levels"][level]) for level in NAMES))
            for each in found
        ]
        output.table(("kind", "entries", *NAMES), rows, {"kinds": found})
    else:
        fates = [(each["path"], *(each["levels"][level]["status"] for level in NAMES)) for each in found]
        output.table(("field", *NAMES), fates, {"fields": found})
    return 0


def _at_level(said: dict[str, Any]) -> str:
    return f"{said['entries']}, {said['shows']}" if said["entries"] else "-"


@click.command(name="explain")
@click.argument("username")
@click.argument("entry_id", metavar="ENTRY", type=click.IntRange(1))
@click.option("--level", type=click.Choice(NAMES), help="At this level only.")
@json_option
@click.pass_obj
def explain_command(output: Output, username: str, entry_id: int, level: str | None) -> int:
    """Why is each field of an entry of USERNAME shown or hidden, and what would change it?"""
    with opened_for_reading(output) as (settings, connection):
        user = users.get_user(connection, username)
        person = Person(user.id, user.username, is_active=user.is_active)
        found = explain.explain(connection, person, entry_id, level=level, ceiling=settings.privacy_level)
    rows = [
        (field["pointer"], at, said["status"], said["says"], said["change"])
        for field in found
        for at, said in field["levels"].items()
    ]
    output.table(("field", "level", "is", "because", "what would change it"), rows, {"fields": found})
    return 0
