"""Read replicas: do strangers' texts come from one, and is nothing hidden late, however far it is behind?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.storage.postgresql.replicas import StandbyReplicas
from app.upgrade.operations.init import initialise
from tests.conftest import SettingsIn
from tests.postgresql import PostgreSQL
from tests.replication import is_streaming, replicated
from tests.web.conftest import Site, wait_until

pytestmark = pytest.mark.needs("postgresql")

IDEAS = "/api/v1/ideas"
NUMBERS = itertools.count()


@dataclass
class Pair:
    """A primary, its standby, and two servers of one database: with the standby as a replica, and without."""

    primary: PostgreSQL
    standby: PostgreSQL
    database: str
    with_replica: Site
    without: Site
    given: list[int] = field(default_factory=list)  # how many texts the replica gave, each time it was asked

    def caught_up(self) -> None:
        wait_until(lambda: is_streaming(self.primary), "the standby does not catch up")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile the standby stays as it is."""
        self.caught_up()
        self.standby.execute("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        wait_until(lambda: self.standby.execute(state) == [("paused",)], "it is not paused")
        try:
            yield
        finally:
            self.standby.execute("SELECT pg_wal_replay_resume()")

    def asked(self, path: str) -> str | None:
        """The words of an entry that a stranger is shown, by both servers alike; None where it is none."""
        answers = self._asked(path)
        if answers[0].status_code == 404:
            return None
        assert answers[0].content == answers[1].content
        (words,) = words_of([answers[0].json()])
        return words

    def _asked(self, path: str) -> list[Any]:
        for site in (self.with_replica, self.without):
            site.app.server.views.forget()
            site.app.server.response_cache.forget()
        self.given.clear()
        answers = [site.client.get(path) for site in (self.with_replica, self.without)]
        assert answers[0].status_code == answers[1].status_code
        return answers

    def listed(self) -> list[dict[str, Any]]:
        """What a stranger is shown, by both servers alike; nothing of it from a memory."""
        asked = self._asked(f"{IDEAS}?limit=200")
        assert asked[0].status_code == 200
        assert asked[0].content == asked[1].content
        found: list[dict[str, Any]] = asked[0].json()["items"]
        return found


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[PostgreSQL, PostgreSQL]]:
    with replicated() as both:
        yield both


@pytest.fixture
def pair(
    servers: tuple[PostgreSQL, PostgreSQL],
    serve: Callable[..., Site],
    settings_in: SettingsIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Pair:
    primary, standby = servers
    database = f"replicated_{next(NUMBERS)}"
    settings = settings_in(
        tmp_path, database_url=primary.create(database), data_dir=tmp_path / "data", backup_enabled=False
    )
    assert initialise(settings).state == "done"
    mine = replace(settings, database_replica_urls=(standby.url(database),))
    made = Pair(primary, standby, database, serve(mine), serve(settings))
    made.with_replica.add_user("ann", is_admin=True)
    told = StandbyReplicas.texts

    def texts(self: Any, table: str, column: str, revisions: Mapping[int, str]) -> dict[int, str]:
        found = told(self, table, column, revisions)
        made.given.append(len(found))
        return found

    monkeypatch.setattr(StandbyReplicas, "texts", texts)
    made.caught_up()
    return made


@pytest.fixture
def ann(pair: Pair) -> dict[str, str]:
    return pair.with_replica.log_in("ann")


def write(pair: Pair, ann: dict[str, str], *words: str) -> list[int]:
    """Write public entries; returns their ids."""
    made = []
    for word in words:
        body = {"content": word, "meta": {"visibility": "public"}}
        answer = pair.with_replica.client.post(IDEAS, json=body, headers=ann)
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
    return made


def words_of(items: list[dict[str, Any]]) -> list[str]:
    return [item["data"]["content"] if "data" in item else item["content"] for item in items]


def test_texts_come_from_the_replica_once_it_has_them(pair: Pair, ann: dict[str, str]) -> None:
    write(pair, ann, "one", "two", "three")
    pair.caught_up()
    assert words_of(pair.listed()) == ["one", "two", "three"]
    assert pair.given == [3]


def test_what_is_hidden_changed_or_deleted_shows_at_once_where_the_replica_is_behind(
    pair: Pair, ann: dict[str, str]
) -> None:
    hidden, changed, deleted, kept = write(pair, ann, "hidden", "changed", "deleted", "kept")
    client = pair.with_replica.client
    with pair.paused():
        assert words_of(pair.listed()) == ["hidden", "changed", "deleted", "kept"]
        assert pair.given == [4]
        private = {"meta": {"visibility": "private"}}
        assert client.patch(f"{IDEAS}/{hidden}", json=private, headers=ann).status_code == 200
        assert words_of(pair.listed()) == ["changed", "deleted", "kept"]
        assert client.patch(f"{IDEAS}/{changed}", json={"content": "new"}, headers=ann).status_code == 200
        assert words_of(pair.listed()) == ["new", "deleted", "kept"]
        assert client.delete(f"{IDEAS}/{deleted}", headers=ann).status_code == 204
        assert words_of(pair.listed()) == ["new", "kept"]
        write(pair, ann, "later")
        assert words_of(pair.listed()) == ["new", "kept", "later"]
        assert pair.given == [1], "only what nobody touched comes from the replica"
        never = {"word": "kept"}
        assert client.post("/api/v1/privacy/never-list", json=never, headers=ann).status_code == 201
        assert "kept" not in "".join(words_of(pair.listed()))
    pair.caught_up()
    pair.listed()
    assert pair.given == [3]
    assert kept


def test_a_single_entry_comes_from_the_replica_and_is_hidden_or_changed_at_once(
    pair: Pair, ann: dict[str, str]
) -> None:
    hidden, changed, deleted, kept = write(pair, ann, "hidden", "changed", "deleted", "kept")
    client = pair.with_replica.client

    def one(entry_id: int) -> str | None:
        """What a stranger is shown, by both servers alike; nothing of it from a memory."""
        return pair.asked(f"{IDEAS}/{entry_id}")

    with pair.paused():
        assert [one(each) for each in (hidden, changed, deleted, kept)] == [
            *("hidden", "changed", "deleted", "kept")
        ]
        assert one(kept) == "kept"
        assert pair.given == [1]
        private = {"meta": {"visibility": "private"}}
        assert client.patch(f"{IDEAS}/{hidden}", json=private, headers=ann).status_code == 200
        assert client.patch(f"{IDEAS}/{changed}", json={"content": "new"}, headers=ann).status_code == 200
        assert client.delete(f"{IDEAS}/{deleted}", headers=ann).status_code == 204
        assert [one(each) for each in (hidden, deleted)] == [None, None]
        assert pair.given == [], "a replica is not asked for what is hidden"
        assert one(changed) == "new"
        assert pair.given == [0], "it has not that version"
        psql = "UPDATE data_entries SET data = %s WHERE id = %s"
        text = '{"content": "after", "meta": {"visibility": "public"}}'
        pair.primary.execute(psql, pair.database, parameters=(text, kept))
        assert one(kept) == "after"
    pair.caught_up()
    assert client.get(f"{IDEAS}/{hidden}", headers=ann).json()["data"]["content"] == "hidden"


def test_what_an_owner_writes_with_psql_shows_at_once(pair: Pair, ann: dict[str, str]) -> None:
    (entry,) = write(pair, ann, "before")
    with pair.paused():
        assert words_of(pair.listed()) == ["before"]
        text = '{"content": "after", "meta": {"visibility": "public"}}'
        pair.primary.execute(
            "UPDATE data_entries SET data = %s WHERE id = %s", pair.database, parameters=(text, entry)
        )
        assert words_of(pair.listed()) == ["after"]
        pair.primary.execute(
            "UPDATE data_entries SET is_active = 0 WHERE id = %s", pair.database, parameters=(entry,)
        )
        assert pair.listed() == []


def test_without_the_replica_everything_is_answered(pair: Pair, ann: dict[str, str]) -> None:
    write(pair, ann, "one")
    pair.caught_up()
    pair.listed()
    pair.standby.stop()
    try:
        write(pair, ann, "two")
        assert words_of(pair.listed()) == ["one", "two"]
        assert pair.given == [0]
    finally:
        pair.standby.start()


def test_what_is_no_standby_of_the_server_gives_nothing(
    pair: Pair, postgresql_server: PostgreSQL, ann: dict[str, str]
) -> None:
    (entry,) = write(pair, ann, "one")
    other, primary = postgresql_server.url("postgres"), pair.primary.url(pair.database)
    for url in (other, primary):
        with closing(StandbyReplicas(primary, [url])) as replicas:
            assert replicas.texts("data_entries", "data", {entry: "1 (0,1)"}) == {}
            assert not replicas._replicas[0]._idle, "it was let go of"
