"""Import of an export (writing). How does a plan come in, whole, in one transaction?

What is kept is what was stored, to the byte; ids are new, in the same order.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from app.accounts import importing
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import User
from app.entries import (
    carried_rows,
    endpoints,
    import_runs,
    own_kinds,
    policies,
    slugs,
    storage_use,
    store,
    webhook_events,
)
from app.entries.export_folder import Exported, ExportedEntry
from app.entries.import_visibility import kind_here
from app.entries.importing import Import, hash_of, key_of
from app.entries.words_transfer import import_words


class Done(NamedTuple):
    """What an import has done: the account, ids there -> ids here, its own id (None where none was made)."""

    target: User
    ids: dict[int, int]
    import_id: int | None


def run_import(connection: Connection, plan: Import, now: datetime) -> tuple[User, dict[int, int]]:
    """Do what a plan of the same transaction says; return the account, and ids there -> ids here."""
    done = carry_out(connection, plan, now)
    return done.target, done.ids


def carry_out(connection: Connection, plan: Import, now: datetime, actor: Actor = COMMAND_LINE) -> Done:
    """Do what a plan of the same transaction says.

    Writes users, user_privacy_settings, endpoints, data_privacy_rules, data_entries and audit_logs; nothing
    where the plan is empty. No text is searched: that takes longer than all else, and no one else can write
    meanwhile. `text_search` does it afterwards; what was not searched yet is when it is read.
    """
    exported, source = plan.exported, importing.source_of(plan.exported.account)
    target = plan.target or importing.make_account(
        connection,
        exported.account,
        exported.settings[0] if exported.settings else None,
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
    done: dict[int, int] = {}
    kinds_here = {
        name: _id_of_kind(connection, exported, name, target)
        for name in dict.fromkeys(each.kind for each in plan.add)
    }
    storage_use.forget(connection, target.id)  # it is counted anew
    for each in plan.add:
        visibility = "private" if each.id in plan.closed else each.visibility
        done[each.id] = entry_id = _add(connection, each, kinds_here[each.kind], target.id, visibility)
        if each.is_active and each.kind is not None:
            webhook_events.note(connection, target.id, webhook_events.CREATED, each.kind, entry_id)
        said = {"id": each.id, "sha256": hash_of(each), "into": target.id}
        importing.note_entry(connection, entry_id, source, said, now, actor)
    found = {row["id"]: kind_here(connection, row, target) for row in exported.kinds.values()}
    kind_ids = {there: endpoint.id for there, endpoint in found.items() if endpoint is not None}
    is_new = plan.target is None
    numbers = carried_rows.add_rows(
        connection, target.id, exported.carried, done, kind_ids, now, actor, is_new=is_new
    )
    import_id = _note_import(connection, target, plan, done, numbers, now) if done else None
    return Done(target, done, import_id)


def _note_import(
    connection: Connection,
    target: User,
    plan: Import,
    done: dict[int, int],
    numbers: dict[int, int],
    now: datetime,
) -> int:
    """Note an import as those of other programs are, so that it is listed, and can be undone."""
    source = importing.source_of(plan.exported.account)
    items = [
        import_runs.Brought(
            key_of(source, each.id),
            done[each.id],
            hash_of(each),
            (each.updated_at, numbers.get(done[each.id], 1)),
        )
        for each in plan.add
    ]
    sha256 = plan.exported.sha256
    return import_runs.note_export(connection, target.id, source.username, sha256, items, now)


def _id_of_kind(connection: Connection, exported: Exported, name: str | None, target: User) -> int:
    assert name is not None, "what has no kind is refused in the plan"
    endpoint = kind_here(connection, exported.kinds[name], target)
    assert endpoint is not None, "the kinds that are missing are added first"
    return endpoint.id


def _add(
    connection: Connection, entry: ExportedEntry, endpoint_id: int, user_id: int, visibility: str
) -> int:
    return store.add_entry_as_it_was(
        connection,
        endpoint_id=endpoint_id,
        data=_as_stored(entry.stored),
        visibility=visibility,
        is_active=1 if entry.is_active else 0,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        created_by_id=user_id,
        slug=_slug_here(connection, entry, endpoint_id, user_id),
        shown_from=entry.shown_from,
        shown_until=entry.shown_until,
    )


def _slug_here(connection: Connection, entry: ExportedEntry, endpoint_id: int, user_id: int) -> str | None:
    """Return the slug of an entry, None where another one of the person has it here."""
    slug = entry.slug
    is_kept = slug is not None and slugs.is_free(connection, endpoint_id, user_id, slug)
    return slug if is_kept else None


def _as_stored(stored: bytes) -> str | bytes:
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored
