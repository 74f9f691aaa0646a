"""Does an admin invite, keep out and remove people in the browser, and does whoever is invited join?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from app import log_lines
from tests.web.browsing import Browser, signed_in
from tests.web.conftest import PASSWORD, Site

NEW = "another long sentence"


def link_in(text: str) -> str:
    (found,) = re.findall(r"https://daemon\.example(/manage/join\?token=[\w-]+)", text)
    return str(found)


def test_a_member_sees_none_of_it(site: Site) -> None:
    ben_id = site.add_user("ben").id
    ben = signed_in(site, "ben")
    assert "People" not in ben.get("/manage/").links
    for path in ("people", f"people/{ben_id}"):
        assert ben.get(f"/manage/{path}").status == 403
    assert Browser(site).get("/manage/people").path == "/manage/sign-in"


def test_a_link_that_is_none_hides_no_words_in_the_log(site: Site) -> None:
    """What looks like a token of a link stands in no log any more: only what is one may."""
    page = Browser(site).get("/manage/join?token=203.0.113.77")
    assert (page.status, page.title) == (403, "This link opens nothing")
    assert "set-cookie" not in page.headers or "203.0" not in page.headers["set-cookie"]
    assert log_lines.hide_secrets("refused: 203.0.113.77") == "refused: 203.0.113.77"


def test_someone_is_invited_and_joins_by_the_link_alone(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.get("/manage/people")
    assert ann.submit(page, "Invite", password="wrong").status in (401, 403)
    made = ann.submit(page, "Invite", label="Rosa", role="reader", password=PASSWORD)
    link = link_in(made.text)
    assert "token=" not in ann.get("/manage/people").text
    rosa = Browser(site)
    led = rosa.get(link, follow=False)
    assert led.status == 303
    assert "token" not in led.headers["location"]
    asked = rosa.get("/manage/join")
    assert (asked.title, "daemon_link" in asked.text) == ("You are invited", False)
    taken = rosa.submit(asked, "Join", username="ann", email="r@example.org", password=NEW)
    assert taken.status == 409
    joined = rosa.submit(asked, "Join", username="rosa", email="rosa@example.org", password=NEW)
    assert (joined.title, site.user("rosa").role) == ("Today", "reader")
    again = Browser(site).get(link)
    assert (again.status, again.title) == (403, "This link opens nothing")


def test_an_invitation_is_withdrawn(site: Site) -> None:
    ann = signed_in(site, "ann")
    made = ann.submit(ann.get("/manage/people"), "Invite", password=PASSWORD)
    ann.submit(made, "Withdraw")
    assert Browser(site).get(link_in(made.text)).status == 403


def test_someone_gets_another_role_a_new_password_and_is_kept_out(site: Site) -> None:
    ben_id = site.add_user("ben").id
    ann = signed_in(site, "ann")
    page = ann.get(ann.get("/manage/people").links["ben"])
    assert page.path == f"/manage/people/{ben_id}"
    ann.submit(page, "Change the role", role="admin", password=PASSWORD)
    assert site.user("ben").is_admin
    made = ann.submit(page, "Make a link", password=PASSWORD)
    ben = Browser(site)
    chosen = ben.submit(ben.get(link_in(made.text)), "Choose this password", password=NEW)
    assert chosen.path == "/manage/sign-in"
    assert Browser(site).sign_in("ben", NEW).title == "Today"
    out = ann.submit(page, "Keep them out")
    assert not site.user("ben").is_active
    ann.submit(out, "Let them in")
    assert site.user("ben").is_active


def test_removing_is_typed_to_confirm(site: Site) -> None:
    ben_id = site.add_user("ben").id
    ann = signed_in(site, "ann")
    page = ann.get(f"/manage/people/{ben_id}")
    assert "is not ben" in ann.submit(page, "Remove ben", typed="ann", password=PASSWORD).words
    assert site.user("ben").is_active
    done = ann.submit(page, "Remove ben", typed="ben", password=PASSWORD)
    assert "ben is out of sight" in done.words
    assert not site.user("ben").is_active


@pytest.mark.parametrize("path", ["invite", "{id}/active", "{id}/role", "{id}/remove"])
def test_a_form_of_someone_else_changes_nothing(site: Site, path: str) -> None:
    ben_id = site.add_user("ben").id
    ann = signed_in(site, "ann")
    data = {"typed": "ben", "password": PASSWORD, "active": "no", "role": "admin"}
    address = f"/manage/people/{path.format(id=ben_id)}"
    assert ann.ask("POST", address, data=data, headers={"Origin": ann.base}).status == 403
    assert (site.user("ben").is_active, site.user("ben").is_admin) == (True, False)
    ben = signed_in(site, "ben")
    token = next(
        each.get("value")
        for each in ben.get("/manage/account").root.iter("input")
        if each.get("name") == "form_token"
    )
    sent = ben.ask("POST", address, data=data | {"form_token": token}, headers={"Origin": ben.base})
    assert sent.status == 403
    assert not urlsplit(sent.url).query
