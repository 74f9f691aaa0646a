"""Import of an export (plan). What would it add to this installation, and what is here, or refused?

An entry is imported once: the audit keeps which entry of which account it was, and what was here before by
other ways (the export's own installation) is known by its kind, time and text.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from app.accounts import claim, importing, names, users
from app.accounts.users import User
from app.entries import (
    import_runs,
    own_kinds,
    store,
)
from app.entries.erased_before import ERASED, erased_entries
from app.entries.export_folder import Exported, ExportedEntry
from app.entries.import_visibility import closed_entries, kind_here, missing_rules
from app.entries.never_words import KeptWords
from app.entries.words_transfer import opened_words
from app.errors import Conflict, InvalidContent, UsageError
from app.privacy.rules import Rule

NO_KIND = "its kind is gone"


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
    keys = {key_of(importing.source_of(exported.account), each.id): each.id for each in exported.entries}
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
            each.id for each in exported.entries if each.id in known and known[each.id][1] != hash_of(each)
        ),
        closed=closed_entries(connection, exported, add, target, privacy_level, has_words=words is not None),
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


def key_of(source: importing.Source, there: int) -> str:
    """Return what names an entry of another installation among what was imported."""
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


def hash_of(entry: ExportedEntry) -> str:
    """Return what tells whether the text of an entry is another one now."""
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
