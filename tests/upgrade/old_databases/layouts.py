"""Which layouts and mixtures of layouts did the releases and their scripts leave?"""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

from tests.upgrade.old_databases import ddl
from tests.upgrade.old_databases.facts import Facts
from tests.upgrade.old_databases.household import (
    ALL_KINDS,
    ANN,
    BEN,
    ENTRIES,
    FIRST_KINDS,
    HASHES,
    add_endpoints,
    add_entries,
    add_keys,
    public_ids,
)
from tests.upgrade.old_databases.making import (
    Layout,
    add_claim,
    add_rules,
    add_settings,
    changed,
    database,
    expected,
    make,
    opened,
)

PLAIN = {
    "layout_a": Layout("a"),
    "layout_a_first_kinds": Layout("a", kinds=FIRST_KINDS, entries=ENTRIES),
    "layout_b": Layout("b"),
    "layout_b_altered": Layout("altered"),
    "guide_0_1": Layout("a", settings="none", rules="none", kinds=FIRST_KINDS, entries=ENTRIES),
    "second_shape": Layout("altered", settings="second", rules="second"),
    "third_shape": Layout("a", settings="third", rules="third", has_validation_status=True),
    "first_and_third": Layout("a", settings="third", rules="own", versions=("0.1.0",)),
    "validation_status": Layout("b", has_validation_status=True, versions=("0.2.2", "0.3.0")),
    "half_second_shape": Layout("altered", settings="second", rules="none"),
    "half_third_shape": Layout("a", settings="third", rules="none", versions=("0.1.0",)),
    "no_claims_yet": Layout("a", versions=()),
}
for _name, _layout in PLAIN.items():
    database(_name)(lambda path, name, layout=_layout: make(path, name, layout))  # type: ignore[misc]


def mixtures() -> dict[str, Layout]:
    """Return every mixture of the known forms, by a name that tells it."""
    found = {}
    for users, settings, rules, versions, status in itertools.product(
        ("a", "b", "altered"),
        ("own", "second", "third", "none"),
        ("own", "second", "third", "none"),
        (None, ("0.3.0",)),
        (False, True),
    ):
        words = [users, settings, rules, "unversioned" if versions is None else "versioned"]
        name = "-".join([*words, *(["status"] if status else [])])
        found[name] = Layout(users, settings, rules, versions, status)
    return found


CLAIMS = {
    "claim_0_3_1_on_layout_a": ("a", "0.3.1", True),
    "claim_0_1_0_on_layout_b": ("b", "0.1.0", True),
    "claim_0_1_0_on_layout_a": ("a", "0.1.0", False),
    "claim_0_3_0_on_layout_b": ("b", "0.3.0", False),
    "claim_of_no_version": ("a", "banana", True),
}


def _claimed(path: Path, name: str) -> Facts:
    users, version, is_contradicted = CLAIMS[name]
    return changed(make(path, name, Layout(users, versions=(version,))), is_contradicted=is_contradicted)


for _name in CLAIMS:
    database(_name)(_claimed)


@database("claim_9_9_9")
def claim_of_a_version_to_come(path: Path, name: str) -> Facts:
    """A version higher than every known one stops the upgrade, whoever wrote it."""
    facts = make(path, name, Layout("b", versions=("0.3.0", "9.9.9")))
    return changed(facts, exit_code=12, is_contradicted=True)


@database("claim_in_an_empty_file")
def claim_in_an_empty_file(path: Path, name: str) -> Facts:
    """What migrate_comprehensive.py leaves in an empty folder: version 0.3.0, and no tables."""
    with opened(path) as connection:
        connection.executescript(ddl.SCRIPT_VERSIONS)
        add_claim(connection, "0.3.0")
    return Facts(
        name,
        variants={**_absent(), "database_versions": "script versions"},
        claims=("0.3.0",),
        is_contradicted=True,
    )


# -- the fourth shape ----------------------------------------------------------------------------------------


def _absent() -> dict[str, str]:
    names = expected("", Layout()).variants
    return dict.fromkeys(names, "absent")


def _fourth_users(connection: sqlite3.Connection, *, full_name: bool) -> None:
    connection.executescript(ddl.FOURTH_USERS)
    if full_name:
        connection.executescript(ddl.ADD_FULL_NAME)
    connection.executemany(
        "INSERT INTO users (id, username, email, hashed_password, is_admin, created_at)"
        " VALUES (?, ?, ?, ?, ?, '2026-11-22 07:38:50')",
        [
            (
                person.id,
                person.username,
                f"{person.username}@mail.example.org",
                HASHES[person.password],
                admin,
            )
            for person, admin in ((ANN, 1), (BEN, 0))
        ],
    )
    connection.execute("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'users'")


def _fourth_facts(name: str, *, full_name: bool) -> Facts:
    return Facts(
        name,
        accounts=(ANN, BEN),
        variants={**_absent(), "users": "fourth shape with full_name" if full_name else "fourth shape"},
    )


@database("fourth_shape")
@database("fourth_shape_full_name")
def fourth_shape(path: Path, name: str) -> Facts:
    """migrate_database.py where there is no daemon.db: users of another form, none of the other four."""
    full_name = name.endswith("full_name")
    with opened(path) as connection:
        _fourth_users(connection, full_name=full_name)
        connection.executescript(ddl.SECOND_SETTINGS + ddl.SECOND_RULES)
        add_settings(connection, "second")
        add_rules(connection, "second")
    facts = _fourth_facts(name, full_name=full_name)
    privacy = dict.fromkeys(("user_privacy_settings", "data_privacy_rules"), "second shape")
    return changed(facts, variants={**facts.variants, **privacy}, adopted=frozenset(privacy))


@database("fourth_shape_died_midway")
def fourth_shape_died_midway(path: Path, name: str) -> Facts:
    """The same script, killed after its first statement."""
    with opened(path) as connection:
        _fourth_users(connection, full_name=False)
    return _fourth_facts(name, full_name=False)


@database("fourth_shape_then_served")
def fourth_shape_then_served(path: Path, name: str) -> Facts:
    """The fourth shape on which a 0.3 server was started: it made the four missing tables."""
    with opened(path) as connection:
        _fourth_users(connection, full_name=True)
        connection.executescript(ddl.REST + ddl.SECOND_SETTINGS + ddl.SECOND_RULES)
        add_endpoints(connection, ALL_KINDS)
        add_entries(connection, tuple(entry for entry in ENTRIES if entry.owner != 3))
        add_keys(connection)
        add_rules(connection, "second")
    layout = Layout(settings="second", rules="second")
    facts = expected(name, layout)
    return changed(
        facts,
        accounts=(ANN, BEN),
        api_keys=facts.api_keys[:3],
        public_ids=public_ids(*ENTRIES),
        variants={**facts.variants, "users": "fourth shape with full_name"},
        orphans=1,  # the key of Cleo, who is not there
    )
