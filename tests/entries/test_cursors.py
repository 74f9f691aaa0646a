"""Is a cursor taken back only by the list that gave it, and does it tell nothing of what it stands for?"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.entries.cursors import CURSOR_FORM, check_form, cursor_key, make_cursor, read_cursor
from app.entries.order import Place
from app.entries.parts import by_cursor
from app.errors import NotFound, UsageError
from app.privacy.viewer import STRANGER
from app.tables import data_entries
from tests.entries.conftest import BEN, World

KEY = cursor_key("a secret")
NUMBER = st.integers(0, 2**63 - 1)
IDEA = {"content": "an idea"}


@settings(max_examples=100, deadline=None)
@given(NUMBER, NUMBER, st.integers(1, 2**53))
def test_a_cursor_comes_back(position: int, entry_id: int, endpoint_id: int) -> None:
    token = make_cursor(KEY, endpoint_id, Place(position, entry_id))
    assert re.search(CURSOR_FORM, token)
    assert token == make_cursor(KEY, endpoint_id, Place(position, entry_id))
    assert read_cursor(KEY, endpoint_id, token) == (position, entry_id)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=50), st.from_regex(CURSOR_FORM.replace("$", r"\Z"))))
def test_anything_else_is_no_cursor(token: str) -> None:
    with pytest.raises(UsageError):
        read_cursor(KEY, 1, token)


def test_a_cursor_of_another_list_or_installation_or_version_is_none() -> None:
    token = make_cursor(KEY, 3, Place(7, 7))
    for key, endpoint_id in ((KEY, 4), (cursor_key("another"), 3)):
        with pytest.raises(UsageError):
            read_cursor(key, endpoint_id, token)
    with pytest.raises(UsageError):
        check_form("YWZ0ZXI6Nw")  # what 0.5.0 gave: anyone could make one, and see where hidden entries stand


def test_no_bit_of_a_cursor_can_be_changed() -> None:
    token = make_cursor(KEY, 3, Place(7, 7))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, letter in enumerate(token):
        other = letters[letters.index(letter) ^ 4]
        with pytest.raises(UsageError):
            read_cursor(KEY, 3, token[:at] + other + token[at + 1 :])


def test_a_list_goes_on_where_it_was_also_when_the_entry_there_is_gone(world: World) -> None:
    given_ids = [world.entry("ideas", IDEA) for _ in range(4)]
    first = world.page(STRANGER, "ideas", part=by_cursor(2))
    world.conn.execute(delete(data_entries).where(data_entries.c.id == given_ids[1]))
    second = world.page(STRANGER, "ideas", part=by_cursor(2, first.next))
    assert [item["id"] for item in (*first.items, *second.items)] == given_ids
    with pytest.raises(UsageError):
        world.page(STRANGER, "skills", part=by_cursor(2, first.next))


def test_a_made_up_cursor_is_refused_whether_or_not_there_is_someone_who_shows_anything(world: World) -> None:
    made_up = make_cursor(cursor_key("no one's"), 3, Place(1, 1))
    world.settings(2, ai_assistant_access=0)
    world.entry("ideas", IDEA, owner=2)
    for owner in ("ann", "ben", "no_one"):
        with pytest.raises(UsageError):
            world.page(STRANGER, "ideas", owner, level="ai_safe", part=by_cursor(2, made_up))
    with pytest.raises(UsageError):
        world.page(BEN, "ideas", part=by_cursor(2, made_up))
    with pytest.raises(NotFound):
        world.page(STRANGER, "no_kind", part=by_cursor(2, made_up))
