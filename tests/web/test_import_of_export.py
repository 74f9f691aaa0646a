"""Another Daemon's export over HTTP: shown, taken in once, undone; refused where someone has changed it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.entries import never_words, own_export, policies, storage_use
from app.privacy.levels import NAMES
from app.privacy.rules import Rule
from app.settings import Settings
from app.tables import audit_logs, data_entries, metadata
from tests.databases import Databases
from tests.web.conftest import PASSWORD, Site
from tests.web.test_pictures import SECRET, photo

PASSPHRASE = "a long one"
NOW = clock.now()
NOTES = {
    "name": "notes",
    "schema": {"type": "object", "properties": {"dish": {"type": "string"}}, "x-privacy": {}},
    "example": {"dish": "x"},
}
Change = Callable[[dict[str, bytes]], None]


@pytest.fixture
def second(
    site: Site, serve: Callable[..., Site], settings: Settings, databases: Databases, tmp_path: Path
) -> Site:
    """Another installation, whose admin has nothing yet."""
    other = tmp_path / "second"
    other.mkdir()
    made = serve(replace(settings, database_url=databases.fresh(other), data_dir=other / "data"))
    made.add_user("ann", is_admin=True)
    return made


def send(site: Site, content: bytes, status: int = 200, by: str = "ann", **body: Any) -> Any:
    said = {"name": "ann.zip", "base64": base64.b64encode(content).decode(), **body}
    answer = site.client.post("/api/v1/import", json=said, headers=site.log_in(by))
    assert answer.status_code == status, answer.text
    return answer.json()


def taken_out(site: Site, by: str = "ann", passphrase: str | None = None) -> bytes:
    headers = site.log_in(by)
    site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=headers)
    said = {} if passphrase is None else {"passphrase": passphrase}
    answer = site.client.post("/api/v1/me/archive", json=said, headers=headers)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def work_on(site: Site) -> dict[str, int]:
    """A bit of everything: texts with findings, a release, states, a slug, own kinds, hidden ones."""
    headers, ids = site.log_in("ann"), {}

    def made(path: str, body: Any, status: int = 201) -> Any:
        answer = site.client.post(f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    made("endpoints", {**NOTES, "is_public": True, "default_visibility": "public"})
    ids["idea"] = made("ideas?slug=call-me", {"content": "Call +1 212 555 0142 or mail me@mine.example"})[
        "id"
    ]
    ids["hidden"] = made("ideas", {"content": "mine", "meta": {"visibility": "private"}})["id"]
    ids["unlisted"] = made("ideas", {"content": "by address", "meta": {"visibility": "unlisted"}})["id"]
    ids["note"] = made("notes", {"dish": "soup"})["id"]
    ids["gone"] = made("ideas", {"content": "gone"})["id"]
    assert site.client.delete(f"/api/v1/ideas/{ids['gone']}", headers=headers).status_code == 204
    changed = site.client.put(f"/api/v1/notes/{ids['note']}", json={"dish": "stew"}, headers=headers)
    assert changed.status_code == 200, changed.text
    found = site.client.get(f"/api/v1/ideas/{ids['idea']}", headers=headers).json()["findings"]
    made("privacy/releases", found[0]["release"])
    return ids


def crawled(site: Site, ids: dict[str, int]) -> dict[str, Any]:
    """What anyone is answered of ann's entries at every level, and she of their states; without ids."""
    kinds = {"idea": "ideas", "hidden": "ideas", "unlisted": "ideas", "note": "notes", "gone": "ideas"}
    paths = {f"{kind} at {level}": f"{kind}?level={level}" for kind in ("ideas", "notes") for level in NAMES}
    for name, kind in kinds.items():
        paths |= {f"{name} at {level}": f"{kind}/{ids[name]}?level={level}" for level in NAMES}
    asked: list[tuple[str, str, dict[str, str]]] = [(name, path, {}) for name, path in paths.items()]
    ann = site.log_in("ann")
    asked += [(f"{name} of ann", path, ann) for name, path in paths.items()]
    asked += [(f"states of {name}", f"{kinds[name]}/{ids[name]}/revisions", ann) for name in ("idea", "note")]
    asked += [("by slug", "ideas/call-me?level=public_full", {}), ("deleted", "me/deleted", ann)]
    back = {here: name for name, here in ids.items()}
    answers = {}
    for name, path, headers in asked:
        answer = site.client.get(f"/api/v1/{path}", headers=headers)
        answers[name] = (answer.status_code, without_ids(answer.json(), back))
    return answers


def without_ids(value: Any, back: dict[int, str]) -> Any:
    if isinstance(value, list):
        return [without_ids(each, back) for each in value]
    if isinstance(value, dict):
        stated = ("request_id", "instance", "detail", "hint", "release", "deleted_by")
        return {
            key: back.get(each) if key in ("id", "entry_id") else without_ids(each, back)
            for key, each in value.items()
            if key not in stated
        }
    return value


def state_of(site: Site) -> dict[str, list[Any]]:
    """Every row of the installation, but for logins and what is searched in the background."""
    passing = ("sessions", "refresh_tokens", "audit_head", "audit_anchors", "login_failures", "login_places")
    with site.app.server.supervisor.reading() as connection:
        return {
            table.name: sorted(
                repr([value for name, value in row._mapping.items() if name != "last_login"])
                for row in connection.execute(select(table))
                if "LOGIN" not in str(row._mapping.get("action"))
            )
            for table in metadata.sorted_tables
            if table.name not in passing and not table.name.startswith("search")
        }


def remade(content: bytes, change: Change, *, is_checked: bool = True) -> bytes:
    """The same export after someone has changed files of it; ``is_checked``: its sums, too."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if is_checked:
        manifest = json.loads(files["manifest.json"])
        for name, said in manifest["files"].items():
            said |= {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
        files["manifest.json"] = json.dumps(manifest).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return packed.getvalue()


def in_rows(path: str, **values: Any) -> Change:
    """Put values into every row of a file."""

    def change(files: dict[str, bytes]) -> None:
        said = json.loads(files[path])
        said["rows"] = [row | values for row in said["rows"]]
        files[path] = json.dumps(said).encode()

    return change


def test_what_is_kept_for_a_key_is_the_whole_answer(
    site: Site, second: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_export, "SEEN_AT_ONCE", 2)
    work_on(site)
    content = taken_out(site)
    planned = send(second, content, dry_run=True)
    headers = second.log_in("ann") | {"Idempotency-Key": "once"}
    said = {"name": "ann.zip", "base64": base64.b64encode(content).decode()}
    first, again = (second.client.post("/api/v1/import", json=said, headers=headers) for _ in range(2))
    assert (first.status_code, first.content) == (200, again.content)
    items = first.json()["items"]
    assert all(each["id"] for each in items)
    assert [each | {"id": None} for each in items] == planned["items"]


def test_it_is_shown_taken_in_once_and_undone(site: Site, second: Site) -> None:
    ids = work_on(site)
    content = taken_out(site)
    before = state_of(second)
    planned = send(second, content, dry_run=True)
    assert state_of(second) == before, "a dry run changes nothing"
    assert {each["place"]: (each["action"], each["visibility"], each["id"]) for each in planned["items"]} == {
        f"ideas/{ids['idea']}": ("add", "public", None),
        f"ideas/{ids['hidden']}": ("add", "private", None),
        f"ideas/{ids['unlisted']}": ("add", "unlisted", None),
        f"ideas/{ids['gone']}": ("add", "public", None),
        f"notes/{ids['note']}": ("add", "public", None),
    }
    assert {each["place"] for each in planned["left_out"]} == {"user.json"}
    done = send(second, content)
    here = {each["place"].partition("/")[2]: each["id"] for each in done["items"]}
    ids_here = {name: here[str(there)] for name, there in ids.items()}
    first, other = crawled(site, ids), crawled(second, ids_here)
    for name in first:
        assert other[name] == first[name], name
    promised = {each["place"]: each["strangers_see"] for each in planned["items"]}
    assert promised == {each["place"]: each["strangers_see"] for each in done["items"]}
    for name, kind in (("idea", "ideas"), ("note", "notes"), ("hidden", "ideas"), ("gone", "ideas")):
        for level in NAMES:
            answer = second.client.get(f"/api/v1/{kind}/{ids_here[name]}?level={level}")
            seen = answer.json()["data"] if answer.status_code == 200 else None
            assert promised[f"{kind}/{ids[name]}"][level] == seen, (name, level)
    assert "555 0142" in json.dumps(promised[f"ideas/{ids['idea']}"]["public_full"]), "it was released"
    after = state_of(second)
    again = send(second, content)
    assert (again["id"], {each["action"] for each in again["items"]}) == (None, {"here"})
    assert {each["id"] for each in again["items"]} == set(ids_here.values())
    assert state_of(second) == after, "twice is once"
    ann = second.log_in("ann")
    (listed,) = second.client.get("/api/v1/imports", headers=ann).json()["items"]
    assert (listed["id"], listed["format"], listed["entries_count"]) == (done["id"], "Daemon's export", 5)
    assert second.client.delete(f"/api/v1/imports/{done['id']}", headers=ann).status_code == 204
    assert second.client.get("/api/v1/ideas?level=public_full").json()["items"] == []
    assert {each["action"] for each in send(second, content)["items"]} == {"add"}, "undone, it may come again"


def test_words_come_with_the_passphrase_or_all_is_private(site: Site, second: Site) -> None:
    made = site.client.post("/api/v1/ideas", json={"content": "about Rumpel"}, headers=site.log_in("ann"))
    assert made.status_code == 201
    with site.writing() as connection:
        never_words.add_word(connection, site.user("ann").id, "Rumpel")
    content = taken_out(site, passphrase=PASSPHRASE)
    (item,) = (planned := send(second, content, dry_run=True))["items"]
    assert (item["visibility"], set(item["strangers_see"].values())) == ("private", {None})
    assert "never-list" in item["why"]
    assert "never_words.json" in {each["place"] for each in planned["left_out"]}
    assert "another passphrase" in send(second, content, 400, passphrase="another one")["detail"]
    (item,) = send(second, content, passphrase=PASSPHRASE)["items"]
    assert item["visibility"] == "public"
    shown = second.client.get("/api/v1/ideas?level=public_full").json()["items"]
    assert len(shown) == 1
    assert "Rumpel" not in json.dumps([shown, item])


def test_nothing_comes_that_is_for_all(site: Site, second: Site) -> None:
    """No rule, no account of that name, and no note by which a later import of an admin's would go."""
    site.client.post("/api/v1/ideas", json={"content": "canary-7"}, headers=site.log_in("ann"))
    with site.writing() as connection:
        policies.add_rule(connection, Rule("*", "*", None, pattern="canary-[0-9]+"), NOW)
    second.add_user("eve")
    (item,) = (done := send(second, taken_out(site), by="eve"))["items"]
    assert (item["visibility"], item["action"]) == ("private", "add")
    assert "privacy_rules.json" in {each["place"] for each in done["left_out"]}
    with second.app.server.supervisor.reading() as connection:
        lines = connection.execute(select(audit_logs).where(audit_logs.c.action == "IMPORT")).all()
        rules = policies.active_rules(connection)
    assert [(line.table_name, line.user_id) for line in lines] == [("data_entries", second.user("eve").id)]
    assert not [each for each in rules if each.pattern == "canary-[0-9]+"]
    (item,) = send(second, taken_out(site))["items"]
    assert item["action"] == "add", "what eve has taken is not ann's"


def test_what_someone_has_changed_is_refused_with_a_sentence(site: Site, second: Site) -> None:
    ids = work_on(site)
    content, before = taken_out(site), state_of(second)
    ideas, notes = "entries/ideas.json", "entries/notes.json"
    changes: dict[str, tuple[Change, bool]] = {
        "sums": (in_rows(ideas, slug="x"), False),
        "a column": (in_rows(ideas, token="x"), True),
        "an id twice": (in_rows(notes, id=ids["idea"]), True),
        "a time": (in_rows(ideas, created_at="soon"), True),
        "no text": (in_rows(ideas, stored="\0"), True),
        "a revision": (in_rows("revisions.json", ended_at="soon"), True),
        "a number": (in_rows("revisions.json", number=2**40), True),
        "a view": (in_rows("view_changes.json", view_hash="\0"), True),
        "a kind": (in_rows("kinds.json", created_at="soon"), True),
        "a schema": (in_rows("kinds.json", schema='{"type": 7}'), True),
        "a path": (lambda files: files.update({"../x": b""}), False),
        "a bomb": (lambda files: files.update({"bomb.json": b" " * 9_000_000}), False),
    }
    for name, (change, is_checked) in changes.items():
        made = remade(content, change, is_checked=is_checked)
        for dry_run in (False, True) if name in ("sums", "a revision") else (False,):
            said = send(second, made, 400 if name == "a column" else 422, dry_run=dry_run)
            assert said["detail"].endswith((".", '"', "}")) or "imported" in said["detail"], (name, said)
    doubled = io.BytesIO(content)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(doubled, "a") as archive:
        archive.writestr("user.json", b"{}")
    assert "twice" in send(second, doubled.getvalue(), 422)["detail"]
    assert state_of(second) == before


def test_what_does_not_fit_is_left_out_where_that_is_wanted(site: Site, second: Site) -> None:
    ids = work_on(site)
    content = remade(taken_out(site), in_rows("entries/ideas.json", stored="no JSON"))
    planned = send(second, content, dry_run=True)
    unfit = {each["place"] for each in planned["items"] if each["action"] == "unfit"}
    assert unfit == {f"ideas/{ids[name]}" for name in ("idea", "hidden", "unlisted", "gone")}
    assert "nothing was imported" in send(second, content, 422)["detail"]
    done = send(second, content, without_unfit=True)
    assert [each["place"] for each in done["items"] if each["id"]] == [f"notes/{ids['note']}"]
    with second.app.server.supervisor.reading() as connection:
        assert len(connection.execute(select(data_entries.c.id)).all()) == 1


def test_a_slug_that_is_taken_here_is_not_promised(site: Site, second: Site) -> None:
    work_on(site)
    second.client.post("/api/v1/ideas?slug=call-me", json={"content": "here"}, headers=second.log_in("ann"))
    content = taken_out(site)
    for dry_run in (True, False):
        assert {each["slug"] for each in send(second, content, dry_run=dry_run)["items"]} == {None}


def test_a_member_has_room_for_so_much_only(site: Site, second: Site) -> None:
    work_on(site)
    second.add_user("eve")
    with second.writing() as connection:
        storage_use.set_limits(connection, second.user("eve").id, 4, None)
    assert send(second, taken_out(site), 403, by="eve")["code"] == "quota_reached"
    with second.app.server.supervisor.reading() as connection:
        assert connection.execute(select(data_entries.c.id)).all() == []


# -- erased for good


def erased(site: Site, *paths: str) -> None:
    """Erase entries of ann's."""
    for path in paths:
        answer = site.client.post(f"/api/v1/{path}/erase", headers=site.log_in("ann"))
        assert answer.status_code == 200, answer.text


def actions(answer: Any) -> dict[str, str]:
    return {each["place"]: each["action"] for each in answer["items"]}


def test_what_was_erased_does_not_come_again_with_an_older_archive(site: Site) -> None:
    ids = work_on(site)
    content = taken_out(site)
    gone = f"ideas/{ids['idea']}"
    erased(site, gone, f"ideas/{ids['gone']}")
    before = state_of(site)
    planned = send(site, content, dry_run=True)
    assert state_of(site) == before, "a dry run changes nothing"
    expected = {f"ideas/{ids[name]}": "here" for name in ("hidden", "unlisted")}
    expected |= {f"ideas/{ids[name]}": "erased" for name in ("idea", "gone")}
    expected |= {f"notes/{ids['note']}": "here"}
    assert actions(planned) == expected
    (item,) = [each for each in planned["items"] if each["place"] == gone]
    assert (item["id"], item["slug"], item["strangers_see"]) == (None, None, None)
    assert "erased" in item["why"]
    done = send(site, content)
    assert (done["id"], actions(done)) == (None, expected)
    assert state_of(site) == before, "nothing came in"
    by_hand = site.client.post("/api/v1/ideas", json={"content": "gone"}, headers=site.log_in("ann"))
    assert by_hand.status_code == 201, "the same text may be written anew"


def test_what_was_erased_where_it_was_imported_does_not_come_again(site: Site, second: Site) -> None:
    ids = work_on(site)
    content = taken_out(site)
    here = {each["place"]: each["id"] for each in send(second, content)["items"]}
    gone = f"ideas/{ids['idea']}"
    erased(second, f"ideas/{here[gone]}")
    assert actions(send(second, content, dry_run=True)) == dict.fromkeys(here, "here") | {gone: "erased"}
    assert send(second, content)["id"] is None
    headers = second.log_in("ann")
    receipts = second.client.get("/api/v1/me/erasures", headers=headers).json()["items"]
    assert [each["entry_id"] for each in receipts] == [here[gone]], "one receipt for what was erased"


def test_what_was_erased_before_or_after_an_import_is_undone_hinders_nothing_and_does_not_come_again(
    site: Site, second: Site
) -> None:
    ids = work_on(site)
    content = taken_out(site)
    done = send(second, content)
    here = {each["place"]: each["id"] for each in done["items"]}
    before, after = (f"ideas/{ids[name]}" for name in ("hidden", "idea"))
    erased(second, f"ideas/{here[before]}")
    headers = second.log_in("ann")
    (listed,) = second.client.get("/api/v1/imports", headers=headers).json()["items"]
    assert (listed["label"], listed["entries_count"], listed["erased_count"]) == (None, 4, 1)
    undone = second.client.delete(f"/api/v1/imports/{done['id']}", headers=headers)
    assert undone.status_code == 204, undone.text
    assert second.client.get("/api/v1/ideas?level=public_full").json()["items"] == []
    erased(second, f"ideas/{here[after]}")
    assert actions(send(second, content)) == dict.fromkeys(here, "add") | {before: "erased", after: "erased"}


def test_what_was_changed_since_still_keeps_an_import_from_being_undone(site: Site, second: Site) -> None:
    ids = work_on(site)
    done = send(second, taken_out(site))
    here = {each["place"]: each["id"] for each in done["items"]}
    erased(second, f"ideas/{here['ideas/' + str(ids['hidden'])]}")
    headers, idea = second.log_in("ann"), here[f"ideas/{ids['idea']}"]
    changed = second.client.patch(f"/api/v1/ideas/{idea}", json={"content": "mine"}, headers=headers)
    assert changed.status_code == 200, changed.text
    undone = second.client.delete(f"/api/v1/imports/{done['id']}", headers=headers)
    assert undone.status_code == 409
    assert f"1 of its 4 entries were changed since (ideas/{idea})" in undone.json()["detail"]


def test_an_import_tells_no_one_what_another_person_has_erased(site: Site) -> None:
    ids = work_on(site)
    content = taken_out(site)
    erased(site, f"ideas/{ids['idea']}")
    site.add_user("eve")
    assert "erased" not in actions(send(site, content, by="eve", dry_run=True)).values()


def test_pictures_come_along_within_the_quota_and_are_encoded_anew(
    site: Site, second: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = site.log_in("ann")
    site.client.put("/api/v1/me/avatar", content=photo(), headers={"Content-Type": "image/jpeg", **ann})
    ids = {}
    for visibility in ("public", "private"):
        content = {"content": visibility, "meta": {"visibility": visibility}}
        ids[visibility] = site.client.post("/api/v1/ideas", json=content, headers=ann).json()["id"]
        place = f"/api/v1/ideas/{ids[visibility]}/pictures"
        made = site.client.post(place, content=photo(), headers={"Content-Type": "image/jpeg", **ann})
        changed = {"alt": f"of a {visibility} one"}
        site.client.patch(f"{place}/{made.json()['id']}", json=changed, headers=ann)
    archive = taken_out(site)
    assert SECRET not in archive

    monkeypatch.setattr(second.app.server, "settings", replace(second.settings, picture_quota_bytes=1000))
    assert send(second, archive, 403)["code"] == "quota_reached"
    monkeypatch.setattr(second.app.server, "settings", second.settings)
    here = {item["place"]: item["id"] for item in send(second, archive)["items"]}
    for visibility, there in ids.items():
        place = f"/api/v1/ideas/{here[f'ideas/{there}']}/pictures"
        found = second.client.get(place, headers=second.log_in("ann")).json()["items"]
        assert [each["alt"] for each in found] == [f"of a {visibility} one"]
        file = "/" + found[0]["sizes"]["large"]["url"].lstrip("./")
        assert second.client.get(file).status_code == (200 if visibility == "public" else 404)
        assert second.client.get(place).status_code == (200 if visibility == "public" else 404)
    assert second.client.get("/api/v1/me/avatar", headers=second.log_in("ann")).status_code == 404

    def no_picture(files: dict[str, bytes]) -> None:
        whole = b'"content_base64": "'
        files["pictures.json"] = files["pictures.json"].replace(whole, whole + b"AAAA")

    assert "picture" in send(second, remade(archive, no_picture), 422)["detail"]


@pytest.mark.parametrize(
    "more", [{"dry_run": True}, {"Idempotency-Key": "once"}], ids=["trial", "with a key"]
)
def test_a_kind_that_is_made_while_an_export_is_tried_is_met(
    site: Site, second: Site, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """The export has that kind, too: its plan, made just before, is to make it."""
    work_on(site)
    content, ann = taken_out(site), second.log_in("ann")
    planned = send(second, content, dry_run=True)
    tried, times = own_export.strangers_would_see, []

    def tried_late(*given: Any) -> Any:
        times.append(True)
        kind = {**NOTES, "is_public": True, "default_visibility": "public"}
        assert second.client.post("/api/v1/endpoints", json=kind, headers=ann).status_code == 201
        return tried(*given)

    monkeypatch.setattr(own_export, "strangers_would_see", tried_late)
    said = {"name": "ann.zip", "base64": base64.b64encode(content).decode(), **more}
    headers = ann | {name: said.pop(name) for name in ("Idempotency-Key",) if name in said}
    answer = second.client.post("/api/v1/import", json=said, headers=headers)
    assert answer.status_code == 200, answer.text
    assert [each | {"id": None} for each in answer.json()["items"]] == planned["items"]
    assert times == [True]
    assert len(state_of(second)["data_entries"]) == (0 if "dry_run" in more else len(planned["items"]))
