"""Everything about oneself as one ZIP: is it whole, only one's own, private, and gone in time?"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from app import clock
from app.accounts import operations
from app.entries import person_archive
from app.formats.archive import CHECKSUMS, MANIFEST
from app.server import person_exports
from app.tables import import_files, imports, sessions
from tests.web.conftest import PASSWORD, Site, wait_until

EXPORT, OPERATIONS = "/api/v1/me/export", "/api/v1/operations"


@pytest.fixture
def ben(site: Site) -> dict[str, str]:
    """Ben, who has written something, and whose password was typed a moment ago."""
    site.add_user("ben")
    headers = site.log_in("ben")
    for visibility, text in (("public", "ben-shown"), ("private", "ben-hidden"), ("private", "ben-gone")):
        body = {"content": text, "meta": {"visibility": visibility}}
        made = site.client.post("/api/v1/ideas", json=body, headers=headers)
        assert made.status_code == 201, made.text
        last = made.json()["id"]
    site.client.put(f"/api/v1/ideas/{last}", json={"content": "ben-changed"}, headers=headers)
    assert site.client.delete(f"/api/v1/ideas/{last}", headers=headers).status_code == 204
    body = {"content": "ann-hidden", "meta": {"visibility": "private"}}
    site.client.post("/api/v1/ideas", json=body, headers=site.log_in("ann"))
    return headers


def ended(site: Site, headers: dict[str, str], place: str) -> dict[str, Any]:
    def look() -> Any:
        answer = site.client.get(place, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["state"] != "running" else None

    found: dict[str, Any] = wait_until(look, "the export never ended")
    return found


def place_of(answer: Any) -> str:
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith(f"operations/{answer.json()['id']}")
    return f"{OPERATIONS}/{answer.json()['id']}"


def test_it_holds_all_that_is_theirs_and_nothing_of_anyone_else(site: Site, ben: dict[str, str]) -> None:
    user_id, source = site.user("ben").id, b"\x00 as it came"
    with site.writing() as connection:
        row = {"id": 7, "user_id": user_id, "format": "csv", "label": "x.csv", "source_sha256": "0" * 64}
        connection.execute(insert(imports).values(**row, created_at=clock.stored(clock.now())))
        file = {"import_id": 7, "number": 1, "path": "a/../x.csv", "content": source}
        connection.execute(insert(import_files).values(file))
    site.client.get("/api/v1/ideas/users/ben", headers=site.log_in("ann"))  # reads what is private
    site.app.server.pending_audit.write()
    place = place_of(site.client.post(EXPORT, headers=ben))
    done = ended(site, ben, place)
    assert (done["state"], done["done_count"], done["fault"]) == ("done", 3, None)
    answer = site.client.get(f"{place}/file", headers=ben)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert hashlib.sha256(answer.content).hexdigest() == done["file"]["sha256"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    for line in held[CHECKSUMS].decode().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(held[name]).hexdigest() == digest
    assert set(held) == {*json.loads(held[MANIFEST])["files"], CHECKSUMS, MANIFEST}
    whole = b"".join(held.values())
    entries = json.loads(held["entries/ideas.json"])["rows"]
    assert {row["content"]["content"] for row in entries} == {"ben-shown", "ben-hidden", "ben-changed"}
    states = json.loads(held["revisions/ideas.json"])["rows"]
    assert "ben-gone" in {row["content"]["content"] for row in states}
    assert held["imports/7/1-a%2F%2E%2E%2Fx%2Ecsv"] == source
    assert json.loads(held["account.json"])["rows"][0]["username"] == "ben"
    assert [row["by"] for row in json.loads(held["audit.json"])["rows"] if row["action"] == "READ"] == ["ann"]
    for hidden in ("ann-hidden", "ann@example.org", str(site.user("ben").stored_hash)):
        assert hidden.encode() not in whole
    assert all(json.loads(content) for name, content in held.items() if name.endswith(".json"))


def test_the_file_is_private_and_goes_with_its_operation(site: Site, ben: dict[str, str]) -> None:
    place = place_of(site.client.post(EXPORT, headers=ben))
    ended(site, ben, place)
    (path,) = site.settings.exports_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    left = path.with_name(".99.zip.0123abcd.part")
    left.write_bytes(b"of a process that was killed")
    assert person_exports.clear(site.app.server) == 1
    assert list(path.parent.iterdir()) == [path]
    with site.writing() as connection:
        operations.clear_past(connection, clock.now() + timedelta(hours=25))
    assert person_exports.clear(site.app.server) == 1
    assert not path.exists()
    assert site.client.get(f"{place}/file", headers=ben).status_code == 404


def test_no_one_else_can_fetch_it_and_the_password_is_asked_for(site: Site, ben: dict[str, str]) -> None:
    place = place_of(site.client.post(EXPORT, headers=ben))
    ended(site, ben, place)
    for headers in (site.log_in("ann"), {}):
        for address in (place, f"{place}/file"):
            assert site.client.get(address, headers=headers).status_code == (404 if headers else 401)
    with site.writing() as connection:
        long_ago = {"confirmed_at": "2020-01-01 00:00:00.000000"}
        connection.execute(sessions.update().values(long_ago))
    for method, address in (("POST", EXPORT), ("GET", f"{place}/file")):
        refused = site.client.request(method, address, headers=ben)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert site.client.get(place, headers=ben).status_code == 200
    site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ben)
    assert site.client.get(f"{place}/file", headers=ben).status_code == 200


def test_one_at_a_time_and_others_write_meanwhile(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    whole = person_archive._audit

    def slow(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        yield from whole(*args)

    monkeypatch.setattr(person_archive, "_audit", slow)
    place = place_of(site.client.post(EXPORT, headers=ben))
    assert begun.wait(60)
    try:
        assert site.client.post(EXPORT, headers=ben).status_code == 409
        written = site.client.post("/api/v1/ideas", json={"content": "later"}, headers=ben)
        assert written.status_code == 201  # while the export reads
        assert site.client.get(place, headers=ben).json()["state"] == "running"
        assert person_exports.clear(site.app.server) == 0
    finally:
        go_on.set()
    assert ended(site, ben, place)["state"] == "done"


def test_what_cannot_be_written_is_said_without_a_path(site: Site, ben: dict[str, str]) -> None:
    site.settings.exports_path.write_bytes(b"a file in the place of the folder")
    found = ended(site, ben, place_of(site.client.post(EXPORT, headers=ben)))
    assert found["state"] == "failed"
    assert "no room" in found["fault"]
    assert str(site.settings.data_dir) not in found["fault"]


def test_an_export_goes_where_its_person_erases_something(site: Site, ben: dict[str, str]) -> None:
    """It may hold what is erased; it can be made again."""
    place = place_of(site.client.post(EXPORT, headers=ben))
    assert ended(site, ben, place)["state"] == "done"
    (path,) = site.settings.exports_path.iterdir()
    made = site.client.post("/api/v1/ideas", json={"content": "another's"}, headers=site.log_in("ann")).json()
    site.client.post(f"/api/v1/ideas/{made['id']}/erase", headers=site.log_in("ann"))
    assert path.exists(), "what others erase is not in it"
    (mine, *_) = site.client.get("/api/v1/ideas?level=public_full", headers=ben).json()["items"]
    assert site.client.post(f"/api/v1/ideas/{mine['id']}/erase", headers=ben).status_code == 200
    assert not path.exists()
    again = place_of(site.client.post(EXPORT, headers=ben))
    assert ended(site, ben, again)["state"] == "done"
    person_exports.clear(site.app.server)
    assert len(list(site.settings.exports_path.iterdir())) == 1


def test_an_export_during_which_something_is_erased_ends(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter(["2026-01-01 00:00:00", "2026-01-01 00:00:01"])
    monkeypatch.setattr(person_exports, "_erased_last", lambda *_: next(told))
    found = ended(site, ben, place_of(site.client.post(EXPORT, headers=ben)))
    assert found["state"] == "failed"
    assert "erased while the export was made" in found["fault"]
    assert list(site.settings.exports_path.iterdir()) == []
