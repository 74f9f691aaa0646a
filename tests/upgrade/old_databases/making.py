"""How is a generated old database made? A layout, the household in it, and what the test at hand adds."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.upgrade.old_databases import ddl
from tests.upgrade.old_databases.facts import Facts
from tests.upgrade.old_databases.household import (
    ALL_KINDS,
    ENTRIES,
    KEYS,
    LATER_ENTRIES,
    PEOPLE,
    Entry,
    add_endpoints,
    add_entries,
    add_keys,
    add_people,
    public_ids,
)

Builder = Callable[[Path, str], Facts]
BUILDERS: dict[str, Builder] = {}


def database(name: str) -> Callable[[Builder], Builder]:
    """Register a function as the builder of the database of that name."""

    def register(builder: Builder) -> Builder:
        assert name not in BUILDERS, name
        BUILDERS[name] = builder
        return builder

    return register


@dataclass(frozen=True)
class Layout:
    """Which form each table has: users a, b or altered (b by ALTER), the others own, second, third, none."""

    users: str = "b"
    settings: str = "own"
    rules: str = "own"
    versions: tuple[str, ...] | None = None  # what an old script claims; None: no such table
    has_validation_status: bool = False
    kinds: tuple[str, ...] = ALL_KINDS
    entries: tuple[Entry, ...] = ENTRIES + LATER_ENTRIES


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that commits at the end; foreign keys are off, as they were in every old release."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")  # nobody's data; the tests are quicker
        yield connection


def make(path: Path, name: str, layout: Layout) -> Facts:
    """Make the file and everything in it; return what is expected of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened(path) as connection:
        create_tables(connection, layout)
        add_people(connection)
        add_endpoints(connection, layout.kinds)
        add_entries(connection, layout.entries)
        add_keys(connection)
        add_settings(connection, layout.settings)
        add_rules(connection, layout.rules)
        for version in layout.versions or ():
            add_claim(connection, version)
    return expected(name, layout)


def expected(name: str, layout: Layout) -> Facts:
    """What comes of a database of this layout that nothing else was done to."""
    odd = {"user_privacy_settings": layout.settings, "data_privacy_rules": layout.rules}
    return Facts(
        name,
        public_ids=public_ids(*layout.entries),
        accounts=PEOPLE,
        api_keys=KEYS,
        variants=variants(layout),
        adopted=frozenset(table for table, form in odd.items() if form in ("second", "third")),
        extras=frozenset({"data_entries.validation_status"} if layout.has_validation_status else ()),
        claims=layout.versions or (),
    )


def variants(layout: Layout) -> dict[str, str]:
    """Return the form of each table as the recognition names it."""
    words = {"own": "layout", "second": "second shape", "third": "third shape", "none": "absent"}
    return {
        "users": "layout A" if layout.users == "a" else "layout B",
        "endpoints": "layout",
        "data_entries": "layout",
        "api_keys": "layout",
        "audit_logs": "layout",
        "user_privacy_settings": words[layout.settings],
        "data_privacy_rules": words[layout.rules],
        "database_versions": "absent" if layout.versions is None else "script versions",
        "kept_values": "absent",
    }


def changed(facts: Facts, **changes: object) -> Facts:
    """The same facts with some of them changed."""
    return replace(facts, **changes)  # type: ignore[arg-type]


# -- the parts -----------------------------------------------------------------------------------------------


def create_tables(connection: sqlite3.Connection, layout: Layout) -> None:
    """Make the tables of the layout, each in the words of the program that made it."""
    connection.executescript(ddl.USERS_B if layout.users == "b" else ddl.USERS_A)
    if layout.users == "altered":
        connection.executescript(ddl.ADD_FULL_NAME)
    connection.executescript(ddl.REST)
    connection.executescript(ddl.SETTINGS[layout.settings] + ddl.RULES[layout.rules])
    if layout.has_validation_status:
        connection.executescript(ddl.ADD_VALIDATION_STATUS)
    if layout.versions is not None:
        connection.executescript(ddl.SCRIPT_VERSIONS)


def add_settings(connection: sqlite3.Connection, form: str) -> None:
    """Insert Ann's and Ben's settings; Cleo's account was made at the command line and has none."""
    if form == "own":
        connection.executemany(
            "INSERT INTO user_privacy_settings"
            " VALUES (?, ?, 1, 1, 0, 1, 1, 0, 1, ?, '2026-11-22 06:44:18', NULL)",
            [(1, 1, "{}"), (2, 0, '{"contact.phone": "hide", "na\\u00efve": "redact"}')],
        )
    elif form == "second":
        connection.executemany(
            "INSERT INTO user_privacy_settings (id, user_id, privacy_level, show_contact_info,"
            " ai_assistant_access, business_card_mode, custom_filters, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, '2026-11-22 07:38:47', '2026-11-22 07:38:48')",
            [
                (1, 1, "public_full", 1, 1, 0, None),
                (2, 2, "professional", 0, 1, 0, '{"contact.phone": "hide"}'),
            ],
        )
    elif form == "third":
        connection.executemany(
            "INSERT INTO user_privacy_settings"
            " (id, user_id, setting_name, setting_value, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, '2026-11-22 07:39:11', '2026-11-22 07:39:12')",
            [
                (1, 1, "show_location", "true"),
                (2, 2, "show_contact_info", "false"),
                (3, 2, "favourite_colour", "green"),
            ],
        )


def add_rules(connection: sqlite3.Connection, form: str) -> None:
    """Insert the rules that the program which made this form put in; the releases put in none."""
    if form == "second":
        connection.executemany(
            "INSERT INTO data_privacy_rules (id, field_name, pattern, privacy_level, is_active, created_at)"
            " VALUES (?, ?, ?, ?, ?, '2026-11-22 07:38:47')",
            [
                (1, "phone", r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b", "business_card", 1),
                (2, "ssn", r"\b\d{3}-\d{2}-\d{4}\b", "ai_safe", 1),
                (7, "mine", "orchard", "professional", 0),
            ],
        )
    elif form == "third":
        connection.executemany(
            "INSERT INTO data_privacy_rules (id, rule_name, rule_type, rule_config, is_active, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, 1, '2026-11-22 07:39:11', '2026-11-22 07:39:11')",
            [
                (
                    1,
                    "personal_data_retention",
                    "retention",
                    '{"max_age_days": 365, "applies_to": ["personal_info"]}',
                ),
                (2, "sensitive_data_encryption", "encryption", '{"encryption_level": "AES256"}'),
            ],
        )


def add_claim(connection: sqlite3.Connection, version: str) -> None:
    """Insert a line as version_tracker.py did."""
    connection.execute(
        "INSERT INTO database_versions (version, applied_at, migration_script, description, rollback_notes)"
        " VALUES (?, '2026-11-22 07:39:08', 'initial_setup', 'Initial version tracking setup',"
        " 'Baseline version - use backup to restore')",
        (version,),
    )
