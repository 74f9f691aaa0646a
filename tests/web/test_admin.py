"""Do admins see and decide what the table of addresses says, and does whom it is about hear of it?"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urljoin

import pytest

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
    def ended(answer: Any) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        place = urljoin(str(answer.request.url), answer.headers["location"])
        assert site.client.get(place, headers=ben_of(site)).status_code == 404

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = site.client.get(place, headers=ann).json()
            return None if found["state"] == "running" else found

        found: dict[str, Any] = wait_until(look, "it never ended")
        return found

    made = ended(site.client.post("/api/v1/admin/backups", headers=ann))
    assert (made["name"], made["state"]) == ("backup", "done")
    backup = site.settings.backup_dir / made["file"]["name"]
    assert hashlib.sha256(backup.read_bytes()).hexdigest() == made["file"]["sha256"]
    prove = f"/api/v1/admin/backups/{backup.name}/prove"
    assert ended(site.client.post(prove, headers=ann))["state"] == "done"
    content = bytearray(backup.read_bytes())
    content[5000] ^= 1
    backup.chmod(0o600)
    backup.write_bytes(content)
    assert "is damaged" in ended(site.client.post(prove, headers=ann))["fault"]
    assert site.client.post(prove.replace("backup_", "nothing_"), headers=ann).status_code == 404
    assert site.client.get("/api/v1/operations", headers=ben_of(site)).json()["items"] == []
    assert len(site.client.get("/api/v1/operations", headers=ann).json()["items"]) == 3
