"""May an admin see and change of a member's what the table in docs/people.md says, and nothing besides?"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from app import clock
from app.accounts import operations
from app.accounts.operations import Result
from app.server import person_exports
from tests.conftest import ROOT
from tests.web.conftest import Site

HEADING = "## What an admin may see and change of a member's"
BODIES: dict[str, dict[str, object]] = {
    "the text of an entry": {"more": "by ann"},
    "whether they may come in": {"is_active": False},
    "the role": {"role": "reader"},
    "one rule of their own": {"action": "redact"},
    "whether such a kind is in use": {"is_active": False},
    "how much may be stored": {"most_entries": 70},
    "the account, with all that is theirs": {"username": "ben"},
}
MARKS = {
    "a private entry": "call 0151 23456789",
    "private entries in the list": "call 0151 23456789",
    "name and mail address": "ben@example.org",
    "how much is stored": '"entries":1',
    "names and scopes of keys": "key of ben",
    "the text of a key": "{key}",
    "names of kinds of their own": '"owner":"ben"',
    "one key": "key of ben",
    "what they did": "key of ben",
    "sessions": '"id":{session_id},',
    "privacy settings": "pigeon post",
    "which rules of their own hold": "contact.pigeon",
    "rules of their own": "contact.pigeon",
    "words of the never-list": "{word_id}",
    "how far their operations are": '"name":"export"',
    "everything about them as one ZIP": "all of ben's",
    "what others are shown": "0151 23456789",
}
"""What of a member's stands in an answer that shows it; elsewhere the status says all."""


@dataclass(frozen=True)
class Right:
    """One row of the table."""

    what: str
    method: str
    path: str
    may: str
    line: str


def rights() -> list[Right]:
    text = (ROOT / "docs" / "people.md").read_text(encoding="utf-8").partition(HEADING)[2]
    rows = re.findall(r"^\| (.+) \| `(\w+) (\S+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)
    return [Right(what, method, path, may, line.strip("`")) for what, method, path, may, line in rows]


@pytest.fixture
def named(site: Site) -> dict[str, str]:
    """A member, ben, with something of everything: what stands for the names in addresses."""
    ben_id = site.add_user("ben").id
    ben, post = site.log_in("ben"), site.client.post
    entry = {"content": "call 0151 23456789", "visibility": "private"}
    written = post("/api/v1/ideas", json=entry, headers=ben).json()
    key = post("/auth/keys", json={"name": "key of ben"}, headers=ben).json()
    site.client.patch("/api/v1/privacy/settings", json={"preferred_contact": "pigeon post"}, headers=ben)
    post("/api/v1/privacy/rules", json={"path": "contact.pigeon", "action": "hide"}, headers=ben)
    word = post("/api/v1/privacy/never-list", json={"word": "Hummingbird"}, headers=ben).json()
    kind = {"name": "meals", "schema": {"type": "object"}, "example": {}}
    post("/api/v1/endpoints", json=kind, headers=ben)
    admin = site.log_in("ann")
    kinds = site.client.get("/api/v1/admin/endpoints?limit=200", headers=admin).json()["items"]
    session = site.client.get("/auth/sessions", headers=ben).json()["items"][0]
    return {
        "user_id": str(ben_id),
        "username": "ben",
        "entry_id": str(written["id"]),
        "key_id": str(key["id"]),
        "endpoint_id": next(str(each["id"]) for each in kinds if each["owner"] == "ben"),
        "key": key["key"],
        "word_id": f'"id":{word["id"]},"length"',
        "session_id": str(session["id"]),
        "operation_id": str(add_export(site, ben_id)),
    }


def add_export(site: Site, user_id: int) -> int:
    """An archive of everything, as an operation of this person has left it."""
    with site.writing() as connection:
        begun = operations.begin(connection, user_id, person_exports.NAME, clock.now())
        operations.finish(connection, begun.id, clock.now(), Result("everything.zip"))
    folder = site.settings.exports_path
    folder.mkdir(exist_ok=True)
    (folder / f"{begun.id}.zip").write_bytes(b"all of ben's")
    return begun.id


def filled(text: str, named: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: named[found[1]], text)


@pytest.mark.parametrize("right", rights(), ids=lambda right: right.what)
def test_an_admin_may_what_the_table_says_and_the_member_hears_of_it(
    site: Site, named: dict[str, str], right: Right
) -> None:
    ann = site.log_in("ann")
    body = BODIES.get(right.what)
    answer = site.client.request(right.method, filled(right.path, named), json=body, headers=ann)
    mark = filled(MARKS.get(right.what, "0151 23456789"), named)
    if right.may == "never":
        assert mark not in answer.text
        assert right.what in MARKS or answer.status_code == 404
    elif right.method == "GET":
        assert (answer.status_code, mark in answer.text) == (200, True), answer.text
    else:
        assert answer.status_code in (200, 202, 204), answer.text
    assert right.line in {"-"} | lines_about_ben(site)


@pytest.mark.parametrize("right", [each for each in rights() if each.may == "never"], ids=lambda r: r.what)
def test_what_admins_never_see_is_there_for_the_member(
    site: Site, named: dict[str, str], right: Right
) -> None:
    if right.what == "the text of a key":
        return  # it was told once, and is stored nowhere
    body, ben = BODIES.get(right.what), site.log_in("ben")
    answer = site.client.request(right.method, filled(right.path, named), json=body, headers=ben)
    assert answer.status_code in (200, 204)
    if right.what in MARKS:
        assert filled(MARKS[right.what], named) in answer.text


def lines_about_ben(site: Site) -> set[str]:
    """The actions of lines that ann has left about ben, as he is shown them once he may come in again."""
    site.app.server.pending_audit.write()
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 1 WHERE username = 'ben'")
        connection.exec_driver_sql("DELETE FROM departures")
    items = site.client.get("/auth/audit", headers=site.log_in("ben")).json()["items"]
    return {each["action"] for each in items if each["by"] == "ann"}


def test_every_row_of_the_table_is_read() -> None:
    text = (ROOT / "docs" / "people.md").read_text(encoding="utf-8").partition(HEADING)[2]
    table = text.partition("|---|")[2].partition("\n\n")[0]
    assert len(rights()) == len(re.findall(r"^\| ", table, re.MULTILINE)) > 20
