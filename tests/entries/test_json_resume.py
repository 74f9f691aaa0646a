"""Is a JSON Resume a resume: kept as it is, its sections shown at their levels, and of whom?"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from sqlalchemy import select, update

from app.entries import write
from app.entries.policies import add_rule
from app.privacy.levels import NAMES
from app.privacy.rules import Rule
from app.privacy.viewer import STRANGER
from app.tables import data_entries, finding_releases, user_privacy_settings
from tests.entries.conftest import BEN, World

RESUME: dict[str, Any] = {
    "$schema": "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json",
    "basics": {
        "name": "Ben Cee",
        "label": "Engineer",
        "image": "https://ben.example/me.jpg",
        "email": "ben@work.example",
        "phone": "+1 415 555 0134",
        "url": "https://ben.example",
        "summary": "Builds bridges. Call +1 415 555 0134.",
        "location": {
            "address": "12 Harbour Street",
            "postalCode": "97201",
            "city": "Portland",
            "countryCode": "US",
            "region": "Oregon",
        },
        "profiles": [{"network": "GitHub", "username": "bencee", "url": "https://github.com/bencee"}],
    },
    "work": [
        {
            "name": "Copperline",
            "position": "Principal",
            "url": "https://copperline.example",
            "startDate": "2020-03",
            "summary": "Led nine people",
            "highlights": ["Hired four of them"],
            "salary": "$212,000",
        },
        {"company": "Willow", "position": "Intern", "website": "https://willow.example", "endDate": "2019"},
    ],
    "volunteer": [
        {"organization": "Trail crew", "position": "Digger", "summary": "Dug", "startDate": "2018"}
    ],
    "education": [
        {"institution": "State", "area": "Physics", "studyType": "MSc", "score": "4.0", "courses": ["Optics"]}
    ],
    "awards": [{"title": "Best paper", "date": "2019-11-01", "awarder": "ACM", "summary": "For a paper"}],
    "certificates": [{"name": "CKA", "date": "2021-11-07", "issuer": "CNCF", "url": "https://cka.example"}],
    "publications": [
        {"name": "On bridges", "publisher": "Elm", "releaseDate": "2014-10-01", "summary": "How"}
    ],
    "skills": [{"name": "Python", "level": "Master", "keywords": ["asyncio"]}],
    "languages": [{"language": "English", "fluency": "Native speaker"}],
    "interests": [{"name": "Climbing", "keywords": ["boulders"]}],
    "references": [{"name": "L. Ortiz", "reference": "A pleasure. Reach me at 503-555-0147."}],
    "projects": [{"name": "tiny", "startDate": "2019-01-01", "highlights": ["Won"], "roles": ["Lead"]}],
    "meta": {"canonical": "https://ben.example/resume.json", "version": "v1.0.0", "theme": "even"},
    "hobbies_of_mine": ["kept"],
}
ON_THE_CARD = {"Ben Cee", "Engineer", "Copperline", "Principal", "Python", "bencee", "https://ben.example"}
TO_COLLEAGUES = {
    *("Builds bridges", "Portland", "Oregon", "US", "2020-03", "Led nine people", "Hired four", "Willow"),
    *("https://willow.example", "Trail crew", "Digger", "State", "Physics", "MSc", "Optics", "4.0", "ACM"),
    *("Best paper", "2019-11-01", "CKA", "CNCF", "On bridges", "2014-10-01", "Elm", "Master", "asyncio"),
    *("English", "Native speaker", "Climbing", "boulders", "tiny", "Won", "Lead", "v1.0.0"),
}
TO_ALL = {"L. Ortiz", "A pleasure", "https://ben.example/me.jpg"}
TO_NO_ONE = {"415 555", "Harbour Street", "97201", "503-555", "212,000", "kept", "theme"}


def seen(world: World, entry_id: int, level: str) -> str:
    return json.dumps(world.item(STRANGER, "resume", entry_id, level=level)["data"], ensure_ascii=False)


def shown(text: str, words: set[str]) -> set[str]:
    return {word for word in words if word in text}


def make_new(world: World, user_id: int = 2) -> None:
    """The person's account was made by a version that knew of all this."""
    world.settings(user_id, releases_shipped_rules=1)


@pytest.fixture
def entry_id(world: World) -> int:
    make_new(world)
    return write.create(world.conn, BEN, "resume", RESUME).id


def test_what_is_kept_is_what_was_sent(world: World, entry_id: int) -> None:
    stored = world.conn.execute(select(data_entries.c.data).where(data_entries.c.id == entry_id)).scalar_one()
    assert stored == json.dumps(RESUME)
    assert world.item(BEN, "resume", entry_id)["data"] == RESUME
    changed = write.merge(world.conn, BEN, "resume", entry_id, {"basics": {"label": "Architect"}}).item
    expected = copy.deepcopy(RESUME)
    expected["basics"]["label"] = "Architect"
    assert changed["data"] == expected


@pytest.mark.parametrize(
    ("level", "more"),
    [
        ("business_card", set()),
        ("professional", TO_COLLEAGUES),
        ("ai_safe", TO_COLLEAGUES | TO_ALL),
        ("public_full", TO_COLLEAGUES | TO_ALL),
    ],
)
def test_each_section_is_shown_at_its_levels(world: World, entry_id: int, level: str, more: set[str]) -> None:
    text = seen(world, entry_id, level)
    every = ON_THE_CARD | TO_COLLEAGUES | TO_ALL
    assert shown(text, every) == ON_THE_CARD | more | ({"US"} & shown(text, {"US"}))
    assert shown(text, TO_NO_ONE) == set()
    assert ("ben@work.example" in text) is (level != "business_card")


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        ("show_location", {"Portland", "Oregon"}),
        ("show_contact_info", {"ben@work.example"}),
        ("show_current_company", {"Copperline", "https://copperline.example"}),
        ("show_education_details", {"4.0"}),
        ("show_personal_projects", {"tiny"}),
    ],
)
def test_each_setting_hides_the_same_as_in_ones_own_form(
    world: World, entry_id: int, setting: str, gone: set[str]
) -> None:
    assert shown(seen(world, entry_id, "public_full"), gone) == gone
    world.conn.execute(update(user_privacy_settings).values({setting: 0}))
    text = seen(world, entry_id, "public_full")
    assert shown(text, gone) == set()
    assert {"Willow", "State", "Ben Cee"} <= shown(text, {"Willow", "State", "Ben Cee"})


@pytest.mark.parametrize(
    "content",
    [
        {"basics": {}},
        {"basics": None, "work": []},
        {"basics": {"name": "n", "picture": "", "website": "w", "phone": 7, "location": "Portland"}},
        {"work": [{"company": "c", "startDate": None, "highlights": None}]},
        {"basics": {"firstName": "a", "lastName": "b", "profiles": None}, "skills": ["a", {"name": "b"}]},
        {
            "basics": {"name": "n"},
            "languages": ["English"],
            "interests": ["a"],
            "awards": ["b"],
            "projects": ["c"],
        },
        {"basics": {"name": "n"}, "work": [], "meta": {"theme": "x", "lastModified": "2017-12-24T15:53:00"}},
        {"basics": {"name": "n"}, "x-own": {"deep": [1, None]}, "skills": {"technical": ["a"]}},
        {"basics": {"profiles": {"github": "x"}}, "languages": {"English": "native"}, "interests": {}},
        {"basics": {}, "skills": {"technical": [{"name": "Python"}], "tools": ["make"]}},
        {"name": "n", "title": "t", "skills": [{"name": "a"}], "awards": [{"title": "b"}]},
    ],
)
def test_real_files_of_either_version_are_taken(world: World, content: dict[str, Any]) -> None:
    written = write.create(world.conn, BEN, "resume", content)
    assert written.item["data"] == content
    for level in NAMES:
        world.item(STRANGER, "resume", written.id, level=level)


def test_members_that_no_stranger_sees_are_named(world: World) -> None:
    item = write.create(world.conn, BEN, "resume", RESUME).item
    named = {each["pointer"]: each["detail"] for each in item["warnings"]}
    assert set(named) == {
        *(
            "/basics/phone",
            "/basics/location/address",
            "/basics/location/postalCode",
            "/".join(("", "work", "0", "salary")),
        ),
        *("/meta/theme", "/hobbies_of_mine"),
    }
    assert "resume has no such member" in named["/hobbies_of_mine"]
    assert "hidden at every level" in named["/basics/phone"]
    idea = {"content": "c", "visibility": "public", "meta": {"visibility": "public"}}
    assert write.create(world.conn, BEN, "ideas", idea).item["warnings"] == []
    many = write.create(world.conn, BEN, "ideas", {"content": "c", **{f"x{n}": n for n in range(30)}}).item
    assert len(many["warnings"]) == 21
    assert "10 more" in many["warnings"][-1]["detail"]


# -- of people whose accounts are older: what was stored before is shown to no one more than then


def test_what_an_older_account_had_stored_stays_hidden(world: World) -> None:
    stored = world.entry("resume", RESUME, owner=2)
    own_form = {"name": "Ben", "title": "t", "work": [{"name": "Copperline"}], "languages": ["English"]}
    other = world.entry("resume", own_form, owner=2)
    for level in NAMES:
        assert shown(seen(world, stored, level), ON_THE_CARD | TO_COLLEAGUES) <= {
            "tiny",
            "Trail crew",
            "Digger",
            "State",
        }
        assert shown(seen(world, other, level), {"Ben", "Copperline", "English"}) == {"Ben"}
    write.replace(world.conn, BEN, "resume", other, {"name": "Ben", "title": "t"})
    write.merge(world.conn, BEN, "resume", stored, {"basics": {"label": "x"}})
    write.create(world.conn, BEN, "resume", RESUME)
    assert "Builds" not in seen(world, stored, "public_full")
    world.settings(2, releases_shipped_rules=1)
    assert "Builds" in seen(world, stored, "public_full")


def test_the_first_one_that_an_older_account_writes_is_shown(world: World) -> None:
    world.entry("resume", {"name": "Ben", "title": "t"}, owner=2)
    entry_id = write.create(world.conn, BEN, "resume", RESUME).id
    assert {"Ben Cee", "Builds bridges"} <= shown(
        seen(world, entry_id, "professional"), {"Ben Cee", "Builds bridges"}
    )
    assert world.count(finding_releases) == 1
    write.replace(world.conn, BEN, "resume", entry_id, RESUME)
    write.create(world.conn, BEN, "resume", RESUME)
    assert world.count(finding_releases) == 1


def test_an_owners_rule_by_name_hides_in_either_form(world: World, entry_id: int) -> None:
    from app import clock

    add_rule(world.conn, Rule(field_name="email"), clock.now())
    add_rule(world.conn, Rule("resume", "work.position"), clock.now())
    text = seen(world, entry_id, "public_full")
    assert "ben@work.example" not in text
    assert "Principal" not in text
