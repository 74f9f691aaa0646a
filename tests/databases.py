"""Database engines of the tests. Which do tests run on, and where do they get their databases?

A test that asks for `databases`, or for a fixture that stands on it, runs once for each engine, where its
folder or its file is in ON_BOTH; unless it is marked `only_on("sqlite")`, because it is about files.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest
import sqlalchemy
from sqlalchemy.pool import NullPool, StaticPool

from app.database import open_database
from app.entries.endpoints import add_missing_endpoints
from app.settings import Settings
from app.storage.types import STATE
from app.tables import metadata
from app.upgrade.operations.init import initialise
from tests import postgresql
from tests.postgresql import PostgreSQL

ENGINES = ("sqlite", "postgresql")

# The folders, and files of others, whose tests run on both engines, and whether CI takes a sample of those on
# PostgreSQL only.
ON_BOTH = {
    "accounts": "whole",
    "backup": "sample",
    "clients": "sample",
    "contract": "sample",
    "entries": "sample",
    "mcp": "sample",
    "server": "sample",
    "storage": "sample",
    "upgrade": "sample",
    "web": "sample",
}

# The database is one that has been seen nowhere yet, so that no copy asks what it is.
NEVER_SEEN = "UPDATE installation SET seen_host = NULL, seen_path = NULL"


class Databases(Protocol):
    """One engine, and databases on it."""

    @property
    def name(self) -> str:
        """The engine's name."""

    def place(self, folder: Path) -> str:
        """The URL of a place where there is no database yet: a file in ``folder``, or an empty database."""

    def fresh(self, folder: Path) -> str:
        """The URL of a fresh database that no one has claimed."""

    def keep(self, url: str) -> str:
        """Keep a database that no one uses as it is now, for this process; returns what `kept` asks for."""

    def kept(self, name: str, folder: Path) -> str:
        """The URL of a copy of what `keep` kept."""

    def rooms(self) -> AbstractContextManager[sqlalchemy.Connection]:
        """A connection, within a transaction, to a database of today's schema without a row."""

    def begin_test(self) -> None:
        """Remove what earlier tests made, where it was in no folder that goes by itself."""


LOCK_SECONDS = 60
COUNT_ANEW = "SELECT setval(CAST(oid AS regclass), 1, false) FROM pg_class WHERE relkind = 'S'"


@contextlib.contextmanager
def outside(url: str) -> Iterator[sqlalchemy.Connection]:
    """A connection to a database, on either engine, beside those of Daemon; commits every statement.

    As SQLite by itself, it lets a row name one that is not there.
    """
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sqlalchemy.text("SET session_replication_role = replica"))
        yield connection


def run(connection: sqlalchemy.Connection, statement: str, *values: object) -> sqlalchemy.CursorResult[Any]:
    """Run a statement, with ``?`` for each value, on either engine."""
    names = (f":value{number}" for number in itertools.count())
    named = re.sub(r"\?", lambda _: next(names), statement)
    return connection.execute(
        sqlalchemy.text(named), {f"value{number}": value for number, value in enumerate(values)}
    )


@contextlib.contextmanager
def locked_outside(url: str) -> Iterator[None]:
    """While this lasts no one else can read or write the rows."""
    with outside(url) as connection:
        if url.startswith("sqlite"):
            connection.execute(sqlalchemy.text("BEGIN EXCLUSIVE"))
        else:
            _lock_tables(connection)
        yield
        connection.execute(sqlalchemy.text("ROLLBACK"))


def _lock_tables(connection: sqlalchemy.Connection) -> None:
    """Lock every table, one after the other.

    Where someone else has one, all are let go of and it begins anew: whoever has it may wait for another.
    """
    tables = ", ".join(f'"{table}"' for table in metadata.tables)
    ends = time.monotonic() + LOCK_SECONDS
    while True:
        connection.execute(sqlalchemy.text("BEGIN"))
        connection.execute(sqlalchemy.text("SET LOCAL lock_timeout = '200ms'"))  # before a deadlock is seen
        try:
            connection.execute(sqlalchemy.text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
            return
        except sqlalchemy.exc.OperationalError:
            connection.execute(sqlalchemy.text("ROLLBACK"))
            if time.monotonic() > ends:
                raise


def make_fresh(url: str, folder: Path) -> None:
    """Make a fresh database at a place where there is none; ``folder`` is for what is made besides."""
    data, backups, logs = (folder / name for name in ("data", "backups", "logs"))
    settings = Settings(database_url=url, data_dir=data, backup_dir=backups, log_dir=logs)
    initialise(settings)
    with contextlib.closing(open_database(settings)) as database, database.writing() as connection:
        add_missing_endpoints(connection)  # as `daemon init` does


class SQLiteDatabases:
    """Files."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()

    def place(self, folder: Path) -> str:
        return f"sqlite:///{folder / 'data' / 'daemon.db'}"

    def fresh(self, folder: Path) -> str:
        path = folder / "data" / "daemon.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.template(), path)
        return self.place(folder)

    def keep(self, url: str) -> str:
        path = self.folder / f"kept-{next(self._numbers)}.db"
        shutil.copyfile(url.removeprefix("sqlite:///"), path)
        return str(path)

    def kept(self, name: str, folder: Path) -> str:
        path = folder / "data" / "daemon.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, path)
        return self.place(folder)

    def begin_test(self) -> None:
        """Nothing: what tests made is in their folders."""

    def template(self) -> Path:
        """A fresh database to be copied."""
        path = self.folder / "data" / "daemon.db"
        if not path.exists():
            make_fresh(self.place(self.folder), self.folder)
            with outside(self.place(self.folder)) as connection:
                connection.execute(sqlalchemy.text(NEVER_SEEN))
        return path

    @contextlib.contextmanager
    def rooms(self) -> Iterator[sqlalchemy.Connection]:
        engine = sqlalchemy.create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        sqlalchemy.event.listen(engine, "connect", _decode_anything)
        metadata.create_all(engine)
        with engine.begin() as connection:
            yield connection
        engine.dispose()


def _decode_anything(connection: Any, _: object) -> None:
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")


class PostgreSQLDatabases:
    """Databases on the server of the run; a test's own are gone when it has ended."""

    name = "postgresql"

    def __init__(self, server: PostgreSQL, base: Path, folder: Path) -> None:
        self.server = server
        self.base = base
        self.folder = folder
        self._made: list[str] = []
        self._numbers = itertools.count()
        self._rooms: list[sqlalchemy.Engine] = []
        self._rooms_in_use = 0

    def place(self, folder: Path) -> str:
        return self._make("template0")

    def fresh(self, folder: Path) -> str:
        return self._make(postgresql.template(self.server, "fresh", self.base, self._fill))

    def copy_of(self, template: str) -> str:
        """The URL of a copy of another database of the server."""
        return self._make(template)

    def keep(self, url: str) -> str:
        name = f"kept_{os.getpid()}_{next(self._numbers)}"
        self.server.create(name, url.rpartition("/")[2])
        return name

    def kept(self, name: str, folder: Path) -> str:
        return self._make(name)

    def _make(self, template: str) -> str:
        name = f"fresh_{os.getpid()}_{next(self._numbers)}"
        self._made.append(name)
        return self.server.create(name, template)

    def _fill(self, url: str) -> None:
        make_fresh(url, self.folder)
        with outside(url) as connection:
            connection.execute(sqlalchemy.text(NEVER_SEEN))

    def begin_test(self) -> None:
        while self._made:  # by the tests before, whose servers have let go of them by now
            name = self._made.pop()
            others = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
            for (other,) in self.server.execute(others, parameters=(f"{name}_",)):  # by what was done to it
                self.server.drop(other)
            self.server.drop(name)

    @contextlib.contextmanager
    def rooms(self) -> Iterator[sqlalchemy.Connection]:
        """The same few databases for all tests of this process: what a test did is taken back."""
        if self._rooms_in_use == len(self._rooms):
            self._rooms.append(self._make_rooms())
        engine = self._rooms[self._rooms_in_use]
        self._rooms_in_use += 1
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                connection.info[STATE] = None  # rooms of SQLite remember nothing either
                connection.execute(sqlalchemy.text(COUNT_ANEW))  # what was drawn is not taken back
                yield connection
                transaction.rollback()
        finally:
            self._rooms_in_use -= 1

    def _make_rooms(self) -> sqlalchemy.Engine:
        url = self.server.create(f"rooms_{os.getpid()}_{len(self._rooms)}")
        engine = open_database(Settings(database_url=url)).engine.execution_options(writing=True)
        metadata.create_all(engine)
        # As in the files of SQLite that rooms are tested on, a row may name one that is not there.
        self.server.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET session_replication_role = replica")
        engine.dispose()
        return engine

    def close(self) -> None:
        """Let go of what was open."""
        for engine in self._rooms:
            engine.dispose()


def engines_of(item: pytest.Item | pytest.Function, tests: Path) -> tuple[str, ...]:
    """The engines that a test runs on."""
    if _place(item.path, tests) not in ON_BOTH:
        return ENGINES[:1]
    marks: Iterable[pytest.Mark] = item.iter_markers("only_on")
    only = {name for mark in marks for name in mark.args}
    return tuple(name for name in ENGINES if name in (only or ENGINES))


def _place(path: Path, tests: Path) -> str:
    """What stands in ON_BOTH for a file of tests: its folder, or the file itself."""
    if tests not in path.parents:
        return ""
    relative = path.relative_to(tests)
    return str(relative) if str(relative) in ON_BOTH else relative.parts[0]


def is_of_another_engine(item: pytest.Item) -> bool:
    """Whether the mark of a test, or of its case, says that it runs on the other engine only."""
    name = getattr(item, "callspec", None) and item.callspec.params.get("engine_name")  # type: ignore[attr-defined]
    return bool(name) and any(name not in mark.args for mark in item.iter_markers("only_on"))


def parametrised(metafunc: pytest.Metafunc, tests: Path) -> None:
    """Let a test that stands on `engine_name` run once for each of its engines."""
    if "engine_name" not in metafunc.fixturenames:
        return
    place = _place(metafunc.definition.path, tests)
    if place not in ON_BOTH:  # named all the same: else what others made for PostgreSQL is taken over
        metafunc.parametrize("engine_name", ENGINES[:1], ids=[pytest.HIDDEN_PARAM], scope="session")
        return
    engines = engines_of(metafunc.definition, tests)
    of_postgresql = [pytest.mark.needs("postgresql")]
    if ON_BOTH[place] == "sample":
        of_postgresql.append(pytest.mark.sweep)
    marks = {"sqlite": (), "postgresql": of_postgresql}
    metafunc.parametrize(
        "engine_name", [pytest.param(name, marks=marks[name]) for name in engines], scope="session"
    )
