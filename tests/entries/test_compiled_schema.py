"""Compiled schema: does it let through only what the library finds fitting, and nearly all of that?"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.entries import kinds
from app.entries.compiled_schema import compiled

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 5, 6, -1, 2.5, "", "x", "public", "secret", [], [1], ["x"], [None], {}),
    *({"x": 1}, [{}], [["x"]], {"title": 3}, {"visibility": "public"}, {"visibility": "mine"}),
)
ROUNDS = 300


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: what it is in, and its key or index there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(inside):
        yield value, key
        yield from places(child)


def changed(example: Any, choose: random.Random) -> Any:
    """An example with another value, a member more or one less at some place."""
    found = copy.deepcopy(example)
    for _ in range(choose.choice((1, 1, 2))):
        here, key = choose.choice(list(places({"": found}))[1:] or [({"": found}, "")])
        if choose.random() < 0.2 and isinstance(here, dict):
            del here[key]
        else:
            here[key] = copy.deepcopy(choose.choice(VALUES))
        if choose.random() < 0.2:
            found[choose.choice(("title", "meta", "tags", "more"))] = copy.deepcopy(choose.choice(VALUES))
    return found


@pytest.mark.parametrize("kind", [*kinds.built_in(), "a custom kind"])
def test_what_surely_fits_is_what_the_library_finds_fitting(kind: str) -> None:
    schema = kinds.schema_of(kind)
    fits, library = compiled(schema), Draft202012Validator(schema)
    example = (
        kinds.built_in()[kind].example if kind in kinds.built_in() else {"meta": {"visibility": "public"}}
    )
    assert fits(example)
    choose = random.Random(kind)
    seen = set()
    for value in [*VALUES, *(changed(example, choose) for _ in range(ROUNDS))]:
        assert fits(value) == library.is_valid(value), value  # no schema of ours has what it cannot tell
        seen.add(fits(value))
    assert seen == {True, False}


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "^a"},
        {"type": "integer"},
        {"enum": [1]},
        {"const": 1},
        {"items": False},
        {"prefixItems": [{}], "items": {"type": "string"}},
        {"patternProperties": {"^a": {}}, "additionalProperties": {"type": "string"}},
        {"$ref": "#/$defs/x"},
    ],
)
def test_what_it_does_not_know_it_leaves_to_the_library(schema: dict[str, Any]) -> None:
    fits = compiled(schema)
    assert not any(fits(value) for value in (1, 1.0, True, "a", ["a"], {"a": "b"}))
