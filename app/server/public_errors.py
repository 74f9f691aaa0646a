"""Public errors: what may anyone hear of why the server cannot answer? What this list says, no more.

What rooms say names files, accounts and counts: that is for the log, for admins, and for anyone who types
`daemon status` on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from app.errors import Busy, DaemonError, SaidToAnybody
from app.typed_commands import in_answer
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS

if TYPE_CHECKING:
    from app.server.database_status import DatabaseStatus


class MaintenanceError(Busy, SaidToAnybody):
    """The server is up and may not use its database now; the message says why and the hint what to type."""

    code = "maintenance"


class Said(NamedTuple):
    """A sentence, and what to type next; neither has a place on the machine, an account or a count."""

    sentence: str
    command: str


_LATER = "Try again in a moment."
_CHECK = "daemon upgrade check"
_STATUS = "daemon status"
_BACKUPS = "daemon backup list"

# By phase, by what the gate says, and by code of error.
SAID: Mapping[str, Said] = {
    "STARTING": Said("The server is starting.", _LATER),
    "STOPPING": Said("The server is stopping.", _LATER),
    "UPGRADING": Said("The database is being upgraded.", "Wait; GET shows here how far it is."),
    "YIELDING": Said("Someone works on the database; the server goes on by itself afterwards.", _LATER),
    "BEHIND": Said(f"The database is at an older version; this Daemon needs {NEWEST}.", "daemon upgrade run"),
    "UPGRADE_REFUSED": Said(
        f"The database is at an older version; this Daemon needs {NEWEST} and does not upgrade it by itself, "
        "for a reason that the log has.",
        _CHECK,
    ),
    "UPGRADE_FAILED": Said(f"The upgrade to {NEWEST} at start did not succeed; the log says why.", _CHECK),
    "AHEAD": Said("The database was written by a newer Daemon than this one.", _CHECK),
    "UNKNOWN": Said("What is where the database should be cannot be served; the log says why.", _CHECK),
    "DAMAGED": Said("The database is damaged.", _BACKUPS),
    "LOST": Said("The database is not where it should be, and another one was found nearby.", _STATUS),
    "MOVED": Said("The database was moved elsewhere, and is not served from here.", _STATUS),
    "MOVED_DATABASE": Said("The database was moved elsewhere, and is not served from here.", _STATUS),
    "EMPTY": Said("There is no database yet.", "daemon init"),
    "UNREACHABLE": Said(
        "The database's server cannot be reached now; this one goes on by itself once it can.", _LATER
    ),
    "BUSY": Said("Someone else holds the database.", _LATER),
    "DRIFT": Said("The schema of the database differs from every known one.", _CHECK),
    "UNUSABLE_SCHEMA": Said(
        "The schema of the database has something in it that this server cannot use; the log says what.",
        _CHECK,
    ),
    "NEWER_DATABASE": Said("The database was written by a newer Daemon than this one.", _CHECK),
    "UNKNOWN_DATABASE": Said("What is where the database should be is not a Daemon's database.", _CHECK),
    "OTHER_INSTALLATION": Said(
        "The backup is another installation's; nothing was changed. The log says more.", _BACKUPS
    ),
    "REFUSED": Said("Space or permissions do not allow it; nothing was changed. The log says more.", _STATUS),
    "LOST_VOLUME": Said("The database is not where it should be, and another one was found.", _STATUS),
    "SETTINGS": Said("A setting has a value that cannot be used; the log says which.", _STATUS),
    "FAILED": Said("It failed, and the database is as it was; the log says why.", _STATUS),
    "FAILED_RESTORED": Said("It failed, and the backup was put back; the log says why.", _STATUS),
    "OPERATOR_NEEDED": Said("It failed, and someone has to look at it; the log says why.", _STATUS),
    "NOT_WRITABLE": Said("The database can be read and not be written now; the log says why.", _STATUS),
    "PROVIDER_FAILED": Said(
        "The provider of logins could not be asked.", "Try again, or log in with a password."
    ),
    "SEARCH_MISSING": Said("There is no search here: the database engine was built without.", _STATUS),
    "ERROR": Said("The server failed; the log says why.", _STATUS),
}


def of_status(status: DatabaseStatus) -> Said:
    """Return why the server does not serve now, in words for anyone."""
    return _as_typed(SAID[state_of(status)])


def state_of(status: DatabaseStatus) -> str:
    """Return why the server does not serve now, as a name of the list above."""
    state = status.reason or status.gate if status.phase == "maintenance" else status.phase.upper()
    return state if state in SAID else "UNKNOWN"


def maintenance(status: DatabaseStatus) -> MaintenanceError:
    """Return what to answer while the database is closed: no one can be known to be an admin then."""
    said = of_status(status)
    return MaintenanceError(said.sentence, hint=said.command, retry_after_seconds=5 if status.gate else 1)


def of_error(error: DaemonError) -> Said:
    """Return an error in words for anyone; its own only where it is no fault of the server's."""
    if error.status < 500 or isinstance(error, SaidToAnybody):
        return whole(error)
    return _as_typed(SAID.get(error.code.upper(), SAID["ERROR"]))


def not_writable() -> Said:
    """Return what is said while the database is open and takes no writes."""
    return _as_typed(SAID["NOT_WRITABLE"])


def whole(error: DaemonError) -> Said:
    """Return an error in its own words: for admins."""
    return _as_typed(Said(error.message, error.hint))


def _as_typed(said: Said) -> Said:
    return said._replace(command=in_answer(said.command))


def version_of(status: DatabaseStatus) -> str:
    """Return the version of the database, where it is one of the known ones and not a text from a file."""
    known = {row.version for row in SCHEMA_VERSIONS}
    return status.version if status.version in known else ""


def progress_of(status: DatabaseStatus) -> dict[str, object]:
    """Return how far an upgrade is; its messages name files and counts."""
    return {name: value for name, value in status.progress.items() if name != "message"}
