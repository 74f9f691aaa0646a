"""Are keys, sessions, the second factor, the password and leaving done in the browser, in plain forms?"""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest

from app import clock
from app.accounts import totp
from tests.web.browsing import Browser, signed_in
from tests.web.conftest import PASSWORD, Site

NEW = "another long sentence"


@pytest.mark.parametrize("path", ["keys", "account", "account/second-factor", "account/leave"])
def test_without_a_session_one_is_asked_to_sign_in(site: Site, path: str) -> None:
    assert Browser(site).get(f"/manage/{path}").path == "/manage/sign-in"


def test_a_key_is_shown_once_and_opens_what_was_said(site: Site) -> None:
    ann = signed_in(site, "ann")
    made = ann.submit(
        ann.get("/manage/keys"),
        "Make the key",
        name="phone",
        kinds=["ideas"],
        verbs=["read", "create"],
        expires="2099-01-31",
    )
    (key,) = re.findall(r"dmn_[0-9A-Za-z]{49}", made.text)
    assert made.headers["cache-control"] == "no-store"
    headers = {"X-API-Key": key}
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=headers).status_code == 201
    assert site.client.post("/api/v1/quotes", json={"quote": "x"}, headers=headers).status_code == 403
    listed = ann.get("/manage/keys")
    assert key not in listed.text
    assert "2099-01-31 23:59 UTC" in listed.words
    done = ann.submit(listed, "Revoke phone")
    assert "opens nothing any more" in done.words
    assert site.client.get("/api/v1/ideas", headers=headers).status_code == 401


def test_what_was_typed_stays_where_a_key_is_refused(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.submit(
        ann.get("/manage/keys"), "Make the key", name="old", verbs=["read"], expires="2001-01-01"
    )
    assert page.status in (409, 422)
    assert 'value="old"' in page.text
    assert "dmn_" not in page.text


def test_sessions_are_listed_and_ended_one_by_one_and_everywhere(site: Site) -> None:
    other, ann = signed_in(site, "ann"), signed_in(site, "ann")
    page = ann.get("/manage/account")
    assert page.text.count("End it") == 1
    assert "That session is over." in ann.submit(page, "End it").words
    assert other.get("/manage/account").path == "/manage/sign-in"
    third = signed_in(site, "ann")
    assert ann.submit(ann.get("/manage/account"), "Sign out everywhere").path == "/manage/sign-in"
    assert ann.cookies == {} or "session" not in "".join(ann.cookies)
    assert third.get("/manage/account").path == "/manage/sign-in"


def test_another_password_ends_other_sessions_and_leaves_this_browser_signed_in(site: Site) -> None:
    other, ann = signed_in(site, "ann"), signed_in(site, "ann")
    typed: dict[str, Any] = {"current_password": PASSWORD, "new_password": NEW, "again": NEW}
    page = ann.get("/manage/account")
    differs = ann.submit(page, "Change the password", **(typed | {"again": "no"}))
    assert "not the same" in differs.words
    wrong = ann.submit(page, "Change the password", **(typed | {"current_password": "wrong one"}))
    assert wrong.status in (401, 403)
    assert "wrong one" not in wrong.text
    done = ann.submit(page, "Change the password", **typed)
    assert done.status == 200
    assert other.get("/manage/account").path == "/manage/sign-in"
    assert Browser(site).sign_in("ann", NEW).path == "/manage/"


def test_name_and_mail_address_are_changed(site: Site) -> None:
    ann = signed_in(site, "ann")
    ann.submit(ann.get("/manage/account"), "Save", full_name="Ann Bee", email="bee@example.org")
    assert (site.user("ann").full_name, site.user("ann").email) == ("Ann Bee", "bee@example.org")


def test_the_second_factor_is_scanned_turned_on_and_off(site: Site) -> None:
    ann = signed_in(site, "ann")
    page = ann.get("/manage/account/second-factor")
    assert ann.submit(page, "Begin", password="wrong").status in (401, 403)
    scanned = ann.submit(page, "Begin", password=PASSWORD)
    assert "<svg" in scanned.text
    assert " style=" not in scanned.text
    (uri,) = re.findall(r'name="uri" value="([^"]+)"', scanned.text)
    (secret,) = re.findall(r"secret=([A-Z2-7]+)", html.unescape(uri))
    wrong = ann.submit(scanned, "Turn it on", code="000000")
    assert "<svg" in wrong.text
    code = totp.code_of(base64.b32decode(secret + "=" * (-len(secret) % 8)), totp.step_of(clock.now()))
    codes = ann.submit(scanned, "Turn it on", code=code)
    shown = re.findall(r"<li><code>([^<\s]+)</code></li>", codes.text)
    assert len(shown) == 10
    assert "It is on since" in codes.words
    later = ann.get("/manage/account/second-factor")
    assert shown[0] not in later.text
    refused = ann.submit(later, "Turn the second factor off", password=PASSWORD, otp="")
    assert "Enter the code of your second factor, too; nothing was changed." in refused.words
    assert "otp" not in refused.words
    refused = ann.submit(later, "Turn the second factor off", password=PASSWORD, otp=code)
    assert "The code is not right, or was used already: wait for the next one" in refused.words
    off = ann.submit(later, "Turn the second factor off", password=PASSWORD, otp=shown[0])
    assert "your password alone" in off.words


def test_leaving_is_typed_to_confirm_and_can_be_undone(site: Site) -> None:
    site.add_user("ben")
    ben = signed_in(site, "ben")
    page = ben.get("/manage/account/leave")
    assert "is not ben" in ben.submit(page, "Leave", typed="bem", password=PASSWORD).words
    assert site.user("ben").is_active
    assert ben.submit(page, "Leave", typed="ben", password="wrong").status in (401, 403)
    left = ben.submit(page, "Leave", typed="ben", password=PASSWORD)
    assert "out of sight" in left.words
    assert not site.user("ben").is_active
    assert site.client.post("/auth/stay", json={"username": "ben", "password": PASSWORD}).status_code == 204


@pytest.mark.parametrize(
    "path",
    ["keys", "account/sessions", "account/password", "account/details", "account/leave",
     "account/second-factor/begin", "account/second-factor/off"],
)  # fmt: skip
def test_a_form_of_someone_else_changes_nothing(site: Site, path: str) -> None:
    ann = signed_in(site, "ann")
    data = {"name": "x", "everywhere": "yes", "typed": "ann", "password": PASSWORD, "email": "e@example.org"}
    assert ann.ask("POST", f"/manage/{path}", data=data, headers={"Origin": ann.base}).status == 403
    assert ann.get("/manage/account").status == 200
    assert site.user("ann").email == "ann@example.org"
