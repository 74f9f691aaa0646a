"""Is every word that should hold an entry back recognised, and no field that means something else?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.entries.kinds import built_in
from app.other_words import VISIBILITY, is_nearly_visibility, is_to_come, other_words, words_not_heard

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def pointers(content: object, schema_text: str = "{}") -> list[str]:
    return [word.pointer for word in words_not_heard(content, schema_text, NOW)]


HIDING: list[dict[str, Any]] = [
    *({name: value} for name, value in product(
        ("draft", "Draft", "is_draft", "isDraft", "private", "PRIVATE", "hidden", "unlisted", "unpublished"),
        (True, "true", "Yes", 1),
    )),
    *({name: value} for name, value in product(
        ("published", "publish", "dg-publish", "public", "is_public", "isVisible", "listed"),
        (False, "false", "No", 0),
    )),
    *({name: value} for name, value in product(
        ("publish_on", "publishAt", "publish-at", "publishDate", "publish_date", "pubDate", "published_at"),
        ("2099-01-01", "2099-01-01T00:00:00Z", "2099", "2099-12", "2099/1/2", "1 Jan 2099", 4_070_908_800,
         4_070_908_800_000, "2026-11-25T12:00:01Z", "2026-11-25T13:30:00+01:00", "next week"),
    )),
    *({name: "private"} for name in (
        "visiblity", "visibilty", "vizibility", "visability", "Visibility", "VISIBILITY", "visi_bility",
        "visibility ", "visi-bility", "visibilities"[:11], "visibility2", "isvisibility", "vsibilty",
    )),
]  # fmt: skip


@pytest.mark.parametrize("words", HIDING, ids=str)
def test_a_word_that_would_not_be_heard_is_found_at_the_top_and_in_meta(words: dict[str, Any]) -> None:
    name = next(iter(words))
    assert pointers({"content": "x", "meta": words}) == [f"/meta/{name}"]
    assert pointers({"content": "x", **words}) == [f"/{name}"]
    assert pointers({"content": "x", "meta": {"visibility": "public", **words}}) == [f"/meta/{name}"]
    for held_back in ("private", "unlisted"):  # then no one is shown it, whatever else it says
        assert pointers({"content": "x", "meta": {"visibility": held_back, **words}}) == []


@pytest.mark.parametrize(
    "content",
    [
        {"draft": False, "private": "no", "published": True, "publish": "yes", "public": 1, "hidden": 0},
        {"status": "draft", "meta": {"status": "draft"}},
        {"published": "2020-01-01", "title": "t", "author": "a"},
        {"published": "2099-01-01"},
        {"published": None, "draft": None, "publish_at": None},
        {"private": "a remark for myself", "draft": "second", "public": "the general public"},
        {"draft": 2, "draft_of": True, "drafts": [1], "private_repos": True, "publisher": False},
        {"publish_at": "2020-01-01", "meta": {"publishDate": "2026-11-25", "pubDate": 1999}},
        {"publish_date": "spring of 1999", "date": "2099-01-01", "meta": {"date": "2099-01-01"}},
        {"viability": "high", "disability": "none", "meta": {"divisibility": 3, "visible_to": "x"}},
        {"invisible": True, "possibility": 1, "feasibility": 2, "stability": 3, "availability": False},
        {"repository": {"private": True, "visibility": "x"}, "meta": {"deep": {"draft": True}}},
        {"metadata": {"visibility": "public", "draft": False}, "meta": ["draft"]},
        {"issue": True, "island": False},
        [], "text", None, 7,
    ],
    ids=str,
)  # fmt: skip
def test_what_means_something_else_is_left_alone(content: object) -> None:
    assert pointers(content) == []


@pytest.mark.parametrize("place", ["Meta", "metadata", "front_matter", "META", "frontMatter"])
def test_a_place_that_is_nearly_meta_is_not_heard_either(place: str) -> None:
    assert pointers({place: {"visibility": "private"}}) == [f"/{place}/visibility"]
    assert pointers({place: {"draft": True, "title": "t"}}) == [f"/{place}/draft"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("Private", "private"), ("privat", "private"), ("UNLISTED", "unlisted"), ("pub", "public")],
)
def test_a_visibility_that_is_unknown_is_named_with_the_nearest(word: str, nearest: str) -> None:
    for content, place in (({"visibility": word}, ""), ({"meta": {"visibility": word}}, "/meta")):
        found = words_not_heard(content, "{}", NOW)
        assert [one.pointer for one in found] == [f"{place}/visibility"]
        assert repr(nearest) in found[0].detail
    assert pointers({"visibility": None}) == ["/visibility"]
    assert pointers({"visibility": ["private"]}) == ["/visibility"]


@pytest.mark.parametrize(
    "schema",
    [
        {
            "private": {"type": "boolean"},
            "meta": {"type": "object", "properties": {"draft": {"type": "boolean"}}},
        },
        {
            "type": "object",
            "properties": {
                "private": {"type": "boolean"},
                "meta": {"type": "object", "properties": {"draft": {"type": "boolean"}}},
            },
        },
    ],
)
def test_what_a_kind_declares_is_the_kinds_own(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert pointers({"private": True, "meta": {"draft": True}}, text) == []
    assert pointers({"draft": True, "meta": {"private": True}}, text) == ["/draft", "/meta/private"]
    for odd in ("", "not json", "[]", "null", '{"meta": 3, "draft": true}'):
        assert pointers({"draft": True}, odd) == ["/draft"]


def test_no_example_and_no_field_of_ours_is_refused() -> None:
    for kind in built_in().values():
        assert pointers(kind.example) == []
        for paths in kind.shown.values():
            for path in paths:
                name = path.split(".")[-1]
                assert name == VISIBILITY or pointers({name: True, "meta": {name: False}}) == []


LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("rai"), st.integers(0, 9), LETTERS), min_size=1, max_size=2))
def test_any_two_edits_are_near(changes: list[tuple[str, int, str]]) -> None:
    letters = list(VISIBILITY)
    for how, at, letter in changes:
        letters[at : at + (how != "i")] = [] if how == "r" else [letter]
    name = "".join(letters)
    own = {VISIBILITY, "viability", "disability", "divisibility", "miscibility", "risibility"}
    assert is_nearly_visibility(name) == (name not in own)


def test_a_time_to_come_is_told_from_one_that_was() -> None:
    assert not is_to_come("2026-11-25T12:00:00Z", NOW)
    assert not is_to_come(1_700_000_000, NOW)
    assert not is_to_come(2026, NOW)
    assert is_to_come(2027, NOW)
    assert is_to_come("soon", NOW)
    assert not is_to_come({"a": 1}, NOW)
    assert not is_to_come(True, NOW)


def test_many_odd_names_are_judged_in_no_time() -> None:
    content = {f"visib{number:05d}": number for number in range(20_000)} | {"x" * 100_000: 1}
    assert other_words(content, "{}", NOW) == []


def test_publish_at_is_heard_in_meta_and_nowhere_else() -> None:
    said = {"publish_at": "2099-01-01"}
    assert words_not_heard({"content": "x", "meta": said}, "", NOW) == []
    before = words_not_heard({"content": "x", "meta": said}, "", NOW, are_times_heard=False)
    assert [word.pointer for word in before] == ["/meta/publish_at"]
    for content, pointer in ((said, "/publish_at"), ({"metadata": said}, "/metadata/publish_at")):
        assert [word.pointer for word in words_not_heard(content, "", NOW)] == [pointer]
