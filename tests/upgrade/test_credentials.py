"""Does an upgrade say what anyone could have used to come in, and what of it has ended?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.upgrade.checks.credentials import PUBLISHED_SECRET
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import make_plan
from app.upgrade.report import render
from tests.upgrade.places import execute, value

Old = Callable[[str], Path]
OWN_SECRET = "Zp0-long-enough-and-of-the-operator-alone"


def said_before(settings: Settings) -> str:
    return render.check_text(make_plan(settings))


def is_told(settings: Settings) -> bool:
    return any(found.code == PUBLISHED_SECRET for found in make_plan(settings).warnings)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "without a SECRET_KEY of its own"),
        ({"was_secret_known": True}, "with a SECRET_KEY that was published"),
    ],
)
def test_a_published_secret_is_told_before_and_after(
    old: Old, settings: Settings, changes: dict[str, bool], sentence: str
) -> None:
    old("layout_b")
    settings = replace(settings, **changes)  # type: ignore[arg-type]
    assert sentence in said_before(settings)
    said = render.outcome_text(run_upgrade(settings))
    assert sentence in said
    assert "people log in again once" in said
    assert not is_told(settings)


def test_a_secret_of_ones_own_is_not_called_published_but_old_tokens_end(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    settings = replace(settings, secret_key=OWN_SECRET)
    assert not is_told(settings)
    assert "people log in again once" in render.outcome_text(run_upgrade(settings))


def test_the_server_before_this_one_made_a_secret_but_took_a_published_one(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    run_upgrade(settings, target="0.3.0")
    assert not is_told(settings)
    assert is_told(replace(settings, was_secret_known=True))


# -- API keys


KEYS = """
    UPDATE api_keys SET is_active = 0;
    INSERT INTO api_keys (id, name, key_hash, user_id, is_active, last_used, expires_at) VALUES
        (901, 'phone', 'a', 1, 1, '2026-03-01 10:00:00.123456', NULL),
        (902, 'never', 'b', 1, 1, NULL, '2099-01-01 00:00:00'),
        (903, 'gone', 'c', 1, 0, NULL, NULL),
        (904, 'of no one', 'd', 4242, 1, NULL, NULL),
        (905, 'over', 'e', 1, 1, NULL, '2020-01-01 00:00:00'),
        (906, 'over too', 'f', 1, 1, NULL, '2020-01-01T00:00:00.5+02:00');
"""


def test_every_active_key_is_named_with_owner_and_last_use(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(path, "PRAGMA foreign_keys = OFF", *KEYS.split(";"))
    owner = value(path, "SELECT username FROM users WHERE id = 1")
    notes = run_upgrade(settings).notes
    said = [note for note in notes if "key" in note.lower() and "SECRET_KEY" not in note]
    assert said[0].startswith("API keys that are active: 3.")
    assert "daemon key change ID --write" in said[0]
    assert said[1:4] == [
        f"Key 901 (phone) of {owner}, last used 2026-03-01 10:00:00 UTC.",
        f"Key 902 (never) of {owner}, never used, ends 2099-01-01 00:00:00 UTC.",
        "Key 904 (of no one) of no one, never used.",
    ]
    assert not any("could write" in note or "gone" in note or "over" in note for note in said)
    assert value(path, "SELECT count(*) FROM api_keys WHERE can_write IS NOT NULL") == 0


def test_keys_that_may_have_written_since_an_earlier_upgrade_are_named(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings, target="0.3.0")
    execute(
        path,
        "UPDATE database_versions SET applied_at = '2026-05-01 12:00:00'",
        "DELETE FROM audit_logs",
        "DELETE FROM api_keys",
        "INSERT INTO api_keys (id, name, key_hash, user_id, is_active, last_used) VALUES"
        " (901, 'before', 'a', 1, 1, '2026-05-01 10:59:59'),"
        " (902, 'wrote', 'b', 1, 1, '2026-05-02 00:00:00'),"
        " (903, 'read', 'c', 2, 1, '2026-05-02 00:00:00'), (904, 'ended', 'd', 1, 0, '2026-05-01 11:30:00')",
        "INSERT INTO audit_logs (id, action, table_name, record_id, user_id, created_at) VALUES"
        " (1, 'UPDATE', 'data_entries', 1, 1, '2026-05-02 00:00:00'),"
        " (2, 'UPDATE', 'data_entries', 1, 1, '2026-04-30 00:00:00'),"
        " (3, 'PASSWORD', 'users', 2, 2, '2026-05-02 00:00:00')",
    )
    found = {note.split()[1]: note for note in run_upgrade(settings).notes if "could write" in note}
    assert set(found) == {"902", "903", "904"}
    assert "by the audit: 1;" in found["902"]
    assert "may have made any of them" in found["904"]
    assert "this key changed none" in found["903"]


def test_an_upgrade_at_start_leaves_the_report_in_the_log(
    old: Old, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    old("layout_b")
    with caplog.at_level("INFO"):
        notes = run_upgrade(settings).notes
    (line,) = [each for each in caplog.records if each.getMessage().startswith("upgrade: Done")]
    assert vars(line)["notes"] == list(notes) != []


def test_nothing_is_said_of_keys_where_there_are_none_or_they_are_limited_already(
    old: Old, settings: Settings
) -> None:
    execute(old("layout_b"), "DELETE FROM api_keys")
    assert not any("key " in note for note in run_upgrade(replace(settings, secret_key=OWN_SECRET)).notes)
