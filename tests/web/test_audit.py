"""Is what happens in the audit, nothing that was typed with it, and can admins alone read it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app import clock, journal
from app.accounts import api_keys, audit
from app.accounts.api_keys import NewKey
from app.settings import Settings
from tests.conftest import ROOT
from tests.web.conftest import PASSWORD, Site

TYPED = "my-real-password-typed-as-a-name"


def rows(site: Site, *actions: str) -> list[dict[str, Any]]:
    """What is in the audit of these actions, once everything is written, oldest first."""
    site.app.server.pending_audit.write()
    with site.app.server.supervisor.reading() as connection:
        found = connection.exec_driver_sql("SELECT * FROM audit_logs ORDER BY id").mappings().all()
    shown = [dict(row) for row in found if row["action"] in (actions or audit.EVENTS)]
    return [{**row, "new_values": json.loads(row["new_values"])} for row in shown]


def log_in(site: Site, username: str, password: str = PASSWORD) -> int:
    return site.client.post("/auth/login", data={"username": username, "password": password}).status_code


def make_key(site: Site, username: str) -> tuple[int, dict[str, str]]:
    with site.writing() as connection:
        made, text = api_keys.make_key(connection, site.user(username), NewKey("phone"), clock.now())
    return made.id, {"X-API-Key": text}


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    """The admin's token; bob is there too, with an idea that is private and one that is public."""
    site.add_user("bob")
    bob = site.log_in("bob")
    for visibility in ("private", "public"):
        content = {"content": f"bob's {visibility}", "meta": {"visibility": visibility}}
        assert site.client.post("/api/v1/ideas", json=content, headers=bob).status_code == 201
    return site.log_in("ann")


# -- what is in it


def test_a_login_is_told_with_who_and_from_where(site: Site) -> None:
    site.client.post(
        "/auth/login", data={"username": "ANN", "password": PASSWORD}, headers={"User-Agent": "a browser"}
    )
    [row] = rows(site)
    user_id = site.user("ann").id
    assert (row["action"], row["table_name"], row["record_id"]) == (audit.LOGIN, "users", user_id)
    assert (row["user_id"], row["ip_address"], row["user_agent"]) == (user_id, "192.0.2.1", "a browser")


def test_a_refused_login_names_the_account_and_is_folded(site: Site) -> None:
    for _ in range(3):
        assert log_in(site, "Ann", "a wrong one") == 401
    [row] = rows(site)
    assert (row["action"], row["record_id"], row["user_id"]) == ("LOGIN_REFUSED", site.user("ann").id, None)
    assert row["new_values"] == {"username": "ann", "count": 3}


def test_of_a_name_that_is_nobodys_nothing_that_was_typed_is_kept(site: Site) -> None:
    assert log_in(site, TYPED, "another one") == 401
    [row] = rows(site)
    assert (row["action"], row["record_id"], row["new_values"]) == ("LOGIN_REFUSED", 0, {"count": 1})
    for name in (TYPED, "another one"):
        for path in [*site.settings.data_dir.iterdir(), *site.settings.log_dir.glob("*")]:
            assert name.encode() not in path.read_bytes(), path


def test_a_deactivated_account_that_is_tried_is_told(site: Site, ann: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0 WHERE username = 'bob'")
    assert log_in(site, "bob") == 401
    assert [row["record_id"] for row in rows(site, audit.LOGIN_REFUSED)] == [site.user("bob").id]


def test_guessing_leaves_a_row_a_minute_and_place_however_often(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_time(_seconds: float) -> None:
        """Waiting for its turn is what this test would spend its time on."""

    site.app.server.sleep = no_time
    now = clock.now().replace(second=1)
    monkeypatch.setattr(clock, "now", lambda: now)
    answers = [log_in(site, "ann", f"guess {number}") for number in range(60)]
    assert answers[-1] == 429
    found = rows(site)
    assert [row["action"] for row in found] == [audit.LOGIN_REFUSED, audit.LOGIN_SLOWED]
    assert {row["record_id"] for row in found} == {site.user("ann").id}
    slowed = found[1]["new_values"]["count"]
    assert slowed == sum(answer == 429 for answer in answers) >= 40


def test_the_use_of_a_key_is_told_once_a_minute(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    key_id, key = make_key(site, "ann")
    now = clock.now().replace(second=1)
    for minute in (0, 0, 0, 1):
        monkeypatch.setattr(clock, "now", lambda m=minute: now + timedelta(minutes=m))
        assert site.client.get("/api/v1/ideas", headers=key).status_code == 200
    found = rows(site, audit.KEY_USE)
    assert [row["new_values"]["count"] for row in found] == [3, 1]
    assert {(row["record_id"], row["api_key_id"], row["user_id"]) for row in found} == {
        (key_id, key_id, site.user("ann").id)
    }


def test_a_write_with_a_key_is_one_use_of_it(site: Site, ann: dict[str, str]) -> None:
    key_id, key = make_key(site, "ann")
    site.client.patch(f"/auth/keys/{key_id}", headers=ann, json={"can_write": True})
    assert site.client.post("/api/v1/ideas", headers=key, json={"content": "with a key"}).status_code == 201
    [found] = rows(site, audit.KEY_USE)
    assert found["new_values"]["count"] == 1


def test_an_admin_who_sees_what_is_anothers_and_not_public_is_told(site: Site, ann: dict[str, str]) -> None:
    bob = site.user("bob").id
    for address in ("/api/v1/ideas/users/bob", "/api/v1/ideas/1"):
        assert "bob's private" in site.client.get(address, headers=ann).text
    [row] = rows(site, audit.READ)
    assert (row["table_name"], row["record_id"], row["user_id"]) == ("users", bob, site.user("ann").id)
    assert row["new_values"] == {"kind": "ideas", "count": 2}


def test_what_is_public_ones_own_or_a_strangers_view_is_no_read_of_an_admins(
    site: Site, ann: dict[str, str]
) -> None:
    bob = site.log_in("bob")
    mine = {"content": "ann's", "meta": {"visibility": "private"}}
    assert site.client.post("/api/v1/ideas", json=mine, headers=ann).status_code == 201
    for address, who in (
        ("/api/v1/ideas/2", ann),  # bob's public one
        ("/api/v1/ideas", ann),
        ("/api/v1/ideas/3", ann),
        ("/api/v1/ideas/users/bob?level=public_full", ann),
        ("/api/v1/ideas", bob),
        ("/api/v1/ideas/1", bob),
        ("/api/v1/ideas/users/bob", {}),
    ):
        assert site.client.get(address, headers=who).status_code == 200
    assert rows(site, audit.READ) == []


def test_what_waits_for_its_owner_is_anothers_too(site: Site, ann: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql("INSERT INTO unclaimed_entries (entry_id, size_bytes) VALUES (1, 10)")
    assert "bob's private" in site.client.get("/api/v1/claim/review", headers=ann).text
    assert [row["new_values"]["kind"] for row in rows(site, audit.READ)] == ["ideas"]


# -- reading writes nothing, and does not fail for it


@pytest.mark.only_on("sqlite")  # a server counts the commits of all its databases together
def test_reading_writes_nothing_by_itself(site: Site, ann: dict[str, str]) -> None:
    _key_id, key = make_key(site, "bob")
    site.app.server.pending_audit.write()
    before = site.app.server.supervisor.generation()
    for address, headers in (
        ("/api/v1/ideas", key),
        ("/api/v1/ideas/users/bob", ann),
        ("/api/v1/admin/audit", ann),
    ):
        assert site.client.get(address, headers=headers).status_code == 200
    assert log_in(site, "bob", "a wrong one") == 401
    assert site.app.server.supervisor.generation() == before
    assert len(rows(site, audit.KEY_USE, audit.READ, audit.READ_AUDIT, audit.LOGIN_REFUSED)) == 4


def test_an_audit_that_cannot_be_written_makes_no_read_fail(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, noticed = site.app.server.supervisor, site.app.server.pending_audit

    def full() -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(supervisor, "writing", full)
        for _ in range(3):
            assert site.client.get("/api/v1/ideas/1", headers=ann).status_code == 200
            with pytest.raises(OSError, match="No space"):
                noticed.write()
    assert sum(row["new_values"]["count"] for row in rows(site, audit.READ)) == 3


def test_a_memory_that_was_full_is_told_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    noticed = site.app.server.pending_audit
    noticed.memory.dropped = 7
    noticed.write()
    noticed.write()
    told = [record for record in caplog.records if record.message == "The audit is not whole."]
    assert [getattr(record, "dropped", None) for record in told] == [7]


def test_a_server_that_stops_writes_what_it_remembers(site: Site) -> None:
    assert log_in(site, "ann", "a wrong one") == 401
    site.app.server.jobs.stop()
    assert len(site.app.server.pending_audit.memory) == 0
    assert [row["record_id"] for row in rows(site, audit.LOGIN_REFUSED)] == [1]


# -- how long


def old_events(site: Site, count: int) -> None:
    long_ago = clock.stored(clock.now() - timedelta(days=400))
    with site.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_logs (action, table_name, record_id, new_values, created_at) VALUES "
            + ",".join([f"('LOGIN', 'users', 1, 'null', '{long_ago}')"] * count)
        )


def test_the_job_clears_old_events_away_in_steps(site: Site) -> None:
    old_events(site, 1200)
    left = []
    for _ in range(3):
        site.app.server.pending_audit.keep_up()
        left.append(len(rows(site, audit.LOGIN)))
    assert left == [700, 200, 0]


def test_zero_days_keeps_all(serve: Callable[..., Site], settings: Settings) -> None:
    site = serve(replace(settings, audit_days=0))
    old_events(site, 3)
    site.app.server.pending_audit.keep_up()
    assert len(rows(site, audit.LOGIN)) == 3


# -- reading it


@pytest.mark.parametrize("address", ["/api/v1/admin/audit", "/admin/audit"])
def test_admins_read_the_audit_newest_first(site: Site, ann: dict[str, str], address: str) -> None:
    first = site.client.get(address, params={"limit": 2}, headers=ann).json()
    rest = site.client.get(address, params={"cursor": first["next"]}, headers=ann).json()
    ids = [item["id"] for item in [*first["items"], *rest["items"]]]
    assert ids == sorted(ids, reverse=True)
    assert ids[-1] == 1
    assert rest["next"] is None
    newest = first["items"][0]
    assert (newest["action"], newest["username"], newest["ip_address"]) == ("LOGIN", "ann", "192.0.2.1")
    [created] = [each for each in rest["items"] if each["record_id"] == 1 and each["action"] == "CREATE" and
                 each["table_name"] == "data_entries"]  # fmt: skip
    assert created["new_values"]["content"] == "bob's private"


def test_the_audit_is_asked_by_account_action_and_moment(site: Site, ann: dict[str, str]) -> None:
    def asked(**parameters: str) -> list[tuple[str, str | None]]:
        answer = site.client.get("/api/v1/admin/audit", params=parameters, headers=ann)
        return [(item["action"], item["username"]) for item in answer.json()["items"]]

    assert asked(action="LOGIN") == [("LOGIN", "ann"), ("LOGIN", "bob")]
    assert asked(user="Bob", action="LOGIN") == [("LOGIN", "bob")]
    assert {name for _action, name in asked(user="bob")} == {"bob"}
    assert len(asked(since="2020-01-01T00:00:00Z")) == len(asked())
    assert asked(since="2999-01-01T00:00:00+02:00") == []
    for wrong, status in (({"since": "2020-01-01"}, 400), ({"user": "nobody"}, 404), ({"usr": "bob"}, 400)):
        assert site.client.get("/api/v1/admin/audit", params=wrong, headers=ann).status_code == status


def test_reading_the_audit_is_in_it(site: Site, ann: dict[str, str]) -> None:
    for _ in range(2):
        site.client.get("/api/v1/admin/audit", headers=ann)
    assert [(row["user_id"], row["new_values"]) for row in rows(site, audit.READ_AUDIT)] == [
        (site.user("ann").id, {"count": 2})
    ]


@pytest.mark.only_on("sqlite")  # whose columns take values of any type
def test_no_hash_is_shown_and_odd_rows_break_nothing(site: Site, ann: dict[str, str]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_logs (action, table_name, record_id, old_values, new_values, user_agent,"
            " created_at) VALUES (x'00ff', 'users', 'x', ?, ?, x'ff', 'never'), ('UPDATE', 'data_entries', 1,"
            " ?, NULL, NULL, NULL)",
            (
                '{"hashed_password": "$2b$12$abc", "key_hash": "feed", "username": "ann"}',
                "not json",
                '{"content": NaN, "meta": "\\ud83d"}',
            ),
        )
    answer = site.client.get("/api/v1/admin/audit", headers=ann)
    odd, older = answer.json()["items"][:2]
    assert (odd["old_values"], odd["new_values"]) == ({"content": None, "meta": "\ufffd"}, None)
    assert (older["old_values"], older["new_values"]) == ({"username": "ann"}, "not json")
    assert "$2b$" not in answer.text
    assert "feed" not in answer.text


def test_a_page_is_cut_by_its_bytes_and_goes_on(site: Site, ann: dict[str, str]) -> None:
    content = {"content": "x" * 600_000, "meta": {"visibility": "private"}}
    for _ in range(3):
        assert site.client.post("/api/v1/ideas", json=content, headers=ann).status_code == 201
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while cursor.get("cursor", "") is not None:
        answer = site.client.get("/api/v1/admin/audit", params=cursor, headers=ann)
        assert len(answer.content) < 1_300_000
        seen += [item["id"] for item in answer.json()["items"]]
        cursor = {"cursor": answer.json()["next"]}
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) >= seen[0]


def test_admins_read_the_journal_newest_first(site: Site, ann: dict[str, str]) -> None:
    assert site.client.get("/api/v1/admin/journal", headers=ann).json() == {"items": [], "next": None}
    for number in range(5):
        journal.write_line(site.settings, "restored", message=f"line {number}")
    seen: list[str] = []
    cursor: dict[str, Any] = {"limit": 2}
    while True:
        answer = site.client.get("/api/v1/admin/journal", params=cursor, headers=ann).json()
        seen += [item["message"] for item in answer["items"]]
        if answer["next"] is None:
            break
        cursor["cursor"] = answer["next"]
    assert seen == [f"line {number}" for number in (4, 3, 2, 1, 0)]


def test_every_action_is_in_the_documents() -> None:
    text = (ROOT / "docs/audit.md").read_text()
    told = [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `")]
    assert sorted(told) == sorted((*audit.CHANGES, *audit.EVENTS))
