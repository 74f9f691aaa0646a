"""What the upgrade knows, plans and reports: the frozen values that its parts hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.storage.fingerprint import Difference
from app.upgrade.versions.releases import NEWEST_UNMARKED

if TYPE_CHECKING:
    from app.errors import DaemonError

DatabaseKind = Literal[
    "missing", "misplaced", "empty", "unreadable", "foreign", "damaged", "not_proven", "daemon", "newer"
]
OutcomeState = Literal[
    "done", "nothing_to_do", "refused", "failed_unchanged", "restored", "uncertain", "interrupted"
]


@dataclass(frozen=True)
class Extra:
    """Something the owner added: it stays, is listed, and is outside every fingerprint."""

    what: str  # table | column | index | view | trigger
    name: str  # "notes", "data_entries.validation_status"
    detail: str = ""


@dataclass(frozen=True)
class NameCollision:
    """Something of the owner under a name that an upgrade needs, and the name that it gets.

    ``since`` is the first version that needs the name: an upgrade to an older one leaves it alone.
    """

    what: str  # table | column | index | view
    table: str
    name: str
    new_name: str
    since: str


@dataclass(frozen=True)
class Claim:
    """A version that someone wrote into database_versions without our own history line."""

    version: str
    applied_at: str | None
    script: str | None


@dataclass(frozen=True)
class Recognition:
    """What a database is, by its schema; what it says about itself is only in ``claims``.

    ``sheet`` is the version whose schema the tables are compared with: the one that the database records.
    ``recorded`` is the version of our own newest history line, and only when the schema is that one's too.
    ``variants`` names, for each core table, which known form it has ("absent" when it is not there).
    ``exact`` is true when every core table has a known form and nothing is missing or changed.
    """

    kind: DatabaseKind
    label: str
    lowest: str | None = None
    highest: str | None = None
    recorded: str | None = None
    variants: dict[str, str] = field(default_factory=dict)
    exact: bool = False
    drift: tuple[Difference, ...] = ()
    extras: tuple[Extra, ...] = ()
    claims: tuple[Claim, ...] = ()
    contradiction: str | None = None
    fingerprint: str | None = None
    sheet: str = NEWEST_UNMARKED
    in_history: str | None = None  # the sheet's version where our history says it too, drifted or not
    taken: tuple[NameCollision, ...] = ()  # what of the owner has to make room, in the order in which it does


@dataclass(frozen=True)
class Step:
    """One thing an upgrade does, in the order in which it does it."""

    id: str  # revision ("0002") or shape name
    version: str | None  # the schema version that the database has afterwards; None within an adoption
    title: str  # a sentence for people
    kind: Literal["adopt", "repair", "migrate"]


@dataclass(frozen=True)
class Problem:
    """A finding of the checks: a blocker stops the upgrade before it starts, a warning does not."""

    code: str
    message: str
    hint: str = ""
    exit_code: int = 15


def problem_of(error: type[DaemonError], message: str, hint: str = "", *, code: str = "") -> Problem:
    """Return the finding that has the exit status of ``error``, and its code unless it has one of its own."""
    return Problem(code or error.code, message, hint, error.exit_code)


@dataclass(frozen=True)
class Needs:
    """What an upgrade needs: free bytes beside the database and in the backup folder, and time."""

    data_bytes: int = 0
    backup_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What would be done, and why it may not be: a value, made without writing anything."""

    current: Recognition
    target: str
    steps: tuple[Step, ...] = ()
    needs: Needs = Needs()
    blockers: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    # entries that strangers see now and would not after it; None where only a rehearsal can tell
    hidden: tuple[dict[str, object], ...] | None = ()

    @property
    def pending(self) -> bool:
        """Whether running it would change the database."""
        return bool(self.steps)


@dataclass(frozen=True)
class Applied:
    """A step that was carried out inside the transaction."""

    step: Step
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``state`` says what the database is now, whatever happened on the way."""

    state: OutcomeState
    exit_code: int
    message: str
    hint: str = ""
    backup: str | None = None
    plan: Plan | None = None
    applied: tuple[Applied, ...] = ()
    notes: tuple[str, ...] = ()  # what the owner should know: extras kept, values kept, what is hidden now
    hidden_now: tuple[dict[str, object], ...] = ()  # entries that strangers saw before and do not see now
    seconds: float = 0.0
    details: dict[str, object] = field(default_factory=dict)  # what else a program may want (JSON values)
