"""Pages: who gets one, what it shows and what it never does, whatever people have written."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import html5lib
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update
from starlette.testclient import TestClient

from app.reserved_names import FILES_OF_PERSON
from app.tables import endpoints
from app.web.assets import stylesheet
from app.web.forms import prefers_html
from tests.web.conftest import Site

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
HTML = {"Accept": BROWSER}
MOST_BYTES = 40_000  # of the first view of a page of an ordinary size, with its stylesheet

RESUME = {
    "name": "Ann Bee",
    "title": "Keeper of bees",
    "summary": "Twenty years of bees.",
    "contact": {"email": "ann@bees.example", "phone": "+44 20 7946 0018", "location": "Leith",
                "website": "https://bees.example"},
    "experience": [
        {"company": "Copperline", "position": "Engineer", "start_date": "2019-01", "end_date": "2021",
         "salary": 90000},
        {"company": "Nordbro", "position": "Apprentice",
         "achievements": ["Wrote a long list of what is wrong with bridges"]},
    ],
    "skills": {"technical": ["Honey", "Wax"]},
}  # fmt: skip
HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a picture that fails": '<img src=x onerror="alert(1)">',
    "a link that acts": "[click](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>)",
    "a picture of elsewhere": "![tracked](https://evil.example/pixel.png)",
    "an end of everything": "</script></article></main></body>\"'><svg onload=alert(1)>",
    "a style": '<style>*{display:none}</style><p style="position:fixed">x</p>',
    "a turn of direction": "abc\u202egnp.exe\u2066 \u200f",
    "expressions": "{{ 7 * 7 }} {% raw %} ${7*7}",
    "a base and a refresh": '<base href="//e.example"><meta http-equiv=refresh content="0;url=//e.example">',
}


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def publish(site: Site, who: dict[str, str], kind: str, content: dict[str, Any]) -> int:
    content.setdefault("meta", {}).setdefault("visibility", "public")
    made = site.client.post(f"/api/v1/{kind}", json=content, headers=who)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def page(site: Site, path: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    answer = site.client.get(path, headers={**HTML, **(headers or {})})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
    check_page(answer.text)
    return answer.text


def check_page(text: str) -> None:
    """Hold a page to what each is: valid, in order, without script, style or anything from elsewhere."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    levels = [int(each.tag[1]) for each in tree.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    for each in tree.iter():
        assert not [name for name in each.attrib if name.startswith("on") or name == "style"], each.attrib
        if each.tag == "script":
            assert each.get("type") == "application/ld+json"
        assert each.tag not in ("style", "iframe", "object", "embed", "base", "svg")
        assert each.tag != "form" or (each.get("method"), each.get("action", "")[-9:]) == (
            "post",
            "/messages",
        )
        if each.tag == "img":  # none but those that were kept here, whatever stands in a text
            assert re.fullmatch(r"(\.\./)*media/[\w-]{24}\.webp", each.get("src", "")), each.attrib
            assert {"alt", "width", "height"} <= set(each.attrib)
        if each.tag in ("link", "img"):
            assert not re.match("(https?:)?//", each.get("href") or each.get("src") or ""), each.attrib
        if each.tag == "a":
            assert re.match(r"https?://|mailto:|tel:|[^:]*$", each.get("href") or ""), each.attrib
    assert not re.search(r">\s*(None|null|undefined|\[REDACTED\])\s*<", text)


def hrefs(text: str) -> Iterator[str]:
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    return (each.get("href") or "" for each in tree.iter("a"))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0.4, application/json", False),
        ("application/json;q=0.4, text/html;q=0.5", True),
        ("text/html;q=0, */*", False),
        ("text/*", True),
        ("*/*, text/html", True),
    ],
)
def test_a_browser_gets_a_page_and_a_program_json(accept: str, expected: bool) -> None:
    assert prefers_html(accept) is expected


def test_one_address_has_two_answers_and_both_are_kept_apart(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "# Bees\n\nKeep some."})
    for path in ("/", "/@ann", "/@ann/ideas"):
        for _ in range(3):  # the second one is a kept one
            as_page = site.client.get(path, headers=HTML)
            as_json = site.client.get(path, headers={"Accept": "*/*"})
            assert as_page.headers["content-type"].startswith("text/html"), path
            assert as_json.headers["content-type"] == "application/json", path
            assert as_page.headers["etag"] != as_json.headers["etag"]
            for each in (as_page, as_json):
                assert "Accept" in each.headers["vary"]
                assert each.headers["cache-control"] == "public, no-cache"
        again = site.client.get(path, headers={**HTML, "If-None-Match": as_page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == as_page.headers["content-security-policy"]
    assert site.client.get("/").json()["name"] == "Daemon"
    assert site.client.get("/@ann").json()["kinds"] == [
        {"name": "ideas", "title": "Ideas", "url": "@ann/ideas"}
    ]


def test_the_second_page_is_sent_without_the_framework(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(site, ann, "ideas", {"content": "# Bees"})
    site.app.server.jobs.stop()  # no one else commits
    asked: list[str] = []
    inner = site.app._middleware._app

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await inner(scope, receive, send)

    monkeypatch.setattr(site.app._middleware, "_app", watched)
    found = [page(site, "/@ann") for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert asked == ["/@ann"]


def test_a_page_says_who_what_where_what_for_and_how(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    wanted = publish(site, ann, "looking_for", {"content": "A queen, by May.", "meta": {"title": "A queen"}})
    hidden = publish(site, ann, "ideas", {"content": "not for you", "meta": {"visibility": "private"}})
    text = page(site, "/@ann")
    for said in (
        "Ann Bee",
        "Keeper of bees",
        "Leith",
        "A queen",
        "mailto:ann@bees.example",
        "Engineer",
        "Jan 2019 – 2021",
    ):
        assert said in text, said
    for unsaid in ("7946", "90000", "salary", "not for you", f"ideas/{hidden}", "Salary"):
        assert unsaid not in text, unsaid
    assert f"@ann/looking_for/{wanted}" in list(hrefs(text))
    assert text.index("A queen") < text.index("Engineer")
    block = re.search(r'<script type="application/ld\+json">(.+?)</script>', text)
    assert block is not None
    said_to_programs = json.loads(block[1])
    assert said_to_programs["@type"] == "ProfilePage"
    assert said_to_programs["mainEntity"]["sameAs"] == ["https://bees.example"]
    whole = stylesheet().body
    assert len(text.encode()) + len(whole) < MOST_BYTES


def test_a_page_reads_the_form_of_json_resume(site: Site, ann: dict[str, str]) -> None:
    basics = {"name": "Ann Bee", "label": "Keeper", "location": {"city": "Leith", "address": "1 Hive Lane"}}
    profiles = [{"network": "Git", "url": "https://git.example/ann"}]
    publish(site, ann, "resume", {"basics": {**basics, "profiles": profiles}})
    text = page(site, "/@ann")
    assert "<title>Ann Bee</title>" in text
    assert (text.count(">Keeper<"), "Hive Lane" in text) == (1, False)
    for said in ('p-job-title" dir="auto">Keeper', "Leith", 'href="https://git.example/ann"'):
        assert said in text, said


def test_a_kind_of_which_all_stands_at_the_top_is_not_said_again(site: Site, ann: dict[str, str]) -> None:
    made = publish(site, ann, "about", {"name": "Ann Bee", "title": "Keeper of bees", "location": "Leith"})
    text = page(site, "/@ann")
    assert ("Keeper of bees" in text, "kind-about" in text) == (True, False)
    assert "Nothing is shown here" not in text
    site.client.patch(f"/api/v1/about/{made}", json={"bio": "Honey.", "summary": "And wax."}, headers=ann)
    assert "kind-about" in page(site, "/@ann")


def test_each_kind_and_each_entry_has_an_address(site: Site, ann: dict[str, str]) -> None:
    ids = [publish(site, ann, "ideas", {"content": f"# Idea {n:02}"}) for n in range(35)]
    first = page(site, "/@ann/ideas")
    assert "Idea 34" in first
    assert "Idea 04" not in first
    following = next(each for each in hrefs(first) if "cursor=" in each)
    second = page(site, f"/@ann/ideas{following}")
    assert "Idea 04" in second
    assert "Idea 34" not in second
    assert "Idea 07" in page(site, f"/@ann/ideas/{ids[7]}")
    made = site.client.post(
        "/api/v1/ideas?slug=on-bees",
        json={"content": "# On bees", "meta": {"visibility": "public"}},
        headers=ann,
    )
    assert made.status_code == 201
    assert "On bees" in page(site, "/@ann/ideas/on-bees")
    assert "All of Ideas" in page(site, "/@ann")


def test_a_kind_of_an_older_server_that_is_called_as_a_file_there_has_a_second_address(
    site: Site, ann: dict[str, str]
) -> None:
    kind = {"name": "notes", "schema": {"type": "object"}, "example": {"a": 1}, "is_public": True}
    made = site.client.post("/api/v1/endpoints", json=kind, headers=ann)
    assert made.status_code == 201, made.text
    entry_id = publish(site, ann, "notes", {"content": "A note of old"})
    before = "notes"
    for called in sorted(FILES_OF_PERSON):
        with site.writing() as connection:
            of_it = update(endpoints).where(endpoints.c.short_name == before)
            connection.execute(of_it.values(short_name=called, name=f"{called}@1"))
            before = called
        (listed,) = site.client.get("/@ann").json()["kinds"]
        address = urljoin("/@ann", listed["url"])
        assert address == f"/@ann/~{called}"
        (shown,) = site.client.get(address).json()["items"]
        assert shown["id"] == entry_id
        assert site.client.get(f"{address}/{entry_id}").json()["id"] == entry_id
        whole = page(site, "/@ann")
        assert f"~{called}/{entry_id}" in whole
        assert page(site, address)


def test_no_new_kind_is_called_as_a_file_of_a_person(site: Site, ann: dict[str, str]) -> None:
    for called in FILES_OF_PERSON:
        kind = {"name": called, "schema": {"type": "object"}, "example": {"a": 1}}
        assert site.client.post("/api/v1/endpoints", json=kind, headers=ann).status_code == 422
    routes = [each for each in site.app.framework.routes if isinstance(each, APIRoute)]
    paths = [each.path.removeprefix("/@{username}/") for each in routes if "GET" in (each.methods or ())]
    files = {each for each in paths if "/" not in each and "{" not in each}
    assert files == FILES_OF_PERSON


def test_an_entry_is_found_below_its_own_person_alone(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    publish(site, ann, "ideas", {"content": "# Of ann"})
    of_ben = site.client.post(
        "/api/v1/ideas?slug=of-ben",
        json={"content": "# Of ben", "meta": {"visibility": "public"}},
        headers=ben,
    ).json()["id"]
    assert "Of ben" in page(site, f"/@ben/ideas/{of_ben}")
    assert "Of ben" in page(site, "/@ben/ideas/of-ben")
    for path in (f"/@ann/ideas/{of_ben}", "/@ann/ideas/of-ben"):
        assert "Of ben" not in page(site, path, 404)
    both = page(site, "/")
    assert {"@ann", "@ben"} <= set(hrefs(both))


def test_nobody_and_somebody_who_shows_nothing_are_one_page(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    publish(site, ann, "ideas", {"content": "# Mine", "meta": {"visibility": "private"}})
    named = {"X-Request-ID": "the-same-for-all"}
    found = {page(site, f"/@{name}", 404, named) for name in ("ann", "ben", "nobody")}
    assert len(found) == 1
    assert "Nothing is published here yet" in page(site, "/")
    for path in ("/@ann/ideas", "/@nobody/ideas", "/@ann/nothing", "/@ann/ideas/7", "/@ann/a/b/c"):
        page(site, path, 404)
    for name in ("ann", "nobody"):
        assert site.client.get(f"/@{name}").headers["content-type"] == "application/problem+json"


def test_a_browser_is_told_by_a_page_that_an_address_is_none(site: Site, ann: dict[str, str]) -> None:
    named = {"X-Request-ID": "the-same-for-all"}
    pages = {page(site, path, 404, {**named, **who}) for path in ("/nothing", "/other") for who in ({}, ann)}
    assert len(pages) == 1
    assert "/api/" not in next(iter(pages))
    for path in ("/nothing", "/a/b.html"):
        assert urljoin(path, list(hrefs(page(site, path, 404)))[-1]) == "/"
    german = site.client.get("/nothing", headers={**HTML, "Accept-Language": "de"})
    assert '<html lang="de"' in german.text
    assert german.headers["cache-control"] == "no-store"
    for path, accept in (("/nothing", "*/*"), ("/nothing", "application/json"), ("/api/nothing", BROWSER)):
        answer = site.client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert answer.json()["hint"] == "GET /api/v1/endpoints lists what there is."


def test_the_names_of_several_people_are_in_the_language_of_the_browser(
    site: Site, ann: dict[str, str]
) -> None:
    assert "Hier ist noch nichts" in page(site, "/", headers={"Accept-Language": "de"})
    site.add_user("ben")
    for who in (ann, site.log_in("ben")):
        publish(site, who, "ideas", {"content": "x"})
    for _ in range(2):  # the second one is a kept one
        for language, said in (("de-AT", "Menschen hier"), ("en", "People here"), ("fr", "People here")):
            answer = site.client.get("/", headers={**HTML, "Accept-Language": language})
            assert said in answer.text
            assert "Accept-Language" in answer.headers["vary"]
            assert answer.headers["cache-control"] == "public, no-cache"


def test_its_owner_sees_on_a_page_what_strangers_do(site: Site, ann: dict[str, str]) -> None:
    shown = publish(site, ann, "ideas", {"content": "# Shown", "secret_member": "of mine"})
    mine = publish(site, ann, "ideas", {"content": "# Mine", "meta": {"visibility": "private"}})
    for path in ("/@ann", "/@ann/ideas", f"/@ann/ideas/{shown}"):
        answer = site.client.get(path, headers={**HTML, **ann})
        assert answer.headers["cache-control"] == "private, no-store"
        assert "Shown" in answer.text
        assert "of mine" not in answer.text
        assert "Mine" not in answer.text
        assert answer.text == page(site, path)
    page(site, f"/@ann/ideas/{mine}", 404, ann)
    assert site.client.get("/@ann", headers={**HTML, "Authorization": "Bearer junk"}).status_code == 401


def test_an_assistant_gets_less_and_an_opt_out_is_nobody(site: Site, ann: dict[str, str]) -> None:
    assistant = {"User-Agent": "GPTBot/1.2"}
    publish(site, ann, "ideas", {"content": "# Bees"})
    assert "Bees" in page(site, "/@ann", headers=assistant)
    settings = {"ai_assistant_access": False}
    assert site.client.patch("/api/v1/privacy/settings", json=settings, headers=ann).status_code == 200
    for _ in range(2):
        answer = site.client.get("/@ann", headers=HTML)
        assert "no-store" in answer.headers["cache-control"]
        page(site, "/@ann", 404, assistant)
        assert "@ann" not in page(site, "/", headers=assistant)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_written_does_nothing(site: Site, ann: dict[str, str], name: str) -> None:
    text = HOSTILE[name]
    publish(site, ann, "about", {"name": text, "title": text, "content": text, "bio": text, "website": text})
    idea = publish(
        site, ann, "ideas", {"content": f"# {text}\n\n{text}", "description": text, "category": text,
        "meta": {"title": text, "tags": [text], "date": text}},
    )  # fmt: skip
    for path in ("/", "/@ann", "/@ann/ideas", f"/@ann/ideas/{idea}"):
        answer = site.client.get(path, headers=HTML)
        check_page(answer.text)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
        assert "unsafe" not in policy
        for harm in (
            "<script>",
            "<img",
            "<style>",
            "<svg",
            "<base",
            "<meta http-equiv",
            ">49",
            " 49",
        ):
            assert harm not in answer.text, harm
        for each in hrefs(answer.text):
            assert not each.lower().startswith(("javascript:", "data:")), each
        title = re.search("<title>(.*?)</title>", answer.text, re.DOTALL)
        assert title is not None
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", title[1])


def test_a_huge_entry_is_a_page_soon(site: Site, ann: dict[str, str]) -> None:
    idea = publish(site, ann, "ideas", {"content": "[" * 200_000 + " end", "meta": {"title": "w" * 5_000}})
    assert len(page(site, "/@ann")) < MOST_BYTES
    assert "end" in page(site, f"/@ann/ideas/{idea}")


def test_what_is_hidden_at_a_level_is_on_no_page(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "resume", json.loads(json.dumps(RESUME)))
    assert "Copperline" in page(site, "/@ann?level=professional")
    assert "Wax" in page(site, "/@ann?level=professional")
    card = page(site, "/@ann?level=business_card")
    assert "Ann Bee" in card
    assert "Twenty years" not in card
    assert site.client.get("/@ann?level=nonsense", headers=HTML).status_code == 400


def test_the_stylesheet_is_kept_for_a_year_under_its_hash(client_of_page: TestClient) -> None:
    answer = client_of_page.get(stylesheet().path)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    unchanged = client_of_page.get(stylesheet().path, headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    assert client_of_page.get("/assets/page.0000.css").status_code == 404


@pytest.fixture
def client_of_page(site: Site) -> TestClient:
    return site.client


def test_a_browser_is_told_what_went_wrong_as_a_page(site: Site) -> None:
    for method, path, status in (
        ("POST", "/", 405),
        ("GET", "/@ann?cursor=x", 404),
        ("GET", "/@ann/ideas?cursor=%20", 404),
    ):
        answer = site.client.request(method, path, headers=HTML)
        assert answer.headers["content-type"].startswith("text/html"), (method, path)
        assert answer.status_code in (status, 400)
        assert answer.headers["cache-control"] == "no-store"
        check_page(answer.text)
    assert (
        site.client.get("/api/v1/nothing", headers={"Accept": BROWSER}).headers["content-type"] != "text/html"
    )


def test_robots_are_told_what_to_leave_alone(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    publish(site, ann, "ideas", {"content": "# Of ann"})

    def robots(**headers: str) -> str:
        answer = site.client.get("/robots.txt", headers=headers)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "public, no-cache"
        return answer.text

    assert "Disallow: /api/" in robots()
    assert "GPTBot" not in robots()
    closed = {"ai_assistant_access": False}
    assert site.client.patch("/api/v1/privacy/settings", json=closed, headers=ann).status_code == 200
    assert robots().count("Disallow: /\n") == 1, "no one here lets assistants in"
    publish(site, ben, "ideas", {"content": "# Of ben"})
    for _ in range(2):
        told = robots()
        assert "User-agent: GPTBot\n" in told
        assert "Disallow: /@ann\n" in told
        assert "/@ben" not in told
        assert "Disallow: /\n" not in told
        assert robots(**{"User-Agent": "GPTBot/1.2"}) == told
    assert "nobody" not in told


def test_a_closed_database_is_told_to_a_browser_as_a_page_with_its_stylesheet(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(site.app.server.supervisor), "is_open", property(lambda _self: False))
    answer = site.client.get("/", headers=HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert answer.headers["retry-after"]
    check_page(answer.text)
    style = re.search(r'<link rel="stylesheet" href="([^"]+)">', answer.text)
    assert style is not None
    assert site.client.get(f"/{style[1]}").status_code == 200
    assert site.client.get("/").headers["content-type"] == "application/problem+json"
