"""What does ``daemon import`` do? It adds what ``daemon export-user-data`` wrote, each thing once."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection

from app import clock
from app.accounts import claim
from app.cli import import_foreign
from app.cli.command_context import database_for_writing, opened_for_reading
from app.cli.options import json_option, passphrase_from, passphrase_option
from app.cli.output import Output
from app.cli.planned_writes import write_planned
from app.database import Database
from app.entries import text_search, unclaimed
from app.entries.export_folder import Exported, read_export
from app.entries.export_source import is_export
from app.entries.import_writing import Prepared, prepare, run_import
from app.entries.importing import Import, plan_import
from app.errors import UsageError
from app.formats.items import Choices
from app.formats.json_text import CHOICES


@click.command(name="import")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--into", metavar="NAME", help="Add the entries to this account, which is here already.")
@click.option("--admin", is_flag=True, help="The account that is made is an admin's. The first one must be.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--kind", metavar="KIND", help="Where it goes, if the format does not say it.")
@click.option("--column", "columns", metavar="NAME=FIELD", multiple=True, help="What a column of a CSV is.")
@click.option("--encoding", metavar="NAME", help="Of texts that are not UTF-8: windows-1252, for one.")
@click.option(
    "--doubled", type=click.Choice(CHOICES), help="Which value counts where a key stands twice in one object."
)
@click.option("--without-unfit", is_flag=True, help="Leave out what does not fit its kind, and add the rest.")
@click.option("--list", "is_list", is_flag=True, help="List what was imported from elsewhere.")
@click.option("--undo", type=int, metavar="ID", help="Delete what an import from elsewhere has added.")
@passphrase_option
@json_option
@click.pass_obj
def import_command(
    output: Output,
    path: Path | None,
    into: str | None,
    admin: bool,
    dry_run: bool,
    kind: str | None,
    columns: tuple[str, ...],
    encoding: str | None,
    doubled: str | None,
    without_unfit: bool,
    is_list: bool,
    undo: int | None,
    passphrase_stdin: bool,
) -> int:
    """What another installation or another program wrote to PATH: a folder, a file or a ZIP.

    \b
    Of `export-user-data` everything comes: the account (without a password that anyone knows), its settings,
    entries with their texts, times and visibility, deleted ones too.
    Of JSON Resume, Markdown (Hugo, Jekyll, Obsidian), daemon.md, vCard, CSV (Goodreads, LinkedIn, any other
    with --column) and the folders of the earlier server come entries for the account --into.

    Everything is checked before anything is written, and all of it is one transaction. Importing twice is
    importing once. Nothing is shown to more than the other installation showed it to, or than its kind is by
    default; what the source holds back is private. Words of a never-list need the passphrase with which they
    were exported; without it all of the account's entries are private here.
    """
    if is_list:
        return import_foreign.show_list(output, into)
    if undo is not None:
        return import_foreign.undo(output, undo, into)
    if path is None:
        raise UsageError("What is to be imported?", hint="daemon import PATH --dry-run")
    if not is_export(path):
        choices = Choices(kind, encoding, doubled, import_foreign.columns_of(columns))
        flags = {"--dry-run": dry_run, "--without-unfit": without_unfit, "--json": output.json}
        typed = import_foreign.words_typed(path, choices, *(name for name, is_set in flags.items() if is_set))
        wanted = import_foreign.Wanted(into, choices, dry_run, without_unfit, typed)
        return import_foreign.run(output, path, wanted)
    return _import_export(output, path, into, admin, dry_run, passphrase_stdin)


def _import_export(
    output: Output, path: Path, into: str | None, admin: bool, dry_run: bool, passphrase_stdin: bool
) -> int:
    exported, passphrase = read_export(path), passphrase_from(passphrase_stdin)
    if dry_run:
        with opened_for_reading(output) as (settings, connection):
            plan = plan_import(
                connection, exported, settings.privacy_level, into=into, is_admin=admin, passphrase=passphrase
            )
        _answer(output, plan, _name(plan), {}, dry_run=True)
        return 0
    with database_for_writing(output) as (settings, database):
        level = settings.privacy_level

        def planned(connection: Connection) -> Import:
            return plan_import(connection, exported, level, into=into, is_admin=admin, passphrase=passphrase)

        imported = _imported(database, planned)
        text_search.search_and_keep(database.reading, database.writing, list(imported.ids.values()))
    claim.end_claim_token(settings)
    _answer(output, imported.plan, imported.username, imported.ids, dry_run=False)
    if imported.waiting_count and imported.plan.target is None:
        output.say(
            f"{imported.waiting_count} entries came in before there was an account, private:"
            " daemon claim review"
        )
    return 0


@dataclass(frozen=True)
class Imported:
    """What was done: ids there -> ids here, and how many entries wait for a review."""

    plan: Import
    username: str
    ids: dict[int, int]
    waiting_count: int


def _imported(database: Database, planned: Callable[[Connection], Import]) -> Imported:
    """Import in one transaction. The plan is made before it, again where someone has written meanwhile."""

    def plan(connection: Connection) -> Prepared:
        return prepare(connection, planned(connection))

    return write_planned(database, plan, _run)


def _run(connection: Connection, prepared: Prepared) -> Imported:
    plan = prepared.plan
    target, ids = run_import(connection, plan, clock.now(), prepared)
    return Imported(plan, target.username, ids, unclaimed.count_waiting(connection))


def _name(plan: Import) -> str:
    return plan.target.username if plan.target else plan.exported.username


def _answer(output: Output, plan: Import, username: str, done: dict[int, int], *, dry_run: bool) -> None:
    ids = {str(there): here for there, here in sorted({**plan.kept, **done}.items())}
    output.answer(
        "\n".join(_lines(plan, username, dry_run)),
        {
            "dry_run": dry_run,
            "username": username,
            "account": "made" if plan.target is None else "here",
            "added": [each.id for each in plan.add],
            "kept": sorted(plan.kept),
            "changed": list(plan.changed),
            "made_private": {str(each): why for each, why in plan.closed.items()},
            "refused": {str(each): why for each, why in plan.refused.items()},
            "kinds": list(plan.kinds),
            "rules_count": len(plan.rules),
            "words_count": len(plan.words.words) if plan.words else 0,
            "keys_not_imported": plan.exported.keys_count,
            "ids": ids,
        },
    )


def _lines(plan: Import, username: str, dry_run: bool) -> list[str]:
    would, name = "would be " if dry_run else "", shlex.quote(username)
    lines = [f"Entries of {username}: {would}added {len(plan.add)}, here already {len(plan.kept)}."]
    if plan.target is None:
        lines += _lines_of_account(plan.exported, name, would, is_admin=plan.is_admin)
    if plan.kinds:
        lines.append(f"Kinds that were not here: {would}added {', '.join(plan.kinds)}.")
    if plan.rules:
        lines.append(f"Privacy rules, which hide for everyone here: {would}added {len(plan.rules)}.")
    for why, count in Counter(plan.closed.values()).items():
        lines.append(f"Public there, {would}private here: {count}, because {why}.")
    if plan.changed:
        lines.append(
            f"Changed there since they were imported, and left as they are here: {len(plan.changed)}."
        )
    for why, count in Counter(plan.refused.values()).items():
        lines.append(f"Not imported: {count}, because {why}.")
    if plan.exported.keys_count and plan.target is None:
        lines.append(f"API keys are not exported; new ones: daemon key create {name} KEY_NAME")
    return lines


def _lines_of_account(exported: Exported, name: str, would: str, *, is_admin: bool) -> list[str]:
    lines = [f"The account {would}made; no one knows its password: daemon user password {name}"]
    if exported.account.get("is_admin") == 1 and not is_admin:
        lines.append(
            f"It was an admin's there and is none here; if it shall be one: daemon user admin {name}"
        )
    return lines
