"""Search over HTTP: what is found at which level, in which order, and how is it quoted?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import pytest
from sqlalchemy import delete, func, select

from app import clock
from app.accounts import users
from app.entries import erase, search_index
from app.entries.endpoints import find_of_entry
from app.privacy.viewer import Viewer
from app.tables import search_rows, search_stamps
from tests.web.conftest import Site, wait_until
from tests.web.test_entries import post
from tests.web.test_problems import check_problem

FOUND_BY: dict[str, list[str]] = {
    "bees": ["Bees"],
    "BEES": ["Bees"],
    "bee": ["Bee"],
    "bee*": ["Bees", "Bee", "Beekeeping"],
    "beek*": ["Beekeeping"],
    "beeke*": ["Beekeeping"],
    "beekee*": ["Beekeeping"],
    "be*": ["problem"],
    "東*": ["東京"],
    "garden -beek*": ["Apples", "Bees"],
    "garden -appl*": ["Bees"],
    "garden bees": ["Bees"],
    '"the garden"': ["Bees", "Apples"],
    '"garden the"': [],
    "garden -apples": ["Bees"],
    "garden -app*": ["Bees"],
    'garden -"apple tree"': ["Bees"],
    "well-known": ["Well"],
    "known well": ["Well"],
    "café": ["Café"],
    "CAFE": ["Café"],
    "cafe\u0301": ["Café"],
    "straße": ["Straße"],
    "strasse": ["Straße"],
    "東京": ["東京"],
    "京東": [],
    '"東京 タワー"': ["東京"],
    "зебра": ["Зебра"],
    "ЗЕБРА": ["Зебра"],
    "c++": ["C"],
    "AND": ["C", "Words"],
    "bees OR": [],
    "NEAR(a": [],
    "words:and": [],
    "'it''s": ["Words"],
    "\\": ["problem"],
    "-bees": ["problem"],
    '"': ["problem"],
    "*": ["problem"],
    "(": ["problem"],
    "😀": ["problem"],
    "ab" * 60: ["Long"],
    "ab" * 30: [],
    "ab" * 30 + "*": ["Long"],
    "ﬁne": ["Words"],
    "x:y | z & !w": ["Words"],
}
"""What each query finds, by titles; `problem` where it is none."""

ENTRIES = (
    ("Bees", "They live in the garden, among flowers."),
    ("Bee", "One."),
    ("Beekeeping", "A craft."),
    ("Apples", "An apple tree stands in the garden. Apples are on it."),
    ("Well", "A well-known one."),
    ("Café", "Crème brûlée in the café."),
    ("Straße", "An der Straße."),
    ("東京", "東京タワーに行った。"),
    ("Зебра", "Полосатая зебра."),
    ("C", "C++ and c."),
    ("Words", "and it's NOT fine: x y z w; or"),
    ("Long", "ab" * 60),
)


@pytest.fixture
def filled(site: Site) -> Site:
    for title, text in ENTRIES:
        post(site, content=text, meta={"title": title})
    indexed(site)
    return site


def indexed(site: Site) -> None:
    """Have everything indexed that was written."""
    server = site.app.server
    server.text_backfill.step()
    wait_until(lambda: server.text_backfill.is_through, "the texts are not searched")
    server.search_upkeep.catch_up()


def search(site: Site, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    """Return the answer to a search."""
    answer = site.client.get("/api/v1/search", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def titles(site: Site, headers: dict[str, str] | None = None, **asked: Any) -> list[str]:
    """Return the titles of what is found."""
    return [one["title"] for one in search(site, headers, **asked)["items"]]


def test_both_engines_find_the_same(filled: Site) -> None:
    found: dict[str, list[str]] = {}
    for query in FOUND_BY:
        answer = filled.client.get("/api/v1/search", params={"q": query, "sort": "date"})
        if answer.status_code != 200:
            check_problem(answer, 400, "usage")
            found[query] = ["problem"]
        else:
            found[query] = [one["title"] for one in answer.json()["items"]]
    assert {query: sorted(each) for query, each in found.items()} == {
        query: sorted(each) for query, each in FOUND_BY.items()
    }


def test_what_is_found_is_quoted_with_its_place(filled: Site) -> None:
    (first, *_) = search(filled, q="garden apple*")["items"]
    assert (first["kind"], first["title"], first["date"]) == ("ideas", "Apples", None)
    title, text = first["snippets"][-1], first["snippets"][0]
    if title["pointer"] != "/meta/title":
        title, text = text, title
    assert (title["text"], title["hits"]) == ("Apples", [[0, 6]])
    assert [text["text"][begin:end] for begin, end in text["hits"]] == ["apple", "garden", "Apples"]
    assert (text["pointer"], text["is_begin"], text["is_end"]) == ("/content", True, True)
    whole = filled.client.get(f"/api/v1/{first['kind']}/{first['id']}").json()
    assert text["text"] in whole["data"]["content"]


def test_a_long_text_is_quoted_around_the_hit(site: Site) -> None:
    post(site, content="word " * 200 + "needle" + " word" * 200)
    indexed(site)
    (snippet,) = search(site, q="needle")["items"][0]["snippets"]
    assert len(snippet["text"]) <= 240
    assert not snippet["is_begin"]
    assert not snippet["is_end"]
    assert [snippet["text"][begin:end] for begin, end in snippet["hits"]] == ["needle"]


def test_by_rank_what_has_the_words_in_its_title_comes_first_and_by_date_the_newest(site: Site) -> None:
    for title, date, text in (
        ("Stars", "2020", "bees and honey"),
        ("Bees", "2021-05", "honey"),
        ("Bees and honey", "2019-01-02", "x"),
        ("Moons", "2022", "bees and honey"),
    ):
        post(site, content=text, meta={"title": title, "date": date})
    indexed(site)
    by_rank = ["Bees and honey", "Bees", "Moons", "Stars"]
    assert titles(site, q="bees honey") == by_rank
    assert titles(site, q="bees honey", sort="date") == ["Moons", "Bees", "Stars", "Bees and honey"]
    assert titles(site, q="honey", since="2020", until="2021") == ["Bees", "Stars"]
    assert titles(site, q="honey", since="2021-05-03", until="2021-05-04") == ["Bees"]
    assert titles(site, q="honey", since="2021-07") == ["Moons"]
    assert titles(site, q="honey", since="0001", until="0002") == []
    assert len(titles(site, q="honey", since="0002-01-01", until="9998")) == 4


@pytest.mark.parametrize("sort", ["rank", "date"])
@pytest.mark.parametrize("limit", [1, 2])
def test_links_lead_through_all_that_is_found_once(filled: Site, sort: str, limit: int) -> None:
    address, found = f"/api/v1/search?q=bee*&sort={sort}&limit={limit}&utm_source=letter", []
    while address:
        answer = filled.client.get(address)
        assert len(answer.json()["items"]) <= limit
        found += [one["title"] for one in answer.json()["items"]]
        link = answer.headers.get("link", "")
        assert "utm_source" not in link
        address = urljoin(address, link[1 : link.index(">")]) if link else ""
    assert sorted(found) == ["Bee", "Beekeeping", "Bees"]
    cursor = search(filled, q="bee*", sort=sort, limit=1)["next"]
    answer = filled.client.get("/api/v1/search", params={"q": "bees", "cursor": cursor})
    check_problem(answer, 400, "usage")


def test_kinds_tags_and_people_narrow_it(site: Site) -> None:
    site.add_user("ben")
    post(site, content="honey", meta={"title": "Ann's", "tags": ["Sweet Things"]})
    post(site, kind="projects", content="honey", meta={"title": "Project"}, name="Honey")
    post(site, by="ben", content="honey", meta={"title": "Ben's"})
    indexed(site)
    assert sorted(titles(site, q="honey")) == ["Ann's", "Ben's", "Project"]
    assert titles(site, q="honey", kind="projects") == ["Project"]
    assert titles(site, q="honey", kind="nothing") == []
    assert titles(site, q="honey", tag="sweet things") == ["Ann's"]
    assert titles(site, q="honey", user="ben") == ["Ben's"]
    answer = site.client.get("/api/v1/search", params={"q": "honey", "user": "carl"})
    check_problem(answer, 404, "not_found")


def test_one_finds_what_is_ones_own_whole_and_of_others_what_strangers_get(site: Site) -> None:
    site.add_user("ben")
    post(site, by="ben", content="honey of ben", meta={"title": "Shown"})
    post(site, by="ben", content="honey of ben", meta={"title": "Hidden", "visibility": "private"})
    post(site, content="honey of ann", meta={"title": "Mine", "visibility": "private"})
    indexed(site)
    ann, ben = site.log_in("ann"), site.log_in("ben")
    assert titles(site, q="honey") == ["Shown"]
    assert sorted(titles(site, ben, q="honey")) == ["Hidden", "Shown"]
    assert sorted(titles(site, ann, q="honey")) == ["Mine", "Shown"]
    assert sorted(titles(site, ann, q="honey", user="ben")) == ["Hidden", "Shown"]
    assert titles(site, ben, q="honey", level="public_full") == ["Shown"]
    (mine,) = [one for one in search(site, ann, q="honey")["items"] if one["title"] == "Mine"]
    assert (mine["visibility"], mine["owner"]) == ("private", "ann")


SECRETS = ("ann.secret@example.com", "4111111111111111")


def test_nothing_is_found_by_what_is_hidden_at_a_level(site: Site) -> None:
    post(site, content=f"Reach me: {SECRETS[0]} or pay {SECRETS[1]}. Quince.", meta={"title": "Contact"})
    post(site, content="Quince draft", meta={"title": "Draft", "status": "draft"})
    post(site, content="Quince later", meta={"title": "Later", "publish_at": "2999-01-01"})
    post(site, content="Quince gone", meta={"title": "Gone", "expires_at": "2001-01-01"})
    post(site, content="Quince by link", meta={"title": "Unlisted", "visibility": "unlisted"})
    indexed(site)
    assert titles(site, q="quince") == ["Contact"]
    for secret in (*SECRETS, "ann.secret", "secret", "4111*"):
        for level in ("public_full", "professional", "ai_safe", "business_card", None):
            asked: dict[str, Any] = {} if level is None else {"level": level}
            assert search(site, q=secret, **asked)["items"] == [], secret
    assert SECRETS[0] not in str(search(site, q="quince"))
    assert len(titles(site, site.log_in("ann"), q="quince")) == 5
    assert titles(site, site.log_in("ann"), q=SECRETS[0]) == ["Contact"]


def test_an_assistant_is_answered_by_what_assistants_see(site: Site) -> None:
    post(site, content="Quince", meta={"title": "Shown"})
    indexed(site)
    assistant = {"User-Agent": "ClaudeBot/1.0"}
    assert titles(site, assistant, q="quince") == ["Shown"]
    settings = site.client.patch(
        "/api/v1/privacy/settings", json={"ai_assistant_access": False}, headers=site.log_in("ann")
    )
    assert settings.status_code == 200, settings.text
    assert titles(site, assistant, q="quince") == []
    indexed(site)
    assert titles(site, assistant, q="quince") == []
    assert titles(site, q="quince", level="ai_safe") == []
    assert titles(site, q="quince") == ["Shown"]


def test_a_change_of_what_is_shown_is_not_found_by_what_was_there_before(site: Site) -> None:
    ann = site.log_in("ann")
    post(site, content="Zanzibar and quince", meta={"title": "Travels"})
    indexed(site)
    assert titles(site, q="zanzibar") == ["Travels"]
    added = site.client.post("/api/v1/privacy/never-list", json={"word": "Zanzibar"}, headers=ann)
    assert added.status_code == 201, added.text
    assert titles(site, q="zanzibar") == []
    assert titles(site, q="quince") == []  # stale, and not found until it is made again
    indexed(site)
    assert titles(site, q="zanzibar") == []
    assert titles(site, q="quince") == ["Travels"]
    assert titles(site, ann, q="zanzibar") == ["Travels"]


def test_a_written_entry_is_found_soon_and_a_changed_one_never_as_it_was(site: Site) -> None:
    address = post(site, content="aardvark", meta={"title": "One"})
    wait_until(lambda: titles(site, q="aardvark") == ["One"], "the entry is not found")
    headers = site.log_in("ann")
    changed = {"content": "buffalo", "meta": {"title": "One"}}
    assert site.client.put(address, json=changed, headers=headers).status_code == 200
    assert titles(site, q="aardvark") == []
    wait_until(lambda: titles(site, q="buffalo") == ["One"], "the entry is not found as it is")
    hidden = {"meta": {"visibility": "private"}}
    assert site.client.patch(address, json=hidden, headers=headers).status_code == 200
    assert titles(site, q="buffalo") == []
    assert site.client.delete(address, headers=headers).status_code == 204
    wait_until(lambda: rows_of(site, int(address.rpartition("/")[2])) == 0, "rows of a deleted entry stay")


def rows_of(site: Site, entry_id: int) -> int:
    """Return how many rows the index has of an entry."""
    with site.app.server.supervisor.reading() as connection:
        query = select(func.count()).select_from(search_rows).where(search_rows.c.entry_id == entry_id)
        return int(connection.execute(query).scalar_one())


def test_a_scheduled_entry_is_found_from_its_time_on_and_not_after_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(
        site, content="zeppelin", meta={"title": "T", "publish_at": "2040-01-01", "expires_at": "2040-02-01"}
    )
    indexed(site)
    assert titles(site, q="zeppelin") == []
    with_stranger_rows = rows_at_levels(site)
    assert with_stranger_rows == 0
    monkeypatch.setattr(clock, "now", lambda: datetime(2040, 1, 2, tzinfo=UTC))
    indexed(site)
    assert titles(site, q="zeppelin") == ["T"]
    monkeypatch.setattr(clock, "now", lambda: datetime(2040, 2, 2, tzinfo=UTC))
    assert titles(site, q="zeppelin") == []
    indexed(site)
    assert rows_at_levels(site) == 0


def rows_at_levels(site: Site) -> int:
    """Return how many rows there are of what strangers see."""
    with site.app.server.supervisor.reading() as connection:
        query = select(func.count()).select_from(search_rows).where(search_rows.c.audience != "own")
        return int(connection.execute(query).scalar_one())


def test_an_account_that_is_kept_out_is_not_found(site: Site) -> None:
    site.add_user("ben")
    post(site, by="ben", content="honey", meta={"title": "Ben's"})
    indexed(site)
    assert titles(site, q="honey") == ["Ben's"]
    with site.writing() as connection:
        users.set_active(connection, "ben", False, clock.now())
    assert titles(site, q="honey") == []
    indexed(site)
    assert rows_at_levels(site) == 0


def test_a_key_finds_what_it_is_for(site: Site) -> None:
    post(site, content="honey", meta={"title": "Idea", "visibility": "private"})
    post(site, kind="projects", content="honey", meta={"title": "Project", "visibility": "private"}, name="P")
    post(site, content="honey", meta={"title": "Shown"})
    indexed(site)
    of_kind = {"X-API-Key": key_of(site, kinds=["projects"])}
    assert titles(site, of_kind, q="honey") == ["Project"]
    answer = site.client.get("/api/v1/search", params={"q": "honey", "kind": "ideas"}, headers=of_kind)
    check_problem(answer, 403, "not_allowed")
    assert titles(site, {"X-API-Key": key_of(site, privacy_level="ai_safe")}, q="honey") == ["Shown"]


def key_of(site: Site, **scope: Any) -> str:
    """Return the text of a new key of ann's."""
    headers = site.log_in("ann")
    answer = site.client.post("/auth/keys", json={"name": "k", **scope}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def test_answers_are_kept_by_who_asks_and_known_by_their_tag(filled: Site) -> None:
    kept = len(filled.app.server.response_cache)
    answer = filled.client.get("/api/v1/search?q=bees")
    assert answer.headers["cache-control"] == "private, no-store"  # assistants may be answered otherwise
    assert len(filled.app.server.response_cache) == kept
    same = filled.client.get("/api/v1/search?q=bees", headers={"If-None-Match": answer.headers["etag"]})
    assert same.status_code == 304


@pytest.mark.parametrize(
    "query", ["", "q=", "q=bees&sort=title", "q=bees&cursor=x", "q=bees&since=soon", "q=bees&limit=0", "q=-x"]
)
def test_what_cannot_be_asked_is_a_problem(site: Site, query: str) -> None:
    problem = site.client.get(f"/api/v1/search?{query}")
    assert problem.status_code in (400, 422)
    assert problem.headers["content-type"] == "application/problem+json"


def test_while_the_index_is_made_that_is_said(site: Site) -> None:
    indexed(site)
    assert search(site, q="bees") == {"items": [], "next": None, "pending": False}
    with site.writing() as connection:
        connection.execute(delete(search_stamps))
    assert search(site, q="bees")["pending"]
    indexed(site)
    assert not search(site, q="bees")["pending"]
    health = site.client.get("/health", headers=site.log_in("ann")).json()["search_index"]
    assert (health["waiting"], health["is_done"]) == (0, True)


def test_an_erased_entry_is_in_no_byte_of_the_index(site: Site) -> None:
    entry_id = int(post(site, content="xylophonist here", meta={"title": "Erased"}).rpartition("/")[2])
    for number in range(20):
        post(site, content=f"other {number}")
    indexed(site)
    assert b"xylophonist" in bytes_of(site)
    headers = site.log_in("ann")
    with site.writing() as connection:
        endpoint = find_of_entry(connection, entry_id)
        assert endpoint is not None
        erase.erase(connection, Viewer("admin", 1, "ann"), endpoint, entry_id)
    assert site.app.server.scrubbing.scrub()
    assert b"xylophonist" not in bytes_of(site)
    assert titles(site, headers, q="xylophonist") == []
    assert len(titles(site, headers, q="other", limit=50)) == 20


def bytes_of(site: Site) -> bytes:
    """Return all that is in the files of the database; of a server, what is in its rows."""
    if site.settings.database_url.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in site.settings.database_path.parent.glob("*.db*"))
    with site.app.server.supervisor.reading() as connection:
        return str(connection.execute(select(search_rows.c.words)).all()).encode()


def test_an_index_that_does_not_belong_to_its_rows_is_made_anew(site: Site) -> None:
    post(site, content="honey", meta={"title": "One"})
    indexed(site)
    with site.writing() as connection:
        connection.execute(delete(search_rows))
        search_index.see_to_it(connection)
    indexed(site)
    assert titles(site, q="honey") == ["One"]
