"""Are a person's words kept so that only this installation can look for them, and what does a change do?"""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, select

from app.accounts import privacy_settings
from app.accounts.audit import Actor
from app.entries import never_words
from app.entries.never_words import MOST, HidesAll, add_word, never_list_of, remove_word
from app.errors import Conflict, InvalidContent, NotFound
from app.privacy.never_list import LONGEST
from app.tables import audit_logs, privacy_secrets
from app.tables import never_words as rows
from tests.entries.conftest import World


def generation(world: World, user_id: int = 1) -> int:
    [row] = privacy_settings.rows_of(world.conn, user_id)
    return privacy_settings.words_generation_of(row)


def test_a_word_is_kept_as_a_keyed_hash_and_found_again(world: World) -> None:
    view = add_word(world.conn, 1, "Anna Mária", "professional")
    assert {**view, "created_at": None} == {
        "id": view["id"],
        "length": 9,
        "privacy_level": "professional",
        "created_at": None,
    }
    assert never_words.words_of(world.conn, 1) == [view]
    assert never_words.words_of(world.conn, 2) == []
    found = never_list_of(world.conn, 1)
    assert found is not None
    assert found.find("with anna-maria") == [("never_list:professional", 5, 15)]
    assert never_list_of(world.conn, 2) is None
    for table in (rows, audit_logs, privacy_secrets):
        kept = json.dumps([tuple(row) for row in world.conn.execute(select(table))], default=str)
        assert "anna" not in kept.casefold()


def test_each_change_raises_the_generation_and_nothing_else_does(world: World) -> None:
    first = add_word(world.conn, 1, "Anna")
    assert generation(world) == 1
    assert add_word(world.conn, 1, " ánna ") == first
    assert generation(world) == 1
    assert add_word(world.conn, 1, "anna", "ai_safe") == {**first, "privacy_level": "ai_safe"}
    assert generation(world) == 2
    add_word(world.conn, 1, "Copperline")
    remove_word(world.conn, 1, first["id"])
    assert generation(world) == 4
    assert len(never_words.words_of(world.conn, 1)) == 1
    later = add_word(world.conn, 1, "Anna")
    assert later["id"] != first["id"]


def test_the_settings_of_the_person_stay_as_they_are(world: World) -> None:
    world.settings(1, show_location=0)
    add_word(world.conn, 1, "Anna")
    [row] = privacy_settings.rows_of(world.conn, 1)
    assert (row["show_location"], row["words_generation"]) == (0, 1)


@pytest.mark.parametrize("word", [None, 7, "", " - ", "a", "a" * (LONGEST + 1), "**", "\ud800ab"])
def test_what_is_no_word_is_refused(world: World, word: object) -> None:
    with pytest.raises(InvalidContent):
        add_word(world.conn, 1, word)
    assert never_words.words_of(world.conn, 1) == []


def test_a_level_that_there_is_not_is_refused(world: World) -> None:
    with pytest.raises(InvalidContent, match="privacy_level"):
        add_word(world.conn, 1, "Anna", "gossip")


def test_a_list_has_an_end(world: World) -> None:
    for number in range(MOST):
        add_word(world.conn, 1, f"word{number}")
    with pytest.raises(Conflict):
        add_word(world.conn, 1, "one more")
    assert add_word(world.conn, 1, "word7", "professional")["privacy_level"] == "professional"
    add_word(world.conn, 2, "another's")


def test_a_word_of_someone_else_is_not_there(world: World) -> None:
    word_id = add_word(world.conn, 1, "Anna")["id"]
    with pytest.raises(NotFound):
        remove_word(world.conn, 2, word_id)
    assert len(never_words.words_of(world.conn, 1)) == 1


def test_without_their_key_the_words_hide_every_text(world: World) -> None:
    add_word(world.conn, 1, "Anna")
    world.conn.execute(delete(privacy_secrets))
    found = never_list_of(world.conn, 1)
    assert found == HidesAll()
    assert found.find("harmless") == [("never_list", 0, 8)]


def test_the_audit_says_who_changed_the_list_and_not_how(world: World) -> None:
    word_id = add_word(world.conn, 1, "Anna", None, Actor(1, "127.0.0.1", "curl"))["id"]
    remove_word(world.conn, 1, word_id, Actor(1))
    said = world.conn.execute(
        select(audit_logs.c.action, audit_logs.c.user_id, audit_logs.c.old_values, audit_logs.c.new_values)
    ).all()
    assert [row[:2] for row in said] == [("CREATE", 1), ("DELETE", 1)]
    assert json.loads(said[0].new_values) == {"privacy_level": None, "user_id": 1}
