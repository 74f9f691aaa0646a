"""Is it remembered where an account came in from, for that account alone, and so that it tells no thief?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from app import clock
from app.accounts import places
from app.tables import login_places

SECRET = "a secret of the installation"
NOW = clock.now()


def test_a_place_is_known_to_the_account_that_came_in(connection: Connection) -> None:
    places.remember(connection, SECRET, 1, "192.0.2.1", NOW)
    places.remember(connection, SECRET, 1, "192.0.2.1", NOW + timedelta(days=1))
    assert places.is_known(connection, SECRET, 1, "192.0.2.1")
    assert not places.is_known(connection, SECRET, 1, "192.0.2.2")
    assert not places.is_known(connection, SECRET, 2, "192.0.2.1")
    assert not places.is_known(connection, SECRET, None, "192.0.2.1")
    assert not places.is_known(connection, "another secret", 1, "192.0.2.1")
    assert connection.execute(select(login_places)).one().last_seen_at == clock.stored(
        NOW + timedelta(days=1)
    )


def test_what_is_stored_names_no_network_and_links_no_two_accounts(connection: Connection) -> None:
    for user_id in (1, 2):
        places.remember(connection, SECRET, user_id, "192.0.2.1", NOW)
    stored = connection.execute(select(login_places.c.network)).scalars().all()
    assert len(set(stored)) == 2
    assert all(len(mark) == 64 and "192" not in mark[:3] for mark in stored)


def test_an_account_has_so_many_places_and_the_longest_unused_goes(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PLACES_COUNT", 3)
    places.remember(connection, SECRET, 2, "10.0.0.1", NOW - timedelta(days=99))
    for number in range(5):
        places.remember(connection, SECRET, 1, f"192.0.2.{number}", NOW + timedelta(hours=number))
        places.remember(connection, SECRET, 1, "192.0.2.0", NOW + timedelta(hours=number, minutes=1))
    known = [number for number in range(5) if places.is_known(connection, SECRET, 1, f"192.0.2.{number}")]
    assert known == [0, 3, 4]
    assert places.is_known(connection, SECRET, 2, "10.0.0.1")
