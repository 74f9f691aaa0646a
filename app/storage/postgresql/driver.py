"""PostgreSQL driver (psycopg). How is a connection opened, and what is said where it is not installed?

Every connection of this project to PostgreSQL is made here. The driver begins and ends no transaction by
itself: what is one transaction is said by who opened the connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from app.database_urls import for_driver
from app.errors import Refused
from app.storage.postgresql import primary

if TYPE_CHECKING:
    import psycopg

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

CONNECT_SECONDS = 5
LOST_AFTER_SECONDS = 10
"""So long at most a connection is waited for whose other end has gone without a word."""

_USUAL: Mapping[str, object] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "daemon",
    "client_encoding": "UTF8",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": LOST_AFTER_SECONDS * 1000,
}
# Of the server's side, said once it is there: a pool would take it for a parameter that it does not know.
_OF_SESSION = (
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"
    f" SET tcp_user_timeout = {LOST_AFTER_SECONDS * 1000}; SET timezone = 'UTC'; SET statement_timeout = 0"
)


def load() -> Any:
    """Return the driver; raises Refused, with what to type, where it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise Refused(
            f"DATABASE_URL names PostgreSQL, and its driver is not installed ({error}); nothing was changed.",
            hint="pip install 'daemon-personal-api[postgres]'   # or: pip install 'psycopg[binary]'",
        ) from error
    return psycopg


class Opened(NamedTuple):
    """A connection, and the epoch of its server."""

    connection: Connection
    epoch: primary.Epoch


def connect(url: str, **more: object) -> Connection:
    """Open a connection in which the driver begins and ends nothing. Raises Refused, psycopg.Error.

    Of several servers to the primary: not to what libpq takes first, where another was promoted after that.
    """
    given = _words(url, more)
    taken = _opened(given)
    is_first = names_several(url) and primary.seen(url) is None
    if is_first or primary.is_old(url, taken.epoch):
        for other in _each_opened(given):
            if other.epoch.system == taken.epoch.system and other.epoch.number > taken.epoch.number:
                taken, other = other, taken
            other.connection.close()
    if primary.is_old(url, taken.epoch):
        taken.connection.close()
        raise load().OperationalError("the server that answers was the primary before another was promoted")
    primary.note(url, taken.epoch)
    return taken.connection


def commit_at_once(driver: Connection) -> None:
    """Have the open transaction on the server's disk when its COMMIT returns, whatever is set otherwise."""
    if (driver.execute("SHOW synchronous_commit").fetchone() or ("on",))[0] == "off":
        driver.execute("SET LOCAL synchronous_commit = on")


def look_around(url: str) -> None:
    """Note which of the servers that a URL names is the primary now; one that does not answer is left out."""
    for each in _each_opened(_words(url, {"application_name": "daemon (look)"})):
        each.connection.close()
        primary.note_newer(url, each.epoch)


def names_several(url: str) -> bool:
    """Return whether a URL names several servers."""
    return len(list(primary.each_host(_words(url, {})))) > 1


def _words(url: str, more: Mapping[str, object]) -> dict[str, Any]:
    load()
    from psycopg.conninfo import conninfo_to_dict

    return {**_USUAL, **conninfo_to_dict(for_driver(url)), **more}


def _opened(given: Mapping[str, Any]) -> Opened:
    from app.storage.postgresql.adapted import Cursor, adapters

    made: Connection = load().connect(autocommit=True, cursor_factory=Cursor, context=adapters(), **given)
    try:
        cursor = made.execute(f"{_OF_SESSION}; {primary.QUERY}".encode())
        while cursor.nextset():
            pass
        return Opened(made, primary.Epoch(*cursor.fetchone() or (0, primary.STANDBY)))
    except BaseException:
        made.close()
        raise


def _each_opened(given: Mapping[str, Any]) -> Iterator[Opened]:
    for one in primary.each_host(given):
        try:
            yield _opened(one)
        except load().OperationalError:
            continue
