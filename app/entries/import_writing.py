"""Import of an export (writing). How does a plan come in, whole, in one transaction?

What is kept is what was stored, to the byte; ids are new, in the same order.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from app import ids
from app.accounts import audit, importing
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import User
from app.entries import (
    carried_rows,
    endpoints,
    import_runs,
    own_kinds,
    policies,
    storage_use,
    store,
    store_writing,
    webhook_events,
)
from app.entries.export_folder import Exported
from app.entries.import_visibility import kind_here
from app.entries.importing import Import, hash_of, key_of
from app.entries.webhook_events import Happened
from app.entries.words_transfer import import_words
from app.prepared_statements import compile_all
from app.tables import data_entries


class Prepared(NamedTuple):
    """What of an import is ready before its transaction, by ids there.

    ``ids`` are those here, ``texts`` what will be stored, ``hashes`` and ``keys`` tell entries again.
    ``lines`` of the audit name the account, ``into``: which one is made next is only a guess, and where it is
    another one they are made anew. For one that is made there is the hash of a password.
    """

    plan: Import
    ids: dict[int, int]
    texts: dict[int, str | bytes]
    hashes: dict[int, str]
    keys: dict[int, str]
    into: int
    lines: list[audit.Line]
    password_hash: str


class Done(NamedTuple):
    """What an import has done: the account, ids there -> ids here, its own id (None where none was made)."""

    target: User
    ids: dict[int, int]
    import_id: int | None


def prepare(connection: Connection, plan: Import, actor: Actor = COMMAND_LINE) -> Prepared:
    """Return what of an import can be worked out before anyone has to wait for it; writes nothing."""
    compile_all(connection)
    drawn = ids.new_ids(connection, data_entries, len(plan.add))
    entry_ids = {each.id: entry_id for each, entry_id in zip(plan.add, drawn, strict=True)}
    source = importing.source_of(plan.exported.account)
    hashes = {each.id: hash_of(each) for each in plan.add}
    into = plan.target.id if plan.target else importing.next_account_id(connection)
    return Prepared(
        plan,
        entry_ids,
        {each.id: _as_stored(each.stored) for each in plan.add},
        hashes,
        {each.id: key_of(source, each.id) for each in plan.add},
        into,
        _lines(plan, entry_ids, hashes, into, actor),
        importing.hash_of_no_password() if plan.target is None else "",
    )


def run_import(
    connection: Connection, plan: Import, now: datetime, prepared: Prepared | None = None
) -> tuple[User, dict[int, int]]:
    """Do what a plan of the same state says; return the account, and ids there -> ids here."""
    done = carry_out(connection, plan, now, prepared=prepared)
    return done.target, done.ids


def carry_out(
    connection: Connection,
    plan: Import,
    now: datetime,
    actor: Actor = COMMAND_LINE,
    prepared: Prepared | None = None,
) -> Done:
    """Do what a plan of the same state of the database says, which may be ``prepared``.

    Writes users, user_privacy_settings, endpoints, data_privacy_rules, data_entries and audit_logs; nothing
    where the plan is empty. No text is searched: that takes longer than all else, and no one else can write
    meanwhile. `text_search` does it afterwards; what was not searched yet is when it is read.
    """
    exported, source = plan.exported, importing.source_of(plan.exported.account)
    made = prepared if prepared is not None and prepared.plan is plan else prepare(connection, plan, actor)
    target = plan.target or importing.make_account(
        connection,
        exported.account,
        exported.settings[0] if exported.settings else None,
        hashed=made.password_hash,
        is_admin=plan.is_admin,
        now=now,
    )
    if not plan.is_noted:
        importing.note_account(connection, target.id, source, now)
    for rule in plan.rules:
        policies.add_rule(connection, rule, now)
    for name in plan.kinds:
        row = exported.kinds[name]
        is_theirs = row.get("created_by_id") == source.id
        if own_kinds.is_importable(row):
            own_kinds.import_kind(connection, target.id, row, exported.kind_versions)
        else:
            endpoints.add_endpoint(connection, row, target.id if is_theirs else None)
    if plan.words is not None:  # before the texts that are searched for them
        import_words(connection, target.id, plan.words)
    kinds_here = {
        name: _id_of_kind(connection, exported, name, target)
        for name in dict.fromkeys(each.kind for each in plan.add)
    }
    storage_use.forget(connection, target.id)  # it is counted anew
    store_writing.add_entries(connection, _rows(connection, plan, made, kinds_here, target.id))
    happened = (
        Happened(webhook_events.CREATED, each.kind, made.ids[each.id])
        for each in plan.add
        if each.is_active and each.kind
    )
    webhook_events.note_all(connection, target.id, happened, now)
    is_guessed = made.into == target.id
    lines = made.lines if is_guessed else _lines(plan, made.ids, made.hashes, target.id, actor)
    audit.record_lines(connection, lines, now)
    found = {row["id"]: kind_here(connection, row, target) for row in exported.kinds.values()}
    kind_ids = {there: endpoint.id for there, endpoint in found.items() if endpoint is not None}
    is_new = plan.target is None
    numbers = carried_rows.add_rows(
        connection, target.id, exported.carried, made.ids, kind_ids, now, actor, is_new=is_new
    )
    import_id = _note_import(connection, target, made, numbers, now) if made.ids else None
    return Done(target, made.ids, import_id)


def _lines(
    plan: Import, entry_ids: dict[int, int], hashes: dict[int, str], target_id: int, actor: Actor
) -> list[audit.Line]:
    source = importing.source_of(plan.exported.account)
    return [
        importing.line_of_entry(
            entry_ids[there], source, {"id": there, "sha256": sha256, "into": target_id}, actor
        )
        for there, sha256 in hashes.items()
    ]


def _note_import(
    connection: Connection, target: User, made: Prepared, numbers: dict[int, int], now: datetime
) -> int:
    """Note an import as those of other programs are, so that it is listed, and can be undone."""
    plan, entry_ids = made.plan, made.ids
    items = [
        import_runs.Brought(
            made.keys[each.id],
            entry_ids[each.id],
            made.hashes[each.id],
            (each.updated_at, numbers.get(entry_ids[each.id], 1)),
        )
        for each in plan.add
    ]
    username, sha256 = importing.source_of(plan.exported.account).username, plan.exported.sha256
    return import_runs.note_export(connection, target.id, username, sha256, items, now)


def _id_of_kind(connection: Connection, exported: Exported, name: str | None, target: User) -> int:
    assert name is not None, "what has no kind is refused in the plan"
    endpoint = kind_here(connection, exported.kinds[name], target)
    assert endpoint is not None, "the kinds that are missing are added first"
    return endpoint.id


def _rows(
    connection: Connection, plan: Import, made: Prepared, kinds_here: dict[str | None, int], user_id: int
) -> list[dict[str, object]]:
    named = _slugs_here(connection, plan, kinds_here, user_id)
    return [
        {
            "id": made.ids[each.id],
            "endpoint_id": kinds_here[each.kind],
            "data": made.texts[each.id],
            "visibility": "private" if each.id in plan.closed else each.visibility,
            "is_active": 1 if each.is_active else 0,
            "created_at": each.created_at,
            "updated_at": each.updated_at,
            "created_by_id": user_id,
            "slug": named.get(each.id),
            "shown_from": each.shown_from,
            "shown_until": each.shown_until,
        }
        for each in plan.add
    ]


def _slugs_here(
    connection: Connection, plan: Import, kinds_here: dict[str | None, int], user_id: int
) -> dict[int, str]:
    """Return the slugs of entries (ids there) that no other entry of the person and kind has here."""
    found: dict[int, str] = {}
    for kind, endpoint_id in kinds_here.items():
        named = {each.id: each.slug for each in plan.add if each.kind == kind and each.slug is not None}
        taken = store.slugs_taken(connection, user_id, endpoint_id, list(named.values()))
        for there, slug in named.items():
            if slug not in taken:
                found[there] = slug
                taken.add(slug)
    return found


def _as_stored(stored: bytes) -> str | bytes:
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored
