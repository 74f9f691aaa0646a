"""Releases of findings as stored rows. What does a person show of what was found in their texts?

Stored text is never changed by any of this, and a release shows nothing that its level does not list.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from app import clock
from app.accounts import audit
from app.entries import findings, store
from app.entries.endpoints import find_endpoint
from app.entries.entry import Origin
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, get_or_make_key
from app.entries.release_rows import RELEASE, releases_of
from app.errors import NotFound, UsageError
from app.ids import new_id
from app.privacy.detected import CONTACT_KINDS, NEVER_LIST, is_released_one_by_one, kind_of
from app.privacy.detectors.catalogue import names
from app.privacy.found import Found
from app.privacy.released import Release
from app.privacy.viewer import Viewer
from app.tables import finding_releases

FROM_COMMAND_LINE = Origin()
_COLUMNS = tuple(column.name for column in RELEASE)


def release(
    connection: Connection,
    user_id: int,
    *,
    entry_id: int | None = None,
    kind: str | None = None,
    detector: str | None = None,
    value_hash: str | None = None,
    origin: Origin = FROM_COMMAND_LINE,
) -> tuple[Release, ...]:
    """Show what was found: a value in an entry, what an entry has now, or what entries of a kind ever have.

    ``detector`` is what a finding is called where its owner reads it (mail, phone, secret); None is any
    contact data. With neither ``entry_id`` nor ``kind`` it holds in all texts of the person, in later ones
    too. For an entry it holds for the values that are there now. Returns the releases, those that were there
    already too. Raises UsageError for what cannot be released so, and NotFound where nothing like it is
    found. Writes finding_releases, audit_logs, and privacy_secrets where it has no key yet.
    """
    _check(entry_id, kind, detector, value_hash)
    if entry_id is None:
        endpoint_id = None if kind is None else _endpoint_id(connection, user_id, kind)
        return (_release(connection, user_id, origin, None, endpoint_id, detector, None),)
    values = {
        (kind_of(one.detector), one.value_hash): None
        for one in _found_in(connection, user_id, entry_id)
        if _is_meant(one, detector, value_hash)
    }
    if not values:
        raise NotFound(
            "Nothing like that is found in the entry.", hint="GET the entry: `findings` says what is."
        )
    return tuple(
        _release(connection, user_id, origin, entry_id, None, found_kind, value)
        for found_kind, value in values
    )


def withdraw(
    connection: Connection, user_id: int, release_id: int, *, origin: Origin = FROM_COMMAND_LINE
) -> None:
    """Hide again what a release of the person shows. Raises NotFound. Writes finding_releases, audit_logs."""
    row = finding_releases.c
    is_it = (row.id == release_id) & (row.user_id == user_id)
    if connection.execute(delete(finding_releases).where(is_it)).rowcount == 0:
        raise NotFound("There is no such release.")
    _audit(connection, audit.DELETE, user_id, release_id, origin)


# -- inside


def _check(entry_id: int | None, kind: str | None, detector: str | None, value_hash: str | None) -> None:
    if detector is not None and detector not in (*names(), NEVER_LIST):
        raise UsageError(
            f"Nothing is called {detector[:40]!r} that could be found.",
            hint=f"There is {', '.join(names())}.",
        )
    if detector == NEVER_LIST:
        raise UsageError(
            "Words of the never-list are not released.",
            hint="Take the word off the list, or give it a level.",
        )
    if entry_id is not None and kind is not None:
        raise UsageError("An entry has its kind already.", hint="Send one of the two.")
    if value_hash is not None and (entry_id is None or detector is None):
        raise UsageError(
            "A value is released in one entry, by what found it.", hint="Send entry_id and detector with it."
        )
    if value_hash is None and detector is not None and is_released_one_by_one(detector):
        raise UsageError(
            f"What is found as {detector} is released one value at a time.",
            hint="Send entry_id and value_hash, as the entry's `findings` name them.",
        )


def _endpoint_id(connection: Connection, user_id: int, kind: str) -> int:
    endpoint = find_endpoint(connection, Viewer("person", user_id), kind)
    if endpoint is None:
        raise NotFound(f"There is no kind {kind[:100]!r}.")
    return endpoint.id


def _found_in(connection: Connection, user_id: int, entry_id: int) -> tuple[Found, ...]:
    row = store.find_own(connection, user_id, entry_id)
    if row is None:
        raise NotFound("There is no such entry.")
    get_or_make_key(connection, FINDING_VALUES, clock.now())
    return findings.Findings(connection, Policies(connection)).found_in(row)


def _is_meant(found: Found, detector: str | None, value_hash: str | None) -> bool:
    kind = kind_of(found.detector)
    if value_hash is not None:
        return kind == detector and found.value_hash == value_hash
    if detector is None:
        return kind in CONTACT_KINDS
    return kind == detector


def _release(
    connection: Connection,
    user_id: int,
    origin: Origin,
    entry_id: int | None,
    endpoint_id: int | None,
    detector: str | None,
    value_hash: str | None,
) -> Release:
    said = (entry_id, endpoint_id, detector, value_hash)
    for one in releases_of(connection, user_id).rows:
        if (one.entry_id, one.endpoint_id, one.detector, one.value_hash) == said:
            return one
    made = Release(new_id(connection, finding_releases), *said)
    return add_release(connection, user_id, made, clock.now(), origin)


def add_release(
    connection: Connection,
    user_id: int,
    made: Release,
    now: datetime,
    origin: Origin = FROM_COMMAND_LINE,
) -> Release:
    """Write a release as it is, made now; return it. Writes finding_releases, audit_logs."""
    made = replace(made, created_at=clock.stored(now))
    values = {name: getattr(made, name) for name in _COLUMNS}
    connection.execute(insert(finding_releases).values(values | {"user_id": user_id}))
    _audit(connection, audit.CREATE, user_id, made.id, origin)
    return made


def _audit(connection: Connection, action: str, user_id: int, release_id: int, origin: Origin) -> None:
    audit.record(
        connection,
        action,
        "finding_releases",
        release_id,
        now=clock.now(),
        user_id=user_id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
        api_key_id=origin.api_key_id,
    )
