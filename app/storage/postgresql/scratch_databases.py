"""Scratch databases. How is a dump looked into? It is restored into a new database beside the live one.

Each is named after the live one, the process that made it and a number, and is dropped at the end; what a
killed process left is dropped by the next one that makes any, by a server, and before it is said that nothing
is left of what was erased. Within `kept` a dump is restored once, and what
is done to it is done to that one database: a restore looks at it several times and then gives it its name.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app import log
from app.database_urls import for_driver, in_words
from app.errors import DaemonError, Failed, Refused
from app.storage.postgresql import programs
from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.numbers import SPACE
from app.storage.types import StorageError
from app.temporary import temporary_folder

_logger = log.get_logger(__name__)

MAINTENANCE = ("postgres", "template1")
Driver = psycopg.Connection[Any]
_NAME = re.compile(r"(?P<of>.*)_scratch_[0-9a-f]{8}")
_SUFFIX_BYTES = len("_scratch_") + 8
_LONGEST_NAME_BYTES = 63
CLEAR_SECONDS = 20.0
"""So long at most a round that drops leftovers begins with another one, and waits for a statement."""

# What pg_restore says of a file that is not what pg_dump wrote; a signal ended it where it says nothing.
_OF_THE_FILE = re.compile(
    r"archive|input file|end of file|uncompress|decompress|block ID|exit status -\d+|could not read"
)

_in_use: dict[str, Driver] = {}  # by name: the session whose lock says that a process here still needs it


File = tuple[Path, int, int]  # a dump by its path, size and time: another file when it is written anew


@dataclass
class _Shared:
    """A database that a dump was restored into, and the files with its bytes that were looked into there."""

    name: str
    users: set[File]


class _Kept(threading.local):
    """While `kept` lasts in a thread: what dumps were restored into, and the server where that is."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, server: str) -> None:
        """Be as at the beginning; without a server nothing is kept."""
        self.server = server
        self.hashes: dict[File, str] = {}
        self.shared: dict[tuple[str, str], _Shared] = {}  # by the server's URL and the hash of the dump
        self.changed: dict[tuple[str, File], str] = {}  # what is written to, for that file alone

    def all(self) -> list[tuple[str, str]]:
        """The databases that are there, with the URL of their server."""
        shared = [(url, one.name) for (url, _), one in self.shared.items()]
        return [*shared, *((url, name) for (url, _), name in self.changed.items())]


_kept = _Kept()


@contextmanager
def kept(url: str) -> Iterator[None]:
    """While this lasts each dump is restored once, on the server of ``url``; all are dropped at the end.

    Files with the same bytes are one dump (a backup, and the copy of it that is put back), until one of them
    is written to.
    """
    if _kept.server:
        yield
        return
    _kept.begin(url)
    try:
        yield
    finally:
        left = _kept.all()
        _kept.begin("")
        with ExitStack() as all_of_them:  # each, whatever becomes of the others
            for of, name in left:
                all_of_them.callback(drop, of, name)


def server(otherwise: str) -> str:
    """The URL of the database on whose server dumps are looked into now; ``otherwise`` outside of `kept`."""
    return _kept.server or otherwise


def forget(url: str, name: str) -> None:
    """Let a scratch database be: it has another name by now."""
    let_go(name)
    _kept.shared = {key: one for key, one in _kept.shared.items() if one.name != name}
    _kept.changed = {key: known for key, known in _kept.changed.items() if known != name}


@contextmanager
def restored(url: str, dump: Path, *, is_changed: bool = False) -> Iterator[str]:
    """The name of a database with what is in the file ``dump``; dropped at the end, but within `kept`.

    Who changes it says so: then no other file with the same bytes is looked into there. Raises Refused where
    the role may make none, or no program can; Damaged things are what pg_restore says.
    """
    if _kept.server:
        yield _restored_once(url, dump, is_changed=is_changed)
        return
    name = _filled(url, dump)
    try:
        yield name
    finally:
        drop(url, name)


def _restored_once(url: str, dump: Path, *, is_changed: bool) -> str:
    known = dump.stat()
    file = (dump.resolve(), known.st_size, known.st_mtime_ns)
    if (url, file) in _kept.changed:
        return _kept.changed[url, file]
    key = (url, _hash_of(file))
    shared = _kept.shared.get(key)
    if shared is None:
        shared = _kept.shared[key] = _Shared(_filled(url, dump), {file})
    if not is_changed:
        shared.users.add(file)
        return shared.name
    if shared.users <= {file}:
        del _kept.shared[key]
        name = shared.name
    else:
        shared.users.discard(file)
        name = _filled(url, dump)
    _kept.changed[url, file] = name
    return name


def _hash_of(file: File) -> str:
    if file not in _kept.hashes:
        with file[0].open("rb") as opened:
            _kept.hashes[file] = hashlib.file_digest(opened, "sha256").hexdigest()
    return _kept.hashes[file]


def _filled(url: str, dump: Path) -> str:
    """A new database with what is in a dump; without its grants where a role that they name is not here."""
    for privileges in ((), ("--no-privileges",)):
        name = make(url)
        try:
            _restore(url, name, dump, privileges)
        except Failed as error:
            drop(url, name)
            if privileges or "role " not in error.message:
                raise
        except BaseException:
            drop(url, name)
            raise
        else:
            return name
    raise AssertionError("the second try ends or raises")


def make(url: str) -> str:
    """Make an empty database beside the configured one, like it; return its name."""
    clear_leftovers(url)
    with as_storage_errors(), maintenance(url) as driver:
        live = driver.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s",
            (name_in(url),),
        ).fetchone()
        encoding, collate, ctype = live or ("UTF8", "C.UTF-8", "C.UTF-8")
        name = _new_name(name_in(url))
        _in_use[name] = _holding(url, name)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}")
        try:
            driver.execute(statement.format(sql.Identifier(name), encoding, collate, ctype))
        except BaseException as error:  # where it was made all the same, it is a leftover by that
            let_go(name)
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                raise no_createdb(url) from error
            raise
    return name


def let_go(name: str) -> None:
    """Say that no one here needs the database any more."""
    session = _in_use.pop(name, None)
    if session is not None:
        session.close()


def clear_leftovers(url: str) -> int:
    """Drop the scratch databases of the configured one that processes left which are gone.

    Returns how many are there still: in use, or not dropped in CLEAR_SECONDS. Where there is none, no other
    database of the server is connected to. Raises StorageError.
    """
    with as_storage_errors():
        with closing(connect(url)) as driver:
            there = _scratch_of(driver, url)
        return _dropped_if_left(url, there) if there else 0


def _scratch_of(driver: Driver, url: str) -> list[str]:
    found = driver.execute("SELECT datname FROM pg_database WHERE datname LIKE '%scratch%'").fetchall()
    matches = [match for (name,) in found if (match := _NAME.fullmatch(name))]
    return [match[0] for match in matches if match["of"] == _shortened(name_in(url))]


def _dropped_if_left(url: str, names: list[str]) -> int:
    """Drop those of them that no process holds; return how many are there still."""
    ends, left = time.monotonic() + CLEAR_SECONDS, len(names)
    with maintenance(url) as driver:
        driver.execute(f"SET statement_timeout = {int(CLEAR_SECONDS * 1000)}".encode())
        for name in names:
            if time.monotonic() < ends and _is_left(driver, name):
                _drop(driver, name)
                left -= 1
    return left


def _drop(driver: Driver, name: str) -> None:
    driver.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _is_left(driver: Driver, name: str) -> bool:
    taken = driver.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (SPACE, _number_of(name))).fetchone()
    return bool(taken and taken[0])


def _holding(url: str, name: str) -> Driver:
    """A session that holds the lock of a scratch database, in the database where `clear_leftovers` looks."""
    driver = _connect_for_maintenance(url)
    try:
        driver.execute("SELECT pg_advisory_lock(%s, %s)", (SPACE, _number_of(name)))
    except BaseException:
        driver.close()
        raise
    return driver


def _number_of(name: str) -> int:
    return zlib.crc32(name.encode()) - 2**31


def drop(url: str, name: str) -> None:
    """Drop a database, whoever is connected to it; where that fails it is a leftover, and dropped later.

    That is a line in the log: what was done with it is done.
    """
    try:
        with as_storage_errors(), maintenance(url) as driver:
            _drop(driver, name)
    except (StorageError, DaemonError) as error:
        _logger.warning("a scratch database could not be dropped", extra={"scratch": name, "why": str(error)})
    finally:
        let_go(name)


def find_no_createdb(url: str) -> Refused | None:
    """Why the role can make no scratch database; None where it can. Raises StorageError."""
    with as_storage_errors(), closing(connect(url)) as driver:
        row = driver.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    return None if row and row[0] else no_createdb(url)


def no_createdb(url: str) -> Refused:
    """What is said where the role may make no databases, and what is possible then."""
    role = urlsplit(url).username or "of DATABASE_URL"
    return Refused(
        f"The role {role} may not make databases (it has no CREATEDB): backups of {in_words(url)} are made,"
        " but not proved by a restore, and none can be put back, nor an upgrade rolled back.",
        hint=f"psql -c 'ALTER ROLE \"{role}\" CREATEDB'   # as a superuser",
    )


def name_in(url: str) -> str:
    """The name of the database that a URL names, as the server knows it."""
    return str(conninfo_to_dict(for_driver(url)).get("dbname") or "")


def url_of(url: str, name: str) -> str:
    """The same URL for another database of the same server."""
    parts = urlsplit(url)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key != "dbname"])
    return urlunsplit(parts._replace(path="/" + quote(name, safe=""), query=query))


@contextmanager
def maintenance(url: str) -> Iterator[Driver]:
    """A connection to a database of the server that always is there: the live one may be renamed then."""
    with closing(_connect_for_maintenance(url)) as driver:
        yield driver


def _connect_for_maintenance(url: str) -> Driver:
    *others, last = MAINTENANCE
    for name in others:
        with suppress(psycopg.OperationalError):
            return connect(url_of(url, name), application_name="daemon (databases)")
    return connect(url_of(url, last), application_name="daemon (databases)")


def _restore(url: str, name: str, dump: Path, privileges: tuple[str, ...]) -> None:
    with closing(connect(url)) as driver:
        major = driver.info.server_version // 10000
    program = programs.get_program("pg_restore", major, "it was not restored")
    with (
        temporary_folder(".daemon-dump-", dump.parent, 1_000_000) as folder,
        programs.conninfo_without_password(url_of(url, name), folder) as conninfo,
    ):
        words = ("--single-transaction", "--exit-on-error", "--no-owner", *privileges)
        try:
            programs.run([program, *words, f"--dbname={conninfo}", dump], url)
        except Failed as error:
            if _OF_THE_FILE.search(error.message):
                raise StorageError("damaged", error) from error
            raise


def _new_name(live: str) -> str:
    return f"{_shortened(live)}_scratch_{secrets.token_hex(4)}"


def _shortened(live: str) -> str:
    """The name of the live database as far as there is room for it in one of a scratch database."""
    return live.encode()[: _LONGEST_NAME_BYTES - _SUFFIX_BYTES].decode("utf-8", "ignore")
