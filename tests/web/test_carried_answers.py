"""Carried answers: is a list that is sent again after a commit the one that would be made now, each time?"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from app import clock
from app.entries import read, releases, search_index, write
from app.entries.parts import by_cursor
from app.entries.privacy_settings import change_settings
from app.entries.strangers import NO_MEMORY
from app.entries.view_memory import ViewMemory
from app.privacy.viewer import Viewer
from app.server import entry_lookup
from app.server.response_cache import Address, CachedResponse
from app.settings import Settings
from app.storage.sqlite import serving
from app.web.plain_lists import PlainLists
from tests.web.conftest import Site, wait_until

pytestmark = pytest.mark.only_on("sqlite")  # another engine cannot tell what was changed between two states

ENTRIES_COUNT = 6
STEPS_COUNT = 70
QUERIES = (b"limit=2", b"limit=3", b"limit=4&level=ai_safe", b"limit=50", b"limit=2&cursor=")


class Lists:
    """An installation of ann and ben, and the lists that strangers ask of it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.people = {name: site.user(name) for name in ("ann", "ben")}
        server = site.app.server
        self.plain = PlainLists(lambda: server.cursor_key)
        with site.writing() as connection:
            self.ids = [self.add(connection, "public") for _ in range(ENTRIES_COUNT)]
        after_two = site.client.get("/api/v1/ideas?limit=2").json()["next"].encode()
        queries = [each + after_two if each.endswith(b"=") else each for each in QUERIES]
        self.addresses = [Address(b"/api/v1/ideas", query, b"") for query in queries]
        self.addresses.append(Address(b"/api/v1/goals", b"limit=2", b""))
        self.carried_count = 0

    def add(self, connection: Connection, visibility: str, name: str = "ann", **meta: str) -> int:
        viewer = Viewer("person", self.people[name].id, name)
        content = {"content": "call 030 1234567", "meta": {"visibility": visibility, "title": "t", **meta}}
        return write.create(connection, viewer, "ideas", content).id

    def made_now(self, address: Address) -> bytes:
        plain = self.plain.find(address)
        assert plain is not None
        question = plain.question(b"", self.site.settings.privacy_level)
        with self.site.app.server.supervisor.reading() as connection:
            return read.page(connection, question, memory=NO_MEMORY).body

    def carried(self, address: Address) -> CachedResponse | None:
        server = self.site.app.server
        return entry_lookup.carried(server, address, server.supervisor.generation())

    def keep_all(self) -> None:
        """Have every list kept that can be: first as the framework makes it, then as it is joined."""
        for _ in range(2):
            self.site.app.server.response_cache.forget()
            for address in self.addresses:
                target = (address.path + b"?" + address.query).decode()
                assert self.site.client.get(target).status_code == 200

    def check(self) -> None:
        """Compare what is carried over with what is made now."""
        for address in self.addresses:
            carried = self.carried(address)
            if carried is not None:
                self.carried_count += 1
                assert carried.body == self.made_now(address), address


@pytest.fixture(params=["delete", "wal"])
def lists(request: pytest.FixtureRequest, settings: Settings, serve: Callable[..., Site]) -> Lists:
    with closing(sqlite3.connect(settings.database_path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
    site = serve(settings)
    site.add_user("ann", is_admin=True)
    site.add_user("ben")
    return Lists(site)


class Later:
    """A clock that can be put on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, self._now = timedelta(), clock.now
        monkeypatch.setattr(clock, "now", self)

    def __call__(self) -> datetime:
        return self._now() + self.ahead

    def go_on(self) -> None:
        """Let some seconds pass."""
        self.ahead += timedelta(seconds=3)


class Steps:
    """What may happen to an installation, each time to another entry."""

    def __init__(self, lists: Lists, later: Later, choose: random.Random) -> None:
        self.lists, self.later, self.choose = lists, later, choose
        self.ann_id = lists.people["ann"].id
        self.ann = Viewer("person", self.ann_id, "ann")

    def do(self, name: str) -> None:
        """Do what is named."""
        if name == "some seconds":
            self.later.go_on()
        elif name == "another program":
            self._by_another_program()
        elif name == "taken back":
            with suppress(ZeroDivisionError), self.lists.site.writing() as connection:
                self.lists.add(connection, "public")
                _ = 1 / 0
        else:
            with self.lists.site.writing() as connection:
                WRITTEN[name](self, connection)

    def one(self) -> int:
        return self.choose.choice(self.lists.ids)

    def soon(self) -> str:
        return (clock.now() + timedelta(seconds=2)).isoformat()

    def change(self, connection: Connection, **meta: object) -> None:
        """Change one that is not deleted."""
        entry_id = self.one()
        write.merge(connection, self.ann, "ideas", entry_id, {"meta": meta})

    def grow(self, connection: Connection) -> None:
        self.lists.ids.append(self.lists.add(connection, "public"))

    def delete(self, connection: Connection) -> None:
        """Delete one and have another in its place."""
        entry_id = self.lists.ids.pop(self.choose.randrange(len(self.lists.ids)))
        write.delete(connection, self.ann, "ideas", entry_id)
        self.grow(connection)

    def add_goal(self, connection: Connection) -> None:
        write.create(connection, self.ann, "goals", {"content": "run", "meta": {"visibility": "public"}})

    def _by_another_program(self) -> None:
        with closing(sqlite3.connect(self.lists.site.settings.database_path)) as connection, connection:
            changed = "UPDATE data_entries SET visibility = 'private' WHERE id = ?"
            connection.execute(changed, (self.one(),))


WRITTEN: dict[str, Callable[[Steps, Connection], object]] = {
    "a public entry": Steps.grow,
    "a private one": lambda steps, connection: steps.lists.add(connection, "private"),
    "one of ben's": lambda steps, connection: steps.lists.add(connection, "public", "ben"),
    "another kind": Steps.add_goal,
    "hidden": lambda steps, connection: steps.change(connection, visibility="private"),
    "shown": lambda steps, connection: steps.change(connection, visibility="public"),
    "shown again": lambda steps, connection: steps.change(connection, visibility="public"),
    "another title": lambda steps, connection: steps.change(connection, title="another"),
    "gone": Steps.delete,
    "for a moment": lambda steps, connection: steps.lists.add(connection, "public", expires_at=steps.soon()),
    "soon": lambda steps, connection: steps.change(connection, publish_at=steps.soon()),
    "always": lambda steps, connection: steps.change(connection, publish_at=None, expires_at=None),
    "a release": lambda steps, connection: releases.release(connection, steps.ann_id, entry_id=steps.one()),
    "a setting": lambda steps, connection: change_settings(
        connection, steps.ann_id, {"show_contact_info": steps.choose.random() < 0.5}
    ),
}
NAMES = (*WRITTEN, *("a public entry", "a private one", "one of ben's") * 3)
NOT_WRITTEN = ("some seconds", "another program", "taken back")


def test_what_is_sent_again_after_any_commit_is_what_would_be_made(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(20261126)
    steps = Steps(lists, Later(monkeypatch), choose)
    for _ in range(STEPS_COUNT):
        lists.keep_all()
        for name in choose.choices((*NAMES, *NOT_WRITTEN), k=choose.choice((1, 1, 2))):
            steps.do(name)
        lists.check()
    assert lists.carried_count > STEPS_COUNT


def test_a_commit_of_another_program_right_after_ours_is_never_taken_for_ours(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists.keep_all()
    commit, first = serving._commit, lists.ids[0]

    def followed(driver: sqlite3.Connection) -> None:
        commit(driver)
        with closing(sqlite3.connect(lists.site.settings.database_path)) as other, other:
            other.execute("UPDATE data_entries SET visibility = 'private' WHERE id = ?", (first,))

    monkeypatch.setattr(serving, "_commit", followed)
    with lists.site.writing() as connection:
        lists.add(connection, "private")
    monkeypatch.setattr(serving, "_commit", commit)
    assert [lists.carried(address) for address in lists.addresses] == [None] * len(lists.addresses)


def test_a_commit_of_ours_of_which_not_all_is_known_is_between_those_that_are(lists: Lists) -> None:
    """What a commit is told to have changed is told of the state right before it, and of no earlier one."""
    site = lists.site
    site.app.server.jobs.stop()
    for _ in range(2):
        with site.writing() as connection:
            lists.add(connection, "private")
    lists.keep_all()
    with site.writing() as connection:
        change_settings(connection, lists.people["ann"].id, {"show_contact_info": True})
    with site.writing() as connection:
        lists.add(connection, "private")
    assert [lists.carried(address) for address in lists.addresses] == [None] * len(lists.addresses)


def test_an_entry_may_end_between_two_statements_of_one_list(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the clock was asked before: a list is that of one moment."""
    ends, entry_id = clock.now() + timedelta(hours=1), lists.ids[-1]  # the last one of the list
    with lists.site.writing() as connection:
        ann = Steps(lists, Later(monkeypatch), random.Random(1)).ann
        write.merge(connection, ann, "ideas", entry_id, {"meta": {"expires_at": ends.isoformat()}})
    plain = lists.plain.find(lists.addresses[3])
    assert plain is not None
    everything, counts = plain.question(b"", lists.site.settings.privacy_level), set()
    for calls in range(12):
        memory = ViewMemory(1 << 20)
        with monkeypatch.context() as patched, lists.site.app.server.supervisor.reading() as connection:
            for count in (ENTRIES_COUNT // 2, ENTRIES_COUNT - 1):  # all views but that of the last are known
                read.page(connection, replace(everything, part=by_cursor(count)), memory=memory)
            moments = (ends + timedelta(seconds=second) for second in itertools.count(-calls))
            patched.setattr(clock, "now", moments.__next__)
            counts.add(len(read.page(connection, everything, memory=memory).bodies))
    assert counts == {ENTRIES_COUNT - 1, ENTRIES_COUNT}


def test_that_the_search_has_found_every_entry_changes_no_list(lists: Lists) -> None:
    lists.site.app.server.jobs.stop()
    lists.keep_all()
    before = lists.site.app.server.supervisor.generation()
    with lists.site.writing() as connection:
        search_index.note_complete(connection, "another ceiling")
    assert lists.site.app.server.supervisor.generation() != before
    assert lists.carried(lists.addresses[0]) is not None


@pytest.mark.parametrize("name", ["a public entry", "a private one", "one of ben's"])
def test_an_entry_behind_what_is_listed_changes_nothing(
    lists: Lists, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    steps, addresses = Steps(lists, Later(monkeypatch), random.Random(1)), lists.addresses

    def is_carried() -> bool:
        """Not where a job of the server has committed something else meanwhile."""
        lists.keep_all()
        steps.do(name)
        return lists.carried(addresses[0]) is not None

    wait_until(is_carried, "nothing was carried over")
    whole = lists.carried(addresses[3])
    assert (whole is not None) is (name == "one of ben's")  # it ends with the newest
