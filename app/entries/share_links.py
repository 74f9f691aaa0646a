"""Share links (capability URLs). Which links did a person make, what does each show, and is it over?

A link is 128 random bits, told once; stored is their SHA-256. It shows named entries, and whole kinds, as
strangers see them at its level: what is public or unlisted, never what is private, a draft or not at
its time. A link that is over, used up or revoked is not found, by the statement that finds none that never
was.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from app import clock
from app.accounts import audit
from app.accounts.audit import Actor
from app.accounts.people import PEOPLE
from app.entries import access, endpoints
from app.entries.entry import invalid
from app.errors import Conflict, NotFound
from app.ids import new_id
from app.privacy.levels import known
from app.privacy.viewer import Viewer
from app.tables import data_entries, share_links, share_targets

TOKEN_BYTES = 16
TOKEN_FORM = "[A-Za-z0-9_-]{21}[AQgw]"
LABEL_CHARACTERS = 100
MOST_LINKS = 200
MOST_TARGETS = 100
MOST_VIEWS = 1_000_000
KIND, ENTRY = "kind", "entry"
_TOKEN = re.compile(TOKEN_FORM)
_LINK = share_links.c
_TARGET = share_targets.c


@dataclass(frozen=True)
class NewLink:
    """What a link is made from: names of kinds, ids of entries, and what ends it. ``level`` None: as much as
    strangers are shown who name none."""

    kinds: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    level: str | None = None
    expires_at: datetime | None = None
    views_most: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Link:
    """What its owner is told of a link; its text no one knows."""

    id: int
    label: str | None
    kinds: tuple[str, ...]
    entries: tuple[int, ...]
    level: str | None
    views_most: int | None
    views_count: int
    expires_at: str | None
    created_at: str
    is_over: bool


@dataclass(frozen=True)
class OpenLink:
    """A link that is not over: whose it is, and the ids of what it shows."""

    id: int
    user_id: int
    level: str | None
    is_counted: bool
    endpoint_ids: frozenset[int]
    entry_ids: frozenset[int]


# -- using


def hash_of(token: str) -> str:
    """Return what is stored of a link's text."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _is_open(now: Any) -> Any:
    has_time = or_(_LINK.expires_at.is_(None), _LINK.expires_at > now)
    return and_(has_time, or_(_LINK.views_most.is_(None), _LINK.views_count < _LINK.views_most))


_OPEN: Select[Any] = (
    select(_LINK.id, _LINK.user_id, _LINK.privacy_level, _LINK.views_most, _TARGET.target, _TARGET.target_id)
    .join_from(share_links, share_targets, _TARGET.link_id == _LINK.id)
    .join(PEOPLE, and_(PEOPLE.c.id == _LINK.user_id, PEOPLE.c.is_active == 1))
    .where(_LINK.token_hash == bindparam("token_hash"), _is_open(bindparam("now")))
)


def find_open(connection: Connection, token: str, now: datetime) -> OpenLink | None:
    """Return the link of this text; None for one that is over just as for one that never was."""
    rows = connection.execute(_OPEN, {"token_hash": hash_of(token), "now": clock.stored(now)}).all()
    if not rows or not _TOKEN.fullmatch(token):
        return None
    first = rows[0]
    ids = {what: frozenset(row.target_id for row in rows if row.target == what) for what in (KIND, ENTRY)}
    is_counted = first.views_most is not None
    return OpenLink(first.id, first.user_id, first.privacy_level, is_counted, ids[KIND], ids[ENTRY])


def count_view(connection: Connection, link: OpenLink, now: datetime) -> bool:
    """Count one more view; False where there is none left. Writes share_links."""
    counted = update(share_links).where(_LINK.id == link.id, _is_open(clock.stored(now)))
    return connection.execute(counted.values(views_count=_LINK.views_count + 1)).rowcount == 1


# -- of their owner


def make(
    connection: Connection, viewer: Viewer, new: NewLink, now: datetime, actor: Actor
) -> tuple[Link, str]:
    """Make a link of the viewer's; return it and its text, which is told this once.

    Raises InvalidContent (nothing to show, a kind or an entry that is not the viewer's to show),
    UnknownLevel, Conflict. Writes share_links, share_targets and audit_logs.
    """
    user_id = viewer.user_id
    assert user_id is not None, "links are made by people"
    if new.level is not None:
        known(new.level)
    targets = [*_kinds(connection, viewer, new.kinds), *_entries(connection, user_id, new.entries)]
    if not targets:
        raise invalid("", "a link shows something: kinds, or entries")
    if len(targets) > MOST_TARGETS:
        raise invalid("", f"a link shows {MOST_TARGETS} kinds and entries at most")
    if new.expires_at is not None and new.expires_at <= now:
        raise invalid("/expires_at", "must be to come")
    count = select(func.count()).select_from(share_links).where(_LINK.user_id == user_id)
    if int(connection.execute(count).scalar_one()) >= MOST_LINKS:
        raise Conflict(f"You have {MOST_LINKS} links.", hint="Revoke one: DELETE /api/v1/links/ID.")
    token, link_id = secrets.token_urlsafe(TOKEN_BYTES), new_id(connection, share_links)
    row = {
        "id": link_id,
        "user_id": user_id,
        "token_hash": hash_of(token),
        "label": new.label,
        "privacy_level": new.level,
        "views_most": new.views_most,
        "views_count": 0,
        "created_at": clock.stored(now),
        "expires_at": None if new.expires_at is None else clock.stored(new.expires_at),
    }
    connection.execute(insert(share_links).values(row))
    aims = [{"link_id": link_id, "target": what, "target_id": target_id} for what, target_id in targets]
    connection.execute(insert(share_targets), aims)
    told = {name: row[name] for name in ("label", "privacy_level", "views_most", "expires_at")}
    told |= {"kinds": list(new.kinds), "entries": list(new.entries)}
    audit.record(connection, audit.CREATE, "share_links", link_id, now=now, new_values=told, **vars(actor))
    return get(connection, user_id, link_id, now), token


def list_links(
    connection: Connection, user_id: int, now: datetime, *, after_id: int = 0, most: int = MOST_LINKS
) -> list[Link]:
    """Return a person's links after an id, by id, those that are over too."""
    query = select(share_links).where(_LINK.user_id == user_id, _LINK.id > after_id).order_by(_LINK.id)
    rows = connection.execute(query.limit(most)).all()
    return _with_targets(connection, rows, now)


def get(connection: Connection, user_id: int, link_id: int, now: datetime) -> Link:
    """Return one of a person's links; raises NotFound."""
    query = select(share_links).where(_LINK.user_id == user_id, _LINK.id == link_id)
    found = _with_targets(connection, connection.execute(query).all(), now)
    if not found:
        raise NotFound(f"There is no link {link_id}.", hint="GET /api/v1/links lists your links.")
    return found[0]


def revoke(connection: Connection, user_id: int, link_id: int, now: datetime, actor: Actor) -> None:
    """End a link for good, and forget it; raises NotFound. Writes all that `make` does."""
    link = get(connection, user_id, link_id, now)
    connection.execute(delete(share_targets).where(_TARGET.link_id == link_id))
    connection.execute(delete(share_links).where(_LINK.id == link_id))
    told = {"label": link.label, "views_count": link.views_count}
    audit.record(connection, audit.REVOKE, "share_links", link_id, now=now, old_values=told, **vars(actor))


# -- inside


def _kinds(connection: Connection, viewer: Viewer, names: tuple[str, ...]) -> list[tuple[str, int]]:
    found = []
    for at, name in enumerate(names):
        endpoint = endpoints.find_endpoint(connection, viewer, name)
        if endpoint is None or not endpoint.is_open:
            raise invalid(f"/kinds/{at}", "there is no such kind, or strangers know nothing of it")
        found.append((KIND, endpoint.id))
    return list(dict.fromkeys(found))


def _entries(connection: Connection, user_id: int, entry_ids: tuple[int, ...]) -> list[tuple[str, int]]:
    entry = data_entries.c
    is_it = (entry.id.in_(entry_ids), entry.created_by_id == user_id, access.is_there())
    found = connection.execute(select(entry.id, entry.visibility).where(*is_it))
    words = {row.id: row.visibility for row in found}
    for at, entry_id in enumerate(entry_ids):
        if entry_id not in words:
            raise invalid(f"/entries/{at}", "you have no such entry")
        if words[entry_id] not in access.SHARED:
            raise invalid(
                f"/entries/{at}",
                "the entry is private, and shown by no link",
                hint='Make it unlisted first: PATCH it with {"visibility": "unlisted"}.',
            )
    return [(ENTRY, entry_id) for entry_id in dict.fromkeys(entry_ids)]


def _with_targets(connection: Connection, rows: Any, now: datetime) -> list[Link]:
    ids = [row.id for row in rows]
    targets = connection.execute(
        select(share_targets).where(_TARGET.link_id.in_(ids)).order_by(_TARGET.target_id)
    ).all()
    return [_link(connection, row, [one for one in targets if one.link_id == row.id], now) for row in rows]


def _link(connection: Connection, row: Row[Any], targets: list[Row[Any]], now: datetime) -> Link:
    names = (endpoints.find_name(connection, one.target_id) for one in targets if one.target == KIND)
    is_late = row.expires_at is not None and row.expires_at <= clock.stored(now)
    return Link(
        id=row.id,
        label=row.label,
        kinds=tuple(filter(None, names)),
        entries=tuple(one.target_id for one in targets if one.target == ENTRY),
        level=row.privacy_level,
        views_most=row.views_most,
        views_count=row.views_count,
        expires_at=row.expires_at,
        created_at=row.created_at,
        is_over=is_late or (row.views_most is not None and row.views_count >= row.views_most),
    )
