"""Wishes of a page: they hold at the next request, for their person alone, and open nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.entries import page_wishes
from app.web.pages.themes import ACCENTS, THEMES
from tests.databases import run
from tests.web.conftest import Site
from tests.web.test_pages import RESUME, page, publish

NOTHING = dict.fromkeys(vars(page_wishes.NONE))


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def wish(site: Site, who: dict[str, str], **wishes: Any) -> Any:
    answer = site.client.put("/api/v1/me/page", json=wishes, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_names_are_those_that_there_are() -> None:
    assert set(page_wishes.THEMES) == set(THEMES)
    assert set(page_wishes.ACCENTS) == set(ACCENTS)


def test_a_wish_holds_at_the_next_request_and_another_takes_its_place(
    site: Site, ann: dict[str, str]
) -> None:
    publish(site, ann, "resume", {**RESUME})
    publish(site, ann, "ideas", {"content": "# On bees"})
    quote = publish(
        site, ann, "quotes", {"content": "Words of mine", "quote": "Words of mine", "author": "ann"}
    )
    before = page(site, "/@ann")
    assert before.index("kind-resume") < before.index("kind-ideas") < before.index("kind-quotes")
    assert site.client.get("/api/v1/me/page", headers=ann).json() == NOTHING
    wished = {
        "theme": "garden", "accent": "teal", "language": "de", "kinds": ["ideas"],
        "kinds_left_out": ["quotes", "nothing_of_that_name"], "head_lines": ["does"],
        "formats_off": ["json-ld", "open-graph"],
    }  # fmt: skip
    assert wish(site, ann, **wished) == wished
    assert site.client.get("/api/v1/me/page", headers=ann).json() == wished
    after = page(site, "/@ann")
    assert '<html lang="de" class="theme-garden accent-teal">' in after
    assert after.index("kind-ideas") < after.index("kind-resume")
    assert "kind-quotes" not in after
    assert "Keeper of bees" in after
    for gone in ("ld+json", "og:", 'class="place', "u-email", "script-src"):
        assert gone not in after, gone
    for path in ("/@ann/ideas", f"/@ann/quotes/{quote}"):
        assert "theme-garden" in page(site, path), "it is not hidden, and has the same look"
    assert wish(site, ann) == NOTHING
    assert page(site, "/@ann") == before


def test_a_wish_is_of_its_person_alone_and_opens_nothing(site: Site, ann: dict[str, str]) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    publish(site, ann, "ideas", {"content": "# Of ann"})
    publish(site, ben, "ideas", {"content": "# Of ben"})
    publish(site, ben, "goals", {"content": "# Secret", "meta": {"visibility": "private"}})
    wish(site, ben, theme="ink", kinds=["goals", "ideas"])
    assert "theme-ink" in page(site, "/@ben")
    assert "Secret" not in page(site, "/@ben")
    assert "kind-goals" not in page(site, "/@ben")
    assert "theme-ink" not in page(site, "/@ann")


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("theme", "neon", "/theme"),
        ("theme", 7, "/theme"),
        ("accent", "#fff", "/accent"),
        ("language", 'en" onload="x', "/language"),
        ("language", "x" * 40, "/language"),
        ("kinds", "ideas", "/kinds"),
        ("kinds", ["ideas", "ideas"], "/kinds"),
        ("kinds", ["ideas", "No Kind"], "/kinds/1"),
        ("kinds_left_out", [f"kind_{n}" for n in range(300)], "/kinds_left_out"),
        ("head_lines", ["does", "phone"], "/head_lines/1"),
        ("formats_off", ["rss"], "/formats_off/0"),
        ("colour", "red", "/colour"),
    ],
)
def test_what_cannot_be_wished_is_named(
    site: Site, ann: dict[str, str], member: str, value: object, pointer: str
) -> None:
    answer = site.client.put("/api/v1/me/page", json={member: value}, headers=ann)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert site.client.get("/api/v1/me/page", headers=ann).json() == NOTHING


def test_an_odd_row_is_no_wish(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "# On bees"})
    with site.writing() as connection:
        odd = ('"><script>', "[1", '{"a": 1}', site.user("ann").id)
        run(
            connection,
            "INSERT INTO page_wishes (theme, kinds, head_lines, user_id) VALUES (?, ?, ?, ?)",
            *odd,
        )
    assert 'class="theme-paper"' in page(site, "/@ann")
    assert site.client.get("/api/v1/me/page", headers=ann).json() == NOTHING
