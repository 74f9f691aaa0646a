"""Words of the waiting page. How do things stand while the database is not ready, and what to do?"""

from __future__ import annotations

from dataclasses import dataclass

from app.server import public_errors
from app.server.database_status import DatabaseStatus
from app.web.admin.language import _, mark


@dataclass(frozen=True)
class Words:
    """The title of the page, how things stand, what to do; ``ends_by_itself``: who waits need do nothing."""

    title: str
    how: str
    what: str = ""
    ends_by_itself: bool = False


_GOES_ON = mark("This page goes on by itself.")
_NOTHING_CHANGED = mark("The database is as it was; nothing of it is served until then.")
_STATES = {
    "STARTING": Words(mark("Daemon is starting"), mark("It looks at its database."), _GOES_ON, True),
    "STOPPING": Words(mark("Daemon is stopping"), mark("Someone stops the server."), _GOES_ON, True),
    "UPGRADING": Words(
        mark("The database is being upgraded"),
        mark(
            "A verified backup is made first. If the upgrade is broken off, the database is as it was before."
        ),
        _GOES_ON,
        True,
    ),
    "YIELDING": Words(
        mark("Someone works on the database"),
        mark("A backup is put back, or an upgrade is done or taken back. The server goes on afterwards."),
        _GOES_ON,
        True,
    ),
    "BUSY": Words(
        mark("Someone works on the database"),
        mark("A backup is put back, or an upgrade is done or taken back. The server goes on afterwards."),
        _GOES_ON,
        True,
    ),
    "UNREACHABLE": Words(
        mark("The database cannot be reached"),
        mark("The server of the database does not answer now."),
        _GOES_ON,
        True,
    ),
    "BEHIND": Words(
        mark("The database waits for its upgrade"),
        mark("An older version of Daemon made it, and this one does not upgrade it unasked."),
        _NOTHING_CHANGED,
    ),
    "UPGRADE_REFUSED": Words(
        mark("The database waits for its upgrade"),
        mark("An older version of Daemon made it, and something is in the way of upgrading it by itself."),
        _NOTHING_CHANGED,
    ),
    "UPGRADE_FAILED": Words(
        mark("The upgrade did not succeed"),
        mark("It took itself back: the database is as it was before, and the backup is kept."),
        mark("Check what is in the way, mend it, and run it again."),
    ),
    "AHEAD": Words(
        mark("The database is newer than this Daemon"),
        mark("A newer version wrote it. This one does not touch it."),
        mark("Install the newer version again, or roll back, or put a backup back."),
    ),
    "DAMAGED": Words(
        mark("The database is damaged"),
        mark("Nothing was changed."),
        mark("Put a backup back, on the machine."),
    ),
    "LOST": Words(
        mark("The database is not where it should be"),
        mark("Nothing new is begun in its place: another one was found nearby."),
        mark("Say on the machine which one is right."),
    ),
    "MOVED": Words(
        mark("The database was moved elsewhere"),
        mark("It is not served from here any more."),
    ),
}
SERVED = Words(mark("The database is served"), mark("Everything is as it should be."))
_OTHERS = Words(mark("The database cannot be served"), mark("The log of the server says why."))

PHASES = {
    "look": mark("Looking at the database"),
    "lock": mark("Waiting until no one else uses it"),
    "backup": mark("Making a verified backup"),
    "measure": mark("Counting and hashing every row"),
    "steps": mark("Upgrading"),
    "verify": mark("Verifying: rows, values, keys, integrity, schema"),
    "commit": mark("Committing, and waiting for the disk"),
    "restore": mark("Keeping the present state, and putting the backup back"),
    "count": mark("Counting what was written since"),
    "copy": mark("Copying"),
    "check": mark("Checking"),
    "repair": mark("Repairing"),
    "census": mark("Looking at every value"),
    "compare": mark("Reading every row at the target and comparing"),
    "prove": mark("Proving a backup"),
    "keep": mark("Keeping the present state"),
    "wait": mark("Waiting until no one else uses it"),
    "plant": mark("Planting what no one may be shown"),
    "search": mark("Searching the texts"),
    "index": mark("Making the index of the search"),
    "ask": mark("Asking every address"),
}


def words_of(status: DatabaseStatus) -> Words:
    """Return what is said of a status, in the language of the request."""
    return said_of(_STATES.get(public_errors.state_of(status), _OTHERS))


def said_of(found: Words) -> Words:
    """Return words in the language of the request."""
    return Words(_(found.title), _(found.how), _(found.what) if found.what else "", found.ends_by_itself)


def phase_in_words(phase: str) -> str:
    """Return what is being done, for people."""
    return _(PHASES.get(phase, mark("Working")))
