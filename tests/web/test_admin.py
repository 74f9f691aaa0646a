"""Do admins see and decide what the table of addresses says, and does whom it is about hear of it?"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest

from app import __version__
from app.settings import Settings
from app.upgrade.versions.releases import NEWEST
from tests.web.conftest import Site, wait_until


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    """The admin's login; ben is there too, with an idea of his own and a key."""
    ben = site.add_user("ben")
    site.ben = site.log_in("ben")  # type: ignore[attr-defined]
    written = site.client.post(
        "/api/v1/ideas", json={"content": "bees", "visibility": "private"}, headers=ben_of(site)
    )
    site.idea = written.json()["id"]  # type: ignore[attr-defined]
    assert ben.id
    return site.log_in("ann")


def ben_of(site: Site) -> dict[str, str]:
    found: dict[str, str] = site.ben  # type: ignore[attr-defined]
    return found


def own_lines(site: Site, action: str) -> list[dict[str, Any]]:
    site.app.server.pending_audit.write()
    items = site.client.get("/auth/audit", headers=ben_of(site)).json()["items"]
    return [each for each in items if each["action"] == action]


def test_who_reads_a_persons_private_entries_leaves_a_line_that_this_person_sees(
    site: Site, ann: dict[str, str]
) -> None:
    idea = f"/api/v1/ideas/{site.idea}"  # type: ignore[attr-defined]
    assert own_lines(site, "READ") == []
    assert site.client.get(idea, headers=ben_of(site)).status_code == 200
    assert own_lines(site, "READ") == [], "one's own reading is no one's business"
    assert "bees" in site.client.get(idea, headers=ann).text
    (line,) = own_lines(site, "READ")
    assert (line["by"], line["is_own"], line["details"]) == ("ann", False, {"kind": "ideas", "count": 1})
    assert (line["ip_address"], line["user_agent"]) == (None, None), "where she came from is hers"


def test_who_changes_or_deletes_a_persons_entry_leaves_a_line_too(site: Site, ann: dict[str, str]) -> None:
    idea = f"/api/v1/ideas/{site.idea}"  # type: ignore[attr-defined]
    assert site.client.patch(idea, json={"more": 1}, headers=ben_of(site)).status_code == 200
    assert own_lines(site, "ADMIN_CHANGE") == []
    assert site.client.patch(idea, json={"more": 2}, headers=ann).status_code == 200
    assert site.client.delete(idea, headers=ann).status_code == 204
    entry_id = site.idea  # type: ignore[attr-defined]
    assert [line["details"] for line in own_lines(site, "ADMIN_CHANGE")] == [
        {"kind": "ideas", "entry_id": entry_id, "did": "DELETE"},
        {"kind": "ideas", "entry_id": entry_id, "did": "UPDATE"},
    ]
    assert all("bees" not in str(line) for line in own_lines(site, "DELETE"))


def test_ones_own_audit_has_nothing_of_others_and_goes_on_page_by_page(
    site: Site, ann: dict[str, str]
) -> None:
    site.client.patch("/auth/me", json={"full_name": "Ann of the hills"}, headers=ann)
    found, cursor = [], None
    while True:
        query = {"limit": 1, **({} if cursor is None else {"cursor": cursor})}
        page = site.client.get("/auth/audit", params=query, headers=ben_of(site)).json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [each["action"] for each in found] == ["CREATE", "LOGIN", "CREATE"]
    assert {each["by"] for each in found} == {"ben"}
    assert "hills" not in str(found)


@pytest.mark.parametrize("at", ["/api/v1/admin", "/admin"])
def test_accounts_are_listed_page_by_page(site: Site, ann: dict[str, str], at: str) -> None:
    first = site.client.get(f"{at}/users", params={"limit": 1}, headers=ann).json()
    assert [each["username"] for each in first["items"]] == ["ann"]
    rest = site.client.get(f"{at}/users", params={"cursor": first["next"]}, headers=ann).json()
    assert ([each["username"] for each in rest["items"]], rest["next"]) == (["ben"], None)


def test_a_person_is_kept_out_and_let_in_again(site: Site, ann: dict[str, str]) -> None:
    place = f"/api/v1/admin/users/{site.user('ben').id}"
    assert site.client.patch(place, json={"is_active": False}, headers=ann).json()["is_active"] is False
    assert site.client.get("/auth/me", headers=ben_of(site)).status_code == 401
    assert site.client.get(place, headers=ann).json()["is_active"] is False
    again = site.client.put(f"/admin/users/{site.user('ben').id}/toggle", headers=ann)
    assert again.json()["is_active"] is True
    rows = site.client.get("/api/v1/admin/audit", params={"action": "ACTIVE"}, headers=ann).json()["items"]
    assert [(each["username"], each["new_values"]) for each in rows] == [
        ("ann", {"is_active": True}),
        ("ann", {"is_active": False}),
    ]
    own = f"/api/v1/admin/users/{site.user('ann').id}"
    assert site.client.patch(own, json={"is_active": False}, headers=ann).status_code == 409
    assert site.client.get("/api/v1/admin/users/999", headers=ann).status_code == 404


def test_everyones_keys_are_seen_without_their_texts_and_ended(site: Site, ann: dict[str, str]) -> None:
    made = site.client.post("/auth/keys", json={"name": "phone"}, headers=ben_of(site)).json()
    listed = site.client.get("/admin/api-keys", headers=ann)
    assert made["key"] not in listed.text
    (found,) = listed.json()["items"]
    assert (found["owner"], found["name"], found["prefix"]) == ("ben", "phone", made["key"][:8])
    place = f"/api/v1/admin/api-keys/{made['id']}"
    assert site.client.delete(place, headers=ann).status_code == 204
    assert site.client.delete(place, headers=ann).status_code == 404
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]}).status_code == 401


def test_entries_are_counted_once_a_minute(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def counts() -> tuple[int, int]:
        found = site.client.get("/admin/data/stats", headers=ann).json()
        return found["endpoints"]["ideas"]["active"], found["totals"]["deleted_entries"]

    assert counts() == (1, 0)
    site.client.post("/api/v1/ideas", json={"content": "x"}, headers=ann)
    site.client.delete(f"/api/v1/ideas/{site.idea}", headers=ann)  # type: ignore[attr-defined]
    assert counts() == (1, 0)
    monkeypatch.setattr("app.server.statistics.KEPT_SECONDS", 0.0)
    assert counts() == (1, 1)


@pytest.mark.only_on("sqlite")
def test_a_backup_is_made_listed_and_kept(site: Site, ann: dict[str, str]) -> None:
    made = site.client.post("/admin/backup", headers=ann)
    assert made.status_code == 201
    assert (site.settings.backup_dir / made.json()["filename"]).is_file()
    listed = site.client.get("/admin/backups", headers=ann).json()["backups"]
    assert [each["filename"] for each in listed] == [made.json()["filename"]]
    assert listed[0]["whose"] == "this"
    assert site.client.delete("/admin/backup/cleanup", headers=ann).json()["deleted_count"] == 0


def test_a_member_is_told_that_there_is_no_room_and_an_admin_makes_some(
    site: Site, ann: dict[str, str]
) -> None:
    place = f"/api/v1/admin/users/{site.user('ben').id}/storage"
    found = site.client.put(place, json={"most_entries": 1}, headers=ann).json()
    assert (found["entries"], found["most_entries"]) == (1, 1)
    refused = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=ben_of(site))
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_reached")
    assert site.client.get("/auth/storage", headers=ben_of(site)).json() == found
    site.client.put(place, json={}, headers=ann)
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=ben_of(site)).status_code == 201
    assert [line["by"] for line in own_lines(site, "STORAGE")] == ["ann", "ann"]
    for odd in ({"most_entries": -1}, {"most_bytes": 2**60}, {"most_bytes": "1"}):
        assert site.client.put(place, json=odd, headers=ann).status_code == 422


@pytest.mark.only_on("sqlite")
def test_a_backup_is_made_and_proved_as_operations_that_only_their_admin_sees(
    site: Site, ann: dict[str, str]
) -> None:
    made = ended(site, site.client.post("/api/v1/admin/backups", headers=ann), ann)
    assert (made["name"], made["state"]) == ("backup", "done")
    assert site.client.get(f"/api/v1/operations/{made['id']}", headers=ben_of(site)).status_code == 404
    backup = site.settings.backup_dir / made["file"]["name"]
    assert hashlib.sha256(backup.read_bytes()).hexdigest() == made["file"]["sha256"]
    prove = f"/api/v1/admin/backups/{backup.name}/prove"
    assert ended(site, site.client.post(prove, headers=ann), ann)["state"] == "done"
    content = bytearray(backup.read_bytes())
    content[5000] ^= 1
    backup.chmod(0o600)
    backup.write_bytes(content)
    assert "is damaged" in ended(site, site.client.post(prove, headers=ann), ann)["fault"]
    assert site.client.post(prove.replace("backup_", "nothing_"), headers=ann).status_code == 404
    assert site.client.get("/api/v1/operations", headers=ben_of(site)).json()["items"] == []
    assert len(site.client.get("/api/v1/operations", headers=ann).json()["items"]) == 3


def ended(site: Site, answer: Any, who: dict[str, str]) -> dict[str, Any]:
    """Return an operation that was begun, once it is over."""
    assert answer.status_code == 202, answer.text
    place = urljoin(str(answer.request.url), answer.headers["location"])

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = site.client.get(place, headers=who).json()
        return None if found["state"] == "running" else found

    found: dict[str, Any] = wait_until(look, "it never ended")
    return found


def test_a_kind_that_is_out_of_use_keeps_its_entries_and_shows_them_to_no_stranger(
    site: Site, ann: dict[str, str]
) -> None:
    site.client.post("/api/v1/ideas", json={"content": "wasps", "visibility": "public"}, headers=ben_of(site))
    kinds = site.client.get("/admin/endpoints?limit=200", headers=ann).json()["items"]
    ideas = next(each for each in kinds if each["name"] == "ideas")
    assert (ideas["owner"], ideas["is_built_in"], ideas["is_active"]) == (None, True, True)
    public = "/api/v1/ideas/users/ben"
    assert "wasps" in site.client.get(public).text
    toggle = f"/admin/endpoints/{ideas['id']}/toggle"
    assert site.client.put(toggle, headers=ann).json()["is_active"] is False
    assert site.client.get(public).status_code == 404
    assert "bees" in site.client.get("/api/v1/ideas", headers=ben_of(site)).text, "they are ben's still"
    refused = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=ben_of(site))
    assert refused.status_code in (404, 409)
    assert site.client.put(toggle, headers=ann).json()["is_active"] is True
    assert "wasps" in site.client.get(public).text


def test_a_kind_with_entries_is_not_removed_and_a_built_in_one_never(site: Site, ann: dict[str, str]) -> None:
    kind = {"name": "meals", "schema": {"type": "object"}, "example": {}}
    site.client.post("/api/v1/endpoints", json=kind, headers=ben_of(site))
    made = site.client.post("/api/v1/meals", json={}, headers=ben_of(site)).json()["id"]
    kinds = site.client.get("/api/v1/admin/endpoints?limit=200", headers=ann).json()["items"]
    ids = {each["name"]: each["id"] for each in kinds}
    place = f"/admin/endpoints/{ids['meals']}"
    site.client.delete(f"/api/v1/meals/{made}", headers=ben_of(site))
    assert site.client.delete(place, headers=ann).status_code == 409, "it can be undeleted"
    assert site.client.post(f"/api/v1/meals/{made}/erase", headers=ben_of(site)).status_code == 200
    assert site.client.delete(place, headers=ann).status_code == 204
    assert site.client.get("/api/v1/endpoints/meals", headers=ben_of(site)).status_code == 404
    assert site.client.delete(f"/admin/endpoints/{ids['ideas']}", headers=ann).status_code == 409


def test_deleted_entries_are_erased_once_they_are_past_their_time_and_as_many_as_were_meant(
    settings: Settings, serve: Callable[..., Site]
) -> None:
    site = serve(dataclasses.replace(settings, deleted_days=30))
    site.add_user("ann", is_admin=True)
    site.add_user("ben")
    ann, ben = site.log_in("ann"), site.log_in("ben")
    post = functools.partial(site.client.post, "/api/v1/ideas", headers=ben)
    old, new, kept = (post(json={"content": f"bees {number}"}).json()["id"] for number in range(3))
    for each in (old, new):
        site.client.delete(f"/api/v1/ideas/{each}", headers=ben)
    with site.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE data_entries SET updated_at = '2020-01-01 00:00:00' WHERE id IN ({old}, {kept})"
        )
    place = "/admin/data/cleanup"
    seen = site.client.get(place, headers=ann).json()
    assert (seen["entries"], seen["kinds"]) == (1, {"ideas": 1})
    for query in ("", "?entries=2"):
        refused = site.client.delete(place + query, headers=ann)
        assert (refused.status_code, "entries=1" in refused.json()["hint"]) == (409, True)
    done = ended(site, site.client.delete(f"{place}?entries=1", headers=ann), ann)
    assert (done["name"], done["state"], done["done_count"]) == ("cleanup", "done", 1)
    left = [each["id"] for each in site.client.get("/api/v1/me/deleted", headers=ben).json()["items"]]
    assert left == [new]
    assert site.client.get(f"/api/v1/ideas/{kept}", headers=ben).status_code == 200
    assert len(site.client.get("/api/v1/me/erasures", headers=ben).json()["items"]) == 1
    lines = site.client.get("/auth/audit", headers=ben).json()["items"]
    assert [(each["by"], each["details"]["did"]) for each in lines if each["action"] == "ADMIN_CHANGE"] == [
        ("ann", "ERASE")
    ]


def test_nothing_is_past_its_time_where_deleted_entries_are_kept_for_ever(
    site: Site, ann: dict[str, str]
) -> None:
    site.client.delete(f"/api/v1/ideas/{site.idea}", headers=ben_of(site))  # type: ignore[attr-defined]
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE data_entries SET updated_at = '2020-01-01 00:00:00'")
    assert site.client.get("/api/v1/admin/data/cleanup", headers=ann).json()["entries"] == 0
    done = ended(site, site.client.delete("/api/v1/admin/data/cleanup?entries=0", headers=ann), ann)
    assert done["state"] == "done"
    assert len(site.client.get("/api/v1/me/deleted", headers=ben_of(site)).json()["items"]) == 1


def test_an_admin_makes_a_key_of_their_own_and_another_an_admin_and_back(
    site: Site, ann: dict[str, str]
) -> None:
    made = site.client.post("/admin/api-keys", json={"name": "k1"}, headers=ann).json()
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]}).status_code == 200
    toggle = f"/admin/users/{site.user('ben').id}/admin"
    assert site.client.put(toggle, headers=ann).json()["role"] == "admin"
    assert site.client.put(toggle, headers=ann).json()["role"] == "member"
    own = f"/admin/users/{site.user('ann').id}/admin"
    assert site.client.put(own, headers=ann).status_code == 409, "the last one stays"


def test_an_admin_is_told_of_the_machine(site: Site, ann: dict[str, str]) -> None:
    found = site.client.get("/admin/system", headers=ann).json()
    assert found["application"]["version"] == __version__
    assert found["application"]["database_version"] == NEWEST
    assert found["system"]["disk_usage"]["total"] > 0
