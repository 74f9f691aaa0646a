"""Is an entry as visible as its content says, and does the upgrade's frozen rule agree?"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.entries.kinds import built_in
from app.entries.visibility import default_visibility, said_words, visibility_of


@pytest.mark.parametrize(
    ("text", "visibility"),
    [
        ('{"content": "x"}', "default"),
        ('{"meta": {"visibility": "public"}}', "public"),
        ('{"visibility": "unlisted"}', "unlisted"),
        ('{"visibility": "public", "meta": {"visibility": "private"}}', "private"),
        ('{"visibility": "unlisted", "meta": {"visibility": "public"}}', "unlisted"),
        ('{"meta": {"visibility": "Public"}}', "private"),
        ('{"meta": {"visibility": null}}', "private"),
        ('{"meta": {"visibility": ["public"]}}', "private"),
        ('{"meta": {"visibility": "public "}}', "private"),
        ('{"meta": "private"}', "default"),
        ('{"meta": {"visibility": "public"}, "meta": {"visibility": "private"}}', "private"),
        ('{"meta": {"visibility": "public"}, "meta": {}}', "private"),
        ('{"meta": {"visibility": "public"}, "meta": {"visibility": "public"}}', "public"),
        ('{"meta": {"visibility": "public", "visibility": "unlisted"}}', "private"),
        ('{"visibility": "public", "visibility": "public"}', "public"),
        ('{"deep": {"visibility": "private"}}', "default"),
        ('{"meta": {"\\u0076isibility": "private"}}', "private"),
        ('{"n": NaN, "meta": {"visibility": "public"}}', "public"),
        ('{"n": ' + "9" * 5000 + "}", "default"),
        ("[1, 2]", "default"),
        ('"text"', "default"),
        ("null", "default"),
        ("{", "private"),
        ("", "private"),
        ("[" * 5000, "private"),
        ("[" * 401 + "]" * 401, "private"),
    ],
)
def test_visibility(text: str, visibility: str) -> None:
    assert visibility_of(text, "default") == visibility


def test_without_a_word_the_kind_and_the_row_decide() -> None:
    assert default_visibility("unlisted", True) == "unlisted"
    assert default_visibility("unlisted", False) == "private"
    assert default_visibility("private", True) == "private"
    assert default_visibility(None, True) == "public"
    assert default_visibility(None, False) == "private"


def test_said_words_are_named_by_pointer() -> None:
    content: dict[str, Any] = {"visibility": 1, "meta": {"visibility": "public"}}
    assert said_words(content) == {"/visibility": 1, "/meta/visibility": "public"}
    assert said_words({"meta": []}) == {}


# -- the frozen copy in the upgrade's step


@pytest.fixture(scope="module")
def frozen(root: Path) -> Any:
    path = next((root / "app/upgrade/versions/migrations/versions").glob("0002_*.py"))
    spec = importlib.util.spec_from_file_location("frozen_step", path)
    assert spec is not None
    assert spec.loader is not None
    step = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(step)
    return step


words: st.SearchStrategy[Any] = st.sampled_from(
    ["public", "unlisted", "private", "Public", "secret", None, 1, True, ["public"], {}]
)
pairs = st.lists(
    st.tuples(st.sampled_from(["visibility", "meta", "content"]), st.one_of(words, st.just({}))), max_size=4
)


def _text(found: list[tuple[str, Any]], inner: list[list[tuple[str, Any]]]) -> str:
    """JSON whose keys may be doubled; every second "meta" is an object made of ``inner``."""
    parts = []
    for at, (key, value) in enumerate(found):
        is_object = key == "meta" and at < len(inner)
        parts.append(f'"{key}": {_text(inner[at], []) if is_object else json.dumps(value)}')
    return "{" + ", ".join(parts) + "}"


@settings(max_examples=300, deadline=None)
@given(pairs, st.lists(pairs, max_size=3))
def test_the_step_decides_the_same(frozen: Any, found: list[tuple[str, Any]], inner: list[Any]) -> None:
    decide: Callable[[bytes, str], str] = frozen.visibility_of
    text = _text(found, inner)
    assert visibility_of(text, "public") == decide(text.encode(), "public")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text('[]{}":,visbltymea ')))
def test_the_step_decides_the_same_of_anything(frozen: Any, text: str) -> None:
    decide: Callable[[bytes, str], str] = frozen.visibility_of
    raw = text.encode("utf-8", "replace")
    assert visibility_of(raw.decode(), "public") == decide(raw, "public")


def test_the_step_knows_the_same_kinds_and_defaults(frozen: Any) -> None:
    then = list(built_in().values())[: len(frozen.KINDS)]  # what came later, the step cannot know
    assert [kind[0] for kind in frozen.KINDS] == [kind.name for kind in then]
    assert [kind[1] for kind in frozen.KINDS] == [kind.description for kind in then]
    for kind in then:
        assert frozen.DEFAULT_VISIBILITY.get(kind.name, "public") == kind.default_visibility
