"""Search index: which rows are made, and does a question read no more where there is more?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from app.database import Database, open_database
from app.entries import search_candidates, search_due, search_index, search_terms
from app.entries.endpoints import add_missing_endpoints, find_named
from app.entries.search import search
from app.entries.search_making import Maker
from app.entries.search_question import search_question
from app.entries.search_terms import scope_of, second_of
from app.entries.text_match import words_of
from app.full_text import FULL_TEXT, Every, Some, Term, Without, full_text_of
from app.privacy.levels import ANSWERED, MOST_OPEN
from app.privacy.viewer import STRANGER
from app.settings import Settings
from app.storage.postgresql.full_text import PostgreSQLFullText
from app.storage.sqlite.full_text import SQLiteFullText
from app.tables import data_entries, search_rows, users
from tests.conftest import SettingsIn
from tests.databases import Databases

EXPRESSION = Without(Every((Term("a"), Some((Term("b"), Term("c"))))), (Term("d"), Term("e")))


@pytest.fixture
def database(tmp_path: Path, settings_in: SettingsIn, databases: Databases) -> Iterator[Database]:
    """A database with one person, that was just opened by a server."""
    found = open_database(
        Settings(**vars(settings_in(tmp_path)) | {"database_url": databases.fresh(tmp_path)})
    )
    with found.writing() as connection:
        search_index.see_to_it(connection)
        add_missing_endpoints(connection)
        person = {"id": 1, "username": "ann", "email": "a", "hashed_password": "x", "is_active": 1}
        connection.execute(insert(users).values(person))
    yield found
    found.close()


def add(database: Database, *texts: str, begin: int = 1, **values: Any) -> None:
    """Write public entries as any program might, and have them indexed."""
    with database.writing() as connection:
        kind = find_named(connection, "ideas")
        assert kind is not None
        row = {"endpoint_id": kind.id, "is_active": 1, "created_by_id": 1, "visibility": "public"}
        row |= {"created_at": "2026-01-02 03:04:05"} | values
        rows = [
            row | {"id": at, "data": json.dumps({"content": text})} for at, text in enumerate(texts, begin)
        ]
        connection.execute(insert(data_entries), rows)
    index(database)


def index(database: Database) -> None:
    """Make the rows of every entry."""
    after_id = 0
    while True:
        with database.reading() as connection:
            ids = search_due.ids_after(connection, after_id, 100)
            if not ids:
                return
            made = Maker(connection, MOST_OPEN).make(ids)
        with database.writing() as connection:
            search_index.keep(connection, made)
        after_id = ids[-1]


def test_each_engine_is_told_the_same() -> None:
    assert SQLiteFullText().said(EXPRESSION) == '(("a" AND ("b" OR "c")) NOT "d" NOT "e")'
    assert PostgreSQLFullText().said(EXPRESSION) == "(('a' & ('b' | 'c')) & !'d' & !'e')"


def test_no_audience_has_terms_of_another(database: Database) -> None:
    add(database, "honey")
    with database.reading() as connection:
        rows = connection.execute(select(search_rows.c.audience, search_rows.c.words)).all()
    assert {row.audience for row in rows} == {"own", *ANSWERED} - {"business_card"}  # it has no ideas
    for row in rows:
        others = [scope_of(each, 1) for each in ("own", *ANSWERED) if each != row.audience]
        assert not [term for term in row.words.split() if term.startswith(tuple(others))]


def test_made_twice_nothing_is_written(database: Database) -> None:
    add(database, "honey", "bees")
    with database.reading() as connection:
        assert Maker(connection, MOST_OPEN).make([1, 2]).is_there
        before = connection.execute(select(search_rows).order_by(search_rows.c.id)).all()
    index(database)
    with database.reading() as connection:
        assert connection.execute(select(search_rows).order_by(search_rows.c.id)).all() == before


def test_an_entry_that_cannot_be_read_keeps_no_other_from_being_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = words_of

    def odd(text: str) -> Any:
        if "odd" in text:
            raise RecursionError
        return whole(text)

    monkeypatch.setattr(search_terms, "words_of", odd)
    add(database, "honey", "odd honey", "honey too")
    with database.reading() as connection:
        assert len(search(connection, search_question("honey")).items) == 2


def test_what_is_shown_alike_is_cut_into_words_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = words_of, list[str]()

    def noted(text: str) -> Any:
        cut.append(text)
        return whole(text)

    monkeypatch.setattr(search_terms, "words_of", noted)
    add(database, "honey, ask 030 1234567")
    with database.reading() as connection:
        rows = connection.execute(select(search_rows.c.audience)).all()
    assert len(rows) == 5
    assert cut[0] == "honey, ask 030 1234567"  # its owner's
    assert 2 <= len(cut) < 5  # and what hides the number
    assert len(set(cut)) == len(cut)


def test_rows_of_one_second_all_have_a_place(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "_SLOTS", 64)
    monkeypatch.setattr("app.entries.search_terms.PLACE_BITS", 6)
    add(database, *["honey"] * 10)
    with database.reading() as connection:
        assert len(connection.execute(select(search_rows.c.id)).all()) == 50
        assert len(search(connection, search_question("honey")).items) == 10


def test_the_seconds_of_all_years_have_room() -> None:
    last = second_of(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert 0 == second_of(datetime(1, 1, 1, tzinfo=UTC)) < last < 2**39


def read_count(connection: Connection, text: str, sort: str) -> int:
    """Return how many rows of the index one answer takes."""
    counted = 0
    whole = search_candidates.candidates

    def counting(*asked: Any) -> list[search_candidates.Candidate]:
        nonlocal counted
        found = whole(*asked)
        counted += len(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_candidates, "candidates", counting)
        assert len(search(connection, search_question(text, sort=sort)).items) == 20
    return counted


@pytest.mark.parametrize("sort", ["rank", "date"])
def test_an_answer_reads_no_more_where_there_is_more(database: Database, sort: str) -> None:
    add(database, *[f"honey {number}" for number in range(150)])
    with database.reading() as connection:
        few = read_count(connection, "honey", sort)
    add(database, *[f"honey {number}" for number in range(150)], begin=1_000)
    with database.reading() as connection:
        assert read_count(connection, "honey", sort) == few <= 200


@pytest.mark.parametrize(
    "statement",
    ["UPDATE users SET is_active = 0", "UPDATE data_entries SET is_active = 0 WHERE id < 1000"],
)
def test_no_more_rows_are_read_where_more_of_what_is_found_is_hidden(
    database: Database, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """The job takes them out of the index; until then any number of them may be in front of what is shown."""
    monkeypatch.setattr("app.entries.search.HIDDEN_MOST", 50)
    monkeypatch.setattr("app.entries.search.AT_ONCE", 10)
    add(database, *[f"honey {number}" for number in range(150)])
    add(database, "honey", begin=1_000, created_at="2001-01-01 00:00:00")
    with database.writing() as connection:
        connection.exec_driver_sql(statement)
    counted = 0
    whole = search_candidates.candidates

    def counting(*asked: Any) -> list[search_candidates.Candidate]:
        nonlocal counted
        found = whole(*asked)
        counted += len(found)
        return found

    with monkeypatch.context() as patch, database.reading() as connection:
        patch.setattr(search_candidates, "candidates", counting)
        assert search(connection, search_question("honey", sort="date")).items == []
    assert 50 <= counted <= 100
    index(database)
    with database.reading() as connection:
        found = search(connection, search_question("honey", sort="date")).items
    assert len(found) == ("data_entries" in statement)


def test_a_row_that_should_not_be_there_shows_nothing(database: Database) -> None:
    add(database, "honey", "of ann@example.com")
    with database.writing() as connection:  # as if a view had been indexed that was never shown
        index_ = full_text_of(connection)
        assert index_ is not None
        for row in connection.execute(select(search_rows).where(search_rows.c.audience == "ai_safe")).all():
            secret = f"{scope_of('ai_safe', 1)}w\u00b7example"
            index_.remove(connection, [(row.id, row.words)])
            words = f"{row.words} {secret}"
            connection.execute(update(search_rows).where(search_rows.c.id == row.id).values(words=words))
            index_.add(connection, [(row.id, words)])
    with database.reading() as connection:
        assert search(connection, search_question("example", level="ai_safe")).items == []
        assert len(search(connection, search_question("honey", level="ai_safe")).items) == 1


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE data_entries SET data = \'{"content": "wax and honey"}\'',
        "UPDATE data_entries SET visibility = 'private'",
        "UPDATE data_entries SET visibility = 'unlisted'",
        "UPDATE data_entries SET is_active = 0",
        "UPDATE data_entries SET shown_until = '2001-01-01 00:00:00'",
        "UPDATE users SET is_active = 0",
        "UPDATE endpoints SET is_public = 0",
        "INSERT INTO user_privacy_settings (user_id, privacy_level) VALUES (1, 'business_card')",
        "INSERT INTO data_privacy_rules (endpoint_name, field_path, field_name, privacy_level, is_active)"
        " VALUES ('*', 'content', 'content', 'public_full', 1)",
    ],
)
def test_whatever_changes_what_is_shown_is_noticed_whoever_does_it(
    database: Database, statement: str
) -> None:
    add(database, "honey")
    with database.reading() as connection:
        assert len(search(connection, search_question("honey")).items) == 1
    with database.writing() as connection:
        connection.exec_driver_sql(statement)
    with database.reading() as connection:
        assert search(connection, search_question("honey")).items == []
    index(database)
    with database.reading() as connection:
        shown = search(connection, search_question("honey")).items
    assert len(shown) == ("wax" in statement)


@pytest.mark.only_on("sqlite")
def test_the_index_is_read_backwards_and_everything_else_by_its_key(database: Database) -> None:
    add(database, "honey")
    with database.reading() as connection:
        index_ = full_text_of(connection)
        assert index_ is not None
        query = search_candidates.query_of(index_, STRANGER)
        asked = {"match": '"x"', "least": 0, "before": 2**62, "most": 3, "now_shown": "2026"}
        text = str(query.compile(connection))
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {text}", _in_order(query, connection, asked)
        ).all()
    steps = [str(step[3]) for step in plan if step[3] not in ("CO-ROUTINE found", "SCAN found")]
    assert steps[0].startswith("SCAN _daemon_search VIRTUAL TABLE INDEX"), steps
    assert all("INTEGER PRIMARY KEY" in step or "CORRELATED" in step for step in steps[1:]), steps
    assert not [step for step in steps if "TEMP B-TREE" in step]


def _in_order(query: Any, connection: Connection, asked: dict[str, Any]) -> tuple[Any, ...]:
    made = query.compile(connection)
    return tuple({**made.params, **asked}[name] for name in made.positiontup)


@pytest.mark.only_on("sqlite")
def test_an_engine_without_full_text_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.errors import SearchMissing
    from app.storage.sqlite import full_text

    monkeypatch.setattr(full_text, "_has_module", lambda: False)
    with database.writing() as connection:
        search_index.see_to_it(connection)
        assert connection.info[FULL_TEXT].find_missing()
        with pytest.raises(SearchMissing, match="compiled without full text search"):
            search(connection, search_question("honey"))
