"""Do admins, and they alone, see the privacy rules of everyone, each once, however the list is cut?"""

from __future__ import annotations

from typing import Any

import pytest

from app.entries import everyones_rules
from tests.web.conftest import Site

HERE = "/api/v1/admin/rules"
RULES = "/api/v1/privacy/rules"
Headers = dict[str, str]


@pytest.fixture
def ann(site: Site) -> Headers:
    """The admin's login; she has made a rule of the installation, ben and cleo have some of their own."""
    for name, places in (("ben", ("title", "contact.website")), ("cleo", ()), ("dora", ("a/ü.~", "title"))):
        site.add_user(name)
        for place in places:
            rule = {"path": place, "action": "redact" if place == "title" else "hide"}
            assert site.client.post(RULES, json=rule, headers=site.log_in(name)).status_code == 201
    ann = site.log_in("ann")
    made = {"of": "installation", "kind": "resume", "field_name": "hobby", "is_active": False}
    assert site.client.post(RULES, json=made, headers=ann).status_code == 201
    return ann


def pages(site: Site, ann: Headers, limit: int) -> list[dict[str, Any]]:
    found, asked = [], {"limit": str(limit)}
    while True:
        page = site.client.get(HERE, params=asked, headers=ann).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        asked["cursor"] = page["next"]


def test_whose_each_is_what_it_does_and_who_made_it(site: Site, ann: Headers) -> None:
    items = pages(site, ann, 200)
    shipped, made, own = items[:14], items[14], items[15:]
    assert {(each["owner"], each["made_by"], each["is_active"]) for each in shipped} == {(None, None, True)}
    assert (made["of"], made["kind"], made["field_name"]) == ("installation", "resume", "hobby")
    assert (made["owner"], made["made_by"], made["is_active"]) == (None, "ann", False)
    assert [(each["owner"], each["path"], each["action"], each["is_active"]) for each in own] == [
        ("ben", "contact.website", "hide", True),
        ("ben", "title", "redact", True),
        ("dora", "a/ü.~", "hide", True),
        ("dora", "title", "redact", True),
    ]
    at_old_address = site.client.get("/admin/rules?limit=200", headers=ann).json()
    assert at_old_address == {"items": items, "next": None}


@pytest.mark.parametrize("people_most", [1, 500])
def test_however_it_is_cut_each_is_there_once(
    site: Site, ann: Headers, people_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pages(site, ann, 200)
    monkeypatch.setattr(everyones_rules, "PEOPLE_MOST", people_most)
    assert [pages(site, ann, limit) == whole for limit in (1, 4, 15, 19)] == [True] * 4


def test_a_page_goes_on_where_it_should_though_that_rule_is_gone(site: Site, ann: Headers) -> None:
    page = site.client.get(HERE, params={"limit": "16"}, headers=ann).json()
    assert page["items"][-1]["path"] == "contact.website"
    ben = site.log_in("ben")
    for place in ("contact.website", "title"):
        assert site.client.delete(f"{RULES}/own:{place}", headers=ben).status_code == 204
    rest = site.client.get(HERE, params={"cursor": page["next"]}, headers=ann).json()
    assert [(each["owner"], each["path"]) for each in rest["items"]] == [("dora", "a/ü.~"), ("dora", "title")]


@pytest.mark.parametrize("cursor", ["0", "x", "1.A", "1._w", "1.YQ==", "1.2.3", "-1", "1" * 19])
def test_what_is_no_cursor_of_this_list_is_refused(site: Site, ann: Headers, cursor: str) -> None:
    answer = site.client.get(HERE, params={"cursor": cursor}, headers=ann)
    assert (answer.status_code, "cursor" in answer.json()["detail"]) == (400, True)


def test_it_is_for_admins_only(site: Site, ann: Headers) -> None:
    for at in (HERE, "/admin/rules"):
        assert site.client.get(at, headers=site.log_in("ben")).status_code == 403
        assert site.client.get(at).status_code == 401
