"""Who lives in the generated databases, and what did they write?

Each entry says, by hand, whether strangers see it. Ann is the admin, Ben has an account like any other,
Cleo's was deactivated. Their passwords were hashed with bcrypt at its lowest cost, once.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tests.upgrade.old_databases.facts import Account, ApiKey, PublicIds

ANN = Account(1, "ann", "correct horse battery", is_admin=True)
BEN = Account(2, "ben", "pässwörd-ключ-🔑")
CLEO = Account(3, "cleo", "deactivated-9000", is_active=False)
PEOPLE = (ANN, BEN, CLEO)
HASHES = {
    "correct horse battery": "$2b$04$kwc4hZnt1rKRJ0L5wqBho.KrWESthd2LePPN5grNjd7WMm.CHV9Oy",
    "pässwörd-ключ-🔑": "$2b$04$GCqS3UcrdmNtEiK8MwM8cusnZuQzRbJo6VK1j2/HS24x9SX/77/MS",
    "deactivated-9000": "$2b$04$3OQiJidZ9pcX4opKOdogyOrjuJjsgw2qedsXr2exrdMsP2pxOSSvm",
    "a lantern in the orchard": "$2b$04$ehUmif5M3dAQ9S94DKRm0.PtMXYfzlrfe0Dirv/sQnK/U4DHmBG5a",
    # bcrypt reads 72 bytes: of the first the other 28 do not count, the second ends within a letter's bytes
    "x" * 100: "$2b$04$e5LufDdFHf3GXQr2cZvFUex91B8NTTHrxrynM00HJcRiFQTSs3..q",
    "é" * 36 + "tail": "$2b$04$Mb361DG2xo6Ld9udFIAai.o3gk5pnOvYsBM8ApXGw3B32pCgZcQJa",
}

KEYS = (
    ApiKey("daemon_" + "A" * 43, "ann", works=True),
    ApiKey("daemon_" + "B" * 43, "ann", works=True),  # expires in 2099
    ApiKey("daemon_" + "C" * 43, "ann", works=False),  # expired in 2020
    ApiKey("daemon_" + "D" * 43, "cleo", works=False),  # its account is deactivated
)
KEY_ROWS = (
    (1, "laptop", "93a361b4c3f671724d5bb019c85c84bc0c1cdb08d6b0194b354bf107d59cca36", 1, None),
    (
        2,
        "later",
        "d1c1be86aa68d0854da57abdcf45e0321383b087ed0b433441b7e6b595059db9",
        1,
        "2099-01-01 00:00:00.000000",
    ),
    (
        3,
        "expired",
        "06019faba7459ca05c13f2f7ae9f9142ad76f8d14c284bf806de8879817bd6fd",
        1,
        "2020-02-02 02:02:02.000000",
    ),
    (4, "cleo's", "d2189ad0fb0abf72e5e362aa6056a609155a69a0885ab2e6b63200e070fd082d", 3, None),
)

FIRST_KINDS = (
    "resume",
    "about",
    "ideas",
    "skills",
    "favorite_books",
    "problems",
    "hobbies",
    "looking_for",
)
ALL_KINDS = (
    *FIRST_KINDS[:7],
    "projects",
    "looking_for",
    "skills_matrix",
    "personal_story",
    "goals",
    "values",
    "recommendations",
    "learning",
    "quotes",
    "contact_info",
    "events",
    "achievements",
    "contacts",
    "arguments",
    "claims",
    "data_sources",
    "experiments",
    "frames",
    "funding_sources",
    "organizations",
    "outcomes",
    "people",
    "results",
    "risks",
    "solutions",
    "threats",
)
# What Ann made herself: name, is_active, is_public.
CUSTOM = (("recipes", 1, 1), ("diary", 1, 0), ("archive", 0, 1))


@dataclass(frozen=True)
class Entry:
    """A row of data_entries; ``is_public``, by hand: whether a stranger may see it after the upgrade."""

    id: int
    kind: str
    owner: int | None
    data: object
    is_public: bool = False
    is_active: object = 1


SAID_PUBLIC = (
    '{"content": "caf\\u00e9", "meta": {"title": "", "date": "2026-11-22", "tags": [],'
    ' "visibility": "public"}}'
)
ENTRIES = (
    Entry(1, "ideas", 1, SAID_PUBLIC, is_public=True),
    Entry(2, "ideas", 1, '{"content": "mine", "meta": {"visibility": "private"}}'),
    Entry(3, "ideas", 1, '{"content": "by link", "meta": {"visibility": "unlisted"}}'),
    Entry(4, "ideas", 1, '{"title": "old form", "description": "no meta at all"}', is_public=True),
    Entry(5, "ideas", 1, '{"content": "a word of no meaning", "meta": {"visibility": "Public"}}'),
    Entry(6, "ideas", 1, '{"content": "both", "visibility": "private", "meta": {"visibility": "public"}}'),
    Entry(7, "ideas", 1, '{"content": "at the top", "visibility": "public"}', is_public=True),
    Entry(8, "ideas", 1, SAID_PUBLIC, is_active=0),
    Entry(9, "ideas", 2, SAID_PUBLIC, is_public=True),
    Entry(10, "ideas", 3, SAID_PUBLIC),
    Entry(11, "ideas", None, SAID_PUBLIC),
    Entry(
        12, "resume", 1, '{"name": "Ann", "title": "Engineer", "contact": {"phone": "415-555-0134"}}', True
    ),
    Entry(13, "favorite_books", 2, '{"title": "Middlemarch", "author": "George Eliot"}', is_public=True),
    Entry(14, "recipes", 1, '{"title": "Bread", "minutes": 90}', is_public=True),
    Entry(15, "recipes", 1, '{"title": "Soup", "meta": {"visibility": "private"}}'),
    Entry(16, "diary", 1, '{"content": "dear diary"}'),
    Entry(17, "diary", 1, SAID_PUBLIC),
    Entry(18, "archive", 1, SAID_PUBLIC),
)
# Of kinds that came with the second release.
LATER_ENTRIES = (
    Entry(31, "contacts", 1, '{"content": "Pat, next door"}'),
    Entry(32, "contacts", 1, '{"content": "The library", "meta": {"visibility": "public"}}', is_public=True),
    Entry(33, "contact_info", 1, '{"content": "ring twice"}'),
    Entry(34, "people", 1, '{"name": "Pat"}'),
    Entry(35, "risks", 1, '{"content": "fire"}'),
    Entry(36, "projects", 1, '{"content": "a boat"}', is_public=True),
    Entry(37, "quotes", 2, '{"content": "so it goes", "meta": {"visibility": "public"}}', is_public=True),
)


def public_ids(*entries: Entry) -> PublicIds:
    """Group what the entries say by hand."""
    names = {person.id: person.username for person in PEOPLE}
    found: dict[tuple[str, str], set[int]] = {}
    for entry in entries:
        if entry.is_public and entry.owner is not None:
            found.setdefault((names[entry.owner], entry.kind), set()).add(entry.id)
    return {place: frozenset(ids) for place, ids in found.items()}


def add_people(connection: sqlite3.Connection) -> None:
    """Insert the three accounts, as the old server would have."""
    for person in PEOPLE:
        add_person(connection, person)


def add_person(connection: sqlite3.Connection, person: Account, stored: str | None = None) -> None:
    """Insert one account with the stored hash of its password (or ``stored``)."""
    connection.execute(
        "INSERT INTO users"
        " (id, username, email, hashed_password, is_active, is_admin, created_at, last_login)"
        " VALUES (?, ?, ?, ?, ?, ?, '2026-11-22 06:44:18', '2026-11-22 06:45:32.374646')",
        (
            person.id,
            person.username,
            f"{person.username}{person.id}@mail.example.org",
            HASHES[person.password] if stored is None else stored,
            int(person.is_active),
            int(person.is_admin),
        ),
    )


def add_endpoints(connection: sqlite3.Connection, kinds: tuple[str, ...] = ALL_KINDS) -> None:
    """Insert the default kinds and Ann's own three."""
    for name in kinds:
        add_endpoint(connection, name)
    for name, is_active, is_public in CUSTOM:
        add_endpoint(connection, name, is_active, is_public, 1)


def add_endpoint(
    connection: sqlite3.Connection,
    name: str,
    is_active: object = 1,
    is_public: object = 1,
    created_by: int | None = None,
) -> None:
    """Insert one endpoint under the next id."""
    connection.execute(
        "INSERT INTO endpoints (name, description, schema, is_active, is_public, created_by_id)"
        ' VALUES (?, ?, \'{"content": {"type": "string", "required": true}}\', ?, ?, ?)',
        (name, f"as {name} was described then", is_active, is_public, created_by),
    )


def add_entries(connection: sqlite3.Connection, entries: tuple[Entry, ...]) -> None:
    """Insert the entries, and an audit row for each, as the old server wrote them."""
    for entry in entries:
        connection.execute(
            "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_at, created_by_id)"
            " SELECT ?, id, ?, ?, '2026-11-22 06:44:58', ? FROM endpoints WHERE name = ?",
            (entry.id, entry.data, entry.is_active, entry.owner, entry.kind),
        )
        connection.execute(
            "INSERT INTO audit_logs"
            " (action, table_name, record_id, old_values, new_values, user_id, ip_address)"
            " VALUES ('CREATE', 'data_entries', ?, 'null', ?, ?, '127.0.0.1')",
            (entry.id, entry.data, entry.owner),
        )


def add_keys(connection: sqlite3.Connection) -> None:
    """Insert the four API keys."""
    connection.executemany(
        "INSERT INTO api_keys (id, name, key_hash, user_id, is_active, expires_at) VALUES (?, ?, ?, ?, 1, ?)",
        KEY_ROWS,
    )
