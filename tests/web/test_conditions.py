"""Are conditions obeyed: nothing lost when two change one entry, nothing sent twice to who has it?"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import new_scope
from tests.web.conftest import Site
from tests.web.test_entries import IDEA, post
from tests.web.test_problems import check_problem

METHODS = ("PUT", "PATCH", "DELETE")


def change(site: Site, method: str, path: str, headers: dict[str, str], body: object = None) -> Any:
    sent: dict[str, Any] = {} if method == "DELETE" else {"json": IDEA if body is None else body}
    return site.client.request(method, path, headers=headers, **sent)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("said", ['"stale"', "W/{etag}", 'W/{etag}, "x"', "{bare}", '"', "", '"a", "b"'])
def test_a_condition_that_does_not_hold_changes_nothing(site: Site, method: str, said: str) -> None:
    ann, path = site.log_in("ann"), post(site)
    before = site.client.get(path, headers=ann)
    etag = before.headers["etag"]
    wanted = said.format(etag=etag, bare=etag.strip('"'))
    check_problem(change(site, method, path, {**ann, "If-Match": wanted}), 412, "precondition_failed")
    assert site.client.get(path, headers=ann).content == before.content


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("said", ["{etag}", '"other", {etag}', "*", ' "x" ,W/"y",{etag}'])
def test_a_condition_that_holds_lets_the_write_through(site: Site, method: str, said: str) -> None:
    ann, path = site.log_in("ann"), post(site)
    etag = site.client.get(path, headers=ann).headers["etag"]
    answer = change(site, method, path, {**ann, "If-Match": said.format(etag=etag)})
    assert answer.status_code in (200, 204)
    if method != "DELETE":  # and what it answers goes into the next condition
        assert answer.headers["etag"] == site.client.get(path, headers=ann).headers["etag"]


def test_the_tag_is_that_of_the_whole_view_not_of_a_strangers(site: Site) -> None:
    ann, path = site.log_in("ann"), post(site)
    theirs = site.client.get(path).headers["etag"]
    check_problem(change(site, "PUT", path, {**ann, "If-Match": theirs}), 412, "precondition_failed")


def test_an_admin_and_the_owner_have_the_same_tag(site: Site) -> None:
    site.add_user("ben")
    path = post(site, by="ben")
    etag = site.client.get(path, headers=site.log_in("ben")).headers["etag"]
    assert change(site, "PUT", path, {**site.log_in("ann"), "If-Match": etag}).status_code == 200


@pytest.mark.parametrize("method", METHODS)
def test_what_one_may_not_do_comes_before_the_condition(site: Site, method: str) -> None:
    site.add_user("ben")
    public, private = post(site), post(site, meta={"visibility": "private"})
    stale = {"If-Match": '"stale"'}
    ben = {**site.log_in("ben"), **stale}
    assert change(site, method, public, stale).status_code == 401
    assert change(site, method, public, ben).status_code == 403
    assert change(site, method, private, ben).status_code == 404
    assert change(site, method, "/api/v1/ideas/4711", {**site.log_in("ann"), **stale}).status_code == 404


@pytest.mark.parametrize("method", METHODS)
def test_if_none_match_on_a_write(site: Site, method: str) -> None:
    ann, path = site.log_in("ann"), post(site)
    etag = site.client.get(path, headers=ann).headers["etag"]
    for said in ("*", etag, f"W/{etag}", f'"x", {etag}'):
        answer = change(site, method, path, {**ann, "If-None-Match": said})
        check_problem(answer, 412, "precondition_failed")
    assert change(site, method, path, {**ann, "If-None-Match": '"x"'}).status_code in (200, 204)


def test_a_new_entry_has_no_tag_yet(site: Site) -> None:
    ann = site.log_in("ann")
    for said, status in (('"x"', 412), ("*", 201)):
        made = site.client.post("/api/v1/ideas", json=IDEA, headers={**ann, "If-Match": said})
        assert made.status_code == status
    assert len(site.client.get("/api/v1/ideas").json()["items"]) == 1


def test_a_read_that_is_to_match_is_refused_where_it_does_not(site: Site) -> None:
    path = post(site)
    etag = site.client.get(path).headers["etag"]
    for _ in range(2):  # the answer is kept by now, and is not repeated for who says a condition
        assert site.client.get(path, headers={"If-Match": etag}).status_code == 200
        assert site.client.get(path, headers={"If-Match": '"x"'}).status_code == 412
        assert site.client.head(path, headers={"If-Match": '"x"'}).status_code == 412


@pytest.mark.parametrize("credential", [True, False])
def test_several_lines_of_a_condition_are_one_list(site: Site, credential: bool) -> None:
    path, sent = post(site), site.log_in("ann") if credential else {}
    etag = site.client.get(path, headers=sent).headers["etag"]
    lines = [*sent.items(), ("If-None-Match", '"x"'), ("If-None-Match", etag), ("If-None-Match", '"y"')]
    for method in ("GET", "HEAD"):
        answer = site.client.request(method, path, headers=lines)
        assert (answer.status_code, answer.content) == (304, b"")
    if credential:
        matching = [*sent.items(), ("If-Match", '"x"'), ("If-Match", etag)]
        assert site.client.request("DELETE", path, headers=matching).status_code == 204


def test_of_many_who_knew_the_same_only_one_wins(site: Site) -> None:
    ann, path = site.log_in("ann"), post(site)
    etag = site.client.get(path, headers=ann).headers["etag"]
    found: list[int] = []

    def write(number: int) -> None:
        answer = change(site, "PATCH", path, {**ann, "If-Match": etag}, {f"field{number}": number})
        found.append(answer.status_code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, *[412] * 7]
    data = site.client.get(path, headers=ann).json()["data"]
    assert len([name for name in data if name.startswith("field")]) == 1


# -- only where there is none


def test_a_slug_is_made_where_there_is_none_and_never_replaced(site: Site) -> None:
    headers, path = {**site.log_in("ann"), "If-None-Match": "*"}, "/api/v1/ideas/first-one"
    made = change(site, "PUT", path, headers, {"content": "made"})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == str(made.json()["id"])
    assert made.json()["slug"] == "first-one"
    check_problem(change(site, "PUT", path, headers, {"content": "late"}), 412, "precondition_failed")
    kept = site.client.get(path, headers=headers | {"If-None-Match": ""})
    assert (kept.json()["id"], kept.json()["data"]) == (made.json()["id"], {"content": "made"})
    by_id = f"/api/v1/ideas/{made.json()['id']}"
    check_problem(change(site, "PUT", by_id, headers), 412, "precondition_failed")
    check_problem(change(site, "PUT", "/api/v1/ideas/123456", headers), 404, "not_found")
    check_problem(change(site, "PUT", "/api/v1/nothing/first-one", headers), 404, "not_found")
    check_problem(change(site, "PUT", f"{path}?slug=another", headers), 400, "usage")
    check_problem(
        change(site, "PUT", "/api/v1/ideas/second", {**headers, "If-Match": '"x"'}),
        412,
        "precondition_failed",
    )
    without = {"Authorization": headers["Authorization"]}
    check_problem(change(site, "PUT", "/api/v1/ideas/second", without), 404, "not_found")


def test_of_several_who_make_one_slug_one_does(site: Site) -> None:
    headers, path = {**site.log_in("ann"), "If-None-Match": "*"}, "/api/v1/ideas/first-one"
    answers: list[int] = []

    def put(number: int) -> None:
        answers.append(change(site, "PUT", path, headers, {"content": f"by {number}"}).status_code)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [201, 412, 412, 412, 412]


def test_two_people_have_a_slug_each(site: Site) -> None:
    site.add_user("ben")
    for who in ("ann", "ben"):
        headers = {**site.log_in(who), "If-None-Match": "*"}
        assert change(site, "PUT", "/api/v1/ideas/first-one", headers).status_code == 201


def test_making_a_slug_is_creating_for_a_key(site: Site) -> None:
    with site.writing() as connection:
        user = site.user("ann")
        keys = {
            verb: api_keys.make_key(connection, user, NewKey(verb, new_scope(verbs=[verb])), clock.now())[1]
            for verb in ("create", "change")
        }
    path = "/api/v1/ideas/first-one"
    for verb, status in (("change", 403), ("create", 201), ("create", 412)):
        answer = change(site, "PUT", path, {"X-API-Key": keys[verb], "If-None-Match": "*"})
        assert answer.status_code == status, verb
