"""What does ``daemon import`` do with what another program wrote? It shows what comes in, and adds it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.accounts import users
from app.accounts.people import Person
from app.cli.command_context import database_for_writing, opened_for_reading
from app.cli.output import Output
from app.cli.planned_writes import write_planned
from app.entries import import_runs
from app.entries.entry import Origin
from app.entries.import_plans import (
    ImportPlan,
    PlannedItem,
    person_for,
    plan_of,
    plan_view,
    read_for,
    shown_by_key,
)
from app.entries.import_runs import ImportDone, ImportUndone, Ready
from app.errors import UsageError
from app.formats.items import Choices, Source
from app.formats.sources import read_path

SHOWN_MOST = 20


@dataclass(frozen=True)
class Wanted:
    """What was typed besides the path."""

    into: str | None
    choices: Choices
    dry_run: bool = False
    without_unfit: bool = False
    typed: tuple[str, ...] = ("import", "PATH")


class Planned(NamedTuple):
    """What an import adds, what strangers will see of it, and its entries, ready to be written."""

    owner: Person
    plan: ImportPlan
    shown: dict[str, dict[str, Any]]
    ready: Ready


def words_typed(path: Path, choices: Choices, *flags: str) -> tuple[str, ...]:
    """Return the words of a command that imports a file, as they were typed, without an account."""
    named = (("--kind", choices.kind), ("--encoding", choices.encoding), ("--doubled", choices.doubled))
    said = [word for name, value in named if value is not None for word in (name, str(value))]
    columns = [word for pair in choices.columns.items() for word in ("--column", "=".join(pair))]
    return "import", str(path), *said, *columns, *flags


def columns_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return what ``--column NAME=FIELD`` says; raises UsageError."""
    found = {}
    for pair in pairs:
        name, separator, field = pair.rpartition("=")
        if not separator or not name or not field:
            raise UsageError(f"--column {pair!r} is no NAME=FIELD.", hint="--column Titel=title")
        found[name] = field
    return found


def run(output: Output, path: Path, wanted: Wanted) -> int:
    """Import what is at ``path``, or say what that would do."""
    source = read_path(path)
    if wanted.dry_run:
        with opened_for_reading(output) as (_, connection):
            owner, wished = _planned(connection, source, wanted)
            _answer(output, wished, owner, shown_by_key(connection, owner, wished), {}, None)
        return 0

    def plan(connection: Connection) -> Planned:
        owner, planned = _planned(connection, source, wanted)
        ready = import_runs.make_ready(
            connection, owner, planned, Origin(), without_unfit=wanted.without_unfit
        )
        return Planned(owner, planned, shown_by_key(connection, owner, planned), ready)

    def write(connection: Connection, planned: Planned) -> tuple[Planned, ImportDone]:
        return planned, import_runs.apply(
            connection,
            planned.owner,
            planned.plan,
            Origin(),
            without_unfit=wanted.without_unfit,
            ready=planned.ready,
        )

    with database_for_writing(output) as (_, database):
        planned, done = write_planned(database, plan, write)
        _answer(output, planned.plan, planned.owner, planned.shown, done.entry_ids, done.id)
    return 0


def undo(output: Output, import_id: int, into: str | None) -> int:
    """Delete what an import has added."""
    typed = ("import", "--undo", str(import_id))

    def plan(connection: Connection) -> tuple[Person, import_runs.UndoPlan]:
        owner = person_for(users.list_users(connection), into, typed)
        return owner, import_runs.plan_undo(connection, owner, import_id, Origin())

    def write(connection: Connection, planned: tuple[Person, import_runs.UndoPlan]) -> ImportUndone:
        return import_runs.undo(connection, *planned, Origin())

    with database_for_writing(output) as (_, database):
        done = write_planned(database, plan, write)
    erased = f" {done.erased_count} of it had been erased before." if done.erased_count else ""
    output.answer(f"Undone: {done.deleted_count} entries deleted.{erased}", {"id": import_id, **vars(done)})
    return 0


def show_list(output: Output, into: str | None) -> int:
    """Print a person's imports."""
    with opened_for_reading(output) as (_, connection):
        owner = person_for(users.list_users(connection), into, ("import", "--list"))
        found = import_runs.listed(connection, owner)
    lines = [
        f"{each['id']}  {each['created_at']}  {each['entries_count']} entries  {each['format']}"
        f"  {each['label']}{_since_in_words(each)}"
        for each in found
    ]
    output.answer("\n".join(lines) or "Nothing was imported from elsewhere.", {"imports": found})
    return 0


def _since_in_words(each: dict[str, Any]) -> str:
    erased = f"  ({each['erased_count']} erased)" if each["erased_count"] else ""
    return ("  (undone)" if each["undone_at"] else "") + erased


def _planned(connection: Connection, source: Source, wanted: Wanted) -> tuple[Person, ImportPlan]:
    owner = person_for(users.list_users(connection), wanted.into, wanted.typed)
    read = read_for(connection, owner, source, wanted.choices)
    return owner, plan_of(connection, owner, source, read)


def _answer(
    output: Output,
    plan: ImportPlan,
    owner: Person,
    shown: dict[str, dict[str, Any]],
    done: dict[str, int],
    import_id: int | None,
) -> None:
    view = plan_view(plan, owner, shown, done, import_id)
    output.answer("\n".join(_lines(plan, owner, shown, import_id)), view)


def _lines(
    plan: ImportPlan, owner: Person, shown: dict[str, dict[str, Any]], import_id: int | None
) -> list[str]:
    counts = Counter(item.action for item in plan.items)
    is_done = import_id is not None
    adding = plan.of("add")
    lines = [
        f"{plan.format}, for {owner.username}: {'added' if is_done else 'to be added'} {counts['add']},"
        f" here already {counts['here']}, changed there and left as they are here {counts['changed']}."
    ]
    for item in adding[:SHOWN_MOST]:
        lines += _lines_of(item, shown.get(item.source_key, {}))
    if len(adding) > SHOWN_MOST:
        lines.append(f"... and {len(adding) - SHOWN_MOST} more: --json has all")
    for item in plan.of("unfit")[:SHOWN_MOST]:
        lines.append(f"Does not fit: {item.found.place}: {item.why}")
    for why, count in Counter(each.why for each in plan.left_out).items():
        first = next(each.place for each in plan.left_out if each.why == why)
        more = f" and {count - 1} more" if count > 1 else ""
        lines.append(f"Left out: {first}{more}: {why}")
    if is_done:
        lines.append(f"To take it back: daemon import --undo {import_id}")
    elif counts["add"]:
        lines.append("Nothing was written. To add it: the same without --dry-run")
    return lines


def _lines_of(item: PlannedItem, views: dict[str, Any]) -> list[str]:
    slug = f", slug {item.slug}" if item.slug else ""
    lines = [f"  {item.found.place} -> {item.found.kind}, {item.visibility}{slug}"]
    if item.visibility != "public" or not any(views.values()):
        lines.append("      strangers see nothing of it")
    else:
        for level, view in views.items():
            lines.append(f"      {level}: {', '.join(_names_in(view)) or 'nothing'}")
    lines += [f"      left out: {each.place}: {each.why}" for each in item.found.left_out]
    return lines


def _names_in(view: Any, before: str = "") -> list[str]:
    """The members that are shown, with those inside them: "basics.name"."""
    if not isinstance(view, dict):
        return []
    found: list[str] = []
    for name, value in view.items():
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        below = _names_in(inner, f"{before}{name}.")
        found += below or ([f"{before}{name}"] if value not in ({}, [], None, "") else [])
    return found
