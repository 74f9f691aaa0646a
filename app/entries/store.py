"""Which rows? Every query of the entries room, and nothing but queries.

Whatever a stranger may see is decided here, in WHERE, so that LIMIT counts what is shown. Flags are
compared with 1: NULL and odd values are on the closed side.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    union_all,
    update,
)

from app import clock
from app.accounts import audit
from app.entries.parts import Part
from app.ids import next_id
from app.tables import (
    api_keys,
    audit_logs,
    data_entries,
    data_privacy_rules,
    endpoints,
    unclaimed_entries,
    user_privacy_settings,
    users,
)

NAMESAKES_COUNT = 20  # accounts of one name in different cases that are looked at
OWNERS_LOOKED_AT = 200  # in each endpoint; 10 ms where 1,000 people have private entries of all 33 kinds
PUBLISHERS_COUNT = 50
Rows = Generator[Row[Any], None, None]


@dataclass(frozen=True)
class Endpoint:
    """One row of endpoints; ``schema_text`` as it is stored."""

    id: int
    name: str
    description: str | None
    schema_text: str
    is_active: bool
    is_public: bool
    created_at: str | None
    created_by_id: int | None

    @property
    def is_open(self) -> bool:
        """Whether strangers may know of it."""
        return self.is_active and self.is_public


@dataclass(frozen=True)
class Person:
    """One account, as much as this room needs of it."""

    id: int
    username: str
    is_active: bool


# -- endpoints


def find_endpoint(conn: Connection, name: str) -> Endpoint | None:
    """Return the endpoint row of this name."""
    row = conn.execute(select(endpoints).where(endpoints.c.name == name)).first()
    return _endpoint(row) if row else None


def all_endpoints(conn: Connection) -> list[Endpoint]:
    """Return every endpoint row, by id."""
    return [_endpoint(row) for row in conn.execute(select(endpoints).order_by(endpoints.c.id))]


def endpoint_names(conn: Connection) -> set[str]:
    """Return the names of all endpoint rows."""
    return set(conn.execute(select(endpoints.c.name)).scalars())


def add_endpoint(conn: Connection, name: str, description: str, schema_text: str) -> None:
    """Write a public endpoint row that belongs to nobody, with an id that nothing ever named."""
    conn.execute(
        insert(endpoints).values(
            id=next_id(conn, endpoints),
            name=name,
            description=description,
            schema=schema_text,
            is_active=1,
            is_public=1,
            created_at=clock.stored(clock.now()),
        )
    )


def endpoints_used_by(conn: Connection, user_id: int) -> set[int]:
    """Return the ids of the endpoints in which a person has entries."""
    query = select(data_entries.c.endpoint_id).where(data_entries.c.created_by_id == user_id).distinct()
    return set(conn.execute(query).scalars())


def _endpoint(row: Row[Any]) -> Endpoint:
    schema = row.schema
    return Endpoint(
        id=row.id,
        name=row.name,
        description=row.description,
        schema_text=schema if isinstance(schema, str) else "",
        is_active=row.is_active == 1,
        is_public=row.is_public == 1,
        created_at=row.created_at,
        created_by_id=row.created_by_id,
    )


# -- people


def people_named(conn: Connection, typed: str) -> list[Person]:
    """Return the accounts of this name in any case, active or not; exactly as typed first, a few at most."""
    is_exact = users.c.username == typed
    query = _people().where(or_(is_exact, users.c.username_key == typed.casefold()))
    rows = conn.execute(query.order_by(case((is_exact, 0), else_=1), users.c.id).limit(NAMESAKES_COUNT))
    return [_person(row) for row in rows]


def published_kinds(conn: Connection, user_ids: Sequence[int]) -> dict[int, list[Endpoint]]:
    """Return, by person, the open endpoints in which they have public entries.

    The cost is a look into an index for each open endpoint and person, whatever they wrote.
    """
    asked = union_all(*(select(literal(user_id).label("id")) for user_id in user_ids)).subquery()
    query = (
        select(asked.c.id.label("person_id"), endpoints)
        .join_from(asked, endpoints, _has_public_entry(endpoints.c.id, asked.c.id))
        .where(endpoints.c.is_active == 1, endpoints.c.is_public == 1)
    )
    found: dict[int, list[Endpoint]] = {}
    for row in conn.execute(query.order_by(endpoints.c.id)):
        found.setdefault(row.person_id, []).append(_endpoint(row))
    return found


def publishing_people(conn: Connection, but_for: int) -> list[int]:
    """Return the ids of a few active people, ``but_for`` excepted, who have public entries.

    In every open endpoint one owner after the other is looked up in an index, so many rounds at most: the
    cost does not grow with entries, nor without end with people.
    """
    walk = (
        select(
            endpoints.c.id.label("endpoint_id"),
            _next_owner(endpoints.c.id, None).label("owner_id"),
            literal(1).label("rounds"),
        )
        .where(endpoints.c.is_active == 1, endpoints.c.is_public == 1)
        .cte("walk", recursive=True)
    )
    following = _next_owner(walk.c.endpoint_id, walk.c.owner_id)
    walk = walk.union_all(
        select(walk.c.endpoint_id, following, walk.c.rounds + 1).where(
            walk.c.owner_id.is_not(None), walk.c.rounds < OWNERS_LOOKED_AT
        )
    )
    query = (
        select(walk.c.owner_id)
        .join(users, users.c.id == walk.c.owner_id)
        .where(walk.c.owner_id != but_for, users.c.is_active == 1)
        .where(_has_public_entry(walk.c.endpoint_id, walk.c.owner_id))
    )
    return list(dict.fromkeys(conn.execute(query.limit(PUBLISHERS_COUNT)).scalars()))


def _next_owner(endpoint_id: ColumnElement[int], after: ColumnElement[int] | None) -> ScalarSelect[int]:
    entry = data_entries.alias()
    query = select(func.min(entry.c.created_by_id)).where(entry.c.endpoint_id == endpoint_id)
    return (query if after is None else query.where(entry.c.created_by_id > after)).scalar_subquery()


def _has_public_entry(endpoint_id: ColumnElement[int], owner_id: ColumnElement[int]) -> ColumnElement[bool]:
    entry = data_entries.alias()
    return exists().where(
        entry.c.endpoint_id == endpoint_id,
        entry.c.created_by_id == owner_id,
        entry.c.is_active == 1,
        entry.c.visibility == "public",
    )


def find_default_person(conn: Connection) -> Person | None:
    """Return the oldest active admin, or else the oldest active user."""
    active = _people().where(users.c.is_active == 1).order_by(users.c.id).limit(1)
    return _first_person(conn, active.where(users.c.is_admin == 1)) or _first_person(conn, active)


def _people() -> Select[Any]:
    return select(users.c.id, users.c.username, users.c.is_active)


def _first_person(conn: Connection, query: Select[Any]) -> Person | None:
    row = conn.execute(query).first()
    return _person(row) if row else None


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.username, row.is_active == 1)


def settings_rows(conn: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the rows of user_privacy_settings of a person."""
    query = select(user_privacy_settings).where(user_privacy_settings.c.user_id == user_id)
    return [dict(row._mapping) for row in conn.execute(query)]


def active_rules(conn: Connection) -> list[dict[str, Any]]:
    """Return the rows of data_privacy_rules that are not switched off (0 alone switches off), by id."""
    is_on = or_(data_privacy_rules.c.is_active.is_(None), data_privacy_rules.c.is_active != 0)
    query = select(data_privacy_rules).where(is_on).order_by(data_privacy_rules.c.id)
    return [dict(row._mapping) for row in conn.execute(query)]


def all_rules(conn: Connection) -> list[dict[str, Any]]:
    """Return every row of data_privacy_rules, by id."""
    query = select(data_privacy_rules).order_by(data_privacy_rules.c.id)
    return [dict(row._mapping) for row in conn.execute(query)]


# -- entries


def entries_for_strangers(conn: Connection, endpoint_id: int, owner_id: int, part: Part) -> Rows:
    """Yield a person's public entries, by id. Asked only for an open endpoint and an active person.

    Like the other lists: those of the part and one more, if there are more, each read when it is asked for.
    """
    shown = and_(data_entries.c.created_by_id == owner_id, data_entries.c.visibility == "public")
    return _entries(conn, endpoint_id, shown, part)


def entries_of(conn: Connection, endpoint_id: int, owner_id: int, part: Part) -> Rows:
    """Yield everything that a person has of a kind and has not deleted, by id."""
    return _entries(conn, endpoint_id, data_entries.c.created_by_id == owner_id, part)


def entries_for_admin(conn: Connection, endpoint_id: int, admin_id: int | None, part: Part) -> Rows:
    """Yield an admin's own entries, and those that belong to nobody or to an account that is gone, by id."""
    owner = data_entries.c.created_by_id
    somebody = users.alias()  # not the users of the query around it
    is_orphan = not_(exists().where(somebody.c.id == owner))
    mine = or_(owner == admin_id, owner.is_(None), is_orphan)
    return _entries(conn, endpoint_id, mine, part)


def entries_unclaimed(conn: Connection, endpoint_id: int, part: Part) -> Rows:
    """Yield what came in through the open local door, by id."""
    return _entries(conn, endpoint_id, _came_in_unclaimed(), part)


def find_entry(conn: Connection, endpoint_id: int, entry_id: int) -> Row[Any] | None:
    """Return an entry that is not deleted, with its owner's name and whether the owner is active."""
    query = _entry_rows().where(
        data_entries.c.id == entry_id,
        data_entries.c.endpoint_id == endpoint_id,
        data_entries.c.is_active == 1,
    )
    return conn.execute(query).first()


def find_entry_shown_to(
    conn: Connection, endpoint_id: int, entry_id: int, user_id: int | None
) -> Row[Any] | None:
    """Return an entry as `find_entry` does, if it is that person's own or public and its owner active.

    What is not shown is not read either: its size is nothing that the time of an answer could tell.
    """
    is_public = and_(data_entries.c.visibility == "public", users.c.is_active == 1)
    query = _entry_rows().where(
        data_entries.c.id == entry_id,
        data_entries.c.endpoint_id == endpoint_id,
        data_entries.c.is_active == 1,
        is_public if user_id is None else or_(is_public, data_entries.c.created_by_id == user_id),
    )
    return conn.execute(query).first()


def is_unclaimed(conn: Connection, entry_id: int) -> bool:
    """Whether an entry came in through the open local door and still belongs to nobody."""
    query = select(data_entries.c.id).where(data_entries.c.id == entry_id, _came_in_unclaimed())
    return conn.execute(query).first() is not None


def _came_in_unclaimed() -> ColumnElement[bool]:
    is_counted = exists().where(unclaimed_entries.c.entry_id == data_entries.c.id)
    is_audited = exists().where(  # that is all there is of those of 0.3.0
        audit_logs.c.table_name == "data_entries",
        audit_logs.c.record_id == data_entries.c.id,
        audit_logs.c.action == audit.CREATE_UNCLAIMED,
    )
    return and_(data_entries.c.created_by_id.is_(None), or_(is_counted, is_audited))


def _entries(conn: Connection, endpoint_id: int, shown: ColumnElement[bool], part: Part) -> Rows:
    query = (
        _entry_rows()
        .where(data_entries.c.endpoint_id == endpoint_id, data_entries.c.is_active == 1, shown)
        .where(data_entries.c.id > part.after_id)
        .order_by(data_entries.c.id)
        .offset(part.skipped)
        .limit(part.count + 1)
    )
    with conn.execute(query) as found:
        yield from found


def _entry_rows() -> Select[Any]:
    return select(
        data_entries.c.id,
        data_entries.c.data,
        data_entries.c.created_at,
        data_entries.c.updated_at,
        data_entries.c.created_by_id,
        data_entries.c.visibility,
        users.c.username.label("owner"),
        users.c.is_active.label("owner_is_active"),
    ).select_from(data_entries.outerjoin(users, users.c.id == data_entries.c.created_by_id))


# -- writing


def add_entry(
    conn: Connection, endpoint_id: int, owner_id: int | None, text: str, visibility: str, now: datetime
) -> int:
    """Write an entry with an id that no entry and no audit row ever named; return the id."""
    entry_id = next_id(conn, data_entries)
    conn.execute(
        insert(data_entries).values(
            id=entry_id,
            endpoint_id=endpoint_id,
            data=text,
            is_active=1,
            created_at=clock.stored(now),
            created_by_id=owner_id,
            visibility=visibility,
        )
    )
    return entry_id


def change_entry(conn: Connection, entry_id: int, now: datetime, **values: object) -> None:
    """Write new values of an entry: data, visibility, is_active."""
    changed = {**values, "updated_at": clock.stored(now)}
    conn.execute(update(data_entries).where(data_entries.c.id == entry_id).values(changed))


# -- everything of a person, for the export


def account_of(conn: Connection, username: str) -> dict[str, Any] | None:
    """Return the whole account but the password's hash: of that name, or of the only one in any case."""
    columns = [column for column in users.c if column.name != "hashed_password"]
    named = people_named(conn, username)
    found = [one for one in named if one.username == username] or named
    if len(found) != 1:
        return None
    return dict(conn.execute(select(*columns).where(users.c.id == found[0].id)).one()._mapping)


def everything_of(conn: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return every entry of a person, deleted ones too, by id: data as bytes, and the kind's name."""
    columns = [column for column in data_entries.c if column.name != "data"]
    stored = cast(data_entries.c.data, LargeBinary).label("stored")
    query = (
        select(*columns, stored, endpoints.c.name.label("kind"))
        .select_from(data_entries.outerjoin(endpoints, endpoints.c.id == data_entries.c.endpoint_id))
        .where(data_entries.c.created_by_id == user_id)
        .order_by(data_entries.c.id)
    )
    return [dict(row._mapping) for row in conn.execute(query)]


def keys_of(conn: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return a person's API keys, without their hashes, by id."""
    columns = [column for column in api_keys.c if column.name != "key_hash"]
    query = select(*columns).where(api_keys.c.user_id == user_id).order_by(api_keys.c.id)
    return [dict(row._mapping) for row in conn.execute(query)]


def audit_rows_of(conn: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the audit rows of what a person did, by id."""
    query = select(audit_logs).where(audit_logs.c.user_id == user_id).order_by(audit_logs.c.id)
    return [dict(row._mapping) for row in conn.execute(query)]
