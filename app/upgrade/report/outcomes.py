"""Outcomes. How did a run end, what is in the database now, and how is the owner told?"""

from __future__ import annotations

from pathlib import Path

from app.control_characters import one_line
from app.errors import EXIT_INTERRUPTED, DaemonError, Failed, FailedRestored, OperatorNeeded
from app.storage import failures
from app.upgrade.model import Outcome, OutcomeState, Plan

AS_BEFORE = "The database is as it was before."
_STATES_OF_RESTORES: dict[int, OutcomeState] = {
    FailedRestored.exit_code: "restored",
    OperatorNeeded.exit_code: "uncertain",
}
AGAIN = "When that is mended, run it again: daemon upgrade run"


def refused(plan: Plan) -> Outcome:
    """The checks found something that stands in the way; nothing was touched."""
    message = "\n".join(one_line(problem.message) for problem in plan.blockers)
    hint = "\n".join(problem.hint for problem in plan.blockers if problem.hint)
    return Outcome("refused", plan.blockers[0].exit_code, message, hint, plan=plan)


def nothing_to_do(plan: Plan, words: str) -> Outcome:
    """The database is at the target, or past it, already."""
    recorded = plan.current.recorded or plan.current.label
    past = "" if recorded == plan.target else f", which is at least {plan.target}, and is left there"
    return Outcome("nothing_to_do", 0, f"{words}: the database is at {recorded}{past}.", plan=plan)


def interrupted(backup: str | None) -> Outcome:
    """A signal came before the commit."""
    message = f"Interrupted; what was begun was taken back. {AS_BEFORE}"
    return Outcome("interrupted", EXIT_INTERRUPTED, message, AGAIN, backup)


def not_begun(error: DaemonError) -> Outcome:
    """Something stood in the way before the database was touched."""
    return Outcome("refused", error.exit_code, error.message, error.hint, details=dict(error.details))


def of_restore(error: DaemonError) -> Outcome:
    """A restore or rollback ended with ``error``, whose words say what state the database is in."""
    state = _STATES_OF_RESTORES.get(error.exit_code, "refused")
    return Outcome(state, error.exit_code, error.message, error.hint, details=dict(error.details))


def before_the_commit(error: Exception, database: Path, backup: str | None, *, began: bool) -> Outcome:
    """An error came before the commit; ``began`` tells whether anything was to be written by then."""
    known = named(error, database)
    if known is not None and not began and not isinstance(known, Failed):
        return not_begun(known)
    return failed(error, database, backup)


def failed(error: BaseException, database: Path, backup: str | None) -> Outcome:
    """Something went wrong before the commit: the transaction was rolled back."""
    what, hint = in_words(error, database)
    kept = f" The backup {backup} was made before, and is kept." if backup else ""
    message = f"The upgrade failed: {what} {AS_BEFORE}{kept}"
    return Outcome("failed_unchanged", Failed.exit_code, message, hint or AGAIN, backup)


def restored(what: str, backup: str) -> Outcome:
    """It failed after the commit, and the backup was put back."""
    message = (
        f"The upgrade was committed, but looking at it again from outside failed: {what}. The backup "
        f"{backup} was put back; the database is as it was before."
    )
    hint = "Please tell the project about it, with logs/server.log."
    return Outcome("restored", FailedRestored.exit_code, message, hint, backup)


def operator_needed(what: str, database: Path, backup: str | None) -> Outcome:
    """What is in the file is not known, or is wrong and could not be mended."""
    kept = f"the state before the upgrade is in the backup {backup}" if backup else "there is no backup"
    message = f"{what}. The database is {database}; {kept}."
    hint = f"Stop the server, look at the disk, then: daemon backup restore {backup or 'NAME'}"
    return Outcome("uncertain", OperatorNeeded.exit_code, message, hint, backup)


def named(error: BaseException, database: Path) -> DaemonError | None:
    """Return the error that says what ``error`` of the disk, a file or a lock means; None for any other."""
    return failures.explained(error, database, "nothing of it was kept")


def in_words(error: BaseException, database: Path) -> tuple[str, str]:
    """Return what went wrong as one sentence, and the command to type: no stack trace, no SQL."""
    known = named(error, database)
    if known is not None:
        return known.message, known.hint
    cause = getattr(error, "orig", None) or error  # as a driver said it
    first_line = (str(cause).splitlines() or [""])[0]
    return f"a fault of Daemon's own ({type(cause).__name__}: {first_line}); see logs/server.log.", ""
