"""Is what a preview says of content that is not written what is shown once it is?"""

from __future__ import annotations

from typing import Any

import pytest

from app.accounts.people import Person
from app.entries import never_words, preview, read, write
from app.entries.draft_preview import preview_draft
from app.entries.preview import Wanted
from app.entries.question import Question
from app.errors import InvalidContent, NotFound
from tests.entries.conftest import ANN, BEN, World

PERSON = Person(2, "ben", is_active=True)
MAIL = "Write to ben@hive.example or call +49 30 901820."
CONTENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ideas", {"content": "# Bees\n\nThey hum."}),
    ("ideas", {"content": MAIL}),
    ("ideas", {"content": MAIL, "visibility": "private"}),
    ("ideas", {"content": "x", "meta": {"visibility": "unlisted"}}),
    ("ideas", {"content": "x", "meta": {"status": "draft"}}),
    ("ideas", {"content": "x", "meta": {"publish_at": "2999-01-01"}}),
    ("ideas", {"content": "x", "meta": {"expires_at": "2001-01-01"}}),
    ("ideas", {"content": "x", "unheard": {"of": MAIL}}),
    ("contact_info", {"content": MAIL}),
    ("about", {"name": "Ben", "location": "Otterton", "bio": "Wren"}),
    ("resume", {"name": "Ben", "title": "Keeper", "email": "ben@hive.example", "phone": "+49 30 901820"}),
    ("predictions", {"content": "It rains."}),
)


def answers(found: list[dict[str, Any]]) -> dict[str, Any]:
    """What is shown, by audience and level: the content alone, which has no id and no time."""
    return {
        f"{each['as']} {each['level']}": None if each["answer"] is None else each["answer"]["data"]
        for each in found
        if each["as"] in ("stranger", "assistant")
    }


@pytest.mark.parametrize(("kind", "content"), CONTENTS, ids=str)
def test_what_it_says_is_what_is_shown_once_it_is_written(
    world: World, kind: str, content: dict[str, Any]
) -> None:
    never_words.add_word(world.conn, PERSON.id, "Wren")
    before = preview_draft(world.conn, PERSON, kind, content)
    written = write.create(world.conn, BEN, kind, content)
    after = preview.previews(world.conn, PERSON, Wanted(kind, written.id))
    assert answers(before["items"]) == answers(after)
    assert before["visibility"] == written.visibility
    told = [(each["pointer"], each["kind"], each["start"], each["levels"]) for each in before["findings"]]
    owners = read.item(world.conn, Question(kind, viewer=BEN, entry_id=written.id)).view["findings"]
    assert told == [(each["pointer"], each["kind"], each["start"], each["levels"]) for each in owners]
    again = preview_draft(world.conn, PERSON, kind, content, entry_id=written.id)
    assert answers(again["items"]) == answers(after)


def test_a_change_without_a_word_keeps_the_visibility_of_its_entry(world: World) -> None:
    written = write.create(world.conn, BEN, "ideas", {"content": "x", "visibility": "private"})
    found = preview_draft(world.conn, PERSON, "ideas", {"content": "y"}, entry_id=written.id)
    assert (found["visibility"], found["is_shown_now"]) == ("private", False)


def test_nothing_is_told_of_what_is_someone_elses(world: World) -> None:
    hers = write.create(world.conn, ANN, "ideas", {"content": "x", "visibility": "private"})
    for entry_id in (hers.id, 999_999):
        with pytest.raises(NotFound, match="There is no such entry"):
            preview_draft(world.conn, PERSON, "ideas", {"content": "y"}, entry_id=entry_id)
    with pytest.raises(NotFound):
        preview_draft(world.conn, PERSON, "no_such_kind", {"content": "y"})
    with pytest.raises(InvalidContent):
        preview_draft(world.conn, PERSON, "ideas", {"content": 7})
