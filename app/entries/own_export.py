"""Import of an export by its person (HTTP). What of it comes into an account that is here, and who sees it?

Nothing comes that concerns others, or the account: no setting, no rule, and no kind of the installation. The
file may be anyone's work: what no Daemon would have written is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.accounts.audit import Actor
from app.accounts.people import Person
from app.accounts.users import User
from app.entries import carried_rows, import_runs, own_kinds, pictures, preview, storage_use, store
from app.entries.export_folder import Exported, ExportedEntry, read_from
from app.entries.export_source import UnpackedSource, has_names_of_export
from app.entries.exported_rows import check_rows, fault_of_entry
from app.entries.import_visibility import kind_here, missing_rules
from app.entries.import_writing import Done, Prepared, carry_out, prepare
from app.entries.importing import NO_KIND, Import, plan_for_person
from app.entries.never_words import KeptWords
from app.entries.words_transfer import FILE as WORDS_FILE
from app.entries.words_transfer import check_words, opened_words
from app.errors import Damaged, InvalidContent
from app.formats.items import Source

SEEN_AT_ONCE = 10
SHOWN_MOST = 200  # entries of which is told what strangers see: each is asked for at every level
_NO_WORDS = "without the passphrase its words are left out, and what was public is private here"
_NOTHING_FOR_ALL = "rules of an installation come with the command `daemon import`"
_NOTHING_OF_ACCOUNT = "the account here stays as it is, with its settings"
_NO_KEYS = "API keys are not exported"
_NO_WIDE_RELEASES = "what is released for a whole kind or for everything would show what is here already"
Seen = dict[int, dict[str, Any]]
Opened = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class OwnExport:
    """An export that was read, and the words of its never-list where they could be opened."""

    exported: Exported
    words: KeptWords | None


@dataclass(frozen=True)
class OwnPlan:
    """What becomes of an export: ``plan`` of what fits, ``unfit`` the rest: id there -> why."""

    own: OwnExport
    plan: Import
    unfit: dict[int, str]


@dataclass(frozen=True)
class Terms:
    """By which an import goes: this installation's privacy level, the bytes that an entry may have here,
    and the pictures of a person."""

    privacy_level: str
    entry_bytes_most: int
    picture_bytes_most: int
    without_unfit: bool = False


@dataclass(frozen=True)
class OwnReady:
    """What becomes of an export, and what of that is worked out before it is written."""

    found: OwnPlan
    prepared: Prepared


class _TakenBackError(Exception):
    """Ends a transaction that was only tried."""


def is_own_export(source: Source) -> bool:
    """Whether files are what an export consists of."""
    return has_names_of_export(source.files)


def read_own(source: Source, passphrase: str | None) -> OwnExport:
    """Return what an export holds. Raises InvalidContent, and UsageError for what is none of Daemon's."""
    try:
        exported = read_from(UnpackedSource(source.files))
    except Damaged as error:
        raise InvalidContent(error.message, hint="Make it again: POST /api/v1/me/archive") from None
    check_rows(exported)
    words = opened_words(exported.words, passphrase) if exported.words and passphrase else None
    if words is not None:
        check_words(words)
    return OwnExport(exported, words)


def make_ready(connection: Connection, user: User, own: OwnExport, terms: Terms, actor: Actor) -> OwnReady:
    """Return what becomes of an export, ready to be written; writes nothing.

    Raises InvalidContent where something does not fit and is not to be left out, and Conflict.
    """
    found = _planned(connection, user, own, terms)
    if found.unfit and not terms.without_unfit:
        places = {each.id: _place(each) for each in own.exported.entries}
        raise import_runs.unfit_error([(places[there], why) for there, why in found.unfit.items()])
    return OwnReady(found, prepare(connection, found.plan, actor))


def write(connection: Connection, user: User, ready: OwnReady, terms: Terms, actor: Actor) -> Done:
    """Import what is ready, in the state of the database for which it is; return what was done.

    Raises QuotaReached. Writes what `import_writing.carry_out` writes.
    """
    plan = ready.found.plan
    storage_use.take(connection, user.id, len(plan.add), sum(len(each.stored) for each in plan.add))
    done = carry_out(connection, plan, clock.now(), actor, ready.prepared)
    pictures.check_use(connection, user.id, terms.picture_bytes_most)
    return done


def answer(connection: Connection, user: User, ready: OwnReady, done: Done, seen: Seen) -> dict[str, Any]:
    """Return what doors answer, as `import_plans.plan_view`; ``seen``: what strangers see of entries."""
    found = ready.found
    entry_ids = {**found.plan.kept, **done.ids}
    slugs = store.slugs_of(connection, [each for each in entry_ids.values() if each is not None])
    return {
        "id": done.import_id,
        "format": import_runs.EXPORT,
        "username": user.username,
        "items": [
            _item(each, found, entry_ids.get(each.id), seen.get(each.id))
            | {"slug": slugs.get(entry_ids.get(each.id))}
            for each in found.own.exported.entries
        ],
        "left_out": [{"place": place, "why": why} for place, why in _left_out(found)],
    }


def strangers_see(connection: Connection, user: User, ready: OwnReady, done: Done, terms: Terms) -> Seen:
    """Return what strangers see, by id there and level, of the first entries that were added."""
    return _seen_of(connection, user, ready.found.plan.add[:SHOWN_MOST], done, terms)


def strangers_would_see(writing: Opened, user: User, ready: OwnReady, terms: Terms, actor: Actor) -> Seen:
    """Return the same before anything is added: a few at a time they are, are looked at, and taken back.

    So no one else is held up for longer than one of these steps. It may fail at what others change meanwhile.
    """
    seen: Seen = {}
    plan = ready.found.plan
    for begin in range(0, min(len(plan.add), SHOWN_MOST), SEEN_AT_ONCE):
        some = replace(plan, add=plan.add[begin : min(begin + SEEN_AT_ONCE, SHOWN_MOST)])
        with _taken_back(writing) as connection:
            done = carry_out(connection, some, clock.now(), actor)
            seen |= _seen_of(connection, user, some.add, done, terms)
    return seen


def strangers_would_see_at_once(
    writing: Opened, user: User, own: OwnExport, terms: Terms, actor: Actor
) -> Seen:
    """Return the same of what is planned and added in one transaction, while no one else can write."""
    with _taken_back(writing) as connection:
        ready = make_ready(connection, user, own, terms, actor)
        done = write(connection, user, ready, terms, actor)
        return strangers_see(connection, user, ready, done, terms)


def try_own(writing: Opened, user: User, ready: OwnReady, terms: Terms, actor: Actor) -> dict[str, Any]:
    """Return what would be answered, without ids: it is done, looked at, and taken back."""
    seen = strangers_would_see(writing, user, ready, terms, actor)
    with _taken_back(writing) as connection:
        done = write(connection, user, ready, terms, actor)
        value = answer(connection, user, ready, done, seen)
    return _without_new_ids(value, done)


def try_own_at_once(
    writing: Opened, user: User, own: OwnExport, terms: Terms, actor: Actor
) -> dict[str, Any]:
    """Return the same of what is planned and done in one transaction, while no one else can write."""
    with _taken_back(writing) as connection:
        ready = make_ready(connection, user, own, terms, actor)
        done = write(connection, user, ready, terms, actor)
        seen = strangers_see(connection, user, ready, done, terms)
        value = answer(connection, user, ready, done, seen)
    return _without_new_ids(value, done)


def _without_new_ids(value: dict[str, Any], done: Done) -> dict[str, Any]:
    new = set(done.ids.values())
    items = [each | {"id": None if each["id"] in new else each["id"]} for each in value["items"]]
    return value | {"id": None, "items": items}


@contextmanager
def _taken_back(writing: Opened) -> Iterator[Connection]:
    """Give a connection that writes, and take back what it wrote."""
    with suppress(_TakenBackError), writing() as connection:
        yield connection
        raise _TakenBackError


def _planned(connection: Connection, user: User, own: OwnExport, terms: Terms) -> OwnPlan:
    exported, unfit = own.exported, dict[int, str]()
    for name, row in exported.kinds.items():
        if not own_kinds.is_importable(row) and kind_here(connection, row, user) is None:
            of_it = [each.id for each in exported.entries if each.kind == name]
            unfit |= dict.fromkeys(of_it, f"there is no kind {name!r} here")
    for each in exported.entries:
        why = NO_KIND if each.kind is None else fault_of_entry(each, terms.entry_bytes_most)
        if why is not None:
            unfit.setdefault(each.id, why)
    fitting = tuple(each for each in exported.entries if each.id not in unfit)
    lacks_rules = exported.lacks_rules or bool(missing_rules(connection, exported))
    narrowed = replace(exported, entries=fitting, rules=(), lacks_rules=lacks_rules)
    plan = plan_for_person(connection, narrowed, terms.privacy_level, user, own.words)
    rows = [exported.kinds[name] for name in plan.kinds]
    own_kinds.check_import(connection, user.id, rows, exported.kind_versions)
    return OwnPlan(own, plan, unfit)


# -- what is answered


def _seen_of(
    connection: Connection, user: User, entries: Sequence[ExportedEntry], done: Done, terms: Terms
) -> Seen:
    ceiling = terms.privacy_level
    return {each.id: _strangers_see(connection, user, each, done.ids[each.id], ceiling) for each in entries}


def _item(
    entry: ExportedEntry, found: OwnPlan, entry_id: int | None, strangers_see: dict[str, Any] | None
) -> dict[str, Any]:
    plan, unfit = found.plan, found.unfit.get(entry.id)
    erased = plan.refused.get(entry.id) if not unfit else None
    action = "unfit" if unfit else "here" if entry.id in plan.kept else "erased" if erased else "add"
    action = "changed" if entry.id in plan.changed else action
    return {
        "place": _place(entry),
        "action": action,
        "kind": entry.kind or "",
        "visibility": "private" if entry.id in plan.closed or unfit or erased else entry.visibility,
        "id": entry_id,
        "why": unfit or erased or plan.closed.get(entry.id),
        "left_out": [],
        "strangers_see": strangers_see,
    }


def _strangers_see(
    connection: Connection, user: User, entry: ExportedEntry, entry_id: int, ceiling: str
) -> dict[str, Any]:
    person = Person(user.id, user.username, is_active=user.is_active)
    wanted = preview.Wanted(str(entry.kind), entry_id, audience="stranger")
    found = preview.previews(connection, person, wanted, ceiling)
    return {each["level"]: each["answer"] and each["answer"]["data"] for each in found}


def _left_out(found: OwnPlan) -> list[tuple[str, str]]:
    exported = found.own.exported
    releases = exported.carried.get(carried_rows.RELEASES_FILE, ())
    said = {
        "user.json": (True, _NOTHING_OF_ACCOUNT),
        "privacy_rules.json": (found.plan.exported.lacks_rules, _NOTHING_FOR_ALL),
        WORDS_FILE: (exported.words is not None and found.own.words is None, _NO_WORDS),
        carried_rows.RELEASES_FILE: (any(row["entry_id"] is None for row in releases), _NO_WIDE_RELEASES),
        "api_keys.json": (exported.keys_count > 0, _NO_KEYS),
    }
    return [(place, why) for place, (is_said, why) in said.items() if is_said]


def _place(entry: ExportedEntry) -> str:
    return f"{entry.kind}/{entry.id}"
