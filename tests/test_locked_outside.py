"""Locking a database from outside (tests). Is it had, too, where another waits for what is locked already?"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy

from app.tables import metadata
from tests.databases import locked_outside, make_fresh, outside
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.needs("postgresql")


def test_whoever_locks_in_another_order_is_let_through(
    postgresql_server: PostgreSQL, postgresql_database: str, tmp_path: Path
) -> None:
    """The other has the last table, and asks for the first one once that is locked."""
    url = postgresql_server.url(postgresql_database)
    make_fresh(url, tmp_path)
    first, *_, last = metadata.tables
    has_last, may_end = threading.Event(), threading.Event()
    done: list[str] = []

    def other() -> None:
        with outside(url) as connection:
            connection.execute(sqlalchemy.text("BEGIN"))
            connection.execute(sqlalchemy.text(f"LOCK TABLE {last} IN ROW EXCLUSIVE MODE"))
            has_last.set()
            may_end.wait(30)
            connection.execute(sqlalchemy.text(f"LOCK TABLE {first} IN ROW EXCLUSIVE MODE"))
            connection.execute(sqlalchemy.text("COMMIT"))
            done.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    assert has_last.wait(30)
    threading.Timer(0.5, may_end.set).start()
    with locked_outside(url):  # which waits for the other to end
        thread.join(30)
        assert done == ["other"]
