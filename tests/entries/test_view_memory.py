"""View memory: is it bounded, and is never anything answered from it that would not be made now?"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.database import open_database
from app.entries import never_words, read, releases, strangers, view_memory, write
from app.entries.entry import Page
from app.entries.parts import Part
from app.entries.question import Question
from app.entries.row_types import Listed, StrangersRow
from app.entries.strangers import NO_MEMORY, StrangersViews
from app.entries.validity import ALWAYS
from app.entries.view_memory import ReadyPage, ReadyView, ViewMemory
from app.errors import DaemonError
from app.privacy.levels import NAMES
from app.privacy.viewer import STRANGER, Viewer
from app.settings import Settings
from app.upgrade.operations.init import initialise
from tests.postgresql import PostgreSQL

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
LARGE = 64_000_000
ASSISTANT = replace(STRANGER, is_assistant=True)
JOBS = [
    {"company": "Copperline", "position": "Engineer", "end_date": "2026-11-27"},
    {"company": "Harbour", "position": "Baker", "end_date": "2026-12"},
    {"company": "Lantern", "position": "Writer", "end_date": "2020"},
]
RESUME = {
    "name": "Ann",
    "title": "Engineer",
    "summary": "Call 030 1234567, ask for Quill",
    "experience": JOBS,
}
IDEA = {"content": "write to ann@home.example", "meta": {"title": "first", "visibility": "public"}}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made)
    return made


class Place:
    """A database of ann, with a resume and ideas, and a memory of its views."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.database_path
        self.database = open_database(settings)
        self.memory = ViewMemory(LARGE)
        with closing(sqlite3.connect(self.path)) as connection:
            ((ann_id,),) = connection.execute("SELECT id FROM users").fetchall()
            found = connection.execute(
                "SELECT name, e.id FROM data_entries e JOIN endpoints k ON k.id = endpoint_id ORDER BY 1, 2"
            ).fetchall()
        self.ann = Viewer("person", ann_id, "ann")
        self.idea, self.other, self.resume = (each[1] for each in found)

    def questions(self) -> list[Question]:
        found = [
            Question("resume", ceiling="ai_safe"),
            Question("ideas", level="professional", ceiling="ai_safe"),
        ]
        for kind in ("resume", "ideas"):
            found += [Question(kind, level=level) for level in (None, *NAMES)]
            found += [Question(kind, ASSISTANT), Question(kind, owner="ann")]
        for level in (None, "professional", "business_card"):
            found.append(Question("resume", level=level, entry_id=self.resume))
            found += [Question("ideas", level=level, entry_id=each) for each in (self.idea, self.other)]
        return found

    def answers(self, memory: ViewMemory) -> list[object]:
        return [self.answer(question, memory) for question in self.questions()]

    def answer(self, question: Question, memory: ViewMemory) -> object:
        asked = read.page if question.entry_id is None else read.item
        with self.database.reading() as connection:
            try:
                found = asked(connection, question, memory=memory)
                return found.body, found.validity
            except DaemonError as error:
                return error.message

    def is_right(self) -> bool:
        """Whether everyone is answered from memory what would be made now; asked twice, for both its ways."""
        made = self.answers(NO_MEMORY)
        return self.answers(self.memory) == made == self.answers(self.memory)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of ann; each test has a copy."""
    path = tmp_path_factory.mktemp("filled") / "daemon.db"
    settings = Settings(database_url=f"sqlite:///{path}", backup_enabled=False)
    initialise(settings)
    database = open_database(settings)
    with database.writing() as connection:
        new = NewUser("ann", "ann@example.org", "-", is_admin=True)
        ann = Viewer("person", claim.create_account(connection, new, NOON).id, "ann")
        for kind, data in (("resume", RESUME), ("ideas", IDEA), ("ideas", IDEA)):
            write.create(connection, ann, kind, data)
    database.close()
    return path


@pytest.mark.needs("postgresql")
def test_on_postgresql_too_what_others_commit_is_seen_and_nothing_else_is_made_anew(
    postgresql_server: PostgreSQL, postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=postgresql_server.url(postgresql_database), backup_enabled=False)
    initialise(settings)
    database, memory = open_database(settings), ViewMemory(LARGE)
    with database.writing() as connection:
        new = NewUser("ann", "ann@example.org", "-", is_admin=True)
        ann = Viewer("person", claim.create_account(connection, new, NOON).id, "ann")
        written = [write.create(connection, ann, "ideas", IDEA).id for _ in range(3)]
    made: list[int] = []
    original = StrangersViews._make

    def noted(self: StrangersViews, row: Any, made_of: Any) -> ReadyView:
        made.append(row.id)
        return original(self, row, made_of)

    monkeypatch.setattr(StrangersViews, "_make", noted)

    def told() -> tuple[bytes, bytes, set[int]]:
        made.clear()
        with database.reading() as connection:
            page = read.page(connection, Question("ideas"), memory=memory).body
            item = read.item(connection, Question("ideas", entry_id=written[0]), memory=memory).body
        return page, item, set(made)

    page, item, anew = told()
    assert anew == set(written)
    assert page.count(b"***REDACTED***") >= 3
    assert item in page
    assert told() == (page, item, set())
    change = f"UPDATE data_entries SET data = '{OTHER}' WHERE id = {written[1]}"
    postgresql_server.execute(change, postgresql_database)
    changed, same, anew = told()
    assert anew == {written[1]}
    assert same == item
    assert b"other" in changed
    database.close()


@pytest.fixture
def place(tmp_path: Path, filled: Path, moved: Clock) -> Iterator[Place]:
    copied = shutil.copyfile(filled, tmp_path / "daemon.db")
    made = Place(Settings(database_url=f"sqlite:///{copied}"))
    yield made
    made.database.close()


OTHER = json.dumps({"content": "write to ben@home.example", "meta": {"title": "other"}})
NO_COMPANY = "UPDATE user_privacy_settings SET show_current_company = 0"
NOTHING_FOUND = "UPDATE text_findings SET found = '[]'"
IN_TWO_DAYS = NOON + timedelta(days=2)


def release(place: Place, **what: Any) -> None:
    with place.database.writing() as connection:
        releases.release(connection, place.ann.user_id or 0, **what)


def add_word(place: Place) -> None:
    with place.database.writing() as connection:
        never_words.add_word(connection, place.ann.user_id or 0, "Quill")


def ask(place: Place) -> None:
    place.answers(place.memory)


Step = str | datetime | Callable[[Place], None]
"""SQL, in which :idea and :resume are ids; a moment to which the clock is put; or what is done."""

CHANGES: dict[str, tuple[Step, ...]] = {
    "a text, and nothing else": (f"UPDATE data_entries SET data = '{OTHER}' WHERE id = :idea",),
    "a text, where no page is kept whole": (
        lambda place: place.memory._pages.clear(),
        f"UPDATE data_entries SET data = '{OTHER}' WHERE id = :idea",
    ),
    "a number for a text": ("UPDATE data_entries SET data = '1' WHERE id = :idea",),
    "its creation": ("UPDATE data_entries SET created_at = '2020-01-01 00:00:00'",),
    "its change": ("UPDATE data_entries SET updated_at = '2020-01-01 00:00:00'",),
    "the change of its view": (
        "INSERT OR REPLACE INTO view_changes (entry_id, privacy_level, view_hash, changed_at)"
        " SELECT id, 'public_full', '', '2020-01-01 00:00:00' FROM data_entries",
    ),
    "what was found": (NOTHING_FOUND,),
    "the detectors that looked": (NOTHING_FOUND, ask, "UPDATE text_findings SET detectors_version = 0"),
    "the text that was looked at": (NOTHING_FOUND, ask, "UPDATE text_findings SET content_hash = ''"),
    "the words that were looked for": (NOTHING_FOUND, ask, "UPDATE text_findings SET words_generation = 7"),
    "a word of the never-list": (add_word,),
    "a release": (lambda place: release(place, entry_id=place.idea),),
    "a wide release": (lambda place: release(place, detector="phone"),),
    "a rule": (
        "INSERT INTO data_privacy_rules (endpoint_name, field_path, field_name, is_active)"
        " VALUES ('*', '*', 'title', 1)",
    ),
    "a setting": (NO_COMPANY,),
    "a ceiling": ("UPDATE user_privacy_settings SET privacy_level = 'business_card'",),
    "assistants are let in no more": ("UPDATE user_privacy_settings SET ai_assistant_access = 0",),
    "a kind is closed": ("UPDATE endpoints SET is_public = 0 WHERE name = 'ideas'",),
    "a person is deactivated": ("UPDATE users SET is_active = 0",),
    "an entry is private": ("UPDATE data_entries SET visibility = 'private' WHERE id = :idea",),
    "an entry is deleted": ("UPDATE data_entries SET is_active = 0 WHERE id = :idea",),
    "its text says that it is private": (
        "UPDATE data_entries SET data = json_set(data, '$.meta.visibility', 'private') WHERE id = :idea",
    ),
    "an entry is someone else's, who has other words": (
        add_word,
        ask,
        "INSERT OR REPLACE INTO users (id, username, email, hashed_password, is_active)"
        " VALUES (9, 'ben', 'ben@x.example', '-', 1)",
        "CREATE TEMP TABLE others AS SELECT * FROM user_privacy_settings;"
        "UPDATE others SET user_id = 9;"
        "INSERT OR REPLACE INTO user_privacy_settings SELECT * FROM others LIMIT 1",
        "UPDATE data_entries SET created_by_id = 9 WHERE id = :resume",
    ),
    "an entry is of another kind": (
        "UPDATE data_entries SET endpoint_id = (SELECT id FROM endpoints WHERE name = 'resume')"
        " WHERE id = :idea",
    ),
    "an end, and nothing else": (
        "UPDATE data_entries SET shown_until = '2026-12-27 00:00:00' WHERE id = :idea",
    ),
    "a beginning, of what no one sees yet": (
        "UPDATE data_entries SET shown_from = '2026-12-27 00:00:00' WHERE id = :idea",
        ask,
        "UPDATE data_entries SET shown_from = '2026-12-20 00:00:00' WHERE id = :idea",
    ),
    "its time is over": (
        "UPDATE data_entries SET shown_until = '2026-11-27 00:00:00' WHERE id = :idea",
        ask,
        IN_TWO_DAYS,
    ),
    "its time has come": (
        "UPDATE data_entries SET shown_from = '2026-11-27 00:00:00' WHERE id = :idea",
        ask,
        IN_TWO_DAYS,
    ),
    "two days": (NO_COMPANY, ask, IN_TWO_DAYS),
    "two days, and back": (NO_COMPANY, IN_TWO_DAYS, ask, NOON),
    "a year": (NO_COMPANY, ask, NOON + timedelta(days=366)),
}


def take(place: Place, moved: Clock, step: Step) -> None:
    if isinstance(step, datetime):
        moved.now = step
    elif callable(step):
        with suppress(DaemonError):  # there is nothing to release any more
            step(place)
    else:
        script = step.replace(":idea", str(place.idea)).replace(":resume", str(place.resume))
        with closing(sqlite3.connect(place.path, isolation_level=None)) as connection:
            connection.executescript(script)


@pytest.mark.parametrize("steps", CHANGES.values(), ids=CHANGES)
def test_after_every_change_the_next_answer_is_what_would_be_made(
    place: Place, moved: Clock, steps: tuple[Step, ...]
) -> None:
    ask(place)
    assert len(place.memory) > 3
    assert place.is_right()
    for step in steps[:-1]:
        take(place, moved, step)
    before = place.answers(place.memory)
    take(place, moved, steps[-1])
    assert place.is_right()
    assert place.answers(place.memory) != before


# -- a memory that forgets a part of what a view depends on


def without_part(at: int) -> Callable[[Any], Any]:
    """A memory that compares all that a view was made of but for one part; of the row that is a column."""

    def patched(original: Any) -> Any:
        def made_of(self: StrangersViews, row: Any) -> tuple[Any, ...]:
            columns, *found = original(self, row)
            parts = [*columns, *found]
            parts[at] = None
            return tuple(parts)

        return made_of

    return patched


_COLUMNS = StrangersRow._fields[len(Listed._fields) :]
_PARTS = (*_COLUMNS, "type", "policy", "releases", "words of the owner")


def forgets(part: str, change: str) -> tuple[Any, str, Callable[[Any], Any], str]:
    return StrangersViews, "_made_of", without_part(_PARTS.index(part)), change


def page_without_part(at: int) -> Callable[[Any], Any]:
    """A page that is used again whatever became of one of the things that it depends on."""

    def patched(original: Any) -> Any:
        def depends_on(self: StrangersViews, person_id: int) -> tuple[Any, ...]:
            found: tuple[Any, ...] = original(self, person_id)
            return found[:at] + found[at + 1 :]

        return depends_on

    return patched


def rows_without(column: str) -> Callable[[Any], Any]:
    """Pages that are used again whatever stands in one column of their rows now."""
    at = StrangersRow._fields.index(column)

    def patched(original: Any) -> Any:
        def are_same(rows: Any, known: Any, read: list[Any]) -> bool:
            read.extend(rows)
            now_is, was = ([each[:at] + each[at + 1 :] for each in several] for several in (read, known))
            return now_is == was

        return are_same

    return patched


def forgets_of_pages(column: str, change: str) -> tuple[Any, str, Callable[[Any], Any], str]:
    return strangers, "_are_same", rows_without(column), change


FORGOTTEN: dict[str, tuple[Any, str, Callable[[Any], Any], str]] = {
    "the text": forgets("data", "a text, and nothing else"),
    "the creation": forgets("created_at", "its creation"),
    "the change": forgets("updated_at", "its change"),
    "the change of the view": forgets("changed_at", "the change of its view"),
    "the owner": forgets("created_by_id", "an entry is someone else's, who has other words"),
    "the text that was searched": forgets("content_hash", "the text that was looked at"),
    "the detectors": forgets("detectors_version", "the detectors that looked"),
    "the words": forgets("words_generation", "the words that were looked for"),
    "the findings": forgets("found", "what was found"),
    "the policy": forgets("policy", "a setting"),
    "the releases": forgets("releases", "a release"),
    "the wide releases": forgets("releases", "a wide release"),
    "the owner's words": forgets("words of the owner", "a word of the never-list"),
    **{
        f"{column} of a page": forgets_of_pages(column, change)
        for column, change in (
            ("data", "a text, and nothing else"),
            ("created_at", "its creation"),
            ("updated_at", "its change"),
            ("changed_at", "the change of its view"),
            ("content_hash", "the text that was looked at"),
            ("detectors_version", "the detectors that looked"),
            ("words_generation", "the words that were looked for"),
            ("found", "what was found"),
        )
    },
    **{
        f"{part} of a page": (StrangersViews, "_page_depends_on", page_without_part(at), change)
        for at, (part, change) in enumerate(
            (
                ("the policy", "a setting"),
                ("the releases", "a release"),
                ("the words", "a word of the never-list"),
                ("the end", "an end, and nothing else"),
            )
        )
    },
    "the rows of a page": (
        strangers,
        "_are_same",
        lambda original: lambda *rows: True,
        "an entry is private",
    ),
    "the level": (view_memory, "_key", lambda original: lambda entry_id, level: (entry_id, ""), "nothing"),
    "the state": (
        ViewMemory,
        "of_state",
        lambda original: (
            lambda self, ids, level, state, now: {
                each: view for each in ids if (view := self.find(each, level)) is not None
            }
        ),
        "a text, where no page is kept whole",
    ),
    "the time": (strangers, "of_days", lambda original: lambda *days: ALWAYS, "two days"),
    "the time from which it holds": (
        strangers,
        "of_days",
        lambda original: lambda first, before: original(date.min, before),
        "two days, and back",
    ),
}


@pytest.mark.parametrize("forgotten", FORGOTTEN.values(), ids=FORGOTTEN)
def test_a_memory_that_forgets_a_part_is_found_out(
    place: Place,
    moved: Clock,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: tuple[Any, str, Callable[[Any], Any], str],
) -> None:
    owner, name, instead, change = forgotten
    monkeypatch.setattr(owner, name, instead(getattr(owner, name)))
    found = [place.is_right()]
    for step in CHANGES.get(change, ()):
        take(place, moved, step)
        found.append(place.is_right())
    assert not all(found)


def test_every_part_is_forgotten_once(place: Place) -> None:
    place.answers(place.memory)
    made_of = [view.made_of for _, view in place.memory.everything()]
    assert {len(columns) + len(rest) for columns, *rest in made_of} == {len(_PARTS)}


# -- any order of changes


NAMED = st.lists(st.sampled_from(sorted(CHANGES)), min_size=2, max_size=6)


@examples(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMED)
def test_after_changes_in_any_order_too(place: Place, moved: Clock, taken: list[str]) -> None:
    for name in taken:
        for step in CHANGES[name]:
            take(place, moved, step)
        assert place.is_right(), taken


# -- the memory itself


def test_one_commit_makes_one_view_anew(place: Place, moved: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = StrangersViews._make

    def noted(self: StrangersViews, row: Any, made_of: Any) -> ReadyView:
        made.append(row.id)
        return original(self, row, made_of)

    monkeypatch.setattr(StrangersViews, "_make", noted)
    ask(place)
    assert {place.resume, place.idea, place.other} == set(made)
    made.clear()
    take(place, moved, *CHANGES["a text, and nothing else"])
    ask(place)
    assert set(made) == {place.idea}
    made.clear()
    rule = "INSERT INTO data_privacy_rules (endpoint_name, field_path) VALUES ('resume', 'title')"
    take(place, moved, rule)
    ask(place)
    assert set(made) == {place.resume}


def test_the_memory_is_bounded_and_who_was_not_asked_for_longest_goes_first() -> None:
    memory = ViewMemory(LARGE)
    for number in range(100):
        memory.keep(number, "a", ReadyView(("x" * 500_000,), b"y" * 500_000, ALWAYS, 1))
        memory.find(0, "a")
    assert memory.size_bytes <= LARGE
    assert 55 <= len(memory) <= 64
    kept = [number for number in range(100) if memory.find(number, "a")]
    assert kept == [0, *range(101 - len(kept), 100)]
    memory.keep(0, "b", ReadyView((), b"y" * (LARGE // 4), ALWAYS))
    assert memory.find(0, "b") is None
    memory.forget()
    assert (len(memory), memory.size_bytes) == (0, 0)


def test_pages_are_bounded_too_and_leave_room_for_views() -> None:
    memory = ViewMemory(LARGE)
    for number in range(100):
        view = ReadyView(("x" * 500_000,), b"y" * 500_000, ALWAYS, 1)
        memory.keep(number, "a", view)
        memory.keep_page((1, 1, "a", Part(number)), ReadyPage([], (), Page((view.body,)), [view], 500_000))
    assert memory.size_bytes <= LARGE
    assert 40 <= len(memory) <= 60
    kept = [number for number in range(100) if memory.find_page((1, 1, "a", Part(number)))]
    assert kept == list(range(100 - len(kept), 100))
    assert 5 <= len(kept) <= LARGE // view_memory.SHARE_OF_PAGES // 1_500_000
    memory.forget()
    assert memory.find_page((1, 1, "a", Part(99))) is None
    assert memory.size_bytes == 0


def test_nothing_is_kept_where_that_is_the_setting() -> None:
    memory = ViewMemory(0)
    memory.keep(1, "a", ReadyView((), b"y", ALWAYS, 1))
    assert len(memory) == 0


@pytest.mark.parametrize("text", ["word " * 20, "ü" * 300, "\N{GRINNING FACE}" * 2_000])
def test_what_it_says_that_it_takes_is_what_it_takes(text: str) -> None:
    tracemalloc.start()
    try:
        memory, before = ViewMemory(LARGE), tracemalloc.get_traced_memory()[0]
        for number in range(2_000):
            own = text + str(number)
            times = f"2026-11-26 00:00:{number}"
            made_of = (
                own,
                times + "1",
                times + "2",
                times + "3",
                1,
                own[:64],
                1,
                1,
                own[:50],
                "p",
                ((), ()),
                0,
            )
            memory.keep(number + 1_000, "level", ReadyView(made_of, own.encode(), ALWAYS, number + 1_000))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert memory.size_bytes * 0.6 < taken < memory.size_bytes * 1.05
