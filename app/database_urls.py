"""Database URL. Which database does it name: a file of SQLite, or one on a server of PostgreSQL?

Text only: nothing is opened, and no driver is imported.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from app.disk import real_path

SQLITE = "sqlite:///"
POSTGRESQL = "postgresql+psycopg://"
_OF_SQLITE = re.compile(r"sqlite(?:\+pysqlite)?:///([^?\0]+)")
_OF_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://([^\0\s]+)")
_HOSTS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d{1,5})?")
_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")


def read(text: str) -> str:
    """Return the URL in the one way it is written here; raises ValueError for what names no database."""
    if match := _OF_POSTGRESQL.fullmatch(text):
        url = POSTGRESQL + match[1]
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2].split(",")
        if not _name_in(url) or parts.fragment or not all(map(_HOSTS.fullmatch, hosts)):
            raise ValueError(text)
        return url
    match = _OF_SQLITE.fullmatch(text)
    if match is None or match[1].startswith((":memory:", "file:")) or match[1].endswith("/"):
        raise ValueError(text)
    return SQLITE + str(Path.cwd() / match[1])


def is_of_server(url: str) -> bool:
    """Return whether the database is on a server, and no file."""
    return not url.startswith(SQLITE)


def file_of(url: str) -> Path:
    """Return the file of a database that is one."""
    return Path.cwd() / url.removeprefix(SQLITE)


def local_name(url: str) -> str:
    """Return what files of this machine are called that are about a database on a server."""
    return _IN_FILE_NAME.sub("_", _name_in(url)) + ".postgresql"


def in_words(url: str) -> str:
    """Return what the database is called to people: its file; or server and name, without who logs in."""
    if not is_of_server(url):
        return str(file_of(url))
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    hosts = parts.netloc.rpartition("@")[2] or asked.get("host", "")
    return f"postgresql://{hosts}/{_name_in(url)}"


def without_password(url: str) -> str:
    """Return the URL as it may be shown: without password, and without what else it may carry."""
    return in_words(url) if is_of_server(url) else url


def for_driver(url: str) -> str:
    """Return the URL of a database on a server as libpq reads it."""
    return "postgresql://" + url.removeprefix(POSTGRESQL)


def _name_in(url: str) -> str:
    parts = urlsplit(url)
    return unquote(parts.path.removeprefix("/")) or dict(parse_qsl(parts.query)).get("dbname", "")


# -- which files of this machine are about which database on a server ----------------------------------------

_PLACES: dict[str, Path] = {}
_COPIES: set[str] = set()  # private ones, gone soon: no one looks there for what is this process's own


def note_place(url: str, place: Path) -> None:
    """Note where files of this machine are that are about a database on a server; for the whole process."""
    _PLACES.pop(url, None)  # the one noted last comes last
    _PLACES[url] = place


def note_copy(url: str) -> None:
    """Note that a database on a server is a private copy of this process's own, until `forget_copy`."""
    _COPIES.add(url)


def forget_copy(url: str) -> None:
    """Forget a copy, and where files of this machine were that are about it."""
    _COPIES.discard(url)
    _PLACES.pop(url, None)


def place_of(url: str) -> Path:
    """Return that place, or the usual one where none was noted."""
    return _PLACES.get(url, Path.cwd() / "data" / local_name(url))


def newest_url() -> str:
    """Return the database on a server that was noted last, "" where none was."""
    return latest() or ""


def latest() -> str | None:
    """Return the database on a server whose place was noted last; None where there is none."""
    return next((url for url in reversed(_PLACES) if url not in _COPIES), None)


def url_at(place: Path) -> str | None:
    """Return the database on a server that files at a place are about; None where the place is a file's."""
    if not _PLACES:
        return None
    wanted = real_path(place)
    return next((url for url, known in reversed(_PLACES.items()) if real_path(known) == wanted), None)
