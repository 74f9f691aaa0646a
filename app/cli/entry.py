"""What does ``daemon entry`` do? It writes many at once, compares earlier states, restores and erases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, Row

from app import clock
from app.accounts import users
from app.backup.holders import find_holders, receipt
from app.cli.command_context import database_for_writing, opened_for_reading, opened_for_writing
from app.cli.erasing import scrub
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import bulk, bulk_items, cleanup, endpoints, erase, history, read, undo
from app.entries.endpoints import Endpoint
from app.entries.json_safe import stored_text, whole_text
from app.erasures import TABLES
from app.errors import DaemonError, UsageError
from app.privacy.viewer import Viewer
from app.upgrade.detect.identity import identity_of
from app.upgrade.records.data_folder import files_that_may_hold_erased

OPERATOR = Viewer("admin")  # anyone who types here may open the database itself
STATES = ("revision", "written", "ended", "visibility", "slug", "deleted", "bytes")
DELETED = ("id", "kind", "made", "deleted", "begins with")
HOLDERS = ("backup", "made", "until", "why it may stay")
MOST = 1_000
SHOWN_CHARACTERS = 60


@click.group()
def entry() -> None:
    """Many entries at once, earlier states, deleted ones, and erasing for good. An entry is named by its id.

    \b
    daemon entry bulk ann ideas FILE   writes the entries of a file, all of them or none
    daemon entry revisions 12          the states that entry 12 was in
    daemon entry compare 12 --from 1   how the present one differs from the first
    daemon entry restore 12 1          gives it the content of the first back
    daemon entry deleted ann           what ann has deleted
    daemon entry undelete 12           brings it back
    daemon entry erase 12 --yes        nothing of it stays, and no one can bring it back
    daemon entry cleanup               which deleted ones are past DELETED_DAYS
    """


@entry.command(name="bulk")
@click.argument("username")
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mode", type=click.Choice(bulk.MODES), default="upsert", help="create: replace nothing.")
@json_option
@click.pass_obj
def bulk_command(output: Output, username: str, kind: str, file: Path, mode: str) -> int:
    """Write the entries of FILE as USERNAME's, all of them or none.

    FILE is a JSON array, or has one JSON object a line: {"content": {...}}, with the "slug" or "id" of an
    entry to be replaced.
    """
    body = file.read_bytes()
    items = bulk_items.parse_items(kind, body, is_lines=not body.lstrip().startswith(b"["))
    with database_for_writing(output) as (_, database):
        known = database.generation()
        with database.reading() as connection:
            user = users.get_user(connection, username)
            viewer = Viewer("person", user.id, user.username)
            looked = bulk.look(connection, viewer, kind, items)
        prepared = bulk.prepare(looked)
        check = bulk.refuse_to_replace if not bulk.is_upsert(mode) else lambda: None
        with database.writing() as connection:
            done = bulk.write_all(
                connection,
                viewer,
                kind,
                items,
                check_may_replace=check,
                prepared=prepared,
                is_as_planned=database.generation() == known,
            )
    report = bulk.report(done)
    output.answer(f"{report['created_count']} new, {report['replaced_count']} replaced.", report)
    return 0


@entry.command()
@click.argument("entry_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def revisions(output: Output, entry_id: int) -> int:
    """The states that the entry ID was in, the present one first."""
    with opened_for_reading(output) as (_, connection):
        found = history.states(connection, _row(connection, entry_id)[1], most=MOST).items
    cells = [
        (
            each["number"],
            each["written_at"],
            each["ended_at"],
            each["visibility"],
            each["slug"],
            each["is_deleted"],
            each["size_bytes"],
        )
        for each in found
    ]
    output.table(STATES, cells, {"items": found})
    return 0


@entry.command()
@click.argument("entry_id", metavar="ID", type=int)
@click.argument("number", metavar="REVISION", type=int)
@json_option
@click.pass_obj
def revision(output: Output, entry_id: int, number: int) -> int:
    """What was in one state of the entry ID, as JSON."""
    with opened_for_reading(output) as (_, connection):
        found = history.state_view(history.state(connection, _row(connection, entry_id)[1], number))
    output.answer(json.dumps(found["data"], indent=2, ensure_ascii=False), found)
    return 0


@entry.command()
@click.argument("entry_id", metavar="ID", type=int)
@click.option("--from", "before", type=int, metavar="REVISION", help="Default: the one before.")
@click.option("--to", "after", type=int, metavar="REVISION", help="Default: the present one.")
@json_option
@click.pass_obj
def compare(output: Output, entry_id: int, before: int | None, after: int | None) -> int:
    """How two states of the entry ID differ."""
    with opened_for_reading(output) as (_, connection):
        found = history.difference(connection, _row(connection, entry_id)[1], before, after)
    lines = [line for each in found["differences"] for line in _lines(each)]
    lines += [f"{each['name']}: {each['before']} -> {each['after']}" for each in found["beside"]]
    text = "\n".join(lines) or f"Revisions {found['from']} and {found['to']} are the same."
    output.answer(text, found)
    return 0


@entry.command()
@click.argument("entry_id", metavar="ID", type=int)
@click.argument("number", metavar="REVISION", type=int)
@json_option
@click.pass_obj
def restore(output: Output, entry_id: int, number: int) -> int:
    """Give the entry ID the content of an earlier state back; it is shown to no one besides."""
    with opened_for_writing(output) as (_, connection):
        undo.restore(connection, OPERATOR, _endpoint(connection, entry_id), entry_id, number)
    output.answer(
        f"Entry {entry_id} has the content of revision {number} again; what it had is kept as a revision.",
        {"entry_id": entry_id, "restored": number},
    )
    return 0


@entry.command()
@click.argument("username")
@json_option
@click.pass_obj
def deleted(output: Output, username: str) -> int:
    """The entries that USERNAME has deleted; they can be undeleted or erased."""
    with opened_for_reading(output) as (_, connection):
        rows = undo.deleted(connection, users.get_user(connection, username).id, None, MOST)
        found = [_deleted(row) for row in rows]
    cells = [(*list(each.values())[:4], each["excerpt"][:SHOWN_CHARACTERS]) for each in found]
    output.table(DELETED, cells, {"items": found})
    return 0


@entry.command()
@click.argument("entry_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def undelete(output: Output, entry_id: int) -> int:
    """Bring the deleted entry ID back as it was."""
    with opened_for_writing(output) as (_, connection):
        undo.undelete(connection, OPERATOR, _endpoint(connection, entry_id), entry_id)
    output.answer(f"Entry {entry_id} is there again.", {"entry_id": entry_id})
    return 0


@entry.command(name="erase")
@click.argument("entry_id", metavar="ID", type=int)
@click.option("--yes", is_flag=True, help="It is meant: no one can bring it back.")
@json_option
@click.pass_obj
def erase_command(output: Output, entry_id: int, yes: bool) -> int:
    """Erase the entry ID, deleted or not: its states, its values in the audit, its traces in the file.

    The receipt says which backups may still hold it, and until when. Restoring one of them erases it again.
    """
    if not yes:
        raise UsageError(
            f"Nothing was erased: erasing entry {entry_id} cannot be undone.",
            hint=f"daemon entry erase {entry_id} --yes   # daemon entry revisions {entry_id} shows it first",
        )
    with database_for_writing(output) as (settings, database):
        with database.writing() as connection:
            line = erase.erase(connection, OPERATOR, _endpoint(connection, entry_id), entry_id)
        fault = None
        try:
            scrub(settings, database, TABLES)
        except DaemonError as error:
            fault = error
        holders = find_holders(settings, identity_of(settings, serving=True), line)
    output.say(f"Entry {entry_id} is erased.")
    if fault is not None:
        output.warn(
            f"Free pages of the database hold parts of it still ({fault.message}) The server clears them."
        )
    rows = [(one.name, one.made_at, one.until, one.note) for one in holders]
    files = files_that_may_hold_erased(settings)
    if files:
        output.warn(f"Files beside the database may hold it still: look at {', '.join(files)}.")
    output.table(HOLDERS, rows, receipt(line, holders, files, is_scrubbed=fault is None))
    return 0


@entry.command(name="cleanup")
@click.option("--yes", is_flag=True, help="Erase them: no one can bring them back.")
@json_option
@click.pass_obj
def cleanup_command(output: Output, yes: bool) -> int:
    """Count the deleted entries that are past DELETED_DAYS; with --yes, erase them.

    Each leaves a receipt for its owner. Where DELETED_DAYS is 0, deleted entries are kept for ever.
    """
    with opened_for_reading(output) as (settings, connection):
        before = cleanup.limit_of(settings, clock.now())
        counts = cleanup.count(connection, before)
    erased = 0
    if yes and before is not None and counts:
        with database_for_writing(output) as (_, database):
            while True:
                with database.writing() as connection:
                    cleared = cleanup.clear_some(connection, OPERATOR, before, erase.FROM_COMMAND_LINE)
                if not cleared:
                    break
                erased += cleared
            scrub(settings, database, TABLES)
    said = {"deleted_days": settings.deleted_days, "kinds": counts, "erased": erased}
    output.table(("kind", "deleted entries"), list(counts.items()), said)
    if erased:
        output.say(f"{erased} deleted entries are erased.")
    elif counts:
        output.say("Nothing was erased. To erase them: daemon entry cleanup --yes")
    else:
        output.say(f"No deleted entry is past DELETED_DAYS ({settings.deleted_days}; 0: kept for ever).")
    return 0


# -- inside


def _endpoint(connection: Connection, entry_id: int) -> Endpoint:
    found = endpoints.find_of_entry(connection, entry_id)
    if found is None:
        raise read.no_such_entry()
    return found


def _row(connection: Connection, entry_id: int) -> tuple[Endpoint, Row[Any]]:
    endpoint = _endpoint(connection, entry_id)
    return endpoint, history.kept_entry(connection, OPERATOR, endpoint, entry_id)


def _deleted(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    made, gone = (None if at is None else clock.rfc3339(str(at)) for at in (row.created_at, row.updated_at))
    excerpt = whole_text(stored_text(row.beginning))
    return {"id": row.id, "kind": row.kind, "created_at": made, "deleted_at": gone, "excerpt": excerpt}


def _lines(difference: dict[str, Any]) -> list[str]:
    place, change = difference["pointer"] or "the whole", difference["change"]
    if "lines" in difference:
        return [f"{place} {change}:", *difference["lines"]]
    said = [
        f"  {sign} {json.dumps(difference[name], ensure_ascii=False)}"
        for sign, name in (("-", "before"), ("+", "after"))
        if name in difference
    ]
    return [f"{place} {change}:", *said]
