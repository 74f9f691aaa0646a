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
from app.cli.command_context import database_for_writing, opened_for_reading
from app.cli.options import json_option, passphrase_from, passphrase_option
from app.cli.output import Output
from app.database import Database
from app.entries import text_search, unclaimed
from app.entries.export_folder import Exported, read_export
from app.entries.importing import Import, plan_import, run_import

PLANS_MOST = 3  # then it is made while no one else can write


@click.command(name="import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--into", metavar="NAME", help="Add the entries to this account, which is here already.")
@click.option("--admin", is_flag=True, help="The account that is made is an admin's. The first one must be.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@passphrase_option
@json_option
@click.pass_obj
def import_command(
    output: Output, path: Path, into: str | None, admin: bool, dry_run: bool, passphrase_stdin: bool
) -> int:
    """What `export-user-data` of another installation wrote into the folder PATH.

    Everything is checked before anything is written, and all of it is one transaction. The account is made,
    with its privacy settings and without a password that anyone knows; entries, deleted ones too, come with
    their texts, times and visibility, and get ids of this installation. Importing twice is importing once.
    What would be shown to more than in the other installation becomes private, and is named. Words of a
    never-list need the passphrase with which they were exported; without it all of the account's entries
    are private here.
    """
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
        _search(database, list(imported.ids.values()))
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
    for _ in range(PLANS_MOST):
        known = database.generation()
        with database.reading() as connection:
            plan = planned(connection)
        with database.writing() as connection:
            if database.generation() == known:
                return _run(connection, plan)
    with database.writing() as connection:
        return _run(connection, planned(connection))


def _run(connection: Connection, plan: Import) -> Imported:
    target, ids = run_import(connection, plan, clock.now())
    return Imported(plan, target.username, ids, unclaimed.count_waiting(connection))


def _search(database: Database, entry_ids: list[int]) -> None:
    """Search the texts of entries, and keep what is found, a few at a time: others write in between."""
    for begin in range(0, len(entry_ids), text_search.WRITTEN_MOST):
        some = entry_ids[begin : begin + text_search.WRITTEN_MOST]
        with database.reading() as connection:
            batch = text_search.search_these(connection, some)
            lacks_key = text_search.lacks_key(connection, batch)
        if lacks_key:
            with database.writing() as connection:
                text_search.make_key(connection, clock.now())
            with database.reading() as connection:
                batch = text_search.search_these(connection, some)
        for part in text_search.parts_of(batch):
            with database.writing() as connection:
                text_search.keep_part(connection, part, clock.now())


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
