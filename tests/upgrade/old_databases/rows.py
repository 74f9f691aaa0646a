"""Which rows did the old programs leave that a careless upgrade would lose, change or show?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.upgrade.old_databases.facts import Account, Facts
from tests.upgrade.old_databases.household import (
    ALL_KINDS,
    ENTRIES,
    FIRST_KINDS,
    PEOPLE,
    SAID_PUBLIC,
    Entry,
    add_endpoint,
    add_entries,
    add_person,
    public_ids,
)
from tests.upgrade.old_databases.making import (
    Layout,
    changed,
    create_tables,
    database,
    expected,
    make,
    opened,
)

# -- texts ---------------------------------------------------------------------------------------------------

ODD_ENTRIES = (
    Entry(101, "ideas", 1, '{"content": "a", "score": NaN, "meta": {"visibility": "public"}}', True),
    Entry(102, "ideas", 1, '{"content": "b", "list": [Infinity, -Infinity]}', True),
    Entry(103, "ideas", 1, '{"content": "half a smile \\ud83d"}', True),
    Entry(104, "ideas", 1, '{"n": 123456789012345678901234567890, "x": 1e-400}', True),
    Entry(105, "ideas", 1, '{"n": ' + "9" * 5000 + "}", True),
    Entry(106, "ideas", 1, '{"deep": ' + "[" * 300 + "]" * 300 + "}", True),
    Entry(107, "ideas", 1, '{"too deep": ' + "[" * 3000 + "]" * 3000 + "}"),
    Entry(108, "ideas", 1, '{"meta": {"visibility": "public", "visibility": "private"}}'),
    Entry(109, "ideas", 1, '{"meta": {"visibility": "public"}, "meta": {"visibility": "public"}}', True),
    Entry(110, "ideas", 1, '{"meta": {"visibility": "public"}, "meta": {"title": "t"}}'),
    Entry(111, "ideas", 1, '"just a text"', True),
    Entry(112, "ideas", 1, 42, True),
    Entry(113, "ideas", 1, "null", True),
    Entry(114, "ideas", 1, "true", True),
    Entry(115, "ideas", 1, '["a", 1]', True),
    Entry(116, "ideas", 1, 3.5, True),
    Entry(117, "ideas", 1, "not JSON at all"),
    Entry(118, "ideas", 1, ""),
    Entry(119, "ideas", 1, '{"meta": {"visibility": null}}'),
    Entry(120, "ideas", 1, '{"meta": {"visibility": ["public"]}}'),
    Entry(121, "ideas", 1, '{"m\\u0065ta": {"visibilit\\u0079": "private"}}'),
    Entry(122, "ideas", 1, '{"content": "the words \\"visibility\\": \\"private\\" in a text"}', True),
    Entry(123, "ideas", 1, b'{"content": "not UTF-8: \xff\xfe", "meta": {"visibility": "public"}}', True),
    Entry(124, "ideas", 1, '{"content": "a"}\0{"visibility": "private"}'),
    Entry(125, "ideas", 1, '{"content": "\\u0000"}', True),
    Entry(126, "ideas", 1, "NaN", True),
    Entry(127, "ideas", 1, "\ufeff" + SAID_PUBLIC),
    Entry(128, "ideas", 1, " \n" + SAID_PUBLIC + "\n", True),
    Entry(129, "ideas", 1, '{"content": "&lt;b&gt; it&#x27;s kept &amp; escaped"}', True),
    Entry(130, "ideas", 1, '{"meta": "no object", "visibility": "unlisted"}'),
    Entry(131, "ideas", 1, SAID_PUBLIC, is_active=None),
    Entry(132, "ideas", 1, "{}", True),
)


@database("odd_texts")
def odd_texts(path: Path, name: str) -> Facts:
    """NaN, lone surrogates, huge numbers, depth, doubled keys, scalars, broken text: all was once stored."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        add_entries(connection, ODD_ENTRIES)
        connection.execute("UPDATE data_entries SET data = CAST(data AS TEXT) WHERE id = 123")
        connection.execute(
            "UPDATE audit_logs SET new_values = CAST(new_values AS TEXT) WHERE record_id = 123"
        )
        connection.execute("UPDATE endpoints SET description = CAST(x'fffe' AS TEXT) WHERE name = 'goals'")
        connection.execute("UPDATE api_keys SET name = ''")
    return changed(facts, public_ids=public_ids(*Layout().entries, *ODD_ENTRIES))


@database("odd_texts_in_odd_tables")
def odd_texts_in_odd_tables(path: Path, name: str) -> Facts:
    """Values that no column was made for, in the tables that are turned into another form."""
    facts = make(path, name, Layout("altered", settings="second", rules="third"))
    with opened(path) as connection:
        connection.executescript(
            """
            UPDATE user_privacy_settings SET created_at = CAST(x'ff20fe' AS TEXT), show_contact_info = 'maybe'
                WHERE id = 1;
            UPDATE user_privacy_settings SET custom_filters = x'00ff', updated_at = 1.5 WHERE id = 2;
            INSERT INTO user_privacy_settings (id, user_id) VALUES (40, 'nobody'), (41, 3);
            UPDATE data_privacy_rules SET rule_config = CAST(x'7bff7d' AS TEXT), is_active = 'perhaps'
                WHERE id = 1;
            INSERT INTO data_privacy_rules (id, rule_name, rule_type, rule_config)
                VALUES (9, 'phones', 'hide', '{"fields": ["contact.phone"], "level": "professional"}');
            """
        )
    return changed(facts, orphans=1)


# -- settings ------------------------------------------------------------------------------------------------


@database("settings_missing")
def settings_missing(path: Path, name: str) -> Facts:
    """Accounts made at the command line have no settings."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.execute("DELETE FROM user_privacy_settings")
    return facts


@database("settings_doubled")
def settings_doubled(path: Path, name: str) -> Facts:
    """The second shape has no UNIQUE: Ben has three rows that contradict each other."""
    facts = make(path, name, Layout("altered", settings="second", rules="second"))
    with opened(path) as connection:
        connection.executemany(
            "INSERT INTO user_privacy_settings (user_id, privacy_level, show_contact_info,"
            " ai_assistant_access, business_card_mode, custom_filters) VALUES (2, ?, ?, ?, ?, ?)",
            [
                ("public_full", 1, 0, 0, '["summary", "contact.phone"]'),
                ("business_card", 1, 1, 0, '{"contact.phone": "redact", "title": "redact"}'),
            ],
        )
    return facts


@database("settings_left_over")
def settings_left_over(path: Path, name: str) -> Facts:
    """Settings of an account that is gone, in the releases' own table."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.execute("INSERT INTO user_privacy_settings (user_id, show_contact_info) VALUES (77, 0)")
    return changed(facts, orphans=1)


@database("settings_left_over_second")
def settings_left_over_second(path: Path, name: str) -> Facts:
    """The same in the second shape."""
    facts = make(path, name, Layout("altered", settings="second", rules="second"))
    with opened(path) as connection:
        connection.execute("INSERT INTO user_privacy_settings (user_id) VALUES (77)")
    return changed(facts, orphans=1)


@database("settings_chosen_third")
def settings_chosen_third(path: Path, name: str) -> Facts:
    """Settings as names and values, readable and not."""
    facts = make(path, name, Layout("a", settings="third", rules="third"))
    with opened(path) as connection:
        connection.executemany(
            "INSERT INTO user_privacy_settings (user_id, setting_name, setting_value) VALUES (?, ?, ?)",
            [
                (1, "business_card_mode", "1"),
                (1, "privacy_level", "professional"),
                (2, "ai_assistant_access", "sometimes"),
                (2, "custom_privacy_rules", '{"summary": "hide"}'),
                (3, "custom_filters", "everything"),
            ],
        )
    return facts


@database("rules_of_ones_own")
def rules_of_ones_own(path: Path, name: str) -> Facts:
    """Rules by field path, which no old server ever read."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executemany(
            "INSERT INTO data_privacy_rules (id, endpoint_name, field_path, privacy_level, is_active)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (3, "resume", "contact.phone", "public_full", 1),
                (4, "ideas", "content", None, 0),
                (5, "*", "summary", "nonsense", 1),
            ],
        )
    return facts


# -- references ----------------------------------------------------------------------------------------------


@database("orphans")
def orphans(path: Path, name: str) -> Facts:
    """A row that names nobody, in every reference there is; foreign keys were never enforced."""
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        connection.executescript(
            """
            UPDATE endpoints SET created_by_id = 71 WHERE name = 'recipes';
            INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id) VALUES
                (201, 901, '{"meta": {"visibility": "public"}}', 1, 1),
                (202, 3, '{"meta": {"visibility": "public"}}', 1, 72),
                (203, 902, '{}', 1, 73),
                (204, 3, '{"meta": {"visibility": "public"}}', 1, NULL);
            INSERT INTO api_keys (id, name, key_hash, user_id, is_active) VALUES (51, 'gone', 'abc', 74, 1);
            INSERT INTO audit_logs (id, action, table_name, record_id, user_id)
                VALUES (601, 'DELETE', 'data_entries', 999, 75);
            INSERT INTO user_privacy_settings (user_id) VALUES (76);
            """
        )
    return changed(facts, orphans=8)


@database("ids_named_high")
def ids_named_high(path: Path, name: str) -> Facts:
    """Ids that are gone from their tables and still named: they must never be given out again."""
    facts = make(path, name, Layout("a", kinds=FIRST_KINDS, entries=ENTRIES))
    with opened(path) as connection:
        connection.executescript(
            """
            INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id)
                VALUES (301, 640, '{"content": "of an endpoint that was deleted"}', 1, 1);
            INSERT INTO audit_logs (action, table_name, record_id, user_id) VALUES
                ('CREATE', 'endpoints', 700, 1), ('CREATE', 'data_privacy_rules', 90, 1),
                ('CREATE', 'endpoints', 9223372036854775807, 1), ('DELETE', 'users', 555, 1);
            """
        )
    return changed(facts, orphans=1)


# -- endpoints -----------------------------------------------------------------------------------------------


@database("endpoints_under_later_names")
def endpoints_under_later_names(path: Path, name: str) -> Facts:
    """What the owner made under names that later became kinds: hers stay as they are, hidden or not."""
    entries = (
        Entry(401, "projects", 1, '{"content": "secret"}'),
        Entry(402, "projects", 1, SAID_PUBLIC),
        Entry(403, "quotes", 1, '{"content": "shown"}', is_public=True),
        Entry(404, "contacts", 1, '{"content": "a neighbour"}'),
    )
    facts = make(path, name, Layout("a", kinds=FIRST_KINDS, entries=ENTRIES))
    with opened(path) as connection:
        add_endpoint(connection, "projects", 1, 0, 1)
        add_endpoint(connection, "quotes", 1, 1, 1)
        add_endpoint(connection, "contacts", 1, 1, 1)
        add_entries(connection, entries)
    return changed(facts, public_ids=public_ids(*ENTRIES, *entries))


@database("endpoints_with_odd_names")
def endpoints_with_odd_names(path: Path, name: str) -> Facts:
    """Names that the command line never checked, twins by case, and flags that are neither 0 nor 1."""
    entries = (
        Entry(411, "Bad Name!", 1, '{"content": "x"}', is_public=True),
        Entry(412, "", 1, '{"content": "x"}', is_public=True),
        Entry(413, "Ideas", 1, '{"content": "x"}', is_public=True),
        Entry(414, "unsaid", 1, '{"content": "x"}'),
        Entry(415, "yes", 1, '{"content": "x"}', is_public=True),
        Entry(416, "unsaid", 1, SAID_PUBLIC),
    )
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        for odd in ("Bad Name!", "", "Ideas"):
            add_endpoint(connection, odd)
        add_endpoint(connection, "unsaid", None, None)
        add_endpoint(connection, "yes", 1, "yes")
        add_entries(connection, entries)
    return changed(facts, public_ids=public_ids(*Layout().entries, *entries))


# -- accounts ------------------------------------------------------------------------------------------------


@database("accounts_odd")
def accounts_odd(path: Path, name: str) -> Facts:
    """Twins by case, passwords of 72 bytes and more, names and mail addresses that nobody checked."""
    more = (
        Account(11, "Ann", "a lantern in the orchard"),
        Account(12, "long password", "x" * 100),
        Account(13, "imię/../", "é" * 36 + "tail"),
        Account(14, "n" * 120, "a lantern in the orchard"),
    )
    facts = make(path, name, Layout("b"))
    with opened(path) as connection:
        for person in more:
            add_person(connection, person)
        add_person(connection, Account(15, "no hash", "nothing opens this"), stored="")
        add_person(connection, Account(16, "", "a lantern in the orchard"))
        connection.execute("UPDATE users SET email = 'no mail address' WHERE id = 16")
        add_entries(connection, (Entry(421, "ideas", 11, SAID_PUBLIC),))
    twins = {("Ann", "ideas"): frozenset({421})}
    return changed(facts, accounts=(*PEOPLE, *more), public_ids={**public_ids(*Layout().entries), **twins})


@database("nobody_yet")
def nobody_yet(path: Path, name: str) -> Facts:
    """An installation that was started once and never used."""
    layout = Layout("b", entries=())
    with opened(path) as connection:
        create_tables(connection, layout)
        for kind in ALL_KINDS:
            add_endpoint(connection, kind)
    return changed(expected(name, layout), accounts=(), api_keys=())


def insert_many(connection: sqlite3.Connection, count: int, first_id: int = 10_000) -> None:
    """Insert that many entries of about two kilobytes, for files that must have many pages."""
    connection.executemany(
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id) VALUES (?, 3, ?, 1, 1)",
        [
            (first_id + number, '{"content": "' + f"{number} lantern " * 150 + '", "visibility": "private"}')
            for number in range(count)
        ],
    )
