"""PostgreSQL errors. What does one mean, in a word of every engine, and in a sentence for people?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.database_urls import in_words
from app.errors import Busy, DaemonError, Damaged, Failed, Refused, UnknownDatabase
from app.storage.types import Reason, StorageError

# By the code of the server, or the first letters of one. Everything else is about the SQL that was asked.
_REASONS: tuple[tuple[str, Reason], ...] = (
    ("55P03", "busy"),  # a lock that was not to be had in time
    ("40", "busy"),  # serialization failure, deadlock: of two at once, one is taken back
    ("53100", "full"),
    ("53", "busy"),  # too many connections, out of memory
    ("57014", "interrupted"),
    ("57P", "not_opened"),  # shutting down, starting up, crashed
    ("08", "not_opened"),
    ("25006", "not_opened"),  # only reading: a standby
    ("28", "not_opened"),
    ("3D000", "not_opened"),
    ("42501", "not_opened"),
    ("58", "disk"),
    ("XX001", "damaged"),
    ("XX002", "damaged"),
    ("23", "rows"),
)
NO_SUCH_DATABASE, STANDBY, TOO_MANY, NOT_ALLOWED = "3D000", "25006", "53300", "42501"
_LOGIN = "28"
_INTERNAL, _CHECKPOINT_FAILED = "XX000", "checkpoint request failed"  # before a database is made or dropped


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Let what the driver raises within come out as a StorageError; for a function or a block."""
    try:
        yield
    except Exception as error:
        if not is_of_driver(error):
            raise
        raise storage_error(error) from error


def is_of_driver(error: BaseException) -> bool:
    """Whether the driver raised it: it knows the state of SQL, and its own errors are called so."""
    return any(each.__module__.startswith("psycopg") for each in type(driver_error(error)).__mro__[:-1])


def storage_error(error: BaseException) -> StorageError:
    """The error of the storage protocol for one that the driver, or SQLAlchemy above it, raised."""
    return error if isinstance(error, StorageError) else StorageError(_reason(error), driver_error(error))


def is_of_the_place(error: BaseException) -> bool:
    """Whether the error is about the server, its disk or a lock, and not about what was asked in SQL."""
    return storage_error(error).is_of_the_place


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone: what was under way may or may not have been done."""
    driver = driver_error(error)
    return (
        is_of_driver(driver) and (code_of(driver) or "08").startswith(("08", "57P")) and _is_of_server(driver)
    )


def explained(error: BaseException, url: str) -> DaemonError:
    """The sentence for an error that the driver (or SQLAlchemy above it) raised about the database.

    What is not about the server, its disk or a lock becomes Failed with the server's own words.
    """
    if isinstance(error, DaemonError):
        return error
    place, words, code = in_words(url), _words(error), code_of(driver_error(error)) or ""
    reason = storage_error(error).reason
    if code == NO_SUCH_DATABASE or (not code and "does not exist" in words and "database" in words):
        return UnknownDatabase(
            f"There is no database at {place}.", hint="createdb NAME   # or set DATABASE_URL to where it is"
        )
    if code == STANDBY:
        return Refused(
            f"{place} is a standby, which only can be read; nothing was changed.",
            hint="Add target_session_attrs=read-write to DATABASE_URL, and name every server in it.",
        )
    if code == NOT_ALLOWED:
        return Refused(
            f"The role of DATABASE_URL may not do that in {place} ({words}); nothing was changed.",
            hint="psql -c 'ALTER DATABASE ... OWNER TO ...'   # docs/postgresql.md has the whole of it",
        )
    if reason == "busy":
        what = "takes no more connections" if code == TOO_MANY else "is busy"
        return Busy(f"The database {place} {what} ({words}).", hint="Try again in a moment.")
    if reason == "full":
        return Refused(
            f"There is no space left on the server of {place} ({words}).", hint="df -h   # on the server"
        )
    if reason == "damaged":
        return Damaged(f"The database {place} is damaged ({words}).", hint="daemon backup list")
    if reason == "disk":
        return Busy(
            f"The server of {place} could not use its disk ({words}).", hint="df -h   # there; and its log"
        )
    if reason == "not_opened":
        return _not_opened(place, words, code)
    return Failed(f"PostgreSQL says about {place}: {words}.", hint="daemon upgrade check")


def as_daemon_error(error: Exception, url: str) -> Exception:
    """The sentence for what the driver raised; any other error as it is."""
    return explained(error, url) if is_of_driver(error) and not isinstance(error, DaemonError) else error


def _not_opened(place: str, words: str, code: str) -> DaemonError:
    if code.startswith(_LOGIN) or "authentication failed" in words:
        return Refused(
            f"{place} lets no one in as DATABASE_URL says ({words}).",
            hint="Look at user and password in DATABASE_URL, and at pg_hba.conf of the server.",
        )
    return Busy(
        f"The database server of {place} cannot be reached, or the connection was lost ({words}).",
        hint="Is it running? pg_isready   # the server goes on by itself once it is back",
    )


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error in a StorageError, or in one of SQLAlchemy's."""
    wrapped = getattr(error, "orig", None)
    return wrapped if isinstance(wrapped, BaseException) else error


def code_of(error: BaseException) -> str | None:
    """The server's five letters, None where the driver itself found the fault."""
    found = getattr(error, "sqlstate", None)
    return found if isinstance(found, str) else None


def _reason(error: BaseException) -> Reason:
    driver = driver_error(error)
    code = code_of(driver)
    if code is None:
        return "not_opened" if _is_of_server(driver) else "statement"
    if code == _INTERNAL and _CHECKPOINT_FAILED in str(driver):
        return "disk"
    return next((reason for start, reason in _REASONS if code.startswith(start)), "statement")


def _is_of_server(driver: BaseException) -> bool:
    return any(each.__name__ in ("OperationalError", "InterfaceError") for each in type(driver).__mro__)


def _words(error: BaseException) -> str:
    """The first line of what was said: the rest repeats the statement, and with it what people wrote."""
    said = str(driver_error(error)).strip().splitlines()
    return said[0].rstrip(".") if said else type(error).__name__
