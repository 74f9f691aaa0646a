"""May this server serve this database? If not: why, in a sentence, and what is to be typed.

Asked at every start, and again whenever another process may have changed the file; it must be quick where
the answer is yes, and it writes nothing. READY and EMPTY let the server go on (EMPTY after `initialise`);
with any other answer it stays up, writes nothing and says the sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app import database_urls, log
from app.errors import Busy, DaemonError, Damaged, DriftFound, Refused, UnknownDatabase, UnusableSchema
from app.progress import OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import is_wanted_at, storage_for
from app.storage.types import StorageError
from app.upgrade.checks import lost_volume, soundness
from app.upgrade.detect.recognise import is_newest, is_past, recognise
from app.upgrade.model import Outcome, Recognition
from app.upgrade.records import auto_upgrade_block, last_attempt, moved
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine
    from app.storage.types import UnusableObject

_logger = log.get_logger(__name__)


# EMPTY: nothing is there and nothing was lost, a first start. LOST: another database was found nearby.
ReadinessState = Literal[
    "READY", "EMPTY", "BEHIND", "AHEAD", "UNKNOWN", "BUSY", "LOST", "DAMAGED", "UNREACHABLE", "MOVED"
]


@dataclass(frozen=True)
class Readiness:
    """The answer: a sentence for people, the command to type, and what the database is."""

    state: ReadinessState
    sentence: str
    command: str = ""
    recognition: Recognition | None = None
    error: type[DaemonError] = UnknownDatabase  # of UNKNOWN: what `upgrade check` says it is


@dataclass(frozen=True)
class Permission:
    """Whether the server may upgrade by itself, why or why not, and whether it is the operator's wish."""

    is_given: bool
    reason: str
    is_wish: bool = False

    def __bool__(self) -> bool:
        return self.is_given


def ask_readiness(settings: Settings, storage: StorageEngine) -> Readiness:
    """Return whether the database may be served. Writes nothing, never raises for what is there."""
    try:
        if is_wanted_at(settings.database_path):
            return Readiness(
                "BUSY", "The database is being upgraded or restored by another process.", _STATUS
            )
        elsewhere = moved.find_refusal(storage, settings.database_name)
        if elsewhere is not None:
            return Readiness("MOVED", elsewhere.message, elsewhere.hint)
        kind = storage.file_kind()
        if kind == "missing":
            return _missing(settings)
        if kind == "empty":
            return _holds_nothing(settings, "zero bytes")
        if kind == "other":
            return _not_ours(settings, "not an SQLite file")
        with storage.peek() as connection:
            if not connection.has_whole_schema():
                return _not_understood(settings, connection.unusable_objects())
            if is_newest(connection):
                return Readiness("READY", f"The database is at {NEWEST}.")
            return _gate_of(settings, recognise(connection))
    except StorageError as error:
        return _of_engine_error(settings, error)
    except DaemonError as error:
        return _of_server(settings, error) or Readiness(
            "UNKNOWN", error.message, error.hint, error=type(error)
        )
    except OSError as error:
        said = failures.from_system(error, settings.database_path, "the database cannot be read")
        return Readiness("UNKNOWN", said.message, said.hint, error=Refused)


def may_upgrade_by_itself(settings: Settings, readiness: Readiness) -> Permission:
    """Return whether a server that found ``gate`` may upgrade the database without being asked.

    Only a database that is behind, recognised exactly, sound, not held and not tried in vain before. Reads
    every page of it; writes nothing.
    """
    if settings.upgrade_on_start != "auto":
        return Permission(False, "UPGRADE_ON_START is manual.", is_wish=True)
    if readiness.state != "BEHIND" or readiness.recognition is None:
        return Permission(False, readiness.sentence)
    if not readiness.recognition.exact:
        return Permission(False, "The database is not exactly one of the known ones.")
    held = auto_upgrade_block.find_hold(settings)
    if held is not None:
        return Permission(False, f"It is held: {held.reason}.", is_wish=True)
    before = last_attempt.find_attempt(settings)
    if before is not None and before.blocks:
        why = before.failure or f"it was cut short {before.count} times"
        return Permission(False, f"The upgrade was tried at {before.at} and did not succeed: {why}")
    from app.upgrade.plan import make_plan  # here: a database that is ready needs no plan

    blockers = make_plan(settings).blockers
    if blockers:
        return Permission(False, blockers[0].message)
    return Permission(True, "The database is recognised exactly, and sound.")


def upgrade_by_itself(settings: Settings, on_event: OnEvent = say_nothing) -> Outcome:
    """Upgrade as a server does at its start: an attempt that fails or is cut short is remembered.

    Call it only when `may_upgrade_by_itself` said yes. Returns what `run_upgrade` returns.
    """
    from app.upgrade.operations.upgrade import run_upgrade

    try:
        last_attempt.remember_start(settings)
    except OSError as error:
        path = last_attempt.attempt_path(settings)
        return Outcome("refused", 15, f"{path} cannot be written: {error.strerror}.", _CHECK)
    outcome = run_upgrade(settings, on_event=on_event)
    if outcome.exit_code not in (0, 16, 130):
        try:
            last_attempt.remember_failure(settings, outcome.message)
        except OSError as error:
            _logger.warning("the failed upgrade could not be remembered: %s", error)
    return outcome


# -- the answers ---------------------------------------------------------------------------------------------

_CHECK = "daemon upgrade check"
_RUN = "daemon upgrade run"
_STATUS = "daemon upgrade status"
_BACKUPS = "daemon backup list"


def _missing(settings: Settings) -> Readiness:
    left = storage_for(settings.database_url).left_behind()
    if left:
        return Readiness("LOST", lost_volume.left_sentence(settings, left), lost_volume.left_hint(left))
    found = lost_volume.look_for_lost_databases(settings)
    if found:
        return Readiness(
            "LOST", lost_volume.lost_sentence(settings, found), lost_volume.lost_hint(settings, found)
        )
    return Readiness("EMPTY", f"There is no database at {settings.database_name} yet.", "daemon init")


def _holds_nothing(settings: Settings, what: str) -> Readiness:
    return Readiness(
        "UNKNOWN",
        f"{settings.database_name} is there and holds nothing ({what}): a disk may have lost it.",
        f"{_BACKUPS}, or to begin anew: daemon init --fresh",
    )


def _not_ours(settings: Settings, label: str) -> Readiness:
    return Readiness(
        "UNKNOWN",
        f"{settings.database_name} is not a Daemon database ({label}).",
        f"Set DATABASE_URL to the right file, or put a backup back: {_BACKUPS}",
    )


def _gate_of(settings: Settings, known: Recognition) -> Readiness:
    path = settings.database_path
    match known.kind:
        case "empty":
            return _holds_nothing(settings, known.label)
        case "newer":
            sentence = f"{path} was written by a newer Daemon ({known.label}) than this one."
            return Readiness("AHEAD", sentence, "Install that version again, or: " + _BACKUPS, known)
        case "damaged":
            return _damaged(settings, known.label)
        case "daemon" if known.drift:
            sentence = (
                f"The schema of {path} differs from that of {known.label} in {len(known.drift)} places."
            )
            command = f"{_CHECK} lists them; {_RUN} --repair mends them"
            return Readiness("UNKNOWN", sentence, command, known, DriftFound)
        case "daemon" if is_past(known, NEWEST):
            return Readiness("READY", f"The database is at {NEWEST}.", recognition=known)
        case "daemon":
            return Readiness("BEHIND", _behind(settings, known), _RUN, known)
    return _not_ours(settings, known.label)


def _behind(settings: Settings, known: Recognition) -> str:
    held = auto_upgrade_block.find_hold(settings)
    if held:
        return (
            f"The database is at an older version ({known.label}); this Daemon needs {NEWEST}. The server "
            f"does not upgrade it by itself: {held.reason}."
        )
    return f"The database is at an older version ({known.label}); this Daemon needs {NEWEST}."


def _damaged(settings: Settings, what: str) -> Readiness:
    sentence = f"{settings.database_name} is damaged ({what})."
    return Readiness("DAMAGED", sentence, f"{_BACKUPS}, then: daemon backup restore NAME")


def _of_server(settings: Settings, error: StorageError | DaemonError) -> Readiness | None:
    """Return what an error of a database's server means; None where the database is a file."""
    if not database_urls.is_of_server(settings.database_url):
        return None
    said = storage_for(settings.database_url).explained(error)
    state: ReadinessState = "DAMAGED" if isinstance(said, Damaged) else "UNKNOWN"
    if isinstance(said, Busy):
        state = "UNREACHABLE"
    return Readiness(state, said.message, said.hint, error=type(said))


def _of_engine_error(settings: Settings, error: StorageError) -> Readiness:
    if of_server := _of_server(settings, error):
        return of_server
    if error.reason == "busy":
        return Readiness("BUSY", "Another program holds the database.", _STATUS)
    if error.is_damage:
        return _damaged(settings, str(error))
    sentence = f"{settings.database_name} cannot be opened: {error}."
    what = Refused if error.is_of_the_place else UnusableSchema
    return Readiness("UNKNOWN", sentence, _CHECK, error=what)


def _not_understood(settings: Settings, unusable: list[UnusableObject]) -> Readiness:
    first = next(one for one in unusable if not one.lacks)
    sentence = f"{soundness.unread_sentence(settings, first)}."
    return Readiness("UNKNOWN", sentence, soundness.unread_hint(first), error=UnusableSchema)
