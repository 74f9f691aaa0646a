"""Is every kind file whole: does its example fit, its list lead somewhere, its default agree with the old?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.entries import endpoints, kinds
from app.entries.kinds import FOLDER, Kind, built_in
from app.errors import InvalidContent
from app.privacy.fields import is_sensitive
from app.privacy.levels import LEVELS
from tests.entries.conftest import World
from tests.privacy.views import visible_view

ALL = list(built_in().values())
OLD_ORDER = (
    "resume about ideas skills favorite_books problems hobbies projects looking_for skills_matrix"
    " personal_story goals values recommendations learning quotes contact_info events achievements contacts"
    " arguments claims data_sources experiments frames funding_sources organizations outcomes people results"
    " risks solutions threats"
)


def test_the_33_kinds_are_there_in_their_old_order() -> None:
    assert [kind.name for kind in ALL][:33] == OLD_ORDER.split()
    assert [kind.order for kind in ALL] == list(range(1, len(ALL) + 1))
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(kind.name for kind in ALL)


def test_what_is_private_or_unlisted_by_default() -> None:
    private = {"contacts", "funding_sources", "people", "risks", "threats"}
    expected = {"contact_info": "unlisted", **dict.fromkeys(private, "private")}
    assert {
        kind.name: kind.default_visibility for kind in ALL[:33] if kind.default_visibility != "public"
    } == expected


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_each_file_is_whole(kind: Kind) -> None:
    Draft202012Validator.check_schema(kind.schema)
    assert kind.title
    assert kind.description
    kinds.check(kind.name, kind.example)
    assert set(kind.shown) == {tier for level in LEVELS.values() for tier in level.tiers}
    assert {*kind.at_most, *kind.added.at_most} <= set(LEVELS)
    listed = [path for shown in (kind.shown, kind.added.shown) for paths in shown.values() for path in paths]
    assert len(listed) == len(set(listed)), "a path is on one tier only"
    allowed = kinds.allow_lists_of(kind.name, None)
    assert visible_view(kind.example, kind=kind.name, allowed=allowed, level="public_full")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_no_list_names_a_field_that_is_always_hidden(kind: Kind) -> None:
    for level in LEVELS.values():
        hidden = frozenset({"always", *level.without})
        for tier in level.tiers:
            paths = (*kind.shown[tier], *kind.added.shown.get(tier, ()))
            keys = {key for path in paths for key in path.split(".")}
            assert not {key for key in keys if is_sensitive(key, hidden)}


OLD_FORMS: list[tuple[str, dict[str, Any]]] = [
    *((name, {"content": "text"}) for name in OLD_ORDER.split() if name != "resume"),
    *(
        (name, {"content": "text", "meta": {"visibility": "unlisted", "more": 1}, "more": {"kept": [1]}})
        for name in ("ideas", "goals", "people")
    ),
    ("resume", {"name": "n", "title": "t"}),
    (
        "resume",
        {
            "name": "n",
            "title": "t",
            "contact": {"email": "e", "phone": "p"},
            "experience": [{"company": "c", "position": "p", "salary": 1}],
            "education": [{}],
            "skills": {"technical": ["a"]},
            "projects": [{"name": "n"}],
            "awards": ["a"],
            "volunteer": ["a", {"org": "o"}],
            "updated_at": "2025-08-20",
        },
    ),
    ("about", {"name": "n", "bio": "b", "social_links": {"git": "g"}}),
    ("ideas", {"title": "t", "description": "d", "category": "c", "status": "draft", "tags": ["a"]}),
    ("ideas", {"title": "t", "description": "d", "category": None, "tags": None}),
    (
        "skills",
        {"name": "n", "category": "c", "level": "expert", "years_experience": 2.5, "description": "d"},
    ),
    (
        "favorite_books",
        {"title": "t", "author": "a", "isbn": "i", "rating": 5, "review": "r", "genres": ["g"]},
    ),
    ("problems", {"title": "t", "description": "d", "domain": "x", "priority": "high", "approach": "a"}),
    ("hobbies", {"name": "n", "skill_level": "beginner", "time_invested": "t", "favorite_aspects": ["a"]}),
    (
        "looking_for",
        {"type": "t", "description": "d", "urgency": "low", "criteria": ["c"], "contact_method": "m"},
    ),
    ("looking_for", {"type": "t", "description": "d", "criteria": "text"}),
    *(
        (name, {"anything": {"goes": [1, None]}})
        for name in ("personal_story", "contacts", "people", "threats", "frames")
    ),
    ("recipes", {"anything": 1}),
    ("ideas", {"content": "c", "meta": None}),
]


@pytest.mark.parametrize(("kind", "content"), OLD_FORMS)
def test_every_old_form_is_accepted(kind: str, content: dict[str, Any]) -> None:
    kinds.check(kind, content)


@pytest.mark.parametrize(
    ("kind", "content", "pointer", "detail"),
    [
        ("ideas", {}, "", "must have content, or title and description"),
        ("ideas", {"title": "t"}, "", "must have content, or title and description"),
        ("goals", {}, "", "content is missing"),
        ("goals", {"content": ""}, "/content", "must not be empty"),
        ("ideas", {"content": 7}, "/content", "must be string"),
        ("favorite_books", {"title": "t", "author": "a", "rating": 9}, "/rating", "must be at most 5"),
        ("skills", {"name": "n", "years_experience": -1}, "/years_experience", "must be at least 0"),
        ("resume", {"name": "n"}, "", "must have name and title, or basics, or work"),
        (
            "resume",
            {"name": "n", "title": "t", "skills": {"a/b": [1]}},
            "/skills/a~1b/0",
            "must be string or object",
        ),
        ("ideas", {"content": "c", "meta": {"tags": [1]}}, "/meta/tags/0", "must be string"),
        ("about", [], "", "must be object"),
    ],
)
def test_what_does_not_fit_is_said_with_a_pointer(kind: str, content: Any, pointer: str, detail: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        kinds.check(kind, content)
    assert {"pointer": pointer, "detail": detail} in caught.value.details["errors"]  # type: ignore[operator]
    assert caught.value.status == 422


def test_errors_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidContent) as caught:
        kinds.check("ideas", {"content": {"canary": 1}, "meta": "canary"})
    assert "canary" not in caught.value.message + json.dumps(caught.value.details)


def test_rows_of_kinds_are_added_once(world: World) -> None:
    assert endpoints.add_missing_endpoints(world.conn) == ()
    world.change_endpoint("ideas", name="thoughts")
    assert endpoints.add_missing_endpoints(world.conn) == ("ideas",)
