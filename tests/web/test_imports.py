"""What came from elsewhere, over HTTP: shown, added once, and undone; for no one but its owner."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app import clock
from app.accounts.people import Person
from app.entries import import_runs, never_words, policies
from app.entries.export_folder import read_export
from app.entries.importing import plan_import
from app.privacy.rules import Rule
from app.tables import sessions
from tests.web.conftest import PASSWORD, Site

RESUME = json.dumps({"basics": {"name": "Ann Bee", "phone": "+1 415 555 0134"}, "work": []})


def send(site: Site, status: int = 200, by: str = "ann", **body: Any) -> Any:
    answer = site.client.post("/api/v1/import", json=body, headers=site.log_in(by))
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_resume_is_shown_added_once_and_undone(site: Site) -> None:
    site.add_user("ben")
    planned = send(site, name="resume.json", text=RESUME, dry_run=True)
    assert planned["id"] is None
    assert planned["items"][0]["strangers_see"]["business_card"]["basics"] == {"name": "Ann Bee"}
    assert site.client.get("/api/v1/resume").json()["items"] == []
    done = send(site, name="resume.json", text=RESUME)
    (shown,) = site.client.get("/api/v1/resume?level=business_card").json()["items"]
    assert shown["data"] == planned["items"][0]["strangers_see"]["business_card"]
    assert shown["id"] == done["items"][0]["id"]
    assert send(site, name="resume.json", text=RESUME)["items"][0]["action"] == "here"
    address, ann, ben = f"/api/v1/imports/{done['id']}", site.log_in("ann"), site.log_in("ben")
    assert [each["id"] for each in site.client.get("/api/v1/imports", headers=ann).json()["items"]] == [
        done["id"]
    ]
    assert site.client.get("/api/v1/imports", headers=ben).json()["items"] == []
    assert site.client.delete(address, headers=ben).status_code == 404
    assert site.client.delete(address, headers=ann).status_code == 204
    assert site.client.delete(address, headers=ann).status_code == 409
    assert site.client.get("/api/v1/resume").json()["items"] == []


def test_a_zip_of_texts_comes_in_base64(site: Site) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("a.md", "---\ntags: [x]\n---\none")
        archive.writestr("_drafts/b.md", "two")
    done = send(site, name="blog.zip", base64=base64.b64encode(written.getvalue()).decode())
    assert {each["place"]: each["visibility"] for each in done["items"]} == {
        "a.md": "public",
        "_drafts/b.md": "private",
    }
    (shown,) = site.client.get("/api/v1/ideas").json()["items"]
    assert shown["content"] == "one"
    assert "front_matter" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "a.json"}, "either this is needed, or base64"),
        ({"name": "a.json", "text": "{}", "base64": ""}, "either this is needed, or base64"),
        ({"name": "a.json", "base64": "*"}, "it is no Base64"),
        ({"name": "a.json", "text": '{"basics": {}, "basics": {}}'}, "twice in one object: basics"),
        ({"name": "a.csv", "text": "a,b\n1,2\n"}, "Its columns are: a, b"),
        ({"name": "a.pdf", "text": "x"}, "is a PDF"),
        ({"name": "a.md", "text": ""}, "do not fit"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence(site: Site, body: dict[str, Any], said: str) -> None:
    answer = site.client.post("/api/v1/import", json=body, headers=site.log_in("ann"))
    assert answer.status_code in (400, 422)
    assert said in answer.text


def test_what_anyone_cannot_hide_is_hidden_of_an_import_too(site: Site) -> None:
    text = "# Words\n\nCall +1 415 555 0134"
    planned = send(site, name="a.md", text=text, dry_run=True)
    assert "555" not in json.dumps(planned["items"][0]["strangers_see"])
    send(site, name="a.md", text=text)
    assert "555" not in site.client.get("/api/v1/ideas?level=public_full").text


def test_the_archive_of_oneself_is_an_export(site: Site, tmp_path: Path) -> None:
    """Typed password again, no audit, and nothing of the installation that only admins see."""
    site.add_user("eve")
    eve, address = site.log_in("eve"), "/api/v1/me/archive"
    made = site.client.post("/api/v1/ideas", json={"content": "mine"}, headers=eve)
    with site.writing() as connection:
        rule_id = policies.add_rule(connection, Rule("*", "*", None, pattern="canary-[0-9]+"), clock.now())
        never_words.add_word(connection, site.user("eve").id, "hush")
        connection.execute(update(sessions).values(confirmed_at=None))
    refused = site.client.post(address, json={}, headers=eve)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=eve).status_code == 204
    assert site.client.post(address, json={"passphrase": "short"}, headers=eve).status_code == 400
    answer = site.client.post(address, json={"passphrase": "a long one"}, headers=eve)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    path = tmp_path / "eve.zip"
    path.write_bytes(answer.content)
    found = read_export(path)
    assert [each.id for each in found.entries] == [made.json()["id"]]
    assert found.lacks_rules
    with zipfile.ZipFile(path) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
        assert json.loads(archive.read("audit.json"))["rows"] == []
    assert b"canary" not in whole
    assert b"ann@" not in whole
    with site.app.server.supervisor.reading() as connection:
        plan = plan_import(
            connection, found, "public_full", into="ann", is_admin=False, passphrase="a long one"
        )
    assert set(plan.closed.values()) == {"the rules of the installation there, which hide, are not imported"}
    admin = site.log_in("ann")
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=admin).status_code == 204
    path.write_bytes(site.client.post(address, json={}, headers=admin).content)
    assert (read_export(path).lacks_rules, len(read_export(path).rules)) == (False, len(found.rules) + 1)
    site.client.delete(f"/api/v1/privacy/rules/{rule_id}", headers=admin)
    path.write_bytes(site.client.post(address, json={}, headers=eve).content)
    assert not read_export(path).lacks_rules, "what is shipped hides everywhere"


def test_what_is_not_yet_shown_is_not_promised(site: Site) -> None:
    metas = ({"publish_at": "2999-01-01"}, {"expires_at": "2001-01-01"}, {"status": "draft"})
    for number, meta in enumerate(metas):
        text = json.dumps([{"content": "later", "meta": meta}])
        planned = send(site, name=f"{number}.json", text=text, kind="ideas", dry_run=True)
        assert planned["items"][0]["action"] == "add"
        assert set(planned["items"][0]["strangers_see"].values()) == {None}, meta
        (item,) = send(site, name=f"{number}.json", text=text, kind="ideas")["items"]
        assert site.client.get(f"/api/v1/ideas/{item['id']}").status_code == 404


def test_what_is_hostile_is_refused_with_a_sentence(site: Site) -> None:
    """A bomb of aliases, a column for every cell, a fold without an end: nothing comes in of any."""
    aliases = "a: &a [x]\n" + "".join(f"b{number}: *a\n" for number in range(30))
    for name, text in (
        ("a.md", f"---\n{aliases}---\ntext"),
        ("a.md", "---\nx: !!python/object/apply:os.system [id]\nx: 1\n---\n"),
        ("a.csv", ",".join(map(str, range(100_000))) + "\n1\n"),
        ("a.csv", 'a,b\n"never closed,1\n'),
        ("a.vcf", "BEGIN:VCARD\nFN:A\nNOTE:" + "\n x" * 210_000),
    ):
        columns: dict[str, Any] = (
            {"columns": {"a": "title"}, "kind": "ideas"} if name.endswith(".csv") else {}
        )
        said = send(site, 422, name=name, text=text, **columns)
        assert "othing was imported" in said["detail"], (name, said)
    with site.app.server.supervisor.reading() as connection:
        assert import_runs.listed(connection, Person(1, "ann", is_active=True)) == []
