"""Is an entry in each of its forms what the asker's own view holds, at its address, and nothing besides?"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from sqlalchemy import update

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import new_scope
from app.formats import atom, markdown_writing
from app.formats.atom import feed_entry
from app.formats.entry_forms import FORMS
from app.formats.form_writers import WRITERS
from app.formats.front_matter import split
from app.formats.items import Choices
from app.formats.vcard_lines import read_cards
from app.privacy.levels import NAMES
from app.tables import endpoints
from tests.web.conftest import Site

TEXT = "Hi there\n---\nvisibility: public\n---\r\nBEGIN:VCARD\r\nFN:Eve\r\nEND:VCARD"
RESUME = {
    "name": "Ann Bee\r\nNICKNAME:eve",
    "title": "Engineer; of, things \\ 木" + "é" * 60,
    "contact": {"email": "ann@work.example", "phone": "+1 212 555 0142", "website": "https://example.org"},
    "experience": [
        {"company": "Copperline", "position": "Principal", "start_date": "2019-03", "end_date": "Present"}
    ],
    "skills": {"technical": ["Rust", "SQL"]},
}
EVENT = {
    "content": TEXT,
    "meta": {"title": "A talk\nDTSTART:19990101", "date": "2026-05-01", "tags": ["a, b", "c"]},
    "venue": "Hall; 1",
    "end_date": "2026-05-02",
}
TYPES = {
    "md": "text/markdown",
    "jsonresume": "application/vnd.jsonresume+json",
    "vcf": "text/vcard",
    "ics": "text/calendar",
}
REFUSED = (
    ("ideas.xyz", "*/*", 404),
    ("ideas.ics", "*/*", 404),
    ("ideas.vcf", "text/vcard", 404),
    ("nothing.md", "*/*", 404),
    ("ideas/users/nobody.md", "*/*", 404),
    ("ideas.md", "application/json", 406),
    ("ideas.json", "text/markdown", 406),
    ("ideas", "text/vcard", 406),
    ("ideas", "text/html", 406),
    ("ideas", "application/json;q=0", 406),
    ("ideas", "text/*", 200),
    ("ideas", "*/*", 200),
    ("ideas", "text/markdown;q=0.2, application/json;q=0.3", 200),
    ("events.ics?level=business_card", "*/*", 200),
)
PAIRS = [("resume", each) for each in ("md", "jsonresume", "vcf")]
PAIRS += [("events", "ics"), ("ideas", "md"), ("contacts", "vcf")]


@pytest.fixture
def ids(site: Site) -> dict[str, int]:
    """The ids of a resume, an event, an idea and a contact of ann's."""
    ann = site.log_in("ann")
    made = {}
    for kind, content in (
        ("resume", RESUME),
        ("events", EVENT),
        ("ideas", {"content": TEXT, "meta": {"title": "T\n---\nid: 1", "tags": ["yes"]}}),
        (
            "contacts",
            {"name": "Bob", "phones": [{"value": "+1 2", "types": ["home", "x;y"]}], "birthday": "--04-12"},
        ),
    ):
        answer = site.client.post(f"/api/v1/{kind}", json=content, headers=ann)
        assert answer.status_code == 201, answer.text
        made[kind] = answer.json()["id"]
    return made


def get(site: Site, path: str, headers: dict[str, str] | None = None, **more: str) -> Any:
    return site.client.get(f"/api/v1/{path}", headers={**(headers or {}), **more})


def front_matter(text: str) -> dict[str, Any]:
    """What YAML's own reader and ours both find above a text."""
    ours = split(text, "x.md", Choices()).values
    theirs = next(iter(yaml.safe_load_all(text.partition("\n---\n")[0])))
    assert [str(each) for each in ours.values() if isinstance(each, str)] <= [*map(str, theirs.values())]
    assert isinstance(theirs, dict)
    return theirs


def test_each_form_is_written_by_something_and_feeds_are_of_one_type() -> None:
    assert {*WRITERS} == {form.suffix for form in FORMS}
    assert next(form.media_type for form in FORMS if form.suffix == "atom") == atom.MEDIA_TYPE


def test_a_suffix_and_accept_name_the_same_form(site: Site, ids: dict[str, int]) -> None:
    ann = site.log_in("ann")
    for kind, suffix in PAIRS:
        check_pair(site, ann, kind, ids[kind], suffix)


def check_pair(site: Site, ann: dict[str, str], kind: str, entry_id: int, suffix: str) -> None:
    media_type = TYPES[suffix]
    for path in (kind, f"{kind}/{entry_id}", f"{kind}/users/ann"):
        by_suffix = get(site, f"{path}.{suffix}", ann)
        assert by_suffix.status_code == 200, by_suffix.text
        assert by_suffix.headers["content-type"].partition(";")[0] == media_type
        assert (
            get(site, f"{path}.{suffix}", ann, accept=f"{media_type}, */*;q=0.1").content == by_suffix.content
        )
        by_accept = get(site, path, ann, accept=f"text/html;q=0.1, {media_type}")
        assert (by_accept.content, by_accept.headers["etag"]) == (
            by_suffix.content,
            by_suffix.headers["etag"],
        )
        plain, as_json = get(site, path, ann), get(site, f"{path}.json", ann)
        assert plain.content == as_json.content
        assert as_json.headers["content-type"] == "application/json"
        assert plain.headers["etag"] != by_suffix.headers["etag"]
        assert "Accept" in by_suffix.headers["vary"]
        assert by_suffix.headers["cache-control"] == "private, no-store"
        known = get(site, f"{path}.{suffix}", ann, **{"if-none-match": by_suffix.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


def test_each_level_is_the_view_of_that_level(site: Site, ids: dict[str, int]) -> None:
    """What a form holds is made of the JSON of the same asker: of no value that is not in it."""
    for level in NAMES:
        view = get(site, f"resume?level={level}").json()["items"][0]["data"]
        resume = json.loads(get(site, f"resume.jsonresume?level={level}").content)
        assert resume["basics"].get("email") == view.get("contact", {}).get("email")
        texts = [
            get(site, f"resume{each}.{suffix}?level={level}").text
            for suffix in ("md", "vcf")
            for each in ("", f"/{ids['resume']}")
        ]
        for text in (*texts, json.dumps(resume)):
            assert "555" not in text, "a phone number is on no level's list"
            assert ("ann@work.example" in text) == (resume["basics"].get("email") == "ann@work.example")
    own = get(site, f"resume/{ids['resume']}.vcf", site.log_in("ann")).text
    assert "TEL:+1 212 555 0142" in own


def test_a_stranger_gets_no_other_status_for_what_is_hidden_than_for_what_is_not_there(
    site: Site, ids: dict[str, int]
) -> None:
    for suffix in ("md", "vcf", "json", "xyz", "ics"):
        hidden, missing = (get(site, f"contacts/{number}.{suffix}") for number in (ids["contacts"], 9_999))
        assert hidden.status_code == missing.status_code == 404
        said = [json.loads(re.sub(r"\d+", "0", each.text)) for each in (hidden, missing)]
        assert {**said[0], "request_id": "", "instance": ""} == {**said[1], "request_id": "", "instance": ""}
    assert b"BEGIN" not in get(site, "contacts.vcf").content


def test_no_value_ends_a_line_or_the_front_matter(site: Site, ids: dict[str, int]) -> None:
    ann = site.log_in("ann")
    card = get(site, "resume.vcf", ann).content
    assert all(len(line) <= 75 for line in card.split(b"\r\n"))
    assert b"\n" not in card.replace(b"\r\n", b"")
    (read,) = read_cards(card, "x.vcf")
    assert read.first("FN") == RESUME["name"].replace("\r\n", "\n")  # type: ignore[attr-defined]
    assert [each.text() for each in read.of("EMAIL")] == ["ann@work.example"]
    assert read.first("TITLE") == RESUME["title"]
    event = get(site, "events.ics", ann).content.replace(b"\r\n ", b"").decode()
    assert event.count("\r\nDTSTART") == 1
    assert "\r\nDTSTART;VALUE=DATE:20260501\r\nDTEND;VALUE=DATE:20260503\r\n" in event
    assert "\r\nLOCATION:Hall\\; 1\r\n" in event
    assert event.count("BEGIN:") == 2 + TEXT.count("BEGIN:")
    idea = get(site, f"ideas/{ids['ideas']}.md", ann).text
    matter = front_matter(idea)
    assert (matter["id"], matter["visibility"], matter["tags"]) == (ids["ideas"], "public", ["yes"])
    assert idea.partition("\n---\n\n")[2].startswith(TEXT)
    listed = front_matter(get(site, "ideas.md", ann).text)
    assert [each["id"] for each in listed["entries"]] == [ids["ideas"]]
    contact = get(site, "contacts.vcf", ann).text
    assert "TEL;TYPE=home:+1 2\r\n" in contact
    assert "BDAY:--0412\r\n" in contact


def test_what_cannot_be_met_is_said(site: Site, ids: dict[str, int]) -> None:
    assert ids
    for path, accept, status in 2 * REFUSED:  # the second time what is kept would be found
        get(site, path.partition(".")[0])
        answer = get(site, path, accept=accept)
        assert answer.status_code == status, (path, accept, answer.text)
        assert status < 400 or answer.json()["detail"]
    assert get(site, "ideas", accept="*/*").headers["content-type"] == "application/json"


def test_the_kept_answer_of_one_form_is_no_answer_to_another(site: Site, ids: dict[str, int]) -> None:
    for path in ("ideas", f"ideas/{ids['ideas']}"):
        for accept, content_type in 3 * (
            ("*/*", "application/json"),
            ("text/markdown", "text/markdown; charset=utf-8"),
            ("text/markdown, */*;q=0.5", "text/markdown; charset=utf-8"),
            ("text/html, */*;q=0.8", "application/json"),
        ):
            answer = get(site, path, accept=accept)
            assert answer.headers["content-type"] == content_type
            assert answer.headers["cache-control"] == "public, no-cache"
            assert "Accept" in answer.headers["vary"].split(", ")
    site.client.delete(f"/api/v1/ideas/{ids['ideas']}", headers=site.log_in("ann"))
    assert "Hi there" not in get(site, "ideas.md").text


def test_a_name_that_ends_like_a_form_comes_first(site: Site, ids: dict[str, int]) -> None:
    with site.writing() as connection:
        connection.execute(update(endpoints).where(endpoints.c.name == "goals").values(name="ideas.md"))
    assert get(site, "ideas.md").json() == {"items": [], "next": None}
    assert get(site, "ideas.md.md").text.startswith('---\nkind: "ideas.md"')
    site.add_user("ann.md")
    made = site.client.post("/api/v1/claims", json={"content": "mine"}, headers=site.log_in("ann.md"))
    assert made.status_code == 201
    assert get(site, "ideas/users/ann.md").json()["items"] == []
    assert "Hi there" in get(site, "ideas/users/ann.json").text
    slugged = site.client.put(
        f"/api/v1/ideas/{ids['ideas']}?slug=first-one", json={"content": "x"}, headers=site.log_in("ann")
    )
    assert slugged.status_code == 200
    assert get(site, "ideas/first-one.md").text.endswith("\n---\n\nx\n")


@pytest.mark.parametrize(
    ("text", "title", "below"),
    [
        ("# A *walk*\n\nin the rain\n", "A *walk*", "in the rain\n"),
        ("\r\n## Twice ##\r\nmore", "Twice", "more\n"),
        ("#hashtag first", None, "#hashtag first\n"),
        ("words\n# later", None, "words\n# later\n"),
        ("    # of code", None, "    # of code\n"),
        ("#  \nnothing said", None, "#  \nnothing said\n"),
        (f"# {'long ' * 100}", None, f"# {'long ' * 100}\n"),
    ],
)
def test_a_text_that_begins_with_a_heading_has_that_as_its_title(
    text: str, title: str | None, below: str
) -> None:
    view = {"id": 7, "data": {"content": text}, "created_at": "2026-01-01T00:00:00Z"}
    listed = markdown_writing.entries("ideas", [view]).decode()
    assert listed.endswith(f"---\n\n# {title or 7}\n\n{below}")
    assert markdown_writing.entry("ideas", view).decode().partition("\n---\n\n")[2] in (text, f"{text}\n")
    assert feed_entry("ideas", view, "urn:x").title == (title or "ideas 7")
    titled = {"id": 7, "slug": "walk", "data": {"content": text, "meta": {"title": "Said"}}}
    assert "\n# Said\n\n" in markdown_writing.entries("ideas", [titled]).decode()


def test_a_key_of_some_kinds_reads_them_in_every_form(site: Site, ids: dict[str, int]) -> None:
    with site.writing() as connection:
        scope = new_scope(kinds=["ideas"])
        _, text = api_keys.make_key(connection, site.user("ann"), NewKey("k", scope, None), clock.now())
    key = {"x-api-key": text}
    assert get(site, "ideas.md", key).status_code == 200
    assert get(site, "resume.md", key).status_code == 403
    assert get(site, f"ideas/{ids['ideas']}.md", key).status_code == 200


def test_a_list_goes_on_in_its_form(site: Site, ids: dict[str, int]) -> None:
    ann = site.log_in("ann")
    site.client.post("/api/v1/ideas", json={"content": "second"}, headers=ann)
    first = get(site, "ideas.md?limit=1")
    following = re.search(r"<(\?[^>]+)>; rel=\"next\"", first.headers["link"])
    assert following is not None
    assert "second" in get(site, f"ideas.md{following[1]}").text
    assert ids


def test_an_event_without_a_day_is_in_no_calendar(site: Site) -> None:
    ann = site.log_in("ann")
    for date in ("2026", "2026-05", "soon", None):
        made = site.client.post("/api/v1/events", json={"content": "x", "meta": {"date": date}}, headers=ann)
        answer = get(site, f"events/{made.json()['id']}.ics", ann)
        assert answer.status_code == 406, date
    assert get(site, "events.ics", ann).text.count("BEGIN:") == 1
    assert get(site, "resume.jsonresume", ann).status_code == 406
