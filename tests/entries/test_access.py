"""Access rule. Is every viewer shown each sort of entry as the table at the head of `access` says?"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from app.entries.parts import by_cursor
from app.errors import NotFound
from app.privacy.viewer import LOCAL, STRANGER, Viewer
from app.tables import unclaimed_entries
from tests.entries.conftest import ANN, BEN, World

VIEWERS = {"stranger": STRANGER, "person": BEN, "admin": ANN, "local": LOCAL}
OWNERS: dict[str, int | None] = {
    "ann": 1,
    "ben": 2,
    "inactive": 3,
    "gone": 99,
    "nobody": None,
    "unclaimed": None,
}
VISIBILITIES = ("public", "unlisted", "private", None, "Public")
KINDS: dict[str, dict[str, Any]] = {
    "recipes": {},
    "closed": {"is_public": 0},
    "odd": {"is_public": None},
    "unused": {"is_active": 0},
}
DELETED = (1, 0, None)
CONTENT = {"content": "c"}


def sees(viewer: str, owner: str, visibility: str | None, kind: str, is_active: int | None) -> str:
    """The table in plain words: whole, as a stranger does, or nothing."""
    if is_active != 1:
        return "nothing"
    if (
        viewer == "admin"
        or (viewer == "person" and owner == "ben")
        or (viewer == "local" and owner == "unclaimed")
    ):
        # through the local door a kind is known that is open, or built in
        return "nothing" if viewer == "local" and kind != "recipes" else "whole"
    is_public = visibility == "public" and owner in ("ann", "ben") and kind == "recipes"
    return "public" if is_public else "nothing"


@pytest.fixture
def everything(world: World) -> dict[int, tuple[str, str | None, str, int | None]]:
    """One entry of each sort, by id."""
    world.person(3, "carl", is_active=0)
    for name, values in KINDS.items():
        world.endpoint(name, **values)
    found = {}
    for owner, visibility, kind, is_active in product(OWNERS, VISIBILITIES, KINDS, DELETED):
        entry_id = world.entry(kind, CONTENT, owner=OWNERS[owner], visibility=visibility, is_active=is_active)
        found[entry_id] = (owner, visibility, kind, is_active)
        if owner == "unclaimed":
            world.conn.execute(unclaimed_entries.insert().values(entry_id=entry_id, size_bytes=1))
    return found


def shown(world: World, viewer: Viewer, kind: str, entry_id: int, **more: Any) -> str:
    try:
        return "whole" if "owner" in world.item(viewer, kind, entry_id, **more) else "public"
    except NotFound:
        return "nothing"


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_entry_is_shown_as_the_rule_says(world: World, everything: Any, viewer: str) -> None:
    for entry_id, (owner, visibility, kind, is_active) in everything.items():
        told = shown(world, VIEWERS[viewer], kind, entry_id)
        assert told == sees(viewer, owner, visibility, kind, is_active), (owner, visibility, kind, is_active)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_with_a_level_everybody_is_shown_what_strangers_are(
    world: World, everything: Any, viewer: str
) -> None:
    for entry_id, sort in everything.items():
        told = shown(world, VIEWERS[viewer], sort[2], entry_id, level="public_full")
        assert told == sees("stranger", *sort), sort


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("owner", [None, "ann", "ben", "carl"])
def test_a_list_shows_what_its_entries_show_one_by_one(
    world: World, everything: Any, viewer: str, kind: str, owner: str | None
) -> None:
    who = VIEWERS[viewer]
    try:
        page = world.page(who, kind, owner, part=by_cursor(200))
    except NotFound:
        return
    for view in page.items:
        alone = world.item(who, kind, view["id"])
        assert alone == view
    listed = {view["id"] for view in page.items}
    named = {"ann": "ann", "ben": "ben", "carl": "inactive"}
    default = {
        "stranger": ("ann",),
        "person": ("ben",),
        "admin": ("ann", "gone", "nobody", "unclaimed"),
        "local": ("unclaimed",),
    }
    meant = (named[owner],) if owner else default[viewer]
    expected = {
        entry_id
        for entry_id, sort in everything.items()
        if sort[0] in meant and sort[2] == kind and sees(viewer, *sort) != "nothing"
    }
    assert listed == expected


def test_who_is_refused_a_list_would_see_nothing_of_it(world: World, everything: Any) -> None:
    for (name, viewer), kind, owner in product(VIEWERS.items(), KINDS, ("ann", "ben", "carl")):
        try:
            world.page(viewer, kind, owner)
        except NotFound:
            named = {"ann": "ann", "ben": "ben", "carl": "inactive"}[owner]
            sorts = [sort for sort in everything.values() if sort[0] == named and sort[2] == kind]
            assert {sees(name, *sort) for sort in sorts} == {"nothing"}
