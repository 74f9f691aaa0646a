"""Doctor command: what of this installation is old or dangerous, and with --fix, mended."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from app.cli.command_context import settings_for_looking
from app.cli.options import json_option, yes_option
from app.cli.output import Output
from app.doctor.examine import examine
from app.doctor.findings import Finding, Place
from app.doctor.fix import apply, changes_of, diff_of
from app.errors import EXIT_OK, EXIT_UPGRADE_PENDING

SOMETHING_TO_DO = EXIT_UPGRADE_PENDING
WORDS = {"danger": "Dangerous", "old": "Old", "advice": "Worth a thought"}


@click.command()
@click.option(
    "--fix", is_flag=True, help="Show what would change in which file, ask, keep the old files, mend."
)
@yes_option
@json_option
@click.pass_obj
def doctor(output: Output, fix: bool, yes: bool) -> int:
    """What of this installation is old or dangerous. Writes nothing without --fix.

    It reads .env, compose files, unit files, the database, its disk, the clock and the backups. With --fix it
    shows every change as a diff and keeps each file as it was beside itself: putting that back undoes it.

    Exit status 0: nothing old or dangerous is left. 10: something is.
    """
    settings = settings_for_looking(output)
    place = Place(Path.cwd())
    found = examine(settings, place)
    fixed: list[dict[str, object]] = []
    if fix:
        fixed = _fixed(output, found, yes)
        found = examine(settings, place)
    output.answer(_in_words(found), {"findings": [_as_json(one) for one in found], "fixed": fixed})
    return SOMETHING_TO_DO if any(one.severity != "advice" for one in found) else EXIT_OK


def _fixed(output: Output, found: tuple[Finding, ...], yes: bool) -> list[dict[str, object]]:
    changes = changes_of(found)
    if not changes:
        output.say("Nothing of it can be mended by itself.")
        return []
    for change in changes:
        output.say(diff_of(change))
    if not output.confirm(f"Change {len(changes)} files so? Each is kept as it is beside itself.", yes):
        output.say("Nothing was done.")
        return []
    done: list[dict[str, object]] = []
    for change in changes:
        one = apply(change)
        output.say(f"Changed {one.path}. To undo it: {one.undo}")
        done.append({"path": str(one.path), "kept": str(one.kept) if one.kept else None, "undo": one.undo})
    return done


def _in_words(found: tuple[Finding, ...]) -> str:
    if not found:
        return "Nothing old or dangerous was found."
    lines = []
    for severity, heading in WORDS.items():
        alike = [one for one in found if one.severity == severity]
        lines += [f"{heading}:"] if alike else []
        for one in alike:
            lines.append(f"  - {one.message}" + (" (--fix mends it)" if one.can_be_fixed else ""))
            lines += [f"    {one.hint}"] if one.hint else []
    return "\n".join(lines)


def _as_json(one: Finding) -> dict[str, object]:
    said = asdict(one)
    return {name: said[name] for name in ("code", "severity", "message", "hint", "path")} | {
        "can_be_fixed": one.can_be_fixed
    }
