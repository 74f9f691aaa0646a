"""Are texts with findings kept from a version that would show them, to come back with the next upgrade?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.settings import Settings
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from tests.upgrade.places import contents, execute, value

FOUND = '[["/content", 0, "phone", 5, 20, "0123456789abcdef"]]'
KNOWN = '[0,["/content", 0, "old_phone", 5, 20, "0123456789abcdef"]]'  # the older version hides it as well
KEPT = ("finding_releases", "never_words", "privacy_secrets", "privacy_selftests")
SETTINGS = "SELECT words_generation || preferred_contact FROM user_privacy_settings WHERE user_id = 1"


def entry(
    entry_id: int, visibility: str, found: str | None, *, owner: int = 1, words: int = 2
) -> tuple[str, ...]:
    made = (
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility) "
        f"""VALUES ({entry_id}, 3, '{{"content": "call +1 415 555 0134"}}', 1, {owner}, '{visibility}')"""
    )
    row = (
        "INSERT INTO text_findings (entry_id, content_hash, detectors_version, words_generation, found) "
        f"VALUES ({entry_id}, 'hash', 1, {words}, '{found}')"
    )
    return (made,) if found is None else (made, row)


def test_texts_with_findings_wait_for_the_next_upgrade(
    old: Callable[[str], Path], settings: Settings
) -> None:
    path = old("layout_a")
    assert run_upgrade(settings).state == "done"
    execute(
        path,
        *entry(9001, "public", FOUND),
        *entry(9002, "public", "[]"),
        *entry(9003, "public", None, owner=2),
        *entry(9004, "private", FOUND),
        *entry(9005, "public", KNOWN),
        *entry(9006, "public", "[]", words=1),  # before the never-list was changed
        *entry(9007, "public", None),
        "INSERT INTO finding_releases (id, user_id, entry_id, detector, value_hash) "
        "VALUES (1, 1, 9001, 'phone', '0123456789abcdef')",
        "INSERT INTO never_words (id, user_id, word_hash, length) VALUES (1, 1, 'hash', 3)",
        "INSERT INTO privacy_secrets (name, secret) VALUES ('finding_values', 'key')",
        "INSERT INTO privacy_selftests (id, outcome) VALUES (1, 'passed')",
        "INSERT INTO view_changes (entry_id, privacy_level, view_hash) VALUES (9001, 'ai_safe', 'hash')",
        "INSERT OR REPLACE INTO user_privacy_settings (user_id, words_generation, preferred_contact, "
        "releases_shipped_rules) VALUES (1, 2, 'contact.email', 1)",
    )
    before = contents(path)
    down = run_rollback(settings)
    assert (down.state, down.exit_code) == ("done", 0), down.message
    there = "SELECT group_concat(id) FROM data_entries WHERE id > 9000"
    assert value(path, there) == "9002,9003,9005"  # what is private, the version before 0.4.0 would show
    assert run_upgrade(settings).state == "done"
    again = contents(path)
    assert value(path, there) == "9001,9002,9003,9004,9005,9006,9007"
    for table in KEPT:
        assert again[table] == before[table], table
    assert value(path, SETTINGS) == "2contact.email"
