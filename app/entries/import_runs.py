"""Imports from elsewhere (apply, undo). How does all of a plan come in, or nothing, and go out again?

The source is kept byte for byte beside what was made of it. An import can be undone until something of it was
changed: what someone has worked on is not taken away.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from app import clock
from app.accounts.people import Person
from app.entries import gone_entries, new_entries, write
from app.entries.endpoints import NAME
from app.entries.entry import Origin
from app.entries.import_plans import ImportPlan
from app.entries.new_entries import NewOne
from app.erasures import ERASED_COUNT, STATES
from app.errors import Conflict, InvalidContent, NotFound
from app.ids import new_id
from app.prepared_statements import PreparedStatement
from app.privacy.viewer import Viewer
from app.tables import data_entries, endpoints, import_files, imported_entries, imports

SHOWN_MOST = 5
KEYS_AT_ONCE = 500
EXPORT = "Daemon's export"
"""The format of what another Daemon has exported; what was left out of it is in no file that is kept."""


@dataclass(frozen=True)
class ImportDone:
    """What an import made: its id, None where nothing was to be done, and the new entries by source key."""

    id: int | None
    entry_ids: dict[str, int]


@dataclass(frozen=True)
class ImportUndone:
    """What undoing an import did: how many entries it deleted, and how many of it had been erased before."""

    deleted_count: int
    erased_count: int


class Brought(NamedTuple):
    """An entry that came in: what names it in its source, its id here, and the hash of what it was there.

    ``state`` is when it was changed last and the number of its revision, as it came in.
    """

    source_key: str
    entry_id: int
    content_hash: str
    state: tuple[Any, int]


def note_export(
    connection: Connection,
    user_id: int,
    label: str,
    source_sha256: str,
    brought: list[Brought],
    now: datetime,
) -> int:
    """Write down an import of an export; return its id. Writes imports, imported_entries."""
    mapping = {STATES: {str(each.entry_id): each.state for each in brought}}
    import_id = new_id(connection, imports)
    _add_import(connection, import_id, user_id, EXPORT, label, source_sha256, json.dumps(mapping), now)
    _BRING.run_all(
        connection,
        [
            _brought_row(import_id, user_id, each.source_key, each.entry_id, each.content_hash)
            for each in brought
        ],
    )
    return import_id


def exported_before(connection: Connection, user_id: int, keys: list[str]) -> dict[str, tuple[int, str]]:
    """Return which entries of an export a person has by imports that were not undone: key -> id and hash."""
    column, found = imported_entries.c, dict[str, tuple[int, str]]()
    query = (
        select(column.source_key, column.entry_id, column.content_hash)
        .join(imports, imports.c.id == column.import_id)
        .where(column.user_id == user_id, imports.c.undone_at.is_(None))
    )
    for begin in range(0, len(keys), KEYS_AT_ONCE):
        rows = connection.execute(query.where(column.source_key.in_(keys[begin : begin + KEYS_AT_ONCE])))
        found |= {key: (entry_id, content_hash) for key, entry_id, content_hash in rows}
    return found


def undone_entries(connection: Connection, user_id: int) -> set[int]:
    """Return the entries of a person that came in by an import that was undone, and are still deleted."""
    query = (
        select(imported_entries.c.entry_id)
        .join(imports, imports.c.id == imported_entries.c.import_id)
        .join(data_entries, data_entries.c.id == imported_entries.c.entry_id)
        .where(imports.c.user_id == user_id, imports.c.undone_at.is_not(None), data_entries.c.is_active != 1)
    )
    return set(connection.execute(query).scalars())


@dataclass(frozen=True)
class Ready:
    """An import that is ready to be written: new entries, its id, what is kept of it beside its files."""

    new: new_entries.Ready
    import_id: int
    mapping: str
    brought: Sequence[dict[str, object]]


def make_ready(
    connection: Connection, owner: Person, plan: ImportPlan, origin: Origin, *, without_unfit: bool = False
) -> Ready:
    """Return what a plan adds, ready to be written; needs no turn to write.

    Raises InvalidContent where something does not fit, unless that is to be left out.
    """
    unfit = plan.of("unfit")
    if unfit and not without_unfit:
        raise unfit_error([(item.found.place, item.why) for item in unfit])
    adding = plan.of("add")
    wanted = [NewOne(item.found.kind, item.draft, item.slug) for item in adding]
    kinds = {one.kind for one in wanted}
    looked = new_entries.look(connection, _viewer_of(owner), kinds, len(wanted), origin)
    new, import_id = new_entries.make_ready(looked, wanted), new_id(connection, imports)
    entry_ids = [one.id for one in new.made]
    brought = [
        _brought_row(import_id, owner.id, item.source_key, entry_id, item.content_hash)
        for item, entry_id in zip(adding, entry_ids, strict=True)
    ]
    return Ready(new, import_id, json.dumps(_mapping(plan, entry_ids)), brought)


def apply(
    connection: Connection,
    owner: Person,
    plan: ImportPlan,
    origin: Origin,
    *,
    without_unfit: bool = False,
    ready: Ready | None = None,
) -> ImportDone:
    """Add everything that a plan of the same state of the database adds, which may be ``ready`` in it too.

    Raises InvalidContent where something does not fit, unless that is to be left out. Writes imports,
    import_files, imported_entries and what `write.create` writes.
    """
    if ready is None:
        ready = make_ready(connection, owner, plan, origin, without_unfit=without_unfit)
    adding = plan.of("add")
    if not adding:
        return ImportDone(None, {})
    new_entries.refuse_taken_slugs(connection, ready.new)
    written = new_entries.add(connection, ready.new)
    import_id, sha256, now = ready.import_id, plan.source_sha256, clock.now()
    name, files = plan.source.name, plan.source.files
    _add_import(connection, import_id, owner.id, plan.format, name, sha256, ready.mapping, now)
    for number, (path, content) in enumerate(files.items(), 1):
        kept = {"import_id": import_id, "number": number, "path": path, "content": content}
        connection.execute(insert(import_files).values(**kept))
    _BRING.run_all(connection, ready.brought)
    made = {item.source_key: entry_id for item, entry_id in zip(adding, written, strict=True)}
    return ImportDone(import_id, made)


@dataclass(frozen=True)
class UndoPlan:
    """What undoing an import does: its row, the entries of it that are there, and what of that is ready."""

    row: Row[Any]
    there: Sequence[Row[Any]]
    own: gone_entries.Ready


def plan_undo(connection: Connection, owner: Person, import_id: int, origin: Origin) -> UndoPlan:
    """Return what `undo` does in the same state of the database; writes nothing.

    Raises NotFound for no import of this person, and Conflict where it is undone already or something of it
    was changed since.
    """
    row = _own(connection, owner, import_id)
    if row.undone_at is not None:
        raise Conflict("This import was undone before; nothing was changed.")
    brought = _brought(connection, import_id)
    then = json.loads(row.mapping or "{}").get(STATES, {})
    changed = [each for each in brought if each.is_active == 1 and _is_since(each, then)]
    if changed:
        named = ", ".join(f"{each.kind}/{each.id}" for each in changed[:SHOWN_MOST])
        raise Conflict(
            f"{len(changed)} of its {len(brought)} entries were changed since ({named}); nothing was"
            " deleted.",
            hint="Delete those that shall go one by one.",
        )
    there = [each for each in brought if each.is_active == 1]
    own = [(each.kind, each.id) for each in there if each.created_by_id == owner.id]
    return UndoPlan(row, there, gone_entries.make_ready(connection, owner.id, own, origin))


def undo(connection: Connection, owner: Person, plan: UndoPlan, origin: Origin) -> ImportUndone:
    """Delete what an import has added and is there still; what was erased since is left out of it."""
    gone_entries.delete(connection, plan.own)
    for each in plan.there:
        if each.created_by_id != owner.id:  # it was given to someone else: that is to be refused
            write.delete(connection, _viewer_of(owner), each.kind, each.id, origin=origin)
    now, import_id = clock.stored(clock.now()), plan.row.id
    connection.execute(update(imports).where(imports.c.id == import_id).values(undone_at=now))
    connection.execute(delete(import_files).where(import_files.c.import_id == import_id))
    return ImportUndone(len(plan.there), _erased_count(plan.row))


def listed(connection: Connection, owner: Person) -> list[dict[str, Any]]:
    """Return the imports of a person, the newest first, as `imports` of the API has them."""
    brought = select(func.count()).where(imported_entries.c.import_id == imports.c.id)
    rows = connection.execute(
        select(imports, brought.scalar_subquery().label("entries_count"))
        .where(imports.c.user_id == owner.id)
        .order_by(imports.c.created_at.desc(), imports.c.id)
    )
    return [
        {
            "id": row.id,
            "format": row.format,
            "label": row.label,
            "created_at": clock.rfc3339(str(row.created_at)),
            "undone_at": None if row.undone_at is None else clock.rfc3339(str(row.undone_at)),
            "entries_count": row.entries_count,
            "erased_count": _erased_count(row),
        }
        for row in rows
    ]


def _viewer_of(owner: Person) -> Viewer:
    return Viewer("person", owner.id, owner.username)


def _mapping(plan: ImportPlan, entry_ids: Sequence[int]) -> dict[str, Any]:
    return {
        "items": [
            {"place": item.found.place, "kind": item.found.kind, "entry_id": entry_id}
            for item, entry_id in zip(plan.of("add"), entry_ids, strict=True)
        ],
        "left_out": [{"place": each.place, "why": each.why} for each in plan.left_out],
    }


def _brought_row(
    import_id: int, user_id: int, source_key: str, entry_id: int, content_hash: str
) -> dict[str, object]:
    return {
        "import_id": import_id,
        "source_key": source_key,
        "user_id": user_id,
        "entry_id": entry_id,
        "content_hash": content_hash,
    }


_BRING = PreparedStatement(
    insert(imported_entries), "import_id", "source_key", "user_id", "entry_id", "content_hash"
)


def _add_import(
    connection: Connection,
    import_id: int,
    user_id: int,
    format_name: str,
    label: str,
    source_sha256: str,
    mapping: str,
    now: datetime,
) -> None:
    connection.execute(
        insert(imports).values(
            id=import_id,
            user_id=user_id,
            format=format_name[:30],
            label=label[:255],
            source_sha256=source_sha256,
            mapping=mapping,
            created_at=clock.stored(now),
        )
    )


def _erased_count(row: Row[Any]) -> int:
    return int(json.loads(row.mapping or "{}").get(ERASED_COUNT, 0))


def _is_since(entry: Row[Any], then: dict[str, list[Any]]) -> bool:
    """Whether an entry was changed after it came in; ``then`` says what was so already in its source."""
    return [entry.updated_at, entry.revision or 1] != then.get(str(entry.id), [None, 1])


def _own(connection: Connection, owner: Person, import_id: int) -> Row[Any]:
    found = connection.execute(
        select(imports).where(imports.c.id == import_id, imports.c.user_id == owner.id)
    ).first()
    if found is None:
        raise NotFound("There is no such import.", hint="daemon import --list")
    return found


def _brought(connection: Connection, import_id: int) -> list[Row[Any]]:
    """Its entries that are there, deleted ones too: id, kind, is_active, updated_at, revision, owner."""
    query = (
        select(
            data_entries.c.id,
            NAME.label("kind"),
            data_entries.c.is_active,
            data_entries.c.updated_at,
            data_entries.c.revision,
            data_entries.c.created_by_id,
        )
        .join(imported_entries, imported_entries.c.entry_id == data_entries.c.id)
        .join(endpoints, endpoints.c.id == data_entries.c.endpoint_id)
        .where(imported_entries.c.import_id == import_id)
        .order_by(data_entries.c.id)
    )
    return list(connection.execute(query))


def unfit_error(unfit: list[tuple[str, str]]) -> InvalidContent:
    """Return the error that names what does not fit: places, and why each."""
    said = "; ".join(f"{place}: {why}" for place, why in unfit[:SHOWN_MOST])
    more = f"; and {len(unfit) - SHOWN_MOST} more" if len(unfit) > SHOWN_MOST else ""
    return InvalidContent(
        f"{len(unfit)} of the items do not fit; nothing was imported. {said}{more}",
        hint="To leave these out: daemon import PATH --without-unfit",
    )
