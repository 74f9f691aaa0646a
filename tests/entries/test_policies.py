"""Policies kept in memory. Is one made once for each change, and never used for what it was not made for?"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, update

from app.database import Database
from app.entries import findings, policies, read
from app.entries.endpoints import add_missing_endpoints, find_endpoint
from app.entries.policies import Policies, policy_for
from app.entries.question import Question
from app.errors import NotFound
from app.privacy import filter as privacy_filter
from app.privacy import policy as privacy_policy
from app.privacy.levels import NAMES
from app.privacy.person_settings import read_settings
from app.privacy.policy import Policy
from app.privacy.viewer import STRANGER
from app.storage.registry import storage_for
from app.tables import data_entries, data_privacy_rules, endpoints, metadata, user_privacy_settings, users
from tests.databases import Databases
from tests.entries.conftest import World, made_world

RESUME = {
    "name": "Ann",
    "title": "Engineer",
    "summary": "Call 415-555-0134 or mail ann@home.example",
    "contact": {"email": "ann@work.example", "location": "Portland"},
    "experience": [{"company": "Acme", "position": "P"}],
    "education": [{"school": "U", "gpa": "4.0"}],
}
RECIPE = {"title": "t", "content": "c", "course": "main", "steps": "s"}


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    policy_for.cache_clear()
    yield
    policy_for.cache_clear()


def policy(world: World, kind: str = "resume", user_id: int = 1) -> Policy:
    endpoint = find_endpoint(world.conn, STRANGER, kind)
    assert endpoint is not None
    return Policies(world.conn).policy_of(endpoint, user_id)


# -- once for each change


def test_a_policy_is_made_once_and_not_at_each_request(world: World) -> None:
    entry_id = world.entry("resume", RESUME)
    for level in (None, *NAMES) * 3:
        world.page(STRANGER, "resume", level=level)
        world.item(STRANGER, "resume", entry_id, level=level)
    assert policy_for.cache_info().misses == 1


def test_a_commit_that_changes_nothing_of_it_makes_nothing_anew(world: World) -> None:
    first = policy(world)
    world.entry("resume", RESUME)
    world.person(5, "dora")
    world.settings(5, show_location=0)
    world.endpoint("recipes", schema=json.dumps({"course": {}}))
    world.rule(is_active=0, pattern="x")
    world.conn.execute(update(users).where(users.c.id == 1).values(last_login="2026-01-01 00:00:00"))
    assert policy(world) is first
    assert policy_for.cache_info().misses == 1


CHANGES: dict[str, Any] = {
    "a setting": lambda world: world.settings(1, show_location=0),
    "the person's ceiling": lambda world: world.settings(1, privacy_level="professional"),
    "a custom rule": lambda world: world.settings(1, custom_privacy_rules='{"title": "hide"}'),
    "settings that cannot be read": lambda world: world.settings(1, custom_privacy_rules="{"),
    "a rule of the kind": lambda world: world.rule(endpoint_name="resume", field_path="title"),
    "a rule of every kind": lambda world: world.rule(pattern="x"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_makes_another_policy_at_the_next_request(world: World, change: str) -> None:
    before = policy(world)
    CHANGES[change](world)
    after = policy(world)
    assert after.digest != before.digest
    assert policy(world) is after
    assert policy_for.cache_info().misses == 2


def test_a_changed_schema_of_a_custom_kind_makes_another_policy(world: World) -> None:
    world.endpoint("recipes", schema=json.dumps({"course": {"type": "string"}}))
    entry_id = world.entry("recipes", RECIPE)
    assert world.item(STRANGER, "recipes", entry_id)["data"]["course"] == "main"
    world.change_endpoint("recipes", schema="{}")
    assert "course" not in world.item(STRANGER, "recipes", entry_id)["data"]


def test_a_rule_of_another_kind_gives_an_equal_policy(world: World) -> None:
    before = policy(world)
    world.rule(endpoint_name="goals", field_path="notes")
    assert policy(world) == before
    assert policy(world).digest == before.digest


def test_a_change_that_is_taken_back_was_never_there(world: World) -> None:
    entry_id = world.entry("resume", RESUME)
    world.settings(1, show_location=0)
    with world.conn.begin_nested() as inner:
        world.conn.execute(update(user_privacy_settings).values(show_location=1))
        assert "location" in world.item(STRANGER, "resume", entry_id)["data"]["contact"]
        inner.rollback()
    assert "location" not in world.item(STRANGER, "resume", entry_id)["data"]["contact"]


def test_of_two_people_each_has_their_own(world: World) -> None:
    world.settings(2, show_location=0)
    mine, theirs = world.entry("resume", RESUME), world.entry("resume", RESUME, owner=2)
    for _ in range(2):
        assert "location" in world.item(STRANGER, "resume", mine)["data"]["contact"]
        assert "location" not in world.item(STRANGER, "resume", theirs)["data"]["contact"]


@pytest.mark.parametrize("odd", [1.0, True, "1", b"1", None])
def test_values_that_are_equal_and_mean_something_else_are_kept_apart(odd: object) -> None:
    plain, other = read_settings([{"show_location": 1}]), read_settings([{"show_location": odd}])
    assert plain.show_location
    assert other == plain if other.show_location else other != plain


def test_what_is_kept_is_bounded(world: World) -> None:
    for user_id in range(10, 10 + policies.POLICIES_KEPT + 5):
        world.settings(user_id, custom_privacy_rules=json.dumps({f"a{user_id}": "hide"}))
        policy(world, user_id=user_id)
    assert policy_for.cache_info().currsize == policies.POLICIES_KEPT


def test_a_list_asks_for_each_row_once(world: World) -> None:
    for _ in range(20):
        world.entry("resume", RESUME)
    findings._remembered.clear()  # another test may have searched this text
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(world.conn, "before_cursor_execute", note)
    world.page(STRANGER, "resume", "ann")
    event.remove(world.conn, "before_cursor_execute", note)
    assert (
        len(seen) == len(set(seen)) == 11
    )  # with the key of findings, what is released, and when entries come and go


# -- with the memory on, the same is answered as without


KINDS = ("resume", "ideas", "recipes")
flags = st.sampled_from([1, 0, None, 2])
settings_rows = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("show_contact_info", "show_location", "show_current_company"), flags),
        **dict.fromkeys(("show_education_details", "ai_assistant_access", "business_card_mode"), flags),
        "privacy_level": st.sampled_from([None, *NAMES, "odd"]),
        "custom_privacy_rules": st.sampled_from(["{}", '{"title": "hide"}', '{"name": "redact"}', "[", None]),
    },
)
rule_rows = st.fixed_dictionaries(
    {
        "endpoint_name": st.sampled_from(["*", *KINDS]),
        "field_path": st.sampled_from(["*", "title", "contact.email", "name"]),
        "privacy_level": st.sampled_from([None, *NAMES]),
        "field_name": st.sampled_from([None, "company", "course"]),
        "pattern": st.sampled_from([None, "Eng", "[A-Z]", "(["]),
        "is_active": flags,
    }
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("settings"), st.sampled_from([1, 2]), settings_rows),
        st.tuples(st.just("rule"), st.none(), rule_rows),
        st.tuples(st.just("no rules"), st.none(), st.none()),
        st.tuples(st.just("kind"), st.sampled_from(KINDS), st.fixed_dictionaries({"is_public": flags})),
        st.tuples(
            st.just("kind"),
            st.just("recipes"),
            st.fixed_dictionaries(
                {"schema": st.sampled_from(["{}", '{"course": {}}', '{"steps": {}}', "["])}
            ),
        ),
        st.tuples(
            st.just("entry"),
            st.integers(1, 6),
            st.fixed_dictionaries({"visibility": st.sampled_from(["public", "private"])}),
        ),
        st.tuples(st.just("person"), st.sampled_from([1, 2]), st.fixed_dictionaries({"is_active": flags})),
    ),
    min_size=2,
    max_size=6,
)


def do(world: World, step: tuple[str, Any, Any]) -> None:
    what, which, values = step
    if what == "settings":
        world.conn.execute(delete(user_privacy_settings).where(user_privacy_settings.c.user_id == which))
        world.settings(which, **values)
    elif what == "rule":
        world.rule(**values)
    elif what == "no rules":
        world.conn.execute(delete(data_privacy_rules))
    elif what == "kind":
        world.conn.execute(update(endpoints).where(endpoints.c.name == which).values(values))
    elif what == "entry":
        world.conn.execute(update(data_entries).where(data_entries.c.id == which).values(values))
    else:
        world.conn.execute(update(users).where(users.c.id == which).values(values))


def answers(world: World) -> list[Any]:
    """What strangers are answered at every level, of every kind and person, as lists and one by one."""
    found: list[Any] = [read.is_single(world.conn, "public_full")]
    for kind in KINDS:
        for level in (None, *NAMES):
            asked = [Question(kind, owner=owner, level=level) for owner in (None, "ann", "ben")]
            asked += [Question(kind, level=level, ceiling="professional")]
            found += [answer(world, question) for question in asked]
            ids = (1 + 2 * KINDS.index(kind), 2 + 2 * KINDS.index(kind))
            found += [answer(world, Question(kind, level=level, entry_id=each)) for each in ids]
    return found


def answer(world: World, question: Question) -> Any:
    try:
        if question.entry_id is not None:
            return read.item(world.conn, question).view
        return read.page(world.conn, question).as_json()
    except NotFound as error:
        return error.message


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=steps)
def test_with_what_is_kept_strangers_are_answered_as_without(
    databases: Databases, taken: list[tuple[str, Any, Any]]
) -> None:
    policy_for.cache_clear()
    with made_world(databases) as world:
        world.endpoint("recipes", schema='{"course": {}}')
        for kind, data in (("resume", RESUME), ("ideas", RECIPE), ("recipes", RECIPE)):
            for owner in (1, 2):
                world.entry(kind, data, owner=owner)
        for step in taken:
            do(world, step)
            kept = answers(world)
            with without_memory():
                assert answers(world) == kept, step


@contextmanager
def without_memory() -> Iterator[None]:
    """Every policy, and what it hides by name, made anew."""
    with (
        mock.patch.object(policies, "policy_for", policy_for.__wrapped__),
        mock.patch.object(privacy_policy, "hidden_names", privacy_filter.HiddenNames),
    ):
        yield


# -- what others commit


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "daemon.db"
    sqlite3.connect(path).close()
    made = Database(storage_for(f"sqlite:///{path}"))
    with made.writing() as connection:
        metadata.create_all(connection)
        add_missing_endpoints(connection)
        world = World(connection)
        world.person(1, "ann", is_admin=1)
        world.settings(1)
        world.entry("resume", RESUME)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("sql", "gone"),
    [
        ("UPDATE user_privacy_settings SET show_location = 0", "Portland"),
        ("INSERT INTO data_privacy_rules (endpoint_name, field_path) VALUES ('resume', 'title')", "Engineer"),
        ('UPDATE user_privacy_settings SET custom_privacy_rules = \'{"name": "hide"}\'', '"Ann"'),
    ],
)
def test_the_next_request_sees_what_another_process_committed(
    database: Database, sql: str, gone: str
) -> None:
    def told() -> str:
        with database.reading() as connection:
            return json.dumps(read.page(connection, Question("resume")).as_json())

    assert gone in told()
    with database.reading() as before:
        read.page(before, Question("resume"))
    code = (
        f"import sqlite3; c = sqlite3.connect({str(database.storage.path)!r}); c.execute({sql!r}); c.commit()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert gone not in told()


def test_a_reader_of_an_older_state_is_answered_by_that_state(database: Database) -> None:
    """Two snapshots at once, each with its own policy: neither takes the other's."""
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        connection.execute(update(user_privacy_settings).values(show_location=0))
        inside = json.dumps(read.page(connection, Question("resume")).as_json())
        with database.reading() as older:
            outside = json.dumps(read.page(older, Question("resume")).as_json())
        again = json.dumps(read.page(connection, Question("resume")).as_json())
    assert "Portland" in outside
    assert "Portland" not in inside
    assert again == inside
