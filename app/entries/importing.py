"""Import. What would an export add to this installation, and how is it added? Nothing is ever shown to more.

An entry is imported once: the audit keeps which entry of which account it was, and what was here before by
other ways (the export's own installation) is known by its kind, time and text. What is kept is what was
stored, to the byte; ids are new, in the same order. What was public stays public only where nothing here
shows more than there.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.accounts import claim, importing, names, privacy_settings, users
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import User
from app.entries import (
    carried_rows,
    endpoints,
    import_runs,
    kinds,
    own_kinds,
    policies,
    slugs,
    storage_use,
    store,
)
from app.entries.endpoints import Endpoint
from app.entries.erased_before import ERASED, erased_entries
from app.entries.export_folder import Exported, ExportedEntry, Stored
from app.entries.never_words import KeptWords
from app.entries.words_transfer import import_words, opened_words
from app.errors import Conflict, InvalidContent, UsageError
from app.privacy.levels import at_most
from app.privacy.person_settings import read_settings
from app.privacy.rules import Rule

NO_KIND = "its kind is gone"
CLOSED_LEVEL = "PRIVACY_LEVEL here shows more than there"
CLOSED_SETTINGS = "the privacy settings of the account here are others"
CLOSED_ACTIVE = "the account is not active there"
CLOSED_WORDS = "the words of the never-list are not imported"
CLOSED_RULES = "the rules of the installation there, which hide, are not imported"
CLOSED_KIND = "the kind {kind} shows more here than there"


@dataclass(frozen=True)
class Import:
    """What an import will do, or has done.

    ``target`` is the account here, None where it is made. ``closed`` are the entries that were public and
    become private, ``changed`` those imported before whose text is another one there now, ``refused`` those
    that cannot be imported: id there -> why. ``kept`` are here already: id there -> id here, None where that
    is not known. A plan's ``added`` has no id here yet.
    """

    exported: Exported
    target: User | None
    is_admin: bool
    is_noted: bool
    add: tuple[ExportedEntry, ...]
    kept: dict[int, int | None]
    changed: tuple[int, ...]
    closed: dict[int, str]
    refused: dict[int, str]
    kinds: tuple[str, ...]
    rules: tuple[Rule, ...]
    words: KeptWords | None = None


class Before(NamedTuple):
    """What there was of a source: brought by imports (id there -> id here, hash), and erased for good."""

    brought: dict[int, tuple[int, str]]
    erased: set[int]


class Done(NamedTuple):
    """What an import has done: the account, ids there -> ids here, its own id (None where none was made)."""

    target: User
    ids: dict[int, int]
    import_id: int | None


def plan_import(
    connection: Connection,
    exported: Exported,
    privacy_level: str,
    *,
    into: str | None,
    is_admin: bool,
    passphrase: str | None = None,
) -> Import:
    """Return what importing would do; nothing is written. ``privacy_level`` is this installation's.

    ``passphrase`` opens the words of the never-list; without it the person's entries are private here. Raises
    NotFound (``into``), Conflict for a name or mail address that someone has here, and UsageError for another
    passphrase and where the account cannot be made.
    """
    source = importing.source_of(exported.account)
    words = opened_words(exported.words, passphrase) if exported.words and passphrase else None
    imported = importing.find_imported(connection, source)
    target = _target(connection, exported, imported, into)
    if target is None:
        _refuse_account(connection, exported, is_admin)
    elif is_admin:
        raise UsageError("--admin is for an account that is made.", hint="daemon user admin NAME")
    known = importing.imported_entries(connection, source, target.id) if target else {}
    return _plan(
        connection,
        exported,
        privacy_level,
        target,
        Before(known, erased_entries(connection, exported, None)),
        words,
        is_admin=is_admin,
        is_noted=imported is not None,
    )


def plan_for_person(
    connection: Connection, exported: Exported, privacy_level: str, target: User, words: KeptWords | None
) -> Import:
    """Return what importing would do for who asks for it: nothing is asked, or said, of other accounts.

    ``words`` are those of the export's never-list, opened. That its account is this one is not noted: anyone
    can say in a file whose it is, and what an admin imports later goes by that note.
    """
    keys = {_key(importing.source_of(exported.account), each.id): each.id for each in exported.entries}
    brought = import_runs.exported_before(connection, target.id, list(keys))
    before = Before(
        {keys[key]: said for key, said in brought.items()}, erased_entries(connection, exported, target.id)
    )
    return _plan(connection, exported, privacy_level, target, before, words, is_admin=False, is_noted=True)


def _plan(
    connection: Connection,
    exported: Exported,
    privacy_level: str,
    target: User | None,
    before: Before,
    words: KeptWords | None,
    *,
    is_admin: bool,
    is_noted: bool,
) -> Import:
    """Return the plan."""
    undone = import_runs.undone_entries(connection, target.id) if target else set()
    known = {there: said for there, said in before.brought.items() if said[0] not in undone}
    here = _here_otherwise(connection, target, {said[0] for said in before.brought.values()} | undone)
    add, kept = _sorted_out(exported.entries, known, before.erased, here)
    own = [name for name, row in exported.kinds.items() if own_kinds.is_importable(row)]
    return Import(
        exported=exported,
        target=target,
        is_admin=is_admin,
        is_noted=is_noted,
        add=add,
        kept=kept,
        changed=tuple(
            each.id for each in exported.entries if each.id in known and known[each.id][1] != _hash(each)
        ),
        closed=_closed(connection, exported, add, target, privacy_level, has_words=words is not None),
        refused={each.id: NO_KIND for each in exported.entries if each.kind is None}
        | dict.fromkeys(before.erased - kept.keys(), ERASED),
        kinds=tuple(
            name
            for name in dict.fromkeys([*(each.kind for each in add if each.kind is not None), *own])
            if kind_here(connection, exported.kinds[name], target) is None
        ),
        rules=missing_rules(connection, exported),
        words=words,
    )


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
        said = {"id": each.id, "sha256": _hash(each), "into": target.id}
        importing.note_entry(connection, entry_id, source, said, now, actor)
    found = {row["id"]: kind_here(connection, row, target) for row in exported.kinds.values()}
    kind_ids = {there: endpoint.id for there, endpoint in found.items() if endpoint is not None}
    is_new = plan.target is None
    numbers = carried_rows.add_rows(
        connection, target.id, exported.carried, done, kind_ids, now, is_new=is_new
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
            _key(source, each.id),
            done[each.id],
            _hash(each),
            (each.updated_at, numbers.get(done[each.id], 1)),
        )
        for each in plan.add
    ]
    sha256 = plan.exported.sha256
    return import_runs.note_export(connection, target.id, source.username, sha256, items, now)


def _key(source: importing.Source, there: int) -> str:
    said = json.dumps([import_runs.EXPORT, source.id, source.username, source.created_at, there])
    return hashlib.sha256(said.encode()).hexdigest()


# -- the account


def _target(
    connection: Connection, exported: Exported, imported: User | None, into: str | None
) -> User | None:
    """Return the account here that gets the entries, None for one that is to be made."""
    if into is None:
        return imported
    found = users.get_user(connection, into)
    if imported is not None and imported.id != found.id:
        raise Conflict(
            f"What {exported.username} had was imported into {imported.username} before.",
            hint="Leave --into out: what is missing there is added.",
        )
    return found


def _refuse_account(connection: Connection, exported: Exported, is_admin: bool) -> None:
    account = exported.account
    try:
        importing.check_account(account)
    except InvalidContent:
        raise UsageError(
            f"No account can be made of {exported.username!r}: name, mail address or full name do not fit.",
            hint="Make one, and import into it: daemon user create NAME, then daemon import PATH --into NAME",
        ) from None
    if names.is_taken(connection, exported.username, str(account.get("email"))):
        raise Conflict(
            f"Someone here has the name {exported.username} or the mail address of the export's account.",
            hint="If it is the same person: daemon import PATH --into NAME",
        )
    if not is_admin and not claim.is_claimed(connection):
        raise UsageError("The first account must be an admin's.", hint="daemon import PATH --admin")
    if is_admin and account.get("is_active") != 1:
        raise UsageError(f"{exported.username} is not active there, and becomes no admin here.")


# -- entries


def _hash(entry: ExportedEntry) -> str:
    return hashlib.sha256(entry.stored).hexdigest()


def _likeness(kind: object, created_at: object, stored: bytes) -> tuple[object, ...]:
    return kind, created_at, stored


def _here_otherwise(
    connection: Connection, target: User | None, imported: set[int]
) -> Counter[tuple[object, ...]]:
    """Count the entries of an account that no import brought, by what tells them from others."""
    if target is None:
        return Counter()
    return Counter(
        _likeness(row["kind"], row["created_at"], bytes(row["stored"]))
        for row in store.everything_of(connection, target.id)
        if row["id"] not in imported
    )


def _sorted_out(
    exported: Sequence[ExportedEntry],
    known: dict[int, tuple[int, str]],
    erased: set[int],
    here: Counter[tuple[object, ...]],
) -> tuple[tuple[ExportedEntry, ...], dict[int, int | None]]:
    """Return what is to be added and what is here already."""
    add: list[ExportedEntry] = []
    kept: dict[int, int | None] = {}
    for each in exported:
        like = _likeness(each.kind, each.created_at, each.stored)
        if each.id in known:
            kept[each.id] = known[each.id][0]
        elif here[like]:
            here[like] -= 1
            kept[each.id] = None
        elif each.kind is not None and each.id not in erased:
            add.append(each)
    return tuple(add), kept


def kind_here(connection: Connection, there: Stored, target: User | None) -> Endpoint | None:
    """Return what is the same kind here: the account's own of one's own there, or the installation's."""
    name = str(there["name"])
    if not own_kinds.is_importable(there):
        return endpoints.find_named(connection, name)
    return None if target is None else endpoints.find_own(connection, target.id, name)


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


# -- what would be shown to more


def _closed(
    connection: Connection,
    exported: Exported,
    add: Sequence[ExportedEntry],
    target: User | None,
    privacy_level: str,
    *,
    has_words: bool,
) -> dict[int, str]:
    """Return which public entries become private here, and why: id there -> why."""
    of_all = _why_all(connection, exported, target, privacy_level)
    if exported.words is not None and not has_words:
        of_all = CLOSED_WORDS
    of_kind = {name: _why_kind(connection, row, target) for name, row in exported.kinds.items()}
    public = [each for each in add if each.visibility == "public" and each.kind is not None]
    found = {each.id: of_all or of_kind[str(each.kind)] for each in public}
    return {entry_id: why for entry_id, why in found.items() if why}


def _why_all(
    connection: Connection, exported: Exported, target: User | None, privacy_level: str
) -> str | None:
    if not at_most(privacy_level, exported.privacy_level):
        return CLOSED_LEVEL
    if exported.lacks_rules:
        return CLOSED_RULES
    if target is None:
        return None
    if exported.account.get("is_active") != 1:
        return CLOSED_ACTIVE
    settings = privacy_settings.rows_of(connection, target.id)
    return None if read_settings(settings) == read_settings(exported.settings) else CLOSED_SETTINGS


def _why_kind(connection: Connection, there: Stored, target: User | None) -> str | None:
    here = kind_here(connection, there, target)
    if here is None or not here.is_open or (_is_open(there) and _shows_the_same(here, there)):
        return None
    return CLOSED_KIND.format(kind=here.name)


def _is_open(there: Stored) -> bool:
    return there.get("is_active") == 1 and there.get("is_public") == 1


def _shows_the_same(here: Endpoint, there: Stored) -> bool:
    schema: Any = there.get("schema")
    schema_text = schema if isinstance(schema, str) else ""
    return here.is_built_in or set(kinds.declared_paths(here.schema_text)) <= set(
        kinds.declared_paths(schema_text)
    )


def missing_rules(connection: Connection, exported: Exported) -> tuple[Rule, ...]:
    """Return the rules that hold there and not here."""
    here = set(policies.active_rules(connection))
    there = dict.fromkeys(policies.rule_of(row) for row in exported.rules if policies.is_on(row))
    return tuple(rule for rule in there if rule not in here)
