"""Write lock (transactions). Does what the server writes by itself let others write soon, however much it is?

One writes at a time on either engine; a rollback journal of SQLite lets no one read while that is committed.
What is counted are the rows of one transaction; `benchmarks/beside.py` measures how long they take.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, delete, text

from app import clock
from app.accounts import audit, audit_memory
from app.accounts.audit_memory import Folded
from app.entries import findings, text_search, write
from app.privacy.viewer import Viewer
from app.server import pending_audit
from app.server.text_backfill import TextBackfill
from app.storage.sqlite.connect import driver_connection
from app.tables import text_findings
from tests.web.conftest import Site

ANN = Viewer("admin", 1, "ann")
MOST_ROWS = 100
COUNT = 230
OF_TRANSACTION = (
    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_xact_user_tables"
)


@pytest.fixture
def rows_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each transaction of the server has changed."""
    site.app.server.jobs.stop()
    supervisor, found = site.app.server.supervisor, []
    writing = supervisor.writing

    @contextmanager
    def counted() -> Iterator[Connection]:
        with writing() as connection:
            before = rows_changed(connection)
            yield connection
            found.append(rows_changed(connection) - before)

    monkeypatch.setattr(supervisor, "writing", counted)
    return found


def rows_changed(connection: Connection) -> int:
    """How many rows were, as the engine itself counts them."""
    if connection.dialect.name == "sqlite":
        return driver_connection(connection).total_changes
    return int(connection.execute(text(OF_TRANSACTION)).scalar_one())


def entries_not_searched(site: Site, content: str, count: int) -> None:
    with site.writing() as connection:
        for number in range(count):
            write.create(connection, ANN, "ideas", {"content": f"{content} {number}"})
        connection.execute(delete(text_findings))
    findings._remembered.clear()


def searched(site: Site) -> None:
    backfill = TextBackfill(site.app.server.supervisor)
    while not backfill.progress.is_done:
        backfill.step()


def test_what_was_searched_is_written_a_hundred_rows_at_a_time(site: Site, rows_written: list[int]) -> None:
    entries_not_searched(site, "A thought.", COUNT)
    rows_written.clear()
    searched(site)
    assert sum(rows_written) == COUNT
    assert max(rows_written) <= MOST_ROWS


def test_long_texts_are_compared_a_few_at_a_time(
    site: Site, rows_written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_search, "LENGTH_MOST", 10_000)
    monkeypatch.setattr(text_search, "SECONDS_MOST", 60.0)
    entries_not_searched(site, "A long thought. " * 250, 6)  # 4,000 characters
    rows_written.clear()
    searched(site)
    assert rows_written == [2, 2, 2]


def test_the_audit_is_written_a_hundred_rows_at_a_time(site: Site, rows_written: list[int]) -> None:
    noticed = site.app.server.pending_audit
    for number in range(COUNT):
        noticed.memory.remember(audit.READ, "users", number + 1, clock.now())
    noticed.write()
    assert sum(rows_written) == COUNT
    assert max(rows_written) <= MOST_ROWS == pending_audit.ROWS_OF_A_WRITE
    assert len(noticed.memory) == 0


def test_what_of_the_audit_could_not_be_written_is_remembered(
    site: Site, rows_written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed, written = site.app.server.pending_audit, audit_memory.write
    for number in range(COUNT):
        noticed.memory.remember(audit.READ, "users", number + 1, clock.now())

    def fail_the_second_time(connection: Connection, rows: list[Folded]) -> None:
        if rows_written:
            raise ZeroDivisionError
        written(connection, rows)

    monkeypatch.setattr(audit_memory, "write", fail_the_second_time)
    with pytest.raises(ZeroDivisionError):
        noticed.write()
    assert len(noticed.memory) == COUNT - MOST_ROWS
