"""Does what was written since an upgrade go back with a rollback, or come back with the next upgrade?"""

from __future__ import annotations

import json
import random
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import clock, journal
from app.settings import Settings
from app.upgrade.model import Outcome
from app.upgrade.operations import rollback
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.operations.would_be_lost import NAMES, WouldBeLost, by_rollback
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.records import kept_writes
from tests.upgrade.places import contents, execute, value

Old = Callable[[str], Path]

BCRYPT = "$2b$12$" + "x" * 53
ARGON = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
SECRET = '{"content": "no one there may read this"}'
HIDDEN = '{"content": "hides itself", "meta": {"visibility": "private"}}'


def entry(text: str, visibility: str, owner: int = 1) -> str:
    return (
        "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility) "
        f"VALUES (3, '{text}', 1, {owner}, '{visibility}')"
    )


WRITTEN = (
    entry('{"content": "since"}', "public"),
    entry(SECRET, "private"),
    entry(HIDDEN, "private"),
    "UPDATE users SET last_login = '2030-01-01 00:00:00', hashed_password = '" + ARGON + "' WHERE id = 1",
    "INSERT INTO users (id, username, email, hashed_password, is_active, username_key, token_generation)"
    f" VALUES (70, 'since', 'since@example.org', '{ARGON}', 1, 'since', 3)",
    "INSERT INTO api_keys (id, name, key_hash, user_id, is_active, can_write)"
    " VALUES (71, 'w', 'w', 70, 1, 1), (72, 'r', 'r', 70, 1, 0)",
    "INSERT INTO user_privacy_settings (user_id, show_location) VALUES (70, 0)",
    "INSERT INTO login_places (user_id, network) VALUES (70, '192.0.2.0/24')",
    "DELETE FROM api_keys WHERE id = (SELECT min(id) FROM api_keys)",
)


BEGAN = clock.stored(clock.now()).encode()
MOMENT = re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d")


def without_bookkeeping(path: Path) -> dict[str, Any]:
    """The tables but for those of the upgrade itself; a moment that an upgrade put in is any moment."""
    found = contents(path)
    return {
        table: [tuple(b"now" if of_a_run(cell) else cell for cell in row) for row in found[table]]
        for table in found
        if table not in ("database_versions", "kept_values", "id_counters")
    }


def of_a_run(cell: object) -> bool:
    return isinstance(cell, bytes) and MOMENT.fullmatch(cell) is not None and BEGAN <= cell < b"2029"


def there_and_back(settings: Settings) -> tuple[Outcome, Outcome]:
    down = run_rollback(settings)
    assert (down.state, down.exit_code) == ("done", 0), down.message
    up = run_upgrade(settings)
    assert up.state == "done", up.message
    return down, up


@pytest.mark.parametrize("name", ["layout_a", "layout_b"])
def test_rows_go_back_and_what_cannot_comes_again(old: Old, settings: Settings, name: str) -> None:
    path = old(name)
    hash_before = value(path, "SELECT hashed_password FROM users WHERE id = 1")
    assert run_upgrade(settings).state == "done"
    execute(path, *WRITTEN)
    now = without_bookkeeping(path)
    foretold = by_rollback(settings)
    assert without_bookkeeping(path) == now
    down = run_rollback(settings)
    assert (down.state, down.exit_code) == ("done", 0), down.message
    judge_foretold(foretold, down)
    assert value(path, "SELECT count(*) FROM data_entries WHERE data LIKE '%since%'") == 1
    assert value(path, "SELECT count(*) FROM data_entries WHERE data LIKE '%hides itself%'") == 1
    assert value(path, "SELECT count(*) FROM data_entries WHERE data LIKE '%no one there%'") == 0
    assert value(path, "SELECT hashed_password FROM users WHERE id = 1") == hash_before
    assert value(path, "SELECT last_login FROM users WHERE id = 1") == "2030-01-01 00:00:00"
    assert value(path, "SELECT username FROM users WHERE id = 70") == "since"
    assert value(path, "SELECT count(*) FROM api_keys WHERE id = 71") == 1
    assert value(path, "SELECT count(*) FROM api_keys WHERE id = 72") == 0
    judge_counts(down)
    kept = Path(str(down.details["kept_file"]))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert journal.read_journal(settings)[-1].details["kept_file"] == str(kept)
    assert str(kept) in down.message
    up = run_upgrade(settings)
    assert up.state == "done", up.message
    assert not kept.exists(), up.notes
    again = without_bookkeeping(path)
    for table in now:
        assert again[table] == now[table], table


def judge_foretold(foretold: WouldBeLost, down: Outcome) -> None:
    """Hold what is told before to what is told at the end: the same rows, and where they are."""
    details: dict[str, Any] = down.details
    goes, stays = (foretold.lines.index(each) for each in foretold.lines if each.startswith("Written since,"))
    of = {"carried": foretold.lines[goes:stays], "kept": foretold.lines[stays:]}
    for what, lines in of.items():
        for table, counts in details[what].items():
            added, name = counts["added"], NAMES.get(table, f"rows of {table}")
            begin = f"  {name}: {added} new" if added else f"  {name}: "
            assert any(line.startswith(begin) for line in lines), (what, table)
    for at, what in ((goes, "carried"), (stays, "kept")):
        count = sum(sum(each.values()) for each in details[what].values())
        assert foretold.lines[at].endswith(f"({count} rows):")
        assert f"{count} rows" in down.message
    assert "nothing of it is lost, and it comes back by itself with the next upgrade." in down.message
    assert any(line in down.message for line in foretold.lines)  # whose passwords cannot be read


def judge_counts(down: Outcome) -> None:
    details: dict[str, Any] = down.details
    for table, counted in details["written_since"].items():
        for kind, count in counted.items():
            carried = details["carried"].get(table, {}).get(kind, 0)
            assert count == carried + details["kept"].get(table, {}).get(kind, 0), (table, kind)
    assert details["written_since"]["data_entries"] == {"added": 3, "changed": 0, "removed": 0}
    assert details["kept"]["data_entries"] == {"added": 1, "changed": 0, "removed": 0}
    assert details["kept"]["login_places"] == {"added": 1, "changed": 0, "removed": 0}
    assert len(details["cannot_log_in"]) == 2


def test_what_was_hidden_since_is_not_shown_again_by_the_older_version(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    shown = value(path, "SELECT min(id) FROM data_entries")
    run_upgrade(settings)
    public = value(
        path,
        "SELECT min(e.id) FROM data_entries e JOIN users u ON u.id = e.created_by_id"
        " WHERE visibility = 'public' AND u.is_active = 1 AND e.is_active = 1",
    )
    assert shown is not None
    execute(path, f"UPDATE data_entries SET visibility = 'private' WHERE id = {public}")
    now = without_bookkeeping(path)
    there_and_back_seen(settings, path, f"SELECT count(*) FROM data_entries WHERE id = {public}", 0)
    assert without_bookkeeping(path)["data_entries"] == now["data_entries"]


def there_and_back_seen(settings: Settings, path: Path, query: str, wanted: object) -> None:
    assert run_rollback(settings).state == "done"
    assert value(path, query) == wanted
    assert run_upgrade(settings).state == "done"


def test_without_what_was_written_when_one_says_so(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    before = contents(path)
    run_upgrade(settings)
    execute(path, *WRITTEN)
    since = contents(path)
    outcome = run_rollback(settings, discard=True)
    assert outcome.state == "done"
    assert contents(path) == before
    assert outcome.backup is not None
    assert contents(settings.backup_dir / outcome.backup) == since
    assert list(path.parent.glob("*.json")) == []


@pytest.mark.parametrize("name", ["guide_0_1", "second_shape", "third_shape", "fourth_shape"])
def test_odd_databases_too(old: Old, settings: Settings, name: str) -> None:
    path = old(name)
    before = contents(path)
    run_upgrade(settings)
    untouched = run_rollback(settings)
    assert (untouched.details["written_since"], untouched.details["kept_file"]) == ({}, None)
    assert contents(path) == before
    run_upgrade(settings)
    execute(
        path,
        "INSERT INTO users (id, username, email, hashed_password, is_active, username_key)"
        f" VALUES (70, 's', 's', '{BCRYPT}', 1, 's')",
        "INSERT INTO user_privacy_settings (user_id, show_location) VALUES (70, 0)",
        "INSERT INTO data_privacy_rules (id, endpoint_name, field_path) VALUES (900, 'ideas', 'since')",
        entry(SECRET, "private", 70),
    )
    now = without_bookkeeping(path)
    there_and_back(settings)
    again = without_bookkeeping(path)
    for table in ("users", "user_privacy_settings", "data_privacy_rules", "data_entries"):
        assert rows_of_since(again[table]) == rows_of_since(now[table]), table


def rows_of_since(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [row for row in rows if row[0] in (70, 900) or b"no one there" in repr(row).encode()]


def test_what_is_the_owners_goes_back_under_its_own_name(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    execute(
        path,
        "CREATE TABLE login_places (word TEXT PRIMARY KEY, n)",
        "INSERT INTO login_places VALUES ('a', 1.5), ('b', x'00ff')",
        "CREATE TABLE loose (a, b)",
        "INSERT INTO loose VALUES (1, 2)",
        "ALTER TABLE users ADD COLUMN token_generation TEXT",
        "UPDATE users SET token_generation = 'mine'",
        "CREATE TRIGGER more AFTER INSERT ON loose BEGIN"
        " INSERT INTO login_places VALUES ('t' || new.a, 0); END",
    )
    run_upgrade(settings)
    execute(
        path,
        "INSERT INTO owner_login_places VALUES ('c', CAST(x'ff41' AS TEXT))",
        "UPDATE owner_login_places SET n = 9 WHERE word = 'a'",
        "DELETE FROM owner_login_places WHERE word = 'b'",
        "INSERT INTO loose VALUES (3, 4)",
        "UPDATE users SET owner_token_generation = 'since', token_generation = 5 WHERE id = 1",
        "CREATE TABLE made_since (x PRIMARY KEY)",
        "INSERT INTO made_since VALUES (1)",
    )
    now = without_bookkeeping(path)
    run_rollback(settings)
    there = contents(path)
    assert there["login_places"] == [(b"a", 9), (b"c", b"\xffA"), (b"t3", 0)]
    assert (there["loose"], there["made_since"]) == ([(1, 2), (3, 4)], [(1,)])
    assert value(path, "SELECT token_generation FROM users WHERE id = 1") == "since"
    assert run_upgrade(settings).state == "done"
    assert without_bookkeeping(path) == now


def test_a_row_whose_id_was_given_again_gets_another(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, entry(SECRET, "private"))
    run_rollback(settings)
    number = value(path, "SELECT max(id) + 1 FROM data_entries")
    execute(
        path,
        "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id)"
        ' VALUES (3, \'{"content": "there"}\', 1, 1)',
    )
    assert run_upgrade(settings).state == "done"
    assert value(path, f"SELECT data FROM data_entries WHERE id = {number}") == '{"content": "there"}'
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{SECRET}'") == 1
    assert value(path, f"SELECT visibility FROM data_entries WHERE data = '{SECRET}'") == "private"


def test_what_does_not_fit_stays_in_its_file_and_is_told(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(
        path,
        "INSERT INTO login_places (user_id, network) VALUES (1, 'a'), (2, 'b')",
        entry(SECRET, "private"),
    )
    down = run_rollback(settings)
    kept = Path(str(down.details["kept_file"]))
    said = json.loads(kept.read_text())
    (row,) = [row for row in said["rows"] if row["table"] == "data_entries"]
    row["now"]["endpoint_id"] = 4711
    kept.write_text(json.dumps(said))
    up = run_upgrade(settings)
    assert up.state == "done"
    assert f"1 row stays in {kept}, because it does not fit." in up.notes
    assert any("data_entries" in note and "endpoints that it names is not" in note for note in up.notes)
    assert value(path, "SELECT count(*) FROM login_places") == 2
    assert kept.exists()
    row["now"]["endpoint_id"] = 3
    kept.write_text(json.dumps(said))
    execute(path, "DELETE FROM login_places")
    assert run_upgrade(settings, force=True).state == "done"
    assert not kept.exists()
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{SECRET}'") == 1
    assert value(path, "SELECT count(*) FROM login_places") == 0, "what came back once is not brought again"


def test_what_was_erased_does_not_come_back_and_leaves_its_file(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, entry(SECRET, "private"), entry(HIDDEN, "private"))
    kept = Path(str(run_rollback(settings).details["kept_file"]))
    said = json.loads(kept.read_text())
    (row,) = [row for row in said["rows"] if (row["now"] or {}).get("data") == SECRET]
    row["now"]["endpoint_id"] = 4711  # so that it does not fit, and waits
    kept.write_text(json.dumps(said))
    run_upgrade(settings)
    assert SECRET in json.loads(kept.read_text())["rows"][said["rows"].index(row)]["now"]["data"]
    row["now"]["endpoint_id"] = 3
    kept.write_text(json.dumps(said))
    line = f"'data_entries', {row['key'][0]}, '{row['now']['created_at']}', '2026-01-01 00:00:00'"
    execute(
        path,
        "INSERT INTO erasures (installation_id, table_name, record_id, created_at, erased_at)"
        f" SELECT installation_id, {line} FROM installation",
    )
    up = run_upgrade(settings, force=True)
    assert up.state == "done", up.message
    assert not kept.exists(), up.notes
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{SECRET}'") == 0
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{HIDDEN}'") == 1


def test_upgrades_of_one_second_and_one_duration_are_told_apart(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old("layout_b")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr("app.upgrade.steps.apply.time.perf_counter", lambda: 1.0)
    run_upgrade(settings)
    execute(path, entry(SECRET, "private"))
    kept = Path(str(run_rollback(settings).details["kept_file"]))
    said = json.loads(kept.read_text())
    (row,) = [row for row in said["rows"] if row["table"] == "data_entries"]
    row["now"]["endpoint_id"] = 4711
    kept.write_text(json.dumps(said))
    run_upgrade(settings)
    row["now"]["endpoint_id"] = 3
    kept.write_text(json.dumps(said))
    up = run_upgrade(settings, force=True)
    assert up.state == "done", up.message
    assert not kept.exists()
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{SECRET}'") == 1


def test_what_did_not_fit_outlives_another_rollback(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, "INSERT INTO login_places (user_id, network) VALUES (1, 'a')", entry(SECRET, "private"))
    kept = Path(str(run_rollback(settings).details["kept_file"]))
    said = json.loads(kept.read_text())
    (row,) = [row for row in said["rows"] if row["table"] == "data_entries"]
    row["now"]["endpoint_id"] = 4711
    kept.write_text(json.dumps(said))
    run_upgrade(settings)
    assert value(path, "SELECT count(*) FROM login_places") == 1
    run_rollback(settings)
    up = run_upgrade(settings)
    assert up.state == "done", up.message
    still = [file for _, file in kept_writes.find_all(path) if file is not None]
    assert SECRET in [row.now["data"] for file in still for row in file.rows if row.now and "data" in row.now]
    assert value(path, "SELECT count(*) FROM login_places") == 1


def test_what_came_back_and_was_deleted_since_stays_deleted(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, "INSERT INTO login_places (user_id, network) VALUES (1, 'a')")
    there_and_back(settings)
    execute(path, "DELETE FROM login_places")
    there_and_back(settings)
    assert value(path, "SELECT count(*) FROM login_places") == 0


def test_a_file_of_another_state_or_database_counts_for_nothing(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings, target="0.2.0")
    run_upgrade(settings)
    execute(path, "INSERT INTO login_places (user_id, network) VALUES (1, 'a')")
    down = run_rollback(settings)
    kept = Path(str(down.details["kept_file"]))
    text = kept.read_text()
    from app.upgrade.operations.restore import restore_and_hold

    assert down.backup is not None
    restore_and_hold(settings, down.backup)  # as after a kill before the exchange: the state is the old one
    assert run_upgrade(settings, force=True).state == "done"
    assert value(path, "SELECT count(*) FROM login_places") == 1
    assert kept.read_text() == text


@pytest.mark.parametrize("discard", [False, True])
def test_what_an_earlier_try_left_counts_for_nothing(old: Old, settings: Settings, discard: bool) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, entry(SECRET, "private"), "INSERT INTO login_places (user_id, network) VALUES (1, 'a')")
    down = run_rollback(settings)
    first = Path(str(down.details["kept_file"]))
    text = first.read_bytes()
    from app.upgrade.operations.restore import restore_and_hold

    assert down.backup is not None
    restore_and_hold(settings, down.backup)
    execute(path, f"DELETE FROM data_entries WHERE data = '{SECRET}'")
    assert first.read_bytes() == text
    assert run_rollback(settings, discard=discard).state == "done"
    assert not first.exists()
    assert run_upgrade(settings).state == "done"
    assert value(path, f"SELECT count(*) FROM data_entries WHERE data = '{SECRET}'") == 0
    assert value(path, "SELECT count(*) FROM login_places") == (0 if discard else 1)


@pytest.mark.parametrize("where", ["carry_back", "kept_writes"])
def test_where_it_cannot_be_carried_nothing_changes(
    old: Old, settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, *WRITTEN)
    before = contents(path)

    def failing(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    target = (rollback, "carry_back") if where == "carry_back" else (kept_writes, "write")
    with monkeypatch.context() as patched:
        patched.setattr(*target, failing)
        outcome = run_rollback(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 1), outcome
    assert "--discard" in outcome.hint
    assert contents(path) == before
    assert list(path.parent.glob("*.json")) == []
    assert exit_code_of(make_plan(settings)) == 0


# -- against a model -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 13, 18])
def test_random_writes_back_and_forward_lose_nothing(old: Old, settings: Settings, seed: int) -> None:
    """The model is the database itself: after back and forward everything is there that was there before."""
    path = old(["layout_b", "layout_a"][seed % 2])
    chance = random.Random(seed)
    run_upgrade(settings)
    for _ in range(3):
        for _ in range(chance.randrange(1, 12)):
            execute(path, random_write(chance), SETTINGS)
        now = without_bookkeeping(path)
        down = run_rollback(settings)
        assert down.state == "done", down.message
        assert value(path, SHOWN_THERE) == 0
        up = run_upgrade(settings)
        assert up.state == "done", up.message
        again = without_bookkeeping(path)
        for table in now:
            assert again[table] == now[table], (table, seed, up.notes)


# The old server shows every entry of a kind that is public and active; "no one there" is not public here.
SHOWN_THERE = (
    "SELECT count(*) FROM data_entries e JOIN endpoints p ON p.id = e.endpoint_id"
    " WHERE p.is_public IS NOT 0 AND p.is_active IS NOT 0 AND e.data LIKE '%no one there%'"
)
# As the server does: everyone has a row of settings.
SETTINGS = (
    "INSERT INTO user_privacy_settings (user_id, show_location) SELECT id, 0 FROM users"
    " WHERE id NOT IN (SELECT user_id FROM user_privacy_settings)"
)


def random_write(chance: random.Random) -> str:
    number = chance.randrange(1000, 10**6)
    user = "(SELECT id FROM users ORDER BY id LIMIT 1)"
    some = f"(SELECT id FROM data_entries ORDER BY (id * {number}) % 97 LIMIT 1)"
    return chance.choice(
        [
            entry(f'{{"content": "since {number}"}}', "public"),
            entry(f'{{"content": "no one there {number}"}}', "private"),
            f"UPDATE data_entries SET visibility = 'private' WHERE id = {some}",
            "UPDATE data_entries SET data = '{\"content\": \"no one there\"}', visibility = 'unlisted'"
            f" WHERE id = {some}",
            f"DELETE FROM data_entries WHERE id = {some}",
            f"UPDATE data_entries SET is_active = 0 WHERE id = {some}",
            f"INSERT INTO users (username, email, hashed_password, is_active, username_key)"
            f" VALUES ('u{number}', 'e{number}', '{ARGON}', 1, 'u{number}')",
            f"UPDATE users SET token_generation = {number} WHERE id = {user}",
            f"UPDATE users SET hashed_password = '{ARGON}{number}' WHERE id = {user}",
            f"INSERT OR IGNORE INTO login_places (user_id, network) VALUES ({user}, '{number}')",
            f"INSERT INTO api_keys (name, key_hash, user_id, is_active, can_write)"
            f" VALUES ('k', 'k{number}', {user}, 1, {number % 2})",
            "INSERT INTO audit_logs (action, table_name, record_id, user_id)"
            f" VALUES ('a', 'b', {number}, {user})",
            "DELETE FROM api_keys WHERE id = (SELECT min(id) FROM api_keys)",
        ]
    )


def test_check_and_plan_tell_which_rows_will_come_back(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(
        path,
        "INSERT INTO login_places (user_id, network) VALUES (1, 'a'), (2, 'b')",
        entry(SECRET, "private"),
    )
    kept = Path(str(run_rollback(settings).details["kept_file"]))
    plan = make_plan(settings)
    (waiting,) = [each for each in plan.warnings if each.code == "kept_rows"]
    assert "3 rows (1 of data_entries, 2 of login_places) come back with this upgrade" in waiting.message
    assert str(kept) in waiting.message
    kept.with_name(kept.name.replace("rollback_", "rollback_0")).write_text("{")
    assert [each.code for each in make_plan(settings).warnings].count("kept_rows_unreadable") == 1
    run_upgrade(settings)
    assert not [each for each in make_plan(settings).warnings if each.code == "kept_rows"]


def test_what_waits_where_no_upgrade_is_pending_is_told_as_that(old: Old, settings: Settings) -> None:
    path = old("layout_b")
    run_upgrade(settings)
    execute(path, entry(SECRET, "private"))
    kept = Path(str(run_rollback(settings).details["kept_file"]))
    said = json.loads(kept.read_text())
    (row,) = [row for row in said["rows"] if row["table"] == "data_entries"]
    row["now"]["endpoint_id"] = 4711
    kept.write_text(json.dumps(said))
    run_upgrade(settings)
    (waiting,) = [each for each in make_plan(settings).warnings if each.code == "kept_rows"]
    assert "1 row (1 of data_entries) comes back with the next upgrade, as far as it fits" in waiting.message
    assert "upgrade run --force" in waiting.hint
