"""Move command: the database to the other engine, and back."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from app import database_urls
from app.cli.command_context import settings_for_doing, settings_for_looking
from app.cli.options import all_option, json_option, yes_option
from app.cli.output import Output
from app.errors import UsageError
from app.progress import say_nothing
from app.settings import load_settings_for
from app.upgrade.report.fold import folded_lines

if TYPE_CHECKING:
    from app.settings import Settings
    from app.upgrade.move.census import Census
    from app.upgrade.move.move import Done

NOTHING_ODD = "Every value fits."


@click.command()
@click.option("--to", metavar="URL", help="Where to: postgresql+psycopg://USER@HOST/NAME or sqlite:///PATH.")
@click.option("--check", is_flag=True, help="Only look: what is there, and what of it would not fit there.")
@click.option("--undo", is_flag=True, help="Take the move back; nothing may have been written there since.")
@click.option("--gone", is_flag=True, help="With --undo: the new database is nowhere any more.")
@all_option
@yes_option
@json_option
@click.pass_obj
def move(
    output: Output, to: str | None, check: bool, undo: bool, gone: bool, everything: bool, yes: bool
) -> int:
    """Move the database from SQLite to PostgreSQL, or back.

    \b
    daemon move --to postgresql+psycopg://daemon@db.example/daemon --check
    daemon move --to postgresql+psycopg://daemon@db.example/daemon

    The place must be empty: an empty database of PostgreSQL, or a file that is not there yet. Everything goes
    along, and is compared on both sides, row by row. What a column there cannot hold is kept with its type in
    kept_values and comes back on the way back. The old database stays as it is, and is not served any more;
    `daemon move --undo` takes that back until something is written at the new place.
    """
    if undo:
        return _undone(output, to, check=check, gone=gone)
    if gone:
        raise UsageError("--gone is for --undo; nothing was moved.", hint="daemon move --help")
    if not to:
        raise UsageError("Where to? nothing was moved.", hint="daemon move --to URL   # daemon move --help")
    from app.upgrade.move.census import as_json
    from app.upgrade.move.move import check_move

    settings = settings_for_looking(output)
    target = _settings_for(to)
    census = check_move(settings, target)
    lines = _in_words(census, settings, target, everything=everything)
    if check:
        output.answer("\n".join(lines), {**as_json(census), "to": target.database_name})
        return 0
    if not output.json:
        output.say("\n".join(lines))
    if not output.confirm(f"Move the database to {target.database_name}?", yes):
        output.say("Nothing was done.")
        return 0
    return _moved(output, target, to)


def _settings_for(to: str) -> Settings:
    """The settings that a server has with this URL. Raises UsageError where it names no database."""
    try:
        database_urls.read(to)
    except ValueError as error:
        raise UsageError(
            "--to names no database; nothing was moved.",
            hint="daemon move --to postgresql+psycopg://USER@HOST/NAME   # or sqlite:///PATH",
        ) from error
    return load_settings_for(to)


def _moved(output: Output, target: Settings, to: str) -> int:
    from app.upgrade.move.census import as_json
    from app.upgrade.move.move import run_move

    on_event = output.event if not output.json else say_nothing
    source = settings_for_doing(output)
    done = run_move(source, target, on_event=on_event)
    said = {
        **as_json(done.census),
        "from": source.database_name,
        "to": target.database_name,
        "compared": {
            name: {"rows": digest.count, "hash": digest.digest} for name, digest in done.digests.items()
        },
        "files": list(done.files),
        "set": {"DATABASE_URL": to},
        "seconds": done.seconds,
    }
    output.answer("\n".join(_words_of(done, source, target, to)), said)
    return 0


def _undone(output: Output, to: str | None, *, check: bool, gone: bool) -> int:
    if check:
        raise UsageError("--undo and --check exclude each other.", hint="daemon move --help")
    from app.upgrade.move.undo import undo_move

    done = undo_move(settings_for_doing(output), _settings_for, to, is_gone=gone)
    set_to = f"DATABASE_URL={shlex.quote(done.source.database_url)}"
    lines = [
        f"The move is taken back: the database is {done.source.database_name} again.",
        f"What is at {done.target.database_name} is not served any more, and the next move there clears it"
        " away."
        if done.rows is not None
        else f"{done.target.database_name} is not there, and nothing was compared.",
        f"Set, wherever the server gets its settings from: {set_to}",
    ]
    said = {"database": done.source.database_name, "was_at": done.target.database_name, "rows": done.rows}
    output.answer("\n".join(lines), said)
    return 0


def _in_words(census: Census, source: Settings, target: Settings, *, everything: bool) -> list[str]:
    tables = sum(1 for table in census.tables if table.rows)
    lines = [f"{source.database_name}: {census.rows:,} rows in {tables} tables."]
    odd = list(census.sentences())
    if not odd:
        return [*lines, NOTHING_ODD]
    lines.append(f"What {target.database_name} cannot hold as it is is kept, and comes back on the way back:")
    return [*lines, *folded_lines([f"  {one}" for one in odd], everything=everything)]


def _words_of(done: Done, source: Settings, target: Settings, to: str) -> list[str]:
    if done.was_ended:
        lines = [f"The move that had been broken off is ended: the database is at {target.database_name}."]
    else:
        lines = [
            f"The database is at {target.database_name} now: {done.rows:,} rows, the same on both sides by"
            " count and hash."
        ]
    lines += [f"Copied beside it: {path}" for path in done.files]
    return [
        *lines,
        f"{source.database_name} is as it was, and is not served any more. Until something is written at the"
        " new place, this takes the move back: daemon move --undo",
        f"Set, wherever the server gets its settings from: DATABASE_URL={shlex.quote(to)}",
    ]
