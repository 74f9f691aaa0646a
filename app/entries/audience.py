"""Audience (kinds by levels). How much of one's own does each level show strangers, and of a field: why?

Of a kind all fields are asked for that it can show, in an entry made up of them: by the filter itself, as an
explanation of an entry is (`explain`). What settings would change is asked of the newest entry of each kind
too, since a rule may name one element of a list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from app.accounts.people import PEOPLE, Person
from app.entries import access, endpoints, kinds, privacy_settings
from app.entries.endpoints import Endpoint
from app.entries.explain import Explanation, explanation_of
from app.entries.order import IN_ORDER
from app.entries.policies import Policies
from app.entries.searched_texts import search_text
from app.errors import NotFound
from app.privacy.declared import form_of
from app.privacy.entry_search import search
from app.privacy.explain import SHOWN
from app.privacy.levels import MOST_OPEN, NAMES
from app.privacy.paths import Node
from app.privacy.person_settings import PersonSettings
from app.privacy.viewer import Viewer
from app.tables import data_entries

COUNTED_MOST = 1_000
"""Entries of a kind that are counted: no request counts all of what someone has."""

NOTHING, SOME, ALL = "nothing", "some", "all"
_TEXT, _MAIL = "text", "someone@example.org"


def audience(connection: Connection, person: Person, ceiling: str) -> list[dict[str, Any]]:
    """Return the kinds that a person knows of: how many entries, and what of them each level shows.

    Each has kind, title, is_open (strangers may know of it), entries and public (COUNTED_MOST at most), and
    by level how many entries strangers find, and of how many of the kind's fields something is shown.
    """
    policies = Policies(connection)
    found = []
    for endpoint in endpoints.known_endpoints(connection, _viewer(person)):
        of_kind = _of_kind(connection, person, endpoint, ceiling, policies)
        public = _count(connection, endpoint, person, access.is_public(endpoint))
        own = _count(connection, endpoint, person, access.is_there())
        levels = {level: _at_level(of_kind, level, public) for level in NAMES}
        found.append({**_named(endpoint), "entries": own, "public": public, "levels": levels})
    return found


def fields_of(connection: Connection, person: Person, kind: str, ceiling: str) -> list[dict[str, Any]]:
    """Return every field that a kind can show, as `path`, and why each level shows or hides it (Explained).

    Of a kind that is neither Daemon's nor the person's own a name that strangers are not shown in an entry (a
    number, an address) is left out. Raises NotFound.
    """
    endpoint = endpoints.find_endpoint(connection, _viewer(person), kind)
    if endpoint is None:
        raise NotFound(f"There is no kind {kind[:50]!r}.", hint="GET /api/v1/endpoints lists the kinds.")
    of_kind = _of_kind(connection, person, endpoint, ceiling, Policies(connection))
    at = {level: of_kind.explained(level) for level in NAMES}
    is_theirs = not endpoint.is_built_in and endpoint.user_id != person.id
    pointers = [
        probe.pointer
        for probe in of_kind.probed.probes
        if not (is_theirs and search_text(json.dumps(_path(probe.pointer))))
    ]
    return [{"path": _path(one), "levels": {level: at[level][one] for level in NAMES}} for one in pointers]


def what_would_change(
    connection: Connection, person: Person, patch: Mapping[str, object], ceiling: str
) -> list[dict[str, Any]]:
    """Return the fields of a person's entries of which strangers would see more or less then.

    Each has kind, path, and by level `from` and `to`. Looks at every kind of which the person has an entry.
    Writes nothing. Raises InvalidContent.
    """
    changes = privacy_settings.checked_patch(connection, person.id, patch)
    found = []
    for endpoint in endpoints.known_endpoints(connection, _viewer(person)):
        newest = _newest(connection, endpoint, person)
        if newest is None:
            continue
        policies = Policies(connection)
        asked = [_of_kind(connection, person, endpoint, ceiling, policies)]
        asked.append(explanation_of(connection, person, newest, ceiling))
        differing: dict[str, dict[str, dict[str, str]]] = {}
        for each in asked:
            _compare(each, _after(each.policy.settings, changes), differing)
        found += [
            {"kind": endpoint.name, "path": path, "levels": levels} for path, levels in differing.items()
        ]
    return found


def _compare(
    before: Explanation, settings: PersonSettings, into: dict[str, dict[str, dict[str, str]]]
) -> None:
    after = before.with_settings(settings)
    for level in NAMES:
        then, now = before.fates(level), after.fates(level)
        for pointer, fate in then.items():
            if now[pointer] != fate:
                into.setdefault(_path(pointer), {})[level] = {"from": fate, "to": now[pointer]}


def _after(settings: PersonSettings, changes: Mapping[str, Any]) -> PersonSettings:
    rules = changes.get("custom_privacy_rules")
    known = {name: value for name, value in changes.items() if name != "custom_privacy_rules"}
    return replace(
        settings, **known, custom_rules=settings.custom_rules if rules is None else tuple(rules.items())
    )


def _at_level(of_kind: Explanation, level: str, public: int) -> dict[str, Any]:
    fates = of_kind.fates(level)
    shown = sum(fate == SHOWN for fate in fates.values())
    word = NOTHING if not shown else ALL if shown == len(fates) else SOME
    return {"entries": public if shown else 0, "shows": word, "fields": shown, "fields_most": len(fates)}


def _of_kind(
    connection: Connection, person: Person, endpoint: Endpoint, ceiling: str, policies: Policies
) -> Explanation:
    policy = policies.policy_of(endpoint, person.id)
    is_own = endpoint.is_built_in or endpoint.user_id == person.id
    fields = _made_up(policy.allowed[MOST_OPEN])
    made_up = (
        fields if is_own else {name: each for name, each in fields.items() if not _holds_something(name)}
    )
    return Explanation(connection, endpoint, policy, ceiling, made_up)


def _holds_something(name: str) -> bool:
    """Whether the name of a field, which someone else has chosen, holds what would be hidden in a text."""
    return next(search(name, None), None) is not None


def _made_up(allowed: Node) -> dict[str, Any]:
    """Return an entry that has every field of an allow-list; what is a list there is one object here."""
    return {
        name: _made_up(node) if node.below else (_MAIL if form_of(name).is_mail else _TEXT)
        for name, node in allowed.below.items()
    }


def _named(endpoint: Endpoint) -> dict[str, Any]:
    title = kinds.built_in()[endpoint.name].title if endpoint.is_built_in else endpoint.title
    return {"kind": endpoint.name, "title": title or endpoint.name, "is_open": endpoint.is_open}


def _count(connection: Connection, endpoint: Endpoint, person: Person, which: ColumnElement[bool]) -> int:
    some = _own_of(endpoint, person).where(which).limit(COUNTED_MOST).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _newest(connection: Connection, endpoint: Endpoint, person: Person) -> int | None:
    query = _own_of(endpoint, person).where(access.is_there())
    found = connection.execute(query.order_by(*(each.desc() for each in IN_ORDER)).limit(1)).scalar()
    return None if found is None else int(found)


def _own_of(endpoint: Endpoint, person: Person) -> Any:
    query = select(data_entries.c.id).join(PEOPLE, PEOPLE.c.id == data_entries.c.created_by_id)
    return query.where(data_entries.c.endpoint_id == endpoint.id, data_entries.c.created_by_id == person.id)


def _viewer(person: Person) -> Viewer:
    return Viewer("person", person.id, person.username)


def _path(pointer: str) -> str:
    tokens = (token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
    return ".".join(token for token in tokens if not token.isdigit())
