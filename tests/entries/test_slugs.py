"""Is a slug one of a person and kind, does it lead where its id leads, and does it tell nothing besides?"""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.entries import write
from app.entries.never_words import add_word
from app.entries.question import Question
from app.entries.read import item, named_entry
from app.entries.slugs import is_slug
from app.errors import Conflict, InvalidContent, NotFound
from app.privacy.viewer import LOCAL, STRANGER, Viewer
from app.tables import data_entries
from tests.entries.conftest import ANN, BEN, World

IDEA = {"content": "an idea", "visibility": "public"}


def by_slug(world: World, viewer: Viewer, slug: str) -> int:
    return int(item(world.conn, Question("ideas", viewer, slug=slug)).view["id"])


def test_it_leads_to_the_entry_as_its_id_does(world: World) -> None:
    of_ann = write.create(world.conn, ANN, "ideas", IDEA, slug="bees").id
    of_ben = write.create(world.conn, BEN, "ideas", IDEA, slug="bees").id
    other_kind = write.create(world.conn, ANN, "skills", IDEA, slug="bees").id
    assert len({of_ann, of_ben, other_kind}) == 3
    assert by_slug(world, ANN, "bees") == by_slug(world, STRANGER, "bees") == of_ann
    assert by_slug(world, BEN, "bees") == named_entry(world.conn, BEN, "ideas", "bees") == of_ben


def test_owner_and_admin_are_told_it_and_no_stranger_is(world: World) -> None:
    written = write.create(world.conn, BEN, "ideas", IDEA, slug="bees")
    assert written.item["slug"] == "bees"
    for viewer in (BEN, ANN):
        assert world.item(viewer, "ideas", written.id)["slug"] == "bees"
    assert "bees" not in str(world.item(STRANGER, "ideas", written.id))


def test_a_hidden_one_and_none_are_the_same(world: World) -> None:
    write.create(world.conn, ANN, "ideas", {"content": "a", "visibility": "private"}, slug="bees")
    said = []
    for slug in ("bees", "wasps", "Not a slug"):
        for viewer in (STRANGER, BEN):
            with pytest.raises(NotFound) as caught:
                by_slug(world, viewer, slug)
            said.append((caught.value.message, caught.value.hint))
    assert len(set(said)) == 1
    write.create(world.conn, BEN, "ideas", IDEA, slug="bees")  # that someone else has it is not told either


def test_another_of_the_same_person_and_kind_is_refused(world: World) -> None:
    first = write.create(world.conn, BEN, "ideas", IDEA, slug="bees").id
    second = write.create(world.conn, BEN, "ideas", IDEA).id
    with pytest.raises(Conflict):
        write.create(world.conn, BEN, "ideas", IDEA, slug="bees")
    for change in (write.replace, write.merge):
        with pytest.raises(Conflict):
            change(world.conn, BEN, "ideas", second, IDEA, slug="bees")
    write.merge(world.conn, BEN, "ideas", first, {}, slug="bees")
    write.replace(world.conn, BEN, "ideas", first, IDEA)
    assert by_slug(world, BEN, "bees") == first, "what is not said stays"
    write.merge(world.conn, BEN, "ideas", first, {}, slug="")
    write.merge(world.conn, BEN, "ideas", second, {}, slug="bees")
    assert by_slug(world, BEN, "bees") == second
    write.delete(world.conn, BEN, "ideas", second)
    with pytest.raises(NotFound):
        by_slug(world, BEN, "bees")
    write.create(world.conn, BEN, "ideas", IDEA, slug="bees")


@pytest.mark.parametrize(
    "slug", ["7", "7-bees", "Bees", "bees-", "-bees", "be--es", "bées", "b/c", "a" * 101, "a b"]
)
def test_what_can_be_none_is_refused(world: World, slug: str) -> None:
    assert not is_slug(slug)
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "ideas", IDEA, slug=slug)


def test_what_would_be_hidden_in_a_text_is_in_no_address(world: World) -> None:
    add_word(world.conn, 2, "Copperline")
    for slug in ("copperline", "the-copperline-deal", "call-4915112345678"):
        with pytest.raises(InvalidContent):
            write.create(world.conn, BEN, "ideas", IDEA, slug=slug)
    write.create(world.conn, ANN, "ideas", IDEA, slug="meadow")
    assert by_slug(world, STRANGER, "meadow")
    add_word(world.conn, 1, "Meadow")
    with pytest.raises(NotFound):
        by_slug(world, STRANGER, "meadow")
    assert by_slug(world, ANN, "meadow")


def test_an_entry_of_no_one_has_none(world: World) -> None:
    with pytest.raises(Conflict):
        write.create(world.conn, LOCAL, "ideas", IDEA, slug="bees")
    assert world.conn.execute(select(data_entries.c.slug)).all() == []
