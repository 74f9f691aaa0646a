"""What does this viewer see of the entries? Filtered views only; a door never gets a row."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.entries import kinds as all_kinds
from app.entries import people, store
from app.entries.entry import Page, View
from app.entries.json_safe import presentable, read_content, whole_text
from app.entries.parts import Heavy, Part, by_cursor, filled, sparing, stored_size
from app.errors import NotFound
from app.privacy.filter import EntryFilter
from app.privacy.levels import effective_level
from app.privacy.person_settings import read_settings
from app.privacy.policy import make_policy
from app.privacy.rules import Rule
from app.privacy.viewer import Viewer

Watch = Callable[[int, str], None]
"""Told whose entry, and of which kind, an admin is shown that is somebody else's and not public."""

_LISTING_HINT = "GET /api/v1/endpoints lists the kinds."


def page(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    owner: str | None = None,
    *,
    level: str | None = None,
    ceiling: str = "public_full",
    part: Part | None = None,
    most_stored: int | None = None,
    watch: Watch | None = None,
) -> Page:
    """Return one page of the entries of a kind that the viewer may see, oldest first (by id).

    ``owner`` is a username; None means the default: for a stranger the oldest active admin (or else the
    oldest active user), for a person their own, for an admin their own and the ownerless, for the local door
    what came in through it. ``level`` None: as much as the viewer may see; a level gives the stranger's view,
    to owners too. ``ceiling`` is the installation's PRIVACY_LEVEL. ``part`` None: the first part.
    Raises NotFound (no such kind or person, as far as the viewer may know), UnknownLevel, UsageError (a part
    that is too large), and Heavy where a stranger's view needs more than ``most_stored`` characters read.
    """
    effective_level(level, ceiling)
    wanted = part or by_cursor()
    endpoint = known_endpoint(conn, viewer, kind)
    named = None if owner is None else people.find_person(conn, viewer, owner, ceiling)
    if level is None and (owner is None or named is not None):
        rows = _whole_entries(conn, viewer, endpoint, named, wanted)
        if rows is not None:
            return _filled(wanted, rows, partial(_watched_view, viewer, endpoint, watch))
    if not endpoint.is_open:
        raise no_such_kind(kind)
    person = _person_meant(conn, viewer) if owner is None else named
    if owner is not None and (person is None or not person.is_active):
        raise NotFound("There is no such person.")
    lens = _lens_for(conn, endpoint, person.id, level, ceiling) if person else None
    if person is None or lens is None:
        return Page(())
    shown = sparing(store.entries_for_strangers(conn, endpoint.id, person.id, wanted), most_stored)
    return _filled(
        wanted, shown, lambda row: _strangers_view(row, lens) if people.says_no_other_word(row) else None
    )


def item(
    conn: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    *,
    level: str | None = None,
    ceiling: str = "public_full",
    most_stored: int | None = None,
    watch: Watch | None = None,
) -> View:
    """Return one entry as the viewer may see it; raises NotFound, UnknownLevel, and Heavy as `page` does.

    Whatever the reason why the viewer may not see it, the error is the same.
    """
    effective_level(level, ceiling)
    endpoint = known_endpoint(conn, viewer, kind)
    row = _entry(conn, viewer, endpoint, entry_id)
    if row is not None and level is None and sees_whole(conn, viewer, row):
        return _watched_view(viewer, endpoint, watch, row)
    if row is None or not is_public(endpoint, row):
        raise no_such_entry()
    if most_stored is not None and stored_size(row) > most_stored:
        raise Heavy
    lens = _lens_for(conn, endpoint, row.created_by_id, level, ceiling)
    if lens is None:
        raise no_such_entry()
    return _strangers_view(row, lens)


def kinds(conn: Connection, viewer: Viewer) -> list[dict[str, Any]]:
    """Return the kinds of entries that the viewer may know of, in the order of their rows.

    Each: name, title, description, schema (JSON Schema of a write), is_public, is_active, is_builtin,
    created_at.
    """
    used = _used_by(conn, viewer)
    found = [one for one in store.all_endpoints(conn) if _knows_of(viewer, one, used)]
    return [_kind_view(endpoint) for endpoint in found]


def kind(conn: Connection, viewer: Viewer, name: str) -> dict[str, Any]:
    """Return one kind, as `kinds` does; raises NotFound."""
    return _kind_view(known_endpoint(conn, viewer, name))


def is_single(conn: Connection, ceiling: str) -> bool:
    """Return whether strangers know of nobody but the person whom addresses without a username mean."""
    return not people.is_anybody_else_shown(conn, store.find_default_person(conn), ceiling)


# -- what the writer asks too


def known_endpoint(conn: Connection, viewer: Viewer, name: str) -> store.Endpoint:
    """Return the endpoint of a kind that the viewer may know of; raises NotFound."""
    endpoint = store.find_endpoint(conn, name)
    if endpoint is None or not _knows_of(viewer, endpoint, partial(_used_by, conn, viewer)):
        raise no_such_kind(name)
    return endpoint


def sees_whole(conn: Connection, viewer: Viewer, row: Row[Any]) -> bool:
    """Whether the viewer sees an entry unfiltered, and may change it."""
    if viewer.kind == "local":
        return store.is_unclaimed(conn, row.id)
    return viewer.is_admin or viewer.owns(row.created_by_id)


def is_public(endpoint: store.Endpoint, row: Row[Any]) -> bool:
    """Whether an entry is there for strangers at all, at any level."""
    is_kept_public = endpoint.is_open and row.visibility == "public" and row.owner_is_active == 1
    return is_kept_public and people.says_no_other_word(row)


def whole_view(row: Row[Any]) -> View:
    """Return an entry as its owner and admins see it: everything, with visibility and owner."""
    content = read_content(row.data)
    view = _view(row, presentable(content.value))
    view["visibility"] = row.visibility if row.visibility in ("public", "unlisted") else "private"
    view["owner"] = None if row.owner is None else whole_text(row.owner)
    if not content.is_readable:
        view["stored_text"] = whole_text(content.text)
    return view


def no_such_entry() -> NotFound:
    """Return the one error for every entry that is not there or may not be seen."""
    return NotFound("There is no such entry.")


def no_such_kind(name: str) -> NotFound:
    """Return the one error for every kind that is not there or may not be known of."""
    return NotFound(f"There is no kind {whole_text(name[:100])!r}.", hint=_LISTING_HINT)


# -- inside


def _filled(
    part: Part, rows: Generator[Row[Any], None, None], view_of: Callable[[Row[Any]], View | None]
) -> Page:
    with closing(rows):  # as soon as the page is full no further row is read
        return filled(part, rows, view_of)


def _watched_view(viewer: Viewer, endpoint: store.Endpoint, watch: Watch | None, row: Row[Any]) -> View:
    """The whole view; ``watch`` is told where the viewer is shown it as an admin only."""
    is_somebodys = row.created_by_id is not None and not viewer.owns(row.created_by_id)
    if watch is not None and viewer.is_admin and is_somebodys and not is_public(endpoint, row):
        watch(row.created_by_id, endpoint.name)
    return whole_view(row)


def _whole_entries(
    conn: Connection,
    viewer: Viewer,
    endpoint: store.Endpoint,
    named: store.Person | None,
    part: Part,
) -> Generator[Row[Any], None, None] | None:
    """The rows that the viewer sees unfiltered, of whom was named; None for what only strangers' eyes see."""
    if viewer.kind == "local":
        return store.entries_unclaimed(conn, endpoint.id, part) if named is None else None
    if viewer.user_id is None:
        return None
    if named is None and viewer.is_admin:
        return store.entries_for_admin(conn, endpoint.id, viewer.user_id, part)
    owner_id = viewer.user_id if named is None else named.id
    if not viewer.is_admin and not viewer.owns(owner_id):
        return None
    return store.entries_of(conn, endpoint.id, owner_id, part)


def _person_meant(conn: Connection, viewer: Viewer) -> store.Person | None:
    """Whose entries an address without a name means: one's own, or the default person's if there is one."""
    if viewer.user_id is None or viewer.username is None:
        return store.find_default_person(conn)
    return store.Person(viewer.user_id, viewer.username, is_active=True)


def _entry(conn: Connection, viewer: Viewer, endpoint: store.Endpoint, entry_id: int) -> Row[Any] | None:
    if viewer.is_admin or viewer.kind == "local":
        return store.find_entry(conn, endpoint.id, entry_id)
    return store.find_entry_shown_to(conn, endpoint.id, entry_id, viewer.user_id)


def _lens_for(
    conn: Connection, endpoint: store.Endpoint, owner_id: int, level: str | None, ceiling: str
) -> EntryFilter | None:
    """What looks at a person's entries of a kind for strangers; None where these are not there at that
    level.
    """
    settings = read_settings(store.settings_rows(conn, owner_id))
    allowed = all_kinds.allow_lists_of(endpoint)
    rules = [_rule(row) for row in store.active_rules(conn)]
    policy = make_policy(endpoint.name, allowed, settings, rules)
    effective = policy.level_for(level, ceiling)
    return None if effective is None else policy.filter_at(effective)


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        endpoint_name=str(row["endpoint_name"]),
        field_path=str(row["field_path"]),
        privacy_level=_text_or_none(row["privacy_level"]),
        field_name=_text_or_none(row["field_name"]),
        pattern=_text_or_none(row["pattern"]),
    )


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _strangers_view(row: Row[Any], lens: EntryFilter) -> View:
    return _view(row, lens.view(presentable(read_content(row.data).value)))


def _view(row: Row[Any], data: object) -> View:
    repeated = (
        {key: data[key] for key in ("content", "meta") if key in data} if isinstance(data, dict) else {}
    )
    created = _time(row.created_at)
    updated = created if row.updated_at is None else _time(row.updated_at)
    return {"id": row.id, **repeated, "data": data, "created_at": created, "updated_at": updated}


def _time(stored: object) -> str | None:
    return None if stored is None else whole_text(clock.rfc3339(str(stored)))


def _knows_of(viewer: Viewer, endpoint: store.Endpoint, used: Any) -> bool:
    if viewer.is_admin or endpoint.is_open:
        return True
    if viewer.is_stranger:
        return False
    is_common = endpoint.name in all_kinds.built_in() and endpoint.is_active
    return (
        is_common
        or viewer.owns(endpoint.created_by_id)
        or endpoint.id in (used() if callable(used) else used)
    )


def _used_by(conn: Connection, viewer: Viewer) -> set[int]:
    return set() if viewer.user_id is None else store.endpoints_used_by(conn, viewer.user_id)


def _kind_view(endpoint: store.Endpoint) -> dict[str, Any]:
    known = all_kinds.built_in().get(endpoint.name)
    description = endpoint.description or (known.description if known else "")
    return {
        "name": whole_text(endpoint.name),
        "title": known.title if known else whole_text(endpoint.name),
        "description": whole_text(str(description)),
        "schema": known.schema if known else all_kinds.CUSTOM_SCHEMA,
        "is_public": endpoint.is_public,
        "is_active": endpoint.is_active,
        "is_builtin": known is not None,
        "created_at": _time(endpoint.created_at),
    }
