"""Are activity, audit, settings, findings and the look of a page seen in the browser, by whom they should?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest

from app import clock
from app.accounts import ai_reads, audit
from app.settings import ROWS
from tests.web.browsing import Browser, PageSeen, signed_in, words_of
from tests.web.conftest import Site, wait_until

OWN = ("activity", "activity/assistants", "page")
OF_ADMINS = ("audit", "settings", "findings")


@pytest.mark.parametrize("path", [*OWN, *OF_ADMINS])
def test_without_a_session_one_is_asked_to_sign_in(site: Site, path: str) -> None:
    assert Browser(site).get(f"/manage/{path}").path == "/manage/sign-in"


def test_a_member_sees_what_is_their_own_and_nothing_of_an_admins(site: Site) -> None:
    site.add_user("ben")
    ben = signed_in(site, "ben")
    menu = set(ben.get("/manage/").links)
    assert {"Activity", "Look of your page"} <= menu
    assert not menu & {"Audit", "Settings", "People", "Is it sound?"}
    assert [ben.get(f"/manage/{path}").status for path in OWN] == [200] * len(OWN)
    assert [ben.get(f"/manage/{path}").status for path in OF_ADMINS] == [403] * len(OF_ADMINS)


def test_one_sees_what_one_did_and_who_looked(site: Site) -> None:
    site.add_user("ben")
    headers = site.log_in("ben")
    site.client.post("/auth/keys", json={"name": "phone"}, headers=headers)
    private = {"content": "x", "visibility": "private"}
    entry = site.client.post("/api/v1/ideas", json=private, headers=headers).json()
    site.client.get(f"/api/v1/ideas/{entry['id']}", headers=site.log_in("ann"))
    site.app.server.pending_audit.write()
    page = signed_in(site, "ben").get("/manage/activity")
    rows = [[cell.text or "" for cell in row] for row in page.root.iter("tr")]
    assert any("Looked at what is not public" in row and "ann" in row for row in rows), rows
    assert "Signed in" in page.words


def test_strangers_who_try_to_sign_in_are_named_so_and_lists_are_in_the_order_of_time(site: Site) -> None:
    user_id = site.add_user("ben").id
    with site.writing() as connection:
        row: dict[str, Any] = {"table_name": "users", "record_id": user_id}
        row["now"] = clock.now() + timedelta(hours=2)
        audit.record(connection, audit.LOGIN_REFUSED, ip_address="192.0.2.99", **row)
        row["now"] -= timedelta(hours=1)  # written later
        audit.record(connection, audit.LOGIN_SLOWED, ip_address="192.0.2.99", **row)
    mine = signed_in(site, "ben").get("/manage/activity")
    for page in (mine, signed_in(site, "ann").get("/manage/audit")):
        rows = [[words_of(cell) for cell in row] for row in page.root.iter("tr")]
        assert [rows[1][3], rows[2][3]] == ["someone who is not signed in"] * 2
        assert rows[1][1].startswith("Sign-in refused")
        assert rows[2][1].startswith("Sign-in slowed down")
    assert "192.0.2.99" not in mine.text, "where someone else came from is not theirs to know"


def test_what_assistants_read_is_listed_by_names_of_fields(site: Site) -> None:
    read = ai_reads.AiRead(
        username="ann", read_at=clock.now(), client="Claude", client_version="1.2", key_id=None,
        tool="read_items", kind="ideas", fields=("content", "meta.title"), entry_count=2, hidden_count=1,
    )  # fmt: skip
    with site.writing() as connection:
        ai_reads.note(connection, [read])
    page = signed_in(site, "ann").get("/manage/activity/assistants")
    assert "Claude 1.2" in page.words
    assert "content, meta.title" in page.words
    assert "Assistants are let in." in page.words


def test_the_audit_is_filtered_and_verified(site: Site) -> None:
    site.client.post("/auth/login", data={"username": "ann", "password": "wrong one"})
    ann = signed_in(site, "ann")
    site.app.server.pending_audit.write()
    page = ann.get("/manage/audit?user=ann&action=create")
    actions = {row[1].text for row in page.root.iter("tr") if len(row) == 6} - {"What"}
    assert {each.strip() for each in actions} == {"Made"}
    assert ann.get("/manage/audit?user=nobody_here").status == 404
    tomorrow = (clock.now() + timedelta(days=1)).date()
    rows = ann.get(f"/manage/audit?since={tomorrow}").root.iter("tr")
    assert len(list(rows)) == 1  # what the columns are called
    ann.submit(page, "Verify that it is whole")
    wait_until(lambda: "The audit is whole" in ann.get("/manage/audit").words, "it was not verified")


def test_settings_are_listed_with_where_each_is_said_and_no_secret(site: Site) -> None:
    page = signed_in(site, "ann").get("/manage/settings")
    assert all(name in page.words for name in ROWS)
    assert "the default" in page.words
    assert site.app.server.secret not in page.text
    (kept,) = (words_of(each) for each in page.root.iter("li") if "REVISION_DAYS" in words_of(each)[:40])
    assert "0: for ever" in kept
    assert " 0 days" not in page.words


def test_findings_are_those_of_the_doctor_with_what_to_type(site: Site) -> None:
    page = signed_in(site, "ann").get("/manage/findings")
    assert page.status == 200
    assert "daemon backup create" in page.words


def test_the_look_of_a_page_holds_at_once(site: Site) -> None:
    headers = site.log_in("ann")
    site.client.post("/api/v1/ideas", json={"content": "Bees"}, headers=headers)
    site.client.post("/api/v1/hobbies", json={"content": "Humming"}, headers=headers)
    ann = signed_in(site, "ann")
    ann.submit(ann.get("/manage/page"), "Look so")
    assert (
        site.client.get("/api/v1/me/page", headers=headers).json()["head_lines"] is None
    )  # the picture, too
    page = ann.get("/manage/page")
    typed: dict[str, Any] = {"theme": "ink", "accent": "teal", "place_hobbies": "1", "place_ideas": "2"}
    done = ann.submit(page, "Look so", **typed, head_lines=["does"])
    assert "looks so from now on" in done.words
    wishes = site.client.get("/api/v1/me/page", headers=headers).json()
    assert (wishes["theme"], wishes["accent"], wishes["head_lines"]) == ("ink", "teal", ["does"])
    assert wishes["kinds"] == ["hobbies", "ideas"]
    assert wishes["kinds_left_out"] is None
    seen = Browser(site).get("/@ann").text
    assert seen.index("Humming") < seen.index("Bees")
    left = ann.submit(ann.get("/manage/page"), "Look so", kinds=["hobbies"])
    assert left.status == 200
    assert "Bees" not in Browser(site).get("/@ann").words


def preview_in(page: PageSeen) -> str:
    """The address of the preview that stands in a page."""
    return urljoin(page.url, str(next(each.get("src") for each in page.root.iter("iframe"))))


def test_the_look_is_tried_before_it_is_saved(site: Site) -> None:
    headers = site.log_in("ann")
    site.client.post("/api/v1/ideas", json={"content": "Bees"}, headers=headers)
    secret = {"content": "Secret", "visibility": "private"}
    site.client.post("/api/v1/ideas", json=secret, headers=headers)
    ann = signed_in(site, "ann")
    page = ann.get("/manage/page")
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    now = ann.get(preview_in(page))
    typed: dict[str, Any] = {"theme": "ink", "accent": "teal", "language": "de"}
    tried = ann.submit(page, "Try it first", **typed)
    assert "Nothing is saved yet." in tried.words
    seen = ann.get(preview_in(tried))
    assert (now.root.get("class"), seen.root.get("class")) == ("theme-paper", "theme-ink accent-teal")
    assert (seen.root.get("lang"), "Bees" in seen.words, "Secret" in seen.text) == ("de", True, False)
    assert seen.headers["cache-control"] == "no-store"
    policy = seen.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert "script-src 'self'" not in policy
    assert site.client.get("/api/v1/me/page", headers=headers).json()["theme"] is None
    part = ann.submit(page, "Try it first", headers={"HX-Request": "true"}, **typed)
    assert preview_in(part) == preview_in(tried)
    assert "<html" not in part.text
    sheet = next(each.get("href") for each in seen.root.iter("link") if each.get("rel") == "stylesheet")
    assert site.client.get(urljoin(seen.url, sheet)).status_code == 200


def test_a_preview_is_its_person_s_and_is_as_strangers_see_the_page_otherwise(site: Site) -> None:
    site.client.post("/api/v1/ideas", json={"content": "Bees"}, headers=site.log_in("ann"))
    ann = signed_in(site, "ann")
    there = preview_in(ann.get("/manage/page"))
    assert Browser(site).get(there).path == "/manage/sign-in"
    seen, page = ann.get(there), Browser(site).get("/@ann")
    assert words_of(seen.root.find("body")) == words_of(page.root.find("body"))
    for wrong in ("[]", "{", '{"theme": "no such theme"}', '{"kinds": 7}'):
        assert ann.get(f"/manage/page/preview?wishes={wrong}").status == 422
    site.add_user("bob")
    bob = signed_in(site, "bob")
    assert "there is no page to look at" in bob.get("/manage/page").words
    assert bob.get(there).status == 404


def test_a_wish_that_cannot_be_is_said_beside_its_field(site: Site) -> None:
    ann = signed_in(site, "ann")
    refused = ann.submit(ann.get("/manage/page"), "Look so", language="no language")
    assert refused.status == 422
    assert "language" in refused.words


@pytest.mark.parametrize("path", ["page", "audit/verify"])
def test_a_form_of_someone_else_changes_nothing(site: Site, path: str) -> None:
    ann = signed_in(site, "ann")
    assert (
        ann.ask("POST", f"/manage/{path}", data={"theme": "ink"}, headers={"Origin": ann.base}).status == 403
    )
    headers = site.log_in("ann")
    assert site.client.get("/api/v1/me/page", headers=headers).json()["theme"] is None
    assert site.client.get("/api/v1/operations", headers=headers).json()["items"] == []
